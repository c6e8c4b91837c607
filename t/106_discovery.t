#!/usr/bin/perl
#
# A client that knows nothing but the service's address finds its way to a
# token, by the metadata of RFC 8414, and back.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Raw;
use JSON::PP ();
use MIME::Base64 qw(decode_base64url);

my $clinic = Appt::Clinic->new;
my $url    = $clinic->gateway->url;
my $known  = '/.well-known/oauth-authorization-server';

# Everything by the addresses that the metadata names.
my $got = Appt::Http->new($url)->get($known);
is($got->{status}, 200, 'the metadata');
is($got->{headers}{'content-type'}, 'application/json', 'is JSON');
my $server = $got->{json};
is($server->{issuer}, $url, 'of the service as it was asked');
my $here = Appt::Http->new('');
my $token = $here->form($server->{token_endpoint}, {
    grant_type => $server->{grant_types_supported}[0], %{ $clinic->client },
    scope => 'appointments:read' })->{json}{access_token};
ok($token, 'a token where it says');
my $header = JSON::PP->new->decode(decode_base64url((split /\./, $token)[0]));
ok((grep { $_->{kid} eq $header->{kid} }
    @{ $here->get($server->{jwks_uri})->{json}{keys} }), 'with a key from there');
is($here->form($server->{revocation_endpoint},
    { token => $token, %{ $clinic->client } })->{status}, 200, 'and its end');
is($here->get($server->{service_documentation})->{status}, 200, 'its page');
is_deeply([ sort @{ $server->{scopes_supported} } ], [ sort split / /,
    $here->form($server->{token_endpoint}, { grant_type => 'client_credentials',
        %{ $clinic->client } })->{json}{scope} ], 'every scope is named');
is_deeply($server->{response_types_supported}, [], 'nobody is sent anywhere');
is_deeply($server->{"${_}_endpoint_auth_methods_supported"},
    [qw(client_secret_basic client_secret_post)], "$_: both ways of naming oneself")
    for qw(token revocation);

# Its address is what the tokens say, where that is one.
my $named = Appt::Gateway->new(cluster => $clinic->cluster,
    env => { APPT_TOKEN_ISSUER => 'https://appointments.example.org/' });
my $there = Appt::Http->new($named->url, %{ $clinic->client });
$server = $there->get($known)->{json};
is($server->{issuer}, 'https://appointments.example.org/', 'a service with a name');
is($server->{issuer}, JSON::PP->new->decode(decode_base64url(
    (split /\./, $there->{token})[1]))->{iss}, 'which its tokens have');
is($server->{token_endpoint},
    'https://appointments.example.org/api/v1/auth/token', 'and its addresses');

my $raw = Appt::Raw->new(port => $clinic->gateway->port);
my $odd = $raw->answer("GET $known HTTP/1.1\r\nHost: a\"b/c\r\n\r\n");
is($odd->{status}, 400, 'what is no host is not taken for one');
is($odd->{json}{code}, 'invalid_request', 'which is said');

done_testing();
