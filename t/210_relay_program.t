#!/usr/bin/perl
#
# bioecko-relay as a program: its settings, its health, its upkeep.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried bulk_events states);
use Appt::Program;
use Appt::Util qw(root_dir run_command wait_for);
use HTTP::Tiny;
use JSON::PP ();

my $binary = Appt::Relay->binary;

# Exit code and what it says, with these settings.
sub run_with {
    my ($env, @flag) = @_;
    my ($code, $out, $err) = run_command(['env',
        (map {"$_=$env->{$_}"} sort keys %$env), 'timeout', '5', $binary,
        @flag]);
    return ($code, $out . $err);
}

subtest 'its options' => sub {
    my ($code, $text) = run_with({}, '--help');
    is($code, 0, '--help');
    like($text, qr/^\s+$_, --\S+$/m, "it lists $_")
        for qw(APPT_RELAY_ALLOW_RANGES APPT_RELAY_LEASE_MS
        APPT_RELAY_RETRY_SCHEDULE APPT_RELAY_METRICS_LISTEN);
    unlike($text, qr/--dsn/, 'the connection string has no flag');
    ($code, $text) = run_with({}, '--version');
    like($text, qr/^bioecko-relay \d+\.\d/, '--version');

    my %bad = (
        APPT_RELAY_ALLOW_RANGES   => '127.0.0.1/99',
        APPT_RELAY_DENY_RANGES    => '10.0.0.0/8:http',
        APPT_RELAY_RETRY_SCHEDULE => '0,soon',
        APPT_RELAY_LEASE_MS       => '1000',
        APPT_RELAY_PER_ENDPOINT   => '0',
        APPT_LOG_LEVEL            => 'loud',
    );
    for my $name (sort keys %bad) {
        ($code, $text) = run_with({ $name => $bad{$name} });
        is($code, 2, "$name=$bad{$name}: refused");
        like($text, qr/^\Q$name\E: /, 'it says which');
    }
    for my $name (qw(APPT_DSN APPT_RELAY_LISTEN_DSN)) {
        ($code, $text) = run_with({ $name => 'postgresql://u:se%cret@db/appt' });
        is($code, 2, "a $name that libpq cannot read: refused");
        like($text, qr/^$name: /, 'it says which');
        unlike($text, qr/se%cret/, 'and not what is in it');
    }
    ($code, $text) = run_with({}, '--colour=red');
    is($code, 2, 'an unknown flag: refused');
};

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $webhook_id = $clinic->webhook->{webhook_id};
my $http  = HTTP::Tiny->new(timeout => 5);
my $relay = $clinic->start_relay(env => hurried(
    APPT_RELAY_RETENTION_EVERY_S => 1, APPT_RELAY_KEEP_DAYS => 30));

sub got { return $http->get($relay->url . $_[0]) }

subtest 'a port that is taken' => sub {
    my ($code, $text) = run_with({
        APPT_DSN => $cluster->dsn(user => 'bioecko_relay'),
        APPT_RELAY_METRICS_LISTEN => '127.0.0.1:' . $relay->port });
    is($code, 1, 'it does not start');
    like($text, qr/"cannot listen".*is the port taken/, 'it says why');
};

subtest 'its health' => sub {
    $sink->wait_for_requests(1);
    my $health;
    wait_for {
        $health = JSON::PP->new->decode(got('/healthz')->{content});
        $health->{delivered} == 1 && $health->{pending} == 0;
    } 'the ping to be counted', 45;
    ok($health->{database}, 'the database answers');
    ok($health->{listening}, 'it listens');
    is($health->{failed}, 0, 'nothing failed');
    is(got('/readyz')->{status}, 200, 'ready');
    is(got('/else')->{status}, 404, 'nothing else is there');
    is($http->post($relay->url . '/metrics', { content => 'x' })->{status},
        405, 'nor can it be told anything');
    wait_for { $relay->log_text =~ /"event":"health".*"pending":\d/ }
        'a health line in the log', 45;

    $cluster->stop;
    wait_for { got('/readyz')->{status} == 503 } 'it to be unready', 10;
    is(got('/healthz')->{status}, 200, 'without the database alive, not ready');
    $cluster->start;
    wait_for { got('/readyz')->{status} == 200 } 'it to be ready', 20;
    $sink->forget;
    $cluster->query('SELECT appt.ping_webhook($1)', $webhook_id);
    $sink->wait_for_requests(1);
    pass('and goes on when it is back');
};

subtest 'metrics are well-formed' => sub {
    my @line = split /\n/, got('/metrics')->{content};
    my (%type, %seen, @bad);
    for (@line) {
        if (/^# TYPE (\w+) (counter|gauge)$/) { $type{$1} = $2 }
        elsif (/^# HELP \w+ \S.*\.$/) { next }
        elsif (/^(\w+)(\{\w+="[\w.-]+"(?:,\w+="\w+")*\})? -?[\d.e+-]+$/) {
            push @bad, $_ if !$type{$1} || $seen{ $1 . ($2 // '') }++
                || ($type{$1} eq 'counter') != ($1 =~ /_total$/ ? 1 : 0);
        }
        else { push @bad, $_ }
    }
    is_deeply(\@bad, [], 'each has its type; counters end in _total');
    is(scalar(grep {!/^bioecko_relay_/} keys %type), 0, 'all are the relay\'s');
};

subtest 'what is old is deleted by and by' => sub {
    bulk_events($clinic, webhook_id => $webhook_id, count => 20);
    wait_for { !grep { !/^delivered$/ } keys %{ states($clinic) } }
        'them to be sent', 30;
    $cluster->psql(<<'SQL');
UPDATE appt.delivery SET finished_at = now() - interval '31 days'
WHERE delivery_no IN (SELECT delivery_no FROM appt.delivery
    WHERE appointment_no < 0 LIMIT 10);
UPDATE appt.delivery_attempt a SET started_at = now() - interval '31 days'
FROM appt.delivery d
WHERE d.delivery_no = a.delivery_no AND d.finished_at < now() - interval '1 day';
SQL
    my $old = sub { $cluster->value(q{SELECT
        (SELECT count(*) FROM appt.delivery
            WHERE finished_at < now() - interval '1 day')
        + (SELECT count(*) FROM appt.delivery_attempt
            WHERE started_at < now() - interval '1 day')}) };
    wait_for { $old->() == 0 } 'the old ones to go', 30;
    cmp_ok(states($clinic)->{delivered}, '>=', 10, 'the others stay');
};

# A branch with nothing but a hold, which has expired.
sub expired_hold {
    my ($branch, $doctor) = @_;
    $cluster->freeze_clock('2026-03-14T12:00:00+05:30');
    $cluster->psql(<<"SQL");
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('$branch', 'For a hold', 'Asia/Kolkata');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('$doctor', 'Dr Hold');
INSERT INTO appt.working_hours
    (doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('$doctor', '$branch', 1, '09:00', '13:00');
SELECT appt.hold('$doctor', '2026-03-16T09:00+05:30',
    branch_id => '$branch');
DELETE FROM appt.working_hours WHERE doctor_id = '$doctor';
SQL
    $cluster->freeze_clock('2026-03-14T13:00:00+05:30');
    return;
}

sub holds { return $cluster->value(
    q{SELECT count(*) FROM appt.appointment WHERE status = 'held'}) }

subtest 'expired holds and old idempotency keys are swept' => sub {
    $relay->stop;
    expired_hold('TMP-01', 'DOC-901');
    $cluster->psql(<<'SQL');
INSERT INTO appt.idempotency (client, route, key, request_hash, created_at, body)
VALUES ('x', 'x', 'old', 'x', appt.clock() - interval '8 days', '{}'),
    ('x', 'x', 'new', 'x', appt.clock() - interval '6 days', '{}');
SQL
    is(holds(), 1, 'an expired hold');
    isnt(($cluster->try_psql(q{DELETE FROM appt.branch
        WHERE branch_id = 'TMP-01'}))[0], 0, 'keeps a branch');
    $relay = $clinic->start_relay(env => hurried());
    wait_for { holds() == 0 } 'it to go', 10;
    $cluster->psql(q{DELETE FROM appt.branch WHERE branch_id = 'TMP-01'});
    pass('then the branch can be deleted');
    is($cluster->value('SELECT ok FROM appt.health() '
        . q{WHERE check_name = 'expired_holds'}), 1, 'health has nothing to say');
    wait_for { $cluster->value('SELECT count(*) FROM appt.idempotency') == 1 }
        'the old key to go', 10;
    is($cluster->value('SELECT key FROM appt.idempotency'), 'new',
        'the other stays');
    $relay->wait_log(
        qr/"deleted what was old".*"what":"expired holds","rows":1/, 10);
    pass('the log says so');
};

subtest 'swept again and again; a sweep that fails stops no other' => sub {
    $relay->stop;
    $relay = $clinic->start_relay(env => hurried(
        APPT_RELAY_UPKEEP_EVERY_S => 1));
    $cluster->psql(<<'SQL');
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the clinic keeps it'; END $$;
CREATE TRIGGER keep BEFORE DELETE ON appt.appointment
    FOR EACH ROW EXECUTE FUNCTION keep();
SQL
    expired_hold('TMP-02', 'DOC-902');
    $cluster->psql(q{UPDATE appt.idempotency
        SET created_at = appt.clock() - interval '8 days'});
    wait_for { $cluster->value('SELECT count(*) FROM appt.idempotency') == 0 }
        'the old key to go', 10;
    is(holds(), 1, 'the hold is kept');
    $relay->wait_log(
        qr/"could not delete what is old".*"P0001 the clinic keeps it"/, 10);
    $cluster->psql('DROP TRIGGER keep ON appt.appointment; DROP FUNCTION keep()');
    wait_for { holds() == 0 } 'the hold to go, too', 10;
    pass('it is tried again');
};

subtest 'what a sweep has not come to keeps no branch' => sub {
    $relay->stop;
    expired_hold('TMP-03', 'DOC-903');
    $cluster->query(q{SELECT appt_api.delete_branch('TMP-03', NULL, NULL)});
    is($cluster->value(q{SELECT count(*) FROM appt.branch
        WHERE branch_id = 'TMP-03'}), 0, 'the API deletes it at once');
    $relay = $clinic->start_relay(env => hurried());
};

subtest 'a domain clock that is ahead keeps nothing back' => sub {
    $cluster->freeze_clock('2030-01-07T08:00:00+05:30');
    $sink->forget;
    $cluster->psql(q{SELECT appt.book('PAT-2026-00123', 'DOC-001',
        s.start_time, s.end_time, branch_id => 'MUM-01')
        FROM appt.available_slots('DOC-001', '2030-01-08', 'MUM-01') s
        LIMIT 1});
    my ($request) = $sink->wait_for_requests(1);
    like($request->{json}{timestamp}, qr/^2030-01-07T08:00:00\+05:30$/,
        'it comes at once, stamped by that clock');
};

subtest 'a schedule as long as one likes' => sub {
    $relay->stop;
    $relay = $clinic->start_relay(env => hurried(
        APPT_RELAY_RETRY_SCHEDULE => '0,' . '0' x 1200 . '1'));
    my $delivery = $cluster->row('SELECT * FROM appt.ping_webhook($1)',
        $webhook_id)->{delivery_id};
    wait_for {
        $cluster->value(q{SELECT state FROM appt.delivery
            WHERE delivery_no = substr($1, 5)::bigint}, $delivery)
            eq 'delivered';
    } 'the ping to be delivered', 10;
    pass('what is sent is recorded');
};

# Its results come in one batch: the one before them cannot be recorded until all
# have been sent.
subtest 'an answer that the database does not take' => sub {
    $relay->stop;
    $relay = $clinic->start_relay(env => hurried(
        APPT_RELAY_PER_ENDPOINT => 50));
    $sink->forget;
    $cluster->psql('DELETE FROM appt.delivery; DELETE FROM appt.delivery_attempt; '
        . q{ALTER TABLE appt.delivery_attempt
            ADD CONSTRAINT ours CHECK (answer <> 'not this')});
    my $holder = $cluster->connect;
    $holder->do('BEGIN; LOCK TABLE appt.delivery_attempt IN SHARE MODE');
    bulk_events($clinic, webhook_id => $webhook_id, count => 1);
    wait_for { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE usename = 'bioecko_relay' AND wait_event_type = 'Lock'}) == 1 }
        'the first to wait for a lock';
    bulk_events($clinic, webhook_id => $webhook_id, count => 28, after => 1);
    $sink->wait_for_requests(29);
    $sink->behave(path => '/hook', body => 'not this', times => 1);
    bulk_events($clinic, webhook_id => $webhook_id, count => 1, after => 29);
    wait_for { HTTP::Tiny->new->get($relay->url . '/metrics')->{content}
        =~ /attempts_total\{outcome="delivered"\} 30\n/ } 'all to be sent';
    $holder->do('ROLLBACK');
    wait_for { (states($clinic)->{delivered} // 0) == 30 }
        'all to be recorded', 30;
    is($cluster->value('SELECT count(*) FROM appt.delivery_attempt '
        . 'WHERE answer IS NULL'), 1, 'it alone is recorded without its answer');
    is(scalar($sink->requests), 30, 'and nothing is sent again');
    my @refused = map { $_->{results} }
        grep { ($_->{job} // '') eq 'record' } $relay->log_lines;
    is($refused[0], 29, 'they were a batch');
    cmp_ok(scalar(@refused), '<=', 6, 'and it was found by halves');
    $cluster->psql('ALTER TABLE appt.delivery_attempt DROP CONSTRAINT ours');
};

# What PostgreSQL 18 says of a function in SQL whose plan has a row's type of
# before, by a trigger.
subtest 'a session that is out of date' => sub {
    $sink->forget;
    my $changed = $cluster->value('SELECT clock_timestamp()');
    $cluster->psql(qq{CREATE FUNCTION outdated() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN
            IF (SELECT backend_start FROM pg_stat_activity
                WHERE pid = pg_backend_pid()) < '$changed' THEN
                RAISE EXCEPTION 'attribute 6 has wrong type'
                    USING ERRCODE = '42804';
            END IF;
            RETURN NEW;
        END \$\$;
        CREATE TRIGGER outdated BEFORE UPDATE ON appt.delivery
            FOR EACH ROW EXECUTE FUNCTION outdated()});
    bulk_events($clinic, webhook_id => $webhook_id, count => 1, after => 40);
    $sink->wait_for_requests(1);
    my ($said) = grep { ($_->{what} // '') eq 'session out of date' }
        $relay->log_lines;
    is($said->{detail}, 'attribute 6 has wrong type', 'its connection is given up');
    $cluster->psql('DROP TRIGGER outdated ON appt.delivery; DROP FUNCTION outdated');
};

ok($relay->stop, 'it stops when it is told to');
is($relay->status, 0, 'with status 0');
done_testing;
