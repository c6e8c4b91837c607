#!/usr/bin/perl
#
# The clinic's page, Settings > Staff, by one who has signed in: accounts added,
# changed, given another password, deleted; one-time codes taken away; who is
# signed in, and out; who looked at a patient. Judged by the database and by signing in.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);
use Appt::SignIn;

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
my $visit   = $cluster->row('SELECT branch_id, name, doctor_id, patient_id
    FROM appt.appointment JOIN appt.branch USING (branch_id)
    ORDER BY appointment_id LIMIT 1');
my $program = $clinic->create_client(name => 'Laboratory', scopes => ['patients:read']);
is($clinic->http($program)->get("/api/v1/patients/$visit->{patient_id}")->{status}, 200,
    'a program looks at a patient');
my $coded   = Appt::SignIn::account($clinic, account => 'coded', name => 'Coded');
$cluster->value(q{UPDATE appt.staff SET totp_secret = 'twenty bytes of a k.'
    WHERE staff_id = $1 RETURNING 1}, $coded->{staff_id});

my $seen = run_desk($clinic, 'admin_staff.js', [qw(staff:manage)],
    { role => 'admin', branch => $visit, doctor => $visit, patient => $visit->{patient_id},
        coded => $coded->{staff_id} });

like($seen->{notSame}, qr/not the same/, 'a password is typed twice');
is($seen->{sentUnequal}, 0, 'and sent when both are the same');
is($seen->{short}, 'Password', 'the server refuses a short one, at its field');
is_deeply($cluster->row('SELECT name, role, branch_ids::text, doctor_id, language, active,
    email, department_ids::text FROM appt.staff WHERE account = $1', 'leela'),
    { name => 'Leela Nair', role => 'reception', language => 'hi', doctor_id => undef,
        email => 'leela@clinic.example', department_ids => '{CARD}', branch_ids => "{$visit->{branch_id}}", active => 1 },
    'the account has what two desks gave it');
is_deeply($cluster->query(q{SELECT actor, detail FROM appt.staff_audit
    WHERE account = 'leela' AND action = 'updated' ORDER BY staff_audit_no}),
    [ map { { actor => "staff:$seen->{account}", detail => $_ } } 'language',
        'doctor_id, name, role' ], 'each what it changed, and no more');
like($seen->{match}, qr/^"\d+"$/, 'for the version that was shown');

like($seen->{row}[3], qr/^Chrome \d+ on Linux\s+127[.]0[.]0[.]1$/,
    'a sign-in has its browser and address');
is_deeply([ map { $_ > 0 } @{ $seen->{cutOff} } ], [ !!0, !!0 ], 'all of which is seen');
like($seen->{own}, qr/\Q$seen->{account}\E/, 'one\'s own is known');
is_deeply([ @$seen{qw(before stillIn after)} ], [ 200, 200, 401 ],
    'who is signed out is, once that is confirmed');
is($cluster->value(q{SELECT count(*) FROM appt.staff_audit
    WHERE account = 'leela' AND action = 'signed_out' AND actor = $1},
    "staff:$seen->{account}"), 1, 'by the one who did it');
is(Appt::SignIn->new($clinic->gateway->url, account => 'leela',
    password => $seen->{second})->answer->{status}, 200, 'the other password is good');

is_deeply([ map { my ($when, @rest) = @$_; [ @rest ] } @{ $seen->{history} } ],
    [ [ 'New password', $seen->{account} ], [ 'Changed', 'Doctor, Name, Role', $seen->{account} ],
        [ 'Changed', 'Language', $seen->{account} ], [ 'Signed out', $seen->{account} ],
        [ 'Signed in', 'the person', '127.0.0.1' ], [ 'Added', $seen->{account} ] ],
    'an account\'s history says what was done, by whom and from where');
is_deeply([ grep { $_->[0] !~ m{^\d\d/\d\d/\d{4}\b} } @{ $seen->{history} } ], [], 'and when');

is_deeply($cluster->row('SELECT totp_secret, active, deleted_at IS NOT NULL AS gone
    FROM appt.staff WHERE staff_id = $1', $coded->{staff_id}),
    { totp_secret => undef, active => 0, gone => 1 }, 'an account is deleted');
is($cluster->value(q{SELECT string_agg(action, ' ' ORDER BY staff_audit_no)
    FROM appt.staff_audit WHERE account = 'coded' AND actor = $1}, "staff:$seen->{account}"),
    'totp_reset deleted', 'its codes before');
is($seen->{askedFirst}, 0, 'once that is confirmed');
like($seen->{ownDeleted}, qr/Somebody else/, 'one\'s own is refused in a sentence');
is_deeply([ grep { $_->[1] =~ /^All/ } @{ $seen->{looked} } ], [
        [ "Person 2\nstaff:$seen->{account}", 'All of the patient' ],
        [ "Leela Nair\nstaff:leela", 'All of the patient' ],
        [ "Laboratory\nclient:$program->{client_id}", 'All of the patient' ] ],
    'who looked at the patient is seen, last first');
is($seen->{shownToDoctor}, 0, 'by who manages staff');
is($seen->{ran}, undef, 'what looks like a script runs nowhere');
is($seen->{hindi}, "\x{915}\x{930}\x{94d}\x{92e}\x{91a}\x{93e}\x{930}\x{940}",
    'it is there in Hindi');
behaves($seen);

done_testing();
