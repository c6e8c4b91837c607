#!/usr/bin/perl
#
# A dump of a clinic, in each of pg_dump's formats, restored into a new
# database as people do it: every row, counter and flag is there, nothing is
# sent twice, and what is restored goes on working.

use strict;
use warnings;
use Test::More;
use Appt::Backup qw(succeeds on);
use Appt::Cluster;
use Appt::Util qw(run_command temp_dir);

my $dir = temp_dir();
my $clinic = Appt::Backup->new;
my $old = $clinic->cluster;
my $bindir = $old->{bindir};
my $new = Appt::Cluster->new;
$clinic->copy_roles($new);
my %dump = map { $_->[0] => dump_of(@$_) } (
    [custom => '--format=custom'],
    [directory => '--format=directory', '--jobs=2'],
    [plain => '--format=plain'],
    [inserts => '--format=plain', '--rows-per-insert=10'],
    [data => '--format=custom', '--data-only'],
    [schema => '--format=custom', '--schema-only']);

is_deeply([grep { $clinic->{state}{$_} =~ /^0 / } $clinic->tables],
    [],
    'the clinic has a row in every table of a dump');

# ---- whole -------------------------------------------------------------------

my %whole = (
    'custom dump, one job' => sub { pg_restore('custom', @_) },
    'custom dump, four jobs' => sub { pg_restore('custom', @_, '--jobs=4') },
    'custom dump, children before their parents' => sub {
        my ($database) = @_;
        my @list = split /\n/, run_command_out("$bindir/pg_restore", '--list',
            $dump{custom});
        my @data = grep {/ TABLE DATA /} @list;
        spurt("$dir/reversed", join "\n", (grep { !/ TABLE DATA / } @list),
            (reverse @data), '');
        pg_restore('custom', $database, "--use-list=$dir/reversed");
    },
    'custom dump, in one transaction' =>
        sub { pg_restore('custom', @_, '--single-transaction') },
    'custom dump, as SQL' => sub {
        my ($database) = @_;
        succeeds("$bindir/pg_restore", "--file=$dir/as.sql", $dump{custom});
        psql($database, "$dir/as.sql");
    },
    'dumped and restored in parallel' =>
        sub { pg_restore('directory', @_, '--jobs=4') },
    'plain dump' => sub { psql(@_, $dump{plain}) },
    'plain dump, in one transaction' =>
        sub { psql(@_, $dump{plain}, '--single-transaction') },
    'dump of INSERTs' => sub { psql(@_, $dump{inserts}) },
);
for my $what (sort keys %whole) {
    subtest $what => sub {
        my $copy = fresh();
        $whole{$what}->($copy->database);
        $clinic->same($copy);
        $clinic->goes_on($copy) if $what =~ /four|INSERTs|plain dump$/;
    };
}

subtest 'rights are the extension\'s, not the dump\'s' => sub {
    my $dump = run_command_out("$bindir/pg_restore", '--schema-only',
        '--file=-', $dump{custom});
    is_deeply([ $dump =~ /^(?:GRANT|REVOKE|ALTER (?!SCHEMA appt )).*/mg ], [],
        'the dump grants nothing and gives nothing to another owner');
};

# ---- in part -----------------------------------------------------------------

for my $jobs (1, 4) {
    subtest "schema first, then data only, $jobs at a time" => sub {
        my $copy = fresh();
        pg_restore('schema', $copy->database);
        is($copy->psql('SELECT count(*) FROM appt.patient'), '0',
            'there is no row yet');
        is($copy->psql('SELECT count(*) FROM appt.setting_definition'),
            $old->psql('SELECT count(*) FROM appt.setting_definition'),
            'but the definitions of settings');
        pg_restore('data', $copy->database, "--jobs=$jobs");
        $clinic->same($copy);
        $clinic->goes_on($copy);
    };
}

subtest 'sections one after the other, triggers off, four at a time' => sub {
    my $copy = fresh();
    pg_restore('custom', $copy->database, @$_) for ['--section=pre-data'],
        ['--section=data', '--data-only', '--disable-triggers', '--jobs=4'],
        ['--section=post-data', '--jobs=4'];
    $clinic->same($copy);
    $clinic->goes_on($copy);
};

subtest 'schema only' => sub {
    my $copy = fresh();
    pg_restore('schema', $copy->database);
    $copy->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('B', 'Branch', 'Asia/Kolkata');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('D', 'Dr D');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('D', 'B', 1, '09:00', '10:00');
INSERT INTO appt.patient (first_name) VALUES ('First');
SQL
    is(Appt::Backup::at('08:31', $copy, q{SELECT token_number FROM appt.book(
        (SELECT patient_id FROM appt.patient), 'D', '2026-03-16 09:00+05:30')}),
        '1', 'is a new clinic that works');
};

# ---- clocks ------------------------------------------------------------------

# The absences of the clinic have appointments within them, which were booked
# on purpose and would refuse new ones.
for my $clock ('2020-01-01 00:00+00', '2026-03-16 08:30+05:30',
    '2040-01-01 00:00+00') {
    subtest "where the clock shows $clock" => sub {
        for my $dump (qw(custom inserts)) {
            my $copy = fresh();
            local $ENV{PGOPTIONS} = "-c bioecko_appt.clock="
                . $clock =~ s/ /\\ /r;
            $dump eq 'custom' ? pg_restore('custom', $copy->database)
                : psql($copy->database, $dump{inserts});
            delete $ENV{PGOPTIONS};
            $clinic->same($copy, "every row and counter of the $dump dump");
            my ($code, undef, $err) = $copy->try_psql(q{INSERT INTO
                appt.time_off (doctor_id, starts_at, ends_at) VALUES ('DOC-X',
                '2026-03-16 08:40+05:30', '2026-03-16 09:40+05:30')});
            like($err, qr/affects 2 appointments/,
                'while new time off is judged with all that lies in it');
        }
    };
}

# ---- what is sent ------------------------------------------------------------

subtest 'a relay beside a restored clinic' => sub {
    my $copy = fresh();
    pg_restore('custom', $copy->database, '--jobs=4');
    $clinic->sends_only_what_waited($copy);
};

done_testing;

sub dump_of {
    my ($name, @option) = @_;
    succeeds("$bindir/pg_dump", @option, "--file=$dir/$name",
        '--dbname=' . $old->dsn);
    return "$dir/$name";
}

sub run_command_out {
    my ($code, $out, $err) = run_command([@_]);
    die "@_: $err" if $code;
    return $out;
}

sub spurt {
    my ($file, $text) = @_;
    open my $fh, '>', $file or die "$file: $!\n";
    print {$fh} $text;
    close $fh or die "$file: $!\n";
}

my $databases;

# An empty database beside the others.
sub fresh {
    my $name = 'copy' . ++$databases;
    $new->psql("CREATE DATABASE $name TEMPLATE template0", dbname => 'postgres');
    return on($new, $name);
}

sub pg_restore {
    my ($dump, $database, @option) = @_;
    return succeeds("$bindir/pg_restore", '--exit-on-error', @option,
        '--dbname=' . $new->dsn(dbname => $database), $dump{$dump});
}

sub psql {
    my ($database, $file, @option) = @_;
    return succeeds('psql', '--no-psqlrc', '--quiet', '--output=/dev/null',
        '--set=ON_ERROR_STOP=1', @option,
        '--dbname=' . $new->dsn(dbname => $database), "--file=$file");
}
