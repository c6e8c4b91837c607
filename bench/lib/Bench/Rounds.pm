package Bench::Rounds;

# Medians of sides that are measured in turn.  The machine is shared and its
# speed changes from second to second: two sides are compared within a round,
# and what counts is the median of the rounds' ratios, not the ratio of sums.
#
#   my %got = interleave(5, select1 => sub {...}, slots => sub {...});
#   median(@{ $got{slots} });
#   ratio(\%got, 'slots', 'select1');     # { ratio, low, high }

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(interleave median ratio);

# Each side's results, one a round; odd rounds run in the opposite order.
sub interleave {
    my ($rounds, @sides) = @_;
    my (@order, %code, %got);
    while (my ($name, $code) = splice @sides, 0, 2) {
        push @order, $name;
        $code{$name} = $code;
    }
    for my $round (1 .. $rounds) {
        for my $name ($round % 2 ? @order : reverse @order) {
            push @{ $got{$name} }, $code{$name}->($round);
        }
    }
    return %got;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return undef unless @sorted;
    my $middle = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$middle]
        : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# Of one side to the other: the median of the rounds, the lowest, the highest.
sub ratio {
    my ($got, $side, $against) = @_;
    my @ratio = map { $got->{$side}[$_] / $got->{$against}[$_] }
        0 .. $#{ $got->{$against} };
    my @sorted = sort { $a <=> $b } @ratio;
    return { ratio => median(@ratio), low => $sorted[0], high => $sorted[-1] };
}

1;
