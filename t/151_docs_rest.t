#!/usr/bin/perl
#
# docs/rest.md, the error table of the extension and the OpenAPI document name
# the same codes.

use strict;
use warnings;
use Test::More;
use Appt::Program;
use Appt::Util qw(root_dir run_command slurp);

chdir root_dir() or die "cannot enter the project's directory: $!\n";

my @source;
my $header = slurp('extension/appt_errors.h');
push @source, join ' ', grep {length} $1, $2, $3, $4
    while $header =~ /X\(\w+,\s+"(\w+)",\s+(\d+),\s+"(\w+)",\s+"(\w*)"\)/g;
cmp_ok(scalar @source, '>', 20, 'the error table is read');

my $page = slurp('docs/rest.md');
my ($table) = $page =~ /<!-- errors:.*?-->(.*?)<!-- \/errors -->/s;
my @page;
for (split /\n/, $table) {
    my (undef, @cell) = split /\s*\|\s*/;
    next unless @cell && $cell[0] =~ /^`/;
    push @page, join ' ', grep {length} map { tr/`//dr } @cell;
}
is_deeply(\@page, \@source, 'docs/rest.md has the same rows');

my $openapi = slurp('gateway/build/openapi.json');
my %documented = map { $_ => 1 } $openapi =~ /"(\w+)"/g;
my @code = do { my %seen; grep { !$seen{$_}++ } (map { (split ' ')[2] } @source),
    $page =~ /^\| \d{3} \| (?:`\w+`, )?`(\w+)`/mg };
is_deeply([ grep { !$documented{$_} } @code ], [], 'the document has every code');
is_deeply([ grep { !$documented{$_} } map { (split ' ')[3] // () } @source ], [],
    'and every reason');

my (undef, $help) = run_command([ Appt::Gateway->binary, '--help' ]);
my $operations = slurp('docs/operations.md');
my @option = $help =~ /^  (APPT_\w+)/mg;
cmp_ok(scalar @option, '>', 15, 'the options are read');
is_deeply([ grep { $operations !~ /`\Q$_\E`/ } @option ], [],
    'docs/operations.md names every option of the gateway');

done_testing();
