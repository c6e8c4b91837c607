#!/usr/bin/perl
#
# A signing key is rotated while its tokens are in use: both keys verify, the
# new one signs, the old one is retired and its tokens end. A login without the
# right adds none.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(run_command wait_for);
use JSON::PP ();
use MIME::Base64 qw(decode_base64url);
use Time::HiRes qw(time);

my $clinic  = Appt::Clinic->new(env => { APPT_TOKEN_LIMIT => 0 });
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $there   = Appt::Gateway->new(cluster => $cluster);
my @gateway = map { Appt::Http->new($_->url) } $clinic->gateway, $there;
my $probe   = '/api/v1/queue?doctor_id=DOC-001';

# The key that the token names.
sub kid_of {
    my ($token) = @_;
    return JSON::PP->new->decode(decode_base64url((split /\./, $token)[0]))->{kid};
}

sub jwks {
    return sort map { $_->{kid} }
        @{ $_[0]->get('/.well-known/jwks.json')->{json}{keys} };
}

# What each gateway says of the token.
sub statuses {
    my ($token) = @_;
    return join ' ', map { $_->get($probe, undef,
        { Authorization => "Bearer $token" })->{status} } @gateway;
}

# Runs the program as that user; its exit code, output and complaint.
sub new_key {
    my ($user) = @_;
    local $ENV{APPT_DSN} = $cluster->dsn(user => $user);
    return run_command([ Appt::Gateway->binary, '--new-signing-key' ]);
}

my $old_token = $http->{token};
my $old = kid_of($old_token);

my $began = time;
my ($exit, $out, $said) = new_key('bioecko_gateway');
is($exit, 0, 'the gateway\'s own login adds a key') or diag $said;
like($out, qr/\A[\w-]{43}\n\z/, 'the key\'s id is printed, and that alone');
is($said, '', 'nothing else is said');
chomp(my $new = $out);
isnt($new, $old, 'it is another');

my @both = sort $old, $new;
for my $gateway (@gateway) {
    ok((wait_for { "@{[ jwks($gateway) ]}" eq "@both" } 'both keys'),
        'the JWKS shows both');
}
is(statuses($old_token), '200 200', 'a token of the old key is good');

# Not at once: another gateway might not know it yet.
my $token = wait_for {
    my $got = $http->authenticate(@{ $clinic->client }{qw(client_id
        client_secret)});
    kid_of($got) eq $new ? $got : undef
} 'the new key to sign';
cmp_ok(time - $began, '>', 8, 'the new key signs ten seconds later');
is(statuses($token), '200 200', 'its tokens are good everywhere');
is(statuses($old_token), '200 200', 'those of the old key still are');

$cluster->value("SELECT appt.retire_signing_key('nobody')");
my $admin = $cluster->connect(user => 'bioecko_admin');
ok(($admin->selectrow_array('SELECT appt.retire_signing_key(?)', undef, $old))[0],
    'an administrator retires the old key');
ok(eval { wait_for { statuses($old_token) eq '401 401' } 'the end', 5 },
    'its tokens end within 5 s');
is(statuses($token), '200 200', 'the others go on');
is_deeply([ jwks($gateway[0]) ], [$new], 'the JWKS shows the new key');

# ---- who may not ------------------------------------------------------------

for my $user (qw(bioecko_relay bioecko_admin)) {
    ($exit, $out, $said) = new_key($user);
    isnt($exit, 0, "$user adds none");
    is($out, '', 'nothing is printed');
    like($said, qr/permission denied/, 'it is told why');
    unlike($said, qr/PRIVATE KEY/, 'without the key');
}
($exit, $out, $said) = new_key('nobody_at_all');
isnt($exit, 0, 'nor does who cannot connect');
like($said, qr/nobody_at_all/, 'he is named');
is($cluster->value('SELECT count(*) FROM appt.signing_key'), 1,
    'there is no further key');

done_testing();
