# As fast as it books for a minute, with the relay and the log on: no answer but
# 201 and, where it is too much, 503 with Retry-After; afterwards nothing is
# missing and nothing is there twice. It says which statuses came.

package Bench::Measure::Peak;

use strict;
use warnings;
use Appt::Util qw(slurp wait_for);
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

my $CONNECTIONS = 64;

# Of the answered bookings: how many there are, how many of them are not there
# or were not delivered.
my $lost = <<'SQL';
SELECT count(DISTINCT a.id) AS answered,
	count(DISTINCT a.id) - count(DISTINCT e.event_no) AS missing
FROM unnest($1::text[]) AS a(id)
LEFT JOIN (
	SELECT k.event_no, k.data::json->>'appointment_id' AS appointment_id
	FROM appt.delivery AS d
	JOIN appt.event AS k ON k.event_no = d.event_no
	WHERE d.state = 'delivered') AS e ON e.appointment_id = a.id
SQL

# What was answered is there, once. There may be more: where the load ends,
# each connection has a booking under way.
sub check_answers {
    my ($cluster, $directory, $events, $requests) = @_;
    my @id = map { slurp($_) =~ /^(.+)$/mg } glob "$directory/*";
    my $r = $cluster->query($lost, \@id)->[0];
    die "$requests bookings answered, but $r->{answered} appointments\n"
        if @id != $requests || $r->{answered} != $requests;
    die "$r->{missing} bookings were answered and not delivered\n"
        if $r->{missing};
    die "$events bookings, but $requests answered\n"
        if $events > $requests + $CONNECTIONS;
}

# Every delivery has come and is marked; what is not, if that takes too long.
sub wait_until_delivered {
    my ($cluster, $sink, $deliveries) = @_;
    my $open = <<'SQL';
SELECT count(*), d.state, d.attempts, d.due_at <= now() AS due,
	min(d.lease_until), max(a.error)
FROM appt.delivery AS d
LEFT JOIN appt.delivery_attempt AS a
	ON a.delivery_no = d.delivery_no AND a.error IS NOT NULL
GROUP BY d.state, d.attempts, due
SQL
    wait_for { ($sink->count)[0] >= $deliveries } sub {
        "$deliveries webhooks, " . ($sink->count)[0] . ' came: '
            . join ', ', split /\n/, $cluster->psql($open);
    }, 60;
    wait_for {
        $cluster->psql("SELECT count(*) FROM appt.delivery "
                . "WHERE state <> 'delivered'") == 0;
    } sub {
        'all deliveries to be marked: ' . join ', ', split /\n/,
            $cluster->psql($open);
    }, 10;
}

sub {
    my ($place, $table, $given) = @_;
    my $sink = sink($place);
    endpoint($place, $sink);
    my $gateway = gateway($place);
    my $relay = relay($place);
    my $answers = $place->directory . '/answers';
    mkdir $answers or die "$answers: $!\n";
    my $base = $place->take('slots', 30000 * $given->{PEAK_SECONDS});
    my $r = wrk($place, $gateway, script => 'book', base => $base,
        seconds => $given->{PEAK_SECONDS}, clients => $CONNECTIONS,
        answers => $answers);
    my $ended = time;
    my $cluster = $place->cluster;
    my ($events, $deliveries) = split /\|/, $cluster->psql(<<'SQL');
SELECT count(*) FILTER (WHERE appointment_no IS NOT NULL), count(*)
FROM appt.delivery
SQL
    wait_until_delivered($cluster, $sink, $deliveries);
    my $drained_s = time - $ended;
    check_answers($cluster, $answers, $events, $r->{booked});
    my $broken = $cluster->query($invariants, $place->{t0});
    die "after the peak: $broken->[0]{'?column?'}\n" if @$broken;
    delete $cluster->{dbh};
    $relay->stop;
    no_endpoint($place);
    print "statuses at the peak: $r->{statuses}\n";
    $table->row(what => "peak booking, $given->{PEAK_SECONDS} s, relay and log on",
        against => "its p99; all sent $drained_s s later", unit => '/s',
        value => $r->{rate}, base => $r->{p99_ms}, base_unit => ' ms');
};
