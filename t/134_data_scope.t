#!/usr/bin/perl
#
# Whose appointments a person sees: the own, those of departments, or all. A
# desk of a department has its doctors' queues, calendars, visits, reports and
# events, and registers patients; a doctor of one has the patients of all of its
# doctors. Of the others nothing can be told from nothing.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::EventStream;
use Appt::SignIn;

my $date    = '2026-03-16';
my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $url     = $clinic->gateway->url;
my ($port)  = $url =~ /:(\d+)$/;

# DOC-001 and DOC-002 are of cardiology, DOC-003 of another.
$cluster->psql(<<'SQL');
UPDATE appt.doctor SET department_id = NULL;
DELETE FROM appt.department;
INSERT INTO appt.department (department_id, name)
VALUES ('CARD', 'Cardiology'), ('ENT', 'Ear, nose and throat'), ('NEW', 'None yet');
UPDATE appt.doctor SET department_id = 'CARD' WHERE doctor_id IN ('DOC-001', 'DOC-002');
UPDATE appt.doctor SET department_id = 'ENT' WHERE doctor_id = 'DOC-003';
INSERT INTO appt.patient (patient_id, first_name, branch_id)
VALUES ('PAT-1', 'Anita', 'MUM-01'), ('PAT-2', 'Binod', 'MUM-01'),
    ('PAT-3', 'Chetan', 'MUM-01');
SQL
my %place = map { $_->{doctor_id} => $_ } @{ $cluster->query(q{
    SELECT DISTINCT ON (w.doctor_id) w.doctor_id, w.branch_id, s.start_time
    FROM appt.working_hours w CROSS JOIN LATERAL appt.available_slots(w.doctor_id,
        $1::date, w.branch_id) s
    WHERE w.doctor_id IN ('DOC-001', 'DOC-002', 'DOC-003')
    ORDER BY w.doctor_id, w.branch_id, s.start_time}, $date) };
is_deeply([ sort keys %place ], [qw(DOC-001 DOC-002 DOC-003)], 'three who work that day');

my $next = 0;
my %visit = map {
    my $doctor = $_;
    $doctor => $cluster->row(q{SELECT appointment_id, patient_id
        FROM appt.book($1, $2, $3, branch_id => $4)},
        'PAT-' . ++$next, $doctor,
        @{ $place{$doctor} }{qw(start_time branch_id)})
} sort keys %place;

sub desk {
    my (%arg) = @_;
    my $account = Appt::SignIn::account($clinic, %arg);
    my $who = Appt::SignIn->new($url, %$account);
    is($who->answer->{status}, 200, "$arg{what}: signs in") or diag $who->answer->{body};
    $who->{$_} = $account->{$_} for qw(staff_id account);
    return $who;
}

# The ids that an answer's rows have, of these three.
sub ids {
    my ($r, $member) = @_;
    return $r->{status} . ' ' . join ' ', grep { $place{$_} } sort keys %{{
        map { ($_->{ $member // 'doctor_id' } // '') => 1 } @{ $r->{json} } }};
}

# What somebody sees of each doctor, by all ways to ask.
sub sees {
    my ($who, @doctor) = @_;
    my %may = map { $_ => 1 } @doctor;
    my %wrong;
    is(ids($who->get('/api/v1/doctors', { per_page => 100 })), "200 @doctor", 'the doctors');
    is(ids($who->get('/api/v1/appointments', { date_from => $date, date_to => $date,
        per_page => 100 })), "200 @doctor", 'the appointments');
    for my $doctor (sort keys %place) {
        my ($branch, $id) = ($place{$doctor}{branch_id}, $visit{$doctor}{appointment_id});
        my %at = (doctor_id => $doctor, branch_id => $branch);
        my %got = (
            doctor => $who->get("/api/v1/doctors/$doctor"),
            hours => $who->get("/api/v1/doctors/$doctor/working-hours"),
            slots => $who->get('/api/v1/appointments/slots', { %at, date => $date }),
            explained => $who->get('/api/v1/appointments/slots/explain-day',
                { %at, date => $date }),
            queue => $who->get('/api/v1/queue', { doctor_id => $doctor, date => $date }),
            listed => $who->get('/api/v1/appointments', \%at),
            visit => $who->get("/api/v1/appointments/$id"),
            history => $who->get("/api/v1/appointments/$id/history"),
            completed => $who->post("/api/v1/appointments/$id/complete"),
        );
        for my $what (sort keys %got) {
            my $status = $got{$what}{status};
            my $wanted = !$may{$doctor} ? 404 : $what eq 'completed' ? 409 : 200;
            push @{ $wrong{$doctor} }, "$what: $status $got{$what}{body}"
                if $status != $wanted;
        }
        my $booked = $who->post('/api/v1/appointments', { patient_id =>
            $visit{$doctor}{patient_id}, %at, slot_start => "${date}T03:00:00+05:30" });
        push @{ $wrong{$doctor} }, "booked: $booked->{status} $booked->{body}"
            if $booked->{status} < 400
            || ($booked->{body} =~ /does not exist/ xor !$may{$doctor});
    }
    is_deeply(\%wrong, {}, 'and nothing of the others') or diag explain \%wrong;
}

subtest 'a desk of a department' => sub {
    my $who = desk(what => 'reception', role => 'reception', department_ids => ['CARD']);
    is_deeply($who->answer->{json}{department_ids}, ['CARD'], 'its session says so');
    sees($who, 'DOC-001', 'DOC-002');
    is($who->get("/api/v1/patients/$visit{'DOC-003'}{patient_id}")->{status}, 200,
        'the patients of the branch, lest they be registered twice');
    is_deeply($who->get("/api/v1/patients/$visit{'DOC-003'}{patient_id}")
        ->{json}{visit_history}, [], 'without their visits elsewhere');
    is(ids($who->get('/api/v1/reports/appointment', { from => $date, to => $date,
        per_page => 100 })), '200 DOC-001 DOC-002', 'its report');
    is($who->get('/api/v1/reports/appointment', { from => $date, to => $date,
        doctor_id => 'DOC-003' })->{status}, 404, 'and no other');
    is($who->get('/api/v1/appointments/slots/first', { doctor_id => 'DOC-003' })->{status},
        404, 'no first slot of another');
    is(ids($who->get('/api/v1/appointments/slots/first', { department_id => 'ENT' })),
        '200 ', 'nor of another department');
};

subtest 'a doctor' => sub {
    my $who = desk(what => 'own', role => 'doctor', doctor_id => 'DOC-001');
    sees($who, 'DOC-001');
    is($who->get("/api/v1/patients/$visit{'DOC-002'}{patient_id}")->{status}, 404,
        'the own patients alone');
};

subtest 'a doctor who sees departments' => sub {
    my $who = desk(what => 'both', role => 'doctor', doctor_id => 'DOC-003',
        department_ids => ['CARD']);
    sees($who, 'DOC-001', 'DOC-002', 'DOC-003');
    is($who->get("/api/v1/patients/$visit{'DOC-002'}{patient_id}")->{status}, 200,
        'the patients of all of its doctors');
    $who = desk(what => 'one', role => 'doctor', doctor_id => 'DOC-001',
        department_ids => ['CARD']);
    is($who->get("/api/v1/patients/$visit{'DOC-003'}{patient_id}")->{status}, 404,
        'and no others');
    my %listed = map { $_->{patient_id} => 1 } @{ $who->get('/api/v1/patients',
        { per_page => 100 })->{json} };
    is_deeply([ map { $listed{ $visit{$_}{patient_id} } // 0 } sort keys %visit ],
        [ 1, 1, 0 ], 'in the list');
};

subtest 'a department without doctors' => sub {
    sees(desk(what => 'nobody', role => 'reception', department_ids => ['NEW']));
};

subtest 'what changes counts at once' => sub {
    my $boss = desk(what => 'admin', role => 'admin');
    my $who = desk(what => 'moved', role => 'reception', department_ids => ['ENT']);
    my $at = "/api/v1/staff/$who->{staff_id}";
    sees($who, 'DOC-003');
    is_deeply($boss->patch($at, { department_ids => ['CARD'] })->{json}{department_ids},
        ['CARD'], 'another department');
    sees($who, 'DOC-001', 'DOC-002');
    $cluster->psql(q{UPDATE appt.doctor SET department_id = 'ENT'
        WHERE doctor_id = 'DOC-002'});
    sees($who, 'DOC-001');
    $cluster->psql(q{UPDATE appt.doctor SET department_id = 'CARD'
        WHERE doctor_id = 'DOC-002'});
    is($boss->delete('/api/v1/departments/CARD')->{status}, 409, 'which stays');
    is($boss->patch($at, { department_ids => undef })->{json}{department_ids}, undef,
        'no limit');
    sees($who, sort keys %place);
    is($boss->patch($at, { department_ids => ['CARD'] })->{status}, 200, 'one again');
    is($boss->patch($at, { role => 'admin' })->{json}{department_ids}, undef,
        'an admin has none');
    my ($last) = @{ $boss->get("$at/audit")->{json} };
    like($last->{detail}, qr/role/, 'on record');
    is($boss->patch("/api/v1/staff/$boss->{staff_id}", { role => 'reception',
        department_ids => ['CARD'] })->{status}, 403, 'not of one\'s own account');
    my (undef, undef, $error) = $cluster->try_psql(q{UPDATE appt.staff
        SET department_ids = '{CARD}' WHERE role = 'admin'});
    like($error, qr/staff_department_ids_of_role/, 'nor by a statement');
};

subtest 'who listens' => sub {
    my $who = desk(what => 'listens', role => 'reception', department_ids => ['CARD']);
    my $stream = Appt::EventStream->new(port => $port,
        cookie => $who->cookie)->ready;
    is($stream->status, 200, 'is let in');
    my $before = $stream->id;
    $cluster->freeze_clock("${date}T08:30:00+05:30");
    $cluster->value('SELECT appt.check_in($1)', $visit{$_}{appointment_id})
        for 'DOC-003', 'DOC-001';
    my @came = $stream->until(sub { ($_->{data}{doctor_id} // '') eq 'DOC-001' }, 10);
    my %of = map { $_->{data}{doctor_id} // '' => 1 } @came;
    ok($of{'DOC-001'} && !$of{'DOC-003'}, 'is told of the department alone')
        or diag explain \@came;
    is_deeply([ map { $_->{data}{doctor_id} // () } @{ $who->get('/api/v1/events',
        { since => $before })->{json}{changes} } ], ['DOC-001'], 'and who asks');
};

subtest 'what a list of patients says' => sub {
    # Registered elsewhere, here to another department alone.
    $cluster->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone) VALUES ('FAR-01', 'Far', 'Asia/Kolkata');
INSERT INTO appt.patient (patient_id, first_name, branch_id) VALUES ('PAT-4', 'Divya', 'FAR-01');
SQL
    my $there = $place{'DOC-003'}{branch_id};
    my $free = $cluster->value(q{SELECT s.start_time FROM appt.available_slots('DOC-003',
        $1::date, $2) s ORDER BY 1 LIMIT 1}, $date, $there);
    $cluster->value(q{SELECT appointment_id FROM appt.book('PAT-4', 'DOC-003', $1,
        branch_id => $2)}, $free, $there);
    $cluster->psql("UPDATE appt.appointment SET status = 'checked_in', "
        . "checked_in_at = booked_at WHERE doctor_id = 'DOC-003'");
    my %listed;
    for my $department (qw(CARD ENT)) {
        my $who = desk(what => $department, role => 'reception',
            department_ids => [$department], branch_ids => [$there]);
        $listed{$department} = { map { $_->{patient_id} => $_->{last_visit_date} }
            map { @{ $who->get('/api/v1/patients', { search => $_ })->{json} } }
            qw(Chetan Divya) };
        for my $id (qw(PAT-3 PAT-4)) {
            my $is_listed = exists $listed{$department}{$id};
            is($who->get("/api/v1/patients/$id")->{status}, $is_listed ? 200 : 404,
                "$department: $id is found as it is listed");
        }
    }
    ok(!exists $listed{CARD}{'PAT-4'}, 'none who comes to others alone');
    ok(exists $listed{CARD}{'PAT-3'}, 'those of the branch');
    is($listed{CARD}{'PAT-3'}, undef, 'without a last visit to others');
    is_deeply([ @{ $listed{ENT} }{qw(PAT-3 PAT-4)} ], [ $date, $date ],
        'which their own desk is told');
};

done_testing();
