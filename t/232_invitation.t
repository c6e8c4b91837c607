#!/usr/bin/perl
#
# An invitation is read by ical.js and by Python's icalendar as what it is: it
# enters a visit into a calendar, an update moves it, a cancellation removes it,
# in whatever order they arrive; an answer that is made from it names the same
# people. Lines are short, whatever alphabet the names have.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::MailSink;
use Appt::Node;
use Appt::Util qw(run_command wait_for);
use Encode qw(decode_utf8 encode_utf8);
use JSON::PP ();

my $node = Appt::Node->new('t/node')
    or plan skip_all => 'node or npm is not installed';
my $json    = JSON::PP->new->utf8->canonical;
my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = Appt::MailSink->new;
my $port    = $sink->port;

# Three alphabets, four octets a character, and all that iCalendar escapes.
my $doctor = 'डॉक्टर ' . join(' ', ('अनुराधा') x 6) . '; "क", \\ख: Müller';
my $branch = '診療所🏥' x 12;
my $patient = "राहुल, \"Raj\"; \x{1f600}";
$cluster->query('UPDATE appt.doctor SET name = $1', $doctor);
$cluster->query('UPDATE appt.branch SET name = $1', $branch);
$cluster->query('UPDATE appt.patient SET first_name = $1, last_name = NULL',
    $patient);
$cluster->psql(<<"SQL");
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $port,
    "security": "none", "from": "visits\@clinic.example",
    "from_name": "Andheri"}');
SQL
my $relay = $clinic->start_relay(env => hurried());

# The calendar of a mail, its bytes, and the method in the part's type.
my $extract = <<'PYTHON';
import email, email.policy, json, sys
mail = email.message_from_string(sys.stdin.buffer.read().decode('latin-1'),
                                 policy=email.policy.default)
part = [p for p in mail.walk() if p.get_content_type() == 'text/calendar']
assert len(part) == 1, part
print(json.dumps({'method': part[0].get_param('method'),
                  'charset': part[0].get_content_charset(),
                  'ics': part[0].get_payload(decode=True).decode()}))
PYTHON

# Whether the answer is one to the invitation, by icalendar.
my $judge = <<'PYTHON';
import icalendar, json, sys
asked, said = [icalendar.Calendar.from_ical(t) for t in json.load(sys.stdin)]
a, b = asked.walk('VEVENT')[0], said.walk('VEVENT')[0]
print(json.dumps({
    'method': str(said['METHOD']),
    'same': [k for k in ('UID', 'SEQUENCE', 'ORGANIZER', 'ATTENDEE')
             if str(a[k]) == str(b[k])],
    'partstat': str(b['ATTENDEE'].params['PARTSTAT']),
    'start': a['DTSTART'].dt.isoformat(), 'zone': str(a['DTSTART'].dt.tzinfo),
    'summary': str(a['SUMMARY']), 'location': str(a['LOCATION']),
    'name': str(a['ATTENDEE'].params['CN'])}))
PYTHON

sub python {
    my ($program, $input) = @_;
    my ($code, $out, $err) = run_command(['/usr/bin/python3', '-c', $program],
        $input);
    die $err if $code;
    return $json->decode($out);
}

my @mail;

sub next_mail {
    my ($mail) = ($sink->wait_for_mails(@mail + 1))[-1];
    push @mail, { %{ python($extract, $mail->{raw}) },
        to => $mail->{to}[0] };
}

my ($id) = book($clinic, 1);
next_mail();
$cluster->psql(<<"SQL");
SELECT appt.reschedule('$id', s.start_time, s.end_time, 'away')
FROM appt.available_slots('DOC-001', '2026-03-25', 'MUM-01') s LIMIT 1;
SQL
my $moved_to = $cluster->value(q{SELECT to_char(slot_start AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.000"Z"') FROM appt.appointment
    WHERE appointment_id = $1}, $id);
next_mail();
$cluster->query('SELECT appt.cancel($1, $2)', $id, 'well again');
next_mail();

# What a calendar says of these mails, in that order.
sub calendar {
    my $in = join '', map { $json->encode({ ics => $_->{ics},
        attendee => $_->{to} }) . "\n" } @_;
    my ($code, $out, $err) = run_command(['node',
        $node->directory . '/calendar.js'], $in);
    is($code, 0, 'ical.js reads them') or diag $err;
    return map { $json->decode($_) } split /\n/, $out;
}

subtest 'an invitation, an update, a cancellation' => sub {
    my @read = calendar(@mail);
    is_deeply([map { $_->{method} } @read], [qw(REQUEST REQUEST CANCEL)],
        'METHOD');
    is_deeply([map { $_->{method} } @mail], [qw(REQUEST REQUEST CANCEL)],
        'in the type alike');
    is_deeply([map { $_->{charset} } @mail], [('utf-8') x 3], 'charset');
    is_deeply([map { $_->{done} } @read], [qw(added updated removed)],
        'what each does to a calendar');
    is(scalar @{ $read[1]{calendar} }, 1, 'one entry after the update');
    is($read[1]{calendar}[0]{start}, $moved_to, 'at the new time');
    is_deeply($read[2]{calendar}, [], 'none after the cancellation');
    my @sequence = map { $_->{event}{sequence} } @read;
    ok($sequence[0] < $sequence[1] && $sequence[1] < $sequence[2],
        "SEQUENCE rises: @sequence");
    is_deeply([map { $_->{event}{status} } @read],
        [qw(CONFIRMED CONFIRMED CANCELLED)], 'STATUS');
    is_deeply([map { $_->{event}{zone} } @read], [('UTC') x 3], 'in UTC');
};

subtest 'mails that overtake each other' => sub {
    my @read = calendar(@mail[1, 0]);
    is_deeply([map { $_->{done} } @read], [qw(added older)],
        'the older is known as such');
    is($read[1]{calendar}[0]{start}, $moved_to, 'the visit stays moved');
};

subtest 'both libraries read the same words' => sub {
    my ($read) = calendar($mail[0]);
    my $other = python($judge, $json->encode([$mail[0]{ics}, $read->{reply}]));
    my $event = $read->{event};
    is($event->{summary}, "$doctor, $branch", 'SUMMARY');
    is($other->{summary}, $event->{summary}, 'by icalendar, too');
    like($event->{location}, qr/^\Q$branch\E/, 'LOCATION');
    is($other->{location}, $event->{location}, 'by icalendar, too');
    like($event->{description}, qr/^Dear \Q$patient\E/, 'DESCRIPTION');
    (my $name = $patient) =~ tr/"/'/;
    is($event->{names}[0], $name, 'CN, which has no way to hold a quote');
    is($other->{name}, $name, 'by icalendar, too');
    is($other->{zone}, 'UTC', 'UTC');
};

subtest 'an answer is one to the invitation' => sub {
    for my $mail (@mail[0, 1]) {
        my ($read) = calendar($mail);
        is_deeply($read->{event}{attendees}, ["mailto:$mail->{to}"],
            'ATTENDEE is whom the mail went to');
        is($read->{event}{organizer}, 'mailto:visits@clinic.example',
            'ORGANIZER is who sent it');
        my $said = python($judge, $json->encode([$mail->{ics},
            $read->{reply}]));
        is($said->{method}, 'REPLY', 'REPLY');
        is_deeply($said->{same}, [qw(UID SEQUENCE ORGANIZER ATTENDEE)],
            'of the same visit and people');
        is($said->{partstat}, 'ACCEPTED', 'accepts');
    }
};

subtest 'lines' => sub {
    for my $mail (@mail) {
        my $bytes = encode_utf8($mail->{ics});
        is($bytes =~ s/\r\n//gr =~ tr/\r\n//, 0, 'CRLF ends each');
        my @line = split /\r\n/, $bytes;
        my ($longest) = sort { $b <=> $a } map {length} @line;
        cmp_ok($longest, '<=', 75, "at most 75 octets ($longest)");
        cmp_ok($longest, '>=', 72, 'and no less than need be');
        my @cut = grep { !defined eval { decode_utf8($_, Encode::FB_CROAK) } }
            map { my $line = $_; $line } @line;
        is(scalar @cut, 0, 'none begins within a character');
        cmp_ok(scalar(grep {/^ /} @line), '>=', 8, 'some are folded');
    }
};

done_testing();
