#!/usr/bin/perl
#
# The clinic's page, Admin > Settings > API > Webhooks and > API Access: placed
# and named as the manual says. What the page did is judged by what the receiver
# got, by the database, and by a token for the new client.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);
use JSON::PP ();

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
$clinic->start_relay;
my $branches = $cluster->query(
    'SELECT branch_id, name FROM appt.branch WHERE active ORDER BY branch_id');

my $seen = run_desk($clinic, 'admin_api.js',
    [qw(webhooks:manage)],
    { role => 'admin', sink => $clinic->sink->url('/lab'), branches => $branches });

is($seen->{place}, '#/settings/api/webhooks', 'Webhooks are where the manual has them');
is_deeply($seen->{crumbs}, [qw(Admin Settings API Webhooks)], 'and named so');
like($seen->{refused}, qr/https?/, 'an address that is none is refused in the server\'s words');
like($seen->{secret}, qr/^whsec_/, 'the secret is shown');
ok($seen->{stays}, 'and not closed by accident');
is($seen->{clipboard}, $seen->{secret}, 'copied');
ok(!$seen->{secretLater}, 'and not shown again');
like($seen->{attempt}, qr/200/, 'the answer to the ping is shown');
isnt($seen->{secondSecret}, $seen->{secret}, 'a new secret is another one');

my @got = $clinic->sink->requests(path => '/lab');
cmp_ok(scalar @got, '>=', 3, 'pings and a repetition came');
my %kind;
$kind{ $_->{json}{event} }++ for @got;
ok($kind{'webhook.ping'}, 'pings');
is_deeply([ grep { !/^(webhook[.]ping|appointment[.](booked|cancelled))$/ } keys %kind ], [],
    'and of all events only those that were chosen');
my %times;
$times{ $_->{headers}{'webhook-id'} }++ for @got;
cmp_ok((sort { $b <=> $a } values %times)[0], '>=', 2, 'one of them again, by the same id');
is($seen->{replay}, 1, 'and replayed');
cmp_ok($kind{'appointment.booked'}, '>', 50, 'what was booked before the webhook was there');

is_deeply($seen->{edit}{body}, { description => 'Laboratory' }, 'only what was changed is sent');
like($seen->{hookRow}, qr/1 event/, 'over what another one left');
is($seen->{askedFirst}, 0, 'a deletion is asked about first');
is($cluster->value('SELECT count(*) FROM appt.webhook WHERE webhook_id = $1', $seen->{hook}),
    0, 'then done');

is($seen->{accessPlace}, '#/settings/api/access', 'API Access is beside it');
my $client = $cluster->row('SELECT name, active::text, requests_per_minute,
    array_to_string(scopes, \' \') AS scopes, array_to_string(branch_ids, \' \') AS branches
    FROM appt.api_client WHERE client_id = $1', $seen->{client});
is_deeply({ %$client, scopes => join ' ', sort split / /, $client->{scopes} },
    { name => 'Website', active => 'false', requests_per_minute => 60,
        scopes => 'appointments:read appointments:write patients:read',
        branches => $branches->[0]{branch_id} },
    'the client is what the page made of it');
is($cluster->value('SELECT count(*) FROM appt.api_client WHERE name = \'Website\''), 1,
    'once, although the first answer was lost');
is_deeply([ keys %{ $seen->{clientEdit}{body} } ], ['scopes'], 'only its scopes were sent');
is($seen->{disabled}, 'Disabled', 'it is shown as disabled');
my $who = $seen->{account};
is_deeply([ map { my ($when, @rest) = @$_; [ @rest ] } @{ $seen->{history} } ],
    [ [ 'Changed', 'Active or disabled', $who ], [ 'Changed', 'Scopes', $who ],
        [ 'New secret', $who ], [ 'Added', $who ] ],
    'its history says what was done and by whom, newest first');
is_deeply([ grep { $_->[0] !~ m{^\d\d/\d\d/\d{4}\b} } @{ $seen->{history} } ], [],
    'and when');
like($seen->{hindiHistory}, qr/\x{92c}\x{926}\x{932}\x{93e}/, 'in Hindi, too');
my @tokens = map {
    $clinic->http->form('/api/v1/auth/token', { grant_type => 'client_credentials',
            client_id => $seen->{client}, client_secret => $_ })->{status}
} @$seen{qw(clientSecret secondClientSecret)};
is_deeply(\@tokens, [ 401, 401 ], 'and gets no token');
$cluster->query('UPDATE appt.api_client SET active = true WHERE client_id = $1',
    $seen->{client});
@tokens = map {
    $clinic->http->form('/api/v1/auth/token', { grant_type => 'client_credentials',
            client_id => $seen->{client}, client_secret => $_ })->{status}
} @$seen{qw(clientSecret secondClientSecret)};
is_deeply(\@tokens, [ 401, 200 ], 'enabled again, one by its newest secret');

is($seen->{ran}, undef, 'what looks like a script runs nowhere');
like($seen->{hindi}[-1], qr/API \x{910}\x{915}/, 'it is there in Hindi');
behaves($seen);

done_testing();
