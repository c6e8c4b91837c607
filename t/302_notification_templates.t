#!/usr/bin/perl
#
# Templates of messages over HTTP: made, listed, changed and deleted; each bad
# member is named; one for each event, channel and language, for two who ask at
# once too; who may what.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;
use Appt::Util qw(wait_for);
use IO::Socket::INET;
use JSON::PP ();

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $base    = '/api/v1/notification-templates';
my $one     = "$base/{notification_template_id}";
my ($true, $false) = (JSON::PP::true(), JSON::PP::false());

# asks(operation, status, path, ...): a request whose answer must have that
# status and fit the document.
sub asks {
    my ($name, $status, $path, @more) = @_;
    my ($verb) = map {lc} $name =~ /^(\w+)/;
    my $r = $http->$verb($path, @more);
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    is_deeply([ $api->wrong($name, $r) ], [], "$name: $status as documented")
        or diag $r->{body};
    return $r;
}

# refused(operation, status, code, field, path, ...): nothing has changed.
sub refused {
    my ($name, $status, $code, $field, $path, @more) = @_;
    my $before = fingerprint();
    my $problem = asks($name, $status, $path, @more)->{json};
    is($problem->{code}, $code, "$code");
    is_deeply([ map { $_->{field} } @{ $problem->{errors} // [] } ],
        [ $field // () ], 'names ' . ($field // 'no field'))
        or diag $problem->{detail};
    is(fingerprint(), $before, 'nothing has changed');
    return $problem;
}

sub fingerprint {
    return $clinic->fingerprint . $cluster->value("SELECT string_agg(t::text, "
        . "',' ORDER BY t::text) FROM appt.notification_template t");
}

# ---- the demo clinic's ------------------------------------------------------

my $r = asks("GET $base", 200, $base, { event => 'booked' });
is_deeply([ map {"$_->{channel} $_->{language}"} @{ $r->{json} } ],
    [ 'email en', 'sms en', 'sms hi' ], 'the demo clinic has some of its own');
is($r->{headers}{'x-total-count'}, 3, 'X-Total-Count');
is(scalar @{ asks("GET $base", 200, $base, { language => 'hi' })->{json} }, 1,
    'by language');
$r = asks("GET $base", 200, $base, { channel => 'email', per_page => 2 });
is_deeply([ map { $_->{event} } @{ $r->{json} } ], [ 'booked', 'cancelled' ],
    'by channel, a page');
like($r->{headers}{link}, qr/rel="next"/, 'and where the next one is');
refused("GET $base", 400, 'invalid_request', 'event', $base,
    { event => 'walked_in' });
refused("GET $base", 400, 'invalid_request', 'channel', $base,
    { channel => 'fax' });
refused("GET $base", 400, 'invalid_request', 'branch_id', $base,
    { branch_id => 'MUM-01' });

# ---- made, changed, deleted -------------------------------------------------

my %email = (event => 'booked', channel => 'email', language => 'hi',
    subject => 'आपकी अपॉइंटमेंट {{slot_date}}',
    body => "प्रिय {{patient_name}},\n\n\t{{slot_time}} {{doctor_name}}");
$r = asks("POST $base", 201, $base, \%email, { 'Idempotency-Key' => 'k-1' });
my $id = $r->{json}{notification_template_id};
is($r->{headers}{location}, "$base/$id", 'Location');
is($r->{headers}{etag}, '"1"', 'ETag');
is_deeply($r->{json}, { %email, notification_template_id => $id,
    category => 'transactional', provider_template => undef,
    provider_language => undef, variables => [], dlt_template_id => undef,
    dlt_text => undef, active => $true, warnings => [], version => 1 },
    'the whole of it');
my $again = asks("POST $base", 201, $base, \%email,
    { 'Idempotency-Key' => 'k-1' });
is($again->{body}, $r->{body}, 'the same key: the same answer');
is($again->{headers}{'idempotency-replayed'}, 'true', 'and says so');
refused("POST $base", 422, 'idempotency_key_reused', undef, $base,
    { %email, language => 'mr' }, { 'Idempotency-Key' => 'k-1' });

is_deeply(asks("GET $one", 200, "$base/$id")->{json}, $r->{json}, 'looked up');
$r = asks("PATCH $one", 200, "$base/$id", { subject => 'See you' },
    { 'If-Match' => '"1"' });
is($r->{headers}{etag}, '"2"', 'changed: another version');
is($r->{json}{body}, $email{body}, 'what was not sent stays');
refused("PATCH $one", 412, 'version_mismatch', undef, "$base/$id",
    { subject => 'Late' }, { 'If-Match' => '"1"' });
is(asks("PATCH $one", 200, "$base/$id",
    { channel => 'whatsapp', subject => undef })->{json}{subject}, undef,
    'another channel, without a subject');
ok(!asks("PATCH $one", 200, "$base/$id", { active => $false })
        ->{json}{active}, 'taken out of use');
$r = asks("GET $base", 200, $base, { active => 'false' });
is_deeply([ map { $_->{notification_template_id} } @{ $r->{json} } ], [$id],
    'and listed as such');
is(asks("PATCH $one", 200, "$base/$id", {})->{json}{version}, 4,
    'nothing sent, nothing changed');

# ---- what is refused --------------------------------------------------------

my %sms = (event => 'cancelled', channel => 'sms', language => 'ta',
    body => 'Cancelled: {{slot_date}}');
for my $bad (
    [ 'event', { event => 'booking' } ], [ 'event', { event => undef } ],
    [ 'event', { event => '' } ], [ 'event', { event => 7 } ],
    [ 'channel', { channel => 'pigeon' } ], [ 'channel', { channel => [] } ],
    [ 'language', { language => 'Tamil' } ], [ 'language', { language => '' } ],
    [ 'language', { language => 'en_IN' } ],
    [ 'subject', { subject => 'An SMS has none' } ],
    [ 'subject', { channel => 'email' } ],
    [ 'subject', { channel => 'email', subject => ' ' } ],
    [ 'subject', { channel => 'email', subject => "A\r\nBcc: b\@c.example" } ],
    [ 'subject', { channel => 'email', subject => "A\nBcc: b\@c.example" } ],
    [ 'subject', { channel => 'email', subject => 'x' x 201 } ],
    [ 'subject', { channel => 'email', subject => '{{subject}}' } ],
    [ 'body', { body => '' } ], [ 'body', { body => " \n" } ],
    [ 'body', { body => undef } ], [ 'body', { body => 'x' x 1001 } ],
    [ 'body', { body => "\x07" } ], [ 'body', { body => "a\r\nb" } ],
    [ 'body', { body => 'At {{slot_tiem}}' } ],
    [ 'body', { body => 'At {{ slot_time }}' } ],
    [ 'body', { body => 'At {{slot_time}' } ],
    [ 'body', { body => 'At {slot_time}}' } ],
    [ 'body', { channel => 'email', subject => 'S', body => 'x' x 10001 } ],
    [ 'active', { active => 'yes' } ], [ 'active', { active => undef } ],
    [ 'branch_id', { branch_id => 'MUM-01' } ],
    [ 'version', { version => 3 } ])
{
    my ($field, $change) = @$bad;
    refused("POST $base", 400, 'invalid_request', $field, $base,
        { %sms, %$change });
}
my $problem = refused("POST $base", 400, 'invalid_request', 'body', $base,
    { %sms, body => 'At {{slot_tiem}}' });
like($problem->{errors}[0]{message},
    qr/^"\{\{slot_tiem\}\}" is not a placeholder/, 'the placeholder is named');
$problem = refused("POST $base", 400, 'invalid_request', 'body', $base,
    { %sms, body => '{{' . "\x{1F600}" x 100 . '}}' });
like($problem->{errors}[0]{message},
    qr/^"\{\{\x{1F600}+" is not a placeholder; \{\{slot_date\}\} is one\.$/,
    'a long one is cut, not the sentence around it');
for my $missing (qw(event channel language body)) {
    my %body = %sms;
    delete $body{$missing};
    refused("POST $base", 400, 'invalid_request', $missing, $base, \%body);
}
refused("PATCH $one", 400, 'invalid_request', 'body', "$base/$id",
    { body => '{{token}}' });
refused("PATCH $one", 400, 'invalid_request', 'subject', "$base/$id",
    { channel => 'email' });
refused("PATCH $one", 400, 'invalid_request', 'notification_template_id',
    "$base/$id", { notification_template_id => '1' });
refused("PATCH $one", 404, 'not_found', 'notification_template_id',
    "$base/999", {});
refused("GET $one", 404, 'not_found', 'notification_template_id', "$base/x");
is(asks("POST $base", 201, $base, { %sms, body => 'க' x 1000 })->{status}, 201,
    'a text as long as can be');

# ---- what is saved, but may not be passed on --------------------------------

$r = asks("POST $base", 201, $base, { %sms, language => 'kn',
    dlt_template_id => '1107161234567890123' });
my $kannada = $r->{json}{notification_template_id};
is_deeply($r->{json}{warnings}, ['The text is not compared with the registered '
        . 'one: set dlt_text to what is registered.'], 'it is said');
is_deeply(asks("GET $one", 200, "$base/$kannada")->{json}, $r->{json},
    'whenever it is looked up');
is_deeply(asks("PATCH $one", 200, "$base/$kannada",
    { dlt_text => 'Cancelled: {#var#}' })->{json}{warnings}, [],
    'until it is put right');

# ---- one for each event, channel and language -------------------------------

$problem = refused("POST $base", 409, 'already_exists', 'language', $base,
    { %sms, language => 'ta' });
like($problem->{detail}, qr/event, channel and language/, 'and says of what');
refused("PATCH $one", 409, 'already_exists', 'channel', "$base/$id",
    { channel => 'sms' });

# A request whose answer is fetched later.
sub ask {
    my ($body) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $clinic->gateway->port, Timeout => 10) or die $!;
    my $json = JSON::PP->new->utf8->encode($body);
    print {$socket} "POST $base HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $http->{token}\r\nConnection: close\r\n"
        . "Content-Type: application/json\r\nContent-Length: "
        . length($json) . "\r\n\r\n$json";
    return $socket;
}

# Both wait for a third one that is not committed, and then for each other.
my $third = $cluster->connect;
$third->begin_work;
$third->do(q{INSERT INTO appt.notification_template
    (event, channel, language, body) VALUES ('booked', 'sms', 'mr-IN', 'x')});
my @asked = map { ask({ %sms, event => 'booked', language => $_ }) }
    qw(mr-in mr-IN);
wait_for {
    2 == $cluster->value("SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'")
} 'both to wait';
$third->rollback;
my @answer = map { local $/; readline $_ } @asked;
is_deeply([ sort map { /^HTTP\S+ (\d+)/ } @answer ], [ 201, 409 ],
    'of two at once one is made');
is(scalar(grep {/"already_exists"/} @answer), 1, 'the other exists already');
is($cluster->value(q{SELECT count(*) FROM appt.notification_template
    WHERE lower(language) = 'mr-in'}), 1, 'there is one');

# ---- deleted ----------------------------------------------------------------

refused("DELETE $one", 412, 'version_mismatch', undef, "$base/$id", {},
    { 'If-Match' => '"1"' });
asks("DELETE $one", 204, "$base/$id", {}, { 'If-Match' => '"4"' });
refused("DELETE $one", 404, 'not_found', 'notification_template_id',
    "$base/$id");
refused("GET $one", 404, 'not_found', 'notification_template_id', "$base/$id");

# ---- who may ----------------------------------------------------------------

my $any = asks("GET $base", 200, $base)->{json}[0]{notification_template_id};
my %who = (
    reader => $clinic->http($clinic->create_client(
        scopes => ['schedule:read'])),
    stranger => $clinic->http($clinic->create_client(
        scopes => ['appointments:read'])),
    limited => $clinic->http($clinic->create_client(branch_ids => ['LON-01'],
        scopes => [ 'schedule:read', 'schedule:manage' ])),
);
my %may = (reader => [ 200, 200, 403, 403, 403 ],
    stranger => [ (403) x 5 ], limited => [ 200, 200, 403, 403, 403 ]);
for my $name (sort keys %who) {
    my $before = fingerprint();
    my $who = $who{$name};
    my @r = ($who->get($base), $who->get("$base/$any"),
        $who->post($base, { %sms, language => 'te' }),
        $who->patch("$base/$any", { active => $false }),
        $who->delete("$base/$any"));
    is_deeply([ map { $_->{status} } @r ], $may{$name},
        "$name: list, get, create, change, delete");
    is(scalar(grep { $_->{json}{code} ne 'insufficient_scope' }
        grep { $_->{status} == 403 } @r), 0, "$name: for want of the scope");
    is(fingerprint(), $before, "$name: nothing has changed");
}

# ---- what was saved over HTTP is what the sender will read ------------------

my $slot = $http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-004',
    date => '2026-03-16', branch_id => 'LON-01' })->{json}[0];
my $booked = $http->post('/api/v1/appointments', {
    patient_id => 'PAT-2026-00123', doctor_id => 'DOC-004',
    branch_id => 'LON-01', slot_start => $slot->{start_time} })->{json};
asks("POST $base", 201, $base, { event => 'booked', channel => 'whatsapp',
    language => 'en', body => '{{patient_name}}|{{slot_date}}|{{slot_time}}|'
    . '{{token_number}}|{{appointment_id}}|{{reason}}' });
my $message = $cluster->row('SELECT * FROM appt.render_message($1, $2, $3)',
    'booked', 'whatsapp', $booked->{appointment_id});
my ($time) = $slot->{start_time} =~ /T(\d\d:\d\d)/;
is($message->{body}, join('|', 'Ishita Nair', '16/03/2026', $time,
    $booked->{token_number}, $booked->{appointment_id}, ''),
    'a message by it, in the time of London');

done_testing;
