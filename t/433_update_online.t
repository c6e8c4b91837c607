#!/usr/bin/perl
#
# ALTER EXTENSION UPDATE under a running gateway and relay costs a retry and no
# outage: bookings, cancellations and reads go on over HTTP, nothing is a 500,
# every event arrives.  Library and objects of different versions say so.
#
# Version 1.0.1 is made here, in a temporary directory: a column more, functions
# replaced, an operator's function in another place of the library.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Process;
use Appt::Util qw(root_dir run_command slurp temp_dir wait_for);
use HTTP::Tiny;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $dir = temp_dir();
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
my $share = private_postgresql();
my $lib = do { chomp(my $l = `$ENV{PG_CONFIG} --pkglibdir`); $l };
my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $c = $clinic->cluster;
$clinic->webhook;
$clinic->start_relay;
make_next_version();

my %slots;
for my $doctor (qw(DOC-001 DOC-002)) {
    $slots{$doctor} = $clinic->http->get('/api/v1/appointments/slots',
        { doctor_id => $doctor, branch_id => 'MUM-01', date => '2026-03-16',
            date_to => '2026-03-20' })->{json};
    cmp_ok(scalar @{ $slots{$doctor} }, '>', 20, "$doctor has slots");
}

# ---- the update under load ---------------------------------------------------

my @load = (
    load('books-1', sub { book_and_cancel('DOC-001', 'PAT-2026-00101', @_) }),
    load('books-2', sub { book_and_cancel('DOC-002', 'PAT-2026-00102', @_) }),
    load('reads', \&read_lists));
successes(10);

# The session that updates has never used the library before.
copy_over("$dir/next/bioecko_appt.so", "$lib/bioecko_appt.so");
my ($code, undef, $err) = $c->try_psql('ALTER EXTENSION bioecko_appt UPDATE');
is($code, 0, 'the extension is updated') or diag $err;
is($c->psql(q{SELECT extversion FROM pg_extension
    WHERE extname = 'bioecko_appt'}), '1.0.1', 'to version 1.0.1');
successes(10);
$_->{process}->stop for @load;

for my $load (@load) {
    my %count;
    $count{$_}++ for statuses($load);
    note "$load->{name}: ", join ', ', map {"$count{$_} of $_"} sort keys %count;
    is_deeply([grep { !/^(?:200|201|503)$/ } sort keys %count], [],
        "$load->{name}: every answer is a success or a 503");
    my $most = (sort { $b <=> $a } map { length }
        join(' ', statuses($load)) =~ /((?:503 ?)+)/g)[0] // 0;
    cmp_ok($most, '<=', 5 * length '503 ', "$load->{name}: a retry or two mends it");
}

wait_for { $c->value(q{SELECT NOT EXISTS (SELECT FROM appt.delivery
    WHERE state <> 'delivered')}) } 'every event to be delivered', 60;
my %arrived = map { $_->{headers}{'webhook-id'} => 1 }
    $clinic->sink->requests(path => '/hook');
is_deeply([sort keys %arrived], [map { $_->{event_id} } @{ $c->query(
    'SELECT e.event_id FROM appt.delivery JOIN appt.event e USING (event_no) '
    . 'ORDER BY e.event_id COLLATE "C"') }], 'every event arrived');
is($c->psql('SELECT * FROM appt.check_rows()'), '', 'no row is missing');

# ---- one of another version --------------------------------------------------

my $list = q{SELECT count(*) FROM appt.available_slots('DOC-001',
    '2026-03-16', 'MUM-01')};

subtest 'a session from before the update' => sub {
    $c->psql('CREATE DATABASE before', dbname => 'postgres');
    copy_over("$dir/first.so", "$lib/bioecko_appt.so");
    $c->psql(q{SET client_min_messages = error;
        CREATE EXTENSION bioecko_appt VERSION '1.0' CASCADE},
        dbname => 'before');
    my $session = $c->connect(dbname => 'before');
    $session->do(q{SELECT appt.first_available('{}'::text[])});
    copy_over("$dir/next/bioecko_appt.so", "$lib/bioecko_appt.so");
    $c->psql('ALTER EXTENSION bioecko_appt UPDATE', dbname => 'before');
    eval { $session->do(q{SELECT appt.first_available('{}'::text[])}) };
    my $said = $@;
    ok(!$session->ping, 'is ended');
    like($said, qr/FATAL: .*updated to version 1\.0\.1 during/,
        'and told why');
};

subtest 'the old library and the new objects' => sub {
    copy_over("$dir/first.so", "$lib/bioecko_appt.so");
    my ($code, undef, $err) = $c->try_psql($list);
    isnt($code, 0, 'are refused');
    like($err, qr/is of version 1\.0, its objects .* of version 1\.0\.1$/m,
        'with a sentence');
    copy_over("$dir/next/bioecko_appt.so", "$lib/bioecko_appt.so");
    is(($c->try_psql($list))[0], 0, 'until the new library is there');
};

subtest 'the new library and the old objects' => sub {
    $c->psql('CREATE DATABASE old', dbname => 'postgres');
    my $session = $c->connect(dbname => 'old');
    $session->do(q{SET client_min_messages = error;
        CREATE EXTENSION bioecko_appt VERSION '1.0' CASCADE});
    eval { $session->do(q{SELECT appt.first_available('{}'::text[])}) };
    is($session->state, '57000', 'are refused');
    like($session->errstr, 
        qr/is of version 1\.0\.1, its objects .* of version 1\.0\n.*UPDATE/,
        'and told what to do');
    $session->do('ALTER EXTENSION bioecko_appt UPDATE');
    ok($session->do(q{SELECT appt.first_available('{}'::text[])}),
        'which does it, in the same session');
};

done_testing;

# ---- the two versions --------------------------------------------------------

# A PostgreSQL of this test's own, where it can install what it likes; its
# directory of extensions.
sub private_postgresql {
    my $bindir = Appt::Cluster::bindir();
    my ($root, $version) = $bindir =~ m{^(.*?)/usr/lib/postgresql/(\d+)/bin$}
        or plan skip_all => "PostgreSQL is not where Debian has it ($bindir)";
    for my $part ("usr/lib/postgresql/$version",
        "usr/share/postgresql/$version") {
        (my $parent = "$dir/pg/$part") =~ s{/[^/]+$}{};
        must('mkdir', '-p', $parent);
        must('cp', '-a', "$root/$part", $parent);
    }
    must('chmod', '-R', 'go+rX', "$dir/pg");
    $ENV{PG_CONFIG} = "$dir/pg/usr/lib/postgresql/$version/bin/pg_config";
    return "$dir/pg/usr/share/postgresql/$version/extension";
}

# Builds 1.0.1's library beside 1.0's and installs its scripts: CREATE EXTENSION
# goes on making what it made.
sub make_next_version {
    my $root = root_dir();
    must('cp', '-p', "$lib/bioecko_appt.so", "$dir/first.so");
    must('mkdir', "$dir/next");
    must('cp', '-a', map({"$root/$_"} qw(Makefile bioecko_appt.control
        extension)), "$dir/next");
    edit("$dir/next/Makefile", sub { s/^EXTVERSION = \K.*/1.0.1/m });
    edit("$dir/next/extension/occupancy.c", sub { $_ .= <<'C' });

PG_FUNCTION_INFO_V1(appt_occupancy_overlaps_moved);

Datum
appt_occupancy_overlaps_moved(PG_FUNCTION_ARGS)
{
	return appt_occupancy_overlaps(fcinfo);
}
C
    must('make', '-s', '-C', "$dir/next", "PG_CONFIG=$pg_config",
        'bioecko_appt.so');

    my $script = <<'SQL' . $c->psql(<<'QUERY');
ALTER TABLE appt.appointment ADD COLUMN room text;
CREATE OR REPLACE FUNCTION appt_internal.occupancy_overlaps(appt_internal.occupancy,
	appt_internal.occupancy) RETURNS boolean LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'appt_occupancy_overlaps_moved';
SQL
SELECT pg_get_functiondef(p.oid) || ';'
FROM pg_proc p
WHERE p.pronamespace = 'appt_api'::regnamespace
	OR p.oid::regproc::text IN ('appt_relay.claim_deliveries', 'appt.health')
QUERY
    write_file("$share/bioecko_appt--1.0--1.0.1.sql", $script);
    edit("$share/bioecko_appt.control",
        sub { s/^default_version = \K.*/'1.0.1'/m });
    return;
}

# As a package is unpacked: the old file stays with those who have it mapped.
sub copy_over {
    my ($from, $to) = @_;
    must('cp', $from, "$to.new");
    rename "$to.new", $to or die "$to: $!\n";
    return;
}

sub edit {
    my ($file, $change) = @_;
    local $_ = slurp($file);
    $change->();
    write_file($file, $_);
    return;
}

sub write_file {
    my ($file, $text) = @_;
    open my $fh, '>', $file or die "$file: $!\n";
    print {$fh} $text;
    close $fh or die "$file: $!\n";
    return;
}

sub must {
    my (@command) = @_;
    my ($code, $out, $err) = run_command(\@command);
    die "@command: $out$err\n" if $code;
    return;
}

# ---- load --------------------------------------------------------------------

# A process that works until it is ended, and writes each answer's status.
sub load {
    my ($name, $work) = @_;
    my $log = "$dir/$name";
    my $token = $clinic->http->{token};
    my $pid = fork // die "could not fork: $!\n";
    if ($pid == 0) {
        open my $fh, '>>', $log or POSIX::_exit(1);
        $fh->autoflush(1);
        local $SIG{TERM} = sub { POSIX::_exit(0) };
        my $parent = getppid;
        my $http = Appt::Http->new($clinic->gateway->url, token => $token);
        my $tell = sub { print {$fh} "$_[0]\n"; getppid == $parent
            or POSIX::_exit(0); $_[0] };
        $work->($http, $tell) while 1;
    }
    return { name => $name, log => $log,
        process => Appt::Load->new($pid) };
}

sub statuses { my ($load) = @_; return split /\n/, slurp($load->{log}) }

# Waits until each process has had so many more successes.
sub successes {
    my ($more) = @_;
    for my $load (@load) {
        my $had = grep {/^20/} statuses($load);
        wait_for { $had + $more <= grep {/^20/} statuses($load) }
            sub { "$load->{name}: " . join ' ', (statuses($load))[-10 .. -1] },
            60;
    }
    return;
}

# Repeats what is answered by 503, as a client does.
sub insist {
    my ($tell, $request) = @_;
    while (1) {
        my $answer = $request->();
        return $answer if $tell->($answer->{status}) != 503;
        sleep 0.2;
    }
}

my $turn = 0;

sub book_and_cancel {
    my ($doctor, $patient, $http, $tell) = @_;
    my $slot = $slots{$doctor}[$turn++ % @{ $slots{$doctor} }];
    my $key = "$doctor-$turn";
    my $booked = insist($tell, sub {
        $http->post('/api/v1/appointments', { patient_id => $patient,
            doctor_id => $doctor, branch_id => 'MUM-01',
            slot_start => $slot->{start_time} },
            { 'Idempotency-Key' => $key });
    });
    my $id = ($booked->{json} // {})->{appointment_id} // return;
    insist($tell, sub {
        $http->delete("/api/v1/appointments/$id", { reason => 'Load' });
    });
    return;
}

sub read_lists {
    my ($http, $tell) = @_;
    for my $path ('/appointments/slots?doctor_id=DOC-003&branch_id=MUM-01&'
        . 'date=2026-03-16', '/appointments?doctor_id=DOC-001&per_page=5',
        '/queue?doctor_id=DOC-001&date=2026-03-16') {
        insist($tell, sub { $http->get("/api/v1$path") });
    }
    return;
}

package Appt::Load;

# A forked process that ends with this one.

sub new { my ($class, $pid) = @_; return bless { pid => $pid, owner => $$ }, $class }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill TERM => $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@, $!);
    $self->stop;
    return;
}
