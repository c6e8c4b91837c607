#!/usr/bin/perl
#
# The script of the clinic's page comes in parts: those of the other pages are
# there before anybody looks, so that a server that is lost takes none away; one
# that does not come is said, asked for again, and comes by itself; of a gateway
# of another build the page is loaded anew, once. What is asked while the script
# is loaded is not asked again.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk);

my $clinic  = Appt::Clinic->new(clock => '2026-03-16T08:50:00+05:30');
my $gateway = $clinic->gateway;

my $seen = run_desk($clinic, 'admin_parts.js', ['patients:read'], { role => 'admin',
        date => '2026-03-17', wishes => {
            stop  => sub { $gateway->kill9 },
            start => sub { $gateway->start },
        } });
is_deeply($seen->{complaints}, [], 'the browser complains of nothing else');

is($seen->{first}{parts}, 'calendar', 'first the part of the page that is looked at');
is_deeply($seen->{first}{twice}, [], 'nothing is asked twice');
is_deeply($seen->{first}{early}, [ map {"/api/v1/$_"} qw(auth/session branches
        branches/LON-01/calendar departments doctors visit-types) ],
    'what it needs is asked before its script is there');
is_deeply($seen->{nobody}{early}, ['/api/v1/auth/session'],
    'where nobody is signed in, only whether somebody is');

is($seen->{ahead}, 'account calendar patients reports settings today',
    'then the others, one after another');
like($seen->{lost}{banner}, qr/The server cannot be reached/, 'a lost server is said');
is($seen->{lost}{heading}, 'Today', 'and takes no page away');
is($seen->{lost}{loads}, 0, 'nothing is loaded anew');

like($seen->{late}{alert}, qr/\S/, 'a part that does not come, of a server that is lost, is said');
is($seen->{late}{heading}, 'Patients', 'and comes once the server is back');
cmp_ok($seen->{late}{loads}, '<=', 1, 'the page is loaded anew once, if at all');

is($seen->{changed}{heading}, 'Patients', 'of another build, the page is there');
is($seen->{changed}{loads}, 1, 'loaded anew, once');

like($seen->{never}{alert}, qr/\S/, 'a part that does not come is said');
is($seen->{never}{loads}, 1, 'the page is loaded anew once, not again and again');
is($seen->{never}{other}, 'Today', 'the others can be looked at');
is($seen->{never}{heading}, 'Patients', 'and it is there once it comes');

done_testing();
