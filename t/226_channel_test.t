#!/usr/bin/perl
#
# POST /notification-channels/{channel_id}/test: one message by a channel,
# active or not, to a real mail server and a real HTTP receiver; what the other
# side answered is what is shown; tried once, told by no other channel.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Deliveries qw(hurried);
use Appt::MailSink;
use Appt::OpenApi;
use Appt::Util qw(wait_for);
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $mail    = Appt::MailSink->new;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $base    = '/api/v1/notification-channels';
my $test    = "POST $base/{channel_id}/test";
my $false   = JSON::PP::false();

sub make {
    my ($id, $kind, $settings) = @_;
    my $r = $http->post($base, { channel_id => $id, kind => $kind,
        settings => $settings, secret => 'k', active => $false });
    is($r->{status}, 201, "channel $id, switched off") or diag $r->{body};
}
make('sms', 'sms', { url => $sink->url('/sms'), headers => { Key => '{{secret}}' },
    body => { to => '{{to}}', text => '{{body}}', name => '{{provider_template}}',
        values => [ { '{{each variable}}' => '{{value}}' } ] },
    id => ['sid'], error => ['error'] });
make('mail', 'email', { host => '127.0.0.1', port => $mail->port + 0,
    security => 'none', from => 'visits@clinic.example' });
make('away', 'email', { host => '127.0.0.1', port => 1, security => 'none',
    from => 'visits@clinic.example' });
$clinic->start_relay(env => hurried());

sub asks {
    my ($status, $channel, $body, $header) = @_;
    my $r = $http->post("$base/$channel/test", $body, $header);
    is($r->{status}, $status, "$channel: $status") or diag $r->{body};
    is_deeply([ $api->wrong($test, $r) ], [], 'as documented')
        or diag $r->{body};
    return $r;
}

# The message once it is through.
sub through {
    my ($id) = @_;
    my $n;
    wait_for {
        $n = $http->get("/api/v1/notifications/$id")->{json};
        $n->{status} !~ /^(?:due|sending)$/;
    } "message $id to be through";
    is_deeply([ $api->wrong('GET /api/v1/notifications/{notification_id}',
        $http->get("/api/v1/notifications/$id")) ], [], 'shown as documented');
    return $n;
}

subtest 'by SMS' => sub {
    $sink->behave(status => 201, body => '{"sid": "SM-1"}');
    my $r = asks(202, 'sms', { to => '98765 43210' },
        { 'Idempotency-Key' => 'k' })->{json};
    is_deeply([ @$r{qw(event to channel channel_id appointment_id)} ],
        [ 'test', '+919876543210', 'sms', 'sms', undef ], 'what is on its way');
    my $n = through($r->{notification_id});
    is($n->{status}, 'sent', 'sent');
    is_deeply([ map { $_->{status} } @{ $n->{attempt_log} } ], [201],
        'with what the other side answered');
    my ($request) = $sink->requests;
    is_deeply(JSON::PP::decode_json($request->{raw}), { to => '+919876543210',
        text => 'This is a test of the channel sms.', name => '',
        values => [] }, 'which got it');
    is($request->{headers}{key}, 'k', 'with the secret');
    is(asks(202, 'sms', { to => '98765 43210' }, { 'Idempotency-Key' => 'k' })
        ->{json}{notification_id}, $r->{notification_id}, 'the same key again');
    is(scalar($sink->requests), 1, 'sends nothing more');
};

subtest 'a provider that refuses, and one that is busy' => sub {
    for my $case ([ 400, 'failed' ], [ 503, 'dead' ]) {
        $sink->forget;
        $sink->behave(status => $case->[0], body => '{"error": "no"}');
        my $r = asks(202, 'sms', { to => '+447700900123' })->{json};
        my $n = through($r->{notification_id});
        is_deeply([ @$n{qw(status reason attempts)} ],
            [ $case->[1], "answered $case->[0]", 1 ], "$case->[0]: tried once");
        is($cluster->value(q{SELECT reason FROM appt.notification
            WHERE notification_no = $1}, $r->{notification_id}), 'no',
            'the words are for the DBA, as they are from in here');
    }
    is($cluster->value('SELECT count(*) FROM appt.notification
        WHERE root_no IS NOT NULL'), 0, 'no other channel tells it');
    is($cluster->value(q{SELECT ok FROM appt.health()
        WHERE check_name = 'failed_messages'}), 1, 'and health is not about it');
};

subtest 'by e-mail' => sub {
    my $r = asks(202, 'mail', { to => ' desk@clinic.example ' })->{json};
    is(through($r->{notification_id})->{status}, 'sent', 'sent');
    my ($got) = $mail->wait_for_mails(1);
    is_deeply($got->{to}, ['desk@clinic.example'], 'to that address');
    like($got->{raw}, qr/^Subject: Test of a channel to patients\r?$/m, 'subject');
    like($got->{raw}, qr/This is a test of the channel mail\./, 'text');
    unlike($got->{raw}, qr/text\/calendar/, 'an invitation to nothing');
    $r = asks(202, 'away', { to => 'desk@clinic.example' })->{json};
    my $n = through($r->{notification_id});
    is($n->{status}, 'dead', 'a server that is away: tried once');
    like($n->{reason}, qr/connect/i, 'and that is said') or diag $n->{reason};
};

subtest 'in the words of a template' => sub {
    $sink->forget;
    $sink->behave(status => 200);
    my $made = $http->post('/api/v1/notification-templates', {
        event => 'follow_up', channel => 'sms', language => 'hi',
        body => '{{patient_name}}: {{slot_date}} {{slot_time}}',
        provider_template => 'flow1', variables => [
            { name => 'a', value => '{{token_number}}' },
            { name => 'b', value => '{{doctor_name}}' } ] })->{json};
    my $id = $made->{notification_template_id};
    my $r = asks(202, 'sms', { to => '+919876543210',
        notification_template_id => $id })->{json};
    is($r->{language}, 'hi', 'in its language');
    through($r->{notification_id});
    my ($request) = $sink->requests;
    is_deeply(JSON::PP::decode_json($request->{raw}), { to => '+919876543210',
        text => 'Test Patient: 15/03/2026 09:30', name => 'flow1',
        values => [ '7', 'Dr Test' ] }, 'with samples in it');

    # Links open nothing; where there are none in messages, nor are their lines.
    my $mail_id = $http->post('/api/v1/notification-templates', {
        event => 'follow_up', channel => 'email', language => 'hi',
        subject => 'S', body => "Hello.\nMove: {{move_link}}\nBye." })
        ->{json}{notification_template_id};
    for my $url (undef, 'https://visits.clinic.example') {
        $cluster->query(q{INSERT INTO appt.setting (name, value)
            VALUES ('public_url', $1)}, $url) if $url;
        $mail->forget;
        through(asks(202, 'mail', { to => 'desk@clinic.example',
            notification_template_id => $mail_id })->{json}{notification_id});
        my ($got) = $mail->wait_for_mails(1);
        like($got->{raw}, $url ? qr{^Move: \Q$url\E/v/sample\r\nBye}m
            : qr{^Hello\.\r\nBye}m, $url ? 'a sample of a link' : 'no link');
    }
    is(asks(422, 'mail', { to => 'a@b.example',
        notification_template_id => $_ })->{json}{errors}[0]{field},
        'notification_template_id', "no template of that kind: $_")
        for $id, '999999', 'x';
};

subtest 'what is refused' => sub {
    my $before = $cluster->value('SELECT count(*) FROM appt.notification');
    is(asks(400, $_->[0], { to => $_->[1] })->{json}{errors}[0]{field}, 'to',
        "$_->[0]: not to " . JSON::PP->new->allow_nonref->encode($_->[1]))
        for [ sms => 'desk@clinic.example' ], [ sms => '12' ],
        [ sms => "+91\r\n98765" ], [ mail => '+919876543210' ],
        [ mail => "a\@b.example\r\nBcc: c\@d.example" ], [ mail => 'a b@c' ],
        [ mail => '' ], [ mail => undef ], [ mail => 7 ];
    asks(404, 'none', { to => 'a@b.example' });
    my $limited = $clinic->http($clinic->create_client(
        branch_ids => ['MUM-01'], scopes => ['notifications:manage']));
    is($limited->post("$base/sms/test", { to => '+919876543210' })->{status},
        403, 'a client limited to a branch');
    my $id = $http->get('/api/v1/notifications', { event => 'test' })
        ->{json}[0]{notification_id};
    is($limited->get("/api/v1/notifications/$id")->{status}, 404,
        'which sees no test');
    is_deeply($limited->get('/api/v1/notifications')->{json}, [], 'in no list');
    is($cluster->value('SELECT count(*) FROM appt.notification'), $before,
        'nothing was written');
};

subtest 'by a DBA, and again' => sub {
    $sink->forget;
    $sink->behave(status => 200);
    my $dba = $cluster->connect;
    $dba->do('SET ROLE appt_admin');
    my ($no) = $dba->selectrow_array(
        q{SELECT notification_no FROM appt.test_channel('sms', '9876543210')});
    is(through($no)->{status}, 'sent', 'appt.test_channel');
    is($http->post("/api/v1/notifications/$no/resend")->{status}, 202, 'again');
    wait_for { scalar($sink->requests) == 2 } 'it to come again';
    is(through($no)->{channel_id}, 'sms', 'by the same channel');
    my ($other) = $dba->selectrow_array(q{SELECT notification_no
        FROM appt.test_channel('away', 'a@b.example')});
    through($other);
    $http->delete("$base/away");
    $http->post("/api/v1/notifications/$other/resend");
    is(through($other)->{status}, 'failed', 'of a channel that is gone');
};

done_testing;
