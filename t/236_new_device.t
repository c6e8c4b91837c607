#!/usr/bin/perl
#
# Who signs in from a device that the account was not used from before is told
# by mail, in his language: over real HTTP and SMTP, once, without a secret; a
# mail server that is away keeps nobody out.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::Deliveries qw(hurried);
use Appt::MailSink;
use Appt::OpenApi;
use Appt::SignIn;
use Appt::Util qw(patience root_dir wait_for);
use Encode qw(decode);
use MIME::QuotedPrint qw(decode_qp);
use Time::HiRes qw(time);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $sink    = Appt::MailSink->new;
my $port    = $sink->port;
my $url     = $clinic->gateway->url;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $own     = '/api/v1/auth/session/email';

$cluster->psql(<<"SQL");
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $port,
    "security": "none", "from": "visits\@clinic.example"}');
SQL
$cluster->load(root_dir() . '/deploy/pages.sql');
$clinic->start_relay(env => hurried());

my %asha = %{ Appt::SignIn::account($clinic, account => 'asha', name => 'Asha Rao',
    role => 'reception') };
my $desk = Appt::SignIn->new($url, %asha);
my $r;

# The sign-ins from new devices that are on record.
sub noted {
    return $cluster->value(q{SELECT count(*) FROM appt.staff_audit
        WHERE action = 'new_device'});
}

subtest 'one has an address, set with the password' => sub {
    is($desk->answer->{json}{email}, undef, 'none at first');
    $r = $desk->post($own, { password => 'something else',
        email => 'x@clinic.example' });
    is_deeply([ $r->{status}, $r->{json}{code} ], [ 401, 'invalid_credentials' ],
        'not with another password');
    $r = $desk->post($own, { password => $asha{password}, email => 'x' });
    is_deeply([ $r->{status}, $r->{json}{errors}[0]{field} ], [ 400, 'email' ],
        'nor one that is none') or diag $r->{body};
    is($desk->post($own, { password => $asha{password} })->{status}, 400,
        'nor by leaving it out');
    is($desk->post($own, { password => $asha{password}, email => 'x@clinic.example' },
        { 'X-CSRF-Token' => undef })->{json}{code}, 'csrf_token_invalid',
        'nor by a page of another site');
    is(Appt::SignIn->new($url)->post($own, { password => 'x', email => undef })
        ->{json}{code}, 'invalid_session', 'nor by a stranger');
    $r = $desk->post($own, { password => $asha{password},
        email => ' asha@clinic.example ' });
    is_deeply([ $r->{status}, $r->{json}{email} ], [ 200, 'asha@clinic.example' ],
        'set') or diag $r->{body};
    is_deeply([ $api->wrong("POST $own", $r) ], [], 'as documented');
    is($desk->get('/api/v1/auth/session')->{json}{email}, 'asha@clinic.example',
        'and shown; the sign-in goes on');
};

subtest 'who manages staff sees and sets it' => sub {
    my $path = "/api/v1/staff/$asha{staff_id}";
    is($http->get($path)->{json}{email}, 'asha@clinic.example', 'seen');
    $r = $http->patch($path, { email => 'bad' });
    is_deeply([ $r->{status}, $r->{json}{errors}[0]{field} ], [ 400, 'email' ],
        'what is no address is refused');
    is($http->patch($path, { email => undef })->{json}{email}, undef, 'taken away');
    $r = $http->patch($path, { email => 'asha.rao@clinic.example' });
    is($r->{json}{email}, 'asha.rao@clinic.example', 'set');
    $r = $http->post('/api/v1/staff', { account => 'bina', name => 'बीना',
        role => 'reception', language => 'hi', email => 'bina@clinic.example',
        password => 'a long enough phrase' });
    is_deeply([ $r->{status}, $r->{json}{email} ], [ 201, 'bina@clinic.example' ],
        'of a new account, too');
    my ($last) = @{ $http->get("$path/audit")->{json} };
    is_deeply([ @$last{qw(action detail)} ], [ 'updated', 'email' ], 'on record');
};

subtest 'a browser that is known tells nobody' => sub {
    $desk->sign_in(%asha) for 1 .. 2;
    is($desk->answer->{status}, 200, 'signed in');
    is(noted(), 0, 'no new device: neither then nor the first time');
};

subtest 'another one is told of' => sub {
    my $began = $cluster->value('SELECT clock_timestamp()');
    my $other = Appt::SignIn->new($url, %asha, header => { 'User-Agent' =>
        "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0" });
    is($other->answer->{status}, 200, 'signed in');
    my ($mail) = $sink->wait_for_mails(1);
    is_deeply($mail->{to}, ['asha.rao@clinic.example'], 'to the person');
    like($mail->{raw}, qr/^Subject: Sign-in from a new device: asha\r$/m, 'subject');
    my ($text) = map { decode('UTF-8', decode_qp($_)) }
        $mail->{raw} =~ /Content-Type: text\/plain.*?\r\n\r\n(.*?)\r\n--/s;
    like($text, qr/^Address: 127\.0\.0\.1\r?$/m, 'from where');
    like($text, qr/^Browser: Firefox, Linux\r?$/m, 'with what');
    my ($at, $zone) = $text =~ /^Time: (.*) \((.*)\)\r?$/m;
    is($cluster->value(q{SELECT to_timestamp($1, 'DD/MM/YYYY HH24:MI')::timestamp
        AT TIME ZONE $2 BETWEEN $3::timestamptz - interval '1 minute'
        AND clock_timestamp()}, $at, $zone, $began), 1, "when: $at $zone");
    like($text, qr/If it was not, change your password/, 'what to do then');
    unlike($mail->{raw}, qr/https?:|text\/calendar|List-/, 'no link, no invitation');
    my ($session) = $other->cookie =~ /=(.*)/;
    unlike($mail->{raw}, qr/\Q$session\E|\Q$asha{password}\E/, 'no secret');
    is_deeply([ map { join ' ', map { $_ // '-' } @$_{qw(action address detail)} }
        @{ $http->get("/api/v1/staff/$asha{staff_id}/audit")->{json} }[ 0, 1 ] ],
        [ 'new_device 127.0.0.1 Firefox, Linux', 'signed_in 127.0.0.1 -' ],
        'on record');
    my ($line) = @{ $http->get('/api/v1/notifications', { event => 'sign_in' })->{json} };
    is_deeply([ @$line{qw(to appointment_id patient_id)} ],
        [ 'asha.rao@clinic.example', undef, undef ], 'in the log of messages');
    $sink->forget;
    $other->sign_in(%asha);
    Appt::SignIn->new($url, %asha, header => { 'User-Agent' =>
        "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0" });
    is(noted(), 2, 'the same once more is on record');
    is($cluster->value(q{SELECT count(*) FROM appt.notification}), 1,
        'and not told again within the hour');
};

subtest 'in Hindi, once the server is there' => sub {
    $sink->stop;
    my %bina = (account => 'bina', password => 'a long enough phrase');
    is(Appt::SignIn->new($url, %bina)->answer->{status}, 200, 'the first sign-in');
    my $start = time;
    is(Appt::SignIn->new($url, %bina)->answer->{status}, 200, 'and another');
    cmp_ok(time - $start, '<', patience(5), 'which waits for no mail server');
    wait_for { $cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE state = 'due' AND attempts > 0}) } 'an attempt to fail';
    $sink->start;
    $cluster->psql(q{UPDATE appt.notification SET due_at = now() WHERE state = 'due'});
    my ($mail) = $sink->wait_for_mails(1);
    is_deeply($mail->{to}, ['bina@clinic.example'], 'comes later');
    my ($text) = map { decode('UTF-8', decode_qp($_)) }
        $mail->{raw} =~ /Content-Type: text\/plain.*?\r\n\r\n(.*?)\r\n--/s;
    like($text, qr/^नमस्ते बीना,.*पासवर्ड बदलें/s, 'in Hindi') or diag $mail->{raw};
};

done_testing();
