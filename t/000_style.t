#!/usr/bin/perl
#
# The house rules that a machine can check: lengths, banned calls, install
# script rules, every test file run by something.

use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;
use Appt::Util qw(root_dir slurp run_command);

chdir root_dir() or die "cannot enter the project's directory: $!\n";

my @c    = sort map { glob "$_/*.c $_/*.h" }
    qw(extension gateway/common gateway/http gateway/relay);
my @part = sort glob 'extension/schema/*/*.sql';
@part or die "where are the parts of the install script?\n";
my @sql  = (@part, glob('sql/*.sql'), glob('demo/*.sql'));
my %lines = map { $_ => [split /\n/, slurp($_), -1] } @c, @sql;

# Passes if there is nothing to say; lists what there is.
sub clean {
    my ($rule, @complaints) = @_;
    ok(!@complaints, $rule) or diag map {"    $_\n"} @complaints;
}

# file:line for each line of the files for which the code is true.
sub where {
    my ($code, @files) = @_;
    my @found;
    for my $file (@files) {
        my $number = 0;
        for (@{ $lines{$file} }) {
            $number++;
            push @found, "$file:$number: $_" if $code->($_);
        }
    }
    return @found;
}

# Width in columns with a tab stop at each fourth.
sub width {
    my ($line) = @_;
    utf8::decode($line);
    1 while $line =~ s/\t/' ' x (4 - $-[0] % 4)/e;
    return length $line;
}

# C text without comments and literals, lines kept.
sub bare {
    my ($text) = @_;
    $text =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')}
        {my $gone = $1; $gone =~ s/[^\n]//g; $gone}gse;
    return $text;
}

# A message that ends its line stays whole, so that it can be searched for; so
# does a row of the error table.
sub is_wide {
    my ($line) = @_;
    return 0 if width($line) <= 80 || $line =~ /^\tX\(/;
    return $line !~ /^\s*(?:return )?(?:\w+\()?"(?:\\.|[^"\\])*"[,;)]*$/;
}

clean('no line of C or SQL is wider than 80 columns',
    where(\&is_wide, @c, @part, glob 'demo/*.sql'));
clean('no line of a regression test is wider than 100 columns',
    where(sub { width($_[0]) > 100 }, glob 'sql/*.sql'));

clean('no blank before a line\'s end, no spaces for tabs in C',
    where(sub { $_[0] =~ /[ \t]$/ }, @c, @sql),
    where(sub { $_[0] =~ /^ {4,}\S/ }, @c));

# One that the database's encoding cannot hold would fail before it says why.
clean('the install script is ASCII',
    where(sub { $_[0] =~ /[^\x00-\x7f]/ }, @part));

clean('every file ends with one line end',
    grep { slurp($_) !~ /[^\n]\n\z/ } @c, @sql);

# universal-ctags gives each function's first and last line.
my @long;
my ($code, $tags, $error) = run_command(
    ['ctags', '--languages=C', '--map-C=+.h', '--kinds-C=f', '--fields=+ne',
        '--sort=no', '-f', '-', @c]);
is($code, 0, 'ctags runs') or diag $error;
for (split /\n/, $tags) {
    my ($name, $file) = split /\t/;
    my ($from) = /\tline:(\d+)/;
    my ($to)   = /\tend:(\d+)/ or next;
    push @long, "$file:$from: $name has " . ($to - $from + 1) . ' lines'
        if $to - $from + 1 > 100;
}
clean('no C function is longer than 100 lines', @long);

clean('no C file is longer than 600 lines',
    map  {"$_: " . (@{ $lines{$_} } - 1) . ' lines'}
    grep { /\.c$/ && @{ $lines{$_} } > 601 } @c);

my %said;
for my $file (@c) {
    my $number = 0;
    for (split /\n/, bare(slurp($file))) {
        $number++;
        push @{ $said{banned} }, "$file:$number: $1" if
            /(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca)\s*\(/;
        push @{ $said{curl} }, "$file:$number" if
            /curl_easy_setopt\s*\(/ && !/\\$/;
    }
}
clean('none of strcpy, strcat, sprintf, strtok, atoi, gets is called',
    @{ $said{banned} // [] });

# Inside the macro, lines are continued.
clean('curl_easy_setopt is called through the checked macro only',
    @{ $said{curl} // [] });

clean('every C file opens with its name',
    grep { my ($name) = m{([^/]+)$};
        slurp($_) !~ m{\A/\*[-\s*]*\Q$name\E\b} } @c);

# Where they stand in many files, one is forgotten.
clean('rights are given and taken in roles/grants.sql alone',
    where(sub { $_[0] =~ /^(?:GRANT|REVOKE)\b/ },
        grep { !m{roles/grants} } @part));

clean('a file of extension/ or gateway/ includes nothing of the other',
    where(sub { $_[0] =~ m{^#include "(?:\.\./)+extension/(?!appt_errors)} },
        grep {m{^gateway/}} @c),
    where(sub { $_[0] =~ m{^#include "[^"]*gateway/} },
        grep {m{^extension/}} @c));

# Install scripts (CVE-2022-2625, CVE-2018-1058).
my %sql_text = map { $_ => slurp($_) } @part;
s{--[^\n]*|/\*.*?\*/}{}gs for values %sql_text;

clean('no install script says OR REPLACE or IF NOT EXISTS for an object',
    grep { $sql_text{$_} =~
        /\b(?:CREATE\s+OR\s+REPLACE|CREATE\s+[\w ]+?\s+IF\s+NOT\s+EXISTS)\b/i }
        @part);

# Its statements are given their search_path by the library.
my %guarded = ('appt_api.slots' => 1);

my (%function, @unguarded, @unstated);
for my $file (@part) {
    while ($sql_text{$file} =~
        /CREATE\s+(FUNCTION|PROCEDURE)\s+([\w.]+)\s*\((.*?)(?:\$\$|\bAS\s+'|;)/gsi) {
        my ($kind, $name, $rest) = (uc $1, $2, $3);
        $function{$name} = $file;
        push @unguarded, "$file: $name"
            if $rest =~ /SECURITY\s+DEFINER/i && !$guarded{$name}
                && $rest !~ /SET\s+search_path/i;
        push @unstated, "$file: $name"
            if $kind eq 'FUNCTION' && ($rest !~ /\b(?:VOLATILE|STABLE|IMMUTABLE)\b/i
                || $rest !~ /\bPARALLEL\b/i);
    }
}
clean('every SECURITY DEFINER function sets its search_path', @unguarded);
clean('every function states volatility and PARALLEL', @unstated);

# Every test is run by something: the runner takes sql/*.sql, specs/*.spec and
# t/*.t, and each of the first two needs what to compare with.
my %test = map { m{([^/]+)\.(?:sql|spec)$} => $_ }
    glob('sql/*.sql'), glob('specs/*.spec');
my %expected = map { m{([^/]+?)(?:_\d)?\.out$} => $_ } glob 'expected/*.out';
clean('every regression and isolation test has its expected output',
    map { $test{$_} } grep { !$expected{$_} } sort keys %test);
clean('every expected output has its test',
    map { $expected{$_} } grep { !$test{$_} } sort keys %expected);
clean('every TAP file is called NNN_topic.t',
    grep { !m{^t/\d{3}_\w+\.t$} } glob 't/*.t');
my %numbered;
push @{ $numbered{$_->[0]} }, $_->[1]
    for map { m{^(t/\d+)} ? [$1, $_] : () } glob 't/*.t';
clean('no two TAP files have one number',
    map {"@$_"} grep { @$_ > 1 } @numbered{sort keys %numbered});
clean('isolation specs have hyphenated names (they share expected/)',
    grep { !m{^specs/\w+(?:-\w+)+\.spec$} } glob 'specs/*.spec');

# What pages and comments say of the tree is so: a path, a number of a test, or
# a file by its name alone.
my $tops = join '|', map { quotemeta s{/$}{}r } grep {-d} glob('*/'), '.ci/';
my %there = map { m{([^/]+)$} => 1 } grep {-f}
    map { glob "$_/*" } qw(. extension extension/schema/* gateway/* gateway/build
        gateway/web/src gateway/web/src/* gateway/web/src/*/* t t/* bench bench/*
        demo specs sql docs .ci);
my %made = map { $_ => 1 } qw(bench/out);

sub is_there {
    my ($name) = @_;
    return $made{$name} || -e "gateway/$name" || @{[ glob "$name*" ]} if $name =~ m{/};
    return $there{$name};
}

# file:line: each name in the lines that the expression finds and that is not
# there.
sub astray {
    my ($file, $text, $expression) = @_;
    my (@found, $number);
    for (split /\n/, $text) {
        $number++;
        push @found, "$file:$number: $_" for grep { !is_there($_) } /$expression/g;
    }
    return @found;
}

is_deeply([ astray('a', "is in `none.c`\nand t/000_style.t, t/000, `appt.h`",
    qr/(?|(?<![\w.\/%-])((?:$tops)\/[\w.\/-]*\w)|`(\w+\.[ch])`)/) ], ['a:1: none.c'],
    'a file that is not there is found');
my @page = grep {-f} glob('*.md */*.md');
clean('what a page names is there',
    map { astray($_, slurp($_), qr/(?<![\w.\/%-])((?:$tops)\/[\w.\/-]*\w)/) } @page);
clean('so is what it names without a folder',
    map { astray($_, slurp($_), qr/`(\w+\.(?:[cht]|spec))`/) } @page);
clean('so is what it leads to', map { my $page = $_;
    grep { my ($to) = /: (.*)/; !-e dirname($page) . "/$to" }
        astray($page, slurp($page), qr{\]\((?!\w+:)([^)#\s]+)}) } @page);
clean('so is what a comment names', map { my $file = $_;
    my $text = slurp($file);
    $text =~ s{("(?:\\.|[^"\\\n])*")}{""}g;
    $text =~ s{(\A|\*/).*?(/\*|\z)}{my $code = $&; $code =~ s/[^\n]//g; $code}gse;
    astray($file, $text, qr{(?<![\w./])([\w/-]+\.(?:c|h|md|t|spec))\b}) } @c);

# docs/design.md, Where a rule lives: one name in each file, or several in one.
my ($rules) = slurp('docs/design.md') =~ /^## Where a rule lives\n(.*?)^## /ms;
my @rule = map { [ map { [ /`([^`]+)`/g ] } (split /\|/)[2, 3] ] }
    grep {/^\| .*`/} split /\n/, $rules // '';
cmp_ok(scalar @rule, '>', 20, 'docs/design.md says where rules live');
clean('and there they are', map {
    my ($files, $names) = @$_;
    my $text = join '', map { -f ? slurp($_) : '' } @$files;
    map {"@$files: $_"} grep { $text !~ /(?<!\w)\Q$_\E(?!\w)/ } @$names;
} @rule);

clean('every script can be executed',
    grep { slurp($_) =~ /\A#!/ && !-x $_ && !/\.t$/ }
        grep {-f} '.ci/run', 't/run', glob('demo/*'), glob('bench/*'));

done_testing;
