#!/usr/bin/perl
#
# The gateway's counters on an address of their own: there, and nowhere else.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Gateway;
use Appt::Util qw(free_port wait_for);
use HTTP::Tiny;
use IO::Socket::INET;

my $clinic = Appt::Clinic->new;
my $plain  = HTTP::Tiny->new(timeout => 5, proxy => undef, http_proxy => undef);
my $counts = qr/^appt_requests_total\{method="GET",route="\/readyz",status="200"\} \d/m;

# An answer counts when it is sent, which is a moment after it has come.
sub counters {
    my ($url) = @_;
    my $r;
    wait_for { ($r = $plain->get("$url/metrics"))->{content} =~ $counts }
        'the answer to be counted';
    return $r;
}

is(counters($clinic->gateway->url)->{status}, 200,
    'without the setting they are among the calls, and count');

my $port = free_port();
my $gateway = Appt::Gateway->new(cluster => $clinic->cluster,
    env => { APPT_METRICS_LISTEN => "127.0.0.1:$port" });
my $there = "http://127.0.0.1:$port";
my $r = counters($there);
is($r->{status}, 200, 'with it they are there, and count');
like($r->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'as Prometheus reads them');
is($plain->get($gateway->url . '/metrics')->{status}, 404, 'and not among the calls');
is($plain->get("$there$_")->{status}, 404, "$_ is not there")
    for '/', '/healthz', '/api/v1/queue';
is($plain->post("$there/metrics")->{status}, 405, 'nothing is posted there');

my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
for my $address ('127.0.0.1:' . $taken->sockport, 'nowhere') {
    my $refused = Appt::Gateway->new(cluster => $clinic->cluster, wait => 0,
        env => { APPT_METRICS_LISTEN => $address });
    ok(eval { wait_for { !$refused->alive } 'its end', 10 },
        "$address: it does not start");
    like($refused->log_text, qr/cannot listen.*\Q$address\E/, 'and says why');
}

done_testing;
