package Appt::Backup;

# What the tests of backup and restore share: a clinic with a row of every
# kind, what it holds, and whether a copy of it goes on working.
#
#   my $clinic = Appt::Backup->new;          # clinic, sink; no relay runs
#   my %before = $clinic->state;
#   $clinic->same($copy, 'what it is');      # rows and counters, as a subtest
#   $clinic->goes_on($copy);                 # numbers, tokens, keys, outbox
#   $clinic->copy_roles($cluster);           # by pg_dumpall
#   succeeds('pg_dump', ...);                # a test: the command ends well
#
# A copy is another Appt::Cluster, or a database: copy => { cluster, dbname }.

use strict;
use warnings;
use Appt::Cluster;
use Appt::Program;
use Appt::Sink;
use Appt::Util qw(root_dir run_command wait_for);
use Exporter qw(import);
use Test::More;

our @EXPORT_OK = qw(succeeds on);

sub new {
    my ($class, %arg) = @_;
    my $cluster = Appt::Cluster->new(%arg)->create_extension->create_logins;
    my $self = bless { cluster => $cluster, sink => Appt::Sink->new }, $class;
    $self->_fill;
    $self->{tables} = [split /\n/, $cluster->psql(<<'SQL')];
SELECT unnest(extconfig)::regclass
FROM pg_extension
WHERE extname = 'bioecko_appt'
INTERSECT
SELECT oid::regclass
FROM pg_class
WHERE relkind = 'r'
ORDER BY 1
SQL
    $self->remember;
    return $self;
}

# What a copy is compared with is the clinic as it is now.
sub remember {
    my ($self) = @_;
    $self->{state} = { $self->state_of($self->{cluster}) };
    return;
}

sub cluster { $_[0]{cluster} }
sub sink    { $_[0]{sink} }
sub tables  { @{ $_[0]{tables} } }

# The clinic, or a copy of it, in another database of a cluster.
sub on {
    my ($cluster, $database) = @_;
    return bless { %$cluster, database => $database, dbh => undef,
        owner => 0 }, ref $cluster;
}

# Events that were delivered before anybody makes a backup, then what the demo
# has not: every kind of row, and what a trigger or a constraint might stop.
sub _fill {
    my ($self) = @_;
    my ($cluster, $sink) = @$self{qw(cluster sink)};
    $cluster->freeze_clock('2026-03-16T07:00:00+05:30');
    $cluster->value(q{SELECT webhook_id FROM appt.create_webhook(url => $1)},
        $sink->url('/hook'));
    $cluster->load(root_dir() . '/demo/clinic.sql');
    $self->_deliver;
    $cluster->freeze_clock('2026-03-16T08:30:00+05:30');
    $cluster->psql(awkward_data());

    # What belongs to the running programs stays behind.
    my ($code, $key, $err) = run_command(['openssl', 'genpkey', '-quiet',
        '-algorithm', 'RSA']);
    die "openssl: $err" if $code;
    $cluster->value('INSERT INTO appt.signing_key (kid, private_pem) '
            . 'VALUES ($1, $2) RETURNING kid', 'kid', $key);
    return;
}

sub _deliver {
    my ($self) = @_;
    my $relay = Appt::Relay->new(cluster => $self->{cluster});
    wait_for {
        $self->{cluster}->value(q{SELECT NOT EXISTS (SELECT FROM appt.delivery
            WHERE state IN ('pending', 'in_flight'))});
    } 'the demo\'s events to be delivered', 120;
    $relay->stop or die "the relay did not end\n";
    $self->{sent} = { map { $_->{headers}{'webhook-id'} => 1 }
        $self->{sink}->requests(path => '/hook') };
    return;
}

sub awkward_data {
    return <<'SQL';
-- Time off and a closure over what was booked on purpose or is there already.
INSERT INTO appt.doctor (doctor_id, name) VALUES ('DOC-X', 'Dr Awkward');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, capacity)
VALUES ('DOC-X', 'MUM-01', 1, '08:00', '20:00', 2);
INSERT INTO appt.extra_session
	(doctor_id, branch_id, on_date, start_time, end_time)
VALUES ('DOC-X', 'MUM-01', '2026-03-21', '08:00', '24:00');
SELECT appt.add_time_off('DOC-X', '2026-03-16 08:40+05:30',
	'2026-03-16 09:40+05:30', 'Theatre');
SELECT appt.book('PAT-2026-00101', 'DOC-X', '2026-03-16 08:45+05:30',
	branch_id => 'MUM-01', override => true);
-- Operating hours, of which a dump of INSERTs has one weekday's after another.
INSERT INTO appt.operating_hours (branch_id, weekday, opens, closes)
SELECT 'LON-01', day, '08:00', '20:00' FROM generate_series(1, 7) day;
INSERT INTO appt.closure (branch_id, starts_at, ends_at, reason)
VALUES ('LON-01', '2026-03-22 00:00+00', '2026-03-23 00:00+00', 'Works');
SELECT appt.book('PAT-2026-00109', 'DOC-005', '2026-03-22 10:00+00',
	branch_id => 'LON-01', override => true);
-- A walk-in who is still inside when the time off begins.
SELECT appt.walk_in('PAT-2026-00102', 'DOC-X', 'MUM-01');
-- A no-show whose slot lies in time off that came later, and who came back.
SET bioecko_appt.clock = '2026-03-16T10:00:00+05:30';
SELECT appt.no_show(appointment_id) FROM appt.book('PAT-2026-00103', 'DOC-X',
	'2026-03-16 10:00+05:30', branch_id => 'MUM-01', override => true);
SELECT appt.add_time_off('DOC-X', '2026-03-16 09:50+05:30',
	'2026-03-16 10:20+05:30', 'Ward round');
SELECT appt.check_in(appointment_id) FROM appt.appointment
WHERE patient_id = 'PAT-2026-00103' AND doctor_id = 'DOC-X';
RESET bioecko_appt.clock;
-- In the consultation, and one that was; a no-show that stays one.
SELECT appt.start(appointment_id)
FROM appt.walk_in('PAT-2026-00110', 'DOC-001', 'MUM-01');
SELECT appt.complete(appointment_id)
FROM appt.walk_in('PAT-2026-00111', 'DOC-001', 'MUM-01');
-- Both lanes, a hold, one that is cancelled, one that was moved away.
SELECT appt.book(p, 'DOC-X', '2026-03-16 11:00+05:30', branch_id => 'MUM-01')
FROM unnest('{PAT-2026-00104,PAT-2026-00105}'::text[]) p;
SELECT appt.hold('DOC-X', '2026-03-16 12:00+05:30', branch_id => 'MUM-01');
SELECT appt.cancel(appointment_id, 'Asked') FROM appt.book('PAT-2026-00106',
	'DOC-X', '2026-03-16 13:00+05:30', branch_id => 'MUM-01');
SELECT appt.reschedule(appointment_id, '2026-03-21 23:45+05:30')
FROM appt.book('PAT-2026-00107', 'DOC-X', '2026-03-16 13:00+05:30',
	branch_id => 'MUM-01', idempotency_key => 'kept');
-- Retired: a doctor, a patient and a visit type that appointments name, a
-- branch without any more; settings of all three scopes; text of all kinds.
UPDATE appt.doctor SET active = false WHERE doctor_id = 'DOC-006';
UPDATE appt.patient SET active = false, first_name = E'Ü\t"''\\ \U0001F600'
WHERE patient_id = 'PAT-2026-00104';
UPDATE appt.visit_type SET active = false WHERE visit_type = 'follow_up';
INSERT INTO appt.branch (branch_id, name, time_zone, active)
VALUES ('OLD', 'Old', 'America/New_York', false);
INSERT INTO appt.closure (branch_id, starts_at, ends_at)
VALUES ('OLD', '-infinity', 'infinity');
INSERT INTO appt.setting (name, branch_id, doctor_id, value)
VALUES ('hold_min', NULL, NULL, '7'), ('hold_min', 'MUM-01', NULL, '8'),
	('hold_min', NULL, 'DOC-X', '9');
INSERT INTO appt.patient (first_name) VALUES ('Numbered');
SELECT appt.create_client('Kept', branch_ids => '{MUM-01}', id => 'c_kept');
SELECT appt.create_board('MUM-01', 'Waiting room');
SELECT appt.create_staff('kept', 'Kept', 'doctor', '$y$hash', '{MUM-01}', 'DOC-X');
INSERT INTO appt.patient_access (patient_id, actor, call)
VALUES ('PAT-2026-00123', 'staff:kept', 'profile');
INSERT INTO appt.staff_recovery_code (staff_id, code_hash)
SELECT staff_id, sha256('x') FROM appt.staff;
-- A way to tell patients, what one wants of it, what was told.
INSERT INTO appt.notification_channel (channel_id, kind, settings, secret,
	active)
VALUES ('mail', 'email', '{"host": "h.example", "from": "a@b.example"}', 's',
	false);
INSERT INTO appt.notification_report (channel_no, provider_id, state)
SELECT channel_no, 'p-1', 'read' FROM appt.notification_channel;
INSERT INTO appt.notification_preference
VALUES ('PAT-2026-00104', '{sms,email}');
INSERT INTO appt.setting (name, value)
VALUES ('public_url', 'https://visits.clinic.example');
INSERT INTO appt.page_text (language, name, text)
VALUES ('en', 'contact', 'Call us');
INSERT INTO appt.notification_opt_out (patient_id, channel, event, way)
VALUES ('PAT-2026-00104', 'sms', 'reminder', 'desk');
WITH told AS (
	INSERT INTO appt.notification (appointment_no, event, slot_start, state,
		reason, finished_at)
	SELECT appointment_no, 'booked', slot_start, 'failed', '550 no',
		booked_at
	FROM appt.appointment WHERE patient_id = 'PAT-2026-00104'
	RETURNING notification_no)
INSERT INTO appt.notification_attempt
SELECT notification_no, 1, '2026-03-16 08:00+05:30', 12, 550, 'refused',
	'550 no'
FROM told;
SELECT state FROM appt.test_channel('mail', 'desk@clinic.example');
-- A place that is offered, and its message.
SELECT appt_internal.write_offer_message(offer_no, NULL)
FROM appt.offer('PAT-2026-00113', 'DOC-X', '2026-03-16 16:00+05:30',
	branch_id => 'MUM-01');
-- Endpoints: one with two secrets, one that is disabled and holds what came
-- since, one with a replay that is not at its end; a delivery given up.
SELECT appt.rotate_webhook_secret(webhook_id) FROM appt.webhook;
SELECT appt.create_webhook(url => 'https://example.org/held');
SELECT appt.disable_webhook(webhook_id) FROM appt.webhook
WHERE url LIKE '%/held';
SELECT appt.create_webhook(url => 'https://example.org/replayed');
INSERT INTO appt.webhook_replay (webhook_no, since, next_event_no,
	last_event_no, requested_at)
SELECT w.webhook_no, '2026-03-01', 2, 30, '2026-03-16 08:00+05:30'
FROM appt.webhook w WHERE w.url LIKE '%/replayed';
UPDATE appt.delivery
SET state = 'dead', finished_at = '2026-03-16 08:00+05:30', attempts = 10
WHERE delivery_no = (SELECT max(delivery_no) FROM appt.delivery
	WHERE state = 'delivered');
SELECT appt.cancel(appointment_id, 'Held') FROM appt.book('PAT-2026-00112',
	'DOC-X', '2026-03-16 15:00+05:30', branch_id => 'MUM-01');
SQL
}

# Rows and a digest of each table, and the value of each counter.
sub state_of {
    my ($self, $c) = @_;
    my $sql = join "\nUNION ALL\n", (map {
        "SELECT '$_', count(*) || ' ' || md5(coalesce(string_agg(t::text, "
            . "E'\\n' ORDER BY t::text), '')) FROM $_ t" } $self->tables),
        "SELECT sequencename::text, format('%s by %s', last_value, "
            . "increment_by) FROM pg_sequences WHERE schemaname = 'appt'";
    return map { split /\|/, $_, 2 } split /\n/, $c->psql($sql);
}

# The roles of the clinic's cluster, into another cluster, before a restore.
sub copy_roles {
    my ($self, $cluster) = @_;
    my $roles = succeeds("$cluster->{bindir}/pg_dumpall", '--roles-only',
        '--dbname=' . $self->{cluster}->dsn);
    $cluster->psql($roles =~ s/^(?:CREATE|ALTER) ROLE postgres\b.*//gmr,
        dbname => 'postgres');
    return;
}

# Whether the copy has every row and counter, and nothing dangles.
sub same {
    my ($self, $copy, $what) = @_;
    my %copied = $self->state_of($copy);
    is_deeply(\%copied, $self->{state}, $what // 'every row and every counter');
    is($copy->psql('SELECT * FROM appt.check_rows()'), '',
        'and none refers to nothing');
    return;
}

# What was there goes on: the next number, no repeated event, a key that is
# known, a guard that stands.
sub goes_on {
    my ($self, $c) = @_;
    my $deliveries = $c->psql('SELECT count(*) FROM appt.delivery');
    my $last = $c->psql(q{SELECT last_token
        FROM appt.doctor_day JOIN appt.doctor USING (doctor_no)
        WHERE doctor_id = 'DOC-X' AND on_date = '2026-03-16'});
    my $highest = $c->psql('SELECT max(appointment_no) FROM appt.appointment');
    my ($token, $number) = split /\|/, at('08:31', $c, q{SELECT token_number,
        appointment_no FROM appt.book('PAT-2026-00108', 'DOC-X',
        '2026-03-16 14:00+05:30', branch_id => 'MUM-01')});
    is($token, $last + 1, 'the next booking has the next token');
    cmp_ok($number, '>', $highest, 'and a number of its own');
    is($c->psql('SELECT count(*) FROM appt.delivery'), $deliveries + 3,
        'each endpoint is told of it, and of nothing again');
    is(at('08:31', $c, q{SELECT reschedule_count FROM appt.book(
        'PAT-2026-00107', 'DOC-X', '2026-03-16 13:00+05:30',
        branch_id => 'MUM-01', idempotency_key => 'kept')}), '1',
        'a key from before is known, and answered with what became of it');
    is($c->psql('SELECT count(*) FROM appt.delivery'), $deliveries + 3,
        'which made nothing new');
    my ($code) = $c->try_psql('DROP EXTENSION bioecko_appt');
    isnt($code, 0, 'and the clinic cannot be dropped by mistake');
    return;
}

# A statement at a time of the frozen day, whatever the server's clock says.
sub at {
    my ($time, $c, $sql) = @_;
    return $c->psql("LOAD 'bioecko_appt'; SET bioecko_appt.clock = "
            . "'2026-03-16T$time:00+05:30'; $sql");
}

# What a relay beside the copy sends: what waited, and nothing that had been
# delivered before.
sub sends_only_what_waited {
    my ($self, $copy) = @_;
    my %waits = map { $_ => 1 } split /\n/, $copy->psql(<<'SQL');
SELECT e.event_id
FROM appt.delivery d
JOIN appt.event e USING (event_no)
JOIN appt.webhook w USING (webhook_no)
WHERE w.url LIKE '%/hook' AND d.state = 'pending'
SQL
    ok(%waits, 'there is something that waits');
    $self->{sink}->forget;
    my $relay = Appt::Relay->new(cluster => $copy);
    wait_for { $copy->psql(q{SELECT NOT EXISTS (SELECT FROM appt.delivery d
        JOIN appt.webhook w USING (webhook_no) WHERE w.url LIKE '%/hook'
            AND d.state IN ('pending', 'in_flight'))}) eq 't'
    } 'a relay to send what waits', 60;
    $relay->stop;
    my %sent = map { $_->{headers}{'webhook-id'} => 1 }
        $self->{sink}->requests(path => '/hook');
    is_deeply([sort keys %sent], [sort keys %waits],
        'a relay sends what waited');
    is_deeply([grep { $self->{sent}{$_} } sort keys %sent], [],
        'and nothing of what was delivered before');
    return;
}

# The command ends well; says what it said where not.
sub succeeds {
    my (@command) = @_;
    my ($code, $out, $err) = run_command(\@command);
    (my $name = $command[0]) =~ s{.*/}{};
    is($code, 0, "$name ends well") or diag substr $err, 0, 2000;
    return $out;
}

1;
