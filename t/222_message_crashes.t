#!/usr/bin/perl
#
# Nothing is lost by kill -9 at any step: of the relay, of the server process that
# does what it asked, of PostgreSQL as a whole. Each message that is due is sent at
# least once or skipped with a reason, none for a visit that was cancelled before
# its sending began; what came twice is what nobody could know of, and a mail that
# did has one Message-ID. A mail server that does not answer holds up no SMS and
# no webhook.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::MailSink;
use Appt::Sink;
use Appt::Strike;
use Appt::Util qw(patience wait_for);
use POSIX ();
use Time::HiRes qw(time);

# Sessions of the test's own end with the server; no news.
$SIG{__WARN__} = sub { warn @_ if $_[0] !~ /crash of another server process/ };

# What the relay asks the database for.
my %statement = map { $_ => "FROM appt_relay.$_(" }
    qw(claim_notifications record_notifications tick_notifications);
$statement{$_} = "SELECT appt_relay.$_("
    for qw(release_notifications release_lost_notifications);
my $strike = Appt::Strike->new;
my $clinic = clinic(cluster => $strike->cluster);
my $cluster = $clinic->cluster;
my $mail    = Appt::MailSink->new;
my $sms     = Appt::Sink->new;

# One message at a time by each channel; a lease is three timeouts.
my $timeout_s = 4;
my %env = %{ hurried(
    APPT_RELAY_MESSAGE_RETRY_SCHEDULE => join(',', 0, (0.3) x 60),
    APPT_RELAY_TIMEOUT_MS             => 1000 * $timeout_s,
    APPT_RELAY_MAIL_TIMEOUT_MS        => 1000 * $timeout_s,
    APPT_RELAY_MAIL_CONNECTIONS       => 1,
    APPT_RELAY_PER_CHANNEL            => 1) };

$cluster->psql(<<"SQL");
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0'),
    ('reminder_lead_min', '1440');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": @{[ $mail->port ]},
        "security": "none", "from": "visits\@clinic.example"}'),
    ('sms', 'sms', '{"url": "@{[ $sms->url('/sms') ]}",
        "body": {"to": "{{to}}", "text": "{{body}}"}}');
DELETE FROM appt.notification_template;
INSERT INTO appt.notification_template (event, channel, language, subject, body)
SELECT e, c, 'en', CASE c WHEN 'email' THEN 'S' END,
    e || ' for {{appointment_id}}!'
FROM unnest('{booked,cancelled,reminder}'::text[]) e,
    unnest('{email,sms}'::text[]) c;
INSERT INTO appt.notification_preference (patient_id, channels)
SELECT patient_id, CASE WHEN patient_no % 2 = 0 THEN '{email}'::text[]
    ELSE '{sms}' END
FROM appt.patient;
SQL

# Books for patients who are told by that kind of channel.
my $booked = 0;

sub book_by {
    my ($kind, $count) = @_;
    $booked += $count;
    return map { $_->{id} } @{ $cluster->query(<<'SQL', $count, $kind, $booked) };
WITH free AS (
    SELECT s.start_time, s.end_time, row_number() OVER () AS n
    FROM appt.available_slots('DOC-001', '2026-03-16', 'MUM-01',
        to_date => '2026-03-31') s
    LIMIT $1),
person AS (
    SELECT f.patient_id, row_number() OVER (ORDER BY f.patient_id) AS n
    FROM appt.notification_preference f
    WHERE f.channels = ARRAY[$2])
SELECT (appt.book(p.patient_id, 'DOC-001', f.start_time, f.end_time,
    branch_id => 'MUM-01')).appointment_id AS id
FROM free f
JOIN person p ON p.n = (f.n + $3) % 40 + 1
ORDER BY f.n
SQL
}

# How often each message arrived, by event and appointment.
sub arrived {
    my %count;
    $count{$_}++ for map { $_->{raw} =~ /(\w+ for APT-[\d-]+)!/ } $mail->mails;
    $count{$_}++ for map { $_->{body} =~ /(\w+ for APT-[\d-]+)!/ } $sms->requests;
    return \%count;
}

# The messages that are not through: key, state, fence, lease_until as seconds.
sub unsettled {
    return @{ $cluster->query(<<'SQL') };
SELECT n.event || ' for ' || a.appointment_id AS key, n.state, n.fence,
    n.notification_no, extract(epoch FROM n.lease_until) AS lease_until
FROM appt.notification n
JOIN appt.appointment a USING (appointment_no)
WHERE n.state IN ('due', 'sending')
SQL
}

sub wait_settled {
    my ($seconds) = @_;
    my @left;
    return wait_for { eval { @left = unsettled(); 1 } && !@left }
        sub { join ', ', map {"$_->{key} $_->{state}"} @left }, $seconds;
}

# Cancels a visit of the step that nobody was told of, and whose sending did not
# begin: one more, if there is none. No relay is at work meanwhile.
my %cancelled;

sub cancel_one {
    my ($step) = @_;
    my $arrived = arrived();
    my %open = map { $_->{key} => $_ } unsettled();
    # The last one that was claimed, if there is one.
    my ($key) = map { $_->{key} }
        sort { $b->{state} cmp $a->{state}
            || $b->{notification_no} <=> $a->{notification_no} }
        grep { $_ && !$arrived->{ $_->{key} }
            && ($_->{state} eq 'due' || !$step->{begun}) }
        @open{ map {"booked for $_"} @{ $step->{ids} } };
    my ($id) = $key ? $key =~ /(APT-.*)/ : book_by(sms => 1);
    push @{ $step->{ids} }, $id unless $key;
    $cluster->query('SELECT appt.cancel($1, $2)', $id, 'gone');
    return $cancelled{$id} = 1;
}

# Each was told that was not cancelled.
sub told {
    my ($what, @id) = @_;
    my $arrived = arrived();
    my @lost = grep { !$arrived->{"booked for $_"} && !$cancelled{$_} } @id;
    is_deeply(\@lost, [], "$what: each was told");
    is_deeply([ grep { $arrived->{"booked for $_"} && $cancelled{$_} } @id ], [],
        "$what: what was cancelled before was not");
}

sub told_once {
    my ($what, @id) = @_;
    told($what, @id);
    my $arrived = arrived();
    is_deeply([ grep { ($arrived->{"booked for $_"} // 0) > 1 } @id ], [],
        "$what: nothing came twice");
}

# ---- the relay -----------------------------------------------------------------

# Of each step: whether sending had begun, and whether a message comes twice for
# it (1), may do so (0.5), or must not (0). Where sending has begun, others of the
# step may have arrived and not be on record yet.
my @steps = map { my ($kind, $name, $plan, $begun, $twice) = @$_;
    { kind => $kind, name => $name, plan => $plan, begun => $begun,
        twice => $twice // 0 } } (
    (map { [ $_->[0], "claim, $_->[1]", { at => $_->[1],
        text => $statement{claim_notifications} }, 0 ] }
        [ sms => 'before' ], [ email => 'sent' ], [ sms => 'unread' ],
        [ email => 'unread' ], [ sms => 'answered' ], [ email => 'answered' ]),
    [ sms => 'half of the request', { at => 'half', port => $sms->port,
        text => 'POST /sms' }, 1, 0.5 ],
    [ sms => 'the request', { at => 'whole', port => $sms->port,
        text => 'POST /sms' }, 1, 1 ],
    [ sms => 'the reply is there', { at => 'reply', port => $sms->port,
        text => 'POST /sms' }, 1, 1 ],
    [ email => 'half of the sender', { at => 'half', port => $mail->port,
        text => 'MAIL FROM' }, 1, 0.5 ],
    [ email => 'half of the mail', { at => 'half', port => $mail->port,
        text => "\r\nMessage-ID:" }, 1, 0.5 ],
    [ email => 'the mail with its end', { at => 'whole', port => $mail->port,
        text => "\r\n.\r\n" }, 1, 0.5 ],
    [ email => 'its reply is there', { at => 'reply', port => $mail->port,
        text => "\r\n.\r\n" }, 1, 1 ],
    (map { [ $_->[0], "record, $_->[1]", { at => $_->[1],
        text => $statement{record_notifications} }, 1, $_->[2] ] }
        [ sms => 'before', 1 ], [ email => 'before', 1 ], [ sms => 'sent', 0.5 ],
        [ email => 'sent', 0.5 ], [ sms => 'unread', 0.5 ],
        [ email => 'answered', 0.5 ]));

my $relay = Appt::Relay->new(cluster => $cluster, start => 0,
    env => { %env, $strike->env });
my %orphan;    # what a relay had when it was killed, by number and fence

# It was this relay that was struck; notes what it had, once the server is through
# with what it asked for.
sub note_struck {
    my ($step) = @_;
    my $name = $step->{name};
    my $of = $relay->pid;
    my $pid = $strike->wait_struck;
    $relay->process->wait_end(10);
    is_deeply([ $pid, $relay->status ], [ $of, POSIX::SIGKILL() ],
        "$name: killed there");
    wait_for { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE usename = 'bioecko_relay'}) == 0 } 'its connections to end';
    my @sending = grep { $_->{state} eq 'sending' } unsettled();
    my @new = grep { !is_orphan($_) } @sending;
    $orphan{"$_->{notification_no} $_->{fence}"} = $_ for @new;
    $step->{had} = [ map { $_->{key} } @new ];
}

sub is_orphan { return $orphan{"$_[0]{notification_no} $_[0]{fence}"} }

# The next relay sends at once what is not leased to one that was killed.
sub take_over {
    $relay->start;
    wait_for { !grep { !is_orphan($_) } unsettled() }
        'the others to be sent', 20;
    $relay->stop;
}

subtest 'a relay that is killed at each step' => sub {
    for my $step (@steps) {
        $step->{name} = "$step->{kind}: $step->{name}";
        $step->{ids} = [ book_by($step->{kind}, 3) ];
        $strike->plan(%{ $step->{plan} });
        $relay->start(wait => 0);
        note_struck($step);
        cancel_one($step);
        take_over();
    }
};

subtest 'a relay that is killed as it gives back' => sub {
    my %busy = (APPT_RELAY_PER_CHANNEL => 2);
    local $relay->{env} = { %{ $relay->{env} }, %busy };
    $sms->behave(delay => 0.05);
    for my $at (qw(before sent unread answered)) {
        my $step = { name => "release, $at", begun => 0, twice => 0.5,
            ids => [ book_by(sms => 24) ] };
        push @steps, $step;
        $relay->start;
        wait_for { 5 < grep { $_->{state} eq 'sending' && !is_orphan($_) }
            unsettled() } 'many to be claimed';
        $strike->plan(at => $at, text => $statement{release_notifications});
        $relay->signal('TERM');
        note_struck($step);
        cancel_one($step);
        take_over();
    }
    $sms->behave;
};

subtest 'a relay that is killed as it gives back what it never got' => sub {
    for my $at (qw(before sent unread answered)) {
        my $step = { name => "release of what is lost, $at", begun => 0,
            ids => [ book_by(sms => 3) ], twice => 0 };
        push @steps, $step;
        $strike->plan(at => 'answering', text => $statement{claim_notifications});
        $relay->start(wait => 0);
        $strike->wait_struck;
        $strike->plan(at => $at, text => $statement{release_lost_notifications});
        $strike->wait_server($cluster, 'self');
        note_struck($step);
        cancel_one($step);
        take_over();
    }
};

subtest 'what it had is sent when its lease is over' => sub {
    $relay->start;
    ok(eval { wait_settled(10 * $timeout_s) }, 'all is settled') or diag $@;
    told($_->{name}, @{ $_->{ids} }) for @steps;
    my $arrived = arrived();
    # Once more for each such kill, and for each attempt that is known to be over
    # without an answer.
    my %may = map { $_->{key} => $_->{n} } @{ $cluster->query(<<'SQL') };
SELECT n.event || ' for ' || a.appointment_id AS key, count(*) AS n
FROM appt.notification_attempt t
JOIN appt.notification n USING (notification_no)
JOIN appt.appointment a USING (appointment_no)
WHERE t.status IS NULL
GROUP BY 1
SQL
    $may{$_}++ for map { $_->{twice} ? @{ $_->{had} } : () } @steps;
    is_deeply([ grep { $arrived->{$_} - 1 > ($may{$_} // 0) } keys %$arrived ], [],
        'none came again for a step of which what came of it is known');
    for my $step (grep { $_->{twice} == 1 } @steps) {
        cmp_ok(scalar(grep { ($arrived->{$_} // 0) > 1 } @{ $step->{had} }),
            '>=', 1, "$step->{name}: one came again");
    }
    my @had = values %orphan;
    my @early = @{ $cluster->query(<<'SQL', map { my $of = $_;
SELECT k.no, k.fence FROM unnest($1::bigint[], $2::bigint[], $3::float8[])
    AS k (no, fence, lease_until)
JOIN appt.notification_attempt a ON a.notification_no = k.no
    AND a.fence > k.fence AND a.started_at < to_timestamp(k.lease_until)
SQL
        [ map { $_->{$of} } @had ] } qw(notification_no fence lease_until)) };
    is_deeply(\@early, [], 'by nobody before');
    cmp_ok(scalar(@had), '>=', 12, 'of many');
    $relay->stop;
};

# ---- the server ----------------------------------------------------------------

# A relay that lives and whose lease is long: what is due goes on at once, and
# nothing comes twice.
my %patient = (APPT_RELAY_TIMEOUT_MS => 20000, APPT_RELAY_LEASE_MS => 60000,
    APPT_RELAY_MAIL_TIMEOUT_MS => 20000);

# The relay sees nothing of what is done meanwhile but all of it.
sub unseen {
    my ($do) = @_;
    $relay->signal('STOP');
    wait_for { eval { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE usename = 'bioecko_relay' AND state = 'active'}) == 0 } }
        'the server to be through';
    my @got = $do->();
    $relay->signal('CONT');
    return @got;
}

sub server_struck {
    my ($whom) = @_;
    $strike->wait_struck;
    $strike->wait_server($cluster, $whom);
}

for my $whom (qw(self cluster)) {
    subtest 'kill -9 of ' . ($whom eq 'self' ? 'the process that serves it'
            : 'PostgreSQL') => sub {
        local $relay->{env} = { %{ $relay->{env} }, %patient };
        $relay->start;
        my @kind = qw(sms email);
        for my $statement (qw(claim_notifications record_notifications)) {
            for my $at (qw(received writing written answering)) {
                my $name = "$statement, $at";
                push @kind, shift @kind;
                my @id = unseen(sub {
                    my @id = book_by($kind[0], 3);
                    $strike->plan(at => $at, text => $statement{$statement},
                        whom => $whom);
                    return @id;
                });
                server_struck($whom);
                unseen(sub { cancel_one({ begun => 1, ids => \@id }) })
                    if $statement eq 'record_notifications';
                ok(eval { wait_settled(30) }, "$name: all is settled") or diag $@;
                told_once($name, @id);
            }
        }
        ok($relay->alive, 'the relay has lived through it');
        ok($relay->stop, 'and stops');
    };
}

# ---- the look for reminders ----------------------------------------------------

# So many visits, each a day from now at its step.
my @visits = map { $_->{id} } @{ $cluster->query(<<'SQL') };
SELECT appointment_id AS id FROM appt.appointment
WHERE status = 'booked' AND slot_start > '2026-03-17' ORDER BY slot_start LIMIT 12
SQL

sub remind_next {
    my $id = shift @visits;
    $cluster->freeze_clock($cluster->value(q{SELECT slot_start - interval '1 day'
        FROM appt.appointment WHERE appointment_id = $1}, $id));
    return $id;
}

subtest 'the look for reminders' => sub {
    my @reminded;
    for my $at (qw(before sent unread answered)) {
        push @reminded, remind_next();
        $strike->plan(at => $at, text => $statement{tick_notifications});
        $relay->start(wait => 0);
        note_struck({ name => "look, $at" });
        $relay->start;
        ok(eval { wait_for { arrived()->{"reminder for $reminded[-1]"} }
            'the reminder' }, "look, $at: reminded");
        ok(eval { wait_settled(20) }, "look, $at: and that is recorded");
        $relay->stop;
    }
    local $relay->{env} = { %{ $relay->{env} }, %patient };
    $relay->start;
    for my $whom (qw(self cluster)) {
        for my $at (qw(received writing written answering)) {
            push @reminded, unseen(sub {
                my $id = remind_next();
                $strike->plan(at => $at, whom => $whom,
                    text => $statement{tick_notifications});
                return $id;
            });
            server_struck($whom);
            wait_for { arrived()->{"reminder for $reminded[-1]"} }
                'the reminder', 30;
            ok(eval { wait_settled(30) }, "$whom, $at: reminded") or diag $@;
        }
    }
    my $arrived = arrived();
    my %wrong = map { $_ => $arrived->{"reminder for $_"} // 0 }
        grep { ($arrived->{"reminder for $_"} // 0) != 1 } @reminded;
    is_deeply(\%wrong, {}, 'each of ' . @reminded . ' was reminded once');
    is($cluster->value(q{SELECT count(*) - count(DISTINCT appointment_no)
        FROM appt.notification WHERE event = 'reminder'}), 0,
        'and has one reminder');
    $relay->stop;
};

subtest 'after all that' => sub {
    is($cluster->value(q[SELECT count(*) FROM appt.notification
        WHERE state NOT IN ('sent', 'skipped')
            OR (state = 'skipped' AND reason IS NULL)]), 0,
        'all are sent, or skipped with a reason');
    my $arrived = arrived();
    is_deeply([ grep { $arrived->{"booked for $_"} } keys %cancelled ], [],
        keys(%cancelled) . ' that were cancelled before were not told');
    my (%by_key, $again);
    for ($mail->mails) {
        my ($key) = $_->{raw} =~ /(\w+ for APT-[\d-]+)!/ or next;
        my ($message_id) = $_->{raw} =~ /^Message-ID: (.*)\r$/m;
        $again++ if $by_key{$key}{$message_id}++;
    }
    is_deeply([ grep { keys %{ $by_key{$_} } > 1 } keys %by_key ], [],
        'a mail that came twice has one Message-ID');
    cmp_ok($again, '>=', 2, "$again did");
};

subtest 'a mail server that does not answer holds up nothing else' => sub {
    $sms->forget;
    $relay = $clinic->start_relay(env => { %env,
        APPT_RELAY_MAIL_TIMEOUT_MS => 1500, APPT_RELAY_PER_CHANNEL => 8 });
    $mail->behave(hang => 60);
    my $hook = $clinic->sink;
    $cluster->query('SELECT appt.create_webhook(url => $1)',
        $hook->url('/hook'));
    my @id = book($clinic, 40);
    my $by_sms = $cluster->value(<<'SQL', '{' . join(',', @id) . '}');
SELECT count(*) FROM appt.appointment a
JOIN appt.notification_preference p USING (patient_id)
WHERE a.appointment_id = ANY ($1) AND p.channels = '{sms}'
SQL
    my $began = time;
    $hook->wait_for_requests(1 + @id);
    $sms->wait_for_requests($by_sms);
    my $took = time - $began;
    cmp_ok($took, '<', patience(10), sprintf 'webhooks and %d SMS in %.1f s', $by_sms,
        $took);
    cmp_ok(scalar(unsettled()), '>=', 10, 'while the mails wait');
    $mail->behave;
    ok(eval { wait_settled(60) }, 'they are sent once it answers') or diag $@;
    is($cluster->value(q[SELECT count(*) FROM appt.notification
        WHERE state IN ('dead', 'failed')]), 0, 'none is lost');
};

done_testing();
