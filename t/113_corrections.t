#!/usr/bin/perl
#
# What the desk puts right over HTTP: who may, what it takes, and that mirrors,
# those of the branch that a visit left among them, are told.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;

my $clinic = Appt::Clinic->new(clock => '2026-03-16T08:00:00+05:30');
my $cluster = $clinic->cluster;
my @write = qw(appointments:read appointments:write);
my $desk = $clinic->http($clinic->create_client(name => 'Desk',
    scopes => [ @write, 'appointments:override', 'patients:read',
        'patients:write' ]));
my $app = $clinic->http($clinic->create_client(name => 'App', scopes => \@write));
my $a = '/api/v1/appointments';

sub free {
    my (%where) = @_;
    return @{ $desk->get("$a/slots", { doctor_id => 'DOC-001',
        branch_id => 'MUM-01', date => '2026-03-16', %where })->{json} };
}
my @slot = free();
my $patient = 120;

sub book {
    my $r = $app->post($a, { patient_id => sprintf('PAT-2026-%05d', $patient++),
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => (shift @slot)->{start_time} });
    is($r->{status}, 201, 'booked') or diag $r->{body};
    return $r->{json};
}

# What was refused: status, code and the fields at fault.
sub refusal {
    my ($r) = @_;
    return [ $r->{status}, $r->{json}{code},
        map { $_->{field} } @{ $r->{json}{errors} // [] } ];
}

sub patch {
    my ($path, $body, %headers) = @_;
    my $http = delete $headers{http} // $desk;
    return $http->patch($path, $body, \%headers);
}

subtest 'cancelled when it is too late' => sub {
    my $one = book();
    my $path = "$a/$one->{appointment_id}";
    $cluster->freeze_clock($one->{slot_start});
    my %late = (reason => 'Ill');
    is_deeply(refusal($app->delete($path, \%late)), [ 409, 'cancellation_window' ],
        'not by the rules');
    is_deeply(refusal($app->delete($path, { %late, override => 'true' })),
        [ 403, 'insufficient_scope' ], 'nor without the scope');
    is_deeply(refusal($desk->delete($path, { override => 'true' })),
        [ 400, 'invalid_request', 'reason' ], 'nor without a reason');
    my $done = $desk->delete($path, { %late, override => 'true' });
    is($done->{json}{status}, 'cancelled', 'but on purpose') or diag $done->{body};
    is($desk->get("$path/history")->{json}[1]{reason}, 'override: Ill',
        'which the history says');
    $cluster->freeze_clock('2026-03-16T08:00:00+05:30');
};

subtest 'moved when it has begun, by a hold' => sub {
    my $one = book();
    my $path = "$a/$one->{appointment_id}";
    my $hold = $desk->post("$a/holds", { doctor_id => 'DOC-001',
        branch_id => 'MUM-01', slot_start => $slot[3]{start_time} })->{json};
    my %to = (new_slot_start => $slot[3]{start_time}, reason => 'Late');
    is_deeply(refusal(patch("$path/reschedule", \%to)),
        [ 409, 'slot_unavailable' ], 'the slot is held');
    my $moved = patch("$path/reschedule", { %to, hold_id => $hold->{hold_id} });
    is($moved->{json}{slot_start}, $slot[3]{start_time}, 'for this move')
        or diag $moved->{body};
    is_deeply(refusal(patch("$path/reschedule",
        { new_slot_start => $slot[4]{start_time}, hold_id => $hold->{hold_id} })),
        [ 409, 'hold_expired' ], 'once');
    splice @slot, 3, 1;

    $cluster->freeze_clock($moved->{json}{slot_end});
    my ($next) = free();
    my %late = (new_slot_start => $next->{start_time});
    is_deeply(refusal(patch("$path/reschedule", \%late)),
        [ 409, 'reschedule_window' ], 'late, it is not moved by the rules');
    is_deeply(refusal(patch("$path/reschedule", { %late, override => \1 })),
        [ 400, 'invalid_request', 'reason' ], 'nor without a reason');
    is_deeply(refusal(patch("$path/reschedule",
        { %late, reason => 'Train', override => \1 }, http => $app)),
        [ 403, 'insufficient_scope' ], 'nor without the scope');
    $moved = patch("$path/reschedule", { %late, reason => 'Train',
        override => \1 });
    is($moved->{json}{slot_start}, $next->{start_time}, 'but on purpose')
        or diag $moved->{body};
    is($moved->{json}{token_number}, $one->{token_number}, 'with its number');
    $cluster->freeze_clock('2026-03-16T08:00:00+05:30');
};

subtest 'a status that was wrong' => sub {
    my $one = book();
    my $path = "$a/$one->{appointment_id}";
    is_deeply(refusal($app->post("$path/no-show")), [ 409, 'invalid_transition' ],
        'no no-show before the start');
    $cluster->freeze_clock($one->{slot_start});
    is($app->post("$path/no-show")->{json}{status}, 'no_show', 'but then');
    $cluster->freeze_clock('2026-03-17T09:00:00+05:30');
    my %right = (status => 'completed', reason => 'Was here', override => \1);
    is_deeply(refusal($app->post("$path/correct", \%right)),
        [ 403, 'insufficient_scope' ], 'not without the scope');
    for my $missing (qw(status reason override)) {
        my %less = %right;
        delete $less{$missing};
        is_deeply(refusal($desk->post("$path/correct", \%less)),
            [ 400, 'invalid_request', $missing ], "not without $missing");
    }
    is_deeply(refusal($desk->post("$path/correct", { %right, override => \0 })),
        [ 400, 'invalid_request', 'override' ], 'override: false is none');
    is_deeply(refusal($desk->post("$path/correct", { %right, status => 'cancelled' })),
        [ 400, 'invalid_request', 'status' ], 'cancelled is for DELETE');
    is_deeply(refusal($desk->post("$path/correct", \%right,
        { 'If-Match' => '"1"' })), [ 412, 'version_mismatch' ], 'a stale If-Match');
    my %key = ('Idempotency-Key' => 'right-1', 'If-Match' => '"2"');
    my $done = $desk->post("$path/correct", \%right, \%key);
    is($done->{json}{status}, 'completed', 'put right the day after')
        or diag $done->{body};
    is($done->{json}{token_number}, $one->{token_number}, 'with its number');
    is($done->{headers}{etag}, '"3"', 'and a new version');
    my $again = $desk->post("$path/correct", \%right, \%key);
    is($again->{headers}{'idempotency-replayed'}, 'true', 'a retry is replayed');
    is($again->{body}, $done->{body}, 'byte for byte');
    my $last = $desk->get("$path/history")->{json}[-1];
    is_deeply([ @$last{qw(event change reason)}, $last->{changes}{status} ],
        [ 'appointment.updated', 'status_corrected', 'override: Was here',
            { from => 'no_show', to => 'completed' } ], 'the history says it');
    $cluster->freeze_clock('2026-03-16T08:00:00+05:30');
};

subtest 'notes, visit type and patient' => sub {
    my $one = book();
    my $path = "$a/$one->{appointment_id}";
    my $edited = patch($path, { notes => 'Fasting', visit_type => 'follow_up' },
        'If-Match' => '"1"', 'Idempotency-Key' => 'edit-1', http => $app);
    is_deeply([ @{ $edited->{json} }{qw(notes visit_type version)} ],
        [ 'Fasting', 'follow_up', 2 ], 'edited') or diag $edited->{body};
    is(patch($path, { visit_type => 'follow_up', notes => 'Fasting' },
        'If-Match' => '"1"', 'Idempotency-Key' => 'edit-1', http => $app)
        ->{headers}{'idempotency-replayed'}, 'true', 'a retry is replayed');
    my $other = book();
    is_deeply(refusal(patch("$a/$other->{appointment_id}",
        { notes => 'Fasting', visit_type => 'follow_up' },
        'If-Match' => '"1"', 'Idempotency-Key' => 'edit-1', http => $app)),
        [ 422, 'idempotency_key_reused' ], 'the same of another visit is no retry');
    is_deeply(refusal(patch($path, { notes => 'x' }, 'If-Match' => '"1"')),
        [ 412, 'version_mismatch' ], 'a stale If-Match');
    is_deeply(refusal(patch($path, { notes => 'x' }, 'If-Match' => $_)),
        [ 400, 'invalid_request' ], "an If-Match that is none: $_")
        for '2', '"2', '"2"x', '"2", "3"', '""', '"2 "', '"1234567890"', 'W/2';
    is(patch($path, { notes => 'Fasting' })->{headers}{etag}, '"2"',
        'what differs in nothing is no change');
    is(patch($path, { notes => undef })->{json}{notes}, undef,
        'null takes notes away');
    is_deeply(refusal(patch($path, { visit_type => 'dance' })),
        [ 422, 'unknown_reference', 'visit_type' ], 'an unknown visit type');
    is_deeply(refusal(patch($path, { status => 'completed' })),
        [ 400, 'invalid_request', 'status' ], 'no other member');

    my %right = (patient_id => 'PAT-2026-00199');
    is_deeply(refusal(patch($path, \%right)), [ 400, 'invalid_request', 'override' ],
        'the patient: not without override');
    is_deeply(refusal(patch($path, { %right, override => \1 })),
        [ 400, 'invalid_request', 'reason' ], 'and a reason');
    %right = (%right, reason => 'Namesake', override => \1);
    is_deeply(refusal(patch($path, \%right, http => $app)),
        [ 403, 'insufficient_scope' ], 'and the scope');
    is_deeply(refusal(patch($path, { %right, patient_id => 'PAT-0' })),
        [ 422, 'unknown_reference', 'patient_id' ], 'nor to nobody');
    my $busy = $desk->post($a, { patient_id => 'PAT-2026-00198',
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $one->{slot_start}, override => \1 });
    is($busy->{status}, 201, 'another has a visit then') or diag $busy->{body};
    is_deeply(refusal(patch($path, { %right, patient_id => 'PAT-2026-00198' })),
        [ 409, 'patient_conflict' ], 'and cannot have this one, too');
    $edited = patch($path, \%right);
    is($edited->{json}{patient_id}, 'PAT-2026-00199', 'but on purpose')
        or diag $edited->{body};
    my $last = $desk->get("$path/history")->{json}[-1];
    is_deeply([ @$last{qw(change reason)}, $last->{changes}{patient_id}{from} ],
        [ 'patient_corrected', 'override: Namesake', $one->{patient_id} ],
        'the history says it');
};

subtest 'so many holds a client may have' => sub {
    $cluster->psql(q{INSERT INTO appt.setting (name, value)
        VALUES ('holds_per_client', '1')});
    my @slot = free();
    my @hold = map { $app->post("$a/holds", { doctor_id => 'DOC-001',
        branch_id => 'MUM-01', slot_start => $slot[$_]{start_time} }) } 0, 1;
    is($hold[0]{status}, 201, 'one');
    is_deeply(refusal($hold[1]), [ 409, 'limit_reached' ], 'not another');
    is($app->delete("$a/holds/$hold[0]{json}{hold_id}")->{status}, 204, 'released');
    is($app->post("$a/holds", { doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $slot[1]{start_time} })->{status}, 201, 'and another');
};

done_testing;
