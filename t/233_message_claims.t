#!/usr/bin/perl
#
# No more messages are claimed than find room, those behind a channel that is
# full are found all the same, and what came of some is recorded while others
# are being claimed. Nothing is asked for where there is no room, and a channel
# is no slower for claims that take long.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::Sink;
use Appt::Util qw(wait_for);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
$cluster->psql(<<"SQL");
INSERT INTO appt.notification_channel (channel_id, kind, settings, active)
SELECT k, k, jsonb_build_object('url', '@{[$sink->url('/')]}' || k,
	'body', jsonb_build_object('text', '{{body}}')), k = 'sms'
FROM unnest('{sms,whatsapp}'::text[]) k;
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('booked', 'whatsapp', 'en-IN', 'Booked');
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0'),
	('notification_order', 'sms'), ('default_language', 'en-IN');
UPDATE appt.patient SET phone = '98765 43210';
SQL

# What a relay is given that may have ten of a channel, and has so many: how
# many of each.
sub claimed {
    my (%arg) = @_;
    my $rows = $cluster->query(<<'SQL', @arg{qw(sms whatsapp)}, $arg{most} // 1000);
WITH has AS (
	SELECT array_agg(c.channel_no) AS channel_nos,
		array_agg(CASE c.kind WHEN 'sms' THEN $1::integer
			ELSE $2::integer END) AS leased
	FROM appt.notification_channel c)
SELECT c.kind, count(*)::integer AS n
FROM has, appt_relay.claim_notifications(1, $3, '60 s', 10, has.channel_nos,
	has.leased) m
JOIN appt.notification_channel c USING (channel_no)
GROUP BY c.kind
SQL
    return { map { $_->{kind} => $_->{n} } @$rows };
}

book($clinic, 60);
is_deeply(claimed(sms => 3, whatsapp => 0), { sms => 7 },
    'as many as find room');
is($cluster->value(q{SELECT count(*) FROM appt.notification
    WHERE channel_no = 0 AND state = 'due' AND xmax = 0}), 53,
    'no other was looked at');
is_deeply(claimed(sms => 10, whatsapp => 0), {}, 'where there is no room, none');
is($cluster->value(q{SELECT count(*) FROM appt.notification n
    JOIN appt.notification_channel c USING (channel_no)
    WHERE c.kind = 'sms' AND n.state = 'due'}), 53,
    'they wait by their channel, to be seen there');
is_deeply(claimed(sms => 0, whatsapp => 0, most => 4), { sms => 4 },
    'no more than asked for');

# Of thirty visits the patients of the last five want to be told otherwise.
$cluster->psql('DELETE FROM appt.notification; '
        . 'UPDATE appt.notification_channel SET active = true');
my @id = book($clinic, 30);
$cluster->query(q{INSERT INTO appt.notification_preference
    SELECT DISTINCT patient_id, '{whatsapp}'::text[] FROM appt.appointment
    WHERE appointment_id = ANY ($1) RETURNING 1}, [ @id[25 .. 29] ]);
is_deeply(claimed(sms => 9, whatsapp => 8), { sms => 1, whatsapp => 2 },
    'others are found behind those that find no room');

# To take a message makes no entry in any index.
$cluster->psql('DELETE FROM appt.notification; VACUUM appt.notification');
book($clinic, 20);
my $claiming = $cluster->connect;
$claiming->begin_work;
my ($n, $updated, $in_place) = $claiming->selectrow_array(q{
    SELECT (SELECT count(*) FROM appt_relay.claim_notifications(1, 100)),
        pg_stat_get_xact_tuples_updated(t),
        pg_stat_get_xact_tuples_hot_updated(t)
    FROM CAST('appt.notification' AS regclass) t});
$claiming->commit;
is_deeply([ $n, $updated, $in_place ], [ 20, 20, 20 ],
    'a claim writes no index');

# What a trigger of the clinic's own keeps from being leased is not sent.
$cluster->psql(<<'SQL');
DELETE FROM appt.notification;
CREATE FUNCTION keep_back() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep_back BEFORE UPDATE ON appt.notification
	FOR EACH ROW WHEN (NEW.state = 'sending' AND NEW.notification_no % 2 = 0)
	EXECUTE FUNCTION keep_back();
SQL
book($clinic, 10);
is_deeply(claimed(sms => 0, whatsapp => 0), { sms => 5 },
    'a relay is given none that it does not hold');
is($cluster->value(q{SELECT count(*) FROM appt.notification
    WHERE state = 'due' AND notification_no % 2 = 0}), 5, 'those wait');
$cluster->psql('DROP TRIGGER keep_back ON appt.notification');

# A claim that waits holds up nothing that is told of the one before.
$cluster->psql('DELETE FROM appt.notification');
my $relay = $clinic->start_relay(env => hurried());
$sink->behave(delay => 1);
my ($first) = book($clinic, 1);
$sink->wait_for_requests(1);
my $other = $cluster->connect;
$other->begin_work;
$other->do('LOCK TABLE appt.notification_template');
book($clinic, 1);
wait_for { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
    WHERE query LIKE '%claim_notifications%' AND wait_event_type = 'Lock'}) }
    'a claim to wait';
wait_for { $cluster->value(q{SELECT n.state FROM appt.notification n
    JOIN appt.appointment a USING (appointment_no)
    WHERE a.appointment_id = $1}, $first) eq 'sent' } 'the first to be recorded';
is($cluster->value(q{SELECT count(*) FROM appt.notification
    WHERE state = 'due'}), 1, 'the other still waits to be claimed');
$other->rollback;
wait_for { $cluster->value(q{SELECT count(*) FROM appt.notification
    WHERE state = 'sent'}) == 2 } 'both to be sent';
pass('then it is sent');
$relay->stop;

# From now on each claim is noted, and takes as long as is said.
$cluster->psql(<<'SQL');
DELETE FROM appt.notification;
CREATE TABLE claim_made (claim_no integer GENERATED ALWAYS AS IDENTITY, n integer);
CREATE TABLE claim_rule (takes_s float8);
INSERT INTO claim_rule VALUES (0);
CREATE SCHEMA at_once;
ALTER FUNCTION appt_relay.claim_notifications SET SCHEMA at_once;
CREATE FUNCTION appt_relay.claim_notifications(relay_no bigint, most integer,
	lease interval, per_channel integer, channel_nos integer[], leased integer[])
	RETURNS SETOF appt_internal.message
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	made integer;
BEGIN
	PERFORM pg_sleep(takes_s) FROM public.claim_rule;
	RETURN QUERY SELECT * FROM at_once.claim_notifications(relay_no, most, lease,
		per_channel, channel_nos, leased);
	GET DIAGNOSTICS made = ROW_COUNT;
	INSERT INTO public.claim_made (n) VALUES (made);
END
$$;
SQL

sub sent {
    return $cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE state = 'sent'});
}

sub wait_for_sent {
    my ($count) = @_;
    return wait_for { sent() == $count } "$count to be sent", 60;
}

my $hook = Appt::Sink->new;
$cluster->query('SELECT appt.create_webhook(url => $1)', $hook->url('/hook'));
$sink->forget;
$sink->behave;
$sink->behave(delay => 4);
$relay = $clinic->start_relay(env => hurried(APPT_RELAY_PER_CHANNEL => 2,
    APPT_RELAY_POLL_MS => 2000));
book($clinic, 2);
$sink->wait_for_requests(2);
$cluster->psql('TRUNCATE claim_made');
for (1 .. 12) {
    $hook->forget;
    book($clinic, 1);
    $hook->wait_for_requests(1);
    last if sent() > 0;
}
wait_for { sent() > 0 } 'the first to be recorded';
cmp_ok($cluster->value('SELECT count(*) FROM claim_made WHERE n = 0'), '<=', 5,
    'where there is no room it asks by the clock, not each time it is woken');
$sink->behave;
wait_for_sent($cluster->value('SELECT count(*) FROM appt.notification'));
pass('what came meanwhile is sent when there is');
$relay->stop;

$cluster->psql('DELETE FROM appt.notification; TRUNCATE claim_made; '
        . 'UPDATE claim_rule SET takes_s = 0.6');
book($clinic, 90);
$relay = $clinic->start_relay(env => hurried(APPT_RELAY_PER_CHANNEL => 4));
wait_for_sent(90);
cmp_ok($cluster->value('SELECT count(*) FROM claim_made WHERE n > 0'), '<=', 9,
    'each claim brings more than the one before, though all take long');

done_testing;
