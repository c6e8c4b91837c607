#!/usr/bin/perl
#
# What is built runs elsewhere: with flags of a distribution's own, beside a
# server of an earlier minor version, by a compiler that warns of more.

use strict;
use warnings;
use Test::More;
use Appt::Util qw(root_dir run_command slurp temp_dir);

my $root = root_dir();
my $dir  = temp_dir();

sub make {
    my ($code, $out, $err) = run_command(['make', '--no-print-directory', @_]);
    return wantarray ? ($code, $out . $err) : $code;
}

# What minor versions have had since 2026 only: a library that needs one of
# them would not load into those before.
my @new = qw(palloc_mul palloc0_mul repalloc_mul palloc_mul_extended
    DatumGetHeapTupleHeader);
my ($code, $symbols, $err) = run_command(
    ['nm', '-D', '--undefined-only', "$root/bioecko_appt.so"]);
is($code, 0, 'the library is there') or diag $err;
like($symbols, qr/^ +U palloc(?:@.*)?$/m, 'and uses PostgreSQL');
for my $symbol (@new) {
    unlike($symbols, qr/^ +U \Q$symbol\E\b/m, "but can do without $symbol");
}

# What is loaded after it and has a function of the same name keeps it.
($code, $symbols) = run_command(
    ['nm', '-D', '--defined-only', "$root/bioecko_appt.so"]);
my @exported = map { (split)[2] } split /\n/, $symbols;
my %called = map { $_ => 1 } map {m/^pg_finfo_(\w+)/} @exported;
ok(%called > 50, 'PostgreSQL finds functions in the library');
is_deeply([sort grep { !$called{ s/^pg_finfo_//r } } @exported],
    [qw(Pg_magic_func _PG_init)], 'and nothing else of it is to be seen');

# One object with the flags that distributions give; they know no sanitizers.
my @object = ('ASAN=', '-C', "$root/gateway", "BUILD=$dir", 'V=1', "$dir/common/buf.o");
for my $flags ('CFLAGS=-O2 -D_FORTIFY_SOURCE=3',
    'CPPFLAGS=-D_FORTIFY_SOURCE=3') {
    unlink "$dir/common/buf.o";
    my ($failed, $said) = make(@object, 'WERROR=1', $flags);
    is($failed, 0, "it is built with $flags") or diag $said;
    like($said, qr/-D_FORTIFY_SOURCE=3/, 'which are taken');
    unlike($said, qr/-D_FORTIFY_SOURCE=2/, 'as they are');
}
unlink "$dir/common/buf.o";
my ($failed, $said) = make(@object);
like($said, qr/-D_FORTIFY_SOURCE=2/, 'without such flags it has its own');
unlike($said, qr/-Werror/, 'and a warning is no error');

for my $program (qw(bioecko-gateway bioecko-relay)) {
    my $file = ($ENV{APPT_TEST_BUILD} // "$root/gateway/build") . "/$program";
    my (undef, $dynamic) = run_command(['readelf', '-dlW', $file]);
    like($dynamic, qr/BIND_NOW|FLAGS.*NOW/, "$program: all is bound at the start");
    like($dynamic, qr/GNU_RELRO/, 'and read-only from then on');
}

# A call with more parameters than there is room for is found by the compiler.
my ($copied) = run_command(['cp', '-r', "$root/gateway/contract", "$dir/contract"]);
is($copied, 0, 'the contract is copied');
my $wide = join '', map {"      p$_: {is: integer, about: One of many}\n"} 1 .. 21;
my $queue = slurp("$dir/contract/queue.yaml");
$queue =~ s/^calls:\n/calls:
  GET \/api\/v1\/queue\/wide:
    id: wideCall
    summary: Too wide
    scope: appointments:read
    function: wide
    scalar: true
    query:
${wide}    answers: Nothing
    answer: object
/m or die 'queue.yaml has no calls';
open my $fh, '>', "$dir/contract/queue.yaml" or die $!;
print {$fh} $queue;
close $fh;
($code, undef, $err) = run_command(["$dir/contract/generate", $dir]);
is($code, 0, 'a call of 21 parameters is written down') or diag $err;
($code, undef, $err) = run_command(['cc', '-fsyntax-only', '-I', $dir,
    '-I', "$root/gateway", '-I', "$root/extension", "$dir/routes.gen.c"]);
isnt($code, 0, 'and does not compile');
like($err, qr/wideCall: more parameters than ROUTE_PARAMS_MAX/, 'with its name');

done_testing;
