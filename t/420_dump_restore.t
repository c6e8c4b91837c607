#!/usr/bin/perl
#
# pg_dump and restore into a new cluster keeps every row, counter and flag of
# the clinic, and sends nothing twice; what is restored goes on working.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir temp_dir run_command);

my $dir = temp_dir();
my $old = Appt::Cluster->new->create_extension->create_logins;
$old->freeze_clock('2026-03-16T07:00:00+05:30');
my $webhook = $old->row(q{SELECT webhook_id FROM appt.create_webhook(
    url => 'https://example.org/hook', secret => 'whsec-of-the-test')});
$old->load(root_dir() . '/demo/clinic.sql');
$old->freeze_clock('2026-03-16T08:30:00+05:30');
awkward_data($old);

my @tables = split /\n/, $old->psql(<<'SQL');
SELECT oid::regclass FROM pg_class
WHERE relnamespace = 'appt'::regnamespace AND relkind = 'r'
ORDER BY 1
SQL
my %before = state_of($old);
cmp_ok($before{'appt.delivery'} =~ /^(\d+)/ ? $1 : 0, '>', 10,
    'there are deliveries that wait');
cmp_ok($before{'appt.appointment'} =~ /^(\d+)/ ? $1 : 0, '>', 50,
    'and appointments');

for my $format (qw(plain custom)) {
    subtest "$format dump" => sub {
        my $new = restored($format);
        my %after = state_of($new);
        is($after{$_}, $before{$_}, $_) for sort keys %before;
        goes_on($new);
    };
}

subtest 'rights are the extension\'s, not the dump\'s' => sub {
    my ($code, $dump) = run_command(["$old->{bindir}/pg_dump",
        '--schema-only', '--dbname=' . $old->dsn]);
    is_deeply([ $dump =~ /^(?:GRANT|REVOKE|ALTER (?!SCHEMA appt )).*/mg ], [],
        'the dump grants nothing and gives nothing to another owner');
};

# The dump may run in parallel. The restore may not: pg_restore --jobs does not
# know in which order the tables of an extension depend on each other.
subtest 'dumped in parallel' => sub {
    my $new = restored('directory', '--jobs=2');
    my %after = state_of($new);
    is_deeply(\%after, \%before, 'everything is there');
};

subtest 'schema only' => sub {
    my $new = restored('plain', '--schema-only');
    is($new->psql("SELECT count(*) FROM $_"), '0', "$_ is empty")
        for grep { $_ ne 'appt.setting_definition' } @tables;
    is($new->psql('SELECT count(*) FROM appt.setting_definition'),
        $old->psql('SELECT count(*) FROM appt.setting_definition'),
        'the definitions of settings are there');
    $new->freeze_clock('2026-03-16T08:30:00+05:30');
    $new->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('B', 'Branch', 'Asia/Kolkata');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('D', 'Dr D');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('D', 'B', 1, '09:00', '10:00');
INSERT INTO appt.patient (first_name) VALUES ('First');
SQL
    is($new->psql(q{SELECT token_number FROM appt.book(
        (SELECT patient_id FROM appt.patient), 'D', '2026-03-16 09:00+05:30')}),
        '1', 'and it works');
};

done_testing;

# What the demo has not: everything that a trigger or a constraint might stop.
sub awkward_data {
    my ($c) = @_;
    $c->psql(<<'SQL');
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
-- A walk-in who is still inside when the time off begins.
SELECT appt.walk_in('PAT-2026-00102', 'DOC-X', 'MUM-01');
-- A no-show whose slot lies in time off that came later, and who came back.
SELECT appt.no_show(appointment_id) FROM appt.book('PAT-2026-00103', 'DOC-X',
	'2026-03-16 10:00+05:30', branch_id => 'MUM-01');
SELECT appt.add_time_off('DOC-X', '2026-03-16 09:50+05:30',
	'2026-03-16 10:20+05:30', 'Ward round');
SELECT appt.check_in(appointment_id) FROM appt.appointment
WHERE patient_id = 'PAT-2026-00103' AND doctor_id = 'DOC-X';
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
SQL
}

# Rows and a digest of each table, and the value of each sequence.
sub state_of {
    my ($c) = @_;
    my %state = map {
        $_ => $c->psql("SELECT count(*) || ' ' || md5(coalesce(string_agg("
                . "t::text, E'\\n' ORDER BY t::text), '')) FROM $_ t")
    } @tables;
    $state{sequences} = $c->psql(<<'SQL');
SELECT string_agg(format('%s %s %s', sequencename, last_value, increment_by),
	E'\n' ORDER BY sequencename)
FROM pg_sequences WHERE schemaname = 'appt'
SQL
    return %state;
}

sub restored {
    my ($format, @option) = @_;
    my $new = Appt::Cluster->new;
    $new->psql(q{CREATE ROLE bioecko_gateway LOGIN; CREATE ROLE bioecko_relay
        LOGIN; CREATE ROLE bioecko_admin LOGIN});
    my $file = "$dir/$format@option";
    must("$old->{bindir}/pg_dump", "--format=$format", "--file=$file", @option,
        '--dbname=' . $old->dsn);
    if ($format eq 'plain') {
        must('psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1',
            '--dbname=' . $new->dsn, "--file=$file");
    }
    else {
        must("$old->{bindir}/pg_restore", '--exit-on-error',
            '--dbname=' . $new->dsn, $file);
    }
    return $new;
}

sub must {
    my (@command) = @_;
    my ($code, $out, $err) = run_command(\@command);
    is($code, 0, "$command[0] ends well") or diag substr $err, 0, 2000;
    return;
}

# What was there goes on: the next number, no repeated event, a wait that ends.
sub goes_on {
    my ($c) = @_;
    my $deliveries = $c->psql('SELECT count(*) FROM appt.delivery');
    $c->freeze_clock('2026-03-16T08:31:00+05:30');
    my $last = $c->psql(q{SELECT last_token
        FROM appt.doctor_day JOIN appt.doctor USING (doctor_no)
        WHERE doctor_id = 'DOC-X' AND on_date = '2026-03-16'});
    my $highest = $c->psql('SELECT max(appointment_no) FROM appt.appointment');
    my $row = $c->row(q{SELECT token_number, appointment_no
        FROM appt.book('PAT-2026-00108', 'DOC-X', '2026-03-16 14:00+05:30',
            branch_id => 'MUM-01')});
    is($row->{token_number}, $last + 1, 'the next booking has the next number');
    cmp_ok($row->{appointment_no}, '>', $highest, 'and an id of its own');
    is($c->psql('SELECT count(*) FROM appt.delivery'), $deliveries + 1,
        'one event is sent, nothing again');
    is($c->value('SELECT count(*) FROM appt.book($1, $2, $3, branch_id => $4, '
            . 'idempotency_key => $5)', 'PAT-2026-00107', 'DOC-X',
            '2026-03-16 13:00+05:30', 'MUM-01', 'kept'), 1,
        'a key from before the dump is known');
    is($c->psql('SELECT count(*) FROM appt.delivery'), $deliveries + 1,
        'and made nothing new');
    my ($code) = $c->try_psql('DROP EXTENSION bioecko_appt');
    isnt($code, 0, 'and it cannot be dropped by mistake');
}
