#!/usr/bin/perl
#
# The clinic's page, Patients: found while one types, changed by the fields that
# were changed, registered once. What the page did is judged by the database.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);
use JSON::PP ();

my $clinic  = Appt::Clinic->new;
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my $patient = $cluster->row(
    "SELECT p.patient_id AS id, first_name || ' ' || last_name AS name, phone,
        first_name, last_name, date_of_birth::text, email, address_state AS state
    FROM appt.patient p JOIN appt.appointment a USING (patient_no)
    WHERE date_of_birth IS NOT NULL AND phone IS NOT NULL
    GROUP BY p.patient_id ORDER BY count(*) DESC, p.patient_id LIMIT 1");
my $hostile = $http->post('/api/v1/patients', {
        first_name => '<script>ran=1</script>',
        last_name  => '<img src=x onerror="ran=2">',
        address    => { line1 => '"><script>ran=3</script>' } })->{json};
my $count = $cluster->value('SELECT count(*) FROM appt.patient');

my $seen = run_desk($clinic, 'admin_patients.js',
    [qw(patients:read patients:write)], {
        role => 'reception',
        patient => $patient,
        double => { map { $_ => $patient->{$_} }
                qw(first_name last_name date_of_birth phone) },
        hostile => { id => $hostile->{patient_id}, name => $hostile->{name} } });

is($seen->{first}, 20, 'a page of patients');
is($seen->{more}, 40, 'and the next one below it');
cmp_ok($seen->{searches}, '<', $seen->{letters}, 'not each letter is asked for');
like($seen->{found}[0], qr/\Q$patient->{name}\E.*\Q$patient->{phone}\E/s, 'by name');
is($seen->{visits}, $cluster->value('SELECT least(50, count(*)) FROM appt.appointment
    JOIN appt.patient USING (patient_no) WHERE patient.patient_id = $1
    AND status <> \'held\'', $patient->{id}), 'all visits are shown');

is(scalar @{ $seen->{refused} }, 1, 'one field is refused');
is($seen->{refused}[0][0], 'E-mail', 'the one that is wrong');
like($seen->{refused}[0][1], qr/\w+ \w+/, 'in the words of the server');
is($seen->{refused}[0][2], 'true', 'which a screen reader is told of');
is($seen->{kept}, 'Thane', 'what was typed outlives another page');
is_deeply($seen->{both}, ['+44 20 7946 0999', 'Thane'],
    'both desks\' changes are there after a 412');
my $last = $seen->{changes}[-1];
is_deeply($last->{body}, { email => 'ishita@example.com', consent => JSON::PP::true,
        address => { city => 'Thane' } }, 'only what was changed is sent');
is($last->{match}, '"2"', 'for the version that was seen');
is_deeply($cluster->row('SELECT phone, email, address_city, address_state, consent::text,
        version FROM appt.patient WHERE patient_id = $1', $patient->{id}),
    { phone => '+44 20 7946 0999', email => 'ishita@example.com', address_city => 'Thane',
        address_state => $patient->{state}, consent => 'true', version => 3 },
    'the database has both, and nothing else');

like($seen->{warned}, qr/\Q$patient->{name}\E.*name.*date of birth/s,
    'who might be the same is shown before, and by what');
is($seen->{unseen}, 0, 'a click as they come says nothing of them');
is($seen->{typed}, $patient->{first_name}, 'a lost answer loses nothing typed');
is($seen->{keys}[0], $seen->{keys}[1], 'the second try is the same deed');
is($cluster->value('SELECT count(*) FROM appt.patient'), $count + 1,
    'one patient was registered');
is($cluster->value('SELECT concat_ws(\' \', first_name, last_name) FROM appt.patient
    WHERE patient_id = $1', $seen->{registered}), $patient->{name}, 'the one shown');

is($seen->{hostile}, $hostile->{name}, 'what looks like a script is text');
is($seen->{ran}, undef, 'and runs nowhere');
is($seen->{hindi}, "\x{92e}\x{930}\x{940}\x{91c}\x{93c}", 'it is there in Hindi');
behaves($seen);

done_testing();
