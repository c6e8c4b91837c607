#!/usr/bin/perl
#
# A country changes its clocks: the server gets new data of a time zone under
# booked visits. Old sessions are told, the visits are listed and put right.
# The data are a private copy, bound over the system's in a mount namespace.

use strict;
use warnings;
use Test::More;
use Cwd qw(abs_path);

BEGIN {
    my $zones = '/usr/share/zoneinfo';
    plan skip_all => 'needs unshare, zic and the right to mount'
        if system("unshare -m sh -c 'mount --bind $zones $zones' "
            . '>/dev/null 2>&1') != 0 || system('which zic >/dev/null') != 0;
    if (!$ENV{APPT_TEST_ZONES}) {
        require File::Temp;
        my $copy = File::Temp::tempdir(CLEANUP => 0);
        $ENV{APPT_TEST_ZONES} = $copy;
        exec 'unshare', '-m', 'sh', '-c',
            "cp -a $zones/. $copy && mount --bind $copy $zones && "
            . '"$@"; rc=$?; umount ' . $zones . '; rm -rf ' . $copy
            . '; exit $rc', 'sh', $^X, (map {"-I$_"} @INC), abs_path($0);
    }
}

use Appt::Cluster;
use Appt::Util qw(wait_for);

my $cluster = Appt::Cluster->new->create_extension;
$cluster->freeze_clock('2026-03-10T12:00:00-07:00');
$cluster->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('VAN', 'Vancouver', 'America/Vancouver');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('D', 'Dr D');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'D', 'VAN', w, '09:00', '12:00' FROM generate_series(1, 7) w;
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'P' || n, 'Patient' FROM generate_series(1, 3) n;
SELECT appt.book('P1', 'D', '2026-03-16 10:00-07'),
	appt.book('P2', 'D', '2026-03-16 11:00-07');
SQL

my $old = $cluster->connect;
my $first = q{SELECT to_char(min(start_time) AT TIME ZONE 'UTC', 'HH24:MI')
    FROM appt.available_slots('D', '2026-03-16')};
is($old->selectrow_array($first), '16:00', 'nine o\'clock by the old law');

# The law: an hour less than before, all year.
my $source = "$ENV{APPT_TEST_ZONES}/law";
open my $fh, '>', $source or die "$source: $!\n";
print {$fh} "Zone America/Vancouver -6:00 - CST\n";
close $fh or die "$source: $!\n";
unlink "$ENV{APPT_TEST_ZONES}/America/Vancouver";
is(system('zic', '-d', $ENV{APPT_TEST_ZONES}, $source), 0, 'new data');

is($old->selectrow_array($first), '16:00', 'a session keeps what it has read');
is($cluster->psql($first), '15:00', 'a new one has the new law');
is($cluster->psql('SELECT as_booked, reads_now FROM appt.clock_changes()'),
    "2026-03-16 10:00:00|2026-03-16 11:00:00\n"
    . "2026-03-16 11:00:00|2026-03-16 12:00:00",
    'visits whose clock changed');
is($cluster->psql(q{SELECT ok FROM appt.health()
    WHERE check_name = 'wall_clocks'}), 'f', 'health says so');

my $now = $cluster->psql('SELECT extract(epoch FROM clock_timestamp())::bigint + 1');
$cluster->psql("LOAD 'bioecko_appt';\nALTER SYSTEM SET bioecko_appt.zone_data_since = $now");
$cluster->psql('SELECT pg_reload_conf()');
ok(wait_for(sub {
    !eval { local $old->{PrintError} = 0; $old->selectrow_array($first); 1 };
}, 'the old session to end'), 'the old session ends');
like($old->errstr, qr/began before the server got its time zone data/,
    'and says why');
wait_for(sub { time > $now }, 'the next second');
is($cluster->psql($first), '15:00', 'the next one works');

is($cluster->psql(q{SELECT count(*), count(refusal)
    FROM appt.restore_clock('The law was changed')}), '2|0', 'put right');
is($cluster->psql(q{SELECT string_agg(to_char(slot_start AT TIME ZONE 'UTC',
    'HH24:MI'), ' ' ORDER BY slot_start) FROM appt.appointment}),
    '16:00 17:00', 'to the instants at which the clock shows what was booked');
is($cluster->psql('SELECT count(*) FROM appt.clock_changes()'), 0,
    'nothing is left');

done_testing;
