#!/usr/bin/perl
#
# HTTP as nobody should speak it, byte by byte on a socket: smuggling, paths
# that try to be clever, and the statuses of the protocol.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Raw qw(statuses);
use Appt::Util qw(wait_for);
use IO::Select;
use Time::HiRes qw(time);

my $clinic = Appt::Clinic->new;
my $http  = $clinic->http;
my $port  = $clinic->gateway->port;
my $token = $http->{token};
my $auth  = "Authorization: Bearer $token\r\n";
my $host  = "Host: localhost\r\n";
my $json  = "Content-Type: application/json\r\n";

my $raw   = Appt::Raw->new(port => $port);

sub send_raw { return $raw->send(@_) }

# ---- smuggling: refused, and the connection is closed ------------------------

# libmicrohttpd 1.0.10 looks at codings before it asks the gateway, and says 501
# with a line of HTML, as RFC 9112 has it; all others leave it to the gateway.
my %also = map { $_ => 501 } 'an unknown Transfer-Encoding',
    'chunked that is not last';

my $second = "GET /healthz HTTP/1.1\r\n$host\r\n";
for my $bad (
    [ 'Content-Length twice', "Content-Length: 2\r\nContent-Length: 40\r\n" ],
    [ 'Content-Length twice, the same',
        "Content-Length: 2\r\nContent-Length: 2\r\n" ],
    [ 'Content-Length and Transfer-Encoding',
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" ],
    [ 'an unknown Transfer-Encoding', "Transfer-Encoding: zip\r\n" ],
    [ 'chunked that is not last', "Transfer-Encoding: chunked, gzip\r\n" ],
    [ 'Transfer-Encoding twice',
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" ],
    [ 'Host twice', "Host: other\r\nContent-Length: 2\r\n" ],
    [ 'Authorization twice', "Authorization: Bearer x\r\nContent-Length: 2\r\n" ],
    [ 'Idempotency-Key twice',
        "Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 2\r\n" ],
    [ 'a blank before the colon', "Content-Length : 2\r\n" ]) {
    my ($name, $headers) = @$bad;
    my ($answer, $closed) = send_raw(
        "POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json$headers\r\n"
            . "{}$second", 4);
    my @status = statuses($answer);
    ok(@status && @status == (grep { $_ == 400 } @status)
            || $also{$name} && "@status" eq $also{$name},
        "$name: 400 and nothing else")
        or diag $answer;
    ok($closed, "$name: closed");
}

# Two lengths, each by itself right: whichever is believed, what follows is either
# the body's rest or another request, and nobody may be of two minds about that.
# libmicrohttpd 0.9.75 takes them and the gateway refuses; 1.0 does it itself.
for my $swallowed (0, length $second) {
    my $empty = "0\r\n\r\n";
    my $length = 'Content-Length: ' . (length($empty) + $swallowed) . "\r\n";
    my $chunked = "Transfer-Encoding: chunked\r\n";
    for my $headers ("$length$chunked", "$chunked$length") {
        my ($answer, $closed) = send_raw(
            "POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json$headers\r\n"
                . "$empty$second", 4);
        my $name = ($swallowed ? 'a length' : 'the same length') . ' beside chunks'
            . ($headers =~ /^T/ ? ', behind' : '');
        is_deeply([ statuses($answer) ], [400], "$name: 400 and nothing else");
        like($answer, qr/must not be there together|both Transfer-Encoding and/,
            "$name: and says why");
        ok($closed, "$name: closed");
    }
}

# ---- what is malformed below HTTP ---------------------------------------------
#
# What libmicrohttpd cannot read it refuses before the gateway is asked, and
# from 1.0 on it reads strictly: the status is right, nothing else is answered
# on the connection, which is closed, but the body need not be problem+json.
# (Where a header's value is bad 0.9.75 sends its head twice.)  docs/rest.md
# lists these cases.

my $get   = "GET /healthz HTTP/1.1\r\n$host";
my $chunk_head = "POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json"
    . "Transfer-Encoding: chunked\r\n\r\n";
my $post  = "POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json";
for my $case (
    [ 'a request line without a version', 400, "GET /healthz\r\n$host\r\n" ],
    [ 'a version that is none', 400, "GET /healthz HTTX/1.1\r\n$host\r\n" ],
    [ 'HTTP/2 without asking', 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" ],
    [ 'HTTP/0.9', 505, "GET /healthz HTTP/0.9\r\n\r\n" ],
    [ 'a word for a request', undef, "HELLO\r\n$host\r\n" ],
    [ 'no Host', 400, "GET /healthz HTTP/1.1\r\n\r\n" ],
    [ 'a blank in the target', 400, "GET /healthz?a b HTTP/1.1\r\n$host\r\n" ],
    [ 'a control character in the target', 400,
        "GET /healthz?a\x01 HTTP/1.1\r\n$host\r\n" ],
    [ 'a header without a colon', 400, "${get}Nonsense\r\n\r\n" ],
    [ 'a length that is no number', 400, "${post}Content-Length: 2x\r\n\r\n{}" ],
    [ 'a negative length', 400, "${post}Content-Length: -2\r\n\r\n{}" ],
    [ 'an empty length', 400, "${post}Content-Length:\r\n\r\n{}" ],
    [ 'a length of 21 digits', 413,
        "${post}Content-Length: 1" . '0' x 20 . "\r\n\r\n" ],
    [ 'a chunk\'s size that is none', 400, "${chunk_head}xyz\r\n{}\r\n0\r\n\r\n" ],
    [ 'a chunk that is longer than it says', 400,
        "${chunk_head}2\r\n{}}\r\n0\r\n\r\n" ],
    [ 'a chunk\'s size of 17 digits', 413, "${chunk_head}1" . '0' x 16 . "\r\n{}" ],
    [ 'a trailer without a colon', 400,
        "${chunk_head}2\r\n{}\r\n0\r\nNonsense\r\n\r\n" ],
    [ 'a target of 40 KiB', 414, 'GET /' . 'x' x 40_960 ],
    [ 'headers of 40 KiB', 431, "${get}X: " . 'x' x 40_960 ],
    [ 'a thousand headers', 431, $get . "X: 1\r\n" x 1000 . "\r\n" ]) {
    my ($name, $status, $text) = @$case;
    my ($answer, $closed) = send_raw($text . $second, 4);
    my %status = map { $_ => 1 } statuses($answer);
    # As above: 1.0.10 calls a length that no number holds malformed.
    $status = 400 if $name eq 'a length of 21 digits' && "@{[keys %status]}" eq 400;
    is_deeply([ keys %status ], [ $status // () ],
        "$name: " . ($status // 'no answer') . ' and nothing else')
        or diag $answer;
    ok($closed, "$name: closed");
}
{
    my $lines = sub { scalar grep { ($_->{event} // '') eq 'request'
        && $_->{route} eq '' && $_->{status} == 400 && length $_->{id} }
        $clinic->gateway->log_lines };
    my $before = $lines->();
    send_raw("${post}Content-Length: 2x\r\n\r\n", 4);
    ok((wait_for { $lines->() > $before } 'its log line'),
        'such a refusal has its line in the log');
}

# No control byte is part of a header: what reads it next may take it for its end.
for my $byte (qw(01 0b 1b 7f)) {
    my ($answer, $closed) = send_raw("${get}X-Own: a" . chr(hex $byte)
        . "b\r\n\r\n$second", 4);
    is_deeply([ statuses($answer) ], [400], "\\x$byte in a header: 400 and nothing else");
    ok($closed, "\\x$byte in a header: closed");
}

# Cookies are none of our business, however they are written.
for my $cookie ('a=b;c=d', 's={"a":1}; t=2', 'a=b; ; c', '=', 'a="b c"') {
    like(scalar send_raw("${get}Cookie: $cookie\r\n\r\n"), qr/^HTTP\S+ 200/,
        "Cookie: $cookie");
}

like(scalar send_raw("${get}Cookie: " . 'a=b;' x 1000 . "\r\n\r\n"),
    qr/^HTTP\S+ (?:200|431)/, 'but 0.9.75 has no room for a thousand of them');

# What libmicrohttpd would drop without a word has one.
for my $case ([ 'forty parameters', 40 ], [ 'a thousand parameters', 1000 ]) {
    my ($name, $count) = @$case;
    my ($answer, $closed) = send_raw("GET /healthz?" . 'a&' x $count
        . " HTTP/1.1\r\n$host\r\n$second", 4);
    is_deeply([ statuses($answer) ], [400], "$name: 400 and nothing else")
        or diag $answer;
    like($answer, qr/problem\+json.*"invalid_request"[^{}]*\}\z/s,
        "$name: as a problem, whole");
    ok($closed, "$name: closed");
}
like(scalar send_raw("GET /healthz HTTP/1.0\r\n\r\n"), qr/^HTTP\S+ 200/,
    'HTTP/1.0 needs no Host');

# ---- paths ------------------------------------------------------------------

for my $path ('/api/v1/appointments/APT%00x', '/api/v1/appointments/a%2Fb',
    '/api/v1/appointments/a%5cb', '/api/v1/appointments/..',
    '/api/v1/appointments/%2e%2e', '/api/v1/./appointments',
    '/api/v1//appointments', '/api/v1/appointments/%zz',
    '/api/v1/appointments/%4', '/api/v1/appointments/%ff',
    '/api/v1/appointments/a%0ab') {
    my $answer = send_raw("GET $path HTTP/1.1\r\n$host$auth\r\n");
    is((statuses($answer))[0], 400, "400: $path") or diag $answer;
}
for my $target (qw(elsewhere/ e/ elsewhere *)) {
    my $answer = send_raw("GET $target HTTP/1.1\r\n$host$auth\r\n");
    is((statuses($answer))[0], 400, "a target that is no path: $target");
    unlike($answer, qr/^Location:/mi, 'and leads nowhere');
}
like(scalar send_raw("GET http://localhost/healthz HTTP/1.1\r\n$host\r\n"),
    qr/^HTTP\S+ 200/, 'an absolute target is served (RFC 9112, 3.2.2)');
for my $path ('/', '/api/v1', '/api/v2/appointments', '/api/v1/appointments/a/b/c',
    '/a/b/c/d/e/f/g/h/i/j/k/l/m') {
    is($http->get($path)->{status}, 404, "404: $path");
}
is($http->get('/api/v1/queue?doctor_id=DOC-001&date=%zz')->{json}{code},
    'invalid_request', 'a broken escape in the query');
is($http->get('/api/v1/queue?doctor_id=DOC-001&doctor_id=DOC-002')
    ->{json}{errors}[0]{field}, 'doctor_id', 'a parameter twice is named');

# ---- methods, types, sizes --------------------------------------------------

my $r = $http->request('PUT', '/api/v1/appointments', '{}',
    { 'Content-Type' => 'application/json' });
is_deeply([ @$r{'status'}, $r->{json}{code} ], [ 405, 'method_not_allowed' ],
    '405 for a method that the path does not have');
is($r->{headers}{allow}, 'GET, HEAD, POST, OPTIONS', 'Allow lists the methods');
is($http->get('/api/v1/appointments/walk-in')->{headers}{allow},
    'POST, OPTIONS', 'a fixed path is no appointment id');
$r = $http->request('OPTIONS', '/api/v1/appointments');
is($r->{status}, 204, 'OPTIONS is answered');
$r = $http->request('HEAD', '/api/v1/queue?doctor_id=DOC-001');
is_deeply([ $r->{status}, $r->{body} ], [ 200, '' ], 'HEAD is GET without body');

for my $case ([ 'text/html', 406 ], [ 'application/jsonp, text/*', 406 ],
    [ '*/*', 200 ], [ 'application/*', 200 ], [ 'text/html, */*;q=0.1', 200 ],
    [ 'text/html;x="a", APPLICATION/JSON', 200 ], [ '', 200 ], [ ' , ', 200 ],
    [ "text/html\r\nAccept: application/json", 200 ],
    [ "application/json\r\nAccept: text/html", 200 ],
    [ "text/html\r\nAccept: text/plain", 406 ]) {
    my ($accept, $status) = @$case;
    my $answer = send_raw("GET /api/v1/queue?doctor_id=DOC-001 HTTP/1.1\r\n"
        . "$host${auth}Accept: $accept\r\n\r\n");
    is((statuses($answer))[0], $status, "$status: Accept " . $accept =~ s/\r\n/, /r);
}

like(scalar send_raw("POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json\r\n"),
    qr/^HTTP\S+ 411.*"length_required"/s, '411 without a length');
like(scalar send_raw("POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json"
    . "Content-Length: 65537\r\n\r\n"), qr/^HTTP\S+ 413.*"content_too_large"/s,
    '413 before the body is sent');
my $chunk = sprintf "%x\r\n%s\r\n", 60_000, 'x' x 60_000;
like(scalar send_raw("POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json"
    . "Transfer-Encoding: chunked\r\n\r\n$chunk${chunk}0\r\n\r\n"),
    qr/^HTTP\S+ 413.*"content_too_large"/s, '413 in chunks');
like(scalar send_raw("POST /api/v1/appointments HTTP/1.1\r\n$host$auth$json"
    . "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    qr/^HTTP\S+ 400.*"patient_id"/s, 'a body in chunks is read');
like(scalar send_raw("GET /healthz HTTP/1.1\r\n$host"
    . join('', map { "X-$_: " . 'x' x 900 . "\r\n" } 1 .. 10) . "\r\n"),
    qr/^HTTP\S+ 431.*"headers_too_large"/s, '431 for 8 KiB of headers');
like(scalar send_raw("GET /healthz HTTP/1.1\r\n$host" . "X: 1\r\n" x 64
    . "\r\n"), qr/^HTTP\S+ 431.*"headers_too_large"/s, '431 for 65 headers');

# What is just within the limits has an answer, whatever else is at its own.
for my $case ([ 'a longer target', 1200, 0, 0 ],
    [ 'a long target', 3900, 0, 0 ], [ 'large headers', 30, 7, 0 ],
    [ 'both', 3900, 3, 0 ], [ 'many headers', 30, 0, 60 ],
    [ 'all of it', 3900, 2, 50 ]) {
    my ($name, $target, $kilobytes, $small) = @$case;
    my $answer = send_raw('GET /api/v1/patients?per_page=1&page=3&search='
        . 'a%20' x ($target / 4) . " HTTP/1.1\r\n$host$auth"
        . join('', map { "L-$_: " . 'x' x 900 . "\r\n" } 1 .. $kilobytes)
        . join('', map {"S-$_: 1\r\n"} 1 .. $small) . "\r\n");
    like($answer, qr/^HTTP\S+ 200.*^X-Total-Count: [1-9]/ms, "$name: answered");
    ($target > 1200 ? \&unlike : \&like)->($answer, qr/^Link: /m,
        "$name: with or without Link");
}
{
    my $all = "GET /api/v1/patients?per_page=5 HTTP/1.1\r\n$host$auth\r\n" x 30;
    my $socket = $raw->connection;
    print {$socket} "$all${second}X";
    my ($answer) = $raw->drain($socket, 3);
    is(scalar(() = statuses($answer)), 31, 'so has each of many in one packet');
}
like(scalar send_raw("GET /healthz?" . 'x' x 5000 . " HTTP/1.1\r\n$host\r\n"),
    qr/^HTTP\S+ 414/, '414 for a target of 5 KiB');
for my $type (undef, 'text/plain', 'application/jsonp', 'application/x-json') {
    my $name = $type // 'none';
    is($http->request('POST', '/api/v1/appointments', '{}',
        { 'Content-Type' => $type })->{status}, 415, "415: type $name")
        if defined $type;
}
is($http->request('POST', '/api/v1/appointments', '{}',
    { 'Content-Type' => 'Application/JSON; charset=utf-8' })->{status}, 400,
    'a type with a parameter is taken');
is($http->post('/api/v1/appointments', '[' x 40 . ']' x 40)->{json}{detail},
    'The body is nested too deeply.', 'depth is bounded');
is($http->post('/api/v1/appointments', "{\"patient_id\":\"\xff\"}")->{status},
    400, 'what is not UTF-8');
is($http->post('/api/v1/appointments', '{"patient_id":"a\\u0000b"}')->{status},
    400, 'an escaped NUL');
{
    # One of three lengths would be cut within a letter if any were.
    my @id = map { 'a' x $_ . "\x{905}" x 60 } 0 .. 2;
    my @got = map { $http->post('/api/v1/appointments', { patient_id => $_,
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => '2026-03-16T10:00:00+05:30' })->{json} } @id;
    is_deeply([ map { $_->{errors}[0]{message} } @got ],
        [ map {"patient \"$_\" does not exist"} @id ],
        'a field\'s message is whole, however long the value in it');
}

# What an answer repeats of a request ends no string there.
for my $name ('a"b', 'a\\', "a\nb\x01c\x7f", '","code":"x') {
    my $r = $http->post('/api/v1/appointments', { $name => 1 });
    is_deeply([ $r->{json}{code}, grep { $_ eq $name }
            map { $_->{field} } @{ $r->{json}{errors} } ],
        [ 'invalid_request', $name ],
        'the name of a member comes back as it was: ' . ($name =~ s/[^ -}]/?/gr));
}

like(scalar send_raw("GET /api/v1/patients?search=a%22>b&per_page=5 HTTP/1.1\r\n$host$auth\r\n"),
    qr{^Link: </api/v1/patients\?search=a%22%3Eb&per_page=5&page=1>; rel="first", (?:<[^<>"]*>; rel="next", )?<[^<>"]*>; rel="last"\r$}m,
    'nothing in a query ends a link early');

# ---- one connection, many requests ------------------------------------------

my $many = $raw->connection;
print {$many} $second x 3;
my $text = '';
while (IO::Select->new($many)->can_read(3)) {
    sysread($many, $text, 65536, length $text) or last;
    last if 3 == (() = statuses($text));
}
is_deeply([ statuses($text) ], [ 200, 200, 200 ], 'three in one packet');

# ---- and all of them are gone -----------------------------------------------

undef $many;
ok((wait_for { $http->get('/metrics')->{body} =~ /^appt_connections 1$/m }
    'the connections to be closed', 10),
    'the gateway keeps none of these connections');

# ---- request ids ------------------------------------------------------------

is($http->get('/healthz', undef, { 'X-Request-Id' => 'abc-1.2:3_Z' })
    ->{headers}{'x-request-id'}, 'abc-1.2:3_Z', 'X-Request-Id is honoured');
for my $bad ('a b', '"x"', 'x' x 65, '<script>') {
    isnt($http->get('/healthz', undef, { 'X-Request-Id' => $bad })
        ->{headers}{'x-request-id'}, $bad, 'unless it is strange');
}
isnt($http->get('/healthz')->{headers}{'x-request-id'},
    $http->get('/healthz')->{headers}{'x-request-id'}, 'else it is a new one');

done_testing();
