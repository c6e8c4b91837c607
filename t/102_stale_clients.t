#!/usr/bin/perl
#
# What a gateway knows of its clients grows old when it cannot ask: another
# connection tells as well as its own, and if none does, nobody's token is good
# after half a minute.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Util qw(patience wait_for);
use Time::HiRes qw(time);

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
my $gateway = $clinic->gateway;
my $http    = $clinic->http;
my $probe   = '/api/v1/queue?doctor_id=DOC-001';

# ---- the connection for it is gone --------------------------------------------

my $role    = q{FROM pg_stat_activity WHERE usename = 'bioecko_gateway'};
my $control = "$role AND application_name = 'bioecko-gateway control'";
my $all     = $cluster->value("SELECT count(*) $role");
$cluster->psql('ALTER ROLE bioecko_gateway CONNECTION LIMIT ' . ($all - 1));
$cluster->psql("SELECT pg_terminate_backend(pid, 30000) $control");
wait_for { $cluster->log_text =~ /too many connections for role/ }
    'it to be refused another';

my $other = $clinic->create_client(name => 'Other');
my $there = $clinic->http($other);
is($there->get($probe)->{status}, 200, 'a client that came after it is let in');
$cluster->query('UPDATE appt.api_client SET active = false
    WHERE client_id = $1', $other->{client_id});
ok(eval { wait_for { $there->get($probe)->{status} == 401 } 'the end', 5 },
    'and is shut out within 5 s when it is disabled');
is($http->get($probe)->{status}, 200, 'others go on');
is($http->get('/readyz')->{status}, 200, 'the gateway is ready');
is($cluster->value("SELECT count(*) $control"), 0,
    'all that time its own connection was away');
$cluster->psql('ALTER ROLE bioecko_gateway CONNECTION LIMIT -1');

# ---- nobody tells -------------------------------------------------------------

my $second = $clinic->create_client(name => 'Second');
$there = $clinic->http($second);
is($there->get($probe)->{status}, 200, 'another client is let in');
my $began = time;
$cluster->psql('REVOKE EXECUTE ON FUNCTION appt_api.auth_state()
    FROM appt_gateway');
$cluster->query('UPDATE appt.api_client SET active = false
    WHERE client_id = $1', $second->{client_id});
my $r;
ok(eval { wait_for { ($r = $http->get('/readyz'))->{status} == 503 }
    '/readyz', 20 }, '/readyz says that the gateway knows nothing new');
like($r->{json}{detail}, qr/does not answer/, 'in words');
ok(eval { wait_for { ($r = $there->get($probe))->{status} == 503 } 'the end', 40 },
    'after a while a client that was disabled meanwhile gets nothing any more');
cmp_ok(time - $began, '<', patience(31), 'within half a minute');
is($r->{json}{code}, 'unavailable', 'as a problem');
ok($r->{headers}{'retry-after'}, 'with Retry-After');
$r = $http->get($probe);
is($r->{status}, 503, 'nor does any other: the gateway cannot tell them apart');
is($http->get('/healthz')->{status}, 200, 'the process is alive');
my %form = (grant_type => 'client_credentials', %$second);
is($http->form('/api/v1/auth/token', \%form)->{status}, 503,
    'it does not say of a secret that it is wrong');
is($http->form('/api/v1/auth/revoke', { %form, token => $http->{token} })
    ->{status}, 503, 'nor of a token that it is revoked');


$cluster->psql('GRANT EXECUTE ON FUNCTION appt_api.auth_state()
    TO appt_gateway');
wait_for { $http->get($probe)->{status} == 200 } 'the gateway to know again';
is($there->get($probe)->{status}, 401, 'then the one that was disabled is shut out');
ok((wait_for { $http->get('/readyz')->{status} == 200 } '/readyz'),
    'and the gateway is ready');

done_testing();
