#!/usr/bin/perl
#
# Follow-ups as patients get them: so many days after a visit one mail in the
# shipped words, however many relays there are, from which one can unsubscribe
# though the visit is long over; what is booked meanwhile is reason not to ask.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Deliveries qw(hurried);
use Appt::Clinic;
use Appt::Http;
use Appt::MailSink;
use Appt::Util qw(root_dir wait_for);
use Encode qw(decode);
use MIME::QuotedPrint qw(decode_qp);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $sink    = Appt::MailSink->new;
my $port    = $sink->port;
my $url     = $clinic->gateway->url;
my $http    = Appt::Http->new($url);
my $api     = $clinic->http;

$cluster->psql(<<"SQL");
DELETE FROM appt.notification_template;
INSERT INTO appt.setting (name, value) VALUES ('notification_order', 'email'),
    ('public_url', '$url');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $port,
    "security": "none", "from": "visits\@clinic.example"}');
INSERT INTO appt.patient (patient_id, first_name, email, language)
VALUES ('PAT-A', 'Asha', 'asha\@example.org', 'en'),
    ('PAT-B', 'Bina', 'bina\@example.org', 'hi'),
    ('PAT-C', 'Chandra', 'chandra\@example.org', 'en');
SQL
$cluster->load(root_dir() . '/deploy/templates.sql');
is($api->patch('/api/v1/settings/follow_up_days?branch_id=MUM-01',
    { value => '30' })->{status}, 200, 'set over REST');

# Goes through a visit of which nobody is told; its id.
sub visit {
    my ($patient, $time) = @_;
    $cluster->freeze_clock($time);
    return $cluster->value(<<'SQL', $patient, $time);
WITH visit AS MATERIALIZED (
    SELECT appointment_id FROM appt.book($1, 'DOC-001', $2,
        branch_id => 'MUM-01', notify => false)),
came AS MATERIALIZED (
    SELECT v.appointment_id, appt.check_in(v.appointment_id) FROM visit v)
SELECT (appt.complete(appointment_id)).appointment_id FROM came
SQL
}

my %visit = map { $_->[0] => visit(@$_) } ['PAT-A', '2026-03-16T10:00:00+05:30'],
    ['PAT-B', '2026-03-16T10:15:00+05:30'], ['PAT-C', '2026-03-16T10:30:00+05:30'];
$cluster->freeze_clock('2026-04-14T12:00:00+05:30');
$cluster->value(q{SELECT appt.book('PAT-C', 'DOC-001', '2026-04-20 10:00+05:30',
    branch_id => 'MUM-01', notify => false)});
$clinic->start_relay(env => hurried());
my $other = $clinic->start_relay(env => hurried());

my @mail;
subtest 'on the day each is asked once' => sub {
    $cluster->freeze_clock('2026-04-15T10:30:01+05:30');
    @mail = sort { $a->{to}[0] cmp $b->{to}[0] } $sink->wait_for_mails(2);
    wait_for { $cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE event = 'follow_up' AND state IN ('sent', 'skipped')}) == 3 }
        'all to be on record, which a mail is after it has come';
    is_deeply([ map { $_->{to}[0] } @mail ],
        [qw(asha@example.org bina@example.org)], 'the others');
    like($mail[0]{raw}, qr/^Subject: It is time for your next visit\r$/m,
        'in English');
    my ($body) = map { decode('UTF-8', decode_qp($_)) }
        $mail[1]{raw} =~ /Content-Type: text\/plain.*?\r\n\r\n(.*?)\r\n--/s;
    like($body, qr/आप 16\/03\/2026 को .* से मिले थे/, 'in Hindi')
        or diag $mail[1]{raw};
    unlike($mail[0]{raw}, qr/text\/calendar/, 'no invitation');
    is($cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE event = 'follow_up'}), 3, 'each has one message, of two relays');
};

subtest 'it is shown' => sub {
    my $list = $api->get('/api/v1/notifications', { event => 'follow_up' });
    is_deeply([ map {"$_->{patient_id} $_->{status} " . ($_->{reason} // '-')
            . ($_->{lead_min} // '')} sort { $a->{patient_id} cmp $b->{patient_id} }
            @{ $list->{json} } ],
        ['PAT-A sent -', 'PAT-B sent -', 'PAT-C skipped has_visit'],
        'in the log') or diag $list->{body};
    like($api->get("/api/v1/appointments/$visit{'PAT-C'}/notifications")
            ->{json}{explanation}[0],
        qr/Follow-up was not sent: the patient has a later visit/, 'in words');
};

subtest 'its mailbox can unsubscribe, after the visit' => sub {
    (my $head = $mail[0]{raw}) =~ s/\r\n\r\n.*//s;
    $head =~ s/\r\n / /g;
    my ($link) = $head =~ /^List-Unsubscribe: <\Q$url\E(.*)>\r?$/m;
    ok($link, 'List-Unsubscribe') or diag $head;
    like($head, qr/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r?$/m,
        'List-Unsubscribe-Post');
    my $page = $http->get($link);
    is($page->{status}, 200, 'the page');
    like($page->{body}, qr/<h1>Stop reminders\?<\/h1>/, 'asks');
    is($http->form($link, { 'List-Unsubscribe' => 'One-Click' })->{status}, 200,
        'the button');
    is($cluster->value(q{SELECT string_agg(event, ' ' ORDER BY event)
        FROM appt.notification_opt_out WHERE patient_id = 'PAT-A'
        AND channel = 'email' AND way = 'link'}), 'follow_up reminder',
        'no reminder of any kind');
    $cluster->freeze_clock('2026-05-16T10:00:00+05:30');
    is($http->get($link)->{status}, 410, 'it has ended after thirty days');
};

done_testing();
