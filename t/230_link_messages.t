#!/usr/bin/perl
#
# Links as patients get them: in the shipped templates' mails, which carry the
# headers of a one-click unsubscribe on reminders and on nothing else; what the
# button of a mailbox does is true for the next reminder.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(hurried);
use Appt::Clinic;
use Appt::Http;
use Appt::MailSink;
use Appt::Util qw(root_dir wait_for);
use MIME::QuotedPrint qw(decode_qp);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $sink    = Appt::MailSink->new;
my $port    = $sink->port;
my $url     = $clinic->gateway->url;
my $http    = Appt::Http->new($url);

$cluster->psql(<<"SQL");
DELETE FROM appt.notification_template;
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0'),
    ('notification_order', 'email'), ('quiet_from', '00:00'), ('quiet_to', '00:00');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $port,
    "security": "none", "from": "visits\@clinic.example"}');
INSERT INTO appt.patient (patient_id, first_name, email)
VALUES ('PAT-A', 'Asha', 'asha\@example.org'), ('PAT-B', 'Bina', 'bina\@example.org');
SQL
$cluster->load(root_dir() . '/deploy/templates.sql');
$clinic->start_relay(env => hurried());

# The next mail, its transfer encoding undone.
sub next_mail {
    my ($mail) = $sink->wait_for_mails(1);
    $sink->forget;
    my ($head, $body) = split /\r\n\r\n/, $mail->{raw}, 2;
    $head =~ s/\r\n / /g;
    return { head => $head, body => decode_qp($body) };
}

sub book {
    my ($patient, $time) = @_;
    return $cluster->value(q{SELECT appointment_id FROM appt.book($1, 'DOC-001',
        $2, branch_id => 'MUM-01')}, $patient, "${time}+05:30");
}

sub link_in {
    my ($mail, $purpose) = @_;
    my ($link) = $mail->{body} =~ m{^[^<\n]*: \Q$url\E(/v/v1\.\S+?\.$purpose\.\S+)}m;
    return $link;
}

my $id = book('PAT-A', '2026-03-16 10:00');

subtest 'without an address nothing speaks of links' => sub {
    my $mail = next_mail();
    unlike($mail->{body}, qr{/v/|Cancel:|\n\n\n}, 'no line of one is left');
    unlike($mail->{head}, qr/List-/, 'no header');
};

$cluster->psql("INSERT INTO appt.setting (name, value)
    VALUES ('public_url', '$url')");

subtest 'a booking can be moved or cancelled from its mail' => sub {
    my $other = book('PAT-B', '2026-03-16 10:15');
    my $mail  = next_mail();
    unlike($mail->{head}, qr/List-/, 'but not unsubscribed from');
    like($mail->{body},
        qr{<a href="\Q$url\E/v/(v1[^"]+)">\Q$url\E/v/\1</a><br>},
        'in HTML they are links');
    like($mail->{body}, qr/^DESCRIPTION:.*expects you/m, 'the calendar');
    unlike($mail->{body} =~ s/\r\n //gr, qr{^DESCRIPTION:.*/v/v1}m,
        'which others may see, has none');
    is($http->get(link_in($mail, 'move'))->{status}, 200, 'move');
    is($http->form(link_in($mail, 'cancel'), { reason => 'Well again' })->{status},
        200, 'cancel');
    is($cluster->value('SELECT status FROM appt.appointment
        WHERE appointment_id = $1', $other), 'cancelled', 'which it then is');
    unlike(next_mail()->{body}, qr{/v/}, 'what is cancelled has none');
};

subtest 'a reminder can be answered, and unsubscribed from' => sub {
    $cluster->freeze_clock('2026-03-15T10:00:01+05:30');
    my $mail = next_mail();
    my ($header) = $mail->{head} =~ /^List-Unsubscribe: <\Q$url\E(.*)>\r?$/m;
    ok($header, 'List-Unsubscribe') or diag $mail->{head};
    like($mail->{head}, qr/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r?$/m,
        'List-Unsubscribe-Post');
    is($http->get($_)->{status}, 200, 'a scanner opens it')
        for map { link_in($mail, $_) } qw(confirm move cancel unsubscribe);
    $http->get($header);
    is($cluster->value("SELECT version FROM appt.appointment
        WHERE appointment_id = '$id'"), 1, 'which changes nothing');
    is($http->form(link_in($mail, 'confirm'), {})->{status}, 200, 'confirmed');
    is($http->form($header, { 'List-Unsubscribe' => 'One-Click' })->{status},
        200, 'unsubscribed by the button');
    is($cluster->value(q{SELECT way FROM appt.notification_opt_out
        WHERE patient_id = 'PAT-A' AND channel = 'email'
        AND event = 'reminder'}), 'link', 'by which way is recorded');

    $cluster->freeze_clock('2026-03-16T08:00:01+05:30');
    wait_for { $cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE event = 'reminder' AND reason = 'opted_out'}) == 1 }
        'the next reminder to be skipped';
    is(link_in($mail, 'move') && $http->form(link_in($mail, 'move'),
        { slot => '2026-03-16T11:00:00+05:30' })->{status}, 200, 'moved');
    like(next_mail()->{head}, qr/^Subject: Your appointment is now on/m,
        'a move is told all the same');
};

done_testing();
