#!/usr/bin/perl
#
# The reference page at /docs in a real browser: it lists every call, asks no
# other host, has nothing to complain of, and a call can be tried from it.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Node;
use Appt::Util qw(root_dir run_command slurp temp_dir);
use JSON::PP ();

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

# What a visitor sees, as docs_page.js reports it.
sub visit {
    my (@argument) = @_;
    my ($code, $out, $err) = $node->run('docs_page.js', $gateway->url, @argument);
    die "the browser failed: $err" if $code;
    return JSON::PP->new->utf8->decode($out);
}

my $client = $clinic->client;
my $page = visit("$client->{client_id}:$client->{client_secret}");
my ($code, $routes) = run_command([ $gateway->binary, '--routes' ]);
my @called = map { join ' ', (split /\t/)[0, 1] } split /\n/, $routes;
is_deeply([ sort @{ $page->{calls} } ], [ sort @called ],
    'the page lists every call of the route table');
is_deeply($page->{complaints}, [], 'the browser has nothing to complain of');
is_deeply([ grep { index($_, $gateway->url . '/') && !/^data:/ }
        @{ $page->{requests} } ], [], 'no other host is asked');
is($page->{tried}{status}, 200, 'a call can be tried, with a token');
like($page->{tried}{body}, qr/"start_time": "2026-03-16T\d\d:\d\d:00\+05:30"/,
    'and answers');

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
