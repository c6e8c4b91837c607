#!/usr/bin/perl
#
# The OpenAPI document by two linters of that trade: Redocly and Spectral find
# nothing, and do find what is wrong with a document that was spoiled.

use strict;
use warnings;
use Test::More;
use Appt::Node;
use Appt::Util qw(root_dir slurp temp_dir);
use JSON::PP ();

my $node = Appt::Node->new('t/web')
    or plan skip_all => 'npm is not installed';
my $document = root_dir() . '/gateway/build/openapi.json';
my %linter = (Redocly => \&redocly, Spectral => \&spectral);

# Each gives what it finds, a line of text a piece.
sub redocly {
    my ($file) = @_;
    my ($code, $out, $err) = $node->run('lint.js', $file);
    die "redocly: $err" if $code;
    return map {"$_->{severity} $_->{rule} $_->{where}: $_->{message}"}
        map { JSON::PP->new->utf8->decode($_) } split /\n/, $out;
}

# Exit code 1: it found something; 2: it could not do its work.
sub spectral {
    my ($file) = @_;
    my ($code, $out, $err) = $node->run('spectral', 'lint', '--format=json',
        '--quiet', '--ruleset=' . $node->directory . '/spectral.yaml', $file);
    die "spectral: $out$err" if $code > 1;
    return map {"$_->{severity} $_->{code} @{ $_->{path} }: $_->{message}"}
        @{ JSON::PP->new->utf8->decode($out) };
}

for my $name (sort keys %linter) {
    my @found = $linter{$name}->($document);
    ok(!@found, "$name finds nothing") or diag map {"    $_\n"} @found;
}

# Two calls of one name, and a reference that leads nowhere.
my $dir = temp_dir();
my $text = slurp($document);
$text =~ s/"operationId": "getHealth"/"operationId": "getReadiness"/ or die;
$text =~ s{schemas/Health"}{schemas/Wealth"} or die;
open my $fh, '>', "$dir/spoiled.json" or die $!;
print {$fh} $text;
close $fh;
for my $name (sort keys %linter) {
    my $found = join "\n", $linter{$name}->("$dir/spoiled.json");
    like($found, qr/operationid.*uni/i, "$name sees a name given twice");
    like($found, qr/refs? .*healthz/, "$name sees a reference that leads nowhere");
}

done_testing();
