#!/usr/bin/perl
#
# Of the database servers in a DSN the first takes connections and says nothing,
# as a stopped one does: both programs go on to the next.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Program;
use Appt::Util qw(temp_dir wait_for);
use IO::Socket::UNIX;
use Time::HiRes qw(time);

my $clinic = Appt::Clinic->new(gateway => 0);
my $cluster = $clinic->cluster;
my ($host, $port) = ($cluster->host, $cluster->port);
my $dir = temp_dir();
my $silent = IO::Socket::UNIX->new(Listen => 4000,
    Local => "$dir/.s.PGSQL.$port") or die $!;

# Named in the DSN; in a URI; in the variables that a DSN does not speak of.
my %way = (
    'a DSN' => { APPT_DSN => "host=$dir,$host port=$port,$port dbname=appt "
        . 'user=USER target_session_attrs=read-write' },
    'a URI' => { APPT_DSN => "postgresql://USER@/appt?host=$dir,$host&port=$port" },
    'variables' => { APPT_DSN => 'dbname=appt user=USER', PGPORT => $port,
        PGHOST => "$dir,$host" },
);
my %program;
for my $way (sort keys %way) {
    for my $class (qw(Gateway Relay)) {
        my %env = %{ $way{$way} };
        s/USER/bioecko_\L$class/ for values %env;
        $program{"\l$class by $way"} = "Appt::$class"->new(cluster => $cluster,
            env => \%env, wait => 0);
    }
}
my $start = time;
for my $name (sort keys %program) {
    ok(eval { $program{$name}->wait_ready(60) }, "$name") or diag $@;
}
cmp_ok(time - $start, '>', 3, 'after it has waited for the silent one');

done_testing();
