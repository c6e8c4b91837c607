#!/usr/bin/perl
#
# Nothing is lost when a relay is killed at any step: each message that is due
# is sent at least once or skipped with a reason, and none for a visit that was
# cancelled before its sending began. A mail server that does not answer holds
# up no SMS and no webhook.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::MailSink;
use Appt::Sink;
use Appt::Util qw(wait_for);
use Time::HiRes qw(sleep time);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $mail    = Appt::MailSink->new;
my $sms     = Appt::Sink->new;
my %env = %{ hurried(
    APPT_RELAY_MESSAGE_RETRY_SCHEDULE => join(',', 0, (0.3) x 60),
    APPT_RELAY_MAIL_TIMEOUT_MS        => 1500,
    APPT_RELAY_TIMEOUT_MS             => 1500,
    APPT_RELAY_MAIL_CONNECTIONS       => 2,
    APPT_RELAY_PER_CHANNEL            => 8) };

$cluster->psql(<<"SQL");
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": @{[ $mail->port ]},
        "security": "none", "from": "visits\@clinic.example"}'),
    ('sms', 'sms', '{"url": "@{[ $sms->url('/sms') ]}",
        "body": {"to": "{{to}}", "text": "{{body}}"}}');
DELETE FROM appt.notification_template WHERE event = 'booked';
INSERT INTO appt.notification_template (event, channel, language, subject, body)
VALUES ('booked', 'email', 'en', 'S', 'Of {{appointment_id}}.'),
    ('booked', 'sms', 'en', NULL, 'Of {{appointment_id}}.');
INSERT INTO appt.notification_preference (patient_id, channels)
SELECT patient_id, CASE WHEN patient_no % 2 = 0 THEN '{email}'::text[]
    ELSE '{sms}' END
FROM appt.patient;
SQL

# How often each appointment's message arrived.
sub arrived {
    my %count;
    $count{$_}++ for map { $_->{raw} =~ /^Of (APT-[\d-]+)\./m } $mail->mails;
    $count{$_}++ for map { $_->{body} =~ /Of (APT-[\d-]+)\./ } $sms->requests;
    return \%count;
}

sub open_messages {
    return $cluster->value(q[SELECT count(*) FROM appt.notification
        WHERE state IN ('due', 'sending')]);
}

subtest 'a relay that is killed again and again' => sub {
    my @booked;
    my @cancelled;
    my $relay = $clinic->start_relay(env => \%env);
    $mail->behave(hang => 0.05);
    for my $round (1 .. 8) {
        push @booked, book($clinic, 6);
        # Killed while it claims, sends and records.
        sleep 0.02 * $round;
        $relay->kill9;
        # What is due and is cancelled while nobody sends must not go out.
        my $due = $cluster->query(<<'SQL');
SELECT a.appointment_id FROM appt.notification n
JOIN appt.appointment a USING (appointment_no)
WHERE n.state = 'due' AND n.fence = 0 AND n.event = 'booked' LIMIT 2
SQL
        for my $id (map { $_->{appointment_id} } @$due) {
            $cluster->query('SELECT appt.cancel($1, $2)', $id, 'gone');
            push @cancelled, $id;
        }
        $relay->start;
    }
    wait_for { open_messages() == 0 }
        sub { open_messages() . ' messages are still open' }, 60;
    my $arrived = arrived();
    my %is_cancelled = map { $_ => 1 } @cancelled;
    my @lost = grep { !$arrived->{$_} && !$is_cancelled{$_} } @booked;
    is_deeply(\@lost, [], 'each was told') or diag "@lost";
    my @told = grep { $arrived->{$_} } @cancelled;
    is_deeply(\@told, [], scalar(@cancelled)
        . ' that were cancelled before were not told');
    is($cluster->value(q[SELECT count(*) FROM appt.notification
        WHERE state NOT IN ('sent', 'skipped')
            OR (state = 'skipped' AND reason IS NULL)]), 0,
        'all are sent, or skipped with a reason');
    my %by_id;
    for ($mail->mails) {
        my ($id) = $_->{raw} =~ /^Of (APT-[\d-]+)\./m or next;
        my ($message_id) = $_->{raw} =~ /^Message-ID: (.*)\r$/m;
        $by_id{$id}{$message_id} = 1;
    }
    is_deeply([grep { keys %{ $by_id{$_} } > 1 } keys %by_id], [],
        'a mail that came twice has one Message-ID');
    $mail->behave;
};

subtest 'a mail server that does not answer holds up nothing else' => sub {
    $sms->forget;
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
    cmp_ok($took, '<', 10, sprintf 'webhooks and %d SMS in %.1f s', $by_sms,
        $took);
    cmp_ok(open_messages(), '>=', 10, 'while the mails wait');
    $mail->behave;
    wait_for { open_messages() == 0 } 'the mails, once it answers', 60;
    is($cluster->value(q[SELECT count(*) FROM appt.notification
        WHERE state IN ('dead', 'failed')]), 0, 'none is lost');
};

done_testing();
