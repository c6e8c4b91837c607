#!/usr/bin/perl
#
# A relay that is stopped finishes what it has begun and gives back the other
# messages that it has leased, so that the next one sends them at once: e-mails
# that wait for a connection, and what a claim under way brings.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::MailSink;
use Appt::Util qw(wait_for);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $mail    = Appt::MailSink->new;
$cluster->psql(<<"SQL");
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": @{[ $mail->port ]},
	"security": "none", "from": "visits\@clinic.example"}');
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0');
UPDATE appt.patient SET email = patient_id || '\@example.org';
SQL

sub states {
    return { map { $_->{state} => $_->{n} } @{ $cluster->query(<<'SQL') } };
SELECT state, count(*)::integer AS n FROM appt.notification GROUP BY state
SQL
}

# Mails whose text the server waits for, or has.
sub begun { return () = $mail->trace =~ /<< b'354/g }

my %few = (APPT_RELAY_MAIL_CONNECTIONS => 2);

$mail->behave(hang => 4);
my $relay = $clinic->start_relay(env => hurried(%few));
book($clinic, 12);
wait_for { (states()->{sending} // 0) == 12 } 'all to be claimed';
wait_for { begun() >= 2 } 'two mails to be begun';
$relay->stop;
is_deeply(states(), { sent => 2, due => 10 },
    'mails that are under way are sent, those that wait are given back');
is(scalar($mail->mails), 2, 'no other came');
is($cluster->value('SELECT sum(attempts) FROM appt.notification'), 2,
    'to wait is no attempt');

$mail->behave;
$relay->start;
wait_for { (states()->{sent} // 0) == 12 } 'the others to be sent';
pass('the next relay sends the others before their leases are over');
is(scalar($mail->mails), 12, 'each once');
$relay->stop;

# What is claimed while the relay stops.
my $other = $cluster->connect;
$other->begin_work;
$other->do('LOCK TABLE appt.notification_template');
$relay->start;
book($clinic, 5);
wait_for { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
    WHERE query LIKE '%claim_notifications%' AND wait_event_type = 'Lock'}) }
    'a claim to wait';
$relay->signal('TERM');
$relay->wait_log(qr/stopping/);
$other->rollback;
$relay->stop;
is_deeply(states(), { sent => 12, due => 5 }, 'it is given back, too');

done_testing;
