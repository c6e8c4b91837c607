# Booking distinct slots over HTTP, against the same function by pgbench and
# against fastify + pg that locks, checks, inserts and writes its event in SQL.

package Bench::Measure::BookingHttp;

use strict;
use warnings;
use Appt::Util qw(run_command wait_for);
use Bench::Http qw(gateway peer wrk);
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);
use Time::HiRes qw(sleep);

sub make_peer_tables {
    my ($place) = @_;
    my ($code, $out, $err) = run_command(
        ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d',
            $place->cluster->dsn, '-f',
            "$place->{scripts}/sql/peer_tables.sql"]);
    die "peer_tables.sql: $err" if $code;
}

# Rows in a table since the first free day.
sub booked {
    my ($place, $table) = @_;
    return $place->cluster->psql("SELECT count(*) FROM $table "
            . "WHERE slot_start >= to_timestamp($place->{t0})");
}

# The same, once nothing is under way any more.
sub settled {
    my ($place, $table) = @_;
    my $rows = booked($place, $table);
    return wait_for {
        sleep 0.3;
        my $now = booked($place, $table);
        my $same = $now == $rows;
        $rows = $now;
        $same ? "$rows rows" : 0;
    } "the last bookings in $table";
}

# What was answered 201 is there; up to 64 may still have been under way.
sub checked {
    my ($place, $table, $code) = @_;
    my ($before) = split / /, settled($place, $table);
    my $r = $code->();
    my ($after) = split / /, settled($place, $table);
    my $more = $after - $before;
    die "$r->{requests} bookings answered, $more are in $table\n"
        if $more < $r->{requests} || $more > $r->{requests} + 64;
    return $r->{rate};
}

sub {
    my ($place, $table, $given) = @_;
    make_peer_tables($place);
    my ($gateway, $peer) = (gateway($place), peer($place));
    my $most = 30000 * ($given->{SECONDS} + 1);
    my $book = sub {
        my ($server, $seconds) = @_;
        return wrk($place, $server, script => 'book', seconds => $seconds,
            base => $place->take('slots', $most));
    };
    $book->($_, 4) for $gateway, $peer;
    my %got = interleave($given->{ROUNDS},
        pgbench => sub {
            pgbench($place, script => 'book', clients => 16,
                seconds => $given->{SECONDS}, user => 'bioecko_gateway',
                options => { 'bioecko_appt.notify' => 'off' },
                set => { base => $place->take('slots', $most) })->{tps};
        },
        gateway => sub {
            checked($place, 'appt.appointment',
                sub { $book->($gateway, $given->{SECONDS} + 1) });
        },
        peer => sub {
            checked($place, 'peer.appointment',
                sub { $book->($peer, $given->{SECONDS} + 1) });
        });
    my %rate = map { $_ => median(@{ $got{$_} }) } keys %got;
    $table->row(what => 'booking over HTTP, 64 connections',
        against => 'pgbench, 16 clients', unit => '/s',
        value => $rate{gateway}, base => $rate{pgbench},
        ratio => ratio(\%got, 'gateway', 'pgbench'),
        must => '>= 0.6', aim => '>= 0.8');
    $table->row(what => 'booking over HTTP, 64 connections',
        against => 'fastify + pg, same in SQL', unit => '/s',
        value => $rate{gateway}, base => $rate{peer},
        ratio => ratio(\%got, 'gateway', 'peer'),
        must => '>= 2', aim => '>= 4');
};
