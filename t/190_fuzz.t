#!/usr/bin/perl
#
# The hand-written parsers by libFuzzer under the sanitizers, some seconds each:
#
#   FUZZ_S=600 make test T=t/190_fuzz.t

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir run_command);

# What the extension writes and reads is fuzzed where it is.
my $cluster = Appt::Cluster->new;
$cluster->psql('SET client_min_messages = warning; '
    . 'CREATE EXTENSION bioecko_appt CASCADE');
$ENV{APPT_FUZZ_DSN} = $cluster->dsn;

chdir root_dir() . '/gateway' or die "cannot enter gateway/: $!\n";
my $seconds = $ENV{FUZZ_S} // 3;
my ($exit, $out, $said) = run_command([qw(make -s -j2 fuzz-build)]);
is($exit, 0, 'the fuzz targets are built') or diag $out, $said;
for my $source (glob 'fuzz/*_fuzz.c') {
    my ($name) = $source =~ m{fuzz/(\w+)_fuzz};
    ($exit, $out, $said) = run_command([ 'fuzz/run', "build/fuzz/$name",
        $seconds ]);
    is($exit, 0, "$name: no input breaks it") or diag $said;
    my ($count) = $said =~ /number_of_executed_units: (\d+)/;
    cmp_ok($count // 0, '>', 100, "$name: of many");
}

done_testing();
