#!/usr/bin/perl
#
# Bodies: of whoever may not make a call none is kept, a form is small, memory
# falls back after a burst, a call whose body is optional needs none; and
# answers that may be kept are known again.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Raw qw(statuses);
use Appt::Util qw(slurp wait_for);
use IO::Socket::INET;

my $clinic = Appt::Clinic->new(env => { APPT_ADDRESS_LIMIT => 0 });
my $gateway = $clinic->gateway;
my $http = $clinic->http;
my $port = $gateway->port;
my $raw  = Appt::Raw->new(port => $port);
my $auth = "Authorization: Bearer $http->{token}\r\n";
my $host = "Host: localhost\r\n";
my $json = "Content-Type: application/json\r\n";
my $form = "Content-Type: application/x-www-form-urlencoded\r\n";
my $book = "POST /api/v1/appointments HTTP/1.1\r\n$host";
my $health = "GET /healthz HTTP/1.1\r\n$host\r\n";

# What the gateway holds in memory that is its alone, in MB.
sub resident {
    return slurp('/proc/' . $gateway->pid . '/status')
        =~ /^RssAnon:\s+(\d+) kB/m ? $1 / 1024 : die 'no RssAnon';
}

# Connections on each of which the head and most of the body have come.
sub burst {
    my ($count, $head) = @_;
    my $text = "$head${json}Content-Length: 65000\r\n\r\n" . 'x' x 64_000;
    my @open = map {
        my $socket = $raw->connection;
        print {$socket} $text;
        $socket;
    } 1 .. $count;
    wait_for { $http->get('/metrics')->{body} =~ /^appt_connections (\d+)/m
        && $1 > $count } 'the connections';
    # Whatever was read of them was read before this one's answer.
    for (1 .. 20) { $http->get('/healthz') }
    return @open;
}

# ---- who may not call ---------------------------------------------------------

my $quiet = resident();
my @open = burst(500, $book);
my $more = resident() - $quiet;
cmp_ok($more, '<', 20, '500 bodies without a token are not kept')
    or diag "$more MB";
@open = burst(500, "$book${auth}");
my $kept = resident() - $quiet;
cmp_ok($kept, '>', 25, 'those with one are, while they come');
@open = ();
SKIP: {
    # It looks for leaks itself, at the end.
    skip 'AddressSanitizer keeps what was freed', 1 if $ENV{ASAN_OPTIONS};
    ok((eval { wait_for { resident() - $quiet < $kept / 2 } 'the memory', 10 }),
        'and their memory is given back when they are gone')
        or diag resident() - $quiet . " MB more than before, of $kept";
}

# The body of a refused request is read and dropped: the connection lives.
my $socket = $raw->connection;
print {$socket} $book . $json . "Content-Length: 60000\r\n\r\n" . 'x' x 60_000
    . $health;
my ($answer) = $raw->drain($socket, 2);
is_deeply([ statuses($answer) ], [ 401, 200 ],
    'after a refused body the next request is answered');

# Who waits to be told to send it is refused at once.
($answer, my $closed) = $raw->send("$book${json}Expect: 100-continue\r\n"
    . "Content-Length: 60000\r\n\r\n", 4);
is_deeply([ statuses($answer) ], [401], 'a body that is asked for first is not sent');
ok($closed, 'and the connection is closed');
$socket = $raw->connection;
print {$socket} "$book$auth${json}Expect: 100-continue\r\n"
    . "Content-Length: 2\r\n\r\n";
like(scalar $raw->drain($socket, 5), qr/^HTTP\S+ 100 /, 'that of a good request is');
print {$socket} '{}';
like(scalar $raw->drain($socket, 5), qr/^HTTP\S+ 400.*"patient_id"/s,
    'and is then read');
for my $case ([ 'no such call', 'POST /api/v1/nothing', 404 ],
    [ 'no such method', 'PUT /api/v1/appointments', 405 ]) {
    my ($name, $line, $status) = @$case;
    ($answer) = $raw->send("$line HTTP/1.1\r\n$host$auth${json}"
        . "Content-Length: 2\r\n\r\n{}$health", 2);
    is_deeply([ statuses($answer) ], [ $status, 200 ], "$name: $status, and on");
}

# ---- forms ----------------------------------------------------------------------

for my $path (qw(/api/v1/auth/token /api/v1/auth/revoke)) {
    my $head = "POST $path HTTP/1.1\r\n$host$form";
    ($answer) = $raw->send("${head}Content-Length: 8193\r\n\r\n"
        . 'x' x 8193 . $health, 2);
    is_deeply([ statuses($answer) ], [ 413, 200 ], "$path: 8 KiB are enough");
    ($answer) = $raw->send("${head}Transfer-Encoding: chunked\r\n\r\n"
        . sprintf("%x\r\n%s\r\n", 5000, 'x' x 5000) x 2 . "0\r\n\r\n$health", 2);
    is_deeply([ statuses($answer) ], [ 400, 200 ], "$path: in chunks, too");
}

# ---- a body that may be left out ------------------------------------------------

# As "curl -X POST" sends it: neither a length nor a body.
my $hook = $http->post('/api/v1/webhooks',
    { url => 'https://example.com/hook' })->{json}{webhook_id};
for my $call ("/api/v1/webhooks/$hook/rotate-secret",
    "/api/v1/webhooks/$hook/ping", "/api/v1/webhooks/$hook/enable") {
    my $r = $raw->answer("POST $call HTTP/1.1\r\n$host$auth\r\n");
    like($r->{status}, qr/^20[02]$/, "POST without a body: $call")
        or diag $r->{body};
}
is($raw->answer("PATCH /api/v1/patients/PAT-2026-00123 HTTP/1.1\r\n$host$auth\r\n")
    ->{status}, 411, 'one that is needed is missed, in a PATCH, too');

# ---- what may be kept -----------------------------------------------------------

for my $path (qw(/api/v1/openapi.json /.well-known/jwks.json /docs
    /docs/docs.js /docs/docs.css)) {
    my $r = $http->get($path);
    my $etag = $r->{headers}{etag} // '';
    like($etag, qr/^"[0-9a-f]{32}"$/, "$path: has an entity tag");
    is($r->{headers}{'cache-control'}, 'no-cache', "$path: may be kept, asking");
    for my $held ($etag, "W/$etag", "\"other\", $etag", '*') {
        my $again = $http->get($path, undef, { 'If-None-Match' => $held });
        is_deeply([ @$again{qw(status body)} ], [ 304, '' ], "$path: $held: 304");
        is($again->{headers}{etag}, $etag, "$path: with the tag");
    }
    is($http->get($path, undef, { 'If-None-Match' => '"other"' })->{body},
        $r->{body}, "$path: another tag: all of it");
}
is($http->get('/api/v1/branches')->{headers}{'cache-control'}, 'no-store',
    'a call\'s answer is kept by nobody');

done_testing();
