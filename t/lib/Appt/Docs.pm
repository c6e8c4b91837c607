package Appt::Docs;

# A page of docs/ whose examples are run, one after the other: what the page
# says a block prints is what it prints.
#
#   Appt::Docs::run_page('sql.md', cluster => $c, blocks => 38, outputs => 34);
#
# In the page, a ```sql block is run by psql as the role dba (```sql superuser:
# as the superuser), an ```sh block by sh; a ```text block after one is its
# output, errors included; "…" in it stands for a random id or secret, and the
# widths of columns do not count. <!-- clock: ... --> stops the extension's
# clock. Other blocks (```console) are not run. blocks and outputs: how many
# the page must have at least.
#
# APPT_TEST_WRITE=1 writes the output into the page instead.

use strict;
use warnings;
use utf8;
use Appt::Util qw(root_dir run_command slurp temp_dir);
use Test::More;

binmode $_, ':utf8'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

sub run_page {
    my ($name, %arg) = @_;
    my $page = root_dir() . "/docs/$name";
    my $text = slurp($page);
    utf8::decode($text);
    my $self = { cluster => $arg{cluster}, directory => temp_dir(),
        env => $arg{env} // {} };

    local $ENV{PGOPTIONS} = '-c client_min_messages=notice';
    my ($blocks, $outputs) = (0, 0);
    my $new = '';
    while ($text =~ /\G(.*?)(<!--[ ]clock:[ ](\S+[ ]\S+)[ ]-->\n|
            ^```(sql|sh)(?:[ ](\w+))?\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?|\z)/gmsx) {
        my ($before, $all, $clock, $kind, $as, $code, $expected) =
            ($1, $2, $3, $4, $5, $6, $7);
        $new .= $before;
        last if $all eq '';
        if (defined $clock) {
            $arg{cluster}->freeze_clock($clock);
            $new .= $all;
            next;
        }
        my ($title) = ($new =~ /.*^(#+ [^\n]*)/ms);
        my $line = 1 + ($new =~ tr/\n//);
        my ($status, $got) = _run_block($self, $kind, $as // 'dba', $code);
        $blocks++;
        $outputs++ if defined $expected;
        $new .= '```' . $kind . ($as ? " $as" : '') . "\n$code```\n"
            . ($got eq '' ? '' : "\n```text\n" . _masked($got) . "```\n");
        next if $ENV{APPT_TEST_WRITE};
        is(_comparable($got), _comparable($expected // ''),
            "$name:$line ($title)") or diag $code;
        is($status, 0, "$name:$line: it ends well") if $kind eq 'sh';
    }
    _write($page, $new) if $ENV{APPT_TEST_WRITE};
    cmp_ok($blocks, '>=', $arg{blocks}, "the page has many examples ($blocks)");
    cmp_ok($outputs, '>=', $arg{outputs},
        "and shows what comes of them ($outputs)");
    chdir '/';    # the directory goes away
    return;
}

sub _write {
    my ($page, $text) = @_;
    utf8::encode($text);
    open my $fh, '>', $page or die "$page: $!\n";
    print {$fh} $text;
    close $fh or die "$page: $!\n";
    pass('written');
    return;
}

# Output and errors together, as one sees them in a terminal.
sub _run_block {
    my ($self, $kind, $as, $code) = @_;
    my $c = $self->{cluster};
    local %ENV = (%ENV, PGHOST => $c->host, PGPORT => $c->port,
        PGDATABASE => $c->database, PGTZ => 'Asia/Kolkata',
        PGUSER => $as eq 'dba' && $kind eq 'sql' ? 'dba' : 'postgres',
        HOME => "$self->{directory}", PATH => $c->{bindir} . ":$ENV{PATH}",
        %{ $self->{env} });
    chdir $self->{directory} or die "$self->{directory}: $!\n";
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
sub _masked {
    my ($out) = @_;
    $out =~ s/\b(wh|evt|cl|cs|hold|dlv)_([\w-]{22})(?![\w-])/
        "$1_…" . ' ' x 21/ge;
    $out =~ s{whsec_[\w+/]{43}=}{'whsec_…' . ' ' x 43}ge;
    $out =~ s/[ \t]+$//mg;
    return $out;
}

# What must be equal: without widths and with the page's "…" everywhere.
sub _comparable {
    my ($out) = @_;
    $out = _masked($out);
    $out =~ s/-{2,}/-/g;
    $out =~ s/[ \t]+/ /g;
    $out =~ s/ ?(?=\n)//g;
    return $out;
}

1;
