#!/usr/bin/perl
#
# GET /api/v1/events: who listens is told within a second of a commit, by
# whomever it was made and in whatever order; who was cut goes on where it was;
# each is told of its own branches alone, and until its token ends. Many
# listeners take nothing from those who book.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::EventStream;
use Appt::OpenApi;
use Appt::Raw;
use Appt::SignIn;
use Appt::Util qw(patience wait_for);
use List::Util qw(max);
use Time::HiRes qw(sleep time);

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30',
    env => { APPT_CLIENT_STREAM_LIMIT => 400, APPT_STREAM_LIMIT => 320 });
my $cluster = $clinic->cluster;
my $http    = $clinic->http;
my ($port)  = $clinic->gateway->url =~ /:(\d+)$/;
my $path    = '/api/v1/events';

sub listen_as {
    my ($who, %more) = @_;
    return Appt::EventStream->new(port => $port, token => $who->{token}, %more);
}

# A booking in SQL, not committed yet where the session has begun a transaction.
my $day = 0;
sub book {
    my ($session, $doctor, $branch, $date, $time) = @_;
    my $zone = $branch eq 'MUM-01' ? 'Asia/Kolkata' : 'Europe/London';
    return $session->selectrow_array(q{SELECT (appt.book($1, $2,
        ($3 || ' ' || $4)::timestamp AT TIME ZONE $5, branch_id => $6)
        ).appointment_id}, undef, 'PAT-2026-00' . (101 + $day++ % 20), $doctor,
        $date, $time, $zone, $branch);
}

# The doctor-days among the events.
sub days {
    return [ map { join ' ', @{ $_->{data} }{qw(doctor_id branch_id date)} }
        grep { $_->{event} eq 'doctor_day' } @_ ];
}

sub got_day {
    my ($stream, $day, $what) = @_;
    my @came = $stream->until(sub { (days($_)->[0] // '') eq $day }, 10);
    is((days(@came)->[-1] // 'nothing'), $day, $what);
    return @came;
}

my $sql = $cluster->connect;
my $mon = '2026-03-16';

# ---- a change is told -----------------------------------------------------------

my $stream = listen_as($http)->ready;
is($stream->status, 200, 'who may read is listened to');
is($stream->header('Content-Type'), 'text/event-stream', 'by an event stream');
is($stream->header('Cache-Control'), 'no-cache', 'that nobody keeps');
is($stream->header('X-Accel-Buffering'), 'no', 'and no proxy holds back');
is($stream->header('Transfer-Encoding'), 'chunked', 'in chunks');
like($stream->id, qr/^[0-9a-f]+\.\d+\.\d+:\d+:[\d,]*$/, 'it begins with a position');

my $slots = $http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', date => $mon })->{json};
my $began = time;
my $booked = $http->post('/api/v1/appointments', { patient_id => 'PAT-2026-00123',
    doctor_id => 'DOC-001', branch_id => 'MUM-01',
    slot_start => $slots->[0]{start_time} })->{json};
my ($event) = got_day($stream, "DOC-001 MUM-01 $mon", 'a booking over HTTP is told');
diag sprintf 'told after %.0f ms', (time - $began) * 1000;
is_deeply([ sort keys %{ $event->{data} } ], [qw(branch_id date doctor_id)],
    'of its day, and of nobody');
unlike($stream->text, qr/PAT-|APT-/, 'no patient and no appointment is named');

$began = time;
book($sql, 'DOC-001', 'MUM-01', '2026-03-17', '10:00');
my $committed = time;
got_day($stream, 'DOC-001 MUM-01 2026-03-17', 'one in SQL as well');
my $took = time - $committed;
cmp_ok($took, '<', patience(1.5), sprintf 'soon: %.0f ms after its commit', $took * 1000);

my $away = $http->patch("/api/v1/appointments/$booked->{appointment_id}/reschedule",
    { new_slot_start => '2026-03-18T10:00:00+05:30' });
is($away->{status}, 200, 'a move');
my @both = $stream->until(sub { 0 }, 2);
is_deeply([ sort @{ days(@both) } ],
    [ "DOC-001 MUM-01 $mon", 'DOC-001 MUM-01 2026-03-18' ], 'is told of both days');

my $hold = $http->post('/api/v1/appointments/holds', { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', slot_start => '2026-03-19T10:00:00+05:30' })->{json};
got_day($stream, 'DOC-001 MUM-01 2026-03-19', 'a hold is told');
$http->delete("/api/v1/appointments/holds/$hold->{hold_id}");
got_day($stream, 'DOC-001 MUM-01 2026-03-19', 'and its end');
$cluster->psql(<<'SQL');
INSERT INTO appt.appointment (appointment_id, doctor_id, branch_id, slot_start,
    slot_end, status, token_date, booked_at, hold_expires_at, doctor_no, lane)
SELECT 'hold_by_hand', doctor_id, 'MUM-01', '2026-03-20 10:00+05:30',
    '2026-03-20 10:15+05:30', 'held', '2026-03-20', now(), 'infinity', doctor_no, 0
FROM appt.doctor WHERE doctor_id = 'DOC-001';
SQL
got_day($stream, 'DOC-001 MUM-01 2026-03-20', 'and one that somebody writes');

# ---- the configuration ----------------------------------------------------------

my %change = (
    branch        => "UPDATE appt.branch SET phone = '+912244445555' WHERE branch_id = 'MUM-01'",
    doctor        => "UPDATE appt.doctor SET specialty = 'Cardiology!' WHERE doctor_id = 'DOC-001'",
    department    => "INSERT INTO appt.department (department_id, name) VALUES ('X', 'X-ray')",
    visit_type    => "INSERT INTO appt.visit_type (visit_type, name) VALUES ('x_ray', 'X-ray')",
    setting       => "INSERT INTO appt.setting (name, value) VALUES ('hold_min', '7')",
    working_hours => "UPDATE appt.working_hours SET valid_to = '2099-12-31' WHERE doctor_id = 'DOC-001'
        AND branch_id = 'MUM-01'",
    operating_hours => "INSERT INTO appt.operating_hours (branch_id, weekday, opens, closes)
        SELECT 'MUM-01', d, '00:00', '24:00' FROM generate_series(1, 7) AS d",
    extra_session => "INSERT INTO appt.extra_session (doctor_id, branch_id, on_date, start_time, end_time)
        VALUES ('DOC-001', 'MUM-01', '2026-06-07', '10:00', '12:00')",
    time_off => "INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
        VALUES ('DOC-001', '2026-08-01 00:00+05:30', '2026-08-02 00:00+05:30')",
    closure => "INSERT INTO appt.closure (branch_id, starts_at, ends_at)
        VALUES ('MUM-01', '2026-09-01 00:00+05:30', '2026-09-02 00:00+05:30')",
    notification_template => "INSERT INTO appt.notification_template (event, channel, language, body)
        VALUES ('booked', 'sms', 'gu', 'x')",
);
for my $what (sort keys %change) {
    $cluster->psql($change{$what});
    my @came = $stream->until(sub { ($_->{data}{what} // '') eq $what }, 10);
    is($came[-1]{data}{what}, $what, "a change of $what is told");
}

# A table that a DBA writes is the configuration, but for these: what is a
# patient's, and words that no answer has.
is_deeply($cluster->value(q{SELECT array_agg(c.relname::text ORDER BY c.relname)
    FROM pg_class c
    WHERE c.relnamespace = 'appt'::regnamespace AND c.relkind = 'r'
        AND has_table_privilege('appt_admin', c.oid, 'INSERT')
        AND c.relname NOT IN ('notification_opt_out', 'notification_preference',
            'page_text', 'patient')}), [ sort keys %change ],
    'these are all tables of the configuration');
my $position = $http->get($path)->{json}{position};
$cluster->psql(q{UPDATE appt.branch SET phone = phone});
is_deeply($http->get($path, { since => $position })->{json}{changes}, [],
    'a change that is none is not told');

# ---- the order of commits ---------------------------------------------------------

# The second is numbered later and commits first; the first has only been begun
# when everybody has read past it.
my ($first, $second) = map { $cluster->connect } 1, 2;
$first->begin_work;
book($first, 'DOC-002', 'MUM-01', $mon, '10:00');
book($second, 'DOC-001', 'MUM-01', '2026-03-23', '11:00');
got_day($stream, 'DOC-001 MUM-01 2026-03-23', 'who commits first is told first');
my $between = $stream->id;
my $polled = $http->get($path, { since => $position })->{json};
book($second, 'DOC-001', 'MUM-01', '2026-03-24', '11:00');
got_day($stream, 'DOC-001 MUM-01 2026-03-24', 'others are told meanwhile');
$first->commit;
got_day($stream, "DOC-002 MUM-01 $mon", 'and the first when it commits');
is_deeply([ grep {/DOC-002/} @{ days(@{ $http->get($path,
    { since => $polled->{position} })->{json}{changes} }) } ],
    [ "DOC-002 MUM-01 $mon" ], 'also who asks from a position in between');
my $resumed = listen_as($http, id => $between);
my @came = $resumed->until(sub { 0 }, 1.5);
is_deeply([ grep {/DOC-002/} @{ days(@came) } ], [ "DOC-002 MUM-01 $mon" ],
    'or listens from there');
$resumed->close;

my $rolled = $cluster->connect;
$rolled->begin_work;
book($rolled, 'DOC-002', 'MUM-01', '2026-03-30', '10:00');
$rolled->rollback;
is_deeply([ grep {/03-30/} @{ days($stream->until(sub { 0 }, 1)) } ], [],
    'what is rolled back is not');

# A transaction that is open for long keeps nobody's position back, and is told.
$first->begin_work;
book($first, 'DOC-002', 'MUM-01', '2026-03-31', '10:00');
my $old = $http->get($path)->{json}{position};
book($second, 'DOC-001', 'MUM-01', '2026-03-25', sprintf '1%d:%02d', $_ / 4, $_ % 4 * 15)
    for 0 .. 7;
my $new = $http->get($path, { since => $old })->{json};
is_deeply(days(@{ $new->{changes} }), ['DOC-001 MUM-01 2026-03-25'],
    'eight bookings of a day are one change');
is_deeply($http->get($path, { since => $new->{position} })->{json}{changes}, [],
    'told once, though an older transaction is still open');
$first->commit;
is_deeply(days(@{ $http->get($path, { since => $new->{position} })->{json}{changes} }),
    ['DOC-002 MUM-01 2026-03-31'], 'which is told at its commit');

# ---- who was cut --------------------------------------------------------------------

$stream->until(sub { 0 }, 1);
my $last = $stream->id;
$stream->close;
book($sql, 'DOC-001', 'MUM-01', '2026-04-01', '10:00');
$cluster->psql("UPDATE appt.branch SET phone = '+912244446666' WHERE branch_id = 'MUM-01'");
$stream = listen_as($http, id => $last);
@came = $stream->until(sub { $_->{event} eq 'configuration' }, 5);
is_deeply([ days(@came)->[0], $came[-1]{data}{what} ],
    [ 'DOC-001 MUM-01 2026-04-01', 'branch' ], 'who was cut is told what he missed');
my $again = listen_as($http, path => "$path?since=$last");
is_deeply(days(($again->until(sub { $_->{event} eq 'configuration' }, 5))[0]),
    ['DOC-001 MUM-01 2026-04-01'], 'also by a parameter');
$again->close;
$stream->until(sub { 0 }, 1);
my $both = listen_as($http, path => "$path?since=$last", id => $stream->id);
is($both->next(1.5), undef, 'of which the header goes first');
$both->close;

# Cut at any moment while others write: what is told in all is all.
my (%written, %told);
my $listener = listen_as($http)->ready;
my $cuts = 0;
for my $n (0 .. 39) {
    my $date = sprintf '2026-05-%02d', 1 + $n % 28;
    my $slot = $sql->selectrow_array(q{SELECT start_time FROM appt.available_slots(
        'DOC-001', $1, 'MUM-01') LIMIT 1}, undef, $date) // next;
    $sql->selectrow_array(q{SELECT appt.hold('DOC-001', $1, branch_id => 'MUM-01')},
        undef, $slot);
    $written{$date} = 1;
    $told{ $_->{data}{date} } = 1
        for grep { $_->{event} eq 'doctor_day' } $listener->until(sub { 1 }, 0.1);
    if ($n % 3 == 0) {
        my $id = $listener->id;
        $listener->close;
        $listener = listen_as($http, id => $id);
        $cuts++;
    }
}
$told{ $_->{data}{date} // '' } = 1 for $listener->until(sub { 0 }, 2);
is_deeply([ grep { !$told{$_} } sort keys %written ], [],
    scalar(keys %written) . " days were written, with $cuts cuts: all are told");
$listener->close;

for my $bad ('x', '0', '1.2.3', "0.0.1:1:", ('9' x 1000)) {
    my $s = listen_as($http, id => $bad);
    is(($s->next(3) // {})->{event}, 'reset', 'a position that is none: '
        . substr($bad, 0, 10) . ': all is to be read again');
    $s->close;
}
is($http->get($path, { since => 'x' })->{json}{reset}, JSON::PP::true(),
    'the same in JSON');
is($http->get($path)->{json}{reset}, JSON::PP::true(), 'and without one');

# ---- its branches alone -----------------------------------------------------------------

my $london = $clinic->create_client(scopes => ['appointments:read'],
    branch_ids => ['LON-01']);
my $there = listen_as($clinic->http($london))->ready;
my ($doctor) = $sql->selectrow_array(q{SELECT doctor_id FROM appt.working_hours
    GROUP BY doctor_id HAVING bool_and(branch_id = 'LON-01') LIMIT 1});
book($sql, 'DOC-001', 'MUM-01', '2026-04-02', '10:00');
$cluster->psql("UPDATE appt.branch SET phone = '+912244447777' WHERE branch_id = 'MUM-01';
    UPDATE appt.doctor SET specialty = 'Cardiology' WHERE doctor_id = 'DOC-001';
    UPDATE appt.branch SET phone = '+442044447777' WHERE branch_id = 'LON-01';
    INSERT INTO appt.setting (name, value) VALUES ('horizon_days', '300')");
$cluster->psql("UPDATE appt.doctor SET specialty = 'Skin' WHERE doctor_id = '$doctor'");
@came = $there->until(sub { ($_->{data}{doctor_id} // '') eq $doctor }, 10);
@came = (@came, $there->until(sub { 0 }, 1));
is_deeply([ sort map { join ' ', $_->{data}{what}, $_->{data}{branch_id}
        // $_->{data}{doctor_id} // '-' } @came ],
    [ 'branch LON-01', "doctor $doctor", 'setting -' ],
    'a client is told of its branches, their doctors, and what is everybody\'s');
is_deeply([ map { $_->{data}{branch_id} // '' } grep { $_->{event} eq 'doctor_day' }
    @{ $clinic->http($london)->get($path, { since => $last })->{json}{changes} } ], [],
    'nor of others\' days where it asks');
$cluster->psql("UPDATE appt.api_client SET branch_ids = '{MUM-01}'
    WHERE client_id = '$london->{client_id}'");
$sql->selectrow_array(q{SELECT appt.hold('DOC-001', start_time, branch_id => 'MUM-01')
    FROM appt.available_slots('DOC-001', '2026-04-03', 'MUM-01') LIMIT 1});
got_day($there, 'DOC-001 MUM-01 2026-04-03', 'from when its branches change, of those');
$there->close;

# ---- its doctor alone -------------------------------------------------------------------

my $url = $clinic->gateway->url;
my $asha = Appt::SignIn->new($url, %{ Appt::SignIn::account($clinic,
    account => 'asha', role => 'doctor', doctor_id => 'DOC-001') });
my $position_then = $asha->get($path)->{json}{position};
my $own = Appt::EventStream->new(port => $port, cookie => $asha->cookie)->ready;
book($sql, 'DOC-002', 'MUM-01', '2026-04-06', '10:00');
$cluster->psql(q{INSERT INTO appt.time_off (doctor_id, starts_at, ends_at)
    VALUES ('DOC-002', '2026-08-03 00:00+05:30', '2026-08-04 00:00+05:30');
    UPDATE appt.branch SET phone = '+912244448888' WHERE branch_id = 'MUM-01'});
book($sql, 'DOC-001', 'MUM-01', '2026-04-06', '10:00');
@came = $own->until(sub { ($_->{data}{date} // '') eq '2026-04-06' }, 10);
push @came, $own->until(sub { 0 }, 1);
my @told = sort map { join ' ', $_->{data}{what} // $_->{data}{date},
    $_->{data}{doctor_id} // $_->{data}{branch_id} } @came;
is_deeply(\@told, [ '2026-04-06 DOC-001', 'branch MUM-01' ],
    'a doctor is told of the own days, and of no other doctor')
    or diag explain \@told;
is_deeply([ sort map { join ' ', $_->{data}{what} // $_->{data}{date},
    $_->{data}{doctor_id} // $_->{data}{branch_id} } @{ $asha->get($path,
    { since => $position_then })->{json}{changes} } ],
    [ '2026-04-06 DOC-001', 'branch MUM-01' ],
    'the same where the page asks');
$own->close;

# ---- as long as it may --------------------------------------------------------------------

my $none = $clinic->create_client(scopes => ['schedule:read']);
is(listen_as($clinic->http($none))->status, 403, 'it needs appointments:read');
is(listen_as({ token => 'x' })->status, 401, 'and a token');
my $other = $clinic->create_client(scopes => ['appointments:read']);
my $revoked = $clinic->http($other);
my $ends = listen_as($revoked)->ready;
$http->form('/api/v1/auth/revoke', { token => $revoked->{token}, %$other });
is($ends->wait_end(8), 'whole', 'a revoked token ends its streams');
my $disabled = listen_as($clinic->http($other))->ready;
$cluster->psql("UPDATE appt.api_client SET active = false
    WHERE client_id = '$other->{client_id}'");
is($disabled->wait_end(8), 'whole', 'so does disabling the client');

# ---- other forms --------------------------------------------------------------------------

my $api = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my $r = $http->get($path, { since => $last });
is($r->{headers}{'content-type'}, 'application/json', 'JSON for who asks for it');
is_deeply([ $api->wrong("GET $path", $r) ], [], 'as documented');
is($http->get($path, undef, { Accept => 'text/html' })->{status}, 406,
    'nothing else');
is($http->get($path, { sinse => 1 })->{status}, 400, 'an unknown parameter is refused');
is($http->request('HEAD', $path, undef, { Accept => 'text/event-stream' })->{status}, 200,
    'HEAD ends');
is($http->post($path, {})->{status}, 405, 'nothing is sent there');

# ---- a sign of life, and its absence ----------------------------------------------------------

my $quiet = listen_as($http)->ready;
my $beat = 0;
my $until = time + patience(25);
while (!$beat && time < $until) {
    $quiet->_read(1);
    $beat = $quiet->text =~ /^: \nid: /m;
}
ok($beat, 'who hears nothing hears a comment, with the position');

# ---- who does not read ------------------------------------------------------------------------

# Its socket takes little, so that the gateway is left with what it does not read.
socket(my $deaf, 2, 1, 6) or die $!;
setsockopt $deaf, 1, 8, pack 'i', 2048;    # SO_RCVBUF
connect $deaf, pack_sockaddr($port) or die $!;
sub pack_sockaddr { require Socket; return Socket::pack_sockaddr_in($_[0],
    Socket::inet_aton('127.0.0.1')) }
syswrite $deaf, "GET $path HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
    . "Authorization: Bearer $http->{token}\r\n\r\n";
sleep 1;
my $many = 'UPDATE appt.doctor SET buffer_after_min = %d';
$cluster->psql(q{INSERT INTO appt.doctor (doctor_id, name)
    SELECT 'EXTRA-' || lpad(n::text, 50, '0'), 'Dr ' || n
    FROM generate_series(1, 450) n});
my $slow = sub { $http->get('/metrics')->{body}
    =~ /^appt_event_streams_ended_total\{reason="slow"\} (\d+)/m ? $1 : -1 };
for my $n (1 .. 60) {
    last if $slow->() > 0;
    $cluster->psql(sprintf $many, 1 + $n % 2);
    $quiet->until(sub { 0 }, 0.6);
}
is($slow->(), 1, 'who does not read is cut');
$cluster->psql(q{INSERT INTO appt.doctor (doctor_id, name)
    SELECT 'MORE-' || n, 'Dr ' || n FROM generate_series(1, 600) n});
is(($quiet->until(sub { $_->{event} eq 'reset' }, 5))[-1]{event}, 'reset',
    'the others are not, but told to read all again after very many changes');
close $deaf;
$_->close for $quiet, $stream;
$cluster->psql('UPDATE appt.doctor SET buffer_after_min = 0');

# ---- many ---------------------------------------------------------------------------------------

wait_for { $http->get('/metrics')->{body} =~ /^appt_event_streams 0$/m }
    'the streams before to be gone';
my @many = map { listen_as($http) } 1 .. 300;
is(scalar(grep { $_->status == 200 } @many), 300, '300 listen');
my ($booked_in, $failed) = (0, 0);
for my $n (0 .. 19) {
    my $begin = time;
    my $slot = $http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
        branch_id => 'MUM-01', date => '2026-05-12' })->{json}[0]{start_time};
    my $made = $http->post('/api/v1/appointments', { doctor_id => 'DOC-001',
        patient_id => 'PAT-2026-00' . (101 + $n), branch_id => 'MUM-01',
        slot_start => $slot });
    $failed++, diag $made->{body} if $made->{status} != 201;
    $booked_in = max($booked_in, time - $begin);
}
is($failed, 0, 'bookings go on');
diag sprintf 'with 300 listeners, a list and a booking took %.0f ms at most',
    $booked_in * 1000;
my $told = sub { (days($_)->[0] // '') eq 'DOC-001 MUM-01 2026-05-12' };
is(scalar(grep { my @came = $_->until($told, 10); grep { $told->() } @came } @many),
    300, 'and all are told');
my @more = map { listen_as($http) } 1 .. 25;
my %status;
$status{ $_->status }++ for @more;
is_deeply(\%status, { 200 => 20, 503 => 5 }, 'no more than may');
like($more[-1]->header('Retry-After'), qr/^\d+$/, 'who is refused is told when to come again');
$_->close for @more;
undef @more;
$clinic->gateway->stop;

# ---- the limit of one, and the end --------------------------------------------------------------

$clinic->{gateway} = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_CLIENT_STREAM_LIMIT => 2, APPT_LOOPS => 1 });
($port) = $clinic->gateway->url =~ /:(\d+)$/;
$http = $clinic->http;
is(scalar(grep { $_->wait_end(5) eq 'whole' } @many), 300,
    'a gateway that stops ends its streams');
my @two = map { listen_as($http)->ready } 1, 2;
is(listen_as($http)->status, 429, 'a client has as many as it may');
$two[0]->close;
ok((wait_for { listen_as($http)->status == 200 } 'room again'),
    'and another when one is gone');
sleep 0.5;

# ---- the database goes and comes ------------------------------------------------------------------

my $survivor = $two[1];
my $before = $survivor->id;
$cluster->restart;
$sql = $cluster->connect;
my @reset = $survivor->until(sub { $_->{event} eq 'reset' }, 20);
is($reset[-1]{event} // '', 'reset', 'after the server\'s restart all is to be read again');
$sql->selectrow_array(q{SELECT appt.hold('DOC-001', start_time, branch_id => 'MUM-01')
    FROM appt.available_slots('DOC-001', '2026-05-13', 'MUM-01') LIMIT 1});
got_day($survivor, 'DOC-001 MUM-01 2026-05-13', 'and the stream goes on');
is($http->get($path, { since => $before })->{json}{reset}, JSON::PP::true(),
    'a position of before is none');
is($http->get($path, { since => $survivor->id })->{json}{reset}, JSON::PP::false(),
    'one of after is');

my $stopped = time;
$clinic->gateway->signal('TERM');
is($survivor->wait_end(10), 'whole', 'SIGTERM ends a stream cleanly');
ok($clinic->gateway->stop, 'and the gateway at once');
diag sprintf 'stopped in %.1f s', time - $stopped;
done_testing;
