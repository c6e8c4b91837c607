#!/usr/bin/perl
#
# Reports of deliveries through the gateway, as each provider of
# deploy/channels sends and signs them: what is its own is taken, what is
# forged is refused and takes from the budget of its address, and changes
# nothing.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;
use Appt::Raw;
use Appt::Util qw(root_dir slurp wait_for);
use Digest::SHA qw(hmac_sha1_base64 hmac_sha256_hex);
use JSON::PP ();

my $json    = JSON::PP->new->utf8->canonical;
my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_STRANGER_LIMIT => 200 });
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $anybody = Appt::Http->new($clinic->gateway->url);
my $base    = '/api/v1/notifications/callbacks';
my $take    = "POST $base/{channel_id}";
my $token   = 'a-secret+for&reports';
my ($form, $js) = ('application/x-www-form-urlencoded', 'application/json');

# MSG91 has three kinds of webhooks, which one example reads.
my %file = ((map { m{([^/]+)\.json$} ? ($1 => $_) : () }
        glob root_dir() . '/deploy/channels/*.json'),
    map { $_ => root_dir() . '/deploy/channels/msg91.json' }
        qw(msg91-v2 msg91-v3));
my %channel;
for my $name (sort keys %file) {
    my $channel = $json->decode(slurp($file{$name}));
    $channel{$name} = $channel->{settings}{callback};
    is($http->post('/api/v1/notification-channels', { channel_id => $name,
        kind => $channel->{kind}, settings => $channel->{settings},
        secret => "key-of-$name", active => JSON::PP::false,
        ($name =~ /^twilio/ ? () : (callback_secret => $token)) })->{status},
        201, "a channel of $name");
}

# A message that was sent by a channel under that id: its number.
my $visit = $cluster->value(q{SELECT appointment_no FROM appt.book(
    'PAT-2026-00123', 'DOC-001', '2026-03-16 10:00+05:30',
    branch_id => 'MUM-01')});
sub sent {
    my ($channel, $id) = @_;
    return $cluster->value(<<'SQL', $visit, $channel, $id);
WITH message AS (
    INSERT INTO appt.notification (appointment_no, event, slot_start, state,
        channel_no, channel, address, sent_at, finished_at)
    SELECT $1, 'booked', '2026-03-16 10:00+05:30', 'sent', c.channel_no,
        c.kind, '+919876543210', now(), now()
    FROM appt.notification_channel c WHERE c.channel_id = $2
    RETURNING notification_no, fence)
INSERT INTO appt.notification_attempt (notification_no, fence, started_at,
    duration_ms, status, provider_id)
SELECT notification_no, fence, now(), 1, 200, $3 FROM message
RETURNING notification_no
SQL
}
sub state_of {
    return $cluster->value(q{SELECT state || coalesce('/' || reason, '')
        FROM appt.notification WHERE notification_no = $1}, shift);
}

sub encoded { return $http->{http}->www_form_urlencode({@_}) }

# What a provider sends of a message: body, type, headers, query.
sub twilio {
    my ($name, $id, $status, %more) = @_;
    my %field = (AccountSid => 'AC1', MessageSid => $id, From => '+1 555',
        MessageStatus => $status, SmsStatus => $status, SmsSid => $id,
        'To' => '+919876543210', ApiVersion => '2010-04-01',
        RawDlrDoneDate => '2603141200', %more);
    my $signed = join '', $channel{$name}{url},
        map { $_ . $field{$_} } sort keys %field;
    return (encoded(%field), $form, { 'X-Twilio-Signature' =>
        hmac_sha1_base64($signed, "key-of-$name") . '=' }, {});
}
my %sends = (
    twilio => sub { return twilio('twilio', @_) },
    'twilio-content' => sub { return twilio('twilio-content', @_) },
    meta => sub {
        my ($id, $status, $error) = @_;
        my $body = $json->encode({ object => 'whatsapp_business_account',
            entry => [ { id => '1', changes => [ { field => 'messages',
                value => { messaging_product => 'whatsapp', metadata => {
                    display_phone_number => '15550783881',
                    phone_number_id => '106540352242922' }, statuses => [ {
                    id => $id, status => $status, timestamp => '1700000000',
                    recipient_id => '919876543210',
                    ($error ? (errors => [ { code => 131026,
                        title => $error, message => $error,
                        error_data => { details => "$error, as it is." },
                        href => '/documentation/error-codes' } ])
                    : (conversation => { id => 'c1', expiration_timestamp =>
                            '1700086400', origin => { type => 'utility' } },
                        pricing => { billable => JSON::PP::true,
                            pricing_model => 'PMP', type => 'regular',
                            category => 'utility' })) } ] } } ] } ] });
        return ($body, $js, { 'X-Hub-Signature-256' =>
            'sha256=' . hmac_sha256_hex($body, $token) }, {});
    },
    msg91 => sub {
        my ($id, $status, $error) = @_;
        return ($json->encode({ requestId => $id, status => $status,
            telNum => '919876543210', failureReason => $error // '' }), $js,
            {}, { token => $token });
    },
    'msg91-v2' => sub {
        my ($id, $status, $error) = @_;
        return (encoded(data => $json->encode([ { senderId => 'CLINIC',
            requestId => $id, userId => '27', campaignName => 'Flow',
            report => [ { date => '2026-03-14 10:06:20', amount => '0.01',
                number => '919876543210', credit => '1', status => $status,
                desc => $status eq '1' ? 'DELIVERED' : 'FAILED',
                failedReason => $error // '' } ] } ])), $form, {},
            { token => $token });
    },
    'msg91-v3' => sub {
        my ($id, $status, $error) = @_;
        return ($json->encode({ date => '2026-03-14 09:58:16', status => $status,
            number => '919876543210', senderId => 'CLINIC', requestId => $id,
            campaignName => 'Flow', desc => $error // 'DELIVERED' }), $js, {},
            { token => $token });
    },
    gupshup => sub {
        my ($id, $status, $error) = @_;
        my %id = $status eq 'failed' ? (id => $id)
            : (id => 'gBEG', gsId => $id);
        return ($json->encode({ app => 'clinic', timestamp => 1580546677791,
            version => 2, type => 'message-event', payload => { %id,
                type => $status, destination => '919876543210',
                payload => $error ? { code => 1002, reason => $error }
                    : { ts => 1580546677 } } }), $js, {}, { token => $token });
    },
    exotel => sub {
        my ($id, $status, $error) = @_;
        return (encoded(SmsSid => $id, To => '09876543210', Status => $status,
            DetailedStatus => $error // 'DELIVERED_TO_HANDSET', SmsUnits => 1),
            $form, {}, { token => $token });
    },
);
my %says = (
    twilio => [ 'delivered', [ 'undelivered', ErrorCode => '30003' ], '30003' ],
    'twilio-content' => [ 'delivered', [ 'failed', ErrorCode => '63016' ],
        '63016' ],
    meta => [ 'delivered', [ 'failed', 'Message undeliverable' ],
        'Message undeliverable' ],
    msg91 => [ '1', [ '17', 'Blocked number' ], 'Blocked number' ],
    'msg91-v2' => [ '1', [ '9', 'NDNC number' ], 'NDNC number' ],
    'msg91-v3' => [ '1', [ '16', 'REJECTED' ], 'REJECTED' ],
    gupshup => [ 'delivered', [ 'failed', 'Number does not exist' ],
        'Number does not exist' ],
    exotel => [ 'sent', [ 'failed_dnd', 'FAILED_DND' ], 'FAILED_DND' ],
);

sub post {
    my ($name, $status, $body, $type, $header, $query) = @_;
    my $r = $anybody->request('POST', $anybody->path("$base/$name", $query),
        $body, { 'Content-Type' => $type, %$header });
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    is_deeply([ $api->wrong($take, $r) ], [], "$name: as documented")
        or diag $r->{body};
    return $r;
}

for my $name (sort keys %sends) {
    subtest $name => sub {
        my ($good, $bad, $why) = @{ $says{$name} };
        my ($first, $second) = map { sent($name, "$name-$_") } 1, 2;
        my @good = $sends{$name}->("$name-1", $good);
        my @bad  = $sends{$name}->("$name-2", @$bad);

        # Forged in each way that there is.
        my ($body, $type, $header, $query) = @bad;
        post($name, 403, $body, $type, {}, {});
        if (%$header) {
            (my $other = $body) =~ s/\Q$name\E-2/$name-1/g;
            post($name, 403, $other, $type, $header, {});
            my ($key) = keys %$header;
            post($name, 403, $body, $type, { $key => $_ }, {})
                for substr($header->{$key}, 0, -2), "x$header->{$key}", '',
                'sha256=', 'x' x 1001;
            post($name, 403, $body, $type, {}, { token => $token });
        }
        post($name, 403, $body, $type, {}, { token => $_ })
            for substr($token, 0, -1), "${token}x", '', lc "key-of-$name";
        is(state_of($_), 'sent', 'nothing has changed') for $first, $second;

        # Of what says nothing of the end nothing is made.
        post($name, 200, $sends{$name}->("$name-1", 'queued'));
        is(state_of($first), 'sent', 'still sent');
        post($name, 200, @good);
        is(state_of($first), 'delivered', 'delivered');
        post($name, 200, @bad);
        is(state_of($second), "failed/$why", 'failed, in the provider\'s words');
        post($name, 200, @good);
        post($name, 200, $sends{$name}->("$name-1", @$bad));
        is(state_of($first), 'delivered', 'what comes late changes nothing');
        post($name, 200, $sends{$name}->('of-another-system', $good));
        return if !$channel{$name}{read};
        post($name, 200, $sends{$name}->("$name-1", 'read'));
        is(state_of($first), 'read', 'read');
        post($name, 200, $sends{$name}->("$name-1", $good));
        is(state_of($first), 'read', 'and stays so');
    };
}

subtest 'who it is for, and in what form' => sub {
    my @report = $sends{msg91}->('m', '1');
    post('none', 404, @report);
    $http->post('/api/v1/notification-channels', { channel_id => 'mail',
        kind => 'email', settings => { host => 'h', from => 'a@b.example' } });
    post('mail', 404, @report);
    post('msg91', 400, $_, @report[ 1 .. 3 ]) for '', '{', "\xff";
    post('msg91', 400, $_, $form, @report[ 2, 3 ])
        for '', 'data=', 'data=%5B', 'other=%5B%5D', 'data=%ff';
    post('msg91', 200, ' ' x 60_000 . $report[0], @report[ 1 .. 3 ]);
    post('msg91', 413, ' ' x 66_000 . $report[0], @report[ 1 .. 3 ]);
    my $raw = Appt::Raw->new(port => $clinic->gateway->port);
    my $odd = $raw->answer(join "\r\n", "POST $base/meta HTTP/1.1", 'Host: x',
        "Content-Type: $js", "X-Hub-Signature-256: sha256=\xff\xfe",
        'Content-Length: 2', 'Connection: close', '', '{}');
    is($odd->{status}, 403, 'a signature that is no text');
    like($anybody->get('/metrics')->{body} // '',
        qr/reason="wrong_signature"\} [1-9]/, 'the metrics count what is forged');
    my $r = $anybody->request('PUT', "$base/msg91?token=x", '{}',
        { 'Content-Type' => $js });
    is($r->{status}, 405, 'by POST alone');
    is($r->{headers}{allow}, 'GET, HEAD, POST, OPTIONS', 'or by GET')
        or diag $r->{headers}{allow};
};

subtest 'Meta asks whether the address is ours' => sub {
    my $check = "GET $base/{channel_id}";
    my %asks = ('hub.mode' => 'subscribe', 'hub.challenge' => '1158201444',
        'hub.verify_token' => 'choose-one');
    my $r = $anybody->get("$base/meta", \%asks);
    is_deeply([ $r->{status}, $r->{body}, $r->{headers}{'content-type'} ],
        [ 200, '1158201444', 'text/plain; charset=utf-8' ], 'it is');
    for my $case ([ 403, 'meta', %asks, 'hub.verify_token' => 'x' ],
        [ 403, 'meta', 'hub.challenge' => '1' ], [ 400, 'meta' ],
        [ 400, 'meta', %asks, 'hub.challenge' => "a\nb" ],
        [ 404, 'msg91', %asks ], [ 404, 'none', %asks ]) {
        my ($status, $name, %query) = @$case;
        $r = $anybody->get("$base/$name", \%query);
        is($r->{status}, $status, "$name: $status");
        is_deeply([ $api->wrong($check, $r) ], [], 'as documented')
            or diag $r->{body};
    }
};

# A provider is never kept out for what strangers of its address send; they
# are refused late.
subtest 'a flood of forged reports' => sub {
    my @bad = $sends{msg91}->('m', '1');
    my ($status, $n) = (403, 0);
    while ($status == 403 && $n++ < 600) {
        $status = $anybody->request('POST', "$base/msg91?token=no", $bad[0],
            { 'Content-Type' => $js })->{status};
    }
    is($status, 429, 'the budget of the address is spent');
    cmp_ok($n, '<', 600, 'after some of them');
    post('msg91', 200, @bad);
    my ($log) = slurp($clinic->gateway->{log});
    like($log, qr/"event":"wrong signature"[^\n]*"channel_id":"msg91"/,
        'the log says which channel it was');
    unlike($log, qr/a-secret/, 'and no secret');
};

subtest 'one that comes before the relay has recorded the message' => sub {
    post('msg91', 200, $sends{msg91}->('soon', '1'));
    my $n = sent('msg91', 'soon');
    $clinic->start_relay;
    wait_for { state_of($n) eq 'delivered' } 'it to be taken into account';
    pass('it is not lost');
};

is($cluster->value(q{SELECT count(*) FROM appt.notification
    WHERE state = 'failed' AND channel_no IN (SELECT channel_no
    FROM appt.notification_channel WHERE channel_id LIKE 'mail')}), 0,
    'no other channel\'s message was touched');

done_testing;
