#!/usr/bin/perl
#
# The reference page at /docs in a real browser: it lists every call, asks no
# other host, is light, moves nothing while it comes, gives browser and axe nothing
# to complain of, and a call can be tried from it at the first click.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Node;
use Appt::Util qw(root_dir run_command slurp temp_dir);
use Compress::Zlib ();
use JSON::PP ();
use POSIX qw(strftime);

my $node = Appt::Node->new('t/web')
    or plan skip_all => 'npm is not installed';
my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $http    = $clinic->http;
my $gateway = $clinic->gateway;

my %type = ('/docs' => 'text/html', '/docs/docs.js' => 'text/javascript',
    '/docs/docs.css' => 'text/css');
for my $path (sort keys %type) {
    my $r = $http->get($path, undef, { Authorization => undef });
    is($r->{status}, 200, "$path is open to all");
    is($r->{headers}{'content-type'}, "$type{$path}; charset=utf-8", 'its type');
    is($r->{headers}{'x-content-type-options'}, 'nosniff', 'which is not guessed');
    like($r->{headers}{'content-security-policy'}, qr/^default-src 'none'; /,
        'it may load what is listed');
    unlike($r->{headers}{'content-security-policy'}, qr/http|\*|unsafe/,
        'nothing of another host, nothing unsafe');
}
is($http->get('/docs/x')->{status}, 404, 'there is nothing else below');
for my $case ([ '/docs/', '../docs' ],
    [ '/api/v1/patients/?page=2', '../patients?page=2' ]) {
    my $r = $http->get($case->[0]);
    is($r->{status}, 308, "$case->[0] has a slash too many");
    is($r->{headers}{location}, $case->[1], 'and is there without it');
    is($http->request('HEAD', $case->[0])->{status}, 308, 'for HEAD as well');
}
is($http->get($_)->{status}, 400, "$_ is no path")
    for '/docs//', '//docs/', '/api//v1/', '/api/v1/patients//';
is($http->request('POST', '/api/v1/patients/', '{}')->{status}, 400,
    'who sends something is not sent on');
like($http->get('/')->{json}{detail}, qr{/docs shows}, 'what is not there says where');

# What a visitor sees, as docs_page.js reports it.
sub visit { return visit_at($gateway->url, @_) }

sub visit_at {
    my ($code, $out, $err) = $node->run('docs_page.js', @_);
    die "the browser failed: $err" if $code;
    return JSON::PP->new->utf8->decode($out);
}

# Compressed for whoever takes that, which is every browser.
for my $path (sort(keys %type), '/api/v1/openapi.json') {
    my $plain = $http->get($path);
    my $r = $http->get($path, undef, { 'Accept-Encoding' => 'br, gzip;q=0.8' });
    is($r->{headers}{'content-encoding'}, 'gzip', "$path: compressed");
    is(Compress::Zlib::memGunzip(my $copy = $r->{body}), $plain->{body},
        'the same');
    isnt($r->{headers}{etag}, $plain->{headers}{etag}, 'under another tag');
    is($r->{headers}{vary}, 'Accept-Encoding', 'which proxies know');
    my $again = $http->get($path, undef, { 'Accept-Encoding' => 'gzip',
        'If-None-Match' => $r->{headers}{etag} });
    is_deeply([ @$again{qw(status body)} ], [ 304, '' ], 'once');
    for my $without ('gzip;q=0', 'br', 'identity', 'x-gzipped') {
        is($http->get($path, undef, { 'Accept-Encoding' => $without })
            ->{headers}{'content-encoding'}, undef, "not for $without");
    }
}

# With a client of one's own, at a gateway that lends nobody any.
my $client = $clinic->client;
is_deeply($http->get('/docs/client')->{json},
    { client_id => undef, client_secret => undef }, 'no client is lent');
my $page = visit("$client->{client_id}:$client->{client_secret}");
my ($code, $routes) = run_command([ $gateway->binary, '--routes' ]);
my @called = map { join ' ', (split /\t/)[0, 1] } split /\n/, $routes;
is_deeply([ sort @{ $page->{calls} } ], [ sort @called ],
    'the page lists every call of the route table');
is_deeply($page->{complaints}, [], 'the browser has nothing to complain of');
is_deeply([ grep { index($_, $gateway->url . '/') && !/^data:/ }
        @{ $page->{requests} } ], [], 'no other host is asked');
cmp_ok($page->{loaded}, '<', 60_000, 'it is light') or diag $page->{loaded};
cmp_ok($page->{shift}, '<', 0.01, 'nothing moves while it comes to a phone');
like($page->{token}, qr/Here it is, for 60 minutes.*appointments:read/,
    'it gets a token');
is_deeply($page->{found}, ['/api/v1/patients'], 'a call is found by its words');
like(visit('nobody:wrong')->{token}, qr/No token: The client is unknown/,
    'a wrong secret is said in the page');

# A demo: the token by one button, and every call works at the first click.
my $demo = Appt::Gateway->new(cluster => $clinic->cluster, env => {
    APPT_DOCS_CLIENT => "$client->{client_id}:$client->{client_secret}" });
$clinic->cluster->freeze_clock(strftime('%Y-%m-%dT06:30:00Z', gmtime));
$page = visit_at($demo->url);
like($page->{token}, qr/Here it is/, 'a token by one button');
is_deeply({ map { $_ => $page->{tried}{$_}{status} } keys %{ $page->{tried} } },
    { listSlots => 200, bookAppointment => 201, getAppointment => 200,
        listPatients => 200 }, 'calls work at the first click');
is_deeply($page->{complaints}, [], 'nothing to complain of then');
is_deeply($page->{axe}, [], 'nor has axe, in light or dark');
cmp_ok($page->{shift}, '<', 0.01, 'nor does the button move anything');
like($page->{tried}{listSlots}{body}, qr/"start_time": "\d{4}-\d\d-\d\dT/,
    'with what was asked for');
my ($booked) = $page->{tried}{bookAppointment}{body}
    =~ /"appointment_id": "([^"]+)"/;
like($page->{tried}{getAppointment}{body}, qr/"$booked"/,
    'an id that came is filled in next');

my ($end, undef, $complaint) = run_command([ 'env', 'APPT_DOCS_CLIENT=a:b',
    'APPT_LISTEN=0.0.0.0:0', 'timeout', '5', Appt::Gateway->binary ]);
is($end, 2, 'no client is lent to other machines');
like($complaint, qr/\AAPPT_DOCS_CLIENT: anybody could have/, 'which is said');

# Without npm the build makes a page that says so, and what npm complains of.
my $out = temp_dir();
mkdir "$out/bin";
symlink "/usr/bin/$_", "$out/bin/$_"
    for qw(cat dirname find flock mkdir rm sed tail touch);
run_command([ 'cp', '-r', (map { root_dir() . "/gateway/web/$_" }
        qw(build package.json package-lock.json tsconfig.json src)), "$out" ]);
my (undef, undef, $err) = run_command([ '/usr/bin/env', "PATH=$out/bin",
    '/bin/sh', "$out/build", "$out/web" ]);
like($err, qr/npm is not installed/, 'without npm the build says so');
like(slurp("$out/web/docs.html"), qr/was not built.*install Node/s,
    'and so does the page');
for my $program (qw(node npm)) {
    open my $fh, '>', "$out/bin/$program" or die "$out/bin/$program: $!\n";
    print {$fh} "#!/bin/sh\necho 'no way to <registry>' >&2\nexit 1\n";
    close $fh;
    chmod 0755, "$out/bin/$program";
}
(undef, undef, $err) = run_command([ '/usr/bin/env', "PATH=$out/bin",
    '/bin/sh', "$out/build", "$out/web" ]);
like($err, qr/npm could not build it/, 'where npm fails it says so');
like(slurp("$out/web/docs.html"), qr{<pre>no way to &lt;registry&gt;</pre>},
    'and the page what npm said');
is((run_command([ '/usr/bin/env', "PATH=$out/bin", '/bin/sh', "$out/build",
    '--check' ]))[0], 1, 'what is not there is not built');

done_testing();
