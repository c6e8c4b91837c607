#!/usr/bin/perl
#
# E-mail by STARTTLS, by TLS and with a password. Whoever cannot be trusted gets
# neither the password nor the mail; what is wrong with the mail server, or with
# what we know of it, is no fault of a message: it waits, appt.health() says
# what for, and it goes out when that is put right.

use strict;
use warnings;
use Test::More;
use Appt::Certificates qw(make_certificates);
use Appt::Deliveries qw(clinic book hurried);
use Appt::MailSink;
use Appt::Util qw(free_port patience slurp temp_dir wait_for);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);

my $dir = temp_dir();
make_certificates($dir);

my $password = 'Tr0ub4dor&3';
my $json     = JSON::PP->new->utf8->canonical;
my $clinic   = clinic();
my $cluster  = $clinic->cluster;
my $relay    = $clinic->start_relay(env => hurried(
    APPT_LOG_LEVEL                    => 'debug',
    APPT_RELAY_MESSAGE_RETRY_SCHEDULE => join(',', 0, 0.2, (2) x 98),
    APPT_RELAY_MAIL_CONNECTIONS       => 1,
    APPT_RELAY_MAIL_TIMEOUT_MS        => 2000,
    APPT_RELAY_CA_FILE                => "$dir/ca.pem"));
my @sink;

$cluster->psql(<<'SQL');
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0');
SQL

sub server {
    my (%arg) = @_;
    my $certificate = delete $arg{certificate};
    push @sink, Appt::MailSink->new(login => "visits:$password", %arg,
        $certificate ? (certificate => "$dir/$certificate.pem",
            key => "$dir/$certificate.key") : ());
    return $sink[-1];
}

# The one channel: security, port, and what else is not as it always is.
sub channel {
    my ($security, $port, %arg) = @_;
    my $secret = $arg{secret} // $password;
    my %settings = (host => 'localhost', username => 'visits', port => $port,
        from => 'visits@clinic.example', security => $security,
        %{ $arg{settings} // {} });
    delete $settings{username} if !defined $settings{username};
    $cluster->value(<<'SQL', $json->encode(\%settings),
INSERT INTO appt.notification_channel (channel_id, kind, settings, secret)
VALUES ('mail', 'email', $1, CASE WHEN $1::jsonb->'username' IS NOT NULL
    THEN $2 END)
ON CONFLICT (channel_id) DO UPDATE
SET settings = EXCLUDED.settings, secret = EXCLUDED.secret
RETURNING channel_no
SQL
        $secret);
}

sub message {
    my ($id) = @_;
    return $cluster->row(<<'SQL', $id);
SELECT n.state, n.reason, n.attempts, t.status, t.error, t.answer
FROM appt.notification n
JOIN appt.appointment a USING (appointment_no)
LEFT JOIN appt.notification_attempt t USING (notification_no, fence)
WHERE a.appointment_id = $1
SQL
}

sub wait_for_sent {
    my ($id) = @_;
    return wait_for { message($id)->{state} eq 'sent' }
        sub { 'it to be sent: ' . $json->encode(message($id)) };
}

# Tried again and again; what was last said of it.
sub wait_for_trouble {
    my ($id, $attempts) = @_;
    wait_for { my $row = message($id);
        $row->{attempts} >= ($attempts // 2) && $row->{state} eq 'due' }
        sub { 'it to be tried again: ' . $json->encode(message($id)) };
    return message($id);
}

sub health {
    my $row = $cluster->row(q{SELECT ok, detail FROM appt.health()
        WHERE check_name = 'message_channels'});
    return ($row->{ok} ? 'well: ' : 'not well: ') . $row->{detail};
}

# All that a server was asked.
sub said { my ($server) = @_; return $server->trace }

for my $case (['starttls'], ['tls', tls => 1]) {
    my ($security, %option) = @$case;
    subtest "$security with a password" => sub {
        my $server = server(certificate => 'good', %option);
        channel($security, $server->port);
        my @id = book($clinic, 5);
        my @mail = $server->wait_for_mails(5);
        wait_for_sent($_) for @id;
        is($mail[-1]{session}, 1, 'one connection for all of them');
        is(scalar(() = said($server) =~ />> b'AUTH /g), 1, 'one sign-in');
        is(message($id[4])->{status}, 250, 'the log has the reply');
        like(health(), qr/^well: /, 'the channel is well');
    };

    subtest "$security: a wrong password is the channel's fault" => sub {
        my $server = server(certificate => 'good', %option);
        channel($security, $server->port, secret => 'Wr0ng-one');
        my ($id) = book($clinic, 1);
        my $row = wait_for_trouble($id);
        is($row->{status}, undef, 'nothing was said of the mail');
        like($row->{answer}, qr/^535 /, 'the reply is kept');
        like(health(), qr/^not well: mail: 535 /, 'appt.health() says it');
        isnt($cluster->value('SELECT out_of_order_at FROM '
            . 'appt_report.notification_health'), undef, 'the view, too');
        like($cluster->value('SELECT string_agg(s, E\'\n\') FROM '
            . 'appt.explain_notification($1) s', $id),
            qr/waits to be sent again after \d+ attempts \(535 /,
            'and so is the message explained');
        is(scalar($server->mails), 0, 'no mail');
        channel($security, $server->port);
        $server->wait_for_mails(1);
        wait_for_sent($id);
        like(health(), qr/^well: /, 'with the right one all is well');
    };

    my %wrong = (wrong => q{the server's certificate is another host's},
        expired => 'certificate has expired',
        stranger => 'self-signed certificate');
    for my $kind (sort keys %wrong) {
        subtest "$security: a certificate that is $kind" => sub {
            my $server = server(certificate => $kind, %option);
            channel($security, $server->port);
            my ($id) = book($clinic, 1);
            my $row = wait_for_trouble($id);
            is($row->{error}, $wrong{$kind}, 'that is what is logged');
            is(health(), "not well: mail: $wrong{$kind}", 'and shown');
            is(scalar($server->mails), 0, 'no mail');
            unlike(said($server), qr/>> b'(?:AUTH|MAIL)/,
                'it was told neither the password nor the mail');
            my $good = server(certificate => 'good', %option);
            channel($security, $good->port);
            wait_for_sent($id);
        };
    }
}

subtest 'a server without STARTTLS is not used where it is wanted' => sub {
    my $server = server();
    channel('starttls', $server->port);
    my ($id) = book($clinic, 1);
    my $row = wait_for_trouble($id);
    is($row->{error}, 'Requested SSL level failed', 'said');
    like(health(), qr/^not well: mail: Requested SSL level failed/, 'shown');
    like(said($server), qr/>> b'EHLO/, 'it was asked what it can');
    unlike(said($server), qr/>> b'(?:AUTH|MAIL)/, 'and was told nothing');

    # The connection that is kept may not be used for less than is wanted now.
    channel('none', $server->port);
    wait_for_sent($id);
    my $before = () = said($server) =~ />> b'MAIL/g;
    channel('starttls', $server->port);
    my ($other) = book($clinic, 1);
    $row = wait_for_trouble($other);
    is($row->{error}, 'Requested SSL level failed', 'nor over an open one');
    is(scalar(() = said($server) =~ />> b'MAIL/g), $before, 'no mail');
    channel('none', $server->port);
    wait_for_sent($other);
};

subtest 'a server that wants a password where we have none' => sub {
    my $server = server(certificate => 'good');
    channel('starttls', $server->port, settings => { username => undef });
    my ($id) = book($clinic, 1);
    my $row = wait_for_trouble($id);
    like($row->{answer}, qr/^530 /, 'the reply');
    like(health(), qr/^not well: mail: 530 /, 'the channel is not well');
    channel('starttls', $server->port);
    wait_for_sent($id);
};

for my $case ([ehlo => '554 5.3.2 not from here'],
    [mail => '550 5.7.1 not your address'], [mail => '553 5.7.1 not you'],
    [mail => '501 5.1.7 bad sender'], [mail => '451 4.7.1 sender, later'],
    [mail => '550 5.7.1 your address', "550-5.7.1 not\r\n"]) {
    my ($step, $reply, $before) = @$case;
    subtest "$reply to \U$step\E is the channel's fault" => sub {
        my $server = server(certificate => 'good');
        channel('starttls', $server->port);
        $server->behave($step => ($before // '') . $reply);
        my ($id) = book($clinic, 1);
        my $row = wait_for_trouble($id);
        is($row->{status}, undef, 'nothing was said of the mail');
        is($row->{answer}, $reply, 'the reply is kept');
        is(health(), "not well: mail: $reply", 'appt.health() says it');
        $server->behave;
        wait_for_sent($id);
        like(health(), qr/^well: /, 'it goes out, and all is well');
    };
}

for my $case ([mail => '552 5.3.4 too large'], [rcpt => '550 5.1.1 nobody'],
    [data => '554 5.6.0 not such a mail'],
    [rcpt => '550 5.1.1 here', before => "550-5.1.1 nobody\r\n",
        mail => "250-2.1.0 taken\r\n250 2.1.0 so far"]) {
    my ($step, $reply, %also) = @$case;
    my $before = delete $also{before} // '';
    subtest "$before$reply to \U$step\E is the mail's fault" => sub {
        my $server = server(certificate => 'good');
        channel('starttls', $server->port);
        $server->behave($step => $before . $reply, %also, times => 1);
        my ($id) = book($clinic, 1);
        wait_for { message($id)->{state} ne 'sending' and message($id)->{attempts} }
            'an attempt';
        my $row = message($id);
        is($row->{state}, 'failed', 'it is final')
            or diag $json->encode($row);
        is($row->{status}, substr($reply, 0, 3), 'the log has its code');
        is($row->{reason}, $reply, 'in the server\'s words');
        my ($next) = book($clinic, 1);
        wait_for_sent($next);
        like(health(), qr/^well: /, 'the channel is well');
    };
}

subtest 'nobody listens, and one who does not speak TLS' => sub {
    channel('starttls', free_port());
    my ($id) = book($clinic, 1);
    my $unreachable = qr/Could(?:n't| not) connect to server/;    # by curl 7, by 8
    like(wait_for_trouble($id)->{error}, qr/^$unreachable$/, 'nobody there');
    like(health(), qr/^not well: mail: $unreachable/, 'shown');
    my $server = server();
    channel('tls', $server->port);
    wait_for { (message($id)->{error} // '') =~ /SSL connect error/ }
        'the plain one';
    unlike(said($server), qr/>> b'(?:EHLO|AUTH|MAIL)/, 'nothing was said');
    channel('none', $server->port);
    wait_for_sent($id);
};

subtest 'a server that goes down in the middle' => sub {
    my $server = server(certificate => 'good');
    channel('starttls', $server->port);
    my ($first) = book($clinic, 1);
    wait_for_sent($first);
    $server->behave(rcpt => '421 4.3.2 going down', times => 1);
    my ($gone) = book($clinic, 1);
    wait_for_sent($gone);
    is(message($gone)->{attempts}, 1, 'before the mail: it costs no attempt');
    is(($server->mails)[-1]{session}, 2, 'but another connection');
    $server->behave(data => '421 4.3.2 going down', times => 1);
    my ($id) = book($clinic, 1);
    wait_for_sent($id);
    my $log = $cluster->query(<<'SQL', $id);
SELECT t.status FROM appt.notification_attempt t
JOIN appt.notification n USING (notification_no)
JOIN appt.appointment a USING (appointment_no)
WHERE a.appointment_id = $1 ORDER BY t.fence
SQL
    is_deeply([map { $_->{status} } @$log], [421, 250],
        'after it: it is tried again');
    is(($server->mails)[-1]{session}, 3, 'over another connection');
    $server->behave;

    # An idle connection that the server ended costs no attempt.
    $server->stop;
    $server->start;
    my ($next) = book($clinic, 1);
    wait_for_sent($next);
    is(message($next)->{attempts}, 1, 'at the first attempt');
};

subtest 'a server that hangs after DATA holds up no webhook' => sub {
    my $server = server(certificate => 'good');
    channel('starttls', $server->port);
    $server->behave(hang => 60);
    my $hook = $clinic->sink;
    $cluster->query('SELECT appt.create_webhook(url => $1)',
        $hook->url('/hook'));
    my ($id) = book($clinic, 1);
    wait_for { $cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE state = 'sending'}) } 'the mail to be under way';
    $hook->forget;
    my $began = time;
    my ($other) = book($clinic, 1);
    $hook->wait_for_requests(1, seconds => 2);
    cmp_ok(time - $began, '<', patience(2), 'before the mail has timed out');
    is(wait_for_trouble($id, 1)->{error}, 'Timeout was reached', 'then it has');
    like(health(), qr/^not well: mail: Timeout was reached/, 'shown');
    $server->behave;
    wait_for_sent($_) for $id, $other;
};

subtest 'the password is nowhere to be read' => sub {
    my $log = slurp($relay->{log});
    my $rows = $cluster->value(<<'SQL');
SELECT string_agg(n::text || t::text, E'\n')
FROM appt.notification n
LEFT JOIN appt.notification_attempt t USING (notification_no)
SQL
    like($log, qr/message sent/, 'the log is there');
    my @form = ($password, encode_base64($password, ''),
        encode_base64("\0visits\0$password", ''));
    for my $form (@form) {
        is(index($log, $form), -1, 'not in the relay\'s log');
        is(index($rows, $form), -1, 'nor in that of messages');
    }
};

done_testing();
