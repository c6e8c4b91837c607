#!/usr/bin/perl
#
# Boards: who manages staff makes them for his branches; the television of a
# waiting room sees its branch's queues by a token that is good for nothing
# else, and nobody's name; one that is revoked sees nothing.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::EventStream;
use Appt::Matrix;
use Appt::OpenApi;
use Appt::Program;
use Appt::Util qw(run_command);
use JSON::PP ();

my $clinic = Appt::Clinic->new(clock => '2026-03-16T09:30:00+05:30');
my $cluster = $clinic->cluster;
my $http = $clinic->http;
my $api  = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my ($boards, $board, $queue) = map {"/api/v1/$_"} qw(boards board queue);

sub problem { my $r = shift; return join ' ', $r->{status}, $r->{json}{code} // '-',
    $r->{json}{errors}[0]{field} // '' }

# ---- making one -----------------------------------------------------------------

my $made = $http->post($boards, { branch_id => 'MUM-01', name => "  Waiting  room " });
is($made->{status}, 201, 'a board is made');
is_deeply([ $api->wrong("POST $boards", $made) ], [], 'as documented');
like($made->{json}{board_token}, qr/^board_[\w-]{22}$/, 'its token is shown');
is($made->{json}{name}, 'Waiting  room', 'its name is trimmed');
my $id = $made->{json}{board_id};
is($made->{headers}{location}, "$boards/$id", 'and where it is');
my $list = $http->get($boards);
is_deeply([ $api->wrong("GET $boards", $list) ], [], 'they are listed as documented');
is_deeply([ map { $_->{board_id} } @{ $list->{json} } ], [$id], 'it is among them');
unlike($list->{body}, qr/board_[\w-]{22}/, 'without its token');
is($list->{json}[0]{created_by}, "client:$clinic->{client}{client_id}", 'and who made it');
is($cluster->value(q{SELECT count(*) FROM appt.board WHERE token_hash
    = sha256(convert_to($1, 'UTF8'))}, $made->{json}{board_token}), 1,
    'of which the hash is kept');
unlike($cluster->psql('TABLE appt.board'), qr/board_[\w-]{22}/, 'and not itself');

is(problem($http->post($boards, { branch_id => 'NO-1', name => 'x' })),
    '422 unknown_reference branch_id', 'of a branch that is there');
is(problem($http->post($boards, { branch_id => 'MUM-01' })), '400 invalid_request name',
    'with a name');
is(problem($http->post($boards, { branch_id => 'MUM-01', name => "a\nb" })),
    '400 invalid_request name', 'of one line');
is(problem($http->post($boards, { branch_id => 'MUM-01', name => 'x' x 101 })),
    '400 invalid_request name', 'that is not too long');
is(problem($http->get($boards, { branch_id => 'NO-1' })), '404 not_found branch_id',
    'a branch that is not there has none');
my @twice = map { $http->post($boards, { branch_id => 'LON-01', name => 'Desk' },
    { 'Idempotency-Key' => 'k' }) } 1, 2;
is($twice[0]{body}, $twice[1]{body}, 'with a key it is made once');
is($twice[1]{headers}{'idempotency-replayed'}, 'true', 'and said again');

# ---- who may ----------------------------------------------------------------------

my $none = $clinic->http($clinic->create_client(scopes => ['clients:manage']));
is($none->post($boards, { branch_id => 'MUM-01', name => 'x' })->{status}, 403,
    'it needs staff:manage');
my $london = $clinic->http($clinic->create_client(scopes => ['staff:manage'],
    branch_ids => ['LON-01']));
is(problem($london->post($boards, { branch_id => 'MUM-01', name => 'x' })),
    '422 unknown_reference branch_id', 'a client makes boards for its branches alone');
is($london->post($boards, { branch_id => 'LON-01', name => 'x' })->{status}, 201,
    'for those it does');
is_deeply([ grep { $_ ne 'LON-01' } map { $_->{branch_id} }
    @{ $london->get($boards)->{json} } ], [], 'sees theirs');
is($london->delete("$boards/$id")->{status}, 404, 'and revokes no other');

# ---- what it shows ------------------------------------------------------------------

my $token = $made->{json}{board_token};
sub look {
    my ($with, %header) = @_;
    return Appt::Http->new($clinic->gateway->url)->get($board, undef,
        { Authorization => "Bearer $with", %header });
}

$cluster->psql(q{INSERT INTO appt.setting (name, branch_id, value)
    VALUES ('board_notice', 'MUM-01', 'The pharmacy is open until six.')});
is($cluster->value(q{SELECT last_seen_at FROM appt.board WHERE board_id = $1}, $id),
    undef, 'it was not seen yet');
my %name;    # token => patient
for my $n (1 .. 6) {
    my $patient = sprintf 'PAT-2026-%05d', 100 + $n;
    my $walk_in = $http->post('/api/v1/appointments/walk-in', { patient_id => $patient,
        doctor_id => 'DOC-001', branch_id => 'MUM-01' })->{json};
    $name{ $walk_in->{token_number} } = $walk_in;
}
my @order = map { $_->{token_number} } grep { $_->{status} eq 'checked_in' }
    @{ $http->get($queue, { doctor_id => 'DOC-001' })->{json} };
my $called = $http->post("$queue/call-next", { doctor_id => 'DOC-001' })->{json};
my $view = look($token);
is($view->{status}, 200, 'a board sees its branch');
is_deeply([ $api->wrong("GET $board", $view) ], [], 'as documented');
my ($doctor) = grep { $_->{doctor_id} eq 'DOC-001' } @{ $view->{json}{doctors} };
is_deeply($doctor->{in_consultation}, [ { token_number => $called->{token_number},
    called_at => $called->{started_at} } ], 'whose token is called, and when');
is_deeply([ map { $_->{token_number} } @{ $doctor->{next} } ], [ @order[1 .. 3] ],
    'the next three in call order');
is($doctor->{waiting}, @order - 1, 'how many wait');
like($doctor->{next}[0]{estimated_start}, qr/^2026-03-16T.*\+05:30$/,
    'when the turn comes, on the branch\'s clock');
is($view->{json}{now}, '2026-03-16T09:30:00+05:30', 'the time there');
is($view->{json}{notice}, 'The pharmacy is open until six.', 'the notice');
isnt($cluster->value(q{SELECT last_seen_at FROM appt.board WHERE board_id = $1}, $id),
    undef, 'and it was seen');
my $people = join '|', map { quotemeta } map { $_->{first_name} // (), $_->{last_name} // () }
    @{ $cluster->query('SELECT first_name, last_name FROM appt.patient') };
my @doctors = map { $_->{name} } @{ $view->{json}{doctors} };
my $said = $view->{body};
$said =~ s/\Q$_\E// for @doctors;
unlike($said, qr/\b(?:$people)\b|PAT-|APT-/, 'it says nobody\'s name');
is_deeply([ grep { !/Rao|Dr/ } @doctors ], [], 'but the doctors\'');

my $there = look($twice[0]{json}{board_token})->{json};
is($there->{branch_id}, 'LON-01', 'another branch\'s board shows that');
is($there->{notice}, undef, 'without the notice of this one');
$cluster->psql("INSERT INTO appt.setting (name, value) VALUES ('board_notice', 'For all')");
is(look($twice[0]{json}{board_token})->{json}{notice}, 'For all', 'but what is for all');

$http->post("/api/v1/appointments/$called->{appointment_id}/complete");
is_deeply((grep { $_->{doctor_id} eq 'DOC-001' } @{ look($token)->{json}{doctors} })[0]
    {in_consultation}, [], 'who is seen is called no more');
$http->post("/api/v1/appointments/$name{$order[1]}{appointment_id}/skip");
is((grep { $_->{doctor_id} eq 'DOC-001' } @{ look($token)->{json}{doctors} })[0]
    {next}[0]{token_number}, $order[2], 'who was skipped is not the next');

for my $bad (["doctor_id", 'DOC-001', 'x'], ['branch_id', 'MUM-01', 'y' x 501]) {
    my (undef, undef, $err) = $cluster->try_psql(
        "DELETE FROM appt.setting WHERE name = 'board_notice';
        INSERT INTO appt.setting (name, $bad->[0], value) VALUES ('board_notice',
            '$bad->[1]', '$bad->[2]')");
    like($err, qr/SB001|board_notice/, "a notice is none by $bad->[0]");
}

# ---- and nothing else -----------------------------------------------------------------

my (undef, $routes) = run_command([ Appt::Gateway->binary, '--routes' ]);
my @open;
for my $line (split /\n/, $routes) {
    my ($method, $path, undef, $scope) = split /\t/, $line;
    next if $scope eq '';
    $path =~ s/\{\w+\}/1/g;
    my $r = Appt::Http->new($clinic->gateway->url)->request($method, $path, undef,
        { Authorization => "Bearer $token" });
    push @open, "$method $path: $r->{status}" if $r->{status} != 401;
}
is_deeply(\@open, [], 'its token opens no other call');
is(look($http->{token})->{status}, 401, 'and a client\'s token no board');
my $r = Appt::Http->new($clinic->gateway->url)->get($board);
is($r->{status}, 401, 'nor does none');
is_deeply([ $api->wrong("GET $board", $r) ], [], 'as documented');
like($r->{headers}{'www-authenticate'}, qr/^Bearer realm=/, 'which is said');
is(look($_)->{status}, 401, 'nor ' . substr($_, 0, 20))
    for 'board_', 'board_AAAAAAAAAAAAAAAAAAAAAA', "board_' OR true --", 'board_' . 'x' x 500,
    uc $token;

# ---- revoked ----------------------------------------------------------------------------

is($http->delete("$boards/$id")->{status}, 204, 'a board is revoked');
is(look($token)->{status}, 401, 'and sees nothing any more');
is($http->delete("$boards/$id")->{status}, 204, 'again is no fault');
ok($http->get($boards, { branch_id => 'MUM-01' })->{json}[0]{revoked_at}, 'the list says when');
is($http->delete("$boards/brd_x")->{status}, 404, 'one that never was is not there');
my ($code, undef, $err) = $cluster->try_psql('SELECT token_hash FROM appt.board',
    user => 'bioecko_admin');
like($err, qr/permission denied/, 'nobody reads the hashes');
is($cluster->psql("SELECT board_id IS NOT NULL AND board_token LIKE 'board_%'
    FROM appt.create_board('MUM-01', 'By hand')", user => 'bioecko_admin'), 't',
    'a DBA makes one, too');
is($cluster->psql("SELECT appt.revoke_board(board_id) FROM appt.board
    WHERE name = 'By hand'", user => 'bioecko_admin'), 't', 'and revokes it');

# ---- how often --------------------------------------------------------------------------

my $few = Appt::Gateway->new(cluster => $cluster, env => { APPT_STRANGER_LIMIT => 60 });
my %status;
$status{ Appt::Http->new($few->url)->get($board, undef, { Authorization => 'Bearer board_x' })
    ->{status} }++ for 1 .. 62;
ok($status{429}, 'who tries tokens is slowed down by address');
# ---- told when to ask again -----------------------------------------------------

sub listen_with {
    my ($token) = @_;
    return Appt::EventStream->new(port => $clinic->gateway->url =~ /:(\d+)$/,
        path => "$board/events", token => $token);
}
my $hung = $http->post($boards, { branch_id => 'MUM-01', name => 'Hall' })->{json};
my $tv = listen_with($hung->{board_token});
is($tv->status, 200, 'a board is told of changes');
is($tv->header('Content-Type'), 'text/event-stream', 'by an event stream');
$tv->until(sub { 0 }, 1);
my $sql = $cluster->connect;
sub hold_at {
    my ($branch) = @_;
    return $sql->do(q{SELECT appt.hold(h.doctor_id, s.start_time, branch_id => $1)
        FROM (SELECT doctor_id FROM appt.working_hours WHERE branch_id = $1
            ORDER BY 1 LIMIT 1) AS h, LATERAL (SELECT start_time
            FROM appt.available_slots(h.doctor_id, '2026-03-18', $1)
            ORDER BY 1 LIMIT 1) AS s}, undef, $branch);
}
hold_at('LON-01');
hold_at('MUM-01');
my @told = $tv->until(sub { $_->{data}{branch_id} eq 'MUM-01' }, 10);
is_deeply([ map { join ' ', $_->{event}, @{ $_->{data} }{qw(branch_id date)} } @told ],
    ['doctor_day MUM-01 2026-03-18'], 'of its own branch alone, within seconds');
is($http->request('HEAD', "$board/events", undef,
    { Authorization => "Bearer $hung->{board_token}" })->{status}, 200, 'HEAD ends');
is(listen_with('board_' . 'x' x 22)->status, 401, 'one that is none is not');
is(listen_with($http->{token})->status, 401, 'nor who has another token');
my $events = Appt::EventStream->new(port => $clinic->gateway->url =~ /:(\d+)$/,
    token => $hung->{board_token});
is($events->status, 401, 'and what all listeners are told is not told a board');
$http->delete("$boards/$hung->{board_id}");
is($tv->wait_end(8), 'whole', 'a revoked one hears no more');
is(listen_with($hung->{board_token})->status, 401, 'and never again');

done_testing;
