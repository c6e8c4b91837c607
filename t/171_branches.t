#!/usr/bin/perl
#
# Foreign objects by route: for a client limited to one branch, an object of
# another branch is answered just as one that does not exist, on every call
# and for every id that it takes, in path, query and body; and no answer names
# one. The same request is another matter for a client that may see it.

use strict;
use warnings;
use Test::More;
use Appt::Matrix;
use JSON::PP ();

my ($mine, $theirs) = ('LON-01', 'MUM-01');
my $json   = JSON::PP->new->canonical->allow_nonref;
my $matrix = Appt::Matrix->new;
my $clinic = $matrix->clinic;
my $limited = $matrix->client(name => 'London', branch_ids => [$mine]);
$matrix->owner($mine, $limited);

# What concerns the whole clinic is not a limited client's to change.
my %clinic_wide = map { $_ => 1 } (
    (map {"$_ /api/v1/branches"} 'POST'),
    'DELETE /api/v1/branches/{branch_id}',
    'POST /api/v1/visit-types', 'POST /api/v1/departments',
    'POST /api/v1/notification-templates',
    'POST /api/v1/notification-channels',
    'POST /api/v1/notification-channels/{channel_id}/test',
    map { ("$_ /api/v1/notification-channels/{channel_id}",
        "$_ /api/v1/visit-types/{visit_type}",
        "$_ /api/v1/departments/{department_id}", "$_ /api/v1/"
        . 'notification-templates/{notification_template_id}') }
        qw(PATCH DELETE));

# An answer as its receiver can tell it from another: without what names the
# request, and with the ids in question masked.
sub masked {
    my ($r, $request) = @_;
    my %header = %{ $r->{headers} };
    delete @header{qw(date x-request-id content-length),
        grep {/^ratelimit/} keys %header};
    my $text = $json->encode([ $r->{status}, \%header, $r->{body} ]);
    $text =~ s/urn:bioecko:request:\w+/REQUEST/g;
    for my $id (map { ref eq 'ARRAY' ? @$_ : $_ } values %$request) {
        $text =~ s/\b\Q$id\E\b(?=[^\w,])/ID/g if $id !~ /^\d+$/;
        $text =~ s/"\Q$id\E(?=\\)/"ID/g;
    }
    return $text;
}

my ($told, %said) = (0);

# What the limited client is answered; it must not name what is not its own,
# unless it has brought it in by a request that was taken. Templates of messages
# are everybody's; their numbers may be those of something else.
sub ask {
    my ($route, $request) = @_;
    my $r = $matrix->send($limited, $route, $request);
    my %now = map { (ref eq 'ARRAY' ? @$_ : $_) => 1 } values %$request;
    %said = (%said, %now) if $r->{status} < 300;
    (my $text = $r->{body}) =~ s/"notification_template_id" : "\d+"//g;
    for my $id (grep { !$said{$_} && !$now{$_} } $matrix->made($theirs)) {
        next unless $text =~ /"\Q$id\E"/;
        $told++;
        diag "$route->{name} names $id";
    }
    return $r;
}

# The request with that id, and those below it in the path, of another one.
sub with_id {
    my ($route, $request, $other, $name) = @_;
    my %changed = (%$request, $name => $other->{$name});
    my ($seen, @path) = (0, grep { $_->{from} eq 'path' } @{ $route->{args} });
    for my $arg (@path) {
        $changed{ $arg->{name} } = $other->{ $arg->{name} }
            if ($seen ||= $arg->{name} eq $name);
    }
    return \%changed;
}

for my $route (grep { $_->{scope} } $matrix->routes) {
    my $name = $route->{name};
    for my $arg ($matrix->ids($route)) {
        my ($id, $from) = @$arg{qw(name from)};
        my $own     = $matrix->request($route, $mine, $id);
        my $other   = $matrix->request($route, $theirs, $id);
        my $foreign = with_id($route, $own, $other, $id);
        my %none    = map { $_ => $matrix->missing($other->{$_}) }
            grep { defined $other->{$_} && $_ =~ /_ids?$/ } keys %$other;
        my $missing = with_id($route, $own, \%none, $id);

        my $before = $clinic->fingerprint;
        my $r = ask($route, $foreign);
        is(masked($r, $foreign), masked(ask($route, $missing), $missing),
            "$name: a foreign $id in the $from is like none");
        is($clinic->fingerprint, $before, "$name: and nothing has changed");
        like($r->{status}, $from =~ /^(?:path|query)$/ ? qr/^404$/
            : $id eq 'hold_id' ? qr/^409$/ : qr/^422$/,
            "$name: $r->{status} it is") or note $r->{body};
    }

    # Without limits all of it is there; a limited client does the same at its
    # own branch.
    my $r = $matrix->send($matrix->full, $route, $matrix->request($route, $theirs));
    is($r->{status}, $route->{status}, "$name: another client may")
        or diag $r->{body};
    my $request = $matrix->request($route, $mine);
    $r = ask($route, $request);
    if ($clinic_wide{$name}) {
        like($r->{status}, qr/^40[34]$/, "$name: not the limited one");
    }
    else {
        is($r->{status}, $route->{status}, "$name: so may the limited one at home")
            or diag $r->{body};
    }
}
is($told, 0, 'no answer names an object of another branch');

done_testing();
