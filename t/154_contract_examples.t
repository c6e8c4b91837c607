#!/usr/bin/perl
#
# What the contract shows is what happens: each request that it has as an
# example is sent to a running demo and does what it says, and what a page or a
# program makes of the document (examples, bounds, words, events) is there.
# The refusals that it shows are provoked by t/155_contract_refusals.t.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;
use Appt::SignIn;

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
our $http = $clinic->http;
my $doc  = $http->get('/api/v1/openapi.json')->{json};
my $api  = Appt::OpenApi->new($doc);
my $v    = '/api/v1';
my $a    = "$v/appointments";

# ---- requests ---------------------------------------------------------------

my %sent;

# sends(operation, status, path): the examples of its body, one after another,
# each for its query's examples and with what is given to make room for it.
sub sends {
    my ($name, $status, $path, %arg) = @_;
    my ($method) = $name =~ /^(\w+)/;
    my $operation = $api->operation($name);
    my %query = map { $_->{name} => $_->{example} }
        grep { $_->{in} eq 'query' && exists $_->{example} }
        map { $api->resolve($_) } @{ $operation->{parameters} // [] };
    my $schema = ($operation->{requestBody}{content} // {})
        ->{'application/json'}{schema};
    my @body = $schema ? @{ $api->resolve($schema)->{examples} } : undef;
    my @done;
    for my $n (0 .. $#body) {
        $arg{before}->($n) if $arg{before};
        my $to = ref $path ? $path->($n) : $path;
        $to .= ($to =~ /\?/ ? '&' : '?')
            . $http->{http}->www_form_urlencode(\%query) if %query;
        my $verb = lc $method;
        my $r = $verb =~ /^(?:get|delete)$/ ? $http->$verb($to)
            : $http->$verb($to, $body[$n]);
        is($r->{status}, $status, "$name: example $n is taken")
            or diag $r->{body};
        my @wrong = $api->wrong($name, $r);
        ok(!@wrong, "$name: and answered as documented") or diag "@wrong";
        shown($name, $body[$n], $r->{json}) if $body[$n] && ref $r->{json} eq 'HASH';
        push @done, $r->{json};
    }
    $sent{$name}++;
    return $done[-1];
}

# Whatever the request says is in the answer, where that has such a member.
sub shown {
    my ($name, $body, $answer) = @_;
    for my $member (sort keys %$body) {
        next unless exists $answer->{$member};
        my ($want, $got) = ($body->{$member}, $answer->{$member});
        $got = { map { $_ => $got->{$_} } keys %$want } if ref $want eq 'HASH';
        $got = [ map { my ($g, $w) = ($got->[$_], $want->[$_]);
            ref $w eq 'HASH' ? { map { $_ => $g->{$_} } keys %$w } : $g }
            0 .. $#$got ] if ref $want eq 'ARRAY';
        is_deeply($got, $want, "$name: $member is that");
    }
}

my $booked = sends("POST $a", 201, $a);
my $one = "$a/{appointment_id}";
my $at  = "$a/$booked->{appointment_id}";
is($booked->{slot_start}, '2026-03-15T10:00:00+05:30', 'as the vendor shows it');
sends("GET $one", 200, $at);
sends("GET $one/history", 200, "$at/history");
sends("GET $a", 200, $a);
sends("GET $a/slots", 200, "$a/slots?branch_id=MUM-01");
my $moved = sends("PATCH $one/reschedule", 200, "$at/reschedule");
is($moved->{slot_start}, '2026-03-15T11:00:00+05:30', 'it is moved there');
my $hold = sends("POST $a/holds", 201, "$a/holds");
sends("DELETE $a/holds/{hold_id}", 204, "$a/holds/$hold->{hold_id}");
my $offer = sends("POST $a/offers", 201, "$a/offers");
sends("GET $a/offers", 200, "$a/offers");
sends("DELETE $a/holds/{hold_id}", 204, "$a/holds/$offer->{offer_id}");
sends("PATCH $one", 200, $at);
my $missed = $cluster->value(q{SELECT appointment_id FROM appt.book(
    'PAT-2026-00125', 'DOC-002', '2026-03-14 12:00+05:30',
    '2026-03-14 12:15+05:30', branch_id => 'MUM-01', override => true)});
$cluster->value('SELECT FROM appt.no_show($1)', $missed);
sends("POST $one/correct", 200, "$a/$missed/correct");
sends("DELETE $one", 200, $at);
my $there = sends("POST $a/walk-in", 201, "$a/walk-in");
sends("GET $v/queue", 200, "$v/queue");
sends("POST $one/priority", 200, "$a/$there->{appointment_id}/priority");
my $next = sends("POST $v/queue/call-next", 200, "$v/queue/call-next");
is($next->{appointment_id}, $there->{appointment_id}, 'who is there is called');
sends("POST $one/skip", 200, "$a/$there->{appointment_id}/skip");
sends("POST $one/recall", 200, "$a/$there->{appointment_id}/recall");
sends("POST $one/skip", 200, "$a/$there->{appointment_id}/skip");
sends("POST $one/start", 200, "$a/$there->{appointment_id}/start");
sends("POST $one/complete", 200, "$a/$there->{appointment_id}/complete");

sends("POST $v/doctors/{doctor_id}/reschedule-day", 200,
    "$v/doctors/DOC-001/reschedule-day");
sends("GET $a/slots/explain", 200, "$a/slots/explain?branch_id=MUM-01");
sends("GET $a/slots/explain-day", 200, "$a/slots/explain-day?branch_id=MUM-01");
sends("GET $v/branches/{branch_id}/calendar", 200, "$v/branches/MUM-01/calendar");
sends("GET $a/slots/first", 200, "$a/slots/first?doctor_id=DOC-001");

my $patient = sends("POST $v/patients", 201, "$v/patients");
sends("PATCH $v/patients/{patient_id}", 200, "$v/patients/$patient->{patient_id}");
sends("GET $v/patients/{patient_id}", 200, "$v/patients/$patient->{patient_id}");
sends("GET $v/patients", 200, "$v/patients");

sends("GET $v/branches/{branch_id}/operating-hours", 200,
    "$v/branches/MUM-01/operating-hours");
$cluster->query("INSERT INTO appt.branch (branch_id, name, time_zone, active)
    VALUES ('OPEN', 'Without sessions', 'Asia/Kolkata', false)");
sends("PUT $v/branches/{branch_id}/operating-hours", 200,
    "$v/branches/OPEN/operating-hours");
my $hours = sends("POST $v/doctors/{doctor_id}/working-hours", 201,
    "$v/doctors/DOC-001/working-hours", before => sub {
        $cluster->query("DELETE FROM appt.working_hours
            WHERE doctor_id = 'DOC-001' AND weekday = 1") });
my $item = "$v/doctors/{doctor_id}/working-hours/{working_hours_id}";
my $here = "$v/doctors/DOC-001/working-hours/$hours->{working_hours_id}";
sends("GET $item", 200, $here);
sends("PATCH $item", 200, $here);
sends("DELETE $item", 204, $here);
for my $case (
    [ 'doctors/{doctor_id}/extra-sessions', 'doctors/DOC-001/extra-sessions',
        'extra_session_id' ],
    [ 'doctors/{doctor_id}/time-off', 'doctors/DOC-001/time-off',
        'time_off_id' ],
    [ 'branches/{branch_id}/closures', 'branches/MUM-01/closures',
        'closure_id' ],
    [ 'branches', 'branches', 'branch_id' ],
    [ 'departments', 'departments', 'department_id' ],
    [ 'doctors', 'doctors', 'doctor_id' ],
    [ 'visit-types', 'visit-types', 'visit_type' ],
    [ 'notification-templates', 'notification-templates',
        'notification_template_id', sub {
            $cluster->query('DELETE FROM appt.notification_template') } ],
    [ 'notification-channels', 'notification-channels', 'channel_id' ])
{
    my ($collection, $path, $id, $before) = @$case;
    my $made = sends("POST $v/$collection", 201, "$v/$path", before => $before);
    my $at = "$v/$path/$made->{$id}";
    sends("GET $v/$collection", 200, "$v/$path");
    sends("GET $v/$collection/{$id}", 200, $at);
    # An SMS has no subject.
    $http->patch($at, { channel => 'email', subject => 'x' })
        if $id eq 'notification_template_id';
    sends("PATCH $v/$collection/{$id}", 200, $at);
    if ($id eq 'channel_id') {
        $http->patch($at, { kind => 'email', settings => {
            host => 'h', from => 'a@b.example' } });
        sends("POST $v/$collection/{$id}/test", 202, "$at/test");
    }
    sends("DELETE $v/$collection/{$id}", 204, $at);
}

sends("GET $v/settings", 200, "$v/settings");
sends("POST $v/settings", 201, "$v/settings");
my $setting = "$v/settings/hold_min?branch_id=MUM-01";
sends("PATCH $v/settings/{name}", 200, $setting);
sends("GET $v/settings/{name}", 200, $setting);
sends("DELETE $v/settings/{name}", 204, $setting);

my $hook = sends("POST $v/webhooks", 201, "$v/webhooks");
my $w = "$v/webhooks/{webhook_id}";
$at = "$v/webhooks/$hook->{webhook_id}";
sends("GET $v/webhooks", 200, "$v/webhooks");
sends("GET $w", 200, $at);
sends("PATCH $w", 200, $at);
sends("POST $w/ping", 202, "$at/ping");
sends("POST $w/rotate-secret", 200, "$at/rotate-secret");
sends("POST $w/enable", 200, "$at/enable");
sends("POST $w/replay", 202, "$at/replay");
my $log = sends("GET $w/deliveries", 200, "$at/deliveries");
sends("POST $w/deliveries/{delivery_id}/redeliver", 202,
    "$at/deliveries/$log->[0]{delivery_id}/redeliver");
sends("DELETE $w", 204, $at);

my $client = sends("POST $v/clients", 201, "$v/clients");
my $c = "$v/clients/{client_id}";
$at = "$v/clients/$client->{client_id}";
sends("GET $v/clients", 200, "$v/clients");
sends("GET $c", 200, $at);
sends("POST $c/rotate-secret", 200, "$at/rotate-secret");
sends("PATCH $c", 200, $at);
sends("GET $c/audit", 200, "$at/audit");
sends("DELETE $c", 204, $at);

my $person = sends("POST $v/staff", 201, "$v/staff");
my $s = "$v/staff/{staff_id}";
$at = "$v/staff/$person->{staff_id}";
sends("POST $v/auth/session", 200, "$v/auth/session");
sends("GET $v/staff", 200, "$v/staff");
sends("GET $s", 200, $at);
my $signed = sends("GET $v/staff/sessions", 200, "$v/staff/sessions");
sends("DELETE $v/staff/sessions/{sign_in_id}", 204,
    "$v/staff/sessions/$signed->[0]{sign_in_id}");
{
    local $http = Appt::SignIn->new($clinic->gateway->url, account => 'asha',
        password => 'example of a passphrase');
    my $own = "$v/auth/session";
    sends("GET $own", 200, $own);
    sends("POST $own/email", 200, "$own/email");
    my $key = sends("POST $own/totp", 200, "$own/totp");
    is($http->post("$own/totp/confirm", { code => '12345' })->{json}{code},
        'invalid_credentials', 'the code of the example is no code of this key');
    $sent{"POST $own/totp/confirm"}++;
    $cluster->psql(q{UPDATE appt.staff SET totp_secret = totp_pending
        WHERE account = 'asha'});
    sends("POST $own/recovery-codes", 200, "$own/recovery-codes");
    sends("POST $own/password", 200, "$own/password");
    sends("DELETE $own", 204, $own);
}
sends("POST $s/reset-totp", 200, "$at/reset-totp");
sends("POST $s/password", 204, "$at/password");
sends("PATCH $s", 200, $at);
sends("GET $s/audit", 200, "$at/audit");
sends("DELETE $s", 204, $at);
sends("POST $v/boards", 201, "$v/boards");
my ($board) = @{ sends("GET $v/boards", 200, "$v/boards") };
sends("DELETE $v/boards/{board_id}", 204, "$v/boards/$board->{board_id}");
sends("GET $_", 200, $_) for grep { !m{docs|session|\{|/board(?:/events)?$} }
    map { $_->{name} =~ /^GET (\S+)/ } grep { !@{ $_->{scopes} } }
    $api->operations;

# No example of a body is left out.
my @left = grep { !$sent{$_} } map { $_->{name} } grep {
    my $body = $api->operation($_->{name})->{requestBody};
    $body && $body->{content}{'application/json'} } $api->operations;
is_deeply(\@left, [], 'every example of a body was sent');

# ---- what is made of the document -------------------------------------------

is_deeply($doc->{servers}[0]{url}, '/', 'the calls are where the document is');
my %request = map { $_ => 1 } map {
    my $body = $_->{requestBody};
    $body ? map { ($_->{schema}{'$ref'} // '') =~ m{([^/]+)$} }
        values %{ $body->{content} } : ();
} map { values %$_ } values %{ $doc->{paths} };
my (@silent, @boundless, @prefilled);
for my $name (sort keys %{ $doc->{components}{schemas} }) {
    my $property = $doc->{components}{schemas}{$name}{properties} // {};
    for my $member (sort keys %$property) {
        my $said = $property->{$member};
        next if $said->{'$ref'};
        my @type = map { ref ? @$_ : $_ } $said->{type} // ();
        push @silent, "$name.$member" unless length($said->{description} // '');
        push @boundless, "$name.$member" if $request{$name}
            && !grep({ exists $said->{$_} } qw(enum const maxLength format
                maximum maxItems properties)) && !grep { $_ eq 'boolean' } @type;
    }
}
is_deeply(\@silent, [], 'every member is described');
is_deeply(\@boundless, [], 'every member that is sent has a bound');
for my $path (sort keys %{ $doc->{paths} }) {
    for my $operation (values %{ $doc->{paths}{$path} }) {
        push @prefilled, map {"$path $_->{name}"}
            grep { exists $_->{example} && !$_->{required} }
            map { $api->resolve($_) } @{ $operation->{parameters} // [] };
    }
}
is_deeply(\@prefilled, [], 'nothing is filled in that nobody has to give');
my $events = $cluster->value('SELECT to_json(appt.webhook_event_types()
    || appt.webhook_alert_types())::text');
is_deeply([ sort keys %{ $doc->{webhooks} } ],
    [ sort 'webhook.ping', @{ JSON::PP->new->decode($events) } ],
    'every event that a webhook can be told has a form');

done_testing();
