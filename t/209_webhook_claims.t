#!/usr/bin/perl
#
# The claim, the fence and the lease, asked directly in SQL as two relays would:
# nothing is had by two at once, and nobody records over another's head.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic bulk_events states);
use Appt::Util qw(wait_for);
use POSIX ();

# What autovacuum looks at meanwhile, no VACUUM of the test removes.
my $clinic  = clinic(cluster => { conf => { autovacuum => 'off' } });
my $cluster = $clinic->cluster;
my ($one, $two) = map { $cluster->connect(user => 'bioecko_relay') } 1 .. 2;
$cluster->query(q{SELECT appt.create_webhook('https://receiver.example/')});
my $hook = $cluster->row('SELECT * FROM appt.webhook');

# So many endpoints more.
sub more_hooks {
    my ($count) = @_;
    my @id = map { $cluster->value('SELECT webhook_id FROM '
        . 'appt.create_webhook($1)', "https://receiver.example/$_") } 1 .. $count;
    return map { $cluster->row('SELECT * FROM appt.webhook '
        . 'WHERE webhook_id = $1', $_) } @id;
}

sub load {
    my ($count, %arg) = @_;
    $cluster->psql('DELETE FROM appt.delivery; DELETE FROM appt.delivery_attempt');
    bulk_events($clinic, webhook_id => $hook->{webhook_id}, count => $count, %arg)
        if $count;
}

# What a relay gets; more: its own leases and quota at the endpoint.
sub claim {
    my ($dbh, $relay, %arg) = @_;
    return @{ $dbh->selectall_arrayref(<<'SQL', { Slice => {} }, $relay,
SELECT * FROM appt_relay.claim_deliveries($1, $2, $3::interval, 10,
    $4::integer[], $5::integer[], $6::integer[])
SQL
        $arg{max} // 100, $arg{lease} // '60 s',
        exists $arg{quota} ? ("{$hook->{webhook_no}}", "{$arg{leased}}",
            "{$arg{quota}}") : ('{}', '{}', '{}')) };
}

# Records one status for all of them; what the relay should log.
sub record {
    my ($dbh, $status, @claimed) = @_;
    my @none = (undef) x @claimed;
    return @{ $dbh->selectall_arrayref(<<'SQL', { Slice => {} },
SELECT * FROM appt_relay.record_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
SQL
        (map { my $column = $_; [map { $_->{$column} } @claimed] }
            qw(delivery_no fence webhook_no)),
        [(int(time * 1e6)) x @claimed], [(5) x @claimed],
        [($status) x @claimed], \@none, \@none, \@none, [(0) x @claimed]) };
}

sub delivery { return $cluster->row(
    'SELECT *, due_at > now() AS later FROM appt.delivery WHERE delivery_no = $1',
    $_[0]{delivery_no}) }

subtest 'ten of an endpoint, for all relays together' => sub {
    load(40);
    my @first = claim($one, 1, max => 6);
    is(@first, 6, 'the first takes six');
    my @second = claim($two, 2);
    is(@second, 4, 'the second no more than four');
    is(claim($one, 1, leased => 6, quota => 1000), 0,
        'the first none, whatever its quota');
    my %got;
    $got{ $_->{delivery_no} }++ for @first, @second;
    is(keys %got, 10, 'and none twice');
    record($two, 200, @second);
    is(claim($one, 1, leased => 6, quota => 20, max => 50), 14,
        'alone there, it may have more');
};

subtest 'a claim does not wait for another' => sub {
    load(40);
    $one->begin_work;
    is(claim($one, 1), 10, 'one claims and has not committed');
    $two->do(q{SET statement_timeout = '2s'});
    is(claim($two, 2), 0, 'the other goes away empty at once');
    $one->rollback;
    is(claim($two, 2), 10, 'rolled back: they are free');
};

subtest 'what one claims comes from both ends' => sub {
    load(50, age => '1 hour');
    my ($oldest) = $cluster->value('SELECT min(delivery_no) FROM appt.delivery');
    bulk_events($clinic, webhook_id => $hook->{webhook_id}, count => 50,
        after => 50);
    my @claimed = claim($one, 1);
    my $median = $oldest + 49;
    my @old = grep { $_->{delivery_no} <= $median } @claimed;
    is(@claimed, 10, 'ten');
    cmp_ok(abs(@old - 5), '<=', 1, 'half of them old ones, half fresh');
};

subtest 'an appointment\'s next waits for the one before' => sub {
    load(0);
    $cluster->psql(<<"SQL");
WITH made AS (
    INSERT INTO appt.event (event_id, event_type, appointment_no, branch_id,
        occurred_at, stamp, actor, data)
    SELECT appt_internal.new_id('evt'), 'appointment.booked', -7, 'MUM-01', now(), 'x',
        'test', g::text
    FROM generate_series(1, 3) g
    RETURNING event_no)
INSERT INTO appt.delivery (webhook_no, event_no, appointment_no)
SELECT $hook->{webhook_no}, event_no, -7 FROM made ORDER BY event_no
SQL
    my @numbers = map { $_->{delivery_no} } @{ $cluster->query(
        'SELECT delivery_no FROM appt.delivery ORDER BY event_no') };
    my @claimed = claim($one, 1);
    is_deeply([map { $_->{delivery_no} } @claimed], [$numbers[0]],
        'the first alone');
    is(claim($two, 2), 0, 'nor by another relay');
    record($one, 500, @claimed);
    is(claim($one, 1), 0, 'not while the first waits to be tried again');
    $cluster->psql("UPDATE appt.delivery SET due_at = now() "
        . "WHERE delivery_no = $numbers[0]");
    record($one, 200, claim($one, 1));
    is_deeply([map { $_->{delivery_no} } claim($one, 1)], [$numbers[1]],
        'then the second, at once');
};

subtest 'the fence' => sub {
    load(1);
    my ($mine) = claim($one, 1, lease => '-1 s');
    $one->do('SELECT appt_relay.tick()');
    is(delivery($mine)->{state}, 'pending', 'a lease that ran out: due again');
    my ($yours) = claim($two, 2);
    is($yours->{delivery_no}, $mine->{delivery_no}, 'another has it');
    is($yours->{fence}, $mine->{fence} + 1, 'the fence is higher');
    is($yours->{body}, $mine->{body}, 'the same bytes');
    record($one, 500, $mine);
    is(delivery($mine)->{state}, 'in_flight', 'the first records nothing');
    is(delivery($mine)->{attempts}, 0, 'nor an attempt');
    $one->do('SELECT appt_relay.release_deliveries($1, $2)', {},
        [$mine->{delivery_no}], [$mine->{fence}]);
    is(delivery($mine)->{state}, 'in_flight', 'nor can it give it back');
    record($two, 200, $yours);
    record($two, 200, $yours);
    is(delivery($mine)->{state}, 'delivered', 'the second does');
    is(delivery($mine)->{attempts}, 1, 'once, though it said so twice');
    is($cluster->value('SELECT count(*) FROM appt.delivery_attempt'), 2,
        'the log has both attempts');
};

# A delivery that the first relay had until its lease ran out, and the second
# has now; as each of them knows it.
sub overtaken {
    load(1);
    my ($mine) = claim($one, 1, lease => '-1 s');
    $one->do('SELECT appt_relay.tick()');
    my ($yours) = claim($two, 2);
    return ($mine, $yours);
}

subtest 'the fence, whatever the late relay says' => sub {
    for my $status (200, 500, 410, undef) {
        my ($mine, $yours) = overtaken();
        record($one, $status, $mine);
        my $now = delivery($mine);
        my $name = 'a late ' . ($status // 'silence');
        is($now->{state}, 'in_flight', "$name: the second still has it");
        is($now->{fence}, $yours->{fence}, 'with its fence');
        is($now->{relay_no}, 2, 'as its own');
        is($now->{attempts}, 0, 'and no attempt is counted');
        record($two, 200, $yours);
        is(delivery($mine)->{state}, 'delivered', 'it records what came of it');
        $cluster->psql(q{UPDATE appt.webhook SET status = 'enabled',
            disabled_at = NULL, disabled_reason = NULL, failing_since = NULL,
            failures = 0});
    }
};

subtest 'what is finished stays as it is' => sub {
    my ($mine, $yours) = overtaken();
    record($two, 200, $yours);
    record($one, 500, $mine);
    is(delivery($mine)->{state}, 'delivered', 'a late failure');
    $one->do('SELECT appt_relay.release_deliveries($1, $2)', {},
        [$mine->{delivery_no}], [$mine->{fence}]);
    $two->do('SELECT appt_relay.release_deliveries($1, $2)', {},
        [$yours->{delivery_no}], [$yours->{fence}]);
    is(delivery($mine)->{state}, 'delivered', 'given back afterwards');
    $cluster->psql('UPDATE appt.webhook SET failing_since = NULL, failures = 0');
};

subtest 'leases: what ran out is free, what did not is not' => sub {
    load(4);
    my @short = claim($one, 1, lease => '-1 s', max => 2);
    my @long = claim($one, 1, lease => '60 s', leased => 2, quota => 10);
    is($two->selectrow_array('SELECT expired FROM appt_relay.tick()'), 2,
        'the tick frees those whose lease ran out');
    is(delivery($_)->{state}, 'pending', 'one of them') for @short;
    is(delivery($_)->{state}, 'in_flight', 'one of the others') for @long;
    my @again = claim($two, 2);
    is_deeply([sort map { $_->{delivery_no} } @again],
        [sort map { $_->{delivery_no} } @short], 'another has those, and only');
};

subtest 'what a relay never heard of is given back, its own alone' => sub {
    load(6);
    my @mine = claim($one, 1, max => 4);
    my @yours = claim($two, 2, max => 2);
    my @kept = @mine[0, 1];
    is($one->selectrow_array('SELECT appt_relay.release_lost($1, $2)', {}, 1,
        [map { $_->{delivery_no} } @kept]), 2, 'but for what it knows of');
    is(delivery($_)->{state}, 'in_flight', 'kept') for @kept;
    is(delivery($_)->{state}, 'pending', 'given back') for @mine[2, 3];
    is(delivery($_)->{relay_no}, 2, 'another relay\'s') for @yours;
    is($one->selectrow_array('SELECT appt_relay.release_lost($1, $2)', {}, 3, []), 0,
        'nothing for a relay that has none');
};

subtest 'a late answer counts while nobody has claimed since' => sub {
    load(1);
    my ($mine) = claim($one, 1, lease => '-1 s');
    $one->do('SELECT appt_relay.tick()');
    record($one, 200, $mine);
    is(delivery($mine)->{state}, 'delivered', 'it is delivered');
    is(claim($two, 2), 0, 'and not sent again');
};

subtest 'a batch that is recorded again counts once' => sub {
    load(2);
    my ($first, @others) = claim($one, 1);
    record($one, 500, $first) for 1 .. 2;
    is($cluster->value('SELECT failures FROM appt.webhook'), 1, 'one failure');
    record($two, 200, @others);
    record($one, 500, $first);
    is($cluster->value('SELECT failures FROM appt.webhook'), 0,
        'none after a success, though the first comes once more');
};

subtest 'an endpoint that somebody holds keeps no result waiting' => sub {
    load(2);
    my @mine = claim($one, 1);
    my $holder = $cluster->connect;
    $holder->begin_work;
    $holder->do('SELECT FROM appt.webhook FOR UPDATE');
    $one->do(q{SET statement_timeout = '10s'});
    ok(eval { record($one, 500, $mine[0]); record($one, 200, $mine[1]); 1 },
        'both are recorded') or diag $@;
    $one->do('RESET statement_timeout');
    $holder->rollback;
    is(delivery($mine[0])->{attempts}, 1, 'the failure');
    is(delivery($mine[1])->{state}, 'delivered', 'and the success');
    is($cluster->value('SELECT failures FROM appt.webhook'), 0,
        'which endpoint failed is not counted then');
};

subtest 'redelivered meanwhile: the old answer does not count' => sub {
    for my $status (200, 500) {
        load(1);
        my ($mine) = claim($one, 1, lease => '-1 s');
        $one->do('SELECT appt_relay.tick()');
        $cluster->query('SELECT appt.redeliver($1, $2)', $hook->{webhook_id},
            "dlv_$mine->{delivery_no}");
        record($one, $status, $mine);
        is(delivery($mine)->{state}, 'pending', "$status: still to be sent");
        is(delivery($mine)->{attempts}, 0, 'with all its attempts');
        ok(!delivery($mine)->{later}, 'and now');
    }
    $cluster->psql('UPDATE appt.webhook SET failing_since = NULL, failures = 0');
};

subtest 'given back' => sub {
    load(1);
    my ($mine) = claim($one, 1);
    $one->do('SELECT appt_relay.release_deliveries($1, $2)', {},
        [$mine->{delivery_no}], [$mine->{fence}]);
    is(delivery($mine)->{state}, 'pending', 'it is due');
    is(delivery($mine)->{attempts}, 0, 'no attempt is counted');
    is(claim($two, 2), 1, 'and another may have it');
};

# Rows that a session reads meanwhile of the deliveries, the attempts and their
# indexes.
sub reads {
    my ($dbh, $work) = @_;
    my $count = sub {
        return $dbh->selectrow_array(<<'SQL');
SELECT sum(pg_stat_get_xact_tuples_returned(c.oid)
    + pg_stat_get_xact_tuples_fetched(c.oid))
FROM pg_class c
LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE coalesce(i.indrelid, c.oid)
    IN ('appt.delivery'::regclass, 'appt.delivery_attempt'::regclass)
SQL
    };
    $dbh->begin_work;
    my $before = $count->();
    $work->();
    my $reads = $count->() - $before;
    $dbh->commit;
    return $reads;
}

# What a relay does with ten deliveries reads a few rows of each.
sub reads_little {
    my ($relay, $when) = @_;
    $cluster->psql('UPDATE appt.webhook SET failing_since = NULL, failures = 0');
    my @claimed;
    my %work = (
        claim    => sub { @claimed = claim($relay, 1) },
        success  => sub { record($relay, 200, @claimed[0 .. 6]) },
        failure  => sub { record($relay, 500, @claimed[7, 8]) },
        'release' => sub {
            $relay->do('SELECT appt_relay.release_deliveries($1, $2)', {},
                map { my $c = $_; [$claimed[9]{$c}] } qw(delivery_no fence));
        },
        tick     => sub { $relay->do('SELECT appt_relay.tick()') },
    );
    my %reads = map { $_ => reads($relay, $work{$_}) }
        qw(claim success failure release tick);
    is(@claimed, 10, "$when: ten are claimed");
    is_deeply({ map { $_ => $reads{$_} } grep { $reads{$_} > 500 } keys %reads },
        {}, 'and no step reads a great many rows');
}

subtest 'a long queue costs no more, whatever the planner expects' => sub {
    my $attempts = sub {
        my ($from, $to) = @_;
        $cluster->psql('INSERT INTO appt.delivery_attempt '
            . '(delivery_no, fence, started_at, duration_ms) '
            . "SELECT -g, 1, now(), 1 FROM generate_series($from, $to) g");
    };
    $cluster->psql('TRUNCATE appt.delivery, appt.delivery_attempt');
    $attempts->(1, 50);
    my $relay = $cluster->connect(user => 'bioecko_relay');
    for my $status (200, 500) {
        bulk_events($clinic, webhook_id => $hook->{webhook_id}, count => 1);
        record($relay, $status, claim($relay, 1));
    }
    $relay->do('SELECT appt_relay.release_deliveries($1, $2)', {}, [0], [0]);
    $relay->do('SELECT appt_relay.tick()');
    bulk_events($clinic, webhook_id => $hook->{webhook_id}, count => 20_000,
        after => 10);
    $attempts->(51, 20_000);
    reads_little($relay, 'planned while there were hardly any');

    $cluster->psql(q{UPDATE appt.delivery SET state = 'delivered',
        finished_at = now(), relay_no = NULL, lease_until = NULL});
    $cluster->psql('VACUUM ANALYZE appt.delivery, appt.delivery_attempt');
    bulk_events($clinic, webhook_id => $hook->{webhook_id}, count => 20_000,
        after => 20_010);
    reads_little($cluster->connect(user => 'bioecko_relay'),
        'planned after all had been delivered');
};

subtest 'what has changed at an endpoint is told' => sub {
    load(3);
    my $version = $cluster->value('SELECT version FROM appt.webhook');
    my $told = sub {
        return map { $_->{version} } grep { !defined $_->{delivery_no} }
            @{ $one->selectall_arrayref(<<'SQL', { Slice => {} },
SELECT * FROM appt_relay.claim_deliveries(1, 1, '60 s', 10, $1, '{1}', '{1}', $2)
SQL
                "{$hook->{webhook_no}}", "{$version}") };
    };
    is_deeply([$told->()], [], 'nothing has');
    $cluster->query('SELECT appt.rotate_webhook_secret($1)',
        $hook->{webhook_id});
    is_deeply([$told->()], [$version + 1], 'a secret was rotated');
    $version++;
    is_deeply([$told->()], [], 'once told, it is known');
    $cluster->psql('UPDATE appt.webhook SET failures = 1');
    is_deeply([$told->()], [], 'a failure changes nothing');
    $cluster->psql('UPDATE appt.webhook SET failures = 0');
};

subtest 'a secret rotated while a claim is at work signs what it claims' => sub {
    my @hook = more_hooks(20);
    my $lock = $cluster->connect;
    $lock->begin_work;
    $lock->do('SELECT FROM appt.delivery FOR UPDATE');
    my $pid = fork // die "could not fork: $!\n";
    if (!$pid) {
        my ($dbh, $admin) = ($cluster->connect(user => 'bioecko_relay'),
            $cluster->connect);
        my $stale = 0;
        for (claim($dbh, 1, max => 1000)) {
            my ($now) = $admin->selectrow_array('SELECT max(secret) FROM '
                . 'appt.webhook_secret WHERE webhook_no = $1 '
                . 'AND expires_at IS NULL', {}, $_->{webhook_no});
            $stale++ if (split / /, $_->{secrets})[0] ne $now;
        }
        POSIX::_exit($stale);
    }
    wait_for { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE '%claim_deliveries(%'})
    } 'the claim to be at work', 10;
    my @free = map { $_->{webhook_id} } @{ $cluster->query(
        'SELECT webhook_id FROM appt.webhook FOR UPDATE SKIP LOCKED') };
    cmp_ok(@free, '>=', 5, 'it has not come to some endpoints');
    $cluster->query('SELECT appt.rotate_webhook_secret($1, overlap => $2)',
        $_, '0 s') for @free;
    $lock->rollback;
    waitpid $pid, 0;
    is($? >> 8, 0, 'what it brings of them has the secret that counts');
    $cluster->query('SELECT appt.delete_webhook($1)', $_->{webhook_id})
        for @hook;
};

subtest 'what is leased is handed out, whoever writes meanwhile' => sub {
    load(0);
    my $pid = fork // die "could not fork: $!\n";
    if (!$pid) {
        my $dbh = $cluster->connect;
        my $made = $dbh->prepare(<<'SQL');
WITH made AS (
    INSERT INTO appt.event (event_id, event_type, appointment_no, branch_id,
        occurred_at, stamp, actor, data)
    VALUES (appt_internal.new_id('evt'), 'appointment.booked', $1, 'MUM-01', now(), 'x',
        'test', '{}')
    RETURNING event_no, appointment_no)
INSERT INTO appt.delivery (webhook_no, event_no, appointment_no)
SELECT $2, event_no, appointment_no FROM made
SQL
        $made->execute(-$_, $hook->{webhook_no}) for 1 .. 4000;
        POSIX::_exit(0);
    }
    my ($count, $ended) = (0, 0);
    while (!$ended) {
        $ended = waitpid($pid, POSIX::WNOHANG());
        $count += claim($one, 1, leased => 0, quota => 1000, max => 1000);
    }
    $count += claim($one, 1, leased => 0, quota => 1000, max => 1000)
        for 1 .. 5;
    is(states($clinic)->{in_flight}, $count, 'every lease has its delivery');
};

subtest 'endpoints that fail or are slow share what is spared for them' => sub {
    my @hook = more_hooks(3);
    my ($failing, $slow, $good) = map { $_->{webhook_no} } @hook;
    $cluster->psql("UPDATE appt.webhook SET failing_since = now(), failures = 1
        WHERE webhook_no = $failing");
    my $brought = sub {
        my ($bad, $spare) = @_;
        $cluster->psql('DELETE FROM appt.delivery');
        bulk_events($clinic, webhook_id => $_->{webhook_id}, count => 30)
            for @hook;
        my %count = map { $_->{webhook_no} => 0 } @hook;
        $count{ $_->{webhook_no} }++ for @{ $one->selectall_arrayref(
            q{SELECT * FROM appt_relay.claim_deliveries(1, 100, '60 s', 10,
                $1, $2, $3, $4, $5, $6) WHERE delivery_no IS NOT NULL},
            { Slice => {} }, map({ my $i = $_; [map { $_->[$i] } @$bad] } 0 .. 4),
            $spare) };
        return [@count{ $failing, $slow, $good }];
    };
    is_deeply($brought->([], 100), [1, 10, 10],
        'of one that failed last one delivery');
    is_deeply($brought->([], 0), [0, 10, 10], 'or none, where none is spared');
    is_deeply($brought->([[$slow, 0, 10, 1, 1]], 0), [0, 0, 10],
        'nor of one that the relay finds slow');
    is_deeply($brought->([[$slow, 0, 10, 1, 1], [$failing, 0, 10, 1, 1]], 7)->[2],
        10, 'the good one has its own');
    my $both = $brought->([[$slow, 0, 10, 1, 1], [$failing, 0, 10, 1, 1]], 7);
    is($both->[0] + $both->[1], 7, 'the bad ones together what is spared');
    is_deeply($brought->([[$failing, 0, 10, 1, 0]], 0), [10, 10, 10],
        'the relay knows better of one that fails now and then');
    $cluster->query('SELECT appt.delete_webhook($1)', $_->{webhook_id})
        for @hook;
};

subtest 'a disabled endpoint\'s are not claimed' => sub {
    load(5);
    $cluster->query('SELECT appt.disable_webhook($1)', $hook->{webhook_id});
    is(claim($one, 1), 0, 'at once');
    $one->do('SELECT appt_relay.tick()');
    is_deeply(states($clinic), { held => 5 }, 'they are held');
    $cluster->query('SELECT appt.enable_webhook($1)', $hook->{webhook_id});
    $one->do('SELECT appt_relay.tick()');
    is(claim($one, 1), 5, 'and drain');
};

done_testing;
