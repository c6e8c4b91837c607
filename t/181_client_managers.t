#!/usr/bin/perl
#
# Who manages API clients hands out and takes over nothing beyond what he has:
# no secret of a client with more scopes, no higher limit of requests. And what
# was a client's ends with it: its tokens, the answers kept for it, its
# webhooks; a new client of the same id has none of them.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(wait_for);
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $v1      = '/api/v1';
my ($true, $false) = (JSON::PP::true(), JSON::PP::false());

sub status {
    my ($r) = @_;
    my $errors = $r->{json} && ref $r->{json} eq 'HASH' && $r->{json}{errors};
    return join ' ', $r->{status}, map { $_->{field} } @{ $errors || [] };
}

# Everything of a client's row.
sub row_of {
    my ($id) = @_;
    return $cluster->value('SELECT c::text FROM appt.api_client c '
        . 'WHERE client_id = $1', $id);
}

# ---- a weak manager ----------------------------------------------------------

my $strong  = $clinic->create_client(name => 'Strong');
my $manager = $clinic->create_client(name => 'Manager',
    scopes => ['clients:manage', 'appointments:read']);
my $weak    = $clinic->http($manager);
my $path    = "$v1/clients/$strong->{client_id}";
my $before  = row_of($strong->{client_id});

my @change = ({ scopes => ['clients:manage'] }, { name => 'Mine' },
    { active => $false }, { requests_per_minute => 1 }, {},
    { branch_ids => ['MUM-01'] },
    { scopes => ['clients:manage'], requests_per_minute => 1 });
for my $change (@change) {
    is(status($weak->patch($path, $change)), '403',
        'a client with more scopes is not changed: '
            . JSON::PP->new->canonical->encode($change));
}
is(status($weak->post("$path/rotate-secret")), '403', 'nor given a new secret');
is(status($weak->delete($path)), '403', 'nor deleted');
is(row_of($strong->{client_id}), $before, 'it is as it was');
is($clinic->http($strong)->get("$v1/patients")->{status}, 200,
    'and its secret is good');

my $own = $weak->post("$v1/clients", { name => 'Own',
    scopes => ['appointments:read'] });
is($own->{status}, 201, 'one with no more than its own it makes');
$path = "$v1/clients/$own->{json}{client_id}";
is(status($weak->patch($path, { name => 'Renamed' })), '200', 'changes');
is(status($weak->patch($path, { scopes => ['patients:read'] })), '400 scopes',
    'gives nothing that it does not have');
is(status($weak->post("$path/rotate-secret")), '200', 'gives a new secret');
is(status($weak->delete($path)), '204', 'and deletes');

# ---- the audit trail -------------------------------------------------------------

# What happened to a client, newest first: its actions.
sub trail {
    my ($http, $client, %query) = @_;
    my $r = $http->get("$v1/clients/$client->{client_id}/audit", \%query);
    return $r->{status} == 200 ? [ map { $_->{action} } @{ $r->{json} } ] : status($r);
}

my $admin = $clinic->http;
my $seen = $admin->post("$v1/clients", { name => 'Seen', branch_ids => ['LON-01'],
    scopes => ['appointments:read', 'clients:manage'] })->{json};
$path = "$v1/clients/$seen->{client_id}";
$admin->patch($path, { name => 'Seen again', requests_per_minute => 7000 });
$seen->{client_secret} = $admin->post("$path/rotate-secret")->{json}{client_secret};
is(status($clinic->http($seen)->get($path)), '200', 'a client with a token');
$cluster->psql(q{UPDATE appt.api_client SET active = false }
    . "WHERE client_id = '$seen->{client_id}'");
is_deeply(trail($admin, $seen),
    [qw(updated token_issued secret_rotated updated created)],
    'what was done to it and with it, newest first');
$cluster->psql(q{UPDATE appt.api_client SET active = true }
    . "WHERE client_id = '$seen->{client_id}'");
my @trail = @{ $admin->get("$path/audit")->{json} };
my $who   = "client:$clinic->{client}{client_id}";
is_deeply([ map { "$_->{actor} " . ($_->{detail} // '-') } @trail[ 3 .. 5 ] ],
    [ "$who -", "$who name, requests_per_minute", "$who -" ],
    'by whom, and which members');
like($trail[0]{actor}, qr/^role:/, 'or by which role of the database');
is_deeply([ grep { $_->{at} !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}\+00:00$/
    || 'action actor at detail' ne join ' ', sort keys %$_ } @trail ], [],
    'when, and no word more');

my $page = $admin->get("$path/audit", { page => 2, per_page => 2 });
is_deeply($page->{json}, [ @trail[ 2, 3 ] ], 'a page of it');
like($page->{headers}{link}, qr/rel="next"/, 'says that another follows');
is($page->{headers}{'x-total-count'}, scalar @trail, 'and how many there are');
is(trail($admin, $seen, page => 0), '400 page', 'there is no page 0');
is(trail($admin, $seen, per_page => 101), '400 per_page', 'nor one of 101');

my $near = $clinic->http($clinic->create_client(name => 'Near',
    branch_ids => ['LON-01'], scopes => ['clients:manage']));
is(scalar @{ trail($near, $seen) }, scalar @trail,
    'who is limited to its branch reads it, as the client itself');
my $foreign = $clinic->create_client(name => 'Foreign', branch_ids => ['MUM-01']);
for my $hidden ($foreign, $strong) {
    my $r = $near->get("$v1/clients/$hidden->{client_id}/audit");
    (my $body = $r->{body}) =~ s/\Q$hidden->{client_id}\E/cl_none/g;
    my $none = $near->get("$v1/clients/cl_none/audit");
    my $cut = sub { $_[0] =~ s/"(?:instance|request_id)":"[^"]*",?//gr };
    is_deeply([ $r->{status}, $cut->($body) ], [ 404, $cut->($none->{body}) ],
        'but of another branch\'s, or all branches\', as little as of none');
}
my $plain = $clinic->create_client(name => 'Plain', scopes => ['appointments:read']);
is(trail($clinic->http($plain), $plain), '403',
    'without clients:manage not even the own');

# ---- limits of requests --------------------------------------------------------

sub limit_of {
    my ($client, $limit, $http) = @_;
    return status(($http // $weak)->patch("$v1/clients/$client->{client_id}",
        { requests_per_minute => $limit }));
}

my $other = $weak->post("$v1/clients", { name => 'Other',
    scopes => ['appointments:read'] })->{json};
my $refused = '400 requests_per_minute';
is(limit_of($manager, 10_000_000), $refused,
    'a client without a limit of its own does not raise the gateway\'s');
is(limit_of($manager, undef), '200', 'or leaves it as it is');
is(limit_of($other, 5000), '200', 'another client it may give any');

$cluster->psql('UPDATE appt.api_client SET requests_per_minute = 1000 '
    . "WHERE client_id = '$manager->{client_id}'");
is(limit_of($manager, 1001), $refused, 'one with a limit does not raise it');
is(limit_of($manager, undef), $refused, 'nor takes it away');
is(limit_of($manager, 900), '200', 'it may lower it');
is(limit_of($manager, 1000), $refused, 'for good');
is(limit_of($other, 901), $refused, 'and gives nobody more than it has');
is(limit_of($other, undef), $refused, 'nor no limit');
is(limit_of($other, 900), '200', 'but as much');
my $third = $weak->post("$v1/clients", { name => 'Third',
    scopes => ['appointments:read'], requests_per_minute => 901 });
is(status($third), $refused, 'that holds for a new client');
$third = $weak->post("$v1/clients", { name => 'Third',
    scopes => ['appointments:read'] })->{json};
is($third->{requests_per_minute}, 900,
    'which has its maker\'s limit where none is given');
is(limit_of($manager, 2000, $clinic->http), '200', 'an admin raises it');
$cluster->psql('UPDATE appt.api_client SET requests_per_minute = 5000 '
    . "WHERE client_id = '$other->{client_id}'");
is(status($weak->patch("$v1/clients/$other->{client_id}", { name => 'N' })),
    '200', 'a limit that an admin gave is not in the way of another change');

# ---- an id that is used again ------------------------------------------------

my $named = sub {
    my ($branches) = @_;
    return $cluster->row('SELECT * FROM appt.create_client(name => $1, '
        . 'scopes => $2, branch_ids => $3, id => $1)', 'partner',
        [qw(appointments:read webhooks:manage clients:manage)], $branches);
};
my $old = $clinic->http($named->(undef));
is(status($old->get("$v1/appointments")), '200', 'a partner with a token');
my $key  = { 'Idempotency-Key' => 'k1' };
my $make = { name => 'Kept', scopes => ['appointments:read'] };
my $kept = $old->post("$v1/clients", $make, $key)->{json};
my $hook = $old->post("$v1/webhooks", { url => 'https://example.com/old' })
    ->{json}{webhook_id};

# Disabled and enabled some times, so that its epoch is high.
for my $active (qw(false true false true false)) {
    $cluster->psql("UPDATE appt.api_client SET active = $active "
        . q{WHERE client_id = 'partner'});
}
$cluster->psql(q{DELETE FROM appt.api_client WHERE client_id = 'partner'});
my $new = $clinic->http($named->(['LON-01']));
wait_for { $new->get("$v1/appointments")->{status} == 200 }
    'the gateway to hear of the new one', 5;
wait_for { $old->get("$v1/appointments")->{status} == 401 }
    'the old token to end', 5;
pass('a new client of the same id works, the token of the old one is void');
is_deeply(trail($clinic->http, { client_id => 'partner' }), [qw(token_issued created)],
    'its trail begins with it');
cmp_ok($cluster->value(q{SELECT count(*) FROM appt.client_audit
    WHERE client_id = 'partner' AND action = 'deleted'}), '>', 0,
    'the old one\'s is kept');
my $again = $new->post("$v1/clients", { %$make, branch_ids => ['LON-01'] }, $key);
is($again->{status}, 201, 'a key that the old one had used is not used up');
isnt($again->{json}{client_secret}, $kept->{client_secret},
    'and shows nothing of its answer');
is_deeply([ map { $_->{webhook_id} } @{ $new->get("$v1/webhooks")->{json} } ],
    [], 'the old one\'s webhook is not the new one\'s');
is(status($new->get("$v1/webhooks/$hook")), '404 webhook_id', 'by its id neither');
is($clinic->http->get("$v1/webhooks/$hook")->{json}{disabled_reason}, 'client',
    'an admin sees it, disabled');
is(status($clinic->http->post("$v1/webhooks/$hook/enable")), '422 branch_ids',
    'and cannot enable it for a client that is gone');
my (undef, undef, $error) = $cluster->try_psql(
    "SELECT appt.enable_webhook('$hook')");
like($error, qr/is disabled or deleted/, 'nor can the DBA');

# ---- a deleted client that was limited -----------------------------------------

my $webhook = $clinic->http->post("$v1/webhooks", {
    url => 'https://example.com/clinic' })->{json}{webhook_id};
my $london = $clinic->create_client(name => 'London', branch_ids => ['LON-01'],
    scopes => ['webhooks:manage', 'appointments:read']);
my $gone = $clinic->http($london);
is(status($gone->get("$v1/webhooks/$webhook")), '404 webhook_id',
    'London does not see the clinic\'s webhook');
$cluster->psql("DELETE FROM appt.api_client WHERE client_id = '$london->{client_id}'");
for my $call (
    [ GET => "$v1/webhooks" ], [ GET => "$v1/webhooks/$webhook" ],
    [ DELETE => "$v1/webhooks/$webhook" ], [ POST => "$v1/webhooks/$webhook/ping" ],
    [ GET => "$v1/appointments" ], [ GET => "$v1/appointments/APT-2026-000001" ],
    [ GET => "$v1/queue?doctor_id=DOC-001" ])
{
    my $r = $gone->request(@$call);
    is($r->{status}, 401, "once deleted it is told nothing: @$call");
    like($r->{headers}{'www-authenticate'}, qr/error="invalid_token"/,
        'and why');
}
is(status($clinic->http->get("$v1/webhooks/$webhook")), '200',
    'the webhook is there');

done_testing;
