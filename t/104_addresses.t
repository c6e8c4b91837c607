#!/usr/bin/perl
#
# Where a request comes from: through which proxies, in whatever spelling; what
# an address may try, and what the log and the metrics tell of it.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Util qw(run_command wait_for);

my $clinic  = Appt::Clinic->new(env => {
    APPT_TRUSTED_PROXIES => '127.0.0.1, 10.0.0.0/8 2001:db8:ffff::/48' });
my $cluster = $clinic->cluster;
my $gateway = $clinic->gateway;
my $http    = $clinic->http;
my $number  = 0;

# The address that the log has of a request with these X-Forwarded-For lines.
sub from {
    my (@line) = @_;
    my $id = 'from-' . ++$number;
    $http->get('/healthz', undef, { 'X-Request-Id' => $id,
        (@line ? ('X-Forwarded-For' => \@line) : ()) });
    $gateway->wait_log(qr/"id":"$id"/);
    my ($line) = grep { ($_->{id} // '') eq $id } $gateway->log_lines;
    return $line->{address};
}

is(from(), '127.0.0.1', 'who connects');
for my $case (
    [ 'as a proxy says', '192.0.2.7', '192.0.2.7' ],
    [ 'past proxies of ours', '192.0.2.7, 10.1.2.3,10.0.0.5', '192.0.2.7' ],
    [ 'not as others say', '203.0.113.9, 192.0.2.7, 10.0.0.5', '192.0.2.7' ],
    [ 'with a port', '192.0.2.7:4711', '192.0.2.7' ],
    [ 'a proxy with a port', '192.0.2.7, 10.0.0.5:80', '192.0.2.7' ],
    [ 'IPv6', '2001:DB8::7', '2001:db8::7' ],
    [ 'IPv6 in brackets', '[2001:db8::7]', '2001:db8::7' ],
    [ 'IPv6 with a port', '[2001:db8::7]:443', '2001:db8::7' ],
    [ 'IPv6 past a range', '2001:db8::7, 2001:db8:ffff::1', '2001:db8::7' ],
    [ 'IPv4 written as IPv6', '::ffff:192.0.2.7', '192.0.2.7' ],
    [ 'blanks and empty items', " 192.0.2.7\t, ,10.0.0.5 , ", '192.0.2.7' ],
    [ 'what is no address', 'unknown, 10.0.0.5', '10.0.0.5' ],
    [ 'half a bracket', '[2001:db8::7, 10.0.0.5', '10.0.0.5' ],
    [ 'something behind a bracket', '[2001:db8::7]x', '127.0.0.1' ],
    [ 'a number too many', '192.0.2.256', '127.0.0.1' ],
    [ 'nothing', '', '127.0.0.1' ],
    [ 'nobody but proxies', '10.0.0.7, 10.0.0.5', '10.0.0.7' ]) {
    my ($what, $said, $address) = @$case;
    is(from($said), $address, $what);
}
is(from('203.0.113.9', '192.0.2.7, 10.0.0.6', '10.0.0.5'), '192.0.2.7',
    'in several lines');
is(from('192.0.2.7', map {"10.0.0.$_"} 1 .. 20), '10.0.0.13',
    'of which the last eight are read');

# ---- a list that cannot be read --------------------------------------------------

for my $case (
    [ APPT_TRUSTED_PROXIES => '10.0.0.0/8,10.0.0.0/33', '10.0.0.0/33' ],
    [ APPT_TRUSTED_PROXIES => '::1/129', '::1/129' ],
    [ APPT_TRUSTED_PROXIES => 'proxy.example', 'proxy.example' ],
    [ APPT_TRUSTED_PROXIES => '10.0.0.0/ 8', '10.0.0.0/' ],
    [ APPT_CORS_ORIGINS => 'https://a.example, https://b.example/',
        'https://b.example/' ],
    [ APPT_CORS_ORIGINS => 'desk.example', 'desk.example' ],
    [ APPT_CORS_HEADERS => 'X-A: b', 'X-A: b' ]) {
    my ($name, $list, $bad) = @$case;
    my ($code, undef, $err) = run_command([ 'env', "$name=$list",
        'APPT_LISTEN=127.0.0.1:0', 'timeout', '5', Appt::Gateway->binary ]);
    is($code, 2, "$name=$list ends it");
    like($err, qr/\A$name: "\Q$bad\E" is not /, 'naming the item');
}

# ---- wrong secrets ----------------------------------------------------------------

my $victim = $clinic->create_client(name => 'Victim');

# Statuses of that many wrong secrets, each from the next of the addresses.
sub wrong {
    my ($count, @address) = @_;
    return map {
        $http->form('/api/v1/auth/token', { grant_type => 'client_credentials',
            client_id => $victim->{client_id}, client_secret => "wrong-$_" },
            { 'X-Forwarded-For' => $address[ $_ % @address ] })->{status}
    } 1 .. $count;
}

sub right {
    my ($address) = @_;
    return $http->form('/api/v1/auth/token',
        { grant_type => 'client_credentials', %$victim },
        { 'X-Forwarded-For' => $address })->{status};
}

my %slowed = (
    'behind two proxies' => [ map {"192.0.2.1, 10.0.0.$_"} 1 .. 9 ],
    'from many ports'    => [ map {"192.0.2.2:$_"} 1001 .. 1009 ],
    'within a /64'       => [ map {"2001:db8:1:1::$_"} 1 .. 9 ],
);
for my $what (sort keys %slowed) {
    my @status = wrong(12, @{ $slowed{$what} });
    is($status[-1], 429, "$what: slowed down");
    is(right($slowed{$what}[0]), 200, "$what: the right secret is not");
}
is((wrong(1, '192.0.2.3'))[0], 401, 'another address is not');
is((wrong(1, '2001:db8:1:2::1'))[0], 401, 'nor is another /64');

# ---- what is told of it -----------------------------------------------------------

my $odd = qq{no"body\n{"event":"forged"}};
$http->form('/api/v1/auth/token', { grant_type => 'client_credentials',
    client_id => $odd, client_secret => 'SECRETWRONG' },
    { 'X-Forwarded-For' => '192.0.2.66' });
$gateway->wait_log(qr/192\.0\.2\.66/);
my ($line) = grep { $_->{event} eq 'wrong secret'
    && $_->{address} eq '192.0.2.66' } $gateway->log_lines;
is_deeply([ @{ $line // {} }{qw(level reason client_id)} ],
    [ 'warning', 'unknown_client', $odd ],
    'the log says who was tried from where');
ok(!(grep { ($_->{event} // '') eq 'forged' || exists $_->{text} }
    $gateway->log_lines), 'in one line, whatever the id is');
($line) = grep { $_->{event} eq 'wrong secret'
    && $_->{client_id} eq $victim->{client_id} } $gateway->log_lines;
is($line->{reason}, 'wrong_secret', 'and whether there is such a client');
unlike($gateway->log_text, qr/wrong-1|SECRETWRONG/, 'but not what was tried');

my $off = $clinic->create_client(name => 'Off');
my $token = Appt::Http->new($gateway->url, %$off)->{token};
$cluster->query('UPDATE appt.api_client SET active = false
    WHERE client_id = $1', $off->{client_id});
my $probe = '/api/v1/queue?doctor_id=DOC-001';
wait_for { $http->get($probe, undef, { Authorization => "Bearer $token" })
    ->{status} == 401 } 'the end';
is($http->form('/api/v1/auth/token', { grant_type => 'client_credentials',
    %$off })->{status}, 401, 'a client that is off');
is($http->form('/api/v1/auth/token', { grant_type => 'client_credentials' })
    ->{status}, 401, 'none at all');
is($http->get($probe, undef, { Authorization => 'Bearer x' })->{status}, 401,
    'a token that is none');
is($http->get($probe, undef, { Authorization => undef })->{status}, 401,
    'no token');
$http->form('/api/v1/auth/revoke', { token => $http->{token},
    %{ $clinic->client } });
is($http->get($probe)->{status}, 401, 'a token that is revoked');
my %failures = $http->get('/metrics')->{body}
    =~ /^appt_auth_failures_total\{reason="(\w+)"\} (\d+)$/mg;
cmp_ok(delete $failures{$_}, '>', 0, "the metric counts $_")
    for qw(wrong_secret unknown_client disabled_client no_client throttled
        no_token invalid_token ended_token revoked_token);
is_deeply(\%failures, { map { $_ => 0 } qw(csrf_token ended_sign_in
        expired_token no_code not_known wrong_password wrong_signature) },
    'and nothing that was not');

done_testing();
