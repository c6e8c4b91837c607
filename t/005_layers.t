#!/usr/bin/perl
#
# The floors that docs/design.md says: a file includes headers of its own floor
# or a lower one, its object refers to nothing higher, and no calls go in a
# circle. Read from the page's tables, the sources and the built objects.

use strict;
use warnings;
use Test::More;
use Appt::Util qw(root_dir slurp run_command);

chdir root_dir() or die "cannot enter the project's directory: $!\n";
my $built = $ENV{APPT_TEST_BUILD} // 'gateway/build';

# What is written by the build stands on the floor of what declares it.
my %written = ('routes.gen' => 'routetable');

# directory => [[files of the lowest floor], ...], without their suffixes.
sub floors {
    my ($page) = @_;
    my (%floors, $dir);
    for (split /\n/, $page) {
        if (/^\| Floor of `([\w\/]+)\/` \|/) { $dir = $1 }
        elsif (!/^\|/) { undef $dir }
        elsif (defined $dir && /`/) {
            my %files = map { $_ => 1 } /`(\w+)\.[ch]`/g;
            push @{ $floors{$dir} }, [ sort keys %files ];
        }
    }
    return %floors;
}

# What is wrong with files, includes and references, given the floors.
# $refers->{FILE}{OTHER} is why: an include's line, or a symbol.
sub complaints {
    my ($floors, $files, $includes, $refers) = @_;
    my (%at, @wrong);
    for my $floor (0 .. $#$floors) {
        for my $file (@{ $floors->[$floor] }) {
            push @wrong, "$file stands on two floors" if defined $at{$file};
            push @wrong, "$file is on a floor and is not there"
                unless grep { $_ eq $file } @$files;
            $at{$file} = $floor;
        }
    }
    push @wrong, map {"$_ stands on no floor"} grep { !defined $at{$_} } @$files;
    for ([ 'includes', $includes ], [ 'refers to', $refers ]) {
        my ($verb, $edges) = @$_;
        for my $from (sort keys %$edges) {
            push @wrong, map {"$from $verb $_, which is higher ($edges->{$from}{$_})"}
                grep { defined $at{$_} && defined $at{$from} && $at{$_} > $at{$from} }
                sort keys %{ $edges->{$from} };
        }
    }
    my @circle = circle($refers);
    push @wrong, 'in a circle: ' . join ' -> ', @circle if @circle;
    return @wrong;
}

# The first circle that there is, its beginning again at its end.
sub circle {
    my ($edges) = @_;
    my (%done, @path, %on);
    my $visit;
    $visit = sub {
        my ($node) = @_;
        return if $done{$node};
        if ($on{$node}) {
            shift @path while $path[0] ne $node;
            return (@path, $node);
        }
        $on{$node} = 1;
        push @path, $node;
        for (sort keys %{ $edges->{$node} // {} }) {
            my @found = $visit->($_);
            return @found if @found;
        }
        pop @path;
        delete $on{$node};
        $done{$node} = 1;
        return;
    };
    for (sort keys %$edges) {
        my @found = $visit->($_);
        return @found if @found;
    }
    return;
}

# A test of the test: what it must say of these it says.
is_deeply([ complaints([ ['a'], [ 'b', 'c' ] ], [qw(a b c)],
    { b => { a => 1 } }, { b => { a => 1 }, c => { b => 1 } }) ], [],
    'what goes down is as it should be');
is_deeply([ complaints([ ['a'], ['b'] ], [qw(a b)],
    { a => { b => 'b.h' } }, { a => { b => 'b_do' } }) ],
    [ 'a includes b, which is higher (b.h)',
        'a refers to b, which is higher (b_do)' ], 'what goes up is found');
is_deeply([ complaints([ [qw(a b c)] ], [qw(a b c)], {},
    { a => { b => 1 }, b => { c => 1 }, c => { a => 1 } }) ],
    ['in a circle: a -> b -> c -> a'], 'so is a circle on one floor');
is_deeply([ complaints([ [qw(a b b)] ], [qw(b d)], {}, {}) ],
    [ 'a is on a floor and is not there', 'b stands on two floors',
        'd stands on no floor' ], 'and what the table has wrong');

# file => { other => line }, of headers of the same directory.
sub includes {
    my ($dir, @paths) = @_;
    my ($short) = $dir =~ m{([^/]+)$};
    my %includes;
    for my $path (@paths) {
        my ($file) = $path =~ m{(\w+)\.[ch]$};
        for (slurp($path) =~ m{^#include "([^"]+)"}mg) {
            my ($other) = $dir =~ m{^gateway/} ? m{^\Q$short\E/(\w+)\.h$}
                : m{^(\w+)\.h$};
            $includes{$file}{$other} = $_ if defined $other && $other ne $file;
        }
    }
    return \%includes;
}

# file => { other => symbol }: who refers to what another object defines.
sub references {
    my (%objects) = @_;
    my (%defined_in, %wants, %refers);
    for my $file (sort keys %objects) {
        my ($code, $symbols, $error) = run_command(
            [ 'nm', '-g', '-P', $objects{$file} ]);
        die "nm $objects{$file}: $error" if $code;
        for (split /\n/, $symbols) {
            my ($symbol, $kind) = split;
            if ($kind eq 'U') { push @{ $wants{$file} }, $symbol }
            else { $defined_in{$symbol} = $file }
        }
    }
    for my $file (keys %wants) {
        for (sort @{ $wants{$file} }) {
            my $other = $defined_in{$_};
            $refers{$file}{$other} //= $_ if defined $other && $other ne $file;
        }
    }
    return \%refers;
}

my %floors = floors(slurp('docs/design.md'));
is_deeply([ sort keys %floors ],
    [qw(extension gateway/common gateway/http gateway/relay)],
    'docs/design.md says the floors of each directory');
for my $dir (sort keys %floors) {
    my @paths = sort glob "$dir/*.c $dir/*.h";
    my %files = map { m{(\w+)\.[ch]$} ? ($1 => 1) : () } @paths;
    my $out = $dir =~ m{^gateway/(.*)} ? "$built/$1" : $dir;
    my %objects = map { $_ => "$out/$_.o" }
        grep { -e "$dir/$_.c" } sort keys %files;
    if ($dir eq 'gateway/http') {
        $objects{ $written{$_} } = "$built/$_.o" for keys %written;
    }
    my $refers = references(%objects);
    cmp_ok(scalar(keys %$refers), '>', 5, "$dir: its objects are read");
    my @wrong = complaints($floors{$dir}, [ sort keys %files ],
        includes($dir, @paths), $refers);
    ok(!@wrong, "$dir: nothing leads up, nothing in a circle")
        or diag map {"    $_\n"} @wrong;
}

# The programs know what they share, and that neither; nor do they each other.
my %knows = (
    'gateway/common' => qr{^common/},
    'gateway/http'   => qr{^(?:common|http)/},
    'gateway/relay'  => qr{^(?:common|relay)/},
);
for my $dir (sort keys %knows) {
    my @strange;
    for my $path (glob "$dir/*.c $dir/*.h") {
        push @strange, map {"$path: $_"} grep { m{/} && !/$knows{$dir}/ }
            slurp($path) =~ m{^#include "([^"]+)"}mg;
    }
    ok(!@strange, "$dir includes nothing of others")
        or diag map {"    $_\n"} @strange;
}

done_testing;
