package Bench::Table;

# The table of results: one row a comparison, printed as it comes and written
# to a file at the end.
#
#   $table->row(what => 'slot list', against => 'SELECT 1', value => 18000,
#       unit => '/s', base => 40000, ratio => { ratio, low, high },
#       must => '>= 0.42', aim => '>= 0.55');
#
# judge => a number is what must and aim are compared with, where that is not
# the ratio.  A row without must is reported only.

use strict;
use warnings;

my @columns = (
    [what => '%-44s'], [value => '%14s'], [against => '%-32s'],
    [base => '%14s'], [ratio => '%8s'], [range => '%13s'], [must => '%8s'],
    [aim => '%8s'], [verdict => '%-6s']);

sub new {
    my ($class, %arg) = @_;
    my $self = bless { rows => [], handles => [\*STDOUT] }, $class;
    return $self;
}

sub row {
    my ($self, %row) = @_;
    my $judged = $row{judge} // ($row{ratio} ? $row{ratio}{ratio} : undef);
    $row{verdict} = _verdict($judged, $row{must}, $row{aim});
    push @{ $self->{rows} }, \%row;
    print _line(\%row);
    return $row{verdict};
}

sub heading { return _format({ map { $_->[0] => $_->[0] } @columns }) }

sub text {
    my ($self) = @_;
    return join '', $self->heading, map { _line($_) } @{ $self->{rows} };
}

# How many rows have missed what they must.
sub missed {
    my ($self) = @_;
    return scalar grep { $_->{verdict} eq 'MISS' } @{ $self->{rows} };
}

# aim (it holds), pass (the must holds), MISS, or nothing to hold.
sub _verdict {
    my ($judged, $must, $aim) = @_;
    return '-' unless defined $must && defined $judged;
    return 'aim' if defined $aim && _holds($judged, $aim);
    return _holds($judged, $must) ? 'pass' : 'MISS';
}

sub _holds {
    my ($value, $bound) = @_;
    my ($sign, $limit) = $bound =~ /^(>=|<=) ([0-9.]+)/
        or die "not a bound: $bound\n";
    return $sign eq '>=' ? $value >= $limit : $value <= $limit;
}

sub _line {
    my ($row) = @_;
    my $unit = $row->{unit} // '';
    my %text = (%$row,
        value => _number($row->{value}, $unit),
        base  => _number($row->{base}, $row->{base_unit} // $unit),
        ratio => $row->{ratio} ? sprintf('%.3g', $row->{ratio}{ratio}) : '',
        range => $row->{ratio} && defined $row->{ratio}{low}
            ? sprintf('%.2g-%.2g', @{ $row->{ratio} }{qw(low high)}) : '',
        against => $row->{against} // '',
        must => $row->{must} // '', aim => $row->{aim} // '');
    return _format(\%text);
}

sub _format {
    my ($text) = @_;
    my $line = join ' ', map { sprintf $_->[1], $text->{ $_->[0] } // '' }
        @columns;
    $line =~ s/\s+$//;
    return "$line\n";
}

sub _number {
    my ($number, $unit) = @_;
    return '' unless defined $number;
    my $text = abs($number) >= 100 ? sprintf('%.0f', $number)
        : sprintf('%.3g', $number);
    1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
    return "$text$unit";
}

1;
