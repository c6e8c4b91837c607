#!/usr/bin/perl
#
# The page of a board: opened once with its token it keeps that and shows the
# branch's queues; a call is told, seen, heard and said at once; without news
# it says so and heals; a revoked one shows nothing. Neither the browser nor axe
# complains.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Node;
use Appt::Util qw(patience);
use JSON::PP ();

my $node = Appt::Node->new('t/web')
    or plan skip_all => 'npm is not installed';
my $clinic  = Appt::Clinic->new(clock => '2026-03-16T10:30:00+05:30');
my $cluster = $clinic->cluster;
my $http    = $clinic->http;

my $page = $http->get('/board/MUM-01', undef, { Authorization => undef });
is($page->{status}, 200, 'the page is open to all');
like($page->{headers}{'content-security-policy'}, qr/^default-src 'self'; /,
    'it may load what is here');
is($page->{headers}{'referrer-policy'}, 'no-referrer', 'and names itself to nobody');
unlike($page->{body}, qr/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/,
    'no script and no style stands in it');
for my $file (qw(board.js board.css)) {
    my ($path) = $page->{body} =~ /"(files\/\Q$file\E\?v=[0-9a-f]{32})"/;
    like($http->get("/board/$path")->{headers}{'cache-control'}, qr/immutable/,
        "$file is kept under its hash");
}

# Three doctors, of whom one has many who wait.
for my $n (0 .. 9) {
    my $doctor = $n < 6 ? 'DOC-001' : $n < 9 ? 'DOC-002' : 'DOC-003';
    my $came = $http->post('/api/v1/appointments/walk-in', { doctor_id => $doctor,
        patient_id => sprintf('PAT-2026-%05d', 101 + $n), branch_id => 'MUM-01' });
    diag $came->{body} if $came->{status} != 201;
}
$http->post('/api/v1/queue/call-next', { doctor_id => $_ }) for 'DOC-001', 'DOC-002';
$cluster->psql(q{INSERT INTO appt.setting (name, branch_id, value) VALUES
    ('board_notice', 'MUM-01', 'The pharmacy is open until six. <b>Masks</b>, please.')});

# And a branch with eight.
$cluster->psql(q{INSERT INTO appt.doctor (doctor_id, name, specialty)
    SELECT 'D-' || n, 'Dr Bartholomew Featherstonehaugh ' || n,
        'General medicine and surgery' FROM generate_series(1, 8) AS n;
INSERT INTO appt.working_hours (doctor_id, branch_id, weekday, start_time, end_time)
    SELECT 'D-' || n, 'LON-01', d, '00:00', '24:00'
    FROM generate_series(1, 8) AS n, generate_series(1, 7) AS d;
INSERT INTO appt.patient (first_name)
    SELECT 'Comes' FROM generate_series(1, 48)});
my @patients = map { $_->{patient_id} } @{ $cluster->query(
    "SELECT patient_id FROM appt.patient WHERE first_name = 'Comes'") };
for my $n (0 .. 47) {
    my $doctor = 'D-' . (1 + $n % 8);
    my $came = $http->post('/api/v1/appointments/walk-in', { doctor_id => $doctor,
        patient_id => $patients[$n], branch_id => 'LON-01' });
    diag $came->{body} if $came->{status} != 201;
    $http->post('/api/v1/queue/call-next', { doctor_id => $doctor }) if $n < 8;
}
my %board = map { $_ => $http->post('/api/v1/boards',
    { branch_id => $_, name => 'Waiting room' })->{json} } 'MUM-01', 'LON-01';
my @next = map { $_->{token_number} } grep { $_->{status} eq 'checked_in' }
    @{ $http->get('/api/v1/queue', { doctor_id => 'DOC-001' })->{json} };
my ($doctor, $other) = map { $cluster->value(
    'SELECT name FROM appt.doctor WHERE doctor_id = $1', $_) } 'DOC-001', 'DOC-002';
my ($now) = map { $_->{token_number} } grep { $_->{status} eq 'in_consultation' }
    @{ $http->get('/api/v1/queue', { doctor_id => 'DOC-001' })->{json} };

my ($code, $out, $err) = $node->run('board.js', JSON::PP->new->canonical->encode({
    url => $clinic->gateway->url, token => $http->{token}, doctor => $doctor,
    doctor_id => 'DOC-001', other => $other, other_id => 'DOC-002',
    board_id => $board{'MUM-01'}{board_id},
    tokens => { map { $_ => $board{$_}{board_token} } keys %board },
    shots => $ENV{SHOTS} }));
die "the browser failed: $err" if $code;
my $seen = JSON::PP->new->utf8->decode($out);
is($seen->{failed}, undef, 'all of it was seen');

is($seen->{address}, $clinic->gateway->url . '/board/MUM-01',
    'the token is gone from the address');
is($seen->{heading}, $cluster->value(
    "SELECT name FROM appt.branch WHERE branch_id = 'MUM-01'"), 'the branch is named');
like($seen->{clock}, qr/^10:3\d$/, 'its time is shown');
is($seen->{notice}, 'The pharmacy is open until six. <b>Masks</b>, please.',
    'and the notice, which is text');
is($seen->{first}, $now, 'the token that is called');
is_deeply($seen->{next}, [ @next[0 .. 2] ], 'and the next three');
is_deeply([ sort { $a <=> $b } @{ $seen->{called} } ],
    [ sort { $a <=> $b } $now, $seen->{wanted} ], 'the next call is shown');
cmp_ok($seen->{took}, '<', patience(1000), 'within a second') or diag "after $seen->{took} ms";
ok($seen->{asked}, 'one that cannot listen asks, and shows it, too');
is($seen->{live}, "Token $seen->{wanted}, $doctor", 'a reader of the screen is told');
is_deeply($seen->{heard}, { tones => 2, said => ["en-IN Token $seen->{wanted}, $doctor"] },
    'it is heard and said');
is($seen->{repeated}, 0, 'another language does not say it again');
is($seen->{again}, "hi-IN \x{91f}\x{94b}\x{915}\x{928} $seen->{last}, $doctor",
    'but the next call is in it');
is($seen->{theme}, 'dark', 'it can be dark');
is($seen->{hindi}, "\x{905}\x{92d}\x{940}", 'and is there in Hindi');
is($seen->{lang}, 'hi', 'which it says');
like($seen->{alarm}, qr/^No news since 10:3\d\. /, 'without news it says so');
ok($seen->{healed}, 'and goes on by itself');
like($seen->{at_once}, qr{^[62]$}, 'of eight doctors it shows six, and then two');
like($seen->{pages}, qr{^Page [12] of 2$}, 'and says so');
is_deeply($seen->{cut}, [], 'nothing is cut off, on small and large televisions');
ok(!$seen->{wide}, 'a telephone shows it without scrolling sideways');
ok($seen->{revoked}, 'a revoked one says that it is none');
is($seen->{left}, 0, 'and shows nothing');
my $people = join '|', map { quotemeta } map { $_->{first_name} // (), $_->{last_name} // () }
    @{ $cluster->query('SELECT first_name, last_name FROM appt.patient') };
my $said = $seen->{text};
$said =~ s/\Q$_->{name}\E// for @{ $cluster->query('SELECT name FROM appt.doctor') };
unlike($said, qr/\b(?:$people)\b|PAT-|APT-/, 'nobody is named');
is_deeply([ grep { index $_, $clinic->gateway->url . '/' }
    grep { !/^(?:data|about):/ } @{ $seen->{requests} } ], [], 'no other host is asked');
is_deeply($seen->{complaints}, [], 'the browser has nothing to complain of');
is_deeply($seen->{axe}, [], 'nor has axe');

done_testing;
