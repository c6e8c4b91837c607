#!/usr/bin/perl
#
# Thousands of bookings in one statement: the server's lock table, here as small
# as it can be, is not what bounds them, nor is memory.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(slurp);

my $c = Appt::Cluster->new(conf => {
    max_connections => 20, max_worker_processes => 2, max_wal_senders => 0 });
$c->create_extension;
$c->psql('ALTER SYSTEM SET max_locks_per_transaction = 10');
$c->restart;
$c->freeze_clock('2026-03-15T20:00:00Z');
$c->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone) VALUES ('B', 'Branch', 'UTC');
INSERT INTO appt.doctor (doctor_id, name)
SELECT 'D' || n, 'Dr' FROM generate_series(0, 19) n;
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time, end_time)
SELECT doctor_id, 'B', w, '09:00', '12:00' FROM appt.doctor, generate_series(1, 7) w;
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'P' || n, 'Patient' FROM generate_series(0, 2399) n;
SQL

my $dbh = $c->connect;
my $pid = $dbh->selectrow_array('SELECT pg_backend_pid()');
$dbh->do(q{SELECT appt.available_slots('D0', '2026-03-16')});
my $before = resident();
my $booked = $dbh->selectrow_array(<<'SQL');
SELECT count(b.token_number)
FROM generate_series(0, 2399) n,
	appt.book('P' || n, 'D' || n % 20, '2026-03-16 09:00Z'::timestamptz
		+ n / 20 % 40 * interval '1 day' + n / 800 * interval '15 minutes') b
SQL
is($booked, 2400, '2,400 patients on 800 doctor-days in one statement');
cmp_ok(resident() - $before, '<', 24, 'in little memory (MB)');
is($c->psql(<<'SQL'), 800, 'each day has its three tokens');
SELECT count(*) FROM appt.doctor_day d
WHERE last_token = 3 AND (
	SELECT array_agg(token_number ORDER BY token_number) FROM appt.appointment a
	WHERE a.doctor_no = d.doctor_no AND a.token_date = d.on_date) = '{1,2,3}'
SQL

# While it runs, one that books on the same day waits for its end and goes on.
$dbh->begin_work;
$dbh->do(<<'SQL');
SELECT appt.book('P' || n, 'D' || n % 20, '2026-05-10 09:00Z'::timestamptz
	+ n / 20 * interval '1 day')
FROM generate_series(0, 399) n
SQL
my $other = $c->connect;
require DBD::Pg;
$other->do(q{SELECT token_number FROM appt.book('P2399', 'D19', '2026-05-29 09:15Z')},
    { pg_async => DBD::Pg::PG_ASYNC() });
my $waits = sub { $c->psql(q{SELECT count(*) FROM pg_locks WHERE NOT granted}) };
for (1 .. 600) {
    last if $waits->();
    select undef, undef, undef, 0.1;
}
is($waits->(), 1, 'who books on one of its days waits');
$dbh->do(q{SELECT appt.book('P2398', 'D19', '2026-05-29 09:30Z')});
$dbh->commit;
is($other->pg_result, 1, 'and goes on when it ends');
is($c->psql(q{SELECT token_number FROM appt.appointment
    WHERE patient_id = 'P2399' AND token_date = '2026-05-29'}), 3,
    'with the next number');

# A session has room for sixteen locks on relations (more since PostgreSQL 18)
# before it needs the table that all share.  A booking whose patient is told has
# the most of them when its message is written.  The first of a session plan
# their statements and load the schedule, and need more.
$c->psql(<<'SQL');
INSERT INTO appt.notification_channel (channel_id, kind, settings, secret)
VALUES ('sms', 'sms', '{"url": "https://h/", "body": {"to": "{{to}}"}}', 's');
CREATE TABLE public.shared (locks integer);
CREATE FUNCTION public.count_shared() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO public.shared
	SELECT count(*)
	FROM pg_locks l
	JOIN pg_class r ON r.oid = l.relation
	WHERE l.pid = pg_backend_pid() AND NOT l.fastpath
		AND r.relnamespace = 'appt'::regnamespace;
	RETURN NULL;
END
$$;
CREATE TRIGGER count_shared AFTER INSERT ON appt.notification
	FOR EACH ROW EXECUTE FUNCTION public.count_shared();
SQL
$other->do(qq{SELECT appt.book('P$_', 'D1', '2026-05-$_ 09:45Z')}) for 10 .. 19;
is($c->psql(<<'SQL'), '10 0', 'a booking that is told needs no shared lock');
SELECT concat_ws(' ', count(*), min(locks)) FROM public.shared
SQL

done_testing;

# What the session has resident of its own, in MB, at its highest.
sub resident {
    my ($kb) = slurp("/proc/$pid/smaps_rollup") =~ /^Anonymous: +(\d+)/m;
    return $kb / 1024;
}
