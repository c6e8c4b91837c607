#!/usr/bin/perl
#
# A booking over HTTP does not pay for NOTIFY, and the relay is woken all the
# same: soon, and once for many.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(patience wait_for);
use Time::HiRes qw(sleep time);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $http    = $clinic->http;
my $cluster = $clinic->cluster;
my $listener = $cluster->connect;
$listener->do('LISTEN bioecko_appt');
sub notified { my @all; while (my $n = $listener->pg_notifies) { push @all, $n }
    return @all }

my $slots = $http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
    date => '2026-03-16', branch_id => 'MUM-01' })->{json};
my @patient = map { $_->{patient_id} } @{
    $cluster->query('SELECT patient_id FROM appt.patient ORDER BY 1 LIMIT 20') };
sub book {
    my ($n) = @_;
    return $http->post('/api/v1/appointments', { patient_id => $patient[$n],
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $slots->[$n]{start_time} })->{status};
}

sleep 0.05;
notified();
is(book(0), 201, 'a booking');
my $start = time;
my @got;
wait_for { @got = notified() } 'the wake-up', 3;
cmp_ok(time - $start, '<', patience(0.8), 'wakes the relay before it would look itself');
is_deeply([ @{ $got[0] }[ 0, 2 ] ], [ 'bioecko_appt', '' ],
    'with a constant channel and nothing in it');

is(book($_), 201, "booking $_") for 1 .. 10;
sleep 0.2;
my $many = notified();
cmp_ok($many, '>=', 1, 'ten more wake it');
cmp_ok($many, '<=', 10, 'not more often than there are bookings');
$http->get('/api/v1/queue', { doctor_id => 'DOC-001' });
sleep 0.2;
is(notified() + 0, 0, 'a read wakes nobody');

# A plain SQL caller's own transaction does it, where somebody is to be told.
$cluster->psql(q{SELECT appt.create_webhook(url => 'https://example.com/')});
sleep 0.2;
notified();
$cluster->psql(q{SELECT appt.cancel(appointment_id, 'x') FROM appt.appointment
    WHERE slot_start = '} . $slots->[0]{start_time} . q{' AND status = 'booked'});
wait_for { notified() } 'the wake-up of SQL', 3;
pass('SQL wakes it too');

done_testing();
