#!/usr/bin/perl
#
# A place that became free is offered: kept for a patient, who is told in the
# shipped words by mail or SMS and takes or declines it on the link's page; the
# page says what is true, whoever was first.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Deliveries qw(hurried);
use Appt::Clinic;
use Appt::Http;
use Appt::MailSink;
use Appt::Sink;
use Appt::Util qw(root_dir wait_for);
use Encode qw(decode);
use MIME::QuotedPrint qw(decode_qp);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $sink    = Appt::MailSink->new;
my $sms     = Appt::Sink->new;
my $port    = $sink->port;
my $url     = $clinic->gateway->url;
my $http    = Appt::Http->new($url);
my $api     = $clinic->http;
my $sms_url = $sms->url('/send');

$cluster->psql(<<"SQL");
DELETE FROM appt.notification_template;
INSERT INTO appt.setting (name, value) VALUES ('public_url', '$url'),
    ('notification_order', 'email,sms'), ('settle_s', '0');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $port,
    "security": "none", "from": "visits\@clinic.example"}'),
    ('sms', 'sms', '{"url": "$sms_url", "body": {"to": "{{to}}", "text": "{{body}}"}}');
INSERT INTO appt.patient (patient_id, first_name, email, phone, language)
VALUES ('PAT-A', 'Asha <b>', 'asha\@example.org', NULL, 'en'),
    ('PAT-B', 'Bina', 'bina\@example.org', NULL, 'hi'),
    ('PAT-C', 'Chandra', NULL, '9876543210', 'en'),
    ('PAT-D', 'Devi', 'devi\@example.org', NULL, 'en');
SQL
$cluster->load(root_dir() . "/deploy/$_.sql") for qw(templates pages);
$clinic->start_relay(env => hurried());

sub offer {
    my ($patient, $time, %more) = @_;
    return $api->post('/api/v1/appointments/offers', { patient_id => $patient,
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => "2026-03-16T$time:00+05:30", %more });
}

# The text of a mail, and the link in it.
sub words {
    my ($mail) = @_;
    my ($body) = map { decode('UTF-8', decode_qp($_)) }
        $mail->{raw} =~ /Content-Type: text\/plain.*?\r\n\r\n(.*?)\r\n--/s;
    return ($body, $body =~ m{\Q$url\E(/v/v1\.offer_\S+)});
}

sub title { return decode('UTF-8', ($_[0]{body} =~ /<h1>(.*?)<\/h1>/)[0]) }

sub page_is {
    my ($page, $status, $title, $what) = @_;
    is("$page->{status} " . title($page), "$status $title", $what)
        or diag $page->{body};
    return;
}

my ($asha, $bina);
subtest 'an offer is told in the patient\'s words' => sub {
    my $made = offer('PAT-A', '10:00');
    is($made->{status}, 201, 'made') or diag $made->{body};
    is($made->{json}{status}, 'open', 'open');
    is($made->{json}{expires_at}, '2026-03-14T14:00:00+05:30', 'kept for two hours');
    offer('PAT-B', '10:15');
    my @mail = sort { $a->{to}[0] cmp $b->{to}[0] } $sink->wait_for_mails(2);
    my $text;
    ($text, $asha) = words($mail[0]);
    like($text, qr/could see you on 16\/03\/2026 at 10:00/, 'the place');
    like($text, qr/until 14\/03\/2026 14:00/, 'until when');
    like($asha, qr{^/v/v1\.offer_[\w-]{22}\.offer\.1773477000\.[\w-]{22}$},
        'the link, which ends with the hold');
    unlike($mail[0]{raw}, qr/text\/calendar/, 'no invitation to what is not yet');
    ($text, $bina) = words($mail[1]);
    like($text, qr/यह समय 14\/03\/2026 14:00 तक आपके लिए रखा है/, 'in Hindi');
    is(offer('PAT-C', '10:00')->{json}{reason}, 'held', 'kept for nobody else');
};

subtest 'the page asks; looking at it changes nothing' => sub {
    my $page = $http->get($asha) for 1 .. 2;
    $page = $http->get($asha);
    page_is($page, 200, 'Do you want this time?', 'the page');
    like($page->{body}, qr/Asha &lt;b&gt;.*Rao.*16\/03\/2026.*10:00.*14\/03\/2026, 14:00/s,
        'name, doctor, time and until when');
    unlike($page->{body}, qr/Token|PAT-A|asha\@/, 'and nothing else');
    is($page->{headers}{'referrer-policy'}, 'no-referrer', 'no referrer');
    ok(length $page->{body} < 60_000, 'small');
    page_is($http->get($bina), 200, 'क्या आपको यह समय चाहिए?', 'in Hindi');
    page_is($http->form($asha, {}), 409, 'Do you want this time?', 'no answer');
    (my $forged = $asha) =~ s/\.offer\.(\d+)/'.offer.' . ($1 + 3600)/e;
    page_is($http->get($forged), 404, 'This link does not work', 'forged');
};

subtest 'taking it books it, once' => sub {
    page_is($http->form($asha, { answer => 'accept' }), 200, 'Your visit is booked',
        "tap $_") for 1, 2;
    page_is($http->get($asha), 200, 'Your visit is booked', 'looked at again');
    like($http->get($asha)->{body}, qr/<dt>Token<\/dt><dd>1<\/dd>/, 'with its token');
    page_is($http->form($asha, { answer => 'decline' }), 409, 'Your visit is booked',
        'no way back');
    my ($booked) = grep { $_->{to}[0] =~ /asha/ } ($sink->wait_for_mails(3))[2 .. 2];
    like($booked->{raw}, qr/METHOD:REQUEST/, 'the booking is told, with an invitation');
    my $list = $api->get('/api/v1/appointments/offers', { patient_id => 'PAT-A' });
    is($list->{json}[0]{status}, 'accepted', 'the offer');
    my $visit = $list->{json}[0]{appointment_id};
    is($api->get("/api/v1/appointments/$visit")->{json}{source}, 'web', 'the visit');
    is($api->get("/api/v1/appointments/$visit/history")->{json}[0]{actor},
        'patient link', 'who did it');
    my $told = $api->get("/api/v1/appointments/$visit/notifications")->{json};
    is_deeply([ map { $_->{event} } @{ $told->{notifications} } ],
        [qw(waitlist_offer booked)], 'what the patient was told');
    is($told->{notifications}[0]{offer_id}, $list->{json}[0]{offer_id}, 'of which offer');
    is(scalar @{ $api->get('/api/v1/notifications', { event => 'waitlist_offer',
        patient_id => 'PAT-A' })->{json} }, 1, 'in the log by patient');
    $api->delete("/api/v1/appointments/$visit?reason=ill&notify=false");
    page_is($http->form($asha, { answer => 'accept' }), 200, 'Your visit is cancelled',
        'what is true since');
};

subtest 'declining it gives it back' => sub {
    page_is($http->form($bina, { answer => 'decline' }), 200, 'आपने यह समय नहीं लिया',
        "tap $_") for 1, 2;
    page_is($http->form($bina, { answer => 'accept' }), 409, 'आपने यह समय नहीं लिया',
        'no way back');
    is(offer('PAT-C', '10:15')->{status}, 201, 'another has it');
    my ($request) = $sms->wait_for_requests(1);
    like($request->{body}, qr{"\+919876543210".*
        kept\ until\ 14/03/2026\ 14:00.*/v/v1\.offer_}x, 'told by SMS');
};

subtest 'what is withdrawn, or has expired' => sub {
    my $offer = offer('PAT-D', '10:30', expires_at => '2026-03-14T12:30:00+05:30')->{json};
    my ($mail) = ($sink->wait_for_mails(4))[3];
    my (undef, $link) = words($mail);
    $cluster->freeze_clock('2026-03-14T12:30:00+05:30');
    page_is($http->get($link), 410, 'This offer has ended', 'expired');
    page_is($http->form($link, { answer => 'accept' }), 410, 'This offer has ended',
        'too late');
    is($api->get('/api/v1/appointments/offers', { status => 'expired' })
        ->{json}[0]{offer_id}, $offer->{offer_id}, 'in the list');
    $offer = offer('PAT-D', '10:45')->{json};
    (undef, $link) = words(($sink->wait_for_mails(5))[4]);
    is($api->delete("/api/v1/appointments/holds/$offer->{offer_id}")->{status}, 204,
        'withdrawn by the desk');
    page_is($http->get($link), 200, 'This offer has ended', 'its page');
    page_is($http->form($link, { answer => 'accept' }), 409, 'This offer has ended',
        'nothing to take');
};

subtest 'who is not told' => sub {
    my $offer = offer('PAT-D', '11:00', notify => JSON::PP::false())->{json};
    is($offer->{status}, 'open', 'kept all the same');
    is(scalar @{ $api->get('/api/v1/notifications', { patient_id => 'PAT-D' })->{json} },
        2, 'without a message');
    $cluster->freeze_clock('2026-03-14T21:30:00+05:30');
    $offer = offer('PAT-D', '11:15')->{json};
    is($offer->{expires_at}, '2026-03-15T10:00:00+05:30', 'two hours after quiet hours');
    $cluster->value('SELECT appt.release($1)', $offer->{offer_id});
    $cluster->freeze_clock('2026-03-15T08:00:00+05:30');
    $cluster->psql(q{UPDATE appt.notification SET due_at = now() WHERE state = 'due'});
    wait_for { $cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE event = 'waitlist_offer' AND reason = 'withdrawn'}) == 1 }
        'the withdrawn one to be skipped';
    is(scalar $sink->wait_for_mails(5), 5, 'no mail of it');
};

done_testing();
