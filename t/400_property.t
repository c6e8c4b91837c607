#!/usr/bin/perl
#
# Random schedules, exceptions, bookings and zones, thousands of each: what is
# listed can be booked and nothing else can, the engine's list is that of a
# slow and obvious model (t/property/model.sql), nothing overlaps, and tokens
# have no gap.
#
# APPT_TEST_SEED=42 repeats a run, APPT_TEST_ROUNDS=5000 makes a long one, and
# APPT_TEST_WORLD=0.123 looks at one world alone.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(patience root_dir slurp temp_dir);
use Time::HiRes qw(time);

my $seed   = $ENV{APPT_TEST_SEED}   // int(rand 1e6);
my $rounds = $ENV{APPT_TEST_ROUNDS} // 1000;
my $limit  = exists $ENV{APPT_TEST_ROUNDS} ? 3600 : 45;
my $fewest = $ENV{APPT_TEST_ROUNDS} // 100;
note "seed $seed: APPT_TEST_SEED=$seed repeats this run";

my @worlds = $ENV{APPT_TEST_WORLD} // map { world($_) } 1 .. $rounds;
my $cluster = Appt::Cluster->new->create_extension;
$cluster->load(root_dir() . '/t/property/model.sql');
$cluster->psql('CREATE DATABASE other TEMPLATE ' . $cluster->database,
    dbname => 'postgres');

# Two processes, half of the worlds and a database each.
my $dir = temp_dir();
my $until = time + patience($limit);
my @pids = map { my $half = $_; fork // die "could not fork: $!\n" or do {
    my $ok = eval { explore($half); 1 };
    print STDERR $@ unless $ok;
    require POSIX;
    POSIX::_exit($ok ? 0 : 1);
} } 0, 1;
for (@pids) {
    waitpid $_, 0;
    is($?, 0, 'a process came to its end');
}

my ($worlds, %sum, @wrong) = (0);
for my $half (0, 1) {
    for (split /\n/, slurp("$dir/$half")) {
        my ($world, $listed, $tried, $booked, $wrong) = split /\t/, $_, 5;
        $worlds++;
        $sum{listed} += $listed;
        $sum{tried}  += $tried;
        $sum{booked} += $booked;
        push @wrong, "APPT_TEST_WORLD=$world: $wrong" if length $wrong;
    }
}
note "$worlds worlds, $sum{booked} appointments and holds, $sum{listed} slots "
    . "listed and booked, $sum{tried} times not listed and refused";
ok(!@wrong, 'engine and model agree, listed is bookable, nothing overlaps, '
        . 'tokens are dense') or diag map {"$_\n"} @wrong[0 .. min(4, $#wrong)];
unless ($ENV{APPT_TEST_WORLD}) {
    cmp_ok($worlds, '>=', $fewest, 'worlds enough');
    cmp_ok($sum{$_}, '>', $worlds, "$_: more than one a world")
        for qw(booked listed tried);
}

done_testing;

# Between 0 and 1, for setseed.
sub world {
    my ($i) = @_;
    my $x = ($seed + $i) * 0.6180339887498949;
    return sprintf '%.9f', $x - int $x;
}

sub explore {
    my ($half) = @_;
    open my $fh, '>', "$dir/$half" or die "$dir/$half: $!\n";
    my $dbh = $cluster->connect($half ? (dbname => 'other') : ());
    $dbh->do(q{SET client_min_messages = error});
    for my $i (grep { $_ % 2 == $half } 0 .. $#worlds) {
        last if time > $until;
        $dbh->begin_work;
        my $row = eval { $dbh->selectrow_hashref(
            'SELECT * FROM prop.round($1)', {}, $worlds[$i]) }
            // { wrong => $@ || 'nothing came back' };
        $dbh->rollback;
        $row->{wrong} =~ s/\s+/ /g if defined $row->{wrong};
        print {$fh} join("\t", $worlds[$i],
            map { $row->{$_} // ($_ eq 'wrong' ? '' : 0) }
                qw(listed tried booked wrong)), "\n";
    }
    close $fh;
}

sub min { return $_[0] < $_[1] ? $_[0] : $_[1] }
