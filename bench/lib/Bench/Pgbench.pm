package Bench::Pgbench;

# A run of pgbench: transactions a second without its first second, in which
# sessions start and fill their caches.
#
#   my $r = pgbench($place, script => 'book', clients => 16, seconds => 5,
#       set => { base => 0 });
#   $r->{tps}; $r->{latency_ms}; $r->{transactions};

use strict;
use warnings;
use Appt::Util qw(run_command);
use Bench::Rounds qw(median);
use Exporter 'import';

our @EXPORT_OK = qw(pgbench);

sub pgbench {
    my ($place, %arg) = @_;
    my $cluster = $place->cluster;
    my $clients = $arg{clients} // 1;
    my %set = (clients => $clients, n => -1, doctors => 200,
        days => $place->{days} - 1,
        client => $place->{client}{client_id},
        t0 => $place->{t0} // 0, %{ $arg{set} // {} });
    local $ENV{PGOPTIONS} = join ' ',
        map { "-c $_=$arg{options}{$_}" } keys %{ $arg{options} // {} };
    my ($code, $out, $err) = run_command(
        ['pgbench', '-n', '-M', 'prepared', '-c', $clients,
            '-j', $clients < 2 ? 1 : 2, '-P', 1,
            defined $arg{transactions} ? ('-t', $arg{transactions})
                : ('-T', $arg{seconds} + 1),
            (map { ('-D', "$_=$set{$_}") } sort keys %set),
            '-f', "$place->{scripts}/pgbench/$arg{script}.sql",
            $cluster->dsn(dbname => $arg{database},
                user => $arg{user} // 'postgres')]);
    my $error = $code || $err =~ /aborted|ERROR/;
    die "pgbench $arg{script}: " . substr($err, -600) . "\n" if $error;
    my ($failed) = $out =~ /failed transactions: (\d+)/;
    die "pgbench $arg{script}: $failed failed\n" if $failed;
    return _result($out, $err);
}

sub _result {
    my ($out, $err) = @_;
    my ($transactions) = $out =~ /actually processed: (\d+)/;
    my ($tps)     = $out =~ /^tps = ([0-9.]+)/m;
    my ($latency) = $out =~ /latency average = ([0-9.]+)/;
    my @second    = $err =~ /^progress: [0-9.]+ s, ([0-9.]+) tps/mg;
    shift @second;
    return {
        transactions => $transactions,
        tps          => @second ? _mean(@second) : $tps,
        latency_ms   => $latency,
    };
}

sub _mean {
    my $sum = 0;
    $sum += $_ for @_;
    return $sum / @_;
}

1;
