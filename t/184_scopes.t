#!/usr/bin/perl
#
# Role by route: every row of the route table without a token, with a bad one,
# with each single scope, and with all of them. Who may not is refused before
# anything else is looked at, and nothing changes.

use strict;
use warnings;
use Test::More;
use Appt::Http;
use Appt::Matrix;

my $matrix = Appt::Matrix->new;
my $clinic = $matrix->clinic;
my @routes = $matrix->routes;
my %scope  = map { $_->{scope} => 1 } @routes;
delete $scope{''};
my @scopes = (sort(keys %scope), 'appointments:override');

my %nobody = (
    'no token' => Appt::Http->new($clinic->gateway->url),
    'a token that is none' => Appt::Http->new($clinic->gateway->url,
        token => 'x.y.z'),
);
my %with = map { $_ => $matrix->client(name => $_, scopes => [$_]) } @scopes;

for my $route (grep { $_->{scope} } @routes) {
    my ($name, $needed) = @$route{qw(name scope)};
    my $request = $matrix->request($route, 'MUM-01');
    my $before = $clinic->fingerprint;
    my (@let, @wrong);
    for my $who (sort keys %nobody) {
        my $r = $matrix->send($nobody{$who}, $route, $request);
        push @wrong, "$who: $r->{status} $r->{body}"
            unless $r->{status} == 401 && $r->{json}{code} eq 'invalid_token'
            && $r->{headers}{'www-authenticate'} =~ /^Bearer/;
    }
    for my $scope (grep { $_ ne $needed } @scopes) {
        my $r = $matrix->send($with{$scope}, $route, $request);
        push @wrong, "$scope: $r->{status} $r->{body}"
            unless $r->{status} == 403
            && $r->{json}{code} eq 'insufficient_scope'
            && $r->{headers}{'www-authenticate'} =~ /scope="\Q$needed\E"/;
    }
    ok(!@wrong, "$name: refused to all who have not $needed")
        or diag join "\n", @wrong;
    is($clinic->fingerprint, $before, "$name: and nothing has changed");

    # The scope is looked at before what is asked for: no id can be guessed.
    my %bad = map { $_ => 'no-such-thing' } keys %$request;
    my ($other) = grep { $_ ne $needed } @scopes;
    is($matrix->send($with{$other}, $route, \%bad)->{status}, 403,
        "$name: whatever is asked for");

    # A correction is also an override; nobody gives or changes, in an account
    # of staff, rights that he does not have.
    my @also = $name =~ m{/correct$} ? 'appointments:override'
        : $name =~ m{^(?!GET).*/staff\b} ? (grep { /^(?:appointments|patients
            |schedule:read|reports)/x && $_ ne $needed } @scopes) : ();
    my $may = @also ? $matrix->client(scopes => [ $needed, @also ])
        : $with{$needed};
    my $r = $matrix->send($may, $route, $request);
    is($r->{status}, $route->{status}, "$name: $needed alone is enough")
        or diag $r->{body};
}

# Whose visits a calendar has is asked for with a scope more, of the token.
my ($calendar, $day) = ('/api/v1/branches/MUM-01/calendar', '2026-03-16');
my $client = $clinic->create_client(name => 'both',
    scopes => [ 'appointments:read', 'patients:read' ]);
my $both = $clinic->http($client);
my $less = Appt::Http->new($clinic->gateway->url, token => $both->form(
    '/api/v1/auth/token', { grant_type => 'client_credentials',
        scope => 'appointments:read', map { $_ => $client->{$_} }
            qw(client_id client_secret) })->{json}{access_token});
for ([ $with{'appointments:read'}, 403, 'a client without it' ],
    [ $less, 403, 'nor a token without it' ], [ $both, 200, 'with it' ])
{
    my ($who, $status, $what) = @$_;
    is($who->get($calendar, { date => $day, patients => 'false' })->{status}, 200,
        "a calendar without names: $what");
    my $r = $who->get($calendar, { date => $day, patients => 'true' });
    is($r->{status}, $status, "with names: $what");
    like($r->{headers}{'www-authenticate'}, qr/scope="patients:read"/, 'it says why')
        if $status == 403;
}

# What is open to all asks for no token, and does not mind a bad one; reports of
# providers are proved otherwise (t/225_delivery_reports.t).
my ($part) = Appt::Http->new($matrix->clinic->gateway->url)->get('/admin')->{body}
    =~ m{"admin/files/([^"]+)"};
for my $route (grep { !$_->{scope} && $_->{path} !~ m{/callbacks/} } @routes) {
    for my $who (sort keys %nobody) {
        my $r = $matrix->send($nobody{$who}, { %$route,
            path => $route->{path}
                =~ s/\{(?:page|section|subsection)\}/calendar/gr
                =~ s/\{file\}/$part/r }, {});
        if ($route->{path} =~ /\{link\}/) {
            is($r->{status}, 404, "$route->{name}: asks for a link, with $who");
        }
        elsif ($route->{path} =~ m{/auth/session}) {
            like($r->{status}, $route->{method} eq 'DELETE' ? qr/^204$/
                : qr/^40[01]$/, "$route->{name}: wants a cookie or a password");
        }
        elsif ($route->{path} =~ m{/board(?:/events)?$}) {
            is($r->{status}, 401, "$route->{name}: wants a board's token");
        }
        elsif ($route->{method} eq 'GET') {
            is($r->{status}, $route->{status}, "$route->{name}: open, with $who");
        }
        else {
            like($r->{json}{error}, qr/^invalid_(?:request|client)$/,
                "$route->{name}: wants credentials, not a token");
        }
    }
}

done_testing();
