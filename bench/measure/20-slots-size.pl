# What a slot list costs in the backend: with a hundred times the rows, and
# for thirty days instead of one.

package Bench::Measure::SlotsSize;

use strict;
use warnings;
use Bench::Place;
use Bench::Rounds qw(interleave median ratio);

# Microseconds of a call, by a loop in one backend that is warm.
sub calls_us {
    my ($place, $database, $calls, $days, $span) = @_;
    my $us = $place->cluster->psql(<<"SQL", dbname => $database);
SELECT bench.slots_us(300, $days, $span) \\g /dev/null
SELECT bench.slots_us($calls, $days, $span);
SQL
    return $us;
}

sub {
    my ($place, $table, $given) = @_;
    my $near = 10;
    for (['small', 'ROWS_SMALL'], ['large', 'ROWS_LARGE']) {
        my ($name, $rows) = ($_->[0], $given->{ $_->[1] });
        $place->make_database($name, $rows,
            Bench::Place::days_ahead($rows, 20), overlap => 0);
    }
    my $calls = 2000 * $given->{SECONDS};
    my %got = interleave($given->{ROUNDS} * 2, map {
        my $database = $_;
        ($database => sub { calls_us($place, $database, $calls, $near, 1) });
    } qw(small large));
    $table->row(
        what => "slot list in the backend, $given->{ROWS_LARGE} rows",
        against => "$given->{ROWS_SMALL} rows", unit => ' us',
        value => median(@{ $got{large} }), base => median(@{ $got{small} }),
        ratio => ratio(\%got, 'large', 'small'),
        must => '<= 1.3', aim => '<= 1.1');
    $place->cluster->psql("DROP DATABASE $_") for qw(small large);

    %got = interleave($given->{ROUNDS} * 2,
        month => sub { calls_us($place, 'appt', $calls / 10, 5, 30) },
        day   => sub { calls_us($place, 'appt', $calls, 30, 1) });
    $table->row(what => 'slot list in the backend, 30 days',
        against => 'one day', unit => ' us',
        value => median(@{ $got{month} }), base => median(@{ $got{day} }),
        ratio => ratio(\%got, 'month', 'day'),
        must => '<= 20', aim => '<= 12');
};
