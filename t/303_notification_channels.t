#!/usr/bin/perl
#
# Channels to patients over HTTP: made, listed, changed and deleted; what no
# message could be sent with is refused and named; a secret goes in and never
# comes out; who may what.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;
use Appt::Util qw(root_dir slurp);
use JSON::PP ();

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $api     = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $base    = '/api/v1/notification-channels';
my $one     = "$base/{channel_id}";
my ($true, $false) = (JSON::PP::true(), JSON::PP::false());

# asks(operation, status, path, ...): a request whose answer must have that
# status and fit the document; no answer has a secret.
sub asks {
    my ($name, $status, $path, @more) = @_;
    my ($verb) = map {lc} $name =~ /^(\w+)/;
    my $r = $http->$verb($path, @more);
    is($r->{status}, $status, "$name: $status") or diag $r->{body};
    is_deeply([ $api->wrong($name, $r) ], [], "$name: $status as documented")
        or diag $r->{body};
    unlike($r->{body}, qr/s3cret/, "$name: without the secret");
    return $r;
}

sub fingerprint {
    return $cluster->value("SELECT coalesce(string_agg(t::text, ',' "
        . 'ORDER BY t::text), $1) FROM appt.notification_channel t', '');
}

# refused(operation, status, code, field, path, ...): nothing has changed.
sub refused {
    my ($name, $status, $code, $field, $path, @more) = @_;
    my $before = fingerprint();
    my $problem = asks($name, $status, $path, @more)->{json};
    is($problem->{code}, $code, "$code");
    is_deeply([ map { $_->{field} } @{ $problem->{errors} // [] } ],
        [ $field // () ], 'names ' . ($field // 'no field'))
        or diag $problem->{detail};
    is(fingerprint(), $before, 'nothing has changed');
    return $problem;
}

# ---- made, changed, deleted -------------------------------------------------

is_deeply(asks("GET $base", 200, $base)->{json}, [], 'there is none at first');
my %mail = (channel_id => 'mail', kind => 'email', settings => {
    host => 'smtp.clinic.example', from => 'visits@clinic.example' });
my $r = asks("POST $base", 201, $base, { %mail, secret => 's3cret' },
    { 'Idempotency-Key' => 'k-1' });
is($r->{headers}{location}, "$base/mail", 'Location');
is_deeply($r->{json}, { %mail, has_secret => $true,
    has_callback_secret => $false, active => $true,
    version => 1 }, 'the whole of it but the secret');
is($cluster->value(q{SELECT secret FROM appt.notification_channel}), 's3cret',
    'which is kept');
my $again = asks("POST $base", 201, $base, { %mail, secret => 's3cret' },
    { 'Idempotency-Key' => 'k-1' });
is($again->{body}, $r->{body}, 'the same key: the same answer');
refused("POST $base", 422, 'idempotency_key_reused', undef, $base,
    { %mail, secret => 'other' }, { 'Idempotency-Key' => 'k-1' });
is($cluster->value(q{SELECT count(*) FROM appt.idempotency i
    WHERE i::text LIKE '%s3cret%'}), 0, 'no secret is kept with the key');

is_deeply(asks("GET $one", 200, "$base/mail")->{json}, $r->{json}, 'looked up');
$r = asks("PATCH $one", 200, "$base/mail", { active => $false },
    { 'If-Match' => '"1"' });
is_deeply([ @{ $r->{json} }{qw(active has_secret version)} ],
    [ $false, $true, 2 ], 'taken out of use; the secret stays');
is($r->{headers}{etag}, '"2"', 'another version');
refused("PATCH $one", 412, 'version_mismatch', undef, "$base/mail",
    { active => $true }, { 'If-Match' => '"1"' });
is(asks("PATCH $one", 200, "$base/mail", { secret => 's3cret-2' })
    ->{json}{version}, 3, 'another secret is another version');
is(asks("PATCH $one", 200, "$base/mail", { secret => undef })
    ->{json}{has_secret}, $false, 'and it can be taken away');
is($cluster->value(q{SELECT secret FROM appt.notification_channel}), undef,
    'wholly');
my $long = 'k' x 1000;
is(asks("PATCH $one", 200, "$base/mail", { secret => $long })
    ->{json}{has_secret}, $true, 'one of 1000 characters is taken');

# ---- what is refused --------------------------------------------------------

my %sms = (channel_id => 'sms', kind => 'sms', secret => 's3cret',
    settings => { url => 'https://sms.example/v1', body => { a => '{{body}}' } });
sub settings { return (settings => { %{ $sms{settings} }, @_ }) }
for my $bad (
    [ 'channel_id', { channel_id => 'a b' } ],
    [ 'channel_id', { channel_id => 'x' x 65 } ],
    [ 'channel_id', { channel_id => '' } ],
    [ 'kind', { kind => 'fax' } ], [ 'kind', { kind => undef } ],
    [ 'settings', { settings => undef } ], [ 'settings', { settings => [] } ],
    [ 'settings', { settings => 'x' } ],
    [ 'settings', { settings => {} } ],
    [ 'settings', { settings(colour => 1) } ],
    [ 'settings', { settings(url => 'ftp://sms.example/') } ],
    [ 'settings', { settings(url => 'https://{{to}}/') } ],
    [ 'settings', { settings(url => "https://a.example/\r\nX: y") } ],
    [ 'settings', { settings(headers => { a => "b\nBcc: c" }) } ],
    [ 'settings', { settings(headers => { "a\n" => 'b' }) } ],
    [ 'settings', { settings(headers => { Host => 'b' }) } ],
    [ 'settings', { settings(headers => { a => '{{secrets}}' }) } ],
    [ 'settings', { settings(body => { a => '{{bod' }) } ],
    [ 'settings', { settings(body => { a => 'x' x 20_001 }) } ],
    [ 'settings', { kind => 'email' } ],
    [ 'settings', { %mail, channel_id => 'm', settings => {
        host => 'h', from => "a\@b.example\r\nBcc: c\@d.example" } } ],
    [ 'settings', { %mail, channel_id => 'm', settings => {
        host => 'h', from => 'a@b.example', from_name => '{{to}}' } } ],
    [ 'secret', { secret => "a\nb" } ], [ 'secret', { secret => 'ä' } ],
    [ 'secret', { secret => 'x' x 1001 } ], [ 'secret', { secret => 7 } ],
    [ 'settings', { settings(callback => { signature => 'none' }) } ],
    [ 'settings', { settings(callback => []) } ],
    [ 'callback_secret', { callback_secret => 'too-short' } ],
    [ 'callback_secret', { callback_secret => 'with a blank in it' } ],
    [ 'active', { active => 'yes' } ], [ 'active', { active => undef } ],
    [ 'branch_id', { branch_id => 'MUM-01' } ],
    [ 'has_secret', { has_secret => $true } ])
{
    my ($field, $change) = @$bad;
    refused("POST $base", 400, 'invalid_request', $field, $base,
        { %sms, %$change });
}
like(refused("POST $base", 400, 'invalid_request', 'settings', $base,
    { %sms, settings(headers => { a => '{{secrets}}' }) })->{errors}[0]{message},
    qr/^"\{\{secrets\}\}" is no placeholder/, 'the placeholder is named');
for my $missing (qw(channel_id kind settings)) {
    my %body = %sms;
    delete $body{$missing};
    refused("POST $base", 400, 'invalid_request', $missing, $base, \%body);
}
refused("PATCH $one", 400, 'invalid_request', 'channel_id', "$base/mail",
    { channel_id => 'other' });
refused("PATCH $one", 400, 'invalid_request', 'settings', "$base/mail",
    { kind => 'sms' });
refused("$_->[0] $one", 404, 'not_found', 'channel_id', "$base/none", $_->[1])
    for [ 'GET', {} ], [ 'PATCH', {} ], [ 'DELETE', {} ];

# ---- one active a kind ------------------------------------------------------

asks("POST $base", 201, $base, \%sms);
refused("POST $base", 409, 'already_exists', 'channel_id', $base,
    { %sms, active => $false });
refused("POST $base", 409, 'already_exists', 'kind', $base,
    { %sms, channel_id => 'sms-2' });
asks("POST $base", 201, $base,
    { %sms, channel_id => 'sms-2', active => $false });
refused("PATCH $one", 409, 'already_exists', 'active', "$base/sms-2",
    { active => $true });
is_deeply([ map { $_->{channel_id} } @{ asks("GET $base", 200, $base,
    { kind => 'sms' })->{json} } ], [ 'sms', 'sms-2' ], 'by kind');
is_deeply([ map { $_->{channel_id} } @{ asks("GET $base", 200, $base,
    { active => 'true' })->{json} } ], ['sms'], 'those that are active');

# ---- deploy/channels is taken as it is ---------------------------------------

for my $file (sort glob root_dir() . '/deploy/channels/*.json') {
    my $channel = JSON::PP->new->utf8->decode(slurp($file));
    my ($name) = $file =~ m{([^/]+)\.json$};
    my $made = asks("POST $base", 201, $base, { channel_id => $name,
        kind => $channel->{kind}, settings => $channel->{settings},
        secret => 's3cret', callback_secret => 's3cret-of-the-reports',
        active => $false })->{json};
    is_deeply($made->{settings}, $channel->{settings}, "$name is taken whole");
    is_deeply([ grep { !defined $channel->{$_} } qw(name secret fields) ], [],
        'it says what the clinic\'s page asks for');
    my $text = JSON::PP->new->encode($channel->{settings});
    is_deeply([ grep { index($text, $_) < 0 } map { $_->{sample} } @{ $channel->{fields} } ],
        [], 'in the place of samples that are there');
    $text =~ s/\Q$_\E//g for map { $_->{sample} } @{ $channel->{fields} };
    unlike($text, qr/0000000|19999|CLINIC/, 'and no other is');
}

# ---- deleted ----------------------------------------------------------------

refused("DELETE $one", 412, 'version_mismatch', undef, "$base/sms", {},
    { 'If-Match' => '"9"' });
asks("DELETE $one", 204, "$base/sms", {}, { 'If-Match' => '"1"' });
refused("GET $one", 404, 'not_found', 'channel_id', "$base/sms");

# ---- who may ----------------------------------------------------------------

my %who = (
    manager => $clinic->http($clinic->create_client(
        scopes => [ 'schedule:manage', 'webhooks:manage' ])),
    limited => $clinic->http($clinic->create_client(branch_ids => ['LON-01'],
        scopes => ['notifications:manage'])),
);
my %may = (manager => [ (403) x 5 ], limited => [ 200, 200, 403, 403, 403 ]);
for my $name (sort keys %who) {
    my $before = fingerprint();
    my $who = $who{$name};
    my @r = ($who->get($base), $who->get("$base/mail"),
        $who->post($base, { %sms, channel_id => 'x', active => $false }),
        $who->patch("$base/mail", { active => $true }),
        $who->delete("$base/mail"));
    is_deeply([ map { $_->{status} } @r ], $may{$name},
        "$name: list, get, create, change, delete");
    is(fingerprint(), $before, "$name: nothing has changed");
    unlike(join('', map { $_->{body} } @r), qr/s3cret/, "$name: no secret");
}

done_testing;
