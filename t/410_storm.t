#!/usr/bin/perl
#
# Many clients at once, at every isolation level, that book, hold, move,
# cancel, check in, call and displace at random: afterwards everything holds
# that must, and nobody was shown a deadlock or an internal error. And fifty
# bookings of one day at the same instant: numbers 1 to 50.
#
# Two things are PostgreSQL's own and cannot be hidden in a function: at
# SERIALIZABLE a transaction that is caught between two others fails with
# 40001, and a transaction of several calls can deadlock with another such.
# The clients here try again, as they must; so does their own plain SQL.
#
# APPT_TEST_SEED repeats the choices (not their timing), APPT_TEST_SECONDS
# makes the storm longer.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir temp_dir slurp);
use POSIX ();
use Time::HiRes qw(time sleep);

my $seed    = $ENV{APPT_TEST_SEED}    // int(rand 1e6);
my $seconds = $ENV{APPT_TEST_SECONDS} // 12;
my $clients = 24;
note "seed $seed, $clients clients, $seconds s";

my @levels = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');
my $c = Appt::Cluster->new(conf => { deadlock_timeout => '200ms' });
$c->create_extension->load(root_dir() . '/t/property/model.sql');
$c->freeze_clock('2026-03-15T20:00:00+05:30');
$c->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('MUM', 'Mumbai', 'Asia/Kolkata'), ('LON', 'London', 'Europe/London');
INSERT INTO appt.doctor (doctor_id, name, buffer_after_min)
SELECT 'D' || n, 'Dr ' || n, 5 * (n % 2) FROM generate_series(1, 4) n;
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, capacity)
SELECT d.doctor_id, s.branch, w, s.opens, s.closes, 1 + (d.doctor_no % 2)
FROM appt.doctor d, generate_series(1, 7) w,
	(VALUES ('MUM', '09:00'::time, '11:30'::time),
		('LON', '11:30', '13:30'), ('MUM', '22:00', '24:00'))
		s (branch, opens, closes);
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'P' || n, 'Patient' FROM generate_series(1, 60) n;
SELECT appt.create_webhook(url => 'https://example.org/hook');
SQL

# ---- fifty at the same instant ---------------------------------------------

for my $level (@levels) {
    subtest "50 bookings of one doctor's day at once, $level" => sub {
        $c->psql(<<'SQL');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('RUSH', 'Dr Rush');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, slot_min)
VALUES ('RUSH', 'MUM', 1, '08:00', '18:00', 10);
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'R' || n, 'Patient' FROM generate_series(1, 50) n;
SQL
        my @answer = at_once($level, 1 .. 50);
        if ($level eq 'SERIALIZABLE') {
            @answer = map { $answer[$_] =~ /^40001/
                ? at_once($level, $_ + 1) : $answer[$_] } 0 .. 49;
        }
        is(join(' ', sort { $a <=> $b } grep {/^\d+$/} @answer),
            join(' ', 1 .. 50), 'tokens 1 to 50, no gap, no double')
            or diag map {"$_\n"} grep { !/^\d+$/ } @answer;
        $c->psql(<<'SQL');
DELETE FROM appt.delivery;
DELETE FROM appt.event;
DELETE FROM appt.appointment;
DELETE FROM appt.doctor_day;
DELETE FROM appt.patient WHERE patient_id LIKE 'R%';
DELETE FROM appt.doctor WHERE doctor_id = 'RUSH';
SQL
    };
}

# ---- the storm -------------------------------------------------------------

my $dir = temp_dir();
my $until;
blow($seconds, 'single', \&one_call);
is(deadlocks(), 0, 'the order of locks lets none arise, not even one that is '
        . 'mended inside')
    or diag $c->log_text =~ /^.*deadlock detected\n(?:.*\n){12}/mg;
blow($seconds / 3, 'long', \&several_calls);

my (%answers, @shown);
for my $file (glob "$dir/*") {
    for (split /\n/, slurp($file)) {
        my ($call, $state, $message) = split /\t/;
        $answers{$state}++;
        push @shown, "$call: $state $message"
            if $state !~ /^(?:00000|SB...)$/ && $call !~ /DELETE/;
    }
}
note join ', ', map {"$answers{$_} $_"} sort keys %answers;
cmp_ok($answers{'00000'} // 0, '>', 50, 'much went through');
cmp_ok($answers{SB901} // 0, '>', 5, 'and the clients were in each other\'s way');

my @unexpected = grep { !/: 40001 / && !/^long .*: 40P01 / } @shown;
ok(!@unexpected, 'no deadlock and no internal error was shown')
    or diag map {"$_\n"} @unexpected[0 .. ($#unexpected > 9 ? 9 : $#unexpected)];
my @serialization = grep { /: 40001 / } @shown;
ok(!(grep { !/^\w+ serializable/ } @serialization),
    'a serialization failure only ever at SERIALIZABLE')
    or diag map {"$_\n"} grep { !/^\w+ serializable/ } @serialization;
note scalar(@serialization), ' serialization failures at SERIALIZABLE';

unlike($c->log_text, qr/PANIC|TRAP|terminated by signal|ERROR:  XX/,
    'the server\'s log is quiet');

# ---- what must hold --------------------------------------------------------

is($c->psql('SELECT prop.check_invariants()'), '',
    'no overlap, no patient twice, tokens dense');
none('every active appointment\'s place is within the capacity', <<'SQL');
SELECT a.appointment_id FROM appt.appointment a
WHERE a.status NOT IN ('cancelled', 'no_show') AND NOT a.override
	AND a.lane BETWEEN 2 AND 31
SQL
none('one event more than versions, and the last one is the row', <<'SQL');
SELECT a.appointment_id, a.version, e.*
FROM appt.appointment a
CROSS JOIN LATERAL (
	SELECT count(*) AS events, count(DISTINCT e.data::json->>'version') AS seen,
		max((e.data::json->>'version')::integer) AS last,
		(array_agg(e.data::json->>'status' ORDER BY event_no DESC))[1] AS status,
		(array_agg(e.data::json->>'token_number' ORDER BY event_no DESC))[1]
			AS token
	FROM appt.event e WHERE e.appointment_no = a.appointment_no) e
WHERE a.status <> 'held'
	AND (e.last <> a.version OR e.seen <> a.version OR e.status <> a.status
		OR e.token <> a.token_number::text)
SQL
none('each published event has one delivery', <<'SQL');
SELECT e.event_id, count(d.event_no)
FROM appt.event e LEFT JOIN appt.delivery d USING (event_no)
WHERE e.event_type = ANY (appt.webhook_event_types())
GROUP BY e.event_id HAVING count(d.event_no) <> 1
SQL
none('nothing that is booked lies in time off or a closure', <<'SQL');
SELECT a.appointment_id FROM appt.appointment a
JOIN appt.time_off o ON o.doctor_id = a.doctor_id
	AND o.starts_at < a.slot_end AND o.ends_at > a.slot_start
WHERE a.status IN ('booked', 'held') AND NOT a.override
UNION ALL
SELECT a.appointment_id FROM appt.appointment a
JOIN appt.closure o ON o.branch_id = a.branch_id
	AND o.starts_at < a.slot_end AND o.ends_at > a.slot_start
WHERE a.status IN ('booked', 'held') AND NOT a.override
SQL
none('a key made one appointment', <<'SQL');
SELECT client, route, key FROM appt.idempotency i
WHERE NOT EXISTS (SELECT FROM appt.appointment a WHERE a.appointment_id = i.id)
SQL

done_testing;

sub none {
    my ($what, $sql) = @_;
    my $found = $c->psql($sql);
    is($found, '', $what);
}

# So far, as the server counts them when every session has reported.
sub deadlocks {
    $c->psql('SELECT pg_stat_force_next_flush()');
    return $c->psql('SELECT deadlocks FROM pg_stat_database '
            . 'WHERE datname = current_database()');
}

# Books these slots of Dr Rush, each in a session of its own, all at once.
sub at_once {
    my ($level, @slot) = @_;
    require DBD::Pg;
    my @statement = map {
        my $dbh = $c->connect;
        $dbh->do("SET default_transaction_isolation = '\L$level'");
        $dbh->do(q{SELECT 1 FROM appt.available_slots('RUSH', '2026-03-16')});
        my $sth = $dbh->prepare(
            q{SELECT token_number FROM appt.book('R' || $1, 'RUSH',
                timestamptz '2026-03-16 07:50+05:30'
                    + $1::integer * interval '10 min', branch_id => 'MUM')},
            { pg_async => DBD::Pg::PG_ASYNC() });
        [$dbh, $sth, $_];
    } @slot;
    $_->[1]->execute($_->[2]) for @statement;
    return map {
        my ($dbh, $sth) = @$_;
        my $got = eval { $dbh->pg_result; ($sth->fetchrow_array)[0] };
        my $state = $dbh->state . " $@";
        $sth->finish;
        $dbh->disconnect;
        $got // $state;
    } @statement;
}

# A storm of so many seconds.
sub blow {
    my ($length, $kind, $step) = @_;
    $until = time + $length;
    my @pids = map { my $n = $_; fork // die "could not fork: $!\n" or do {
        my $ok = eval { client($n, $kind, $step); 1 };
        print STDERR $@ unless $ok;
        POSIX::_exit($ok ? 0 : 1);
    } } 1 .. $clients;
    my $ended = 0;
    for (@pids) {
        waitpid $_, 0;
        $ended++ if $? == 0;
    }
    is($ended, $clients, "$kind: every client came to its end");
}

# One client: a step after another, and what each answered.
sub client {
    my ($n, $kind, $step) = @_;
    srand($seed * 1000 + $n);
    open my $fh, '>', "$dir/$kind-$n" or die "$dir/$kind-$n: $!\n";
    my $dbh = $c->connect;
    $dbh->{RaiseError} = 0;
    my $level = $levels[$n % @levels];
    $dbh->do("SET default_transaction_isolation = '\L$level'");
    $dbh->do(q{SET client_min_messages = error});
    while (time < $until) {
        my ($call, $answer) = $step->($dbh);
        my ($code, $message) = $answer =~ /^(\w{5})\s*(.*)/s;
        $message =~ s/\s+/ /g;
        print {$fh} join("\t", "$kind \L$level\E " . substr($call, 0, 60),
            $code, $message), "\n";
    }
    $dbh->disconnect;
    close $fh;
}

# A transaction of one call.
sub one_call {
    my ($dbh) = @_;
    my ($call, @bind) = random_call();
    return ($call, run($dbh, $call, @bind));
}

# Of several, now and then rolled back.
sub several_calls {
    my ($dbh) = @_;
    my ($call, $answer);
    $dbh->begin_work;
    for (1 .. 3) {
        ($call, $answer) = one_call($dbh);
        last if $answer ne '00000';
    }
    if ($answer eq '00000' && rand() < 0.8) {
        $dbh->commit or $answer = $dbh->state . ' ' . $dbh->errstr;
    }
    else {
        $dbh->rollback;
    }
    return ($call, $answer);
}

sub run {
    my ($dbh, $call, @bind) = @_;
    return '00000' if defined $dbh->do($call, {}, @bind);
    return $dbh->state . ' ' . $dbh->errstr;
}

sub one_of { return $_[rand @_] }

sub random_call {
    my $doctor  = 'D' . (1 + int rand 4);
    my $patient = 'P' . (1 + int rand 60);
    my $slot = sprintf "timestamptz '2026-03-%02d %s+05:30'",
        16 + int rand 2, one_of('09:00', '09:15', '09:30', '09:45', '10:00',
            '10:30', '11:00', '17:00', '17:15', '18:00', '22:00', '23:45');
    my $branch = $slot =~ / 1[78]:/ ? 'LON' : 'MUM';
    my $some = sub { my ($where) = @_; "(SELECT appointment_id FROM "
            . "appt.appointment WHERE $where ORDER BY random() LIMIT 1)" };
    my $dice = rand;
    return ("SELECT appt.book(\$1, \$2, $slot, branch_id => \$3)",
        $patient, $doctor, $branch) if $dice < 0.30;
    return ("SELECT appt_api.book(\$1, \$2, \$3, $slot, NULL, NULL, NULL, NULL, "
            . 'NULL, false, NULL, $4, $5)', $patient, $doctor, $branch,
        ($_ = int rand 200), $_) if $dice < 0.36;
    return ("SELECT appt.hold(\$1, $slot, branch_id => \$2)", $doctor, $branch)
        if $dice < 0.40;
    return ('SELECT appt.book($1, h.doctor_id, h.slot_start, h.slot_end, '
            . 'h.branch_id, hold_id => h.appointment_id) FROM (SELECT * FROM '
            . "appt.appointment WHERE status = 'held' LIMIT 1) h", $patient)
        if $dice < 0.44;
    return ('SELECT appt.reschedule(' . $some->("status = 'booked'")
            . ", $slot, doctor_id => \$1, branch_id => \$2)", $doctor, $branch)
        if $dice < 0.66;
    return ('SELECT appt.cancel(' . $some->("status = 'booked'") . ', $1)',
        'Asked') if $dice < 0.78;
    return ('SELECT appt.' . one_of('confirm', 'check_in', 'no_show', 'start',
            'complete', 'undo_check_in') . '(' . $some->("status <> 'held'") . ')')
        if $dice < 0.86;
    return ('SELECT appt.walk_in($1, $2, $3)', $patient, $doctor, $branch)
        if $dice < 0.88;
    return ('SELECT appt.call_next($1)', $doctor) if $dice < 0.90;
    return ("SELECT appt.book(\$1, \$2, $slot, branch_id => \$3, "
            . 'override => true)', $patient, $doctor, $branch) if $dice < 0.92;
    return ('SELECT appt.expire()') if $dice < 0.93;
    return ("SELECT appt.add_time_off(\$1, $slot, $slot + interval '20 min', "
            . '$2, $3)', $doctor, 'Ill', one_of('refuse', 'move', 'cancel'))
        if $dice < 0.945;
    return ("SELECT appt.add_closure(\$1, $slot, $slot + interval '20 min', "
            . '$2, $3)', $branch, 'Holiday', one_of('refuse', 'move', 'cancel'))
        if $dice < 0.955;
    return ('DELETE FROM appt.time_off WHERE doctor_id = $1', $doctor)
        if $dice < 0.97;
    return ('DELETE FROM appt.closure') if $dice < 0.98;
    return ('SELECT count(*) FROM appt.available_slots($1, $2)', $doctor,
        '2026-03-16');
}
