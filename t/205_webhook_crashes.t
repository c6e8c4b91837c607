#!/usr/bin/perl
#
# Nothing is lost and nothing stays under way for ever: kill -9 at each step of
# the relay, of the server process that does what it asked, of PostgreSQL; the end
# of its connections; a relay that is stopped past its lease; two relays at once;
# no NOTIFY.
#
# Each time: the receiver's set of event ids is the events' own, and every
# delivery ends delivered, held, dead or due.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic hurried bulk_events states);
use Appt::Program;
use Appt::Strike;
use Appt::Util qw(patience wait_for);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(sleep time);

# Sessions of the test's own end with the server; no news.
$SIG{__WARN__} = sub { warn @_ if $_[0] !~ /crash of another server process/ };

my $strike = Appt::Strike->new;
my $clinic = clinic(cluster => $strike->cluster);
my $cluster    = $clinic->cluster;
my $sink       = $clinic->sink;
my $webhook_id = $clinic->webhook->{webhook_id};
my %env = %{ hurried(
    APPT_RELAY_RETRY_SCHEDULE => '0' . ',0.1' x 30,
    APPT_RELAY_TIMEOUT_MS     => 1000,
    APPT_RELAY_LEASE_MS       => 2000) };

# Where no lease has to run out: time enough for a busy machine.
my %patient = (APPT_RELAY_TIMEOUT_MS => 20000, APPT_RELAY_LEASE_MS => 60000);

# So many new events; nothing of before is left at the receiver or the queue.
sub load {
    my ($count) = @_;
    $sink->forget;
    $cluster->psql('DELETE FROM appt.delivery');
    bulk_events($clinic, webhook_id => $webhook_id, count => $count);
}

# The property of this file, within so many seconds.
sub nothing_lost {
    my ($seconds) = @_;
    my $states = {};
    my $ok = eval {
        wait_for {
            $states = eval { states($clinic) } // return 0;
            !grep { !/^(?:delivered|held|dead)$/ } keys %$states;
        } 'everything to be settled', $seconds // 30;
    };
    ok($ok, 'every delivery is settled') or diag explain $states;
    is_deeply([keys %$states], ['delivered'], 'namely delivered');

    my %got;
    $got{ $_->{headers}{'webhook-id'} }++ for $sink->requests;
    my @want = map { $_->{event_id} } @{ $cluster->query(
        'SELECT event_id FROM appt.delivery JOIN appt.event USING (event_no) '
            . 'ORDER BY 1') };
    is_deeply([sort keys %got], [sort @want],
        'the receiver has all events and no others');
    my $copies = grep { $_ > 1 } values %got;
    note "$copies of " . @want . ' came more than once';
    return $copies;
}

sub relay {
    my (%more) = @_;
    return Appt::Relay->new(cluster => $cluster, env => { %env, %more });
}

subtest 'kill -9 of the relay, at any moment' => sub {
    load(600);
    $sink->behave(delay => 0.01);
    for my $round (1 .. 12) {
        my $relay = relay();
        sleep 0.02 + rand 0.15;
        $relay->kill9;
    }
    my $relay = relay();
    nothing_lost(60);
    $sink->behave;
    ok($relay->stop, 'the last one stops');
};

# What the relay asks the database for.
my %statement = map { $_ => "FROM appt_relay.$_(" }
    qw(claim_deliveries record_attempts tick);
$statement{$_} = "SELECT appt_relay.$_(" for qw(release_deliveries release_lost);

# One delivery at a time; where a lease has to run out.
my %one = (APPT_RELAY_PER_ENDPOINT => 1, APPT_RELAY_TIMEOUT_MS => 2500,
    APPT_RELAY_LEASE_MS => 3000, $strike->env);

# Each step, and how many come twice for it, at least and at most. While one is
# being recorded the next go; so there is but one where that is the step.
my @steps = (
    (map { [ "claim, $_", { at => $_, text => $statement{claim_deliveries} } ] }
        qw(before sent unread answered)),
    [ 'half of the request', { at => 'half', port => $sink->port,
        text => 'POST /hook' } ],
    [ 'the request', { at => 'whole', port => $sink->port,
        text => 'POST /hook' }, 1, 1 ],
    [ 'the answer is there', { at => 'reply', port => $sink->port,
        text => 'POST /hook' }, 1, 1 ],
    [ 'record, before', { at => 'before', text => $statement{record_attempts} },
        1, 1 ],
    [ 'record, sent', { at => 'sent', text => $statement{record_attempts} },
        0, 1 ],
    (map { [ "record, $_", { at => $_, text => $statement{record_attempts} } ] }
        qw(unread answered)),
    (map { [ "tick, $_", { at => $_, text => $statement{tick} }, 0, 5 ] }
        qw(before sent unread answered)));

# It was that relay which was struck; the next one finds all that is left. What
# timed out came more than once for another reason.
sub ends_well {
    my ($relay, $least, $most) = @_;
    my $of = $relay->pid;
    my $pid = $strike->wait_struck;
    $relay->process->wait_end(10);
    is_deeply([ $pid, $relay->status ], [ $of, POSIX::SIGKILL() ], 'killed there');
    $sink->behave;
    my $next = relay(%one);
    my $copies = nothing_lost(60);
    my $late = $cluster->value(q{SELECT count(*) FROM appt.delivery_attempt
        WHERE status IS NULL});
    cmp_ok($copies, '>=', $least, "at least $least twice") if $least;
    cmp_ok($copies, '<=', $most + $late, "at most $most twice");
    ok($next->stop, 'it stops');
}

for my $step (@steps) {
    my ($name, $plan, $least, $most) = @$step;
    subtest "killed: $name" => sub {
        load($name =~ /^record/ ? 1 : 5);
        $strike->plan(%$plan);
        my $relay = Appt::Relay->new(cluster => $cluster, wait => 0,
            env => { %env, %one });
        ends_well($relay, $least // 0, $most // 0);
    };
}

for my $at (qw(before sent unread answered)) {
    subtest "killed: release, $at" => sub {
        load(60);
        $sink->behave(delay => 0.05);
        my $relay = relay(%one);
        wait_for { (states($clinic)->{in_flight} // 0) > 5 } 'many to wait', 20;
        $strike->plan(at => $at, text => $statement{release_deliveries});
        $relay->signal('TERM');
        # The one under way, and what was not recorded yet.
        ends_well($relay, 0, scalar $sink->requests);
    };
    subtest "killed: release of what is lost, $at" => sub {
        load(5);
        $strike->plan(at => 'answering', text => $statement{claim_deliveries});
        my $relay = Appt::Relay->new(cluster => $cluster, wait => 0,
            env => { %env, %one });
        $strike->wait_struck;
        $strike->plan(at => $at, text => $statement{release_lost});
        $strike->wait_server($cluster, 'self');
        ends_well($relay, 0, 0);
    };
}

for my $whom (qw(self cluster)) {
    for my $statement (qw(claim_deliveries record_attempts)) {
        subtest "$statement: kill -9 of " . ($whom eq 'cluster' ? 'PostgreSQL'
                : 'the process that serves it') => sub {
            my $relay = relay(%one, %patient);
            for my $at (qw(received writing written answering)) {
                $relay->signal('STOP');
                wait_for { $cluster->value(q{SELECT count(*)
                    FROM pg_stat_activity WHERE usename = 'bioecko_relay'
                        AND state = 'active'}) == 0 } 'the server to be through';
                load(3);
                $strike->plan(at => $at, text => $statement{$statement},
                    whom => $whom);
                $relay->signal('CONT');
                $strike->wait_struck;
                $strike->wait_server($cluster, $whom);
                is(nothing_lost(40), 0, "$at: and none twice");
            }
            ok($relay->alive, 'the relay has lived through it');
            ok($relay->stop, 'and stops');
        };
    }
}

# Whether a statement of the relay's waits for a lock.
sub waiting_in {
    my ($function) = @_;
    return $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE $1}, "%appt_relay.$function(%");
}

subtest 'SIGTERM loses nothing and sends nothing twice' => sub {
    load(300);
    $sink->behave(delay => 0.02);
    my $stopped = 1;
    for my $round (1 .. 4) {
        my $relay = relay(%patient);
        sleep 0.1 + rand 0.2;
        $stopped &&= $relay->stop;
    }
    ok($stopped, 'it ends by itself');
    ok(!exists states($clinic)->{in_flight}, 'no lease is left');
    my $relay = relay(%patient);
    is(nothing_lost(30), 0, 'no event twice');
    $sink->behave;
    $relay->stop;
};

subtest 'connections ended by the server' => sub {
    load(300);
    $sink->behave(delay => 0.01);
    my $relay = relay();
    for my $round (1 .. 6) {
        sleep 0.1;
        $cluster->psql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'bioecko-relay'});
    }
    nothing_lost(60);
    $sink->behave;

    wait_for { listens() } 'it to listen again', 10;
    $cluster->psql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE query = 'LISTEN bioecko_appt' OR query = 'SELECT 1'
            AND application_name = 'bioecko-relay'});
    wait_for { listens() } 'it to listen again', 10;
    load(0);
    my $from = time;
    $cluster->query('SELECT appt.ping_webhook($1)', $webhook_id);
    $sink->wait_for_requests(1);
    cmp_ok(time - $from, '<', patience(2), 'and hears at once');
    $relay->stop;
};

# Between the relay and the server: while the file "cut" is there, what the
# server says next ends the connection instead of arriving.
sub proxy {
    my ($cut) = @_;
    my $listener = IO::Socket::INET->new(Listen => 20,
        LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "proxy: $!\n";
    my $pid = fork // die "could not fork: $!\n";
    return ($pid, $listener->sockport) if $pid;
    local $SIG{CHLD} = 'IGNORE';
    alarm 300;
    while (1) {
        my $client = $listener->accept or next;
        next if fork;
        my $server = IO::Socket::UNIX->new(Peer => sprintf '%s/.s.PGSQL.%d',
            $cluster->host, $cluster->port) or POSIX::_exit(0);
        my $both = IO::Select->new($client, $server);
        while (my @ready = $both->can_read) {
            for my $from (@ready) {
                sysread($from, my $bytes, 65536) or POSIX::_exit(0);
                POSIX::_exit(0) if $from == $server && -e $cut;
                syswrite $from == $server ? $client : $server, $bytes;
            }
        }
    }
}

subtest 'a claim whose answer never came' => sub {
    load(40);
    my $cut = "$cluster->{directory}/cut";
    my ($pid, $port) = proxy($cut);
    my $lock = $cluster->connect;
    $lock->begin_work;
    $lock->do('LOCK TABLE appt.delivery IN EXCLUSIVE MODE');
    my $relay = relay(%patient, APPT_DSN =>
        "host=127.0.0.1 port=$port dbname=appt user=bioecko_relay "
            . 'sslmode=disable gssencmode=disable');
    wait_for { waiting_in('claim_deliveries') } 'the claim to wait', 10;
    open my $fh, '>', $cut or die "$cut: $!\n";
    $lock->rollback;
    wait_for { (states($clinic)->{in_flight} // 0) > 0 } 'it to commit', 10;
    wait_for { $relay->log_text =~ /database unreachable.*claim/ }
        'the relay to lose it', 10;
    unlink $cut;
    is(nothing_lost(20), 0, 'long before its lease runs out, and none twice');
    ok($relay->stop, 'it stops');
    kill TERM => $pid;
    waitpid $pid, 0;
};

sub listens {
    return $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'bioecko-relay' AND state = 'idle'
            AND query IN ('LISTEN bioecko_appt', 'SELECT 1')});
}

subtest 'stopped past its lease, and woken' => sub {
    load(40);
    $sink->behave(delay => 0.3);
    my $sleeper = relay();
    $sink->wait_for_requests(5);
    $sleeper->signal('STOP');
    my $relay = relay();
    wait_for { (states($clinic)->{delivered} // 0) == 40 }
        'another to take over', 20;
    my $fences = $cluster->value(
        'SELECT string_agg(fence::text, $1 ORDER BY delivery_no) FROM '
            . 'appt.delivery', ',');
    $sink->behave;
    $sleeper->signal('CONT');
    $cluster->query('SELECT appt.ping_webhook($1)', $webhook_id);
    nothing_lost(20);
    is($cluster->value('SELECT string_agg(fence::text, $1 ORDER BY '
        . q{delivery_no) FROM appt.delivery d JOIN appt.event e }
        . q{USING (event_no) WHERE event_type <> 'webhook.ping'}, ','), $fences,
        'what it held is not its own any more');
    ok($_->stop, 'both stop') for $relay, $sleeper;
};

subtest 'two relays at once' => sub {
    $sink->behave;
    my @hooks = map { $cluster->value('SELECT webhook_id FROM '
        . 'appt.create_webhook($1)', $sink->url("/two/$_")) } 1 .. 6;
    my @relay = map { relay(%patient) } 1 .. 2;
    wait_for { !grep { !/^delivered$/ } keys %{ states($clinic) } }
        'the pings to be over', 30;
    load(200);
    bulk_events($clinic, webhook_id => $_, count => 100) for @hooks;
    is(nothing_lost(60), 0, 'no event twice');
    my @claimed = map {
        HTTP::Tiny->new->get($_->url . '/metrics')->{content}
            =~ /^bioecko_relay_claimed_total (\d+)/m } @relay;
    note "claimed: @claimed";
    ok($_->stop, 'it stops') for @relay;
    $cluster->query('SELECT appt.delete_webhook($1)', $_) for @hooks;
};

subtest 'an appointment\'s order holds through all that' => sub {
    load(0);
    $cluster->psql(<<"SQL");
WITH made AS (
    INSERT INTO appt.event (event_id, event_type, appointment_no, branch_id,
        occurred_at, stamp, actor, data)
    SELECT appt_internal.new_id('evt'), 'appointment.rescheduled', -(g % 10) - 1,
        'MUM-01', now(), '2026-03-14T12:00:00+05:30', 'test',
        '{"appointment":' || g % 10 || ',"step":' || g / 10 || '}'
    FROM generate_series(0, 199) g
    RETURNING event_no, appointment_no)
INSERT INTO appt.delivery (webhook_no, event_no, appointment_no)
SELECT webhook_no, event_no, appointment_no
FROM made, appt.webhook WHERE webhook_id = '$webhook_id'
SQL
    $sink->behave(status => 500, times => 30);
    my @relay = map { relay() } 1 .. 2;
    sleep 0.3;
    $relay[0]->kill9;
    nothing_lost(60);
    my (%first, %wrong);
    for my $request (grep { $_->{status} == 200 } $sink->requests) {
        my ($appointment, $step) = @{ $request->{json}{data} }{qw(appointment step)};
        my $last = $first{$appointment} // -1;
        $wrong{$appointment} = 1 if $step > $last + 1;
        $first{$appointment} = $step if $step > $last;
    }
    is_deeply(\%wrong, {}, 'no step came before the one that precedes it');
    ok($relay[1]->stop, 'it stops');
};

subtest 'no NOTIFY at all' => sub {
    $cluster->psql(<<'SQL');
LOAD 'bioecko_appt';
ALTER SYSTEM SET bioecko_appt.notify = off;
SELECT pg_reload_conf();
SQL
    my $relay = relay();
    load(0);
    $cluster->query('SELECT appt.ping_webhook($1)', $webhook_id);
    $sink->wait_for_requests(1, seconds => 5);
    nothing_lost(10);
    ok($relay->stop, 'it stops');
};

done_testing;
