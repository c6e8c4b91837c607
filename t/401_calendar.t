#!/usr/bin/perl
#
# A branch's calendar is of one moment: while a slot is booked and given back
# over and over, it is free or has a visit, and never both nor neither.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(patience);
use DBD::Pg ':async';
use JSON::PP ();
use Time::HiRes qw(time);

my $clinic  = Appt::Clinic->new(clock => '2026-03-16T07:00:00+05:30');
my $cluster = $clinic->cluster;
my $start   = '2026-03-17T10:00:00+05:30';
my $busy    = $cluster->connect;

$busy->do(q{CREATE PROCEDURE public.book_again() LANGUAGE plpgsql AS $$
    DECLARE
        visit text;
    BEGIN
        LOOP
            visit := (appt.book('PAT-2026-00123', 'DOC-001', '2026-03-17T10:00:00+05:30',
                branch_id => 'MUM-01')).appointment_id;
            COMMIT;
            PERFORM appt.cancel(visit, 'Again');
            COMMIT;
        END LOOP;
    END $$});
$busy->do('CALL public.book_again()', { pg_async => PG_ASYNC });

my %seen = (free => 0, visit => 0, wrong => 0);
for (my $end = time + patience(20); time < $end && $seen{free} * $seen{visit} < 900;) {
    my $said = JSON::PP::decode_json($cluster->value(
        q{SELECT appt_api.calendar('MUM-01', '2026-03-17', NULL, 'DOC-001', true)}));
    my ($doctor) = @{ $said->{doctors} };
    my ($slot)   = grep { $_->{start_time} eq $start } @{ $doctor->{slots} };
    my $visits   = grep { $_->{slot_start} eq $start } @{ $doctor->{appointments} };

    if ($slot->{free} ? $visits == 0 && @{ $said->{patients} } == 0
        : $visits == 1 && $slot->{reason} eq 'taken' && @{ $said->{patients} } == 1)
    {
        $seen{ $slot->{free} ? 'free' : 'visit' }++;
    } else {
        $seen{wrong}++;
    }
}
$busy->pg_cancel;
is($seen{wrong}, 0, 'a slot is free or has a visit');
cmp_ok($seen{$_}, '>', 0, "it was seen so: $_, $seen{$_} times") for qw(free visit);

done_testing();
