#!/usr/bin/perl
#
# Who looked at which patient is on record: the same call that shows a patient
# writes it down, for staff and for API clients, also where reads go to a
# standby; who manages staff sees it, and nobody keeps it for ever.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Program;
use Appt::SignIn;
use Appt::Util qw(wait_for);

my $clinic  = Appt::Clinic->new(clock => '2026-03-16T07:00:00+05:30');
my $cluster = $clinic->cluster;
my $url     = $clinic->gateway->url;
my $patient = 'PAT-2026-00123';
my $path    = "/api/v1/patients/$patient";

sub desk {
    my (%arg) = @_;
    return Appt::SignIn->new($arg{url} // $url,
        %{ Appt::SignIn::account($clinic, %arg) });
}

my $boss = desk(account => 'boss', name => 'Boss', role => 'admin');
my $desk = desk(account => 'asha', name => 'Asha Rao', role => 'reception');
my $http = $clinic->http;

sub seen {
    my $r = $boss->get("$path/accesses", { @_ });
    return map {"$_->{actor} $_->{call}"} @{ $r->{json} };
}

is_deeply([ seen() ], [], 'nobody has looked yet');
is($desk->get($path)->{status}, 200, 'somebody at the desk looks');
is_deeply([ seen() ], ['staff:asha profile'], 'and is on record');
my $entry = $boss->get("$path/accesses")->{json}[0];
is($entry->{name}, 'Asha Rao', 'by name');
like($entry->{at}, qr/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/, 'with the time');
$desk->get($path) for 1 .. 3;
is(scalar(() = seen()), 1, 'again within five minutes is not noted');
$cluster->psql(q{UPDATE appt.patient_access SET at = at - interval '6 minutes'});
$desk->get($path);
is(scalar(() = seen()), 2, 'later it is');
is($http->get($path)->{status}, 200, 'an API client looks');
is((seen())[0], "client:$clinic->{client}{client_id} profile", 'and is on record');

my $name = $cluster->value('SELECT first_name FROM appt.patient WHERE patient_id = $1',
    $patient);
my $found = $desk->get('/api/v1/patients', { search => $patient });
is($found->{json}[0]{patient_id}, $patient, 'the desk finds the patient');
is((seen())[0], 'staff:asha list', 'that, too');
my $count = sub { $cluster->value('SELECT count(*) FROM appt.patient_access') };
my $before = $count->();
$http->get('/api/v1/patients', { per_page => 5 });
is($count->(), $before, 'a program that reads lists is not noted for each');

# ---- one visit, or the visits of one ------------------------------------------

is($http->post('/api/v1/notification-channels', { channel_id => 'sms',
    kind => 'sms', secret => 'k', settings => { url => 'https://sms.example/',
        body => { to => '{{to}}', text => '{{body}}' } } })->{status}, 201,
    'patients are told');
my $visit = $cluster->value(q{SELECT (appt.book('PAT-2026-00123', 'DOC-001',
    s.start_time, branch_id => 'MUM-01')).appointment_id
    FROM appt.available_slots('DOC-001', '2026-03-17', 'MUM-01') AS s LIMIT 1});
my $message = $http->get('/api/v1/notifications', { appointment_id => $visit })
    ->{json}[0]{notification_id};
my %look = (
    'the visit'          => ["/api/v1/appointments/$visit"],
    'its history'        => ["/api/v1/appointments/$visit/history"],
    'its messages'       => ["/api/v1/appointments/$visit/notifications"],
    'one message'        => ["/api/v1/notifications/$message"],
    'a page of messages' => ['/api/v1/notifications'],
    'all visits'         => [ '/api/v1/appointments', { patient_id => $patient } ],
);
for my $what (sort keys %look) {
    my $forget = sub { $cluster->psql('TRUNCATE appt.patient_access') };
    $forget->();
    is($boss->get(@{ $look{$what} })->{status}, 200, "somebody looks at $what");
    is_deeply([ seen() ], [ $what =~ /page/ ? 'staff:boss list' : 'staff:boss visit' ],
        'and is on record');
    $forget->();
    is($http->get(@{ $look{$what} })->{status}, 200, 'a program as well');
    is_deeply([ seen() ], [], 'of which this is not noted');
}
for my $day ([ '/api/v1/appointments', { date_from => '2026-03-17' } ],
    [ '/api/v1/queue', { doctor_id => 'DOC-001', date => '2026-03-17' } ])
{
    my $r = $boss->get(@$day);
    like($r->{body}, qr/$patient/, "the patient is on $day->[0]");
    is_deeply([ seen() ], [], 'by id alone: that is no look');
}
my $calendar = '/api/v1/branches/MUM-01/calendar';
like($boss->get($calendar, { date => '2026-03-17', @$_ })->{body}, qr/$patient/,
    'and in the calendar') for [], [ patients => 'false' ];
is_deeply([ seen() ], [], 'likewise');
for my $who ($boss, $http) {
    is($who->get($calendar, { date => '2026-03-17', patients => 'true' })
        ->{json}{patients}[0]{patient_id}, $patient, 'with the patients');
    is_deeply([ seen() ], ['staff:boss list'], 'it is a look, of somebody');
}
$before = $count->();

# ---- refused: nothing was shown -----------------------------------------------

my $doctor = desk(role => 'doctor', doctor_id => 'DOC-001');
my $foreign = $cluster->value(q{SELECT min(p.patient_id) FROM appt.patient p
    WHERE NOT EXISTS (SELECT FROM appt.appointment a JOIN appt.doctor d
        USING (doctor_no) WHERE a.patient_no = p.patient_no AND d.doctor_id = 'DOC-001')});
is($doctor->get("/api/v1/patients/$foreign")->{status}, 404,
    "a doctor does not see another's patient");
is($doctor->get("$path/accesses")->{status}, 403, 'nor who looked');
is($desk->get("$path/accesses")->{status}, 403, 'nor does the desk');
is($boss->get('/api/v1/patients/PAT-2026-99999/accesses')->{status}, 404,
    'of nobody');
is($count->(), $before, 'and none of it is noted');

# ---- what cannot be written is not shown ----------------------------------------

$cluster->psql('ALTER TABLE appt.patient_access RENAME TO elsewhere');
my $r = $desk->get($path);
is($r->{status}, 503, 'no record, no answer');
unlike($r->{body}, qr/"first_name"/, 'nothing of the patient');
$cluster->psql('ALTER TABLE appt.elsewhere RENAME TO patient_access');

# ---- a standby for reads ---------------------------------------------------------

my $standby = $cluster->standby;
my $other = Appt::Gateway->new(cluster => $cluster, env => {
    APPT_READ_DSN => $standby->dsn(user => 'bioecko_gateway') });
$cluster->psql('TRUNCATE appt.patient_access');
my $away = desk(url => $other->url, account => 'ravi', role => 'reception');
is($away->get($path)->{status}, 200, 'where reads go to a standby');
is($away->get('/api/v1/patients', { search => $patient })->{status}, 200,
    'a list as well');
is_deeply([ sort(seen()) ], [ 'staff:ravi list', 'staff:ravi profile' ],
    'it is noted all the same');

# ---- for how long ------------------------------------------------------------------

$cluster->psql(q{UPDATE appt.patient_access SET at = at - interval '1094 days'});
$cluster->psql('SELECT * FROM appt.upkeep()');
is(scalar(() = seen()), 2, 'kept for three years');
is($boss->post('/api/v1/settings', { name => 'patient_access_days', value => 30 })
    ->{status}, 201, 'or as long as is set');
$cluster->psql('SELECT * FROM appt.upkeep()');
is(scalar(() = seen()), 0, 'and then swept');

done_testing();
