#!/usr/bin/perl
#
# deploy/systemd: systemd takes the units, finds them well shut in, and the
# settings beside them are ones that the programs know.

use strict;
use warnings;
use Test::More;
use Appt::Program;
use Appt::Util qw(root_dir run_command slurp temp_dir);

plan skip_all => 'systemd-analyze is not installed'
    if (run_command(['sh', '-c', 'command -v systemd-analyze']))[0];

my $deploy = root_dir() . '/deploy';
my $dir    = temp_dir();
my %binary = (gateway => Appt::Gateway->binary, relay => Appt::Relay->binary);

# The unit with the paths of this machine.
sub unit {
    my ($name) = @_;
    my $text = slurp("$deploy/systemd/bioecko-$name.service");
    $text =~ s{/usr/local/bin/bioecko-$name}{$binary{$name}} or die;
    $text =~ s{/etc/bioecko/}{$deploy/} or die;
    my $file = "$dir/bioecko-$name.service";
    open my $fh, '>', $file or die "$file: $!\n";
    print {$fh} $text;
    close $fh;
    return $file;
}

for my $name (sort keys %binary) {
    my $file = unit($name);
    my ($code, $out, $err) = run_command(
        ['systemd-analyze', 'verify', '--man=no', $file]);
    is($code, 0, "$name: systemd takes the unit");
    is($out . $err, '', "$name: without a warning");

    ($code, $out) = run_command(['systemd-analyze', 'security',
        '--offline=yes', '--threshold=20', '--no-pager', $file]);
    is($code, 0, "$name: its exposure is at most 2.0 of 10") or diag $out;

    like(slurp($file), qr/^MemoryMax=\d+[MG]$/m,
        "$name: it cannot take the machine's memory");

    my (undef, $help) = run_command([$binary{$name}, '--help']);
    my @set = slurp("$deploy/$name.env") =~ /^(\w+)=/mg;
    ok(@set > 0, "$name: there are example settings");
    is_deeply([ grep { $help !~ /\b\Q$_\E\b/ } @set ], [],
        "$name: which the program knows");
}

done_testing();
