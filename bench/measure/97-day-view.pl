# The calendar's day of 20 doctors with 40 slots each, half of them booked, in a
# browser whose processor is slowed down four times: from the button for the next
# day, which the page asks for ahead, from the one for the day before, which it does
# not, from a link on the page of today, and from the address, in another tab and in
# a browser that never showed a day, until all that is in sight is there and a free
# slot opens the dialog; what is out of sight is drawn after that.
# What the page's main thread works, without the slow-down and times four, is
# beside it: that does not depend on who else uses the machine.

package Bench::Measure::DayView;

use strict;
use warnings;
use Appt::Clinic;
use Appt::Node;
use Appt::SignIn;
use JSON::PP ();
use Bench::Rounds qw(median ratio);

my $SLOW = 4;

sub fill {
    my ($cluster, @days) = @_;
    $cluster->psql(q{
DELETE FROM appt.working_hours WHERE branch_id = 'MUM-01';
INSERT INTO appt.doctor (doctor_id, name, specialty)
SELECT 'DAY-' || n, 'Dr Day ' || n, 'General medicine'
FROM generate_series(1, 20) AS n;
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time,
	end_time, slot_min)
SELECT 'DAY-' || n, 'MUM-01', d, '09:00', '19:00', 15
FROM generate_series(1, 20) AS n, generate_series(1, 7) AS d;
INSERT INTO appt.patient (first_name, last_name, branch_id)
SELECT 'Day', 'Patient ' || n, 'MUM-01' FROM generate_series(1, 800) AS n});
    for my $day (@days) {
        $cluster->psql(qq{
SELECT count((appt.book(p.patient_id, s.doctor_id, s.start_time,
	branch_id => 'MUM-01')).appointment_id)
FROM (SELECT d.doctor_id, s.start_time, row_number() OVER () AS n
	FROM appt.doctor d, appt.available_slots(d.doctor_id, '$day', 'MUM-01') s
	WHERE d.doctor_id LIKE 'DAY-%') AS s
JOIN (SELECT patient_id, row_number() OVER () AS n FROM appt.patient
	WHERE first_name = 'Day') AS p USING (n)
WHERE s.n % 2 = 0});
    }
}

sub look {
    my ($node, $clinic, @days) = @_;
    my ($code, $out, $err) = $node->run('day_view.js', JSON::PP->new->encode({
        %{ Appt::SignIn::account($clinic, role => 'reception') },
        url => $clinic->gateway->url, days => \@days, slow => $SLOW,
        cells => 800 }));
    die "the browser failed: $err" if $code;
    my $seen = JSON::PP->new->utf8->decode($out);
    die "$seen->{failed}\n" if $seen->{failed};
    return $seen;
}

sub {
    my ($place, $table, $given) = @_;
    my @days = qw(2026-03-17 2026-03-18);
    my $clinic = Appt::Clinic->new(clock => '2026-03-16T08:00:00+05:30');
    fill($clinic->cluster, @days);
    my $node = Appt::Node->new('t/web') // die "npm is not installed\n";
    my @seen = map { look($node, $clinic, @days) } 1 .. $given->{ROUNDS};
    for my $way ([ next => 'next day' ], [ back => 'day before' ], [ link => 'from Today' ]) {
        my ($name, $what) = @$way;
        my $ms  = median(map { $_->{slow}{$name}{ms} } @seen);
        my $cpu = median(map { $SLOW * $_->{cpu}{$name}{TaskDuration} } @seen);
        $table->row(what => "day of 20 x 40 slots, $what, CPU / $SLOW",
            against => "$SLOW x its main thread", unit => ' ms', value => $ms,
            base => $cpu, judge => $ms, must => '<= 1000');
    }
    my %ms;
    for my $name (qw(again address plain)) {
        $ms{$name} = [ map { $_->{slow}{$name}{ms} } @seen ];
    }
    for my $way ([ again => 'another tab' ], [ address => 'from the address' ]) {
        my ($name, $what) = @$way;
        $table->row(what => "day of 20 x 40 slots, $what, CPU / $SLOW",
            against => 'the same page without a script', unit => ' ms',
            value => median(@{ $ms{$name} }), base => median(@{ $ms{plain} }),
            ratio => ratio(\%ms, $name, 'plain'), must => '<= 2.5', aim => '<= 2');
    }
};
