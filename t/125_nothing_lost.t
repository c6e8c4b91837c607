#!/usr/bin/perl
#
# Bookings while the gateway, its connections or the server are killed: what
# was acknowledged is there, and a retry with its key books nothing twice.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(patience wait_for);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    cluster => { fsync => 1 },
    env => { APPT_RATE_LIMIT => 0, APPT_QUEUE_TIMEOUT_MS => 5000 });
my $cluster = $clinic->cluster;
my $gateway = $clinic->gateway;
my $token   = $clinic->http->{token};
my $json    = JSON::PP->new->utf8->canonical;
my @patient = map { $_->{patient_id} } @{
    $cluster->query('SELECT patient_id FROM appt.patient ORDER BY 1 LIMIT 80') };
my $round = 0;

# Free slots of a day that nobody has used yet, each with a patient and a key.
sub bookings {
    $round++;
    my $date = sprintf '2026-04-%02d', 6 + $round;
    my $slots = $clinic->http->get('/api/v1/appointments/slots', {
        doctor_id => 'DOC-001', branch_id => 'MUM-01', date => $date })->{json};
    my $n = 0;
    return map {
        { key => "round-$round-" . ++$n, body => $json->encode({
            patient_id => $patient[$n], doctor_id => 'DOC-001',
            branch_id => 'MUM-01', slot_start => $_->{start_time},
            slot_end => $_->{end_time} }), start => $_->{start_time} }
    } @$slots;
}

# Sends every booking on a connection of its own, and calls the code once a
# third is answered; gives each booking what was answered, if anything.
sub send_all {
    my ($do, @booking) = @_;
    my $select = IO::Select->new;
    my %of;
    for my $booking (@booking) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $gateway->port) or next;
        local $SIG{PIPE} = 'IGNORE';
        print {$socket} "POST /api/v1/appointments HTTP/1.1\r\nHost: x\r\n"
            . "Authorization: Bearer $token\r\nConnection: close\r\n"
            . "Idempotency-Key: $booking->{key}\r\n"
            . "Content-Type: application/json\r\nContent-Length: "
            . length($booking->{body}) . "\r\n\r\n$booking->{body}";
        $of{$socket} = $booking;
        $booking->{text} = '';
        $select->add($socket);
    }
    my $until = time + patience(20);
    while ($select->count && time < $until) {
        for my $socket ($select->can_read(1)) {
            sysread($socket, $of{$socket}{text}, 65536,
                length $of{$socket}{text}) or $select->remove($socket);
        }
        if ($do && @booking < 3 * grep { length $_->{text} } @booking) {
            $do->();
            $do = undef;
        }
    }
    for (@booking) {
        ($_->{status}) = $_->{text} =~ m{^HTTP/1\.1 (\d+)};
        ($_->{id}) = $_->{text} =~ /"appointment_id":"([^"]+)"/;
    }
}

sub nothing_lost {
    my ($what, $kill, $mend) = @_;
    my @booking = bookings();
    cmp_ok(scalar @booking, '>=', 10, "$what: there is enough to book");
    send_all($kill, @booking);
    my %acknowledged = map { $_->{key} => $_->{id} }
        grep { ($_->{status} // 0) == 201 } @booking;
    my $unsure = @booking - keys %acknowledged;
    diag sprintf '%s: %d acknowledged, %d not', $what, scalar keys %acknowledged,
        $unsure;
    $mend->();
    send_all(undef, @booking);
    is((grep { ($_->{status} // 0) != 201 } @booking), 0,
        "$what: every retry is answered 201")
        or diag explain [ map { [ @$_{qw(key status text)} ] }
            grep { ($_->{status} // 0) != 201 } @booking ];
    is_deeply({ map { $_->{key} => $_->{id} }
        grep { $acknowledged{ $_->{key} } } @booking }, \%acknowledged,
        "$what: what was acknowledged is what a retry gives");
    for my $booking (@booking) {
        my $count = $cluster->value('SELECT count(*) FROM appt.appointment
            WHERE slot_start = $1 AND doctor_id = $2 AND status = $3',
            $booking->{start}, 'DOC-001', 'booked');
        is($count, 1, "$what: $booking->{start} is booked once") if $count != 1;
    }
    is($cluster->value('SELECT count(DISTINCT token_number) = count(*)
        AND max(token_number) = count(*) FROM appt.appointment
        WHERE doctor_id = $1 AND token_date = $2::timestamptz::date
        AND status = $3', 'DOC-001', $booking[0]{start}, 'booked'), 1,
        "$what: the tokens are 1, 2, 3, … without a gap");
}

nothing_lost('the gateway is killed', sub { $gateway->kill9 },
    sub { $gateway->start });
nothing_lost('the gateway is stopped', sub { $gateway->signal('TERM') },
    sub { wait_for { !$gateway->alive } 'the end'; $gateway->start });
nothing_lost('its connections are cut', sub {
    $cluster->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE usename = 'bioecko_gateway'");
}, sub { wait_for { $clinic->http->get('/readyz')->{status} == 200 } 'ready' });
nothing_lost('the server is killed', sub { $cluster->kill9 }, sub {
    $cluster->start;
    wait_for { Appt::Http->new($gateway->url)->get('/readyz')->{status} == 200 }
        'the gateway to be ready';
});

done_testing();
