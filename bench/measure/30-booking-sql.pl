# Booking in SQL: everything that a booking does (rules, locks, token, both
# overlap constraints, event) against an INSERT of one row without any of it.

package Bench::Measure::BookingSql;

use strict;
use warnings;
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);

# A round's slots are its own: none is asked for twice.
sub book {
    my ($place, $given, %arg) = @_;
    my $most = 30000 * ($given->{SECONDS} + 1);
    my $run = pgbench($place, script => 'book', seconds => $given->{SECONDS},
        set => { base => $place->take('slots', $most) }, %arg);
    $place->{booked} += $run->{transactions};
    return $run->{tps};
}

# Every booking left its appointment, its token and its event.
sub check_bookings {
    my ($place) = @_;
    my $row = $place->cluster->row(<<'SQL', $place->{t0}, $place->{booked});
SELECT count(*) = $2 AS all_there,
	count(*) FILTER (WHERE e.event_type = 'appointment.booked') = $2
		AS all_told,
	(SELECT count(*) FROM (
		SELECT FROM appt.appointment AS t
		WHERE t.slot_start >= to_timestamp($1)
		GROUP BY t.doctor_no, t.token_date
		HAVING max(t.token_number) <> count(*)) AS g) = 0 AS no_token_missing
FROM appt.appointment AS a
LEFT JOIN appt.event AS e USING (appointment_no)
WHERE a.slot_start >= to_timestamp($1)
SQL
    $row->{$_} or die "after the bookings: not $_\n" for keys %$row;
    delete $place->cluster->{dbh};
}

sub {
    my ($place, $table, $given) = @_;
    my %quiet = ('bioecko_appt.notify' => 'off');
    my @side = map {
        my ($commit, $clients) = @$_;
        my %options = (%quiet, synchronous_commit => $commit);
        ("bare $commit $clients" => sub {
            pgbench($place, script => 'bare_insert', clients => $clients,
                seconds => $given->{SECONDS}, options => \%options,
                set => { base => 0 })->{tps};
        }, "book $commit $clients" => sub {
            book($place, $given, clients => $clients, options => \%options);
        });
    } (map { my $c = $_; map { [$c, $_] } 1, 16 } qw(on off));
    my %got = interleave($given->{ROUNDS}, @side);
    check_bookings($place);

    for my $commit (qw(on off)) {
        for ([1, '>= 0.36', '>= 0.45'], [16, '>= 0.26', '>= 0.34']) {
            my ($clients, $must, $aim) = @$_;
            my ($book, $bare) = map {"$_ $commit $clients"} qw(book bare);
            $table->row(
                what => "booking with event, SQL, $clients client"
                    . ($clients > 1 ? 's' : '')
                    . ($commit eq 'on' ? '' : ', async'),
                against => 'one-row INSERT', unit => '/s',
                value => median(@{ $got{$book} }),
                base  => median(@{ $got{$bare} }),
                ratio => ratio(\%got, $book, $bare),
                $commit eq 'on' ? (must => $must, aim => $aim) : ());
        }
    }
};
