#!/usr/bin/perl
#
# Displacing hundreds of visits: what it takes of memory, of subtransactions
# and of work for each visit does not grow with their number.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir slurp);

my $c = Appt::Cluster->new(conf => { autovacuum => 'off' })->create_extension;
$c->freeze_clock('2026-03-01T00:00:00Z');

# Two doctors, 48 slots a day, nearly all taken, for some two weeks.
$c->psql(join "\n", '\set fill 95', '\set doctors 2',
    '\set appointments 1400', q{\set start '2026-03-02'},
    slurp(root_dir() . '/bench/generate.sql'));
my $booked = $c->value(q{SELECT count(*) FROM appt.appointment
    WHERE status = 'booked' AND token_date <= '2026-03-14'});
cmp_ok($booked, '>', 1000, 'more than a thousand visits are booked');

for my $mode (qw(cancel move)) {
    subtest $mode => sub {
        my $few  = displace($mode, '2026-03-04');
        my $many = displace($mode, '2026-03-15');
        is($many->{displaced}, $booked, 'every visit is displaced');
        cmp_ok($many->{memory_kb}, '<', 20_000,
            'the session grows by less than 20 MB');
        is($many->{xids}, 1, 'it takes one transaction id');
        my @entries = map { $_->{entries} / $_->{displaced} } $few, $many;
        cmp_ok($entries[$_], '<', 300,
            'a visit looks through some days for its place, not through all')
            for 0, 1;
        diag sprintf '%s: %d visits, %d kB, %.0f and %.0f index entries a visit',
            $mode, @$many{qw(displaced memory_kb)}, @entries;
    };
}

done_testing;

# Closes the branch up to a day, looks what it took, and takes it back.
sub displace {
    my ($mode, $until) = @_;
    my $dbh = $c->connect;
    my ($pid) = $dbh->selectrow_array('SELECT pg_backend_pid()');
    $dbh->do(q{SELECT FROM appt.available_slots('D-0001', '2026-03-02')});
    my $before_kb = memory_kb($pid, 'VmSize');
    $dbh->begin_work;
    my ($displaced) = $dbh->selectrow_array(<<'SQL', {}, $until, $mode);
SELECT displaced
FROM appt.add_closure('B-001', '2026-03-02 00:00+05:30',
	($1 || ' 00:00+05:30')::timestamptz, 'Flood', $2)
SQL
    my %took = (displaced => $displaced, memory_kb => memory_kb($pid, 'VmPeak') - $before_kb);
    # The next transaction's id comes after those of the subtransactions.
    my $own = 'SELECT pg_current_xact_id()::text::bigint';
    $took{xids} = $c->value($own) - ($dbh->selectrow_array($own))[0];
    is($dbh->selectrow_array(
        'SELECT count(*) FROM appt.appointment WHERE version > 1'),
        $displaced, "$displaced visits changed");
    ($took{entries}) = $dbh->selectrow_array(q{
        SELECT pg_stat_get_xact_tuples_returned('appt.appointment_slot'::regclass)});
    $dbh->rollback;
    return \%took;
}

# The address space now (VmSize), or at most so far (VmPeak).
sub memory_kb {
    my ($pid, $which) = @_;
    return slurp("/proc/$pid/status") =~ /^$which:\s+(\d+)/m ? $1 : die;
}
