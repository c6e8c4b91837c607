#!/usr/bin/perl
#
# The hand-written parsers under the sanitizers, with inputs made up for some
# seconds each (APPT_FUZZ_S); longer: make -C gateway fuzz FUZZ_S=600

use strict;
use warnings;
use Test::More;
use Appt::Util qw(root_dir run_command);

chdir root_dir() . '/gateway' or die "cannot enter gateway/: $!\n";
my $seconds = $ENV{APPT_FUZZ_S} // 3;
my ($exit, $out, $said) = run_command([qw(make -s fuzz-build)]);
is($exit, 0, 'the fuzz targets are built') or diag $out, $said;
for my $source (glob 'fuzz/*_fuzz.c') {
    my ($name) = $source =~ m{fuzz/(\w+)_fuzz};
    ($exit, $out, $said) = run_command([ "build/fuzz/$name", $seconds ]);
    is($exit, 0, "$name: no input breaks it") or diag $said;
    my ($count) = $out =~ /(\d+) inputs/;
    cmp_ok($count // 0, '>', 100, "$name: of many");
}

done_testing();
