#!/usr/bin/perl
#
# Who has no good token or secret stops nobody who has: unknown clients never
# reach the database, tokens and bookings wait in lines of their own, an address
# that asks too much is answered late, and idle connections make room.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Raw;
use Appt::Util qw(wait_for);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    cluster => { conf => { track_functions => 'all', max_connections => 150 } },
    env => { APPT_WRITE_CONNECTIONS => 1, APPT_STRANGER_LIMIT => 0,
        APPT_QUEUE_TIMEOUT_MS => 10_000, APPT_LOCK_TIMEOUT_MS => 60_000,
        APPT_STATEMENT_TIMEOUT_MS => 60_000 });
my $cluster = $clinic->cluster;
my $gateway = $clinic->gateway;
my $http    = $clinic->http;
my $probe   = '/api/v1/queue?doctor_id=DOC-001';

sub token {
    my ($at, $client, %header) = @_;
    return $at->form('/api/v1/auth/token',
        { grant_type => 'client_credentials', %$client }, \%header);
}

# ---- unknown clients --------------------------------------------------------------

sub judged {
    return $cluster->value(q{SELECT coalesce(sum(calls), 0)
        FROM pg_stat_user_functions WHERE funcname = 'authenticate'});
}

wait_for { judged() == 1 } 'the first token to be counted';
my $made = $clinic->create_client(name => 'Just made');
is(token($http, { client_id => "cl_nobody_$_", client_secret => 'x' })->{status},
    401, 'an unknown client') for 1 .. 5;
is(token($http, { %$made, client_secret => 'x' })->{status}, 401,
    'a wrong secret') for 1 .. 5;
is(token($http, $clinic->create_client(name => 'Now'))->{status}, 200,
    'a client made just now gets a token at once');
wait_for { judged() >= 2 } 'its token to be counted';
is(judged(), 2, 'for which alone the database was asked');
my $secret = $cluster->value('SELECT appt.rotate_client_secret($1)',
    $made->{client_id});
is(token($http, { client_id => $made->{client_id}, client_secret => $secret })
    ->{status}, 200, 'so does one with a secret made just now');

# ---- two lines --------------------------------------------------------------------

# A request whose answer is fetched later.
sub ask {
    my ($text, $host) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $gateway->port, ($host ? (LocalAddr => $host) : ()))
        or die "cannot connect: $!";
    print {$socket} $text;
    return $socket;
}

sub answer { return Appt::Raw::parse(scalar Appt::Raw->drain($_[0], 30)) }

sub post {
    my ($path, $type, $body, @header) = @_;
    return join "\r\n", "POST $path HTTP/1.1", 'Host: x', "Content-Type: $type",
        'Content-Length: ' . length $body, @header, '', $body;
}

sub booking {
    my ($minute) = @_;
    return post('/api/v1/appointments', 'application/json',
        JSON::PP->new->encode({ patient_id => "PAT-2026-001$minute",
            doctor_id => 'DOC-001', branch_id => 'MUM-01',
            slot_start => "2026-03-16T10:$minute:00+05:30" }),
        "Authorization: Bearer $http->{token}");
}

my $waiting = q{SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND usename = 'bioecko_gateway'};
my $locker = $cluster->connect;
$locker->begin_work;
$locker->do('LOCK TABLE appt.doctor_day IN ACCESS EXCLUSIVE MODE');
my @booking = map { ask(booking($_)) } 15, 30;
wait_for { $cluster->value($waiting) } 'a booking to wait';
is(token($http, $clinic->client)->{status}, 200,
    'a token while every booking waits');
$locker->rollback;
is(answer($_)->{status}, 201, 'the booking') for @booking;

my $type = 'application/x-www-form-urlencoded';
my $form = 'grant_type=client_credentials&client_id=%s&client_secret=%s';
$locker->begin_work;
$locker->do('LOCK TABLE appt.client_audit IN ACCESS EXCLUSIVE MODE');
my @token = map { ask(post('/api/v1/auth/token', $type, sprintf $form,
    @{ $clinic->client }{qw(client_id client_secret)})) } 1 .. 3;
wait_for { $cluster->value($waiting) } 'a token to wait';
is(answer(ask(booking('45')))->{status}, 201,
    'a booking while every token waits');
$locker->rollback;
is(answer($_)->{status}, 200, 'the token') for @token;

# ---- how many tokens ----------------------------------------------------------------

my $few = Appt::Gateway->new(cluster => $cluster, env => { APPT_TOKEN_LIMIT => 5 });
my $there = Appt::Http->new($few->url);
my $greedy = $clinic->create_client(name => 'Greedy');
my @got = map { token($there, $greedy) } 1 .. 8;
is_deeply([ map { $_->{status} } @got[0 .. 4] ], [ (200) x 5 ], 'a client\'s tokens');
is($got[-1]{status}, 429, 'are limited');
is($got[-1]{json}{error}, 'temporarily_unavailable', 'which is said');
cmp_ok($got[-1]{headers}{'retry-after'}, '>', 0, 'with Retry-After');
is($there->form('/api/v1/auth/revoke', { %$greedy,
    token => $got[0]{json}{access_token} })->{status}, 200,
    'it can revoke one all the same');
is(token($there, $clinic->client)->{status}, 200,
    'another client has its own');
my $issued = $cluster->value(q{SELECT count(*) FROM appt.client_audit
    WHERE client_id = $1 AND action = 'token_issued'}, $greedy->{client_id});
is($issued, scalar(grep { $_->{status} == 200 } @got),
    'refused ones leave no trace');

# ---- the budget of an address -------------------------------------------------------

my $strict = Appt::Gateway->new(cluster => $cluster, env => {
    APPT_STRANGER_LIMIT => 1, APPT_TRUSTED_PROXIES => '127.0.0.1' });
$there = Appt::Http->new($strict->url);
my %from = ('X-Forwarded-For' => '192.0.2.1');
my $r;
wait_for { ($r = $there->get($probe, undef, \%from))->{status} == 429 }
    'the budget to be spent';
is($r->{json}{code}, 'rate_limited', 'an address asks too much without a token');
cmp_ok($r->{headers}{'retry-after'}, '>', 0, 'which it is told with Retry-After');
is($there->get('/nothing', undef, \%from)->{status}, 429, 'so it is of no call');
is($there->get('/.well-known/jwks.json', undef, \%from)->{status}, 429,
    'and of what is open');
is(token($there, { client_id => 'x', client_secret => 'x' }, %from)
    ->{json}{error}, 'temporarily_unavailable', 'and with a wrong secret');
is($there->get($_, undef, \%from)->{status}, 200, "$_ is answered")
    for '/healthz', '/readyz';
is($there->get($probe, undef, { %from,
    Authorization => "Bearer $http->{token}" })->{status}, 200,
    'a good token counts from there, too');
is(token($there, $clinic->client, %from)->{status}, 200, 'so does a good secret');
is($there->get($probe, undef, { 'X-Forwarded-For' => '192.0.2.2' })->{status}, 401,
    'another address has its own budget');

# Late: on another connection a call that came after it is answered before.
$gateway = $strict;
{
    my @late = map { ask("GET $probe HTTP/1.1\r\nHost: x\r\n"
        . "X-Forwarded-For: 192.0.2.1\r\n\r\n") } 1 .. 20;
    wait_for { $there->get($probe, undef, { %from,
        Authorization => "Bearer $http->{token}" })->{status} == 200 } 'it';
    my @told = IO::Select->new(@late)->can_read(0);
    is(scalar @told, 0, 'refusals come after the answers to others');
    is(answer($_)->{status}, 429, 'but they come') for @late;
    my $held = ask("GET $probe HTTP/1.1\r\nHost: x\r\n"
        . "X-Forwarded-For: 192.0.2.1\r\n\r\n");
    $there->get('/healthz');
    $strict->stop;
    like(scalar Appt::Raw->drain($held, 5), qr{\AHTTP/1\.1 429 },
        'also when the gateway stops meanwhile');
}

# ---- idle connections -----------------------------------------------------------------

$gateway = Appt::Gateway->new(cluster => $cluster, env => {
    APPT_CONNECTION_LIMIT => 100, APPT_ADDRESS_LIMIT => 45,
    APPT_REQUEST_TIMEOUT_MS => 300_000, APPT_IDLE_TIMEOUT_MS => 300_000 });
my $get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
my $first = ask($get, '127.0.0.9');
is(answer($first)->{status}, 200, 'somebody is there');
my @idle;
for my $host (2 .. 6) {
    push @idle, map { ask($_ % 2 ? '' : "GET /heal", "127.0.0.$host") } 1 .. 60;
}
my $last = ask($get, '127.0.0.8');
is(answer($last)->{status}, 200,
    'idle connections of five addresses shut nobody out');
print {$first} $get;
is(answer($first)->{status}, 200, 'and none who has but one is put out');

done_testing();
