#!/usr/bin/perl
#
# HTTPS: served with the certificate of the two files, which SIGHUP reads
# again; what does not fit is refused and the old one stays.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use IO::Select;
use IPC::Open2;
use Appt::Util qw(free_port run_command slurp temp_dir wait_for);

my $clinic = Appt::Clinic->new(gateway => 0);
my $dir    = temp_dir();
for my $n (1, 2) {
    run_command([ qw(openssl req -x509 -newkey rsa:2048 -nodes -days 2),
        '-keyout', "$dir/key$n.pem", '-out', "$dir/certificate$n.pem",
        '-subj', "/CN=host$n", '-addext', 'subjectAltName=DNS:localhost' ]);
}
link_pair(1, 1);

# Makes the files that the gateway reads those of certificate m and key n.
sub link_pair {
    my ($m, $n) = @_;
    for (["certificate$m", 'certificate'], ["key$n", 'key']) {
        my ($from, $to) = map {"$dir/$_.pem"} @$_;
        unlink $to;
        link $from, $to or die "cannot link $from: $!";
    }
}

my $port    = free_port();
my $gateway = Appt::Gateway->new(cluster => $clinic->cluster, port => $port,
    wait => 0, env => { APPT_REQUEST_TIMEOUT_MS => 2000,
        APPT_TLS_CERTIFICATE => "$dir/certificate.pem", APPT_TLS_KEY => "$dir/key.pem" });

sub curl {
    my ($n, $path, @more) = @_;
    my ($exit, $out) = run_command([ qw(curl -sS -m 10 --noproxy *), '--cacert',
        "$dir/certificate$n.pem", @more, "https://localhost:$port$path" ]);
    return $exit == 0 ? $out : "exit $exit";
}

wait_for { curl(1, '/readyz') =~ /"ready"/ } 'the gateway to be ready';
pass('HTTPS is served');
my ($token) = curl(1, '/api/v1/auth/token', '-d', join '&',
    'grant_type=client_credentials', map {"$_=$clinic->{client}{$_}"}
    qw(client_id client_secret)) =~ /"access_token":"([^"]+)"/;
ok($token, 'a token');
my @header = ('-H', "Authorization: Bearer $token");
for my $call (1 .. 3) {
    like(curl(1, '/api/v1/queue?doctor_id=DOC-001', @header), qr/^\[/,
        "a call to the database, $call");
}
my $stream = Appt::Process->start(name => 'curl', log => "$dir/stream",
    command => [ qw(curl -sSN -m 60 --noproxy *), '--cacert', "$dir/certificate1.pem",
        @header, '-H', 'Accept: text/event-stream',
        "https://localhost:$port/api/v1/events" ]);
wait_for { $stream->log_text =~ /^id: /m } 'the stream to begin';
$clinic->cluster->psql(q{UPDATE appt.branch SET phone = '+912244445555'
    WHERE branch_id = 'MUM-01'});
ok(eval { wait_for { $stream->log_text =~ /"what":"branch","branch_id":"MUM-01"/ }
    'the change', 10 }, 'an event stream') or diag $stream->log_text;
$stream->stop;
my ($exit) = run_command([ qw(curl -sS -m 5 --noproxy *),
    "http://localhost:$port/healthz" ]);
isnt($exit, 0, 'HTTP without TLS is not');

# What is spoken. The client's own security level would refuse most of it by
# itself: it is told to take everything.
sub speaks {
    my ($version, $cipher) = @_;
    my (undef, $said) = run_command(['sh', '-c', 'exec openssl s_client '
        . "-connect localhost:$port $version -cipher '$cipher\@SECLEVEL=0' 2>&1"]);
    return $said =~ /^New, .*Cipher is (.*)/m ? $1 eq '(NONE)' ? 'no' : 'yes'
        : $said;
}

is(speaks($_, 'DEFAULT'), 'yes', "$_ is spoken") for qw(-tls1_2 -tls1_3);
is(speaks($_, 'DEFAULT'), 'no', "$_ is not") for qw(-tls1 -tls1_1);
is(speaks('-tls1_2', $_), 'yes', "$_ is spoken")
    for qw(ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384
        ECDHE-RSA-CHACHA20-POLY1305);
is(speaks('-tls1_2', $_), 'no', "$_ is not: no forward secrecy, or CBC")
    for qw(AES128-GCM-SHA256 AES256-SHA AES128-CCM ECDHE-RSA-AES128-SHA
        ECDHE-RSA-AES256-SHA ECDHE-RSA-AES128-SHA256 ECDHE-RSA-AES256-SHA384);
like(curl(1, '/healthz', '-i'),
    qr/^Strict-Transport-Security: max-age=31536000\r$/mi, 'and it is to stay so');

# A body that does not come: 408 here too.
{
    my $pid = open2(my $out, my $in, 'sh', '-c', 'exec openssl s_client '
        . "-quiet -no_ign_eof -connect localhost:$port 2>$dir/said");
    syswrite $in, "POST /api/v1/appointments HTTP/1.1\r\nHost: x\r\n"
        . "Content-Length: 9\r\n\r\n{";
    my $answer = do { local $/; <$out> } // '';
    close $in;
    waitpid $pid, 0;
    is($?, 0, 'the connection is ended as TLS ends') or diag slurp("$dir/said");
    like($answer, qr/^HTTP\S+ 408 .*"code":"request_timeout"\}\z/s,
        'a late request is told so');
}

link_pair(2, 2);
$gateway->signal('HUP');
wait_for { curl(2, '/healthz') =~ /alive/ } 'the new certificate';
pass('SIGHUP brings the new certificate');

# A handshake goes on with the certificate that it began with, however often
# another takes its place meanwhile.
{
    open my $shakes, '-|', 'openssl s_time -new -time 3 '
        . "-connect localhost:$port 2>&1" or die $!;
    until (IO::Select->new($shakes)->can_read(0.0005)) {
        $gateway->signal('HUP');
    }
    my $said = '';
    while (sysread $shakes, $said, 65536, length $said) {
        $gateway->signal('HUP');
    }
    like($said, qr/^[1-9]\d* connections in/m, 'handshakes');
    unlike($said, qr/ERROR/, 'none is broken off by a new certificate');
}
link_pair(1, 2);
$gateway->signal('HUP');
$gateway->wait_log(qr/stays as it was/);
like(curl(2, '/healthz'), qr/alive/, 'a key that does not fit changes nothing');
ok($gateway->stop, 'it ends');

my ($status, undef, $said) = run_command([ Appt::Gateway->binary,
    "--tls-certificate=$dir/nowhere.pem", "--tls-key=$dir/key.pem",
    '--listen=127.0.0.1:0' ]);
isnt($status, 0, 'a certificate that is not there');
like($said, qr/nowhere\.pem/, 'is named');

done_testing();
