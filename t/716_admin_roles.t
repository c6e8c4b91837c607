#!/usr/bin/perl
#
# The clinic's page by the role of who signs in: reception has no settings, the
# desk of a department its doctors alone, a doctor the own queue, calendar and
# patients, an admin has all; an address typed by hand opens no more than the
# menu does.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

my $now    = '2026-03-16T08:50:00+05:30';
my $clinic = Appt::Clinic->new(clock => $now);
my $db     = $clinic->cluster;

# One of the doctor's, and one who never saw her.
my @patient = map { $db->value("SELECT min(patient_id) FROM appt.patient p WHERE $_ EXISTS
    (SELECT FROM appt.appointment a WHERE a.patient_no = p.patient_no
        AND a.doctor_id = 'DOC-001')") } '', 'NOT';
my @visit = map {
    $clinic->http->post('/api/v1/appointments', { patient_id => $patient[$_ - 1],
        doctor_id => "DOC-00$_", branch_id => 'MUM-01',
        slot_start => '2026-03-16T10:00:00+05:30' })->{json} } 1, 2;
is_deeply([ map { $_->{doctor_id} } @visit ], [qw(DOC-001 DOC-002)],
    'a visit of each of two doctors');
my @name = map { $db->value(q{SELECT concat_ws(' ', first_name, last_name)
    FROM appt.patient WHERE patient_id = $1}, $_->{patient_id}) } @visit;

# What somebody in a role saw.
sub as {
    my ($role, %option) = @_;
    my $seen = run_desk($clinic, 'admin_roles.js', ['patients:read'],
        { %option, role => $role, now => $now, stranger => $visit[1]{patient_id} });
    behaves($seen);
    return $seen;
}

my $seen = as('reception');
is_deeply($seen->{menu}, [qw(Today Calendar Patients Reports)], 'reception has no settings');
like($seen->{settings}{$_}, qr/may not see this page/, "$_ is closed to it")
    for qw(settings settings/api/webhooks settings/api/access settings/staff);
is_deeply($seen->{queues}, [ 'Dr Asha Rao', 'Dr Vikram Mehta' ], 'all queues');
is_deeply($seen->{columns}, $db->dbh->selectcol_arrayref(q{SELECT name
    FROM appt.doctor d WHERE EXISTS (SELECT FROM appt.working_hours w
        WHERE w.doctor_id = d.doctor_id AND w.branch_id = 'MUM-01') ORDER BY doctor_id}),
    'all of the branch\'s doctors');
is($seen->{stranger}, $name[1], 'and every patient');

$seen = as('reception', department_ids => ['CARD']);
is_deeply([ @$seen{qw(queues columns)} ], [ ['Dr Vikram Mehta'], ['Dr Vikram Mehta'] ],
    'the desk of a department has its queue and its calendar');
is($seen->{stranger}, $name[1], 'and can find any patient');

$seen = as('doctor', doctor_id => 'DOC-001');
is_deeply($seen->{menu}, [qw(Today Calendar Patients)], 'a doctor has no reports either');
is_deeply($seen->{queues}, ['Dr Asha Rao'], 'the own queue alone');
is_deeply($seen->{columns}, ['Dr Asha Rao'], 'the own calendar');
my $own = $db->dbh->selectcol_arrayref(q{SELECT DISTINCT p.patient_id
    FROM appt.patient p JOIN appt.appointment a USING (patient_no)
    WHERE a.doctor_id = 'DOC-001' ORDER BY 1});
is_deeply([ sort @{ $seen->{patients} } ], $own, 'the own patients');
like($seen->{stranger}, qr/$visit[1]{patient_id}/, 'and no other, whose address is typed');
unlike($seen->{stranger}, qr/\Q$name[1]\E/, 'who is not named');

$seen = as('admin');
is_deeply($seen->{menu}, [qw(Today Calendar Patients Reports Settings)], 'an admin has all');
unlike($seen->{settings}{$_}, qr/may not see/, "$_ is open")
    for qw(settings settings/api/webhooks settings/api/access settings/staff);

done_testing();
