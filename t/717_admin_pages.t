#!/usr/bin/perl
#
# The clinic's page: each page that a link leads to, in Hindi, passes axe and the
# checks in both themes, at a desk and on a telephone; so do its states.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

my $now  = '2026-03-16T08:50:00+05:30';
my $seen = run_desk(Appt::Clinic->new(clock => $now), 'admin_pages.js', ['patients:read'],
    { role => 'admin', now => $now });

cmp_ok(scalar @{ $seen->{pages} }, '>=', 25, 'the menu, the reports and the settings');
is_deeply([ map { @$_ } values %{ $seen->{english} } ], [], 'none has a sentence in English');
like($seen->{failed_in}, qr/^[^A-Za-z]+$/, 'nor has a failure');
behaves($seen);

done_testing();
