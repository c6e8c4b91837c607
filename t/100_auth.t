#!/usr/bin/perl
#
# Access tokens: how they are got, what they look like, which are refused, and
# how soon a client that is disabled, rotated or revoked is shut out.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Program;
use Appt::Util qw(free_port wait_for temp_dir);
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64 encode_base64url decode_base64url);
use Time::HiRes qw(time);

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $client  = $clinic->client;
my $probe   = '/api/v1/queue?doctor_id=DOC-001';
my $json    = JSON::PP->new->utf8->canonical;

sub token_of {
    my ($who, %more) = @_;
    return $http->form('/api/v1/auth/token',
        { grant_type => 'client_credentials', %$who, %more });
}

sub works {
    my ($token) = @_;
    return $http->get($probe, undef,
        { Authorization => "Bearer $token" })->{status};
}

# ---- how a token is got -----------------------------------------------------

my $r = token_of($client);
is_deeply([ @{ $r->{json} }{qw(token_type expires_in)} ], [ 'Bearer', 3600 ],
    'the published answer');
is($r->{headers}{'cache-control'}, 'no-store', 'which nobody stores');
my $token = $r->{json}{access_token};
is(works($token), 200, 'and the token works');
is(works("  $token"), 200, 'after several spaces, too (RFC 9110, 11.4)');

$r = $http->form('/api/v1/auth/token',
    { grant_type => 'client_credentials', %$client },
    { Authorization => "Bearer $token" });
is($r->{status}, 200, 'a stray access token beside the form is not looked at');
is(token_of({ client_id => 'nobody', client_secret => 'x' })
    ->{headers}{'www-authenticate'}, undef,
    'who came by the form is not asked for Basic');

my $basic = 'Basic '
    . encode_base64("$client->{client_id}:$client->{client_secret}", '');
$r = $http->form('/api/v1/auth/token', { grant_type => 'client_credentials' },
    { Authorization => $basic });
is($r->{status}, 200, 'HTTP Basic is the other way');
$r = $http->form('/api/v1/auth/token', { grant_type => 'client_credentials',
    %$client }, { Authorization => $basic });
is_deeply([ $r->{status}, $r->{json}{error} ], [ 400, 'invalid_request' ],
    'but not both ways at once');
$r = $http->form('/api/v1/auth/token', { grant_type => 'client_credentials',
    client_id => 'another' }, { Authorization => $basic });
is_deeply([ $r->{status}, $r->{json}{error} ], [ 400, 'invalid_request' ],
    'nor as two clients');
$r = $http->form('/api/v1/auth/token', { grant_type => 'client_credentials' },
    { Authorization => 'Basic ' . encode_base64('nobody:x', '') });
is_deeply([ $r->{status}, $r->{json}{error} ], [ 401, 'invalid_client' ],
    'a wrong client by Basic');
like($r->{headers}{'www-authenticate'}, qr/^Basic /, 'with WWW-Authenticate');
$r = token_of($client, scope => 'appointments:read');
is($r->{json}{scope}, 'appointments:read', 'a narrower scope');
is($http->delete('/api/v1/appointments/x', { reason => 'x' },
    { Authorization => "Bearer $r->{json}{access_token}" })->{json}{code},
    'insufficient_scope', 'is all that the token has');
$r = $http->request('POST', '/api/v1/auth/token', '{}',
    { 'Content-Type' => 'application/json', Authorization => undef });
is_deeply([ $r->{status}, $r->{json}{error} ], [ 400, 'invalid_request' ],
    'a form and nothing else');
$r = $http->request('POST', '/api/v1/auth/token',
    'grant_type=client_credentials&grant_type=client_credentials',
    { 'Content-Type' => 'application/x-www-form-urlencoded' });
is($r->{json}{error}, 'invalid_request', 'a parameter twice');

# ---- what it looks like -----------------------------------------------------

my ($head, $claims, $signature) = split /\./, $token;
my $header = $json->decode(decode_base64url($head));
my $says   = $json->decode(decode_base64url($claims));
is_deeply([ @$header{qw(alg typ)} ], [ 'RS256', 'at+jwt' ], 'RFC 9068 header');
is_deeply([ sort keys %$says ],
    [qw(aud client_id epoch exp iat iss jti scope sub)], 'RFC 9068 claims');
my $jwks = $http->get('/.well-known/jwks.json')->{json};
my ($jwk) = grep { $_->{kid} eq $header->{kid} } @{ $jwks->{keys} };
is_deeply([ sort keys %$jwk ], [qw(alg e kid kty n use)],
    'the JWKS shows the public key and no more');

my $dir = temp_dir();
sub bytes { my ($file, $bytes) = @_;
    open my $to, '>:raw', "$dir/$file" or die $!; print {$to} $bytes; close $to }
# The public key in DER, by hand: openssl reads no JWK.
sub der { my ($tag, $bytes) = @_;
    my $len = length $bytes;
    return chr($tag) . ($len < 128 ? chr $len : $len < 256
        ? "\x81" . chr $len : "\x82" . pack 'n', $len) . $bytes }
bytes('key.der', der(0x30, join '', map { der(2, "\0" . decode_base64url($_)) }
    @$jwk{qw(n e)}));
bytes('text', "$head.$claims");
bytes('signature', decode_base64url($signature));
is(system("cd $dir && openssl rsa -RSAPublicKey_in -inform DER -in key.der "
    . '-pubout -out key.pem 2>/dev/null && openssl dgst -sha256 -verify '
    . 'key.pem -signature signature text >/dev/null'), 0,
    'with which openssl verifies the token');

# ---- which are refused ------------------------------------------------------

sub forged {
    my ($change, $with) = @_;
    my %header = (%$header, %{ $change->{header} // {} });
    my %claims = (%$says,   %{ $change->{claims} // {} });
    delete $header{$_} for grep { !defined $header{$_} } keys %header;
    my $text = join '.', map { encode_base64url($json->encode($_)) }
        \%header, \%claims;
    return "$text." . encode_base64url($with->($text));
}

my $pem = $cluster->value('SELECT private_pem FROM appt.signing_key');
bytes('private.pem', $pem);
sub rs256 { bytes('text', $_[0]);
    return scalar qx(cd $dir && openssl dgst -sha256 -sign private.pem text) }
require Digest::SHA;
my $public = qx(cat $dir/key.pem);

is(works(forged({}, \&rs256)), 200, 'a token made by hand with the key works');
for my $bad (
    [ 'alg none', { header => { alg => 'none' } }, sub {''} ],
    [ 'the public key as an HMAC secret', { header => { alg => 'HS256' } },
        sub { Digest::SHA::hmac_sha256($_[0], $public) } ],
    [ 'another algorithm', { header => { alg => 'RS512' } }, \&rs256 ],
    [ 'an id token\'s type', { header => { typ => 'JWT' } }, \&rs256 ],
    [ 'no type', { header => { typ => undef } }, \&rs256 ],
    [ 'an unknown key', { header => { kid => 'x' } }, \&rs256 ],
    [ 'no key', { header => { kid => undef } }, \&rs256 ],
    [ 'a critical extension', { header => { crit => ['x'] } }, \&rs256 ],
    [ 'another issuer', { claims => { iss => 'x' } }, \&rs256 ],
    [ 'another audience', { claims => { aud => 'x' } }, \&rs256 ],
    [ 'another subject', { claims => { sub => 'x' } }, \&rs256 ],
    [ 'a time that is over', { claims => { exp => time - 1 } }, \&rs256 ],
    [ 'a whole number as text', { claims => { exp => '9999999999' } }, \&rs256 ],
    [ 'no end', { claims => { exp => undef } }, \&rs256 ],
    [ 'a start to come', { claims => { iat => int(time) + 3600 } }, \&rs256 ],
    [ 'no jti', { claims => { jti => undef } }, \&rs256 ],
    [ 'an older epoch', { claims => { epoch => 0 } }, \&rs256 ],
    [ 'a client that is not there',
        { claims => { client_id => 'x', sub => 'x', iat => int(time) - 60 } },
        \&rs256 ],
    [ 'a signature cut short', {}, sub { substr rs256(@_), 0, 200 } ],
    [ 'no signature', {}, sub {''} ]) {
    my ($name, $change, $with) = @$bad;
    is(works(forged($change, $with)), 401, "refused: $name");
}
is(works("$token.x"), 401, 'refused: a fourth part');
is(works('a' x 5000), 401, 'refused: 5 KB of letters');
$r = $http->get($probe, undef, { Authorization => 'Bearer x' });
like($r->{headers}{'www-authenticate'}, qr/error="invalid_token"/,
    'WWW-Authenticate says why');


# A stack as small as some systems give a thread: a JSON reader that calls
# itself for each level must not come to its end.
{
    my $small = Appt::Gateway->new(cluster => $cluster,
        command => [ 'prlimit', '--stack=131072:131072' ]);
    my $there = Appt::Http->new($small->url);
    my $deep = encode_base64url('{"a":' . '[' x 2040);
    is($there->get($probe, undef, { Authorization => "Bearer $_" })->{status}, 401,
        'refused: a part nested 2,040 deep') for "$deep.e30.AA", "$head.$deep.AA";
    ok($small->alive, 'with which the gateway lives');
}

# ---- how soon it ends -------------------------------------------------------

sub ends_soon {
    my ($what, $do) = @_;
    my $other = $clinic->create_client(name => $what);
    my $bearer = token_of($other)->{json}{access_token};
    is(works($bearer), 200, "$what: it works before");
    my $start = time;
    $do->($other, $bearer);
    ok(eval { wait_for { works($bearer) == 401 } 'the end', 5 },
        "$what: its token ends within 5 s");
    diag sprintf '%s: %.1f s', $what, time - $start;
    return $other;
}

my $gone = ends_soon('disabled', sub {
    $cluster->query('UPDATE appt.api_client SET active = false
        WHERE client_id = $1', $_[0]{client_id});
});
is(token_of($gone)->{status}, 401, 'and it gets no other');
$gone = ends_soon('deleted', sub {
    is($http->delete("/api/v1/clients/$_[0]{client_id}")->{status}, 204,
        'it is deleted');
});
is(token_of($gone)->{status}, 401, 'and it gets no other');
$gone = ends_soon('rotated', sub {
    $_[0]{new} = $http->post("/api/v1/clients/$_[0]{client_id}/rotate-secret")
        ->{json}{client_secret};
});
is(token_of({ client_id => $gone->{client_id},
    client_secret => $gone->{client_secret} })->{status}, 401,
    'the old secret gets no other');
my $new = token_of({ client_id => $gone->{client_id},
    client_secret => $gone->{new} })->{json}{access_token};
is(works($new), 200, 'the new secret does, and its token works at once');
ends_soon('without a scope', sub {
    $http->patch("/api/v1/clients/$_[0]{client_id}",
        { scopes => ['appointments:write'] });
});
my $revoker;
ends_soon('revoked', sub {
    my ($who, $bearer) = @_;
    $revoker = { %$who };
    is($http->form('/api/v1/auth/revoke',
        { token => $bearer, %$client })->{status}, 200,
        'another client\'s token is not revoked, and nobody is told');
    is(works($bearer), 200, 'it works still');
    is($http->form('/api/v1/auth/revoke', { token => $bearer, %$who })
        ->{status}, 200, 'its own is');
    is(works($bearer), 401, 'at once here');
});
is($http->form('/api/v1/auth/revoke', { token => 'x', %$revoker })->{status},
    200, 'a token that is none is revoked already (RFC 7009)');
is(works(token_of($revoker)->{json}{access_token}), 200,
    'the client is not shut out');

# ---- wrong secrets ----------------------------------------------------------

my $victim = $clinic->create_client(name => 'Victim');
my @tries;    # ten at once; each six seconds bring one more
do {
    push @tries, token_of({ client_id => $victim->{client_id},
        client_secret => 'x' . @tries });
} until $tries[-1]{status} == 429 || @tries == 60;
is($tries[0]{status}, 401, 'a wrong secret');
is($tries[-1]{status}, 429, 'is slowed down after some');
ok($tries[-1]{headers}{'retry-after'}, 'with Retry-After');
is(token_of($client)->{status}, 200, 'others are not');
is(token_of($victim)->{status}, 200, 'nor is the right one, from the same address');
{
    my $body = 'grant_type=client_credentials&client_id=cl_nobody&client_secret=x';
    my $began = time;
    my @socket = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $clinic->gateway->port) // die $! } 1 .. 40;
    print {$_} "POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: application/x-www-form-urlencoded\r\n"
        . "Connection: close\r\nContent-Length: " . length($body)
        . "\r\n\r\n$body" for @socket;
    my $wrong = grep { my $line = readline $_; $line =~ / 401 / } @socket;
    cmp_ok($wrong, '>=', 10, 'of many that are sent at once ten are judged');
    cmp_ok($wrong, '<=', 11 + (time - $began) / 6,
        'and those that time brings meanwhile');
}
my $proxied = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_TRUSTED_PROXIES => '10.0.0.1, 127.0.0.1' });
sub try_from {
    my ($gateway, $address, $secret) = @_;
    return Appt::Http->new($gateway->url)->form('/api/v1/auth/token',
        { grant_type => 'client_credentials',
            client_id => $victim->{client_id}, client_secret => $secret },
        { 'X-Forwarded-For' => "1.2.3.4, $address" })->{status};
}
ok((grep { try_from($proxied, '192.0.2.1', 'x') == 429 } 1 .. 30),
    'behind a proxy that is trusted, by the address that it names');
is(try_from($proxied, '192.0.2.2', $victim->{client_secret}), 200,
    'so that the client itself goes on');
SKIP: {
    skip 'no IPv6 here', 1 unless -e '/proc/net/if_inet6';
    my $port = free_port();
    my $both = Appt::Gateway->new(cluster => $cluster, port => $port,
        env => { APPT_LISTEN => "[::]:$port",
            APPT_TRUSTED_PROXIES => '127.0.0.1' });
    try_from($both, '192.0.2.1', "x$_") for 1 .. 11;
    is(try_from($both, '192.0.2.2', $victim->{client_secret}), 200,
        'the proxy is known by its address where IPv6 is listened to as well');
}
ok((grep { try_from($clinic->gateway, "192.0.2.$_", 'x') == 429 } 1 .. 30),
    'another\'s word is not taken for it');
unlike($clinic->gateway->log_text, qr/\Q$client->{client_secret}\E|\Q$signature\E/,
    'no secret and no signature in the log');

# ---- keys -------------------------------------------------------------------

my $second = Appt::Gateway->new(cluster => $cluster);
my $there = Appt::Http->new($second->url, token => $token);
is($there->get($probe)->{status}, 200, 'another gateway takes the token');
is($cluster->value('SELECT count(*) FROM appt.signing_key'), 1,
    'and made no key of its own');
$cluster->psql(q{SELECT appt.retire_signing_key(kid) FROM appt.signing_key});
ok(eval { wait_for { works($token) == 401 } 'the end', 5 },
    'a retired key\'s tokens end within 5 s');
ok(eval { wait_for { token_of($client)->{status} == 200 } 'a key', 60 },
    'a new key is made');
is($cluster->value('SELECT count(*) FROM appt.signing_key'), 1,
    'one, by two gateways');
$token = token_of($client)->{json}{access_token};
ok(eval { wait_for { $there->get($probe, undef,
    { Authorization => "Bearer $token" })->{status} == 200 } 'both' },
    'which both take');

$cluster->psql('REVOKE EXECUTE ON FUNCTION appt_api.signing_keys()
    FROM appt_gateway');
my $keyless = Appt::Gateway->new(cluster => $cluster, wait => 0);
my $to_it = Appt::Http->new($keyless->url);
my $form = { grant_type => 'client_credentials', %$client, token => $token };
ok(eval { wait_for { ($to_it->form('/api/v1/auth/token', $form)->{json}{detail}
    // '') =~ /not know its clients/ } 'it', 10 },
    'a gateway that could not read the keys yet');
is($to_it->form('/api/v1/auth/revoke', $form)->{status}, 503,
    'does not say that a token is revoked');
$cluster->psql('GRANT EXECUTE ON FUNCTION appt_api.signing_keys()
    TO appt_gateway');

my $brief = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_TOKEN_LIFETIME_S => 1 });
my $quick = Appt::Http->new($brief->url, %$client);
is($quick->get($probe)->{status}, 200, 'a token of one second');
ok(eval { wait_for { $quick->get($probe)->{status} == 401 } 'the end', 3 },
    'is over after it');

done_testing();
