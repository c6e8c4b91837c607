#!/usr/bin/perl
#
# SMS and WhatsApp by the examples of deploy/channels: each provider gets the
# request that it documents, and what it answers, errors within a 200 too,
# decides what becomes of the message.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::Util qw(root_dir slurp wait_for);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $json    = JSON::PP->new->utf8->canonical;
my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $relay   = $clinic->start_relay(env => hurried(
    APPT_RELAY_MESSAGE_RETRY_SCHEDULE => '0,0.2'));

# A name that would leave its place if it could.
my $name = "R\"a&v=i%, 'x' }} {{to}}\\\n+\x{1f600}";
$cluster->query('UPDATE appt.patient SET first_name = $1, last_name = NULL, '
    . q{phone = '98765 43210'}, $name);
(my $line = $name) =~ s/\n/ /;
$cluster->psql(<<'SQL');
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0');
DELETE FROM appt.notification_template;
INSERT INTO appt.notification_template (event, channel, language, body,
    provider_template, provider_language, variables, dlt_template_id)
VALUES
    ('booked', 'sms', 'en', 'Dear {{patient_name}}, {{slot_time}}.', 'flow1',
        NULL, '[{"name": "VAR1", "value": "{{patient_name}}", "max_length": 12},
        {"name": "VAR2", "value": "{{slot_time}}"}]', '1107000000000000001'),
    ('booked', 'whatsapp', 'en', 'Dear {{patient_name}}, {{slot_time}}.',
        'visit_booked', 'en_US', '[{"name": "1", "value": "{{patient_name}}"},
        {"name": "2", "value": "{{slot_date}}"}]', NULL);
SQL

sub form {
    my ($body) = @_;
    return { map {
        my ($key, $value) = split /=/, $_, 2;
        for ($key, $value) {
            s/\+/ /g;
            s/%([0-9A-F]{2})/chr hex $1/ge;
            utf8::decode($_);
        }
        ($key => $value);
    } split /&/, $body };
}

sub callback_url {
    return 'https://appointments.clinic.example/api/v1/notifications/callbacks/'
        . shift;
}

sub basic { return 'Basic ' . encode_base64("$_[0]:key-1", '') }

my $account = 'AC' . '0' x 32;
my $token = 'a-secret-for-reports';
my @value = ($line, '16/03/2026');
my %case = (
    twilio => {
        path => "/2010-04-01/Accounts/$account/Messages.json",
        type => 'application/x-www-form-urlencoded',
        header => { authorization => basic($account) },
        form => { To => '+919876543210', From => '+15005550006',
            Body => "Dear $name, 09:00.",
            StatusCallback => callback_url('twilio') },
        good => [201, { sid => 'SM1', status => 'queued',
            error_code => undef }, 'SM1'],
        bad => [400, { code => 21211, message => "Invalid 'To' Phone Number",
            status => 400 }, "Invalid 'To' Phone Number"],
    },
    'twilio-content' => {
        path => "/2010-04-01/Accounts/$account/Messages.json",
        type => 'application/x-www-form-urlencoded',
        header => { authorization => basic($account) },
        form => { To => 'whatsapp:+919876543210',
            MessagingServiceSid => 'MG' . '0' x 32,
            ContentSid => 'visit_booked',
            ContentVariables => { 1 => $value[0], 2 => $value[1] },
            StatusCallback => callback_url('twilio-content') },
        good => [201, { sid => 'SM2', status => 'accepted' }, 'SM2'],
        bad => [404, { code => 20404, message => 'not found' }, 'not found'],
    },
    meta => {
        path => '/v21.0/100000000000000/messages',
        type => 'application/json',
        header => { authorization => 'Bearer key-1' },
        body => { messaging_product => 'whatsapp',
            recipient_type => 'individual', to => '919876543210',
            type => 'template', template => { name => 'visit_booked',
                language => { code => 'en_US' }, components => [
                    { type => 'body', parameters => [
                        map {{ type => 'text', text => $_ }} @value] }] } },
        good => [200, { messaging_product => 'whatsapp',
            messages => [{ id => 'wamid.1' }] }, 'wamid.1'],
        bad => [400, { error => { code => 131026,
            message => '(#131026) Message undeliverable' } },
            '(#131026) Message undeliverable'],
    },
    msg91 => {
        path => '/api/v5/flow',
        type => 'application/json',
        header => { authkey => 'key-1' },
        body => { template_id => 'flow1', short_url => '0', recipients => [
            { mobiles => '919876543210', VAR1 => substr($line, 0, 12),
                VAR2 => '09:00' }] },
        good => [200, { type => 'success', message => '3765646f' }, '3765646f'],
        again => [200, { type => 'error', message => 'template id missing' },
            'template id missing'],
    },
    gupshup => {
        path => '/wa/api/v1/template/msg',
        type => 'application/x-www-form-urlencoded',
        header => { apikey => 'key-1' },
        form => { channel => 'whatsapp', source => '919999900000',
            destination => '919876543210', 'src.name' => 'clinic',
            template => { id => 'visit_booked', params => [@value] } },
        good => [202, { status => 'submitted', messageId => 'g-1' }, 'g-1'],
        again => [200, { status => 'error', message => 'Invalid App Details' },
            'Invalid App Details'],
    },
    exotel => {
        path => '/v1/Accounts/clinic1/Sms/send.json',
        type => 'application/x-www-form-urlencoded',
        header => { authorization => basic('api-key') },
        form => { From => 'CLINIC', To => '+919876543210',
            Body => "Dear $name, 09:00.", DltEntityId => '1101000000000000000',
            DltTemplateId => '1107000000000000001',
            SmsType => 'transactional',
            StatusCallback => callback_url('exotel') . "?token=$token" },
        good => [200, { SMSMessage => { Sid => 'e1', Status => 'queued' } },
            'e1'],
        bad => [400, { RestException => { Status => 400,
            Message => 'Invalid number' } }, 'Invalid number'],
        again => [401, { RestException => { Status => 401,
            Message => 'Authentication failed' } }, 'Authentication failed'],
    },
);

# The visit's time is the same each time: it is cancelled at the end.
sub one_booking {
    my $id = $cluster->value(<<'SQL');
SELECT appointment_id FROM appt.book('PAT-2026-00130', 'DOC-001',
    '2026-03-16 09:00+05:30', branch_id => 'MUM-01', override => true)
SQL
    wait_for {
        return $cluster->value(q[SELECT NOT EXISTS (SELECT FROM
            appt.notification WHERE state IN ('due', 'sending'))]);
    } 'the message to be through';
    my $row = $cluster->row('SELECT n.state, n.reason, t.provider_id '
        . 'FROM appt.notification n JOIN appt.appointment a '
        . 'USING (appointment_no) LEFT JOIN appt.notification_attempt t '
        . 'ON (t.notification_no, t.fence) = (n.notification_no, n.fence) '
        . 'WHERE a.appointment_id = $1', $id);
    $cluster->value(q{WITH gone AS (DELETE FROM appt.notification) SELECT 1});
    $cluster->psql("UPDATE appt.appointment SET status = 'cancelled', "
        . "cancelled_at = booked_at WHERE appointment_id = '$id'");
    return $row;
}

for my $provider (sort keys %case) {
    my $case = $case{$provider};
    my $file = $json->decode(slurp(root_dir()
        . "/deploy/channels/$provider.json"));
    $file->{settings}{url} =~ s{^https://[^/]+}{$sink->url('')}e or die;
    $file->{settings}{url} =~ s{(?<!:)//}{/};
    $cluster->psql('DELETE FROM appt.notification_channel');
    $cluster->value('INSERT INTO appt.notification_channel (channel_id, kind, '
        . 'settings, secret, callback_secret) VALUES ($1, $2, $3, $4, $5) '
        . 'RETURNING channel_no', $provider, $file->{kind},
        $json->encode($file->{settings}), 'key-1', $token);

    subtest "$provider gets the request that it documents" => sub {
        my ($status, $answer, $id) = @{ $case->{good} };
        $sink->forget;
        $sink->behave(status => $status, body => $json->encode($answer));
        my $row = one_booking();
        is($row->{state}, 'sent', 'sent') or diag $row->{reason};
        is($row->{provider_id}, $id, 'with the provider\'s id');
        my ($request) = $sink->requests;
        is($request->{path}, $case->{path}, 'path');
        is($request->{method}, 'POST', 'method');
        is($request->{headers}{'content-type'}, $case->{type}, 'Content-Type');
        is($request->{headers}{$_}, $case->{header}{$_}, $_)
            for keys %{ $case->{header} };
        my $raw = $request->{raw};
        my $got = $case->{form} ? form($raw) : $json->decode($raw);
        for my $field (grep { ref $case->{form}{$_} } keys %{ $case->{form} // {} }) {
            $got->{$field} = JSON::PP->new->decode($got->{$field});
        }
        is_deeply($got, $case->{form} // $case->{body}, 'body')
            or diag $raw;
    };

    subtest "$provider says what is wrong" => sub {
        my $what = $case->{bad} ? 'failed' : 'dead';
        my ($status, $answer, $said) = @{ $case->{bad} // $case->{again} };
        $sink->forget;
        $sink->behave(status => $status, body => $json->encode($answer));
        my $row = one_booking();
        is($row->{state}, $what, $what);
        is($row->{reason}, $said, 'in the provider\'s words');
        is(scalar($sink->requests), $what eq 'failed' ? 1 : 2, 'attempts');
    };
}

subtest 'a provider that is away holds up no mail and no webhook' => sub {
    $sink->behave(hang => 1);
    $clinic->webhook;
    my $other = Appt::Sink->new;
    $cluster->query('SELECT appt.create_webhook(url => $1)',
        $other->url('/other'));
    book($clinic, 3);
    $other->wait_for_requests(4);
    pass('the webhooks came');
    $sink->behave;
};

done_testing();
