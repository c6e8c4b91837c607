#!/usr/bin/perl
#
# Slowness: a request that does not come whole in time is answered 408 and the
# connection is closed; one that idles between requests is closed without a
# word.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;
use Appt::Raw qw(statuses);
use Appt::Util qw(patience wait_for);
use IO::Select;
use Time::HiRes qw(sleep time);

my $request_s = 1.5;
my $idle_s    = 2.5;
my $clinic = Appt::Clinic->new(
    env => { APPT_REQUEST_TIMEOUT_MS => 1000 * $request_s,
        APPT_IDLE_TIMEOUT_MS => 1000 * $idle_s });
my $http = $clinic->http;
my $raw  = Appt::Raw->new(port => $clinic->gateway->port);
my $api  = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $host = "Host: localhost\r\n";
my $post = "POST /api/v1/appointments HTTP/1.1\r\n$host"
    . "Authorization: Bearer $http->{token}\r\n"
    . "Content-Type: application/json\r\n";

# Passes if what came is a 408, as documented, and the end of the connection.
sub is_late {
    my ($name, $began, $answer, $closed, $operation) = @_;
    my $took = time - $began;
    is_deeply([ statuses($answer) ], [408], "$name: 408 and nothing else")
        or diag $answer;
    ok($closed, "$name: closed");
    cmp_ok($took, '>=', $request_s - 0.1, "$name: not before its time");
    cmp_ok($took, '<', $request_s + patience(3), "$name: nor long after");
    my $r = Appt::Raw::parse($answer);
    is($r->{json}{code}, 'request_timeout', "$name: says so");
    is($r->{headers}{connection}, 'close', "$name: Connection: close");
    is($r->{headers}{'content-length'}, length $r->{body}, "$name: whole");
    my @wrong = $api->wrong($operation, $r);
    ok(!@wrong, "$name: as documented") or diag join "\n", @wrong;
    return $r;
}

sub drips {
    my ($name, $text, $operation) = @_;
    my $socket = $raw->connection;
    return is_late($name, time,
        $raw->drip($socket, $text, 0.1, $request_s + 5), $operation);
}

my $a = 'POST /api/v1/appointments';
drips('a request line that drips in', 'GET /healthz?' . 'x' x 200, $a);
drips('headers that drip in', "GET /healthz HTTP/1.1\r\n$host" . 'X' x 200, $a);
{
    my $socket = $raw->connection;
    print {$socket} "${post}X-Request-Id: slow-1\r\n"
        . "Content-Length: 1000\r\n\r\n";
    my $r = is_late('a body that drips in', time,
        $raw->drip($socket, '{"patient_id":"' . 'x' x 200, 0.1, 6), $a);
    is($r->{headers}{'x-request-id'}, 'slow-1', 'under the request\'s own name');
    is($r->{json}{instance}, 'urn:bioecko:request:slow-1', 'twice');
    ok((wait_for { grep { ($_->{id} // '') eq 'slow-1' && $_->{status} == 408 }
            $clinic->gateway->log_lines } 'its log line'), 'the log has it');
    like($http->get('/metrics')->{body},
        qr/^appt_requests_total\{[^}]*status="408"\} [1-9]/m, 'it is counted');
}
{
    my $socket = $raw->connection;
    print {$socket} "${post}Transfer-Encoding: chunked\r\n\r\n5\r\n{";
    is_late('a chunk that does not end', time, $raw->drain($socket, 6), $a);
}
{
    my $socket = $raw->connection;
    print {$socket} "${post}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    my $began = time;
    my ($answer, $closed) = $raw->drain($socket, 6);
    ok($answer =~ s{\AHTTP/1\.1 100 Continue\r\n\r\n}{}, 'go on, it is told');
    is_late('a body that never comes', $began, $answer, $closed, $a);
}

# ---- between requests nothing is said ---------------------------------------

{
    my $began = time;
    my ($answer, $closed) = $raw->drain($raw->connection, 6);
    ok($closed && $answer eq '', 'a connection that says nothing is closed');
    cmp_ok(time - $began, '<', $request_s + patience(3), 'in time');
}

# A connection on which one request has been answered.
sub used {
    my $socket = $raw->connection;
    print {$socket} "GET /healthz HTTP/1.1\r\n$host\r\n";
    my $answer = $raw->drain($socket, 5);
    is_deeply([ statuses($answer) ], [200], 'a request is answered');
    return $socket;
}

{
    my ($socket, $began) = (used(), time);
    my ($answer, $closed) = $raw->drain($socket, $idle_s + 4);
    ok($closed && $answer eq '', 'a connection that idles is closed')
        or diag $answer;
    cmp_ok(time - $began, '>', $idle_s - 0.5, 'not before its time');
}
{
    my $socket = used();
    sleep 0.3;
    print {$socket} 'GET /hea';
    my ($answer, $closed) = $raw->drain($socket, $idle_s + 4);
    is_deeply([ statuses($answer) ], [408],
        'a second request of which half the line came') or diag $answer;
    ok($closed, 'is the last');
}
{
    my $socket = used();
    print {$socket} "GET /healthz HTTP/1.1\r\n";
    my ($answer, $closed) = $raw->drain($socket, $request_s + 4);
    is_deeply([ statuses($answer) ], [408], 'a second one without its headers');
    ok($closed, 'is the last');
}

# ---- an answer that is not fetched is not followed by another ----------------

{
    my $socket = $raw->connection;
    $socket->blocking(0);
    my $ask = "GET /api/v1/openapi.json HTTP/1.1\r\n$host\r\n" x 100;
    syswrite $socket, $ask;
    my $lines = sub {
        $http->get('/metrics')->{body} =~ /^appt_connections (\d+)/m ? $1 : -1
    };
    wait_for { $lines->() == 1 } 'the connection to be given up';
    $socket->blocking(1);
    my ($answer) = $raw->drain($socket, 5);
    ok(!(grep { $_ == 408 } statuses($answer)), 'no 408 in an answer\'s midst');
}
is($http->get('/healthz')->{status}, 200, 'and the gateway is alive');

done_testing();
