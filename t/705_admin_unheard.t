#!/usr/bin/perl
#
# The gateway is killed after a booking or a move is committed, and before its
# answer is heard: the desk that sends it again is told what became of it, one
# that does not sees it; nothing is booked or moved twice, nothing is lost.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk);

my $now     = '2026-03-16T08:40:00+05:30';
my $clinic  = Appt::Clinic->new(clock => $now);
my $db      = $clinic->cluster;
my $gateway = $clinic->gateway;
my @patients = qw(PAT-2026-00125 PAT-2026-00126);

my $killed = 0;
my $seen = run_desk($clinic, 'admin_unheard.js', ['patients:read'], { role => 'reception',
        now => $now, patients => \@patients, wishes => {
            kill  => sub { $gateway->kill9; $killed++ },
            start => sub { $gateway->start },
        } });
is_deeply($seen->{complaints}, [], 'the browser complains of nothing else');
is($killed, 3, 'the gateway was killed each time');

sub events {
    return $db->value(q{SELECT string_agg(e.event_type, ' ' ORDER BY e.event_no)
        FROM appt.event e JOIN appt.appointment a USING (appointment_no)
        WHERE a.patient_id = $1 AND e.actor LIKE 'staff:%'}, $_[0]);
}
my %all = (booked => 201, moved => 200);
for my $what (sort keys %all) {
    my @sent = @{ $seen->{$what} };
    is(scalar @sent, 2, "$what, and sent again");
    like($sent[0]{key}, qr/^[0-9a-f]{32}$/, 'by a key');
    is($sent[1]{key}, $sent[0]{key}, 'by the same');
    is_deeply([ map {"$_->{status} $_->{replayed}"} @sent ],
        [ "$all{$what} ", "$all{$what} true" ], 'done once, and told again');
    is_deeply($sent[1]{body}, $sent[0]{body}, 'what became of it');
}
like($seen->{said}, qr/is booked for 10:00, token 1\./, 'the desk hears that it is booked');
like($seen->{saidMoved}, qr/is now on .*11:00/, 'and moved');
is(events($patients[0]), 'appointment.booked appointment.rescheduled', 'once each');
is(scalar @{ $seen->{left} }, 1, 'what is not sent again');
is(events($patients[1]), 'appointment.booked', 'is booked all the same');
is_deeply($seen->{shown}, [ sort map { $_->{appointment_id} } @{ $db->query(
    q{SELECT appointment_id FROM appt.appointment WHERE branch_id = 'MUM-01'
        AND token_date = '2026-03-16' AND status = 'booked'}) } ],
    'the calendar shows what there is');

done_testing();
