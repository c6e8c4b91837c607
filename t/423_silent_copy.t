#!/usr/bin/perl
#
# A copy for tests tells nobody: after what docs/backup.md says under "Before a
# copy is used" a relay beside it sends nothing of what waited for the clinic's
# webhooks and patients, nor of what is done on the copy.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried);
use Appt::MailSink;
use Appt::Relay;
use Appt::Util qw(root_dir run_command slurp wait_for);

my ($say) = slurp(root_dir() . '/docs/backup.md')
    =~ /^## Before a copy is used\n.*?^```sh\n(.*?)^```$/ms;
my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $mail    = Appt::MailSink->new;
my $hook    = $clinic->sink;
my $port    = $mail->port;

$cluster->psql(<<"SQL");
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0');
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $port,
    "security": "none", "from": "visits\@clinic.example"}');
SQL
$cluster->query('SELECT appt.create_webhook(url => $1)', $hook->url('/hook'));
book($clinic, 3);
$cluster->psql(q{SELECT appt.test_channel('mail', 'desk@clinic.example')});

local %ENV = (%ENV, $cluster->env, PATH => "$cluster->{bindir}:$ENV{PATH}");
my ($status, undef, $said) = run_command(['sh', '-c', 'createdb restored && '
    . 'pg_dump -Fc appt | pg_restore --exit-on-error -d restored']);
is($status, 0, 'the clinic is copied') or diag $said;
($status, undef, $said) = run_command(['sh', '-c', $say]);
is($status, 0, 'what the page says is done') or diag $said;

my $copy = bless { %$cluster, database => 'restored', owner => 0, dbh => undef },
    ref $cluster;
my $relay = Appt::Relay->new(cluster => $copy, env => hurried());
$clinic->{cluster} = $copy;
book($clinic, 1);
wait_for { $copy->value(q{SELECT count(*) FROM appt.notification
    WHERE state IN ('due', 'sending')}) == 0 } 'the relay to have looked';
is(scalar($mail->mails),    0, 'no mail');
is(scalar($hook->requests), 0, 'no webhook');

# It does send what it is told to.
$copy->psql('UPDATE appt.notification_channel SET active = true');
book($clinic, 1);
$mail->wait_for_mails(1);
is(scalar($mail->mails), 1, 'one, when a channel is switched on again');

done_testing;
