#!/usr/bin/perl
#
# The sign-in of the clinic's page in a real browser: refused in the server's
# words, a cookie that no script reads, one-time codes set up and asked for, the
# sign-in asked for again without losing what was typed, a warning before the
# idle end.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

my $clinic = Appt::Clinic->new;
my $seen = run_desk($clinic, 'admin_sign_in.js', [qw(patients:read)],
    { role => 'reception' });
behaves($seen);
like($seen->{wrong}, qr/\S/, 'a wrong password is refused in a sentence');
is_deeply($seen->{cookie}, [ 'bioecko_session', JSON::PP::true(), 'Strict' ],
    'the cookie is for this site and no script');
is_deeply($seen->{device}, [ '/api/v1/auth', JSON::PP::true(), 'Strict' ],
    'that by which the browser is known goes to the sign-in alone');
is($seen->{readable}, '', 'so none reads it');
cmp_ok($seen->{qr}, '>', 0, 'the QR code is drawn');
is($seen->{recovery}, 10, 'ten recovery codes, once');
is($seen->{left}, '10 recovery codes are left.', 'of which the account says how many are left');
is($seen->{twoUsed}, '8 recovery codes are left.', 'less those that were used');
like($seen->{few}, qr/^3 recovery codes are left\. Make new ones/, 'and when it is time for more');
like($seen->{renewRefused}, qr/\S/, 'which need the password');
is($seen->{renewed}, 10, 'ten others');
is($seen->{leftAgain}, '10 recovery codes are left.', 'in the place of the old ones');
like($seen->{emailRefused}, qr/\S/, 'another address needs the password');
is($clinic->cluster->value('SELECT email FROM appt.staff WHERE email IS NOT NULL'),
    'person@clinic.example', 'which sets it');
like($seen->{short}, qr/12/, 'a short password is refused at its field');
is_deeply($seen->{pasted}, [ 'one-time-code', JSON::PP::true() ],
    'the code may be filled in and pasted (WCAG 3.3.8)');
is($seen->{kept}, 'Half typed', 'what was typed outlives the end of a sign-in');
like($seen->{warning}, qr/signed out in 5 minutes/, 'who is idle is warned');
is($seen->{stays}, 0, 'and may stay');
ok(!$seen->{tooSoon}, 'nobody is signed in before the session has ended');
is($seen->{ended}, 401, 'or is signed out, at the server, too');
is($clinic->cluster->value('SELECT count(*) FROM appt.staff_sign_in'), 0,
    'nobody is signed in');

done_testing();
