# As fast as it books for a minute, with the relay and the log on: no error,
# and afterwards nothing is missing and nothing is there twice.

package Bench::Measure::Peak;

use strict;
use warnings;
use Appt::Util qw(wait_for);
use Bench::Http qw(gateway wrk);
use Bench::Webhook qw(sink endpoint no_endpoint relay);

# Each row is a promise that is broken.
my $invariants = <<'SQL';
SELECT 'two appointments of a doctor overlap'
FROM appt.appointment AS a
JOIN appt.appointment AS b ON b.doctor_no = a.doctor_no
	AND b.appointment_no <> a.appointment_no
	AND b.slot_start >= a.slot_start AND b.slot_start < a.slot_end
	AND b.status NOT IN ('cancelled', 'no_show')
WHERE a.slot_start >= to_timestamp($1)
	AND a.status NOT IN ('cancelled', 'no_show') AND a.lane = b.lane
UNION
SELECT 'a doctor-day''s tokens are not 1, 2, 3, …'
FROM appt.appointment AS a
WHERE a.token_date >= (to_timestamp($1) AT TIME ZONE 'Asia/Kolkata')::date
GROUP BY a.doctor_no, a.token_date
HAVING max(a.token_number) <> count(*)
	OR count(DISTINCT a.token_number) <> count(*)
UNION
SELECT 'an appointment has not one booked event'
FROM appt.appointment AS a
LEFT JOIN appt.event AS e ON e.appointment_no = a.appointment_no
	AND e.event_type = 'appointment.booked'
WHERE a.slot_start >= to_timestamp($1)
GROUP BY a.appointment_no
HAVING count(e.event_no) <> 1
SQL

sub {
    my ($place, $table, $given) = @_;
    my $sink = sink($place);
    endpoint($place, $sink);
    my $gateway = gateway($place);
    my $relay = relay($place);
    my $base = $place->take('slots', 30000 * $given->{PEAK_SECONDS});
    my $r = wrk($place, $gateway, script => 'book', base => $base,
        seconds => $given->{PEAK_SECONDS});
    my $cluster = $place->cluster;
    my $events = $cluster->psql('SELECT count(*) FROM appt.delivery');
    wait_for { ($sink->count)[0] >= $events } "$events webhooks", 180;
    wait_for {
        $cluster->psql("SELECT count(*) FROM appt.delivery "
                . "WHERE state = 'delivered'") == $events;
    } sub {
        'all deliveries to be marked: ' . join ', ', split /\n/,
            $cluster->psql(<<'SQL');
SELECT count(*), d.state, d.attempts, max(a.error)
FROM appt.delivery AS d
LEFT JOIN appt.delivery_attempt AS a
	ON a.delivery_no = d.delivery_no AND a.error IS NOT NULL
GROUP BY d.state, d.attempts
SQL
    }, 60;
    my $broken = $cluster->query($invariants, $place->{t0});
    die "after the peak: $broken->[0]{'?column?'}\n" if @$broken;
    delete $cluster->{dbh};
    die "$events events, $r->{requests} bookings answered\n"
        if $events < $r->{requests} || $events > $r->{requests} + 64;
    $relay->stop;
    no_endpoint($place);
    $table->row(what => "peak booking, $given->{PEAK_SECONDS} s, relay and log on",
        against => 'its p99', unit => '/s', value => $r->{rate},
        base => $r->{p99_ms}, base_unit => ' ms');
};
