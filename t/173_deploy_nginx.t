#!/usr/bin/perl
#
# deploy/nginx: the example in front of a real gateway. TLS ends there, request
# ids pass, connections to the gateway are kept, what is too large or too late
# is refused in the gateway's own form, and a timeout books nothing twice.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Process;
use Appt::Util qw(free_port root_dir run_command slurp temp_dir wait_for);
use JSON::PP ();

plan skip_all => 'nginx is not installed'
    if (run_command(['sh', '-c', 'command -v nginx || test -x /usr/sbin/nginx']))[0];
local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $gateway = $clinic->gateway;
my $http    = $clinic->http;
my $dir     = temp_dir();
my $port    = free_port();
my $host    = 'appointments.example.org';

my ($code, undef, $err) = run_command(['openssl', 'req', '-x509', '-nodes',
    '-newkey', 'rsa:2048', '-days', '2', '-subj', "/CN=$host", '-addext',
    "subjectAltName=DNS:$host", '-keyout', "$dir/tls.key", '-out',
    "$dir/tls.crt"]);
is($code, 0, 'a certificate') or diag $err;

# HTTP/2, which the example's comment tells of, in the words of this version.
my ($major, $minor, $patch) = (run_command(['nginx', '-v']))[2] =~ m{/(\d+)\.(\d+)\.(\d+)};
my $http2_on = sprintf('%d%03d%03d', $major, $minor, $patch) >= 1_025_001;

# The example with this machine's addresses and a shorter wait, in the main
# file of an ordinary process.
sub write_conf {
    my $site = slurp(root_dir() . '/deploy/nginx/bioecko.conf');
    my ($on, $listen) = map { $site =~ /"(\Q$_\E[^"]*;)"/ or die "no $_"; $1 }
        'http2 on', 'listen 443 ssl http2';
    $site =~ s/^( *)listen 443 ssl;$/$1 . ($http2_on ? "$& $on" : $listen)/me
        or die 'no listen';
    for ([ '127.0.0.1:8080', '127.0.0.1:' . $gateway->port ],
        [ 'listen 443', "listen 127.0.0.1:$port" ],
        [ '/etc/bioecko/', "$dir/" ],
        [ 'proxy_read_timeout 12s', 'proxy_read_timeout 1s' ]) {
        my ($from, $to) = @$_;
        $site =~ s/\Q$from\E/$to/g or die "the example has no $from\n";
    }
    my $user = $> == 0 ? "user root;\n" : '';
    my $temp = join "\n", map {"    ${_}_temp_path $dir/$_;"}
        qw(client_body proxy fastcgi uwsgi scgi);
    open my $fh, '>', "$dir/nginx.conf" or die $!;
    print {$fh} "${user}daemon off;\npid $dir/pid;\nworker_processes 1;\n",
        "error_log stderr notice;\nevents { worker_connections 200; }\n",
        "http {\n    access_log off;\n$temp\n$site}\n";
    close $fh;
}

write_conf();
($code, undef, $err) = run_command(['nginx', '-t', '-c', "$dir/nginx.conf"]);
is($code, 0, 'nginx takes the example') or BAIL_OUT($err);
unlike($err, qr/\[(?:warn|error|emerg)\]/, 'without a warning');
my $nginx = Appt::Process->start(name => 'nginx', log => "$dir/log",
    stop_signal => 'QUIT', command => ['nginx', '-c', "$dir/nginx.conf"]);

# A request through nginx by curl: status, headers, decoded body.
sub through {
    my ($path, @option) = @_;
    my ($failed, $out, $words) = run_command(['curl', '-sS', '-i', '-m', '20',
        '--cacert', "$dir/tls.crt", '--resolve', "$host:$port:127.0.0.1",
        @option, "https://$host:$port$path"]);
    return { status => 0, body => $words } if $failed;
    $out =~ s{\AHTTP/\S+ 100.*?\r\n\r\n}{}s;
    my ($head, $body) = split /\r\n\r\n/, $out, 2;
    my ($status) = $head =~ m{^HTTP/\S+ (\d+)};
    my %header = map { lc($_->[0]) => $_->[1] }
        map { /^([^:]+):\s*(.*)$/ ? [ $1, $2 ] : () } split /\r\n/, $head;
    return { status => $status, headers => \%header, body => $body,
        json => scalar eval { JSON::PP->new->utf8->decode($body) } };
}

wait_for { through('/healthz')->{status} == 200 } 'nginx';
my @token = ('-H', "Authorization: Bearer $http->{token}");
my @json  = ('-H', 'Content-Type: application/json');
my $a     = '/api/v1/appointments';
my $list  = "$a/slots?doctor_id=DOC-001&date=2026-03-16&branch_id=MUM-01";

# nginx closes an idle connection before the gateway does: a request of nginx
# would meet the end of it otherwise.
{
    my ($nginx_s) = slurp(root_dir() . '/deploy/nginx/bioecko.conf')
        =~ /^upstream [^}]*^\s*keepalive_timeout (\d+)s;/ms;
    my ($gateway_ms) = (run_command([Appt::Gateway->binary, '--help']))[1]
        =~ /APPT_IDLE_TIMEOUT_MS.*?default: (\d+)/s;
    cmp_ok(($nginx_s // 60) * 1000, '<', $gateway_ms,
        'nginx is the first to close an idle connection');
}

my $slots = through($list, @token);
is($slots->{status}, 200, 'slots over TLS');
is($slots->{body}, $http->get($list)->{body}, 'as the gateway gives them');
ok($slots->{headers}{'strict-transport-security'}, 'with HSTS');
is((through($list, @token, '--tlsv1.3'))->{status}, 200, 'over TLS 1.3 too');
is((through('/healthz', '-w', 'HTTP/%{http_version}'))->{body},
    '{"status":"alive"}HTTP/2', 'over HTTP/2 where that is wanted');
is((through('/healthz', '--tls-max', '1.1', '--ciphers',
    'DEFAULT@SECLEVEL=0'))->{status}, 0, 'not over TLS 1.1');
is((through($_))->{status}, 404, "$_ is not for the public")
    for qw(/metrics /readyz);
my $odd = "$a/APT%2F..%2Fx";
is(through($odd, @token)->{json}{detail} // 'nothing', $http->get($odd)->{json}{detail},
    'a path is passed on as it was sent');

# Request ids.
is(through('/healthz', '-H', 'X-Request-Id: mine-7')->{headers}{'x-request-id'},
    'mine-7', 'a request id is passed on');
my $id = through('/healthz')->{headers}{'x-request-id'};
like($id, qr/^[0-9a-f]{32}$/, 'or made');
$gateway->wait_log(qr/"\Q$id\E"/);
pass('and is in the gateway\'s log');

# Connections to the gateway that nginx has opened and that are not gone yet.
sub upstream_connections {
    my $remote = sprintf '0100007F:%04X', $gateway->port;
    return scalar grep { (split)[2] eq $remote } split /\n/, slurp('/proc/net/tcp');
}
my $before = upstream_connections();
through($list, @token) for 1 .. 20;
cmp_ok(upstream_connections() - $before, '<=', 2,
    'connections to the gateway are kept');

# Too large.
my $large = '{"notes":"' . 'x' x 70_000 . '"}';
open my $fh, '>', "$dir/large" or die $!;
print {$fh} $large;
close $fh;
my $r = through($a, @token, @json, '--data-binary', "\@$dir/large");
is($r->{status}, 413, 'a body above 64 KiB');
is($r->{headers}{'content-type'}, 'application/problem+json', 'is a problem');
is($r->{json}{code}, 'content_too_large', 'of the gateway\'s form');

# Too many tries for a token of one address, by one curl: the last answer.
$r = through('/api/v1/auth/token?n=[1-100]', '-d', 'grant_type=x');
my @got = ($r->{status}, $r->{body} =~ m{HTTP/[\d.]+ (\d+)}g);
is($got[0], 400, 'who tries for a token is answered by the gateway');
ok((grep { $_ eq '429' } @got), 'who does so all the time is told to wait');
like($r->{body}, qr/^Retry-After: 1\r\n(?:.+\r\n)*\r\n\{.*"rate_limited"\}/mi,
    'by a problem with Retry-After');
is(through($list, @token)->{status}, 200, 'and nobody else is');

# What changes is told through nginx as it changes.
my $stream = Appt::Process->start(name => 'curl', log => "$dir/stream",
    command => ['curl', '-sSN', '-m', '60', '--cacert', "$dir/tls.crt",
        '--resolve', "$host:$port:127.0.0.1", @token,
        '-H', 'Accept: text/event-stream', "https://$host:$port/api/v1/events"]);
wait_for { $stream->log_text =~ /^id: /m } 'the stream to begin';
$clinic->cluster->psql(q{UPDATE appt.branch SET phone = '+912244445555'
    WHERE branch_id = 'MUM-01'});
ok(eval { wait_for { $stream->log_text =~ /"what":"branch","branch_id":"MUM-01"/ }
    'the change', 10 }, 'a stream goes through, line by line')
    or diag $stream->log_text;
$stream->stop;

# Too late: the booking is done once, and the retry with its key says so.
my ($slot) = map { $_->{start_time} } @{ $slots->{json} };
my @book = (@token, @json, '-H', 'Idempotency-Key: late-1', '-d',
    JSON::PP->new->canonical->encode({ patient_id => 'PAT-2026-00123',
        doctor_id => 'DOC-001', branch_id => 'MUM-01', slot_start => $slot }));
$gateway->signal('STOP');
$r = through($a, @book);
$gateway->signal('CONT');
is($r->{status}, 504, 'a gateway that hangs');
is($r->{json}{code}, 'timeout', 'is a problem');
is($r->{headers}{'retry-after'}, 1, 'with Retry-After');
wait_for { ($r = through($a, @book))->{status} != 409 } 'the first to end';
is($r->{status}, 201, 'the retry is answered');
is($clinic->cluster->value('SELECT count(*) FROM appt.appointment
    WHERE patient_id = $1 AND slot_start = $2', 'PAT-2026-00123', $slot), 1,
    'and there is one booking');

# Gone, and back.
$gateway->stop;
$r = through($list, @token);
is($r->{status}, 503, 'no gateway');
is($r->{json}{code}, 'unavailable', 'is a problem');
is($r->{headers}{'retry-after'}, 1, 'with Retry-After');
$gateway->start;
wait_for { through($list, @token)->{status} == 200 } 'the gateway again';
pass('a gateway that is back is found');
ok($nginx->stop, 'nginx ends in good order');

done_testing();
