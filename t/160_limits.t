#!/usr/bin/perl
#
# Limits and what the operator sees: requests a minute, connections of an
# address, CORS, metrics, and a log that tells no secrets.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Util qw(run_command wait_for);
use IO::Select;
use IO::Socket::INET;

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_RATE_LIMIT => 600, APPT_ADDRESS_LIMIT => 20,
        APPT_CORS_ORIGINS => 'https://desk.example, https://two.example',
        APPT_LOOPS => 2 });
my $cluster = $clinic->cluster;
my $gateway = $clinic->gateway;
my $http    = $clinic->http;
my $probe   = '/api/v1/queue?doctor_id=DOC-001';

# ---- requests a minute ------------------------------------------------------

my $slow = $clinic->create_client(name => 'Slow');
$cluster->query('UPDATE appt.api_client SET requests_per_minute = 6
    WHERE client_id = $1', $slow->{client_id});
my $limited = $clinic->http($slow);
my $first;
wait_for { ($first = $limited->get($probe))->{headers}{'ratelimit-limit'} == 6 }
    'its limit to be known';
is($first->{status}, 200, 'a client below its limit');
my @more = map { $limited->get($probe) } 1 .. 8;
my ($refused) = grep { $_->{status} == 429 } @more;
ok($refused, 'is refused above it');
is($refused->{json}{code}, 'rate_limited', 'with a problem');
cmp_ok($refused->{headers}{'retry-after'}, '>', 0, 'and Retry-After');
cmp_ok($refused->{headers}{'retry-after'}, '<=', 11, 'that is not longer than due');
is($refused->{headers}{'ratelimit-remaining'}, 0, 'RateLimit-Remaining');
is($http->get($probe)->{status}, 200, 'other clients go on');
is($http->get($probe)->{headers}{'ratelimit-limit'}, 600, 'under their limit');

# What is used up comes back by and by.
my $steady = $clinic->create_client(name => 'Steady');
$cluster->query('UPDATE appt.api_client SET requests_per_minute = 60
    WHERE client_id = $1', $steady->{client_id});
$limited = $clinic->http($steady);
wait_for { $limited->get($probe)->{headers}{'ratelimit-limit'} == 60 }
    'its limit to be known';
wait_for { $limited->get($probe)->{status} == 429 } 'it to be used up';
ok((eval { wait_for { $limited->get($probe)->{status} == 200 } 'another', 10 }),
    'a second later there is another');

# ---- connections of an address ----------------------------------------------

my (@open, $refusals);
for (1 .. 60) {
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $gateway->port) or next;
    push @open, $socket;
}
wait_for {
    $refusals = grep {
        IO::Select->new($_)->can_read(0) && !sysread $_, my $byte, 1
    } @open;
} 'connections to be closed';
cmp_ok($refusals, '>=', 1, 'one address does not get all connections');
@open = ();
wait_for { $http->get('/healthz')->{status} == 200 } 'room again';

# ---- CORS -------------------------------------------------------------------

my $r = $http->get($probe, undef, { Origin => 'https://two.example' });
is($r->{headers}{'access-control-allow-origin'}, 'https://two.example',
    'a listed origin may read');
like($r->{headers}{'access-control-expose-headers'}, qr/ETag/, 'headers too');
is($r->{headers}{vary}, 'Origin', 'which a cache must know');
$r = $http->get($probe, undef, { Origin => 'https://evil.example' });
is($r->{headers}{'access-control-allow-origin'}, undef, 'another may not');
$r = $http->request('OPTIONS', '/api/v1/appointments', undef,
    { Origin => 'https://desk.example',
        'Access-Control-Request-Method' => 'POST', Authorization => undef });
is($r->{status}, 204, 'a preflight needs no token');
like($r->{headers}{'access-control-allow-methods'}, qr/POST/, 'and says what may');
my %may = map { lc, 1 }
    split /, */, $r->{headers}{'access-control-allow-headers'};
ok($may{$_}, "a page may send $_") for qw(authorization content-type if-match
    if-none-match idempotency-key x-request-id traceparent tracestate baggage
    sentry-trace b3 x-requested-with);

# ---- metrics ----------------------------------------------------------------

$r = $http->get('/metrics');
like($r->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'Prometheus');
like($r->{body}, qr/^appt_requests_total\{method="GET",route="\/api\/v1\/queue",status="200"\} [1-9]/m,
    'requests by route and status');
like($r->{body}, qr/^appt_requests_total\{.*status="429"\} [1-9]/m, 'refusals');
like($r->{body}, qr/^appt_request_duration_seconds_bucket\{le="\+Inf"\} [1-9]/m,
    'a histogram of latency');
like($r->{body}, qr/^appt_database_connections [1-9]/m, 'the pool');
my %type;
for (split /\n/, $r->{body}) {
    ok(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^}]*\})? [0-9.e+-]+)$/, 'well formed')
        or diag $_ if !/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^}]*\})? [0-9.e+-]+)$/;
}

# ---- the log ----------------------------------------------------------------

$http->post('/api/v1/appointments', { patient_id => 'PAT-2026-00123',
    doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => '2026-03-16T10:00:00+05:30', notes => 'SECRETNOTE' },
    { 'X-Request-Id' => 'my-own-id', 'Idempotency-Key' => 'SECRETKEY' });
$http->get('/api/v1/patients', { search => 'SECRETNAME' });
$http->get('/api/v1/SECRETPATH');
$http->delete('/api/v1/appointments/APT-2026-000001', { reason => 'SECRETREASON' });
$gateway->wait_log(qr/my-own-id/);
my ($line) = grep { ($_->{id} // '') eq 'my-own-id' } $gateway->log_lines;
is_deeply([ @$line{qw(event method route client)} ],
    [ 'request', 'POST', '/api/v1/appointments', $clinic->client->{client_id} ],
    'a request is one JSON line');
ok($line->{status} && defined $line->{us}, 'with status and time');
unlike($gateway->log_text, qr/SECRET|Bearer|eyJ/,
    'no note, no key, no query value, no path that is none, no token');

# Two loops write what they gathered: no line is lost, doubled or torn.
my @busy = map {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->port)
        or die "could not connect: $!\n";
} 1 .. 10;
for my $c (0 .. $#busy) {
    print { $busy[$c] } map {
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: busy-$c-$_\r\n\r\n"
    } 1 .. 100;
}
my %seen;
wait_for {
    %seen = ();
    $seen{ $_->{id} }++ for grep { ($_->{id} // '') =~ /^busy-/ } $gateway->log_lines;
    keys %seen == 1000;
} sub { keys(%seen) . ' of 1000 lines in the log' };
is((grep { $_ != 1 } values %seen), 0, 'a line for each of a thousand requests');
ok(!(grep { exists $_->{text} } $gateway->log_lines), 'every line is JSON');

# libpq would quote the password of the first, all of the second.
for my $name (qw(APPT_DSN APPT_READ_DSN)) {
    for my $dsn ('postgresql://u:se%cret@db/appt', 'postgresql://u:se%cret@[db') {
        my ($code, $out, $err) = run_command(['env', "$name=$dsn",
            'APPT_LISTEN=127.0.0.1:0', 'timeout', '5', Appt::Gateway->binary]);
        is($code, 2, "a $name that libpq cannot read ends it");
        like($err, qr/^$name: /, 'with its name');
        unlike($err, qr/se%cret/, 'and nothing of what is in it');
    }
}

done_testing();
