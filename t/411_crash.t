#!/usr/bin/perl
#
# The server loses power in the middle of bookings, twice. What was answered
# is there afterwards, once; nothing overlaps; the numbers have no gap; and a
# retry with the same key makes nothing twice.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Util qw(root_dir temp_dir slurp wait_for);
use POSIX ();
use Time::HiRes qw(time sleep);

my $seed = $ENV{APPT_TEST_SEED} // int(rand 1e6);
note "seed $seed";

my $c = Appt::Cluster->new(fsync => 1);
$c->create_extension->load(root_dir() . '/t/property/model.sql');
$c->freeze_clock('2026-03-15T20:00:00+05:30');
$c->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('MUM', 'Mumbai', 'Asia/Kolkata');
INSERT INTO appt.doctor (doctor_id, name)
SELECT 'D' || n, 'Dr ' || n FROM generate_series(1, 3) n;
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time, slot_min)
SELECT doctor_id, 'MUM', w, '00:00', '24:00', 5
FROM appt.doctor, generate_series(1, 7) w;
INSERT INTO appt.patient (patient_id, first_name)
SELECT 'P' || n, 'Patient' FROM generate_series(1, 400) n;
SELECT appt.create_webhook(url => 'https://example.org/hook');
SQL

my $dir = temp_dir();
my $crashes = 0;
for my $round (1 .. 2) {
    my @pids = map { my $n = $_; fork // die "could not fork: $!\n" or do {
        my $ok = eval { client($round, $n); 1 };
        print STDERR $@ unless $ok;
        POSIX::_exit($ok ? 0 : 1);
    } } 1 .. 6;
    wait_for { answered() > 60 * $round } 'bookings to be answered', 60;
    $c->kill9;
    waitpid $_, 0 for @pids;
    $c->start;
    $crashes++;
    check("after crash $round");
}
is($crashes, 2, 'it crashed twice and came back');

# The clients that never heard ask again, with the same keys.
my ($again, %made) = (0);
for my $line (map { split /\n/, slurp($_) } glob "$dir/*") {
    my ($key, $patient, $doctor, $at, $id) = split /\t/, $line;
    next if defined $id;
    my $row = eval { $c->row(book_sql(), $patient, $doctor, $at, $key) }
        or next;
    $again++;
}
note "$again requests were made again";
check('after the retries');
is($c->psql(q{SELECT count(*) FROM (SELECT key FROM appt.idempotency
    GROUP BY key HAVING count(*) > 1) x}), '0', 'no key answered twice');
is($c->psql(q{SELECT count(*) FROM appt.appointment}),
    $c->psql(q{SELECT count(DISTINCT id) FROM appt.idempotency}),
    'one appointment for each key');

done_testing;

sub book_sql {
    return q{SELECT id FROM appt_api.book($1, $2, 'MUM', $3, NULL, NULL, NULL,
        NULL, NULL, false, NULL, $4, $4)};
}

# Books one slot after another until the server goes; writes down what was
# asked before, and what was answered after.
sub client {
    my ($round, $n) = @_;
    srand($seed * 100 + $round * 10 + $n);
    open my $fh, '>', "$dir/$round-$n" or die "$dir/$round-$n: $!\n";
    $fh->autoflush(1);
    my $dbh = $c->connect;
    my $sth = $dbh->prepare(book_sql());
    for my $i (1 .. 10_000) {
        my $key  = "key-$round-$n-$i";
        my @bind = ('P' . (1 + int rand 400), 'D' . (1 + int rand 3),
            sprintf '2026-03-%02d %02d:%02d+05:30', 16 + int rand 5,
            int rand 24, 5 * int rand 12);
        my $id = eval {
            $sth->execute(@bind, $key);
            ($sth->fetchrow_array)[0];
        };
        my $lost = $@ && $dbh->state !~ /^SB/;
        print {$fh} join("\t", $key, @bind, $id // ()), "\n" if $id || $lost;
        last if $lost;
    }
    close $fh;
    local $SIG{__WARN__} = sub { };    # the handles' farewell to nobody
    undef $sth;
}

sub answered {
    my $lines = 0;
    $lines += () = slurp($_) =~ /\n/g for glob "$dir/*";
    return $lines;
}

sub check {
    my ($when) = @_;
    my %there = map { $_->{appointment_id} => $_ } @{ $c->query(
        'SELECT appointment_id, patient_id, doctor_id FROM appt.appointment') };
    my @gone = grep {
        my ($key, $patient, $doctor, $at, $id) = split /\t/;
        defined $id && (!$there{$id} || $there{$id}{patient_id} ne $patient
            || $there{$id}{doctor_id} ne $doctor);
    } map { split /\n/, slurp($_) } glob "$dir/*";
    ok(!@gone, "$when: what was answered is there")
        or diag map {"$_\n"} @gone;
    is($c->psql('SELECT prop.check_invariants()'), '',
        "$when: nothing overlaps, tokens are dense");
    is($c->psql(q{SELECT count(*) FROM appt.appointment a
        WHERE (SELECT count(*) FROM appt.event e JOIN appt.delivery d
            USING (event_no)
            WHERE e.appointment_no = a.appointment_no) <> 1}), '0',
        "$when: each booking has its event and delivery");
}
