#!/usr/bin/perl
#
# Each refusal there is, received once: the table below against the tables of
# docs/rest.md and against the OpenAPI document. One that is missing on any of
# the three sides fails.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::SignIn;
use Appt::Http;
use Appt::OpenApi;
use Appt::Program;
use Appt::Raw;
use Appt::Util qw(root_dir slurp wait_for);
use IO::Compress::Gzip qw(gzip $GzipError);
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_REQUEST_TIMEOUT_MS => 2500 });
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $raw     = Appt::Raw->new(port => $clinic->gateway->port);
my $reader  = $clinic->http($clinic->create_client(
    scopes => ['appointments:read']));
my $one     = $clinic->create_client(name => 'One a minute');
$cluster->query('UPDATE appt.api_client SET requests_per_minute = 1
    WHERE client_id = $1', $one->{client_id});

# Another gateway, whose statements end before a wait for a lock does.
my $hasty = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_STATEMENT_TIMEOUT_MS => 1000, APPT_LOCK_TIMEOUT_MS => 5000 });
my $hasty_http = Appt::Http->new($hasty->url, %{ $clinic->client });

my $api = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $v = '/api/v1';
my $a = "$v/appointments";
my @head = ('Host: x', "Authorization: Bearer $http->{token}",
    'Content-Type: application/json');

# A booking of the day at that time, changed as given.
sub body {
    my ($at, %change) = @_;
    my %body = (patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
        branch_id => 'MUM-01', slot_start => "2026-03-15T$at:00+05:30", %change);
    delete $body{$_} for grep { !defined $body{$_} } keys %body;
    return \%body;
}

sub book { my @body = body(@_); return $http->post($a, @body) }

# A raw request's answer.
sub raw {
    my ($line, @more) = @_;
    return $raw->answer(join "\r\n", $line, @head, @more);
}

# The code with a statement of the clinic's owner before it and one after.
sub with {
    my ($make, $unmake, $code) = @_;
    $cluster->psql($make);
    my $r = $code->();
    $cluster->psql($unmake);
    return $r;
}

# The code while another session holds what the statement locks.
sub while_locked {
    my ($sql, $code) = @_;
    my $other = $cluster->connect;
    $other->begin_work;
    $other->do($sql);
    my $r = $code->();
    $other->rollback;
    return $r;
}

my $day = q{SELECT FROM appt.doctor_day JOIN appt.doctor USING (doctor_no)
    WHERE doctor_id = 'DOC-001' AND on_date = '2026-03-15'
    FOR UPDATE OF doctor_day};
my $first = book('10:00')->{json}{appointment_id};
ok($first, 'an appointment to be in the way');
my %key = ('Idempotency-Key' => 'statuses-1');

# Status, code, reason; the operation; how to come to it.
my @table = (
    [ '400 invalid_request', "POST $a", sub { book('10:15', colour => 1) } ],
    [ '400 branch_required', "POST $a",
        sub { book('10:15', branch_id => undef) } ],
    [ '400 idempotency_key_invalid', "POST $a",
        sub { $http->post($a, body('10:15'),
            { 'Idempotency-Key' => 'k' x 300 }) } ],
    [ '401 invalid_token', "GET $a",
        sub { $http->get($a, undef, { Authorization => 'Bearer x.y.z' }) } ],
    [ '403 insufficient_scope', "POST $a",
        sub { $reader->post($a, body('10:15')) } ],
    [ '403 invalid_signature', "POST $v/notifications/callbacks/{channel_id}",
        sub {
            with(q{INSERT INTO appt.notification_channel (channel_id, kind,
                settings) VALUES ('sms', 'sms', '{"url": "https://h.example/",
                "body": {}, "callback": {"signature": "token", "id": ["id"],
                "status": ["status"]}}')},
                'DELETE FROM appt.notification_channel', sub {
                    $http->post("$v/notifications/callbacks/sms", {}) }) } ],
    [ '401 invalid_session', "GET $v/auth/session",
        sub { $http->get("$v/auth/session") } ],
    [ '401 invalid_credentials', "POST $v/auth/session",
        sub { $http->post("$v/auth/session",
            { account => 'nobody', password => 'x' }) } ],
    [ '401 totp_required', "POST $v/auth/session", sub {
        my $who = Appt::SignIn::account($clinic);
        $cluster->psql('UPDATE appt.staff SET totp_secret = '
            . "substr(sha256('x'), 1, 20)");
        $http->post("$v/auth/session",
            { map { $_ => $who->{$_} } qw(account password) }) } ],
    [ '403 csrf_token_invalid', "POST $v/auth/session",
        sub { $http->post("$v/auth/session", { account => 'a', password => 'x' },
            { 'Sec-Fetch-Site' => 'cross-site' }) } ],
    [ '404 not_found', "GET $a/{appointment_id}",
        sub { $http->get("$a/APT-2026-999999") } ],
    [ '405 method_not_allowed', undef, sub { $http->request('PUT', $a) } ],
    [ '406 not_acceptable', "GET $a",
        sub { $http->get($a, undef, { Accept => 'image/png' }) } ],
    [ '408 request_timeout', "POST $a",
        sub { raw("POST $a HTTP/1.1", 'Content-Length: 9', '', '{') } ],
    [ '409 slot_unavailable taken', "POST $a",
        sub { book('10:00', patient_id => 'PAT-2026-00124') } ],
    [ '409 slot_unavailable held', "POST $a", sub {
        $http->post("$a/holds", { doctor_id => 'DOC-001',
            branch_id => 'MUM-01', slot_start => '2026-03-15T11:30:00+05:30' });
        book('11:30') } ],
    [ '409 slot_unavailable outside_hours', "POST $a", sub { book('18:00') } ],
    [ '409 slot_unavailable off_grid', "POST $a", sub { book('10:20') } ],
    [ '409 slot_unavailable on_leave', "POST $a", sub {
        with(q{INSERT INTO appt.time_off (doctor_id, starts_at, ends_at) VALUES
            ('DOC-001', '2026-03-15 11:00+05:30', '2026-03-15 11:15+05:30')},
            'DELETE FROM appt.time_off', sub { book('11:00') }) } ],
    [ '409 slot_unavailable closed', "POST $a", sub {
        with(q{INSERT INTO appt.closure (branch_id, starts_at, ends_at) VALUES
            ('MUM-01', '2026-03-15 11:00+05:30', '2026-03-15 11:15+05:30')},
            'DELETE FROM appt.closure', sub { book('11:00') }) } ],
    [ '409 slot_unavailable in_past', "POST $a",
        sub { book('x', slot_start => '2026-03-13T10:00:00+05:30') } ],
    [ '409 slot_unavailable lead_time', "POST $a", sub {
        with(q{INSERT INTO appt.setting (name, value)
            VALUES ('lead_time_min', '2880')}, 'DELETE FROM appt.setting',
            sub { book('11:00') }) } ],
    [ '409 slot_unavailable beyond_horizon', "POST $a",
        sub { book('x', slot_start => '2027-03-15T10:00:00+05:30') } ],
    [ '409 slot_unavailable daily_limit', "POST $a", sub {
        with(q{INSERT INTO appt.setting (name, doctor_id, value)
            VALUES ('doctor_daily_limit', 'DOC-001', '1')},
            'DELETE FROM appt.setting',
            sub { book('11:00', patient_id => 'PAT-2026-00124') }) } ],
    [ '409 patient_conflict', "POST $a", sub {
        $cluster->psql(q{SELECT appt.book('PAT-2026-00125', 'DOC-006',
            '2026-03-15 11:00+05:30', branch_id => 'MUM-01')});
        book('11:00', patient_id => 'PAT-2026-00125') } ],
    [ '409 invalid_transition', "POST $a/{appointment_id}/complete",
        sub { $http->post("$a/$first/complete") } ],
    [ '409 cancellation_window', "DELETE $a/{appointment_id}", sub {
        with(q{INSERT INTO appt.setting (name, value)
            VALUES ('cancellation_window_min', '2880')},
            'DELETE FROM appt.setting',
            sub { $http->delete("$a/$first", { reason => 'x' }) }) } ],
    [ '409 reschedule_window', "PATCH $a/{appointment_id}/reschedule", sub {
        with(q{INSERT INTO appt.setting (name, value)
            VALUES ('reschedule_window_min', '2880')},
            'DELETE FROM appt.setting', sub {
            $http->patch("$a/$first/reschedule",
                { new_slot_start => '2026-03-15T11:45:00+05:30' }) }) } ],
    [ '409 queue_empty', "POST $v/queue/call-next",
        sub { $http->post("$v/queue/call-next", { doctor_id => 'DOC-001' }) } ],
    [ '409 hold_expired', "POST $a",
        sub { book('10:30', hold_id => 'hold_nobody') } ],
    [ '409 request_in_progress', "POST $a", sub {
        while_locked($day, sub {
            my $body = JSON::PP->new->canonical->encode(body('11:45'));
            my $socket = $raw->connection;
            print {$socket} join "\r\n", "POST $a HTTP/1.1", @head,
                'Idempotency-Key: statuses-2',
                'Content-Length: ' . length $body, '', $body;
            wait_for { $cluster->value(q{SELECT count(*) FROM pg_locks
                WHERE NOT granted}) } 'the first request to wait';
            $http->post($a, $body, { 'Idempotency-Key' => 'statuses-2' });
        }) } ],
    [ '409 already_exists', "POST $v/branches",
        sub { $http->post("$v/branches", { branch_id => 'MUM-01', name => 'x',
            time_zone => 'Asia/Kolkata' }) } ],
    [ '409 in_use', "DELETE $v/branches/{branch_id}",
        sub { $http->delete("$v/branches/MUM-01") } ],
    [ '409 affects_appointments', "POST $v/doctors/{doctor_id}/time-off",
        sub { $http->post("$v/doctors/DOC-001/time-off",
            { date_from => '2026-03-15', date_to => '2026-03-15' }) } ],
    [ '409 affects_sessions', "PUT $v/branches/{branch_id}/operating-hours",
        sub { $http->put("$v/branches/MUM-01/operating-hours",
            { operating_hours => [ { weekday => 7, opens => '09:00',
                closes => '10:00' } ] }) } ],
    [ '409 limit_reached', "POST $v/webhooks", sub {
        with(q{INSERT INTO appt.setting (name, value)
            VALUES ('webhooks_per_client', '1')}, 'DELETE FROM appt.setting',
            sub { my $hook = { url => 'https://receiver.example/' };
                $http->post("$v/webhooks", $hook);
                $http->post("$v/webhooks", $hook) }) } ],
    [ '411 length_required', "POST $a", sub { raw("POST $a HTTP/1.1", '', '') } ],
    [ '412 version_mismatch', "PATCH $a/{appointment_id}/reschedule",
        sub { $http->patch("$a/$first/reschedule",
            { new_slot_start => '2026-03-15T11:45:00+05:30' },
            { 'If-Match' => '"7"' }) } ],
    [ '413 content_too_large', "POST $a",
        sub { book('10:15', notes => 'x' x 70_000) } ],
    [ '414 uri_too_long', "GET $a",
        sub { raw("GET $a?" . 'x' x 5000 . ' HTTP/1.1', '', '') } ],
    [ '415 unsupported_media_type', "POST $a",
        sub { $http->post($a, 'a=b', { 'Content-Type' => 'text/plain' }) } ],
    [ '422 unknown_reference', "POST $a",
        sub { book('10:15', doctor_id => 'DOC-999') } ],
    [ '422 idempotency_key_reused', "POST $a", sub {
        $http->post($a, body('11:15'), \%key);
        $http->post($a, body('11:45'), \%key) } ],
    [ '429 rate_limited', "GET $a", sub {
        my $limited = $clinic->http($one);
        my $r;
        wait_for { ($r = $limited->get($a))->{status} == 429 }
            'the limit to be known';
        $r } ],
    [ '431 headers_too_large', "GET $a", sub {
        raw("GET $a HTTP/1.1", (map {"X-$_: " . 'x' x 900} 1 .. 10), '', '') } ],
    [ '500 internal_error', "GET $a/{appointment_id}/history", sub {
        my $function = 'appt_api.appointment_history(text, text)';
        with("ALTER FUNCTION $function RENAME TO gone; "
                . 'CREATE FUNCTION appt_api.appointment_history(appointment_id '
                . 'text, client text, OUT body text) LANGUAGE plpgsql '
                . q{AS $$BEGIN RAISE 'broken' USING ERRCODE = 'XX000'; END$$; }
                . "GRANT EXECUTE ON FUNCTION $function TO appt_gateway",
            "DROP FUNCTION $function; ALTER FUNCTION appt_api.gone(text, text) "
                . 'RENAME TO appointment_history',
            sub { $http->get("$a/$first/history") }) } ],
    [ '503 unavailable', "POST $a",
        sub { while_locked($day, sub { book('11:45') }) } ],
    [ '504 timeout', "POST $a",
        sub { while_locked($day, sub { $hasty_http->post($a, body('11:45')) }) } ],
);

my %header = (401 => 'www-authenticate', 403 => 'www-authenticate',
    405 => 'allow', 429 => 'retry-after', 503 => 'retry-after',
    504 => 'retry-after');

for my $row (@table) {
    my ($what, $operation, $ask) = @$row;
    my ($status, $code, $reason) = split / /, $what;
    my $r = $ask->();
    is_deeply([ $r->{status}, $r->{json}{code}, $r->{json}{reason} ],
        [ $status, $code, $reason ], $what) or diag $r->{body};
    my @wrong = $operation ? $api->wrong($operation, $r)
        : $api->misfits({ '$ref' => '#/components/schemas/Problem' },
            $r->{json}, '$');
    ok(!@wrong, "$what: as documented") or diag join "\n", @wrong, $r->{body};
    is($r->{headers}{'content-type'}, 'application/problem+json',
        "$what: a problem");
    ok(length($r->{headers}{ $header{$status} } // ''),
        "$what: $header{$status}")
        if $header{$status} && $code ne 'invalid_signature';
}

# ---- bodies that are compressed, forms that are no forms ------------------------

sub documented {
    my ($operation, $r, $status, $what) = @_;
    is($r->{status}, $status, "$status: $what") or diag $r->{body};
    my @wrong = $api->wrong($operation, $r);
    ok(!@wrong, "$what: as documented") or diag join "\n", @wrong, $r->{body};
    return $r;
}

my $json = JSON::PP->new->canonical->encode(body('12:00'));
gzip(\$json => \my $gzipped) or die "gzip: $GzipError\n";
for my $coding (qw(gzip br deflate), 'gzip, identity') {
    my $r = documented("POST $a", $http->post($a, $gzipped,
        { 'Content-Encoding' => $coding }), 415, "a body in $coding");
    is($r->{headers}{'accept-encoding'}, 'identity', 'which is told apart');
}
is($http->post($a, 'a=b', { 'Content-Type' => 'text/plain' })
    ->{headers}{'accept-encoding'}, undef, 'not where the type is wrong');
documented("POST $a", $http->post($a, $json, { 'Content-Encoding' => 'Identity' }),
    409, 'identity is no coding, and the body is read');
documented("GET $a", $http->request('GET', $a, $gzipped,
    { 'Content-Encoding' => 'gzip' }), 400, 'a body where there is none to be');
documented("GET $a", $http->request('GET', $a, 'a=b',
    { 'Content-Type' => 'text/plain' }), 400, 'or one that is no JSON');
my $open_hours = "$v/branches/{branch_id}/operating-hours";
documented("PUT $open_hours", $http->put("$v/branches/MUM-01/operating-hours",
    $gzipped, { 'Content-Encoding' => 'gzip' }), 415, 'of a PUT, too');

my $client = $clinic->client;
my %form = (grant_type => 'client_credentials', client_id => $client->{client_id},
    client_secret => $client->{client_secret});
my $token = "$v/auth/token";
my $oauth = documented("POST $token", $http->form($token, \%form,
    { 'Content-Encoding' => 'gzip' }), 400, 'a compressed form');
is_deeply([ $oauth->{json}{error}, $oauth->{headers}{'accept-encoding'} ],
    [ 'invalid_request', 'identity' ], 'in OAuth\'s words');
for my $case ([ 'two hosts', "POST $token HTTP/1.1", 'Host: y' ],
    [ 'two codings', "POST $token HTTP/1.1", 'Content-Encoding: gzip',
        'Content-Encoding: br' ]) {
    my ($what, $line, @more) = @$case;
    my $r = $raw->answer(join "\r\n", $line, 'Host: x', @more,
        'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 0',
        '', '');
    documented("POST $token", $r, 400, $what);
    is($r->{headers}{'content-type'}, 'application/problem+json',
        "$what: a problem");
}
my $revoked = documented("POST $v/auth/revoke", $http->form("$v/auth/revoke",
    { token => 'x', client_id => $client->{client_id},
        client_secret => $client->{client_secret} }), 200, 'a revocation');
is_deeply([ $revoked->{headers}{'content-type'}, $revoked->{json} ],
    [ 'application/json', {} ], 'is answered by JSON that can be parsed');

# ---- nothing is missing -------------------------------------------------------

my %received = map { $_->[0] => 1 } @table;
my $page = slurp(root_dir() . '/docs/rest.md');
my %documented;
$documented{ join ' ', grep {length} $1, $2, $3 } = 1
    while $page =~ /^\| `\w{5}` \| (\d+) \| `(\w+)` \| (?:`(\w+)`)? *\|/mg;
while ($page =~ /^\| (\d{3}) \| ((?:`\w+`(?:, )?)+) \|/mg) {
    my ($status, $codes) = ($1, $2);
    $documented{"$status $_"} = 1 for $codes =~ /`(\w+)`/g;
}
$documented{'500 internal_error'} = 1;
is_deeply([ sort keys %received ], [ sort keys %documented ],
    'received is what docs/rest.md names, each of it');

my $problem = $api->resolve({ '$ref' => '#/components/schemas/Problem' });
for my $which (1, 2) {
    my $name = $which == 1 ? 'code' : 'reason';
    my %value = map { $_ => 1 } grep {defined} map { (split ' ')[$which] }
        keys %received;
    is_deeply([ sort keys %value ],
        [ sort @{ $problem->{properties}{$name}{enum} } ],
        "and what the document lists as a $name");
}
my %status = map { (split ' ')[0] => 1 } keys %received;
my %said = map { $_ => 1 } grep { $_ >= 400 }
    map { keys %{ $_->{responses} } } $api->operations;
delete $status{405};    # of a method that is no operation
delete $said{410};      # of a page (t/224_links.t)
is_deeply([ sort keys %status ], [ sort keys %said ],
    'and the statuses of its operations');

done_testing();
