#!/usr/bin/perl
#
# Every row of the error table is raised somewhere in the tests of SQL, and
# nothing but its rows: no test expects a state of our class that it has not.

use strict;
use warnings;
use Test::More;
use Appt::Util qw(root_dir slurp);

my $root = root_dir();
my %table;
my $header = slurp("$root/extension/appt_errors.h");
while ($header =~ /^\tX\((\w+),\s+"(\w{5})",\s+(\d+),\s+"(\w+)",\s+"(\w*)"\)/mg) {
    my ($name, $state, $http, $code, $reason) = ($1, $2, $3, $4, $5);
    ok(!$table{$state}, "$state $name stands once in the table");
    $table{$state} = { name => $name, http => $http, code => $code };
    my %group = (0 => 400, T => 401, F => 403, 4 => 404, 9 => 409, P => 412,
        U => 422, 5 => 503);
    is($group{ substr $state, 2, 1 }, $http, "$state $name is a $http");
    is(length $reason > 0, $code eq 'slot_unavailable',
        "$state $name says why just if it is slot_unavailable");
}
cmp_ok(scalar keys %table, '>', 20, 'the table was read');

my %seen;
for my $file (glob("$root/expected/*.out"), glob("$root/t/*.t")) {
    next if $file =~ /440_every_error/;
    my $text = slurp($file);
    $seen{$_}{ $file =~ s{.*/}{}r } = 1
        for $text =~ /\b(SB[0-9A-Z]{3})\b/g;
}
ok($seen{$_}, "$_ $table{$_}{name} is raised in a test") for sort keys %table;
ok($table{$_}, "$_, which a test names, is in the table")
    or diag join ' ', sort keys %{ $seen{$_} } for sort keys %seen;

done_testing;
