#!/usr/bin/perl
#
# A machine that was suspended: what its gateway knew of clients before is as old
# as the clock on the wall says, and nobody is let in by it.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Gateway;
use Appt::Http;
use Appt::Util qw(root_dir run_command temp_dir wait_for);

my $dir = temp_dir();
my ($code, $out, $err) = run_command(['cc', '-Wall', '-Wextra', '-Werror',
    '-shared', '-fPIC', '-o', "$dir/suspend.so",
    root_dir() . '/t/receivers/suspend.c', '-ldl']);
is($code, 0, 'the clock is built') or BAIL_OUT("$out$err");

my $clinic  = Appt::Clinic->new(gateway => 0);
my $cluster = $clinic->cluster;
my $gateway = Appt::Gateway->new(cluster => $cluster,
    env => { LD_PRELOAD => "$dir/suspend.so", SUSPENDED_S => "$dir/asleep" });
my $probe = '/api/v1/queue?doctor_id=DOC-001';
my $http  = Appt::Http->new($gateway->url, %{ $clinic->client });
is($http->get($probe)->{status}, 200, 'a client is served');

sub sleep_for { my ($seconds) = @_;
    open my $fh, '>', "$dir/asleep.part" or die $!;
    print {$fh} $seconds;
    close $fh;
    rename "$dir/asleep.part", "$dir/asleep" or die $! }

sleep_for(3600);
ok(eval { wait_for { $http->get($probe)->{status} == 200 } 'the client', 20 },
    'after an hour asleep, too, as the database is asked again');

$cluster->psql('REVOKE EXECUTE ON FUNCTION appt_api.auth_state()
    FROM appt_gateway');
is($http->get($probe)->{status}, 200, 'what was known a moment ago still counts');
sleep_for(7200);
my $r;
ok(eval { wait_for { ($r = $http->get($probe))->{status} == 503 } '503', 5 },
    'nobody is let in by what was known before another hour');
like($r->{json}{detail}, qr/Whose tokens are good/, 'which it says');

done_testing;
