#!/usr/bin/perl
#
# Reads from a standby that lags: lists and quick reads go there, but whoever has
# written reads what he wrote, from the primary, until the standby has it too; and
# what the standby does not know is asked of the primary, by whichever gateway.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::EventStream;
use Appt::Util qw(wait_for);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    gateway => 0, cluster => { conf => { track_functions => 'all' } });
my $primary = $clinic->cluster;
my $standby = $primary->standby;
my ($gateway, $second) = map { Appt::Gateway->new(cluster => $primary,
    env => { APPT_LOOPS => $_, APPT_RATE_LIMIT => 0,
        APPT_READ_DSN => $standby->dsn(user => 'bioecko_gateway') }) } 2, 1;
$clinic->{gateway} = $gateway;
my $writer = $clinic->http;
my ($reader, $told, $polls) = map {
    $clinic->http($clinic->create_client(name => $_)) } qw(Reader Told Polls);
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

# Passes if the code's calls of the function are seen at that server, which may
# count them ten seconds late.
sub runs_at {
    my ($where, $server, $function, $code, $name) = @_;
    my $before = calls($server, $function);
    $code->();
    ok((eval { wait_for { calls($server, $function) > $before } 'the call', 20 }),
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
runs_at('primary', $primary, 'get_appointment',
    sub { $writer->get($location) }, 'the writer\'s read');

# ---- whoever is told of a change reads it --------------------------------------------

my $stream = Appt::EventStream->new(port => $gateway->port, token => $told->{token});
my $since = $polls->get('/api/v1/events')->{json}{position};
my $news = book();
sub has_news {
    my ($http) = @_;
    return scalar grep { $_->{appointment_id} eq $news->{json}{appointment_id} }
        @{ $http->get($base, { doctor_id => 'DOC-001', date_from => '2026-03-16',
            date_to => '2026-03-16' })->{json} };
}
is(has_news($reader), 0, 'a list is the standby\'s');
ok($stream->until(sub { ($_->{data} // '') =~ /\Q$news->{json}{appointment_id}\E/ }, 10),
    'one who listens is told');
is(has_news($told), 1, 'and finds it in his lists');
$polls->get('/api/v1/events', { since => $since });
is(has_news($polls), 1, 'so does one who asks for changes');

# ---- what it does not know is asked of the primary -------------------------------

is($reader->get($location)->{status}, 200,
    'another who asks for one thing has it, though the standby does not');
my $at_second = Appt::Http->new($second->url, %{ $clinic->client });
is($at_second->get($location)->{status}, 200,
    'and so has the writer at another gateway');
is($at_second->get("$base/APT-2026-999999")->{status}, 404,
    'what is not there is not there');
runs_at('standby', $standby, 'get_appointment',
    sub { $at_second->get("$base/APT-2026-000001") }, 'what is, there');

my $new = $clinic->create_client(name => 'New');
for ($gateway, $second) {
    my $http = Appt::Http->new($_->url, %$new);
    is_deeply([ map { $http->get($_)->{status} } "$base/APT-2026-000001",
        '/api/v1/doctors', "$base?patient_id=PAT-2026-00120" ], [ (200) x 3 ],
        'a client made just now reads things and lists');
}

# A change through one gateway is read late through the other, and a change of what
# is old refused; whoever is, reads what is true.
my $path = "$base/APT-2026-000001";
my $old = $at_second->get($path)->{headers}{etag};
my $changed = $writer->patch($path, { notes => 'Fasting' }, { 'If-Match' => $old });
is($changed->{status}, 200, 'a change');
is($at_second->get($path)->{headers}{etag}, $old, 'the other gateway reads it late');
is($at_second->patch($path, { notes => 'x' }, { 'If-Match' => $old })->{status}, 412,
    'a change of what is old is refused');
is($at_second->get($path)->{headers}{etag}, $changed->{headers}{etag},
    'and then the change is read there, too');

# ---- and goes on -----------------------------------------------------------------

$standby->psql('SELECT pg_wal_replay_resume()');
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
