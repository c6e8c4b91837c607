#!/usr/bin/perl
#
# docs/sql.md, every example of it, from an empty cluster to the end: what the
# page says a statement prints is what it prints.
#
# In the page, a ```sql block is run by psql as the role dba (```sql superuser:
# as the superuser), an ```sh block by sh; a ```text block after one is its
# output, errors included; "…" in it stands for a random id or secret, and the
# widths of columns do not count. <!-- clock: ... --> stops the extension's clock.
#
# APPT_TEST_WRITE=1 writes the output into the page instead.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir run_command slurp temp_dir);

binmode $_, ':utf8'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $page = root_dir() . '/docs/sql.md';
my $c    = Appt::Cluster->new;
my $tmp  = temp_dir();
my $text = slurp($page);
utf8::decode($text);

$ENV{PGOPTIONS} = '-c client_min_messages=notice';
my ($blocks, $outputs) = (0, 0);
my $new = '';
while ($text =~ /\G(.*?)(<!--[ ]clock:[ ](\S+[ ]\S+)[ ]-->\n|
        ^```(sql|sh)(?:[ ](\w+))?\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?|\z)/gmsx) {
    my ($before, $all, $clock, $kind, $as, $code, $expected) =
        ($1, $2, $3, $4, $5, $6, $7);
    $new .= $before;
    last if $all eq '';
    if (defined $clock) {
        $c->freeze_clock($clock);
        $new .= $all;
        next;
    }
    my ($title) = ($new =~ /.*^(#+ [^\n]*)/ms);
    my $line = 1 + ($new =~ tr/\n//);
    my ($status, $got) = run_block($kind, $as // 'dba', $code);
    $blocks++;
    $outputs++ if defined $expected;
    $new .= '```' . $kind . ($as ? " $as" : '') . "\n$code```\n"
        . ($got eq '' ? '' : "\n```text\n" . masked($got) . "```\n");
    next if $ENV{APPT_TEST_WRITE};
    is(comparable($got), comparable($expected // ''),
        "sql.md:$line ($title)") or diag $code;
    is($status, 0, "sql.md:$line: it ends well") if $kind eq 'sh';
}

if ($ENV{APPT_TEST_WRITE}) {
    utf8::encode($new);
    open my $fh, '>', $page or die "$page: $!\n";
    print {$fh} $new;
    close $fh;
    pass('written');
}
cmp_ok($blocks,  '>', 38, "the page has many examples ($blocks)");
cmp_ok($outputs, '>', 34, "and shows what comes of most ($outputs)");
done_testing;
chdir '/';    # the directory goes away

# Output and errors together, as one sees them in a terminal.
sub run_block {
    my ($kind, $as, $code) = @_;
    local %ENV = (%ENV, PGHOST => $c->host, PGPORT => $c->port,
        PGDATABASE => $c->database, PGTZ => 'Asia/Kolkata',
        PGUSER => $as eq 'dba' && $kind eq 'sql' ? 'dba' : 'postgres',
        HOME => "$tmp", PATH => $c->{bindir} . ":$ENV{PATH}");
    chdir $tmp or die "$tmp: $!\n";
    utf8::encode($code);
    my @command = $kind eq 'sql'
        ? ('sh', '-c', 'exec psql -X -q -P pager=off -v SHOW_CONTEXT=never 2>&1')
        : ('sh', '-c', "exec 2>&1\n$code");
    my ($status, $out) = run_command(\@command, $kind eq 'sql' ? $code : '');
    utf8::decode($out);
    $out =~ s/[ \t]+$//mg;
    $out =~ s/\n+\z/\n/;
    return ($status, $out);
}

# Random ids, of the same length.
sub masked {
    my ($out) = @_;
    $out =~ s/\b(wh|evt|cl|cs|hold|dlv)_([\w-]{22})(?![\w-])/
        "$1_…" . ' ' x 21/ge;
    $out =~ s{whsec_[\w+/]{43}=}{'whsec_…' . ' ' x 43}ge;
    $out =~ s/[ \t]+$//mg;
    return $out;
}

# What must be equal: without widths and with the page's "…" everywhere.
sub comparable {
    my ($out) = @_;
    $out = masked($out);
    $out =~ s/-{2,}/-/g;
    $out =~ s/[ \t]+/ /g;
    $out =~ s/ ?(?=\n)//g;
    return $out;
}
