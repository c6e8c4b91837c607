# The slot list over HTTP with everything on: bearer token, scope, rate limit,
# a log line a request. Against the same function without HTTP, and against
# fastify and pg on every core.

package Bench::Measure::SlotsHttp;

use strict;
use warnings;
use Appt::Http;
use Bench::Http qw(gateway peer wrk);
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);

# The servers answer the same list, and neither without a token.
sub check_same {
    my ($place, $gateway, $peer) = @_;
    for my $n (1 .. 20) {
        my @body = map {
            my $http = Appt::Http->new($_->{url}, token => $_->{token});
            my $r = $http->get('/api/v1/appointments/slots', {
                doctor_id => sprintf('DOC-%04d', $n),
                date => $place->{first_days}[$n % 10],
                branch_id => $n % 2 ? 'MUM-01' : 'DEL-01' });
            die "$_->{url} answers $r->{status}\n" if $r->{status} != 200;
            join ' ', map {"$_->{start_time}/$_->{end_time}"} @{ $r->{json} };
        } $gateway, $peer;
        die "other slots: $body[0]; $body[1]\n" if $body[0] ne $body[1];
        die "no slots of doctor $n\n" if $body[0] eq '';
    }
    for my $server ($gateway, $peer) {
        my $http = Appt::Http->new($server->{url}, token => 'x');
        my $status = $http->get('/api/v1/appointments/slots',
            { doctor_id => 'DOC-0001' })->{status};
        die "$server->{url} answers $status without a token\n"
            if $status != 401;
    }
}

sub {
    my ($place, $table, $given) = @_;
    my ($gateway, $peer) = (gateway($place), peer($place));
    $place->{first_days} = [split /\n/, $place->cluster->psql(
        'SELECT CURRENT_DATE + n FROM generate_series(1, 10) AS n')];
    check_same($place, $gateway, $peer);

    my %p99;
    my $side = sub {
        my ($name, $server) = @_;
        return ($name => sub {
            my $r = wrk($place, $server, script => 'slots',
                seconds => $given->{SECONDS} + 1);
            push @{ $p99{$name} }, $r->{p99_ms};
            return $r->{rate};
        });
    };
    wrk($place, $_, script => 'slots', seconds => 5) for $gateway, $peer;
    my %got = interleave($given->{ROUNDS},
        pgbench => sub {
            pgbench($place, script => 'slots_json', clients => 8,
                seconds => $given->{SECONDS},
                user => 'bioecko_gateway')->{tps};
        },
        $side->('gateway', $gateway), $side->('peer', $peer));

    my %rate = map { $_ => median(@{ $got{$_} }) } keys %got;
    $table->row(what => 'slot list over HTTP, 64 connections',
        against => 'pgbench, 8 clients', unit => '/s',
        value => $rate{gateway}, base => $rate{pgbench},
        ratio => ratio(\%got, 'gateway', 'pgbench'),
        must => '>= 0.55', aim => '>= 0.70');
    $table->row(what => 'slot list over HTTP, 64 connections',
        against => 'fastify + pg', unit => '/s',
        value => $rate{gateway}, base => $rate{peer},
        ratio => ratio(\%got, 'gateway', 'peer'),
        must => '>= 4', aim => '>= 6');
    $table->row(what => 'its p99', against => "fastify + pg's p99",
        unit => ' ms', value => median(@{ $p99{gateway} }),
        base => median(@{ $p99{peer} }),
        ratio => ratio(\%p99, 'gateway', 'peer'),
        must => '<= 0.15', aim => '<= 0.05');
};
