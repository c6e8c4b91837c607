#!/usr/bin/perl
#
# A hot standby answers the reads: slots, why not, the queue. Its sessions see
# a change of the schedule as soon as it is replayed, cache or not; a booking
# there is told that it cannot write; and after a promotion it goes on where
# the primary stopped.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir wait_for);

my $primary = Appt::Cluster->new(conf => { hot_standby_feedback => 'on' });
$primary->create_extension->load(root_dir() . '/t/property/model.sql');
$primary->freeze_clock('2026-03-15T20:00:00+05:30');
$primary->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('MUM', 'Mumbai', 'Asia/Kolkata');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('D', 'Dr D');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'D', 'MUM', w, '09:00', '12:00' FROM generate_series(1, 7) w;
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'P' || n, 'Patient' FROM generate_series(1, 9) n;
SQL
my $standby = $primary->standby;

# One session of each, kept for the whole test: what they cache must not lie.
my $slots = q{SELECT count(*) FROM appt.available_slots('D', '2026-03-16')};
is(replayed($slots), 12, 'the slots of the morning');

for my $change (
    [ 'a booking', q{SELECT appt.book('P1', 'D', '2026-03-16 09:00+05:30')}, 11 ],
    [ 'more hours', q{UPDATE appt.working_hours SET end_time = '13:00'}, 15 ],
    [ 'time off', q{SELECT appt.add_time_off('D', '2026-03-16 12:00+05:30',
        '2026-03-16 13:00+05:30')}, 11 ],
    [ 'a closure', q{SELECT appt.add_closure('MUM', '2026-03-16 11:00+05:30',
        '2026-03-16 12:00+05:30')}, 7 ],
    [ 'a setting', q{INSERT INTO appt.setting (name, value)
        VALUES ('lead_time_min', '840')}, 4 ],
    [ 'none any more', 'DELETE FROM appt.setting', 7 ],
    [ 'TRUNCATE', 'TRUNCATE appt.closure, appt.time_off', 15 ]) {
    my ($what, $sql, $expected) = @$change;
    $primary->psql($sql);
    is($primary->value($slots), $expected, "$what: the primary");
    is(replayed($slots), $expected, "$what: the standby");
}

is($standby->value(q{SELECT appt.explain_slot('D', '2026-03-16 09:00+05:30')}),
    'Dr D is already booked at 16/03/2026 09:00.', 'it says why');
is($standby->value(q{SELECT patient_id FROM appt.queue('D', '2026-03-16')}),
    'P1', 'it has the queue');
like($standby->value(q{SELECT body FROM appt_api.slots('D', '2026-03-16', 'MUM',
    NULL, NULL)}), qr/^\[\{"start_time"/, 'it answers the gateway\'s reads');
is($standby->psql("BEGIN ISOLATION LEVEL REPEATABLE READ; $slots; COMMIT"), 15,
    'at repeatable read too');

for my $write (q{SELECT appt.book('P2', 'D', '2026-03-16 09:15+05:30')},
    q{SELECT appt.hold('D', '2026-03-16 09:15+05:30')},
    q{SELECT appt.cancel(appointment_id, 'Asked') FROM appt.appointment},
    q{SELECT appt.walk_in('P2', 'D')}) {
    my ($code, undef, $err) = $standby->try_psql("\\set VERBOSITY verbose\n$write");
    like($err, qr/25006|during recovery/, "read-only: $write");
}

# Promoted, it goes on.
$primary->stop;
$standby->psql('SELECT pg_promote()');
is($standby->value('SELECT pg_is_in_recovery()'), 0, 'it is promoted');
is($standby->value(q{SELECT token_number
    FROM appt.book('P2', 'D', '2026-03-16 09:15+05:30')}), 2,
    'the next number is the next');
is($standby->value(q{SELECT count(*) FROM (SELECT appointment_no
    FROM appt.appointment GROUP BY 1 HAVING count(*) > 1) x}), 0,
    'and every id is one of its own');
is($standby->psql('SELECT prop.check_invariants()'), '', 'everything holds');

done_testing;

# The standby's answer once it has replayed all that the primary wrote.
sub replayed {
    my ($sql) = @_;
    my $lsn = $primary->value('SELECT pg_current_wal_insert_lsn()');
    wait_for { $standby->value('SELECT pg_last_wal_replay_lsn() >= $1', $lsn) }
        'the standby to replay';
    return $standby->value($sql);
}
