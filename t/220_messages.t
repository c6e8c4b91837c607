#!/usr/bin/perl
#
# Patients are told by e-mail: a booking, a move and a cancellation reach a real
# mail server as what calendars take; what the server says decides whether it
# is tried again; nothing is told that is no longer true.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::MailSink;
use Appt::Util qw(run_command wait_for);
use JSON::PP ();

my $json    = JSON::PP->new->utf8->canonical;
my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = Appt::MailSink->new;
my $relay   = $clinic->start_relay(env => hurried(
    APPT_RELAY_MESSAGE_RETRY_SCHEDULE => '0,0.2,0.2,0.2',
    APPT_RELAY_MAIL_TIMEOUT_MS        => 3000));

# Reads the mail as Python's own libraries do; the calendar by icalendar.
my $reader = <<'PYTHON';
import email, email.policy, json, sys
import icalendar
mail = email.message_from_string(sys.stdin.buffer.read().decode('latin-1'),
                                 policy=email.policy.default)
def shape(part):
    inner = [shape(p) for p in part.iter_parts()] if part.is_multipart() else []
    return {'type': part.get_content_type(), 'method': part.get_param('method'),
            'disposition': part.get_content_disposition(), 'parts': inner}
texts = {p.get_content_type(): p.get_content() for p in mail.walk()
         if p.get_content_maintype() == 'text'}
out = {'headers': {k: str(v) for k, v in mail.items()}, 'shape': shape(mail),
       'text': texts['text/plain'], 'html': texts['text/html'],
       'defects': [str(d) for p in mail.walk() for d in p.defects]}
if 'text/calendar' in texts:
    raw = texts['text/calendar']
    attached = [p for p in mail.iter_attachments()
                if p.get_filename() == 'invite.ics'][0].get_payload(decode=True)
    out['same'] = attached.decode() == raw.replace('\r\n', '\n').replace('\n', '\r\n')
    calendar = icalendar.Calendar.from_ical(raw)
    events = calendar.walk('VEVENT')
    event = events[0]
    out['method'] = str(calendar['METHOD'])
    out['events'] = len(events)
    out['event'] = {k: str(event[k]) for k in
                    ('UID', 'SEQUENCE', 'STATUS', 'SUMMARY', 'DESCRIPTION',
                     'LOCATION', 'ORGANIZER', 'ATTENDEE')}
    out['event']['SEQUENCE'] = int(event['SEQUENCE'])
    out['start'] = event['DTSTART'].dt.isoformat()
    out['end'] = event['DTEND'].dt.isoformat()
    out['attendee_name'] = str(event['ATTENDEE'].params.get('CN'))
print(json.dumps(out))
PYTHON

sub reading {
    my ($mail) = @_;
    my ($code, $out, $err) = run_command(['/usr/bin/python3', '-c', $reader],
        $mail->{raw});
    is($code, 0, 'Python reads the mail') or diag $err;
    return $json->decode($out);
}

sub state_of {
    my ($id) = @_;
    return join ' ', map {"$_->{event}:$_->{state}"}
        @{ $cluster->query(<<'SQL', $id) };
SELECT n.event, n.state || coalesce('/' || CASE n.state WHEN 'skipped' THEN n.reason END, '') AS state
FROM appt.notification n
JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = $1
ORDER BY n.notification_no
SQL
}

sub wait_for_state {
    my ($id, $wanted) = @_;
    wait_for { state_of($id) =~ $wanted } sub { "$wanted, not " . state_of($id) };
    return state_of($id);
}

$cluster->psql(<<'SQL');
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0'),
    ('notification_order', 'email');
SQL

subtest 'without a channel a booking tells nobody, and writes nothing' => sub {
    my ($id) = book($clinic, 1);
    is($cluster->value('SELECT count(*) FROM appt.notification'), 0, 'no row');
    like($cluster->value('SELECT string_agg(s, E\'\n\') FROM '
        . 'appt.explain_notification($1) s', $id),
        qr/^No channel is configured/, 'and that is said');
};

my $port = $sink->port;
$cluster->psql(<<"SQL");
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $port,
    "security": "none", "from": "visits\@clinic.example",
    "from_name": "Andheri \\"Clinic\\"", "uid_host": "clinic.example"}');
SQL

my ($id, $first);
subtest 'a booking is an invitation' => sub {
    ($id) = book($clinic, 1);
    my ($mail) = $sink->wait_for_mails(1);
    is_deeply([scalar @{ $mail->{to} }, $mail->{from}],
        [1, 'visits@clinic.example'], 'one recipient');
    $first = reading($mail);
    is_deeply($first->{defects}, [], 'no defects');
    is_deeply($first->{shape}, {
        type => 'multipart/mixed', method => undef, disposition => undef,
        parts => [
            { type => 'multipart/alternative', method => undef,
                disposition => undef, parts => [
                    map {{ type => $_->[0], method => $_->[1],
                        disposition => undef, parts => [] }}
                        ['text/plain'], ['text/html'],
                        ['text/calendar', 'REQUEST']] },
            { type => 'application/ics', method => undef,
                disposition => 'attachment', parts => [] }] },
        'the parts that Gmail, Outlook and Apple Calendar look for');
    ok($first->{same}, 'the attachment is the same calendar');
    is($first->{method}, 'REQUEST', 'METHOD in the calendar, too');
    is($first->{events}, 1, 'one VEVENT');
    is($first->{event}{UID}, "$id\@clinic.example", 'UID');
    is($first->{event}{STATUS}, 'CONFIRMED', 'STATUS');
    is($first->{event}{ORGANIZER}, 'mailto:visits@clinic.example', 'ORGANIZER');
    is($first->{event}{ATTENDEE}, "mailto:$mail->{to}[0]", 'ATTENDEE');
    my $visit = $cluster->row('SELECT slot_start, slot_end FROM '
        . 'appt.appointment WHERE appointment_id = $1', $id);
    is($cluster->value('SELECT $1::timestamptz = $2', $first->{start},
        $visit->{slot_start}), 1, 'DTSTART');
    is($cluster->value('SELECT $1::timestamptz = $2', $first->{end},
        $visit->{slot_end}), 1, 'DTEND');
    like($first->{headers}{Subject}, qr/^Your appointment on .* is booked$/,
        'subject');
    like($first->{text}, qr/expects you on/, 'text');
    like($first->{html}, qr/<html lang="en">.*expects you on/s, 'HTML');
    like($first->{headers}{From}, qr/Andheri.*Clinic.* <visits\@clinic\.example>/,
        'a quote in a name stays in it');
    is($first->{headers}{'Auto-Submitted'}, 'auto-generated', 'Auto-Submitted');
    is(wait_for_state($id, qr/^booked:sent$/), 'booked:sent', 'sent');
};

subtest 'a move is an update of it, a cancellation its end' => sub {
    $sink->forget;
    $cluster->psql(<<"SQL");
SELECT appt.reschedule('$id', s.start_time, s.end_time, 'doctor is away')
FROM appt.available_slots('DOC-001', '2026-03-25', 'MUM-01') s LIMIT 1;
SQL
    my ($mail) = $sink->wait_for_mails(1);
    my $moved = reading($mail);
    is($moved->{method}, 'REQUEST', 'REQUEST');
    is($moved->{event}{UID}, $first->{event}{UID}, 'the same UID');
    cmp_ok($moved->{event}{SEQUENCE}, '>', $first->{event}{SEQUENCE},
        'a higher SEQUENCE');
    isnt($moved->{start}, $first->{start}, 'another time');

    $sink->forget;
    $cluster->query('SELECT appt.cancel($1, $2)', $id, 'patient is well');
    ($mail) = $sink->wait_for_mails(1);
    my $cancelled = reading($mail);
    is($cancelled->{method}, 'CANCEL', 'CANCEL in the calendar');
    is($cancelled->{shape}{parts}[0]{parts}[2]{method}, 'CANCEL',
        'and in the type');
    is($cancelled->{event}{STATUS}, 'CANCELLED', 'STATUS');
    is($cancelled->{event}{UID}, $first->{event}{UID}, 'the same UID');
    cmp_ok($cancelled->{event}{SEQUENCE}, '>', $moved->{event}{SEQUENCE},
        'a higher SEQUENCE');
    like($cancelled->{text}, qr/patient is well/, 'the reason is told');
};

subtest 'a 4xx is tried again under the same Message-ID' => sub {
    $sink->forget;
    $sink->behave(data => '451 4.7.1 come back later', times => 2);
    my ($one) = book($clinic, 1);
    $sink->wait_for_mails(1);
    wait_for_state($one, qr/sent/);
    my $rows = $cluster->query('SELECT t.status, t.answer FROM '
        . 'appt.notification_attempt t JOIN appt.notification n '
        . 'USING (notification_no) JOIN appt.appointment a '
        . 'USING (appointment_no) WHERE a.appointment_id = $1 '
        . 'ORDER BY t.fence', $one);
    is_deeply([map { $_->{status} } @$rows], [451, 451, 250], 'the log');
    like($rows->[0]{answer}, qr/come back later/, 'in the server\'s words');
    $sink->behave;
};

subtest 'a 5xx is final, and shown' => sub {
    $sink->behave(rcpt => '550 5.1.1 no such mailbox', times => 1);
    my ($one) = book($clinic, 1);
    is(wait_for_state($one, qr/failed/), 'booked:failed', 'failed');
    like($cluster->value('SELECT string_agg(s, E\'\n\') FROM '
        . 'appt.explain_notification($1) s', $one),
        qr/^Booked by email was refused: 550 5\.1\.1 no such mailbox\./,
        'explained');
    $sink->behave;
};

subtest 'a lost 250 gives one more mail with the same Message-ID' => sub {
    $sink->forget;
    $sink->behave(lost => JSON::PP::true, times => 1);
    my ($one) = book($clinic, 1);
    my @mail = $sink->wait_for_mails(2);
    is(wait_for_state($one, qr/sent/), 'booked:sent', 'sent in the end');
    is(@mail, 2, 'two mails');
    my @message_id = map { $_->{raw} =~ /^Message-ID: (.*)\r$/m } @mail;
    is($message_id[0], $message_id[1], 'one Message-ID');
    $sink->behave;
};

subtest 'a server that is away is tried until it is back' => sub {
    $sink->forget;
    $sink->stop;
    my ($one) = book($clinic, 1);
    wait_for { ($cluster->value('SELECT max(attempts) FROM '
        . q{appt.notification WHERE state = 'due'}) // 0) >= 1 } 'an attempt';
    $sink->start;
    $cluster->psql(q{UPDATE appt.notification SET attempts = 0, state = 'due',
        finished_at = NULL WHERE state IN ('due', 'dead')});
    is(wait_for_state($one, qr/sent/), 'booked:sent', 'sent');
};

subtest 'names cannot leave their place' => sub {
    $sink->forget;
    my $nasty = "\"Ra&v;i\", }} {{reason}} \x{1f600} <b>\r\nBcc: a\@b.example";
    $cluster->query('UPDATE appt.patient SET first_name = $1 '
        . 'WHERE patient_id <> $2', $nasty, 'PAT-2026-00123');
    book($clinic, 1);
    my ($mail) = $sink->wait_for_mails(1);
    my $read = reading($mail);
    is_deeply($read->{defects}, [], 'no defects');
    my ($line) = split /\r/, $nasty;
    like($read->{text}, qr/^Dear \Q$line\E/m, 'in the text as it is');
    unlike($read->{html}, qr/<b>/, 'escaped in HTML');
    like($read->{event}{DESCRIPTION}, qr/\Q$line\E/,
        'in the calendar as it is');
    unlike($mail->{raw}, qr/\A(?:[^\r\n]+\r\n)*Bcc:/, 'and no header of its own');
    is(scalar(() = $mail->{raw} =~ /^To:/mg), 1, 'one To');
    is(scalar @{ $mail->{to} }, 1, 'one recipient');
};

subtest 'what is no longer true is not sent' => sub {
    $sink->forget;
    $sink->stop;
    $cluster->psql(q{UPDATE appt.setting SET value = '3600' WHERE name = 'settle_s'});
    my ($one) = book($clinic, 1);
    $cluster->psql(<<"SQL");
SELECT appt.reschedule('$one', s.start_time, s.end_time, 'first')
FROM appt.available_slots('DOC-001', '2026-03-26', 'MUM-01') s LIMIT 1;
SELECT appt.reschedule('$one', s.start_time, s.end_time, 'second')
FROM appt.available_slots('DOC-001', '2026-03-27', 'MUM-01') s LIMIT 1;
SQL
    my ($other) = book($clinic, 1);
    $cluster->query('SELECT appt.cancel($1, $2)', $other, 'never mind');
    $sink->start;
    $cluster->psql(q{UPDATE appt.notification SET due_at = clock_timestamp()
        WHERE state = 'due'});
    is(wait_for_state($one, qr/sent/),
        'booked:skipped/moved rescheduled:skipped/moved booked:sent',
        'book, move, move: one message, of the booking');
    is(wait_for_state($other, qr/sent/),
        'booked:skipped/cancelled cancelled:sent', 'book, cancel: the end');
    is(scalar($sink->mails), 2, 'two mails in all');
};

# The first is in the statement that waits for the lock, the others in the next.
subtest 'one that cannot be recorded keeps back no other' => sub {
    $sink->forget;
    my (undef, $bad, $good) = map { (book($clinic, 1))[0] } 1 .. 3;
    my $dba = $cluster->connect;
    $dba->begin_work;
    $dba->do('LOCK TABLE appt.notification_attempt IN SHARE MODE');
    $cluster->psql(q{UPDATE appt.notification SET due_at = clock_timestamp()
        WHERE state = 'due'});
    $sink->wait_for_mails(3);
    $dba->do('ALTER TABLE appt.notification_attempt ADD CONSTRAINT dba CHECK ('
        . 'notification_no <> ' . $cluster->value(<<'SQL', $bad) . ') NOT VALID');
SELECT n.notification_no FROM appt.notification n
JOIN appt.appointment a USING (appointment_no) WHERE a.appointment_id = $1
SQL
    $dba->commit;
    is(wait_for_state($good, qr/sent/), 'booked:sent', 'the other is recorded');
    is(state_of($bad), 'booked:sending', 'it waits for the end of its lease');
    $cluster->psql('ALTER TABLE appt.notification_attempt DROP CONSTRAINT dba');
    is(wait_for_state($bad, qr/sent/), 'booked:sent', 'and is sent again');
};

done_testing();
