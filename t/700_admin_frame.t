#!/usr/bin/perl
#
# The clinic's page at /admin before anybody signs in: its files are compressed
# and kept by their hash, it may load nothing of another host and run nothing
# that stands in a page, and neither the browser nor axe complains.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Node;
use Compress::Zlib ();
use Digest::SHA qw(sha256_hex);
use JSON::PP ();

my $node = Appt::Node->new('t/web')
    or plan skip_all => 'npm is not installed';
my $clinic  = Appt::Clinic->new;
my $http    = $clinic->http;
my $gateway = $clinic->gateway;

my %kind = (html => 'text/html', css => 'text/css', js => 'text/javascript');
my $all = 0;

# An answer to all, whole and compressed, which is kept so.
sub asked {
    my ($path, $kind, $kept) = @_;
    my $r = $http->get($path, undef, { Authorization => undef });
    is($r->{status}, 200, "$path is open to all");
    is($r->{headers}{'content-type'}, "$kind{$kind}; charset=utf-8", 'its type');
    is($r->{headers}{'x-content-type-options'}, 'nosniff', 'which is not guessed');
    is($r->{headers}{'referrer-policy'}, 'no-referrer', 'it names itself to nobody');
    my $policy = $r->{headers}{'content-security-policy'};
    like($policy, qr/^default-src 'self'; /, 'it may load what is here');
    like($policy, qr/frame-ancestors 'none'/, 'nobody may frame it');
    unlike($policy, qr/http|\*|unsafe/, 'nothing of another host, nothing unsafe');
    is($r->{headers}{'cache-control'}, $kept, 'how long it may be kept');
    my $small = $http->get($path, undef, { 'Accept-Encoding' => 'br, gzip' });
    is($small->{headers}{'content-encoding'}, 'gzip', 'compressed');
    $all += length $small->{body};
    is(Compress::Zlib::memGunzip(my $copy = $small->{body}), $r->{body}, 'the same');
    is($http->get($path, undef, { 'If-None-Match' => $r->{headers}{etag} })->{status}, 304,
        'not sent to who has it');
    return $r->{body};
}

my $again = 'no-cache';
my $year  = 'public, max-age=31536000, immutable';
my $page  = asked('/admin', html => $again);
unlike($page, qr/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/,
    'no script and no style stands in the page');
my $style = asked('/admin/admin.css', css => $again);
my $hash = substr(sha256_hex($style), 0, 32);
like($page, qr/"admin\/admin\.css\?v=$hash"/, 'the style sheet is named by its hash');
is($http->get("/admin/admin.css?v=$hash")->{headers}{'cache-control'}, $year,
    'and kept under it');
is($http->get("/admin/admin.css?v=$_")->{headers}{'cache-control'}, 'no-cache',
    'but under no other')
    for '0' x 32, substr($hash, 1), '';

# The parts of the script: those that the page names, and that they name.
my %part;
my @due = $page =~ m{"admin/files/([^"]+)"}g;
while (defined(my $name = shift @due)) {
    next if $part{$name};
    $part{$name} = asked("/admin/files/$name", js => $year);
    push @due, $part{$name} =~ /\b([a-z]+-[A-Z0-9]{8}\.js)"/g;
}
is(join(' ', sort map {/^(.*)-/} keys %part),
    'account calendar chunk early main patients reports settings today',
    'a part for each page, what they share, and what is run first');
my ($main) = grep {/^main-/} keys %part;
is($http->get("/admin/files/$_")->{status}, 404, "$_ is none")
    for 'main.js', 'main-00000000.js', "$main.gz", 'admin.css', lc $main;
my %deep = (calendar => '../admin#/calendar',
    'settings/hours' => '../../admin#/settings/hours',
    'settings/api/webhooks' => '../../../admin#/settings/api/webhooks');
for my $name (sort keys %deep) {
    my $r = $http->get("/admin/$name");
    is_deeply([ $r->{status}, $r->{headers}{location} ], [ 302, $deep{$name} ],
        "$name is found by its name");
}
is($http->get("/admin/$_")->{status}, 404, "$_ is none")
    for qw(admin.map Calendar x%2e calendar/X settings/api/x.y
    settings/API/webhooks settings/api/web/hooks);
is($http->get("/admin/$_")->{status}, 400, "$_ is no path")
    for qw(calendar/x%2fy settings/%2e%2e settings/api//webhooks);
is($http->get('/admin/')->{headers}{location}, '../admin', 'a slash too many is sent on');
cmp_ok($all, '<', 300 * 1024, 'all of it is within 300 KB') or diag $all;

my ($code, $out, $err) = $node->run('admin_frame.js',
    JSON::PP->new->canonical->encode({ url => $gateway->url, shots => $ENV{SHOTS} }));
die "the browser failed: $err" if $code;
my $seen = JSON::PP->new->utf8->decode($out);
is($seen->{failed}, undef, 'a visitor is asked to sign in');
like($seen->{title}, qr/^Sign in . Clinic$/, 'the title says so');
is($seen->{focused}, 'account', 'the account can be typed at once');
is_deeply($seen->{complete}, [qw(username current-password)],
    'the browser may fill in both');
is_deeply([ grep { index $_, $gateway->url . '/' } grep { !/^data:/ }
        @{ $seen->{requests} } ], [], 'no other host is asked');
is_deeply($seen->{complaints}, [], 'the browser has nothing to complain of');
is_deeply($seen->{axe}, [], 'nor has axe, in light or dark');
is($seen->{lang}, 'hi', 'it is there in Hindi');
like($seen->{hindi}, qr/\x{938}\x{93e}\x{907}\x{928}/, 'with its words');

done_testing();
