#!/usr/bin/perl
#
# With 10,000 reminders waiting, a change of a template, of quiet hours, of lead
# times, of a patient's wish or of the channels counts for each that is not sent
# yet: nothing is prepared ahead. Each change is taken back before the next.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;

my $cluster = Appt::Cluster->new;
$cluster->create_extension;
$cluster->freeze_clock('2026-03-14T12:00:00Z');
$cluster->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone) VALUES ('B', 'Branch', 'UTC');
INSERT INTO appt.doctor (doctor_id, name, slot_min)
SELECT 'D' || n, 'Dr', 5 FROM generate_series(0, 99) n;
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time, end_time)
SELECT doctor_id, 'B', 2, '09:00', '18:00' FROM appt.doctor;
INSERT INTO appt.patient (patient_id, first_name, phone)
SELECT 'P' || n, 'Patient', '98765' || 10000 + n FROM generate_series(0, 9999) n;
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('sms', 'sms', '{"url": "https://sms.example/",
	"body": {"text": "{{body}}"}}');
INSERT INTO appt.notification_template (event, channel, language, body)
VALUES ('reminder', 'sms', 'en', 'Old {{slot_time}}');
SELECT count(appt.book('P' || n, 'D' || n % 100, '2026-03-17 09:00Z'::timestamptz
	+ n / 100 * interval '5 minutes', notify => false))
FROM generate_series(0, 9999) n;
SQL
$cluster->freeze_clock('2026-03-16T20:00:00Z');

my $dbh = $cluster->connect;
my ($written) = (0);
for (1 .. 5) {
    my ($n) = $dbh->selectrow_array(
        'SELECT reminders FROM appt_relay.tick_notifications()');
    last if $n == 0;
    $written += $n;
}
is($written, 10_000, '10,000 reminders wait');

# What a relay is given in all, by the first word, and what is left; then all is
# as it was.
sub after_change {
    my ($what, $change, $given, $left) = @_;
    $dbh->begin_work;
    $dbh->do($_) for @$change;
    my %given;
    for (1 .. 30) {
        my $rows = $dbh->selectcol_arrayref(<<'SQL');
SELECT m.body::jsonb->>'text'
FROM appt_relay.claim_notifications(1, 2000, per_channel => 100000) m
SQL
        $given{ (split ' ')[0] }++ for @$rows;
        last if !@$rows && !$dbh->selectrow_array(q{SELECT count(*)
            FROM appt.notification WHERE state = 'due'
                AND due_at <= clock_timestamp()});
    }
    my $rows = $dbh->selectall_arrayref(q{SELECT concat_ws('/', state, reason),
        count(*) FROM appt.notification WHERE state <> 'sending'
        GROUP BY 1 ORDER BY 1});
    is_deeply(\%given, $given, "$what: what is sent");
    is_deeply({ map { @$_ } @$rows }, $left, "$what: what is not");
    my ($hours) = $dbh->selectrow_array(q{SELECT round(extract(epoch FROM
        min(due_at) - clock_timestamp()) / 3600) FROM appt.notification
        WHERE state = 'due'});
    $dbh->rollback;
    return $hours;
}

after_change('nothing changed', [], { Old => 10_000 }, {});
after_change('a template', [ q{UPDATE appt.notification_template
    SET body = 'New {{slot_time}}'} ], { New => 10_000 }, {});
after_change('a template of another language', [
    q{UPDATE appt.patient SET language = 'hi'
        WHERE right(patient_id, 1) IN ('1', '2')},
    q{INSERT INTO appt.notification_template (event, channel, language, body)
        VALUES ('reminder', 'sms', 'hi', 'Hindi {{slot_time}}')} ],
    { Old => 8_000, Hindi => 2_000 }, {});
is(after_change('quiet hours', [ q{INSERT INTO appt.setting (name, value)
    VALUES ('quiet_from', '19:30'), ('quiet_to', '09:00')} ], {},
    { 'skipped/past' => 100, due => 9_900 }), 13, 'hours until they end');
after_change('quiet hours of one doctor', [ q{INSERT INTO appt.setting
    (name, doctor_id, value) VALUES ('quiet_from', 'D7', '19:30')} ],
    { Old => 9_900 }, { due => 100 });
after_change('no lead but a short one', [ q{INSERT INTO appt.setting
    (name, value) VALUES ('reminder_lead_min', '60')} ], {}, {});
after_change('refused by one in ten', [ q{INSERT INTO
    appt.notification_opt_out (patient_id, channel, event, way)
    SELECT patient_id, 'sms', 'reminder', 'desk' FROM appt.patient
    WHERE right(patient_id, 1) = '3'} ], { Old => 9_000 },
    { 'skipped/opted_out' => 1_000 });
after_change('no template', [ 'UPDATE appt.notification_template
    SET active = false' ], {}, { 'skipped/no_template' => 10_000 });
after_change('another channel', [
    q{UPDATE appt.notification_channel SET active = false},
    q{INSERT INTO appt.notification_channel (channel_id, kind, settings)
        VALUES ('wa', 'whatsapp', '{"url": "https://wa.example/",
        "body": {"text": "WA {{body}}"}}')},
    q{INSERT INTO appt.notification_template (event, channel, language, body)
        VALUES ('reminder', 'whatsapp', 'en', 'New')} ],
    { WA => 10_000 }, {});

done_testing;
