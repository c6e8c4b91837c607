package Bench::Messages;

# Messages to patients: a channel to a local sink, and reminders that are due.
#
#   use_channel($place, sms => $sink->url);   use_channel($place, email => 25);
#   my $count = make_due($place, 100_000);    # written by the relay itself
#   no_channel($place);
#   my $sink = mail_sink();  my ($count, $first_us, $last_us) = $sink->count;

use strict;
use warnings;
use Appt::Process;
use Appt::Util qw(free_port wait_for);
use Bench::Webhook qw(tool);
use Exporter 'import';
use IO::Socket::INET;

our @EXPORT_OK = qw(use_channel no_channel make_due mail_sink open_messages);

# One channel, templates of what is told by it, and addresses for all.
sub use_channel {
    my ($place, $kind, $where) = @_;
    my $settings = $kind eq 'sms'
        ? qq({"url": "$where", "headers": {"authkey": "{{secret}}"},
            "body": {"to": "{{to_digits}}", "text": "{{body}}",
                "ref": "{{message_id}}"}})
        : qq({"host": "127.0.0.1", "port": $where, "security": "none",
            "from": "visits\@clinic.example"});
    my $subject = $kind eq 'email' ? q('Your visit on {{slot_date}}') : 'NULL';
    no_channel($place);
    $place->cluster->psql(<<"SQL");
UPDATE appt.patient
SET phone_e164 = '+9198' || lpad(patient_no::text, 8, '0'),
	email = 'p' || patient_no || '\@example.org'
WHERE email IS NULL;
INSERT INTO appt.notification_template (event, channel, language, subject, body)
SELECT e, '$kind', 'en', $subject, 'Dear {{patient_name}}, {{doctor_name}} at '
	'{{branch_name}} expects you on {{slot_date}} at {{slot_time}}. Your '
	'number is {{token_number}}.'
FROM unnest('{booked,rescheduled,cancelled,reminder}'::text[]) e;
INSERT INTO appt.setting (name, value)
VALUES ('quiet_from', '00:00'), ('quiet_to', '00:00'),
	('reminder_lead_min', 'none');
INSERT INTO appt.notification_channel (channel_id, kind, settings, secret)
VALUES ('bench', '$kind', '$settings', 'key');
SQL
}

sub no_channel {
    my ($place) = @_;
    $place->cluster->psql(<<'SQL');
TRUNCATE appt.notification, appt.notification_attempt;
DELETE FROM appt.notification_channel;
DELETE FROM appt.notification_template;
DELETE FROM appt.setting
WHERE name IN ('quiet_from', 'quiet_to', 'reminder_lead_min');
SQL
}

# A lead so long that about so many visits are to be reminded of now; how many.
sub make_due {
    my ($place, $count) = @_;
    return $place->cluster->value(<<'SQL', $count);
WITH lead AS (
	SELECT least(43200, ceil(extract(epoch FROM max(a.slot_start) - now())
		/ 60))::integer AS lead_min
	FROM (
		SELECT t.slot_start FROM appt.appointment t
		WHERE t.status = 'booked' AND t.slot_start > now() + interval '1 hour'
		ORDER BY t.slot_start LIMIT $1) a),
emptied AS (DELETE FROM appt.notification),
changed AS (
	UPDATE appt.setting s SET value = lead_min::text FROM lead
	WHERE s.name = 'reminder_lead_min')
SELECT count(*) FROM appt.appointment t, lead
WHERE t.status = 'booked' AND t.slot_start > now()
	AND t.slot_start <= now() + make_interval(mins => lead_min)
SQL
}

sub open_messages {
    my ($place) = @_;
    return $place->cluster->value("SELECT count(*) FROM appt.notification "
            . "WHERE state IN ('due', 'sending')");
}

sub mail_sink {
    my $port = free_port();
    my $self = bless {
        port    => $port,
        process => Appt::Process->start(name => 'mail_sink',
            command => [tool('mail_sink'), $port]),
    }, __PACKAGE__;
    wait_for { eval { $self->count; 1 } } 'the mail sink';
    return $self;
}

sub port  { $_[0]{port} }
sub count { my ($self) = @_; return split ' ', $self->ask('XCOUNT') }
sub reset { $_[0]->ask('XRESET') }

sub ask {
    my ($self, $what) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}")
        or die "the mail sink does not answer\n";
    my $greeting = <$socket>;
    print {$socket} "$what\r\n";
    my ($answer) = (<$socket> // '') =~ /^250 (.*)\r\n/
        or die "the mail sink does not know $what\n";
    return $answer;
}

1;
