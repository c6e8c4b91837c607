#!/usr/bin/perl
#
# A clinic in use, over REST and in SQL, while everything that can fail does:
# programs, backends and server killed and stopped, a full disk, a failing
# receiver, a clock that jumps. Afterwards each acknowledged change is there
# exactly once, nobody is booked beyond the capacity, no token was given twice,
# every event arrived and in order, and equal keys gave equal bytes.
#
# A minute of it; TORTURE_S=600 (make torture) goes on for longer, and
# APPT_TEST_SEED repeats the same choices, if not the same races.

use strict;
use warnings;

# A mount of the test's own goes with it, however it ends.
BEGIN {
    exec 'unshare', '--mount', '--propagation', 'private', $^X,
        (map {"-I$_"} @INC), $0
        if $> == 0 && !$ENV{APPT_TEST_UNSHARED}++
        && system("unshare --mount true 2>/dev/null") == 0;
}

use Test::More;
use Appt::Cluster;
use Appt::Program;
use Appt::Sink;
use Appt::Torture::Client;
use Appt::Torture::Fault;
use Appt::Torture::Oracle;
use Appt::Util qw(root_dir temp_dir wait_for);
use POSIX ();
use Time::HiRes qw(sleep time);

my $seconds = $ENV{TORTURE_S} || 60;
my $seed = $ENV{APPT_TEST_SEED} // int rand 1e6;
srand $seed;
note "seed $seed, $seconds s";

# ---- the clinic --------------------------------------------------------------

my $home = temp_dir();
my $disk = small_disk("$home/data", '700m');
my $cluster = Appt::Cluster->new(directory => "$home", fsync => 1, conf => {
    restart_after_crash => 'on', max_wal_size => '96MB',
    log_line_prefix => '%m [%p] %a %e ', deadlock_timeout => '200ms' });
$cluster->create_extension->create_logins
    ->load(root_dir() . '/t/property/model.sql');
$cluster->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('MUM', 'Mumbai', 'Asia/Kolkata'), ('PUN', 'Pune', 'Asia/Kolkata'),
	('LON', 'London', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name, slot_min)
SELECT 'D' || n, 'Dr ' || n, 10 FROM generate_series(1, 6) n;
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, capacity)
SELECT 'D' || n, CASE WHEN n < 4 THEN 'MUM' WHEN n < 6 THEN 'LON' ELSE 'PUN' END,
	w, '00:00', '24:00', CASE n WHEN 3 THEN 2 ELSE 1 END
FROM generate_series(1, 6) n, generate_series(1, 7) w;
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'P' || n, 'Patient' FROM generate_series(1, 150) n;
INSERT INTO appt.setting (name, value) VALUES ('cancellation_window_min', '0');
SQL
my $sink = Appt::Sink->new;
$cluster->query('SELECT appt.create_webhook(url => $1)', $sink->url('/hook'));
my $client = $cluster->row(q{SELECT client_id, client_secret
    FROM appt.create_client(name => 'Torture', scopes => ARRAY[
        'appointments:read', 'appointments:write', 'schedule:read',
        'schedule:manage'])});
my $gateway = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_RATE_LIMIT => 0 });
my $relay = Appt::Relay->new(cluster => $cluster, env => {
    APPT_RELAY_RETRY_SCHEDULE => '0' . ',0.3' x 30,
    APPT_RELAY_TIMEOUT_MS => 1500, APPT_RELAY_LEASE_MS => 4000,
    APPT_RELAY_POLL_MS => 200 });

# The directory can go once nothing is mounted in it, not before.
END {
    local $?;
    $_ && $_->stop for $relay, $gateway;
    $cluster->stop('immediate') if $cluster;
    wait_for { system("umount $disk 2>/dev/null") == 0 } 'umount' if $disk;
    undef $home;
}

# ---- the torture -------------------------------------------------------------

my $notes = temp_dir();
my $end = "$notes/end";
my $until = time + $seconds;
my @kinds = (('rest') x 5, ('sql') x 3);
my @clients = map { my $n = $_; fork // die "could not fork: $!\n" or do {
    my $ok = eval {
        Appt::Torture::Client->new(number => $n, over => $kinds[$n - 1],
            url => $gateway->url, client => $client, cluster => $cluster,
            directory => "$notes", seed => $seed)->run(sub { !-e $end });
        1;
    };
    print STDERR $@ unless $ok;
    POSIX::_exit($ok ? 0 : 1);
} } 1 .. @kinds;

my $fault = Appt::Torture::Fault->new(cluster => $cluster, gateway => $gateway,
    relay => $relay, sink => $sink, disk => $disk);
while (time < $until || $fault->has_plans) {
    $fault->strike;
    sleep 0.2 + rand 0.8;    # what came through is to be tortured next
}
$sink->behave;
open my $fh, '>', $end or die "$end: $!\n";
for (@clients) {
    waitpid $_, 0;
    is($?, 0, 'a client came to its end');
}
my $counts = $fault->counts;
note join ', ', map {"$_ $counts->{$_}"} sort keys %$counts;
note 'no small disk could be mounted: it was never full' unless $disk;
is(scalar(grep { $counts->{$_} } $fault->names), scalar $fault->names,
    'every fault struck');

# ---- the oracle --------------------------------------------------------------

wait_for { !grep { $_->{state} !~ /^(?:delivered|held)$/ } @{ $cluster->query(
    'SELECT DISTINCT state FROM appt.delivery') } }
    sub { 'the events to be delivered: ' . $cluster->psql('SELECT state, '
        . 'count(*), min(due_at) FROM appt.delivery GROUP BY 1') }, 120;

my $oracle = Appt::Torture::Oracle->new(cluster => $cluster, sink => $sink,
    files => [ glob "$notes/*.jsonl" ]);
my $statuses = $oracle->statuses;
note 'answers: ', join ', ', map {"$_ $statuses->{$_}"} sort keys %$statuses;
cmp_ok(scalar $oracle->acknowledgements, '>', 3 * $seconds,
    'much was acknowledged') and note scalar $oracle->acknowledgements;
cmp_ok(scalar $oracle->replays, '>', 0, 'and some of it asked for again');

none('each acknowledged change is there as it was answered',
    $oracle->acknowledged);
none('no two keys gave the same appointment', $oracle->booked_once);
none('equal keys gave equal bytes', $oracle->unequal_replays);
none('every request with a key was settled', $oracle->unsettled);
none('REST said nothing but what the contract has for it',
    $oracle->improper_answers);
none('SQL raised nothing but the engine\'s refusals', $oracle->improper_states);
none('every event arrived, and no other', $oracle->undelivered);
none('an appointment\'s events arrived in their order', $oracle->disordered);
none('nothing overlaps, no patient is twice anywhere, tokens are dense and '
    . 'never given twice', $oracle->found('SELECT prop.check_invariants()'));
none('never more at once than the capacity', $oracle->found(<<'SQL'));
SELECT a.appointment_id, count(*)
FROM appt.appointment a
JOIN appt.appointment b ON b.doctor_no = a.doctor_no
	AND b.slot_start <= a.slot_start AND b.slot_end > a.slot_start
	AND b.status NOT IN ('cancelled', 'no_show') AND b.lane < 32
WHERE a.status NOT IN ('cancelled', 'no_show') AND a.lane < 32
GROUP BY a.appointment_id, a.doctor_id
HAVING count(*) > CASE a.doctor_id WHEN 'D3' THEN 2 ELSE 1 END
SQL
none('each version has its event, and the last one is the row',
    $oracle->found(<<'SQL'));
SELECT a.appointment_id, a.version, e.*
FROM appt.appointment a
CROSS JOIN LATERAL (
	SELECT count(DISTINCT e.data::json->>'version') AS seen,
		max((e.data::json->>'version')::integer) AS last,
		(array_agg(e.data::jsonb ORDER BY event_no DESC))[1] AS data
	FROM appt.event e WHERE e.appointment_no = a.appointment_no) e
WHERE a.status <> 'held'
	AND (e.last <> a.version OR e.seen <> a.version
		OR e.data <> appt.appointment_json(a)::jsonb)
SQL
none('no event without its appointment', $oracle->found(<<'SQL'));
SELECT e.event_id FROM appt.event e
WHERE e.event_type ~ '^(appointment|visit)[.]' AND NOT EXISTS (
	SELECT FROM appt.appointment a WHERE a.appointment_no = e.appointment_no)
SQL
none('each published event has one delivery', $oracle->found(<<'SQL'));
SELECT e.event_id, e.event_type, count(d.event_no)
FROM appt.event e LEFT JOIN appt.delivery d USING (event_no)
WHERE e.event_type = ANY (appt.webhook_event_types())
GROUP BY 1, 2 HAVING count(d.event_no) <> 1
SQL
none('nobody is booked into time off or a closure', $oracle->found(<<'SQL'));
SELECT a.appointment_id FROM appt.appointment a
JOIN appt.time_off o ON o.doctor_id = a.doctor_id
	AND o.starts_at < a.slot_end AND o.ends_at > a.slot_start
WHERE a.status IN ('booked', 'held') AND a.lane < 32
UNION ALL
SELECT a.appointment_id FROM appt.appointment a
JOIN appt.closure o ON o.branch_id = a.branch_id
	AND o.starts_at < a.slot_end AND o.ends_at > a.slot_start
WHERE a.status IN ('booked', 'held') AND a.lane < 32
SQL
# A backend that starts while the disk is full cannot write PostgreSQL's cache of
# catalogs, and says so without saying why (relcache.c).
none('the server met nothing that it did not expect',
    grep {/TRAP|\bXX00[0-9]\b|terminated by signal (?!9\b)/}
    grep { !/No space left|PANIC|could not write init file/ && !/terminated by signal 6\b/ }
    split /\n/, $cluster->log_text);
none('the gateway never said 500', grep {/"status":500/}
    split /\n/, $gateway->log_text);
done_testing;

sub none {
    my ($what, @wrong) = @_;
    is(scalar @wrong, 0, $what)
        or diag map {"$_\n"} @wrong > 10 ? (@wrong[0 .. 9], '…') : @wrong;
}

# A file system of that size at a new directory; undef where none can be.
sub small_disk {
    my ($at, $size) = @_;
    mkdir $at;
    return undef unless $ENV{APPT_TEST_UNSHARED};
    return system('mount', '-t', 'tmpfs', '-o', "size=$size,mode=0700", 'appt',
        $at) == 0 ? $at : undef;
}
