#!/usr/bin/perl
#
# Reads from a standby that lags: lists and quick reads go there, but whoever has
# written reads what he wrote, from the primary, until the standby has it too.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(wait_for);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    gateway => 0, cluster => { conf => { track_functions => 'all' } });
my $primary = $clinic->cluster;
my $standby = $primary->standby;
my $gateway = $clinic->{gateway} = Appt::Gateway->new(cluster => $primary,
    env => { APPT_LOOPS => 2, APPT_RATE_LIMIT => 0,
        APPT_READ_DSN => $standby->dsn(user => 'bioecko_gateway') });
my $writer = $clinic->http;
my $reader = $clinic->http($clinic->create_client(name => 'Reader'));
my $base = '/api/v1/appointments';

# The standby knows the clients, and all that was there when the gateway began.
wait_for { $standby->value('SELECT pg_last_wal_replay_lsn() >= $1',
    $primary->value('SELECT pg_current_wal_insert_lsn()')) } 'the standby';
my @free = @{ $reader->get("$base/slots", { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', date => '2026-03-16' })->{json} };
my $next = 0;

sub book {
    return $writer->post($base, {
        patient_id => sprintf('PAT-2026-%05d', 120 + $next),
        doctor_id => 'DOC-001', branch_id => 'MUM-01',
        slot_start => $free[ $next++ ]{start_time} });
}

# How often the server has run the function for the gateway.
sub calls {
    my ($server, $function) = @_;
    return $server->value(q{SELECT coalesce(sum(calls), 0)
        FROM pg_stat_user_functions WHERE funcname = $1}, $function);
}

# Passes if the code's calls of the function are seen at that server.
sub runs_at {
    my ($where, $server, $function, $code, $name) = @_;
    my $before = calls($server, $function);
    $code->();
    ok((eval { wait_for { calls($server, $function) > $before } 'the call', 10 }),
        "$name: at the $where");
}

runs_at('standby', $standby, 'list_doctors',
    sub { is($reader->get('/api/v1/doctors')->{status}, 200, 'a list') }, 'a list');
runs_at('standby', $standby, 'get_appointment',
    sub { $reader->get("$base/APT-2026-000001") }, 'a quick read');

# ---- the standby stands still --------------------------------------------------

$standby->psql('SELECT pg_wal_replay_pause()');
wait_for { $standby->value('SELECT pg_get_wal_replay_pause_state()') eq 'paused' }
    'the pause';
my $booked = book();
is($booked->{status}, 201, 'a booking');
my $location = $booked->{headers}{location};
my @status = map { $clinic->http->get($location)->{status} } 1 .. 10;
is_deeply(\@status, [ (200) x 10 ],
    'whoever made it reads it at once, by any connection');
my $list = $writer->get($base, { patient_id => $booked->{json}{patient_id},
    date_from => '2026-03-16', date_to => '2026-03-16' });
is_deeply([ map { $_->{appointment_id} } @{ $list->{json} } ],
    [ $booked->{json}{appointment_id} ], 'and has it in his lists');
unlike($writer->get("$base/slots", { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', date => '2026-03-16' })->{body},
    qr/\Q$booked->{json}{slot_start}\E/, 'and no slot there');
is($reader->get($location)->{status}, 404, 'another reads the standby, which lags');
runs_at('primary', $primary, 'get_appointment',
    sub { $writer->get($location) }, 'the writer\'s read');

# ---- and goes on -----------------------------------------------------------------

$standby->psql('SELECT pg_wal_replay_resume()');
wait_for { $reader->get($location)->{status} == 200 } 'the standby to have it';
pass('it comes to the standby');
my $before = calls($standby, 'get_appointment');
ok((eval { wait_for { $writer->get($location);
    calls($standby, 'get_appointment') > $before + 5 } 'the reads' }),
    'and the writer\'s reads go there again');

# ---- without a standby -----------------------------------------------------------

$standby->kill9;
is($writer->get($location)->{status}, 200, 'without it the primary has the reads');
is($reader->get('/api/v1/doctors')->{status}, 200, 'and the lists');
is(book()->{status}, 201, 'and the bookings');

done_testing();
