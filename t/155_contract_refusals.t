#!/usr/bin/perl
#
# Each refusal that the contract shows as an example is provoked, over a socket,
# and says the same: its words are what a program's author reads first.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::Gateway;
use Appt::Http;
use Appt::Raw;
use Appt::SignIn;
use Appt::Util qw(wait_for);
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_REQUEST_TIMEOUT_MS => 2500 });
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $raw     = Appt::Raw->new(port => $clinic->gateway->port);
my $doc     = $http->get('/api/v1/openapi.json')->{json};
my $v       = '/api/v1';
my $a       = "$v/appointments";
my @head    = ('Host: x', "Authorization: Bearer $http->{token}",
    'Content-Type: application/json');
my (%said, $at);

# A raw request's answer.
sub raw {
    my ($line, @more) = @_;
    return $raw->answer(join "\r\n", $line, @head, @more);
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

# The answer to a request whose like is under way: kept answers cannot be read
# meanwhile, so the first waits, and the second finds its key in use.
sub meanwhile {
    my ($method, $path, $body) = @_;
    my $key = 'key-' . ++$said{keys};
    my $json = JSON::PP->new->canonical->encode($body);
    my $socket;
    my $r = while_locked('LOCK TABLE appt.idempotency', sub {
        $socket = $raw->connection;
        print {$socket} join "\r\n", "$method $path HTTP/1.1", @head,
            "Idempotency-Key: $key", 'Content-Length: ' . length $json, '', $json;
        wait_for { $cluster->value(q{SELECT count(*) FROM pg_locks
            WHERE NOT granted}) } 'the first request to wait';
        $http->request($method, $path, $json, { 'Idempotency-Key' => $key,
            'Content-Type' => 'application/json' });
    });
    $raw->drain($socket, 1);
    return $r;
}

# The example's words, and those of an answer, without what is never the same.
sub words {
    my ($problem) = @_;
    my $text = JSON::PP->new->canonical->encode(
        [ @$problem{qw(type title status detail code reason errors error
            error_description)} ]);
    $text =~ s/APT-2026-\d+/APT-…/g;
    $text =~ s/\b(wh|cl)_[\w-]{22}/$1_…/g;
    return $text;
}
sub example {
    my ($refusal, $name) = @_;
    my ($type) = grep { $_->{examples} }
        values %{ $doc->{components}{responses}{$refusal}{content} };
    return $type->{examples}{$name}{value} // die "no example $name";
}
sub says {
    my ($refusal, $name, $r) = @_;
    $said{"$refusal $name"}++;
    is(words($r->{json} // {}), words(example($refusal, $name)),
        "$refusal: $name says what it says");
}

my %who = (patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
    branch_id => 'MUM-01');
my $ten = '2026-03-15T10:00:00+05:30';
sub book { return $http->post($a, { %who, slot_start => $ten, @_ }) }

$cluster->query("INSERT INTO appt.setting (name, value) VALUES
    ('lead_time_min', '2880')");
says('BookingConflict', 'slot_unavailable_lead_time', book());
$cluster->query('DELETE FROM appt.setting');
for my $case ([ in_past => '2026-03-14T09:00:00+05:30' ],
    [ beyond_horizon => '2027-03-15T10:00:00+05:30' ],
    [ outside_hours => '2026-03-15T20:00:00+05:30' ],
    [ off_grid => '2026-03-15T10:05:00+05:30' ]) {
    says('BookingConflict', "slot_unavailable_$case->[0]",
        book(slot_start => $case->[1]));
}
for my $case ([ closed => 'branches/MUM-01/closures' ],
    [ on_leave => 'doctors/DOC-001/time-off' ]) {
    my $made = $http->post("$v/$case->[1]",
        { date_from => '2026-03-15', date_to => '2026-03-15' });
    says('BookingConflict', "slot_unavailable_$case->[0]", book());
    $http->delete($made->{headers}{location});
}
my $hold = $http->post("$a/holds", { doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => $ten })->{json};
says('BookingConflict', 'slot_unavailable_held', book());
$http->delete("$a/holds/$hold->{hold_id}");
says('BookingConflict', 'hold_expired',
    book(hold_id => 'hold_qqjkmKhDrcHJ37-iXqvAvQ'));
my $booked = book()->{json};
$at = "$a/$booked->{appointment_id}";
says('BookingConflict', 'slot_unavailable_taken',
    book(patient_id => 'PAT-2026-00124'));
says('BookingConflict', 'patient_conflict', book(doctor_id => 'DOC-006',
    slot_start => '2026-03-15T10:00:00+05:30'));
$cluster->query("INSERT INTO appt.setting (name, doctor_id, value) VALUES
    ('doctor_daily_limit', 'DOC-001', '1')");
says('BookingConflict', 'slot_unavailable_daily_limit',
    book(patient_id => 'PAT-2026-00124',
        slot_start => '2026-03-15T10:15:00+05:30'));
says('BookingConflict', 'invalid_transition', $http->post("$at/complete"));
says('TransitionConflict', 'invalid_transition', $http->post("$at/complete"));
says('NotFound', 'not_found', $http->get("$a/APT-2026-999999"));
says('BadRequest', 'invalid_request',
    book(slot_start => '2026-03-15T10:00:00'));
says('BadRequest', 'branch_required', book(branch_id => undef));
says('BadRequest', 'idempotency_key_invalid',
    $http->post($a, { %who, slot_start => $ten },
        { 'Idempotency-Key' => 'k' x 256 }));
says('VersionMismatch', 'version_mismatch', do {
    $http->patch("$at/reschedule",
        { new_slot_start => '2026-03-15T10:15:00+05:30' });
    $http->delete($at, { reason => 'x' }, { 'If-Match' => '"1"' });
});
says('Unprocessable', 'unknown_reference', book(doctor_id => 'DOC-999'));
my $key = { 'Idempotency-Key' => 'k' };
$http->post("$v/patients", { first_name => 'Asha' }, $key);
says('Unprocessable', 'idempotency_key_reused',
    $http->post("$v/patients", { first_name => 'Tara' }, $key));
says('ResourceConflict', 'already_exists',
    $http->post("$v/doctors", { doctor_id => 'DOC-001', name => 'x' }));
says('ResourceConflict', 'in_use', $http->delete("$v/doctors/DOC-001"));
$http->patch("$at/reschedule", { new_slot_start => $ten });
says('ResourceConflict', 'affects_appointments',
    $http->post("$v/branches/MUM-01/closures",
        { date_from => '2026-03-15', date_to => '2026-03-15' }));
$cluster->query(q{UPDATE appt.working_hours SET start_time = '18:00',
    end_time = '20:00' WHERE working_hours_no IN (SELECT min(working_hours_no)
    FROM appt.working_hours WHERE doctor_id = 'DOC-001' AND weekday = 2)});
$cluster->query(q{DELETE FROM appt.working_hours WHERE branch_id = 'MUM-01'
    AND (doctor_id, weekday, start_time) <> ('DOC-001', 2, '18:00')});
$cluster->query(q{UPDATE appt.working_hours SET weekday = 1
    WHERE branch_id = 'MUM-01'});
says('SessionConflict', 'affects_sessions',
    $http->put("$v/branches/MUM-01/operating-hours", { operating_hours => [
        { weekday => 1, opens => '09:00', closes => '18:00' } ] }));
my $reader = $clinic->http($clinic->create_client(
    name => 'Reader', scopes => ['appointments:read']));
says('Forbidden', 'insufficient_scope', $reader->post($a, { %who }));
says('Unauthorized', 'invalid_token',
    Appt::Http->new($clinic->gateway->url, token => 'x')->get($at));
says('NotAcceptable', 'not_acceptable',
    $http->get($at, undef, { Accept => 'text/html' }));
says('UnsupportedMediaType', 'unsupported_media_type',
    $http->post($a, '<a/>', { 'Content-Type' => 'text/xml' }));
says('TooLarge', 'content_too_large', book(notes => 'x' x 70_000));

$cluster->query("INSERT INTO appt.setting (name, value) VALUES
    ('reschedule_window_min', '120')");
$cluster->freeze_clock('2026-03-15T08:01:00+05:30');
says('TransitionConflict', 'cancellation_window',
    $http->delete($at, { reason => 'x' }));
says('BookingConflict', 'reschedule_window',
    $http->patch("$at/reschedule", { new_slot_start => '2026-03-15T11:00:00+05:30' }));


# ---- requests that are too slow, too large, or not whole ------------------------

says('RequestTimeout', 'request_timeout',
    raw("POST $a HTTP/1.1", 'Content-Length: 9', '', '{'));
says('LengthRequired', 'length_required', raw("POST $a HTTP/1.1", '', ''));
says('UriTooLong', 'uri_too_long',
    raw("GET $a?" . 'x' x 5000 . ' HTTP/1.1', '', ''));
says('HeadersTooLarge', 'headers_too_large', raw("GET $a HTTP/1.1",
    (map {"X-$_: " . 'x' x 900} 1 .. 10), '', ''));
says('UnsupportedMediaType', 'content_encoding',
    $http->post($a, '{}', { 'Content-Encoding' => 'gzip' }));

# ---- the same request, still under way -------------------------------------------

my $hook = { url => 'https://receiver.example/' };
says('BookingConflict', 'request_in_progress', meanwhile('POST', $a, { %who,
    slot_start => '2026-03-16T10:00:00+05:30' }));
says('TransitionConflict', 'request_in_progress',
    meanwhile('POST', "$at/undo-check-in", {}));
says('QueueConflict', 'request_in_progress',
    meanwhile('POST', "$v/queue/call-next", { doctor_id => 'DOC-001' }));
says('ResourceConflict', 'request_in_progress', meanwhile('POST', "$v/branches",
    { branch_id => 'NEW', name => 'New', time_zone => 'UTC' }));
says('Conflict', 'request_in_progress', meanwhile('POST', "$v/webhooks", $hook));

# ---- webhooks, clients, the queue -------------------------------------------------

says('QueueConflict', 'queue_empty',
    $http->post("$v/queue/call-next", { doctor_id => 'DOC-002' }));
my ($mine) = map { $_->{webhook_id} } @{ $http->get("$v/webhooks")->{json} };
$http->patch("$v/webhooks/$mine", { status => 'disabled' });
says('Conflict', 'invalid_transition', $http->post("$v/webhooks/$mine/ping"));
$http->post("$v/webhooks", $hook) for 2 .. 20;
says('Conflict', 'limit_reached', $http->post("$v/webhooks", $hook));
$cluster->query(q{INSERT INTO appt.notification_channel (channel_id, kind,
    settings) VALUES ('sms', 'sms', '{"url": "https://h.example/", "body": {},
    "callback": {"signature": "token", "id": ["id"], "status": ["status"]}}')});
says('InvalidSignature', 'invalid_signature',
    $http->post("$v/notifications/callbacks/sms", {}));

# ---- a visit that cannot be put right ---------------------------------------------

# A no-show of ten o'clock; then the patient has a visit elsewhere, or others
# all places.
$cluster->freeze_clock('2026-03-15T10:01:00+05:30');
sub told {
    return $cluster->value(q{SELECT appointment_id FROM appt.book($1, $2, $3,
        branch_id => 'MUM-01', override => true)}, @_);
}
my $back = { status => 'booked', reason => 'Was here',
    override => JSON::PP::true() };
$http->post("$at/no-show");
my $elsewhere = told('PAT-2026-00123', 'DOC-006', $ten);
says('TransitionConflict', 'patient_conflict', $http->post("$at/correct", $back));
$cluster->value(q{SELECT FROM appt.cancel($1, 'Asked', override => true)},
    $elsewhere);
# Over the capacity there are places for who has been told to come and for who
# did not and comes back, until these are taken, too.
my $fill = <<"SQL";
DO \$\$
DECLARE
	patient text;
BEGIN
	FOR patient IN
		SELECT p.patient_id FROM appt.patient p
		WHERE NOT EXISTS (
			SELECT FROM appt.appointment a
			WHERE a.patient_id = p.patient_id AND a.slot_start = '$ten')
		ORDER BY 1
	LOOP
		BEGIN
			PERFORM appt.book(patient, 'DOC-001', '$ten',
				branch_id => 'MUM-01', override => true);
		EXCEPTION WHEN SQLSTATE 'SB920' OR SQLSTATE 'SB901' THEN
			NULL;
		END;
	END LOOP;
END
\$\$
SQL
my $there = "FROM appt.appointment WHERE doctor_id = 'DOC-001'
    AND slot_start = '$ten' AND patient_id <> 'PAT-2026-00123'";
$cluster->psql($fill);
$cluster->psql("SELECT FROM (SELECT appt.no_show(appointment_id) $there) x");
$cluster->psql($fill);
$cluster->psql("SELECT FROM (SELECT appt.correct(appointment_id, 'booked', 'Here',
    override => true) $there AND status = 'no_show') x");
says('TransitionConflict', 'slot_unavailable_taken',
    $http->post("$at/correct", $back));

# ---- who signs in -------------------------------------------------------------------

my $session = "$v/auth/session";
my $here = $clinic->gateway->url;
my $asha = Appt::SignIn::account($clinic, account => 'asha');
my $desk = Appt::SignIn->new($here, %$asha);
my $nobody = { Cookie => 'bioecko_session=' . 'a' x 43 };
says('Unauthorized', 'invalid_session', $desk->get("$v/branches", undef, $nobody));
says('NotSignedIn', 'invalid_session', $desk->get($session, undef, $nobody));
my $out = Appt::SignIn->new($here, %$asha);
my $ended = $out->cookie;
$out->delete($session);
$out->{cookie} = $ended;
says('WrongCredentials', 'invalid_session', $out->post("$session/password",
    { old_password => $asha->{password}, new_password => 'a longer one 1234' }));
says('Forbidden', 'csrf_token_invalid',
    $desk->post($a, {}, { 'X-CSRF-Token' => undef }));
says('Forged', 'csrf_token_invalid', $desk->sign_in(%$asha,
    header => { 'Sec-Fetch-Site' => 'cross-site' }));
my $in = Appt::SignIn->new($here, %$asha);
my @tries = map { $desk->sign_in(account => 'nobody', password => 'x') } 1 .. 11;
says('WrongCredentials', 'invalid_credentials', $tries[0]);
says('TooManyAttempts', 'rate_limited', $tries[-1]);
$cluster->psql("UPDATE appt.staff SET totp_secret = substr(sha256('x'), 1, 20)");
says('NoTransition', 'invalid_transition', $in->post("$session/totp"));
says('WrongCredentials', 'totp_required', Appt::SignIn->new($here)->sign_in(%$asha));

# ---- access tokens -----------------------------------------------------------------

my $token = "$v/auth/token";
my $one = $clinic->create_client(name => 'One', scopes => ['appointments:read']);
my %secret = map { $_ => $one->{$_} } qw(client_id client_secret);
my %asks = (%secret, grant_type => 'client_credentials');
says('OAuthBadRequest', 'invalid_request', $http->form($token, \%secret));
says('OAuthBadRequest', 'unsupported_grant_type',
    $http->form($token, { %secret, grant_type => 'password' }));
says('OAuthBadRequest', 'invalid_scope',
    $http->form($token, { %asks, scope => 'staff:manage' }));
my %wrong = (%asks, client_secret => 'cs_wrong');
says('OAuthUnauthorized', 'invalid_client', $http->form($token, \%wrong));
my $r;
for (1 .. 20) {
    $r = $http->form($token, \%wrong);
    last if $r->{status} == 429;
}
says('OAuthThrottled', 'invalid_client', $r);
for (1 .. 100) {
    $r = $http->form($token, \%asks);
    last if $r->{status} == 429;
}
says('OAuthThrottled', 'temporarily_unavailable', $r);

# ---- more than there is room for, and faults ---------------------------------------

$cluster->query('UPDATE appt.api_client SET requests_per_minute = 1
    WHERE client_id = $1', $clinic->client->{client_id});
wait_for { $r = $http->get($a); $r->{status} == 429 } 'the limit to be known';
says('TooManyRequests', 'rate_limited', $r);
$cluster->query('UPDATE appt.api_client SET requests_per_minute = NULL
    WHERE client_id = $1', $clinic->client->{client_id});

# Another gateway, with one connection that writes, and less patience.
my $small = Appt::Gateway->new(cluster => $cluster, env => {
    APPT_WRITE_CONNECTIONS => 1, APPT_STATEMENT_TIMEOUT_MS => 3000,
    APPT_LOCK_TIMEOUT_MS => 5000 });
my $few = Appt::Http->new($small->url, %{ $clinic->client });
wait_for { $few->get($a)->{status} == 200 } 'the limit to be gone';
told('PAT-2026-00123', 'DOC-001', '2026-03-16T18:15:00+05:30');
my $body = { %who, slot_start => '2026-03-16T18:00:00+05:30' };
my $day = q{SELECT FROM appt.doctor_day JOIN appt.doctor USING (doctor_no)
    WHERE doctor_id = 'DOC-001' FOR UPDATE OF doctor_day};
says('Timeout', 'timeout', while_locked($day, sub { $few->post($a, $body) }));
says('Unavailable', 'unavailable', while_locked($day, sub {
    my $socket = Appt::Raw->new(port => $small->port)->connection;
    my $json = JSON::PP->new->canonical->encode($body);
    print {$socket} join "\r\n", "POST $a HTTP/1.1", @head,
        'Content-Length: ' . length $json, '', $json;
    wait_for { $cluster->value(q{SELECT count(*) FROM pg_locks
        WHERE NOT granted}) } 'the one connection to be in use';
    $few->post($a, $body);
}));

my $function = 'appt_api.appointment_history(text, text)';
$cluster->psql("ALTER FUNCTION $function RENAME TO gone;
    CREATE FUNCTION appt_api.appointment_history(appointment_id text,
        client text, OUT body text) LANGUAGE plpgsql AS
        \$\$BEGIN RAISE 'broken' USING ERRCODE = 'XX000'; END\$\$;
    GRANT EXECUTE ON FUNCTION $function TO appt_gateway");
says('InternalError', 'internal_error', $few->get("$at/history"));

# ---- nothing is missing ---------------------------------------------------------------

delete $said{keys};
my $responses = $doc->{components}{responses};
is_deeply([ sort keys %said ], [ sort map { my $refusal = $_;
    my ($type) = grep { $_->{examples} }
        values %{ $responses->{$refusal}{content} };
    map {"$refusal $_"} keys %{ $type->{examples} } } keys %$responses ],
    'each example of a refusal was provoked');

done_testing;
