#!/usr/bin/perl
#
# PostgreSQL's log has nothing of what the programs say to it, even where it
# logs every statement: no secret, no key, nobody's name or telephone number. The
# logins are set up as docs/operations.md says.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(root_dir slurp wait_for);
use Digest::SHA qw(sha256_hex);

# Every way to have a statement logged.
my $clinic = Appt::Clinic->new(
    clock   => '2026-03-14T12:00:00+05:30',
    cluster => { conf => { log_min_duration_statement => 0,
        log_statement => 'all', log_duration => 'on' } });
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $v1      = '/api/v1';

my %said = (phone => '+91 98765 43210', name => 'Zyxwvut', notes => 'Qponmlk',
    secret => 'a-secret-of-my-own-1', password => 'a-pass-of-mine-2',
    key => 'a-key-of-mine-3', 'callback secret' => 'a-secret-of-reports-4',
    'forged' => 'forged-token-of-5', 'report' => 'Nmlkjih', search => 'Hgfedcb', answer => 'Vutsrqp');
my $patient = $http->post("$v1/patients", { first_name => $said{name},
    phone => $said{phone}, email => 'zyxwvut@example.com' })->{json}{patient_id};
ok($patient, 'a patient is registered');
$http->patch("$v1/patients/$patient", { last_name => $said{name} });
$http->get("$v1/patients", { search => $said{search} });
is($http->post("$v1/appointments", { patient_id => $patient,
    doctor_id => 'DOC-001', branch_id => 'MUM-01', notes => $said{notes},
    slot_start => '2026-03-16T10:00:00+05:30' })->{status}, 201, 'and booked');
is($http->post("$v1/appointments", { patient_id => $patient,
    doctor_id => 'DOC-001', branch_id => 'MUM-01', notes => $said{notes},
    slot_start => '2026-03-16T10:00:00+05:30' })->{status}, 409, 'and refused');
is($http->post("$v1/webhooks", { url => 'https://example.com/',
    secret => $said{secret} })->{status}, 201, 'a webhook with its secret');
my %channel = (channel_id => 'mail', kind => 'email',
    settings => { host => 'mail.example', from => 'a@b.example' });
is($http->post("$v1/notification-channels", { %channel,
    secret => "$said{password}\x{e4}" })->{status}, 400, 'a channel refused');
is($http->post("$v1/notification-channels", { %channel,
    secret => $said{password} }, { 'Idempotency-Key' => 'c' })->{status}, 201,
    'a channel with its password');
is($http->patch("$v1/notification-channels/mail", { secret => $said{key},
    settings => { host => 'h', from => 'a@b.example', colour => 1 } })
    ->{status}, 400, 'refused with its key');
is($http->patch("$v1/notification-channels/mail", { secret => $said{key},
    active => JSON::PP::false })->{status}, 200, 'changed, with its key');
is($http->post("$v1/notification-channels", { channel_id => 'sms',
    kind => 'sms', callback_secret => $said{'callback secret'}, settings => {
        url => 'https://sms.example/', body => {}, callback => { id => ['id'],
            signature => 'token', status => ['status'] } } })->{status}, 201,
    'a channel whose provider reports');
is($http->post("$v1/notifications/callbacks/sms?token=$_->[0]",
    { id => $said{report}, status => 'x' })->{status}, $_->[1],
    "a report: $_->[1]") for [ $said{'callback secret'}, 200 ],
    [ $said{forged}, 403 ];
my $client = $http->post("$v1/clients", { name => 'Other',
    scopes => ['appointments:read'] },
    { 'Idempotency-Key' => 'k' })->{json}{client_secret};
ok($client, 'a client whose answer is kept');

$clinic->sink->behave(body => $said{answer});
$clinic->webhook;
$clinic->start_relay;
wait_for { $cluster->value('SELECT count(*) FROM appt.delivery_attempt
    WHERE answer = $1', $said{answer}) } 'an attempt to be recorded';

# What the test itself says as the superuser is logged; of the others nothing.
open my $fh, '<', $cluster->{log} or die "$cluster->{log}: $!\n";
my (%log, $who);
while (<$fh>) {
    $who = $1 if /^\S+ \S+ \S+ \[\d+\] (\S*) /;
    $log{$who // ''} .= $_;
}
my $programs = join '', map { $log{$_} } grep {/^bioecko-/} sort keys %log;
like($programs, qr/appt_api\.create_patient.*appt_relay\.record_attempts/s,
    'the statements of both programs are logged');
$said{'client secret'} = $clinic->client->{client_secret};
$said{"its hash"} = sha256_hex($clinic->client->{client_secret});
$said{'new client\'s secret'} = $client;
$said{'signing key'} = 'PRIVATE KEY';
$said{'webhook\'s secret'} = $clinic->webhook->{secret};
$said{'access token'} = $http->{token};
unlike($programs, qr/\Q$said{$_}\E/i, "without the $_") for sort keys %said;

for my $page (qw(operations deployment sql)) {
    like(slurp(root_dir() . "/docs/$page.md"),
        qr/ALTER ROLE bioecko_gateway SET log_parameter_max_length = 0;/,
        "docs/$page.md says how");
}

done_testing;
