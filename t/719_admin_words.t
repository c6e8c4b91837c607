#!/usr/bin/perl
#
# The pages' words: each is said somewhere (gateway/web/words.js), and English
# and Hindi have the same; one that is planted is found.

use strict;
use warnings;
use Test::More;
use Appt::Node;
use Appt::Util qw(run_command slurp temp_dir);

my $node = Appt::Node->new('gateway/web')
    or plan skip_all => 'npm is not installed';
my $web = $node->directory;
-e "$web/types/openapi.ts" or plan skip_all => 'the pages were not built';

my ($code, $out, $err) = $node->run('words.js');
is($code, 0, 'every word is said') or diag $out, $err;

# The pages once more, with other words in some files: file => [from, to, ...].
my @copy;

sub copy_with {
    my (%change) = @_;
    push @copy, my $root = temp_dir();
    my $dir = "$root/gateway/web";
    mkdir $_ or die "$_: $!\n" for "$root/gateway", $dir;
    symlink "$web/../../deploy", "$root/deploy" or die $!;
    ($code, undef, $err) = run_command(['cp', '-R', map({"$web/$_"}
        qw(src types tsconfig.json package.json words.js)), $dir]);
    is($code, 0, 'a copy') or BAIL_OUT($err);
    symlink "$web/node_modules", "$dir/node_modules" or die $!;
    for my $file (sort keys %change) {
        my $text = slurp("$dir/src/$file");
        my @pair = @{ $change{$file} };
        while (my ($from, $to) = splice @pair, 0, 2) {
            $text =~ s/\Q$from\E/$to/ or die "$file has no $from\n";
        }
        open my $fh, '>', "$dir/src/$file" or die "$file: $!\n";
        print {$fh} $text;
        close $fh;
    }
    return $dir;
}

# One in a list of its own file, one deeper in the general list, one of the
# board; and a word that is said no more.
my $planted = copy_with(
    'admin/i18n/account.ts' => [ 'en: {', 'en: { plantedHere: "x",',
        'hi: {', 'hi: { plantedHere: "x",' ],
    'admin/i18n/en.ts' => [ 'shell: {', 'shell: { plantedDeep: (n: number) => `${n}`,' ],
    'admin/i18n/hi.ts' => [ 'shell: {', 'shell: { plantedDeep: (n) => `${n}`,' ],
    'board/words.ts' => [ 'en = {', 'en = { plantedThere: "x",', 'hi: Words = {',
        'hi: Words = { plantedThere: "x",' ],
    'admin/pages/account.tsx' => [ '{w.kept}', '"x"' ]);
($code, $out, $err) = $node->run("$planted/words.js");
is($code, 1, 'what no page says');
is_deeply([ sort map {/^(\S+):\d+: no page says (\w+)$/ ? "$1 $2" : $_} split /\n/, $out ],
    [ 'src/admin/i18n/account.ts kept', 'src/admin/i18n/account.ts plantedHere',
        'src/admin/i18n/en.ts plantedDeep', 'src/board/words.ts plantedThere' ],
    'is found, and nothing else') or diag $out, $err;

# Lacking in Hindi, and there alone.
my $uneven = copy_with(
    'admin/i18n/account.ts' => [ 'en: {', 'en: { lacksHere: "x",', 'hi: {', 'hi: { aloneHere: "x",' ],
    'admin/i18n/en.ts' => [ 'shell: {', 'shell: { lacksDeep: "x",' ],
    'admin/i18n/hi.ts' => [ 'shell: {', 'shell: { aloneDeep: "x",' ],
    'board/words.ts' => [ 'en = {', 'en = { lacksThere: "x",', 'hi: Words = {',
        'hi: Words = { aloneThere: "x",' ]);
($code, $out, $err) = run_command(['sh', '-c', 'cd "$0" && exec node_modules/.bin/tsc --project .',
    $uneven]);
isnt($code, 0, 'what one language lacks, or has alone, does not compile');
my ($own, $general, $board) = map { my $file = $_; join ' ', grep {/\Q$file\E/} split /\n(?=\S)/, $out }
    'i18n/account.ts', 'i18n/hi.ts', 'board/words.ts';
like($own, qr/lacksHere|aloneHere/, 'in a file of its own');
like($general, qr/lacksDeep|aloneDeep/, 'in the general list');
like($board, qr/lacksThere|aloneThere/, 'on the board');

done_testing();
