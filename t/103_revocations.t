#!/usr/bin/perl
#
# Revoked tokens, many of them: every gateway learns of each, in whatever order
# they commit and whichever server tells, and reads only what is new; what has
# served its time goes, and so does the audit trail.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Util qw(wait_for);
use DBD::Pg qw(:async);
use JSON::PP ();
use MIME::Base64 qw(decode_base64url);
use Time::HiRes qw(time);

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $client  = $clinic->client;
my $probe   = '/api/v1/queue?doctor_id=DOC-001';
my $json    = JSON::PP->new->utf8;

sub new_token { return Appt::Http->new($clinic->gateway->url, %$client)->{token} }

sub jti { return $json->decode(decode_base64url((split /\./, $_[0])[1]))->{jti} }

# What the gateway says of the token; of another gateway with it.
sub works {
    my ($token, $gateway) = @_;
    return ($gateway ? Appt::Http->new($gateway->url) : $http)->get($probe, undef,
        { Authorization => "Bearer $token" })->{status};
}

sub ends_soon {
    my ($token, $what) = @_;
    ok(eval { wait_for { works($token) == 401 } 'the end', 5 },
        "$what: its token ends within 5 s");
}

my $insert = q{INSERT INTO appt.revoked_token (jti, client_id, expires_at)
    VALUES ($1, 'cl_test', clock_timestamp() + interval '1 hour')};

# ---- many ---------------------------------------------------------------------

sub revoke_many {
    my ($count, $what) = @_;
    $cluster->query(q{INSERT INTO appt.revoked_token (jti, client_id, expires_at)
        SELECT $1 || n, 'cl_test', clock_timestamp() + interval '1 hour'
        FROM generate_series(1, $2::integer) AS n}, $what, $count);
}

sub page {
    return $json->decode($cluster->value(
        'SELECT body FROM appt_api.auth_revoked($1)', $_[0]));
}

my $small = length $cluster->value('SELECT body FROM appt_api.auth_state()');
for my $count (20_000, 180_000) {
    my $token = new_token();
    is(works($token), 200, 'a token');
    revoke_many($count, "many-$count-");
    $cluster->query($insert, jti($token));
    my $began = time;
    my ($asked, $longest) = (0, 0);
    while (works($token) != 401 && time - $began < 30) {
        my $start = time;
        die if $http->get('/healthz')->{status} != 200;
        my $took = time - $start;
        $longest = $took if $took > $longest;
        $asked++;
    }
    is(works($token), 401, "revoked behind $count others, it ends");
    diag sprintf '%d more revoked: known after %.1f s; %d /healthz '
        . 'meanwhile, the longest %.0f ms', $count, time - $began, $asked,
        $longest * 1000;
}
cmp_ok(length $cluster->value('SELECT body FROM appt_api.auth_state()'), '<',
    $small + 40, 'what is asked each second is as small as it was');
my $page = page(0);
is(scalar @$page, 1000, 'they come in pages');
my $second = page($page->[-1][0]);
is(scalar(grep { $_->[0] <= $page->[-1][0] } @$second), 0,
    'that go on where the last ended');
is(scalar @{ page($cluster->value(
    'SELECT max(revocation_no) FROM appt.revoked_token')) }, 0,
    'and behind the last there is nothing to read');

my $one = new_token();
my $started = time;
my $another = Appt::Gateway->new(cluster => $cluster);
is(works($one, $another), 200, 'a gateway that starts knows a good token');
$http->form('/api/v1/auth/revoke', { token => $one, %$client });
is(works($one), 401, 'one that is revoked ends here at once');
ok((wait_for { works($one, $another) == 401 } 'the other'), 'and there soon');

# ---- the order of commits -----------------------------------------------------

# The second revocation is made while the first is not committed yet.
my ($early, $late) = (new_token(), new_token());
my ($first, $then) = ($cluster->connect, $cluster->connect);
$first->begin_work;
$first->do($insert, undef, jti($early));
my $statement = $then->prepare($insert, { pg_async => PG_ASYNC });
$statement->execute(jti($late));
wait_for {
    ($then->pg_ready && works($late) == 401) || $cluster->value(
        'SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1',
        $then->{pg_pid})
} 'the second to wait, or to be known';
$first->commit;
$then->pg_result;
ends_soon($early, 'the first');
ends_soon($late,  'the second');

# ---- another server -----------------------------------------------------------

# As after a failover to one that has never seen the last: numbers go back.
my $token = new_token();
$cluster->psql('DELETE FROM appt.revoked_token;
    ALTER TABLE appt.revoked_token DISABLE TRIGGER revoked_token_number');
$cluster->query(q{INSERT INTO appt.revoked_token
    (jti, client_id, expires_at, revocation_no)
    VALUES ($1, 'cl_test', clock_timestamp() + interval '1 hour', 7)}, jti($token));
ends_soon($token, 'with a number below what was read');
$cluster->psql('ALTER TABLE appt.revoked_token ENABLE TRIGGER revoked_token_number');

# ---- what has served its time ---------------------------------------------------

$cluster->psql(q{INSERT INTO appt.revoked_token (jti, client_id, expires_at)
    SELECT 'old-' || n, 'cl_test', clock_timestamp() - interval '2 minutes'
    FROM generate_series(1, 150) AS n});
my $old = q{SELECT count(*) FROM appt.revoked_token WHERE jti LIKE 'old-%'};
my $own = new_token();
is($http->form('/api/v1/auth/revoke', { token => $own, %$client })->{status},
    200, 'a revocation');
is($cluster->value($old), 50, 'sweeps some that have expired');
is($http->form('/api/v1/auth/revoke', { token => $own, %$client })->{status},
    200, 'the same again');
is($cluster->value($old), 50, 'is none');
my %upkeep = map { $_->{what} => $_ } @{ $cluster->query(
    'SELECT * FROM appt.upkeep()') };
is_deeply([ @{ $upkeep{'revoked tokens'} }{qw(deleted problem)} ], [ 50, undef ],
    'the upkeep sweeps the rest');

my $trail = q{SELECT count(*) FROM appt.client_audit WHERE client_id = 'cl_test'};
$cluster->psql(q{INSERT INTO appt.client_audit (client_id, at, action, actor)
    OVERRIDING SYSTEM VALUE
    SELECT 'cl_test', clock_timestamp() - make_interval(days => d),
        'token_issued', 'client:cl_test'
    FROM (VALUES (366), (364), (31), (29)) AS v (d)});
$cluster->psql('SELECT * FROM appt.upkeep()');
is($cluster->value($trail), 3, 'the audit trail is kept for a year');
$cluster->psql('SET bioecko_appt.client_audit_days = 30; SELECT * FROM appt.upkeep()');
is($cluster->value($trail), 1, 'or for as long as the setting says');
my ($code, undef, $err) = $cluster->try_psql(
    'SELECT appt.clock(); SET bioecko_appt.client_audit_days = 1',
    user => 'bioecko_admin');
like($err, qr/permission denied/, 'which is the superuser\'s to change');

# ---- what a token costs -----------------------------------------------------------

my $busy = $clinic->create_client(name => 'Busy');
my $row = q{SELECT xmin::text, last_token_at FROM appt.api_client
    WHERE client_id = $1};
Appt::Http->new($clinic->gateway->url, %$busy);
my $before = $cluster->row($row, $busy->{client_id});
ok($before->{last_token_at}, 'when a client last got a token is noted');
Appt::Http->new($clinic->gateway->url, %$busy);
is_deeply($cluster->row($row, $busy->{client_id}), $before,
    'not again within a minute');
$cluster->query(q{UPDATE appt.api_client SET last_token_at = last_token_at
    - interval '61 seconds' WHERE client_id = $1}, $busy->{client_id});
Appt::Http->new($clinic->gateway->url, %$busy);
cmp_ok($cluster->row($row, $busy->{client_id})->{last_token_at}, 'gt',
    $before->{last_token_at}, 'but after it');
is($cluster->value(q{SELECT count(*) FROM appt.client_audit
    WHERE client_id = $1 AND action = 'token_issued'}, $busy->{client_id}), 3,
    'each is in the audit trail');

done_testing();
