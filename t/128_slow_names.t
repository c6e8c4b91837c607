#!/usr/bin/perl
#
# A name server that is slow, or gone: it delays connections to the database and
# nothing else, in the gateway and in the relay. Of a name's addresses each is
# tried, and a server that is away is asked for by one at a time.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Program;
use Appt::Util qw(patience root_dir run_command slurp temp_dir wait_for);
use HTTP::Tiny;
use Time::HiRes qw(sleep time);

my $dir = temp_dir();
my ($code, $out, $err) = run_command(['cc', '-Wall', '-Wextra', '-Werror',
    '-shared', '-fPIC', '-o', "$dir/resolver.so",
    root_dir() . '/t/receivers/resolver.c', '-ldl']);
is($code, 0, 'the name server is built') or BAIL_OUT("$out$err");

my $clinic  = Appt::Clinic->new(gateway => 0, cluster => { tcp => 1 });
my $cluster = $clinic->cluster;
my %preload = (LD_PRELOAD => "$dir/resolver.so",
    RESOLVER_ANSWERS => "$dir/answers", RESOLVER_LOG => "$dir/asked");

sub answers { my ($file, @line) = ("$dir/answers", @_);
    open my $fh, '>', "$file.part" or die $!;
    print {$fh} map {"$_\n"} @line;
    close $fh;
    rename "$file.part", $file or die $!;
}

sub dsn { my ($user, $host) = @_;
    return "host=$host port=" . $cluster->port . " dbname=appt user=$user" }

# The most questions that waited for an answer at one moment.
sub most_at_once {
    my ($now, $most) = (0, 0);
    for (split /\n/, slurp("$dir/asked")) {
        $now += $_ eq '+' ? 1 : -1;
        $most = $now if $now > $most;
    }
    return $most;
}

# Cuts every connection; the longest that a question about the program's health
# took until all is well.
sub cut_and_ask {
    my ($program, $user) = @_;
    my $http = HTTP::Tiny->new(timeout => 60);
    my ($longest, $unready) = (0, 0);
    my $ask = sub {
        my $start = time;
        my $status = $http->get($program->url . $_[0])->{status};
        $longest = time - $start if time - $start > $longest;
        return $status == 200;
    };
    $cluster->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE usename = '$user'");
    wait_for {
        die 'no health' if !$ask->('/healthz');
        my $ready = $ask->('/readyz');
        $unready ||= !$ready;
        $unready && $ready;
    } 'the connections to be back', 60;
    return $longest;
}

# ---- a name with several addresses ------------------------------------------

# Nobody listens at the first two.
answers(qw(127.0.0.9 127.0.0.8 127.0.0.1));
my %program = (
    gateway => Appt::Gateway->new(cluster => $cluster, env => { %preload,
        APPT_DSN => dsn('bioecko_gateway', 'db.test') }),
    relay => Appt::Relay->new(cluster => $cluster, env => { %preload,
        APPT_RELAY_TIMEOUT_MS => 1000, APPT_DSN => dsn('bioecko_relay', 'db.test') }));
pass('the address of a name that answers is found');

# ---- a slow one --------------------------------------------------------------

answers('wait 1500', '127.0.0.1');
cmp_ok(cut_and_ask($program{$_}, "bioecko_$_"), '<', 1,
    "$_: health is told at once while names are looked up")
    for qw(gateway relay);

# ---- one at a time while the server is away ----------------------------------

answers('wait 20', '127.0.0.9');
$_->stop for values %program;
for my $name (qw(gateway relay)) {
    open my $fh, '>', "$dir/asked" or die $!;
    close $fh;
    $program{$name}->start(wait => 0);
    wait_for { slurp("$dir/asked") =~ /(?:-.*){5}/s } 'five questions';
    is(most_at_once(), 1, "$name: asks for a server that is away once at a time");
    $program{$name}->stop;
}
answers('127.0.0.1');
$_->start(wait => 0) for values %program;
for my $name (qw(gateway relay)) {
    $program{$name}->wait_ready;
    pass("$name: is back when the server is");
}

# ---- the end -----------------------------------------------------------------

# A relay whose claim was cut off looks for its database for as long as a
# request may take, and three seconds.
answers('wait 30000', '127.0.0.1');
for my $name (qw(gateway relay)) {
    my $before = length slurp("$dir/asked");
    $cluster->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE usename = 'bioecko_$name'");
    wait_for { length slurp("$dir/asked") > $before } 'a question';
    my $start = time;
    ok($program{$name}->stop, "$name: ends by SIGTERM");
    cmp_ok(time - $start, '<', patience(20), "$name: without waiting for a name");
    is($program{$name}->status, 0, "$name: and well");
}

# ---- names, variables and services, as libpq takes them ----------------------

answers('wait 100', '127.0.0.1');
open my $fh, '>', "$dir/services" or die $!;
print {$fh} "[clinic]\n", map {"$_\n"} split / /,
    dsn('bioecko_gateway', 'db.test');
close $fh;
open $fh, '>', "$dir/pgpass" or die $!;
print {$fh} 'db.test:' . $cluster->port . ":appt:bioecko_gateway:right\n";
close $fh;
chmod 0600, "$dir/pgpass";
$cluster->psql("ALTER ROLE bioecko_gateway PASSWORD 'right'");
open $fh, '>', "$cluster->{data}/pg_hba.conf" or die $!;
print {$fh} "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
close $fh;
$cluster->psql('SELECT pg_reload_conf()');
my %env = (%preload, PGPASSFILE => "$dir/pgpass");
my $port = $cluster->port;
my %way = (
    'a service' => { APPT_DSN => 'service=clinic',
        PGSERVICEFILE => "$dir/services" },
    'a variable' => { APPT_DSN => 'dbname=appt user=bioecko_gateway',
        PGHOST => 'db.test', PGPORT => $port },
    'two names' => { APPT_DSN => dsn('bioecko_gateway',
        "127.0.0.9,db.test") . ' target_session_attrs=read-write' },
    'an address beside the name' => { APPT_DSN => dsn('bioecko_gateway',
        'db.test') . ' hostaddr=127.0.0.1' });
for my $way (sort keys %way) {
    my $gateway = Appt::Gateway->new(cluster => $cluster, wait => 0,
        env => { %env, %{ $way{$way} } });
    ok(eval { $gateway->wait_ready(20) },
        "$way: and the password is that of the name") or diag $@;
    $gateway->stop;
}

done_testing();
