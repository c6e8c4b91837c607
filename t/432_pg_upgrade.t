#!/usr/bin/perl
#
# A clinic moves to a newer major version of PostgreSQL by pg_upgrade, and by a
# dump that the newer pg_dump makes: every row and counter is there, reports and
# lists say the same, no index is broken, and bookings go on. Needs an older
# version beside the one that is tested; make test-on installs it.

use strict;
use warnings;
use Test::More;
use Appt::Backup qw(succeeds);
use Appt::Cluster;
use Appt::Process;
use Appt::Util qw(root_dir run_command temp_dir);

my $major = Appt::Cluster::major();
my ($before) = reverse sort { $a <=> $b } grep { $_ >= 15 && $_ < $major }
    map {m{/(\d+)/bin/postgres$}} glob '/usr/lib/postgresql/*/bin/postgres';
plan skip_all => "there is no PostgreSQL older than $major here" if !$before;

my $bindir = "/usr/lib/postgresql/$before/bin";
my $dir    = temp_dir();
install_extension();

my $clinic = Appt::Backup->new(bindir => $bindir);
my $old    = $clinic->cluster;
my %said   = answers($old);
cmp_ok(scalar(grep {/\S/} values %said), '>=', 10,
    "a clinic on PostgreSQL $before has what to report");

subtest "a dump of PostgreSQL $before into $major" => sub {
    my $new = Appt::Cluster->new;
    $clinic->copy_roles($new);
    succeeds("$new->{bindir}/pg_dump", '--format=custom', "--file=$dir/dump",
        '--dbname=' . $old->dsn);
    succeeds("$new->{bindir}/pg_restore", '--exit-on-error',
        '--dbname=' . $new->dsn, "$dir/dump");
    compare($new);
};

subtest "pg_upgrade from PostgreSQL $before to $major" => sub {
    $old->stop;
    my $new = Appt::Cluster->new(bare => 1, $major >= 18
        ? (initdb => ['--no-data-checksums']) : ());
    pg_upgrade($new);
    $new->start;
    like($new->psql('SHOW server_version'), qr/^$major\b/, 'the newer server');
    compare($new);
};

done_testing;

# The extension, built for the older version as for any: PG_CONFIG says which.
sub install_extension {
    my ($code, $out, $err) = run_command(['bash', '-euc',
        'cd "$1"; cp -r Makefile *.control extension "$2"; cd "$2"
        find . -name "*.o" -delete
        make -s -j2 PG_CONFIG="$3" WERROR=1 all
        make -s PG_CONFIG="$3" install', 'bash', root_dir(), "$dir",
        "$bindir/pg_config"]);
    is($code, 0, "the extension is built and installed for $before")
        or BAIL_OUT($out . $err);
}

sub pg_upgrade {
    my ($new) = @_;
    my ($uid, $gid) = $> == 0 ? (getpwnam 'postgres')[2, 3] : ($>, $) + 0);
    mkdir "$dir/work" or die "$dir/work: $!\n";
    chown $uid, $gid, "$dir/work";
    my ($code, $out, $err) = run_command(['env', '--chdir', "$dir/work",
        'setpriv', Appt::Process::as_user('postgres'), '--',
        "$new->{bindir}/pg_upgrade", '--username=postgres',
        "--old-bindir=$bindir", "--new-bindir=$new->{bindir}",
        "--old-datadir=$old->{data}", "--new-datadir=$new->{data}",
        "--old-port=$old->{port}", "--new-port=$new->{port}",
        "--socketdir=$dir/work"]);
    is($code, 0, 'pg_upgrade ends well') or diag $out, $err;
}

# The same clinic, and it goes on.
sub compare {
    my ($new) = @_;
    $clinic->same($new);
    is_deeply({ answers($new) }, \%said, 'reports and lists say the same');
    is_deeply([ broken_indexes($new) ], [], 'every index is whole');
    is(taken($new, 1), taken($new, 0), 'it finds what is there');
    $clinic->goes_on($new);
    my ($code, undef, $err) = $new->try_psql(<<'SQL');
INSERT INTO appt.appointment
SELECT (jsonb_populate_record(a, jsonb_build_object(
	'appointment_no', 99999999, 'appointment_id', 'APT-2026-99999999',
	'token_number', 9999))).*
FROM appt.appointment a
WHERE a.status = 'booked'
ORDER BY a.appointment_no
LIMIT 1
SQL
    isnt($code, 0, 'what is taken cannot be taken again');
    like($err, qr/appointment_(?:no_overlap|patient_no_overlap)/,
        'as the constraint says') or diag $err;
}

# What a client and a report see, at a time of the frozen day; not how the server
# and the endpoints are now, which is another answer each time.
sub answers {
    my ($c) = @_;
    my @view = split /\n/, $c->psql(q{SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'appt_report'::regnamespace AND relkind = 'v'
            AND relname !~ 'health'
        ORDER BY 1});
    my $clock = "LOAD 'bioecko_appt'; "
        . "SET bioecko_appt.clock = '2026-03-16T08:30:00+05:30'; ";
    my %said = map { $_ => $c->psql($clock
            . "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) "
            . "FROM $_ t") } @view;
    $said{slots} = $c->psql($clock . <<'SQL');
SELECT string_agg(s::text, E'\n' ORDER BY d.doctor_id, s.start_time)
FROM appt.doctor d
CROSS JOIN LATERAL appt.available_slots(d.doctor_id, '2026-03-16', 'MUM-01',
	NULL, '2026-03-20') s
WHERE d.active
SQL
    return %said;
}

# Those that amcheck finds broken make it fail; the others are only looked at.
sub broken_indexes {
    my ($c) = @_;
    $c->psql('SET client_min_messages = warning; '
            . 'CREATE EXTENSION IF NOT EXISTS amcheck');
    $c->psql(<<'SQL');
SELECT bt_index_parent_check(c.oid, true)
FROM pg_class c
JOIN pg_am a ON a.oid = c.relam
WHERE c.relnamespace = 'appt'::regnamespace AND a.amname = 'btree'
SQL
    return split /\n/, $c->psql(q{SELECT indexrelid::regclass FROM pg_index
        WHERE NOT (indisvalid AND indisready)});
}

# Each pair of visits that take the same place at one time: a visit and itself.
sub taken {
    my ($c, $index) = @_;
    my %set = $index ? (enable_seqscan => 'off', enable_hashjoin => 'off')
        : map { $_ => 'off' } qw(enable_indexscan enable_indexonlyscan
            enable_bitmapscan);
    my $set = join '', map {"SET $_ = $set{$_}; "} sort keys %set;
    my $query = <<'SQL';
SELECT string_agg(format('%s %s', a.appointment_no, b.appointment_no), ','
	ORDER BY a.appointment_no, b.appointment_no)
FROM appt.appointment a
JOIN appt.appointment b ON appt_internal.place_time(
		b.doctor_no, b.lane, b.slot_start, b.slot_end)
	OPERATOR(appt_internal.&&) appt_internal.place_time(
		a.doctor_no, a.lane, a.slot_start, a.slot_end)
WHERE appt_internal.takes_place(b.status, b.lane)
SQL
    my $plan = $c->psql("${set}EXPLAIN $query");
    my $uses = $plan =~ /appointment_no_overlap/ ? 1 : 0;
    is($uses, $index, $index ? 'the index of what is taken is used'
        : 'and not used') or diag $plan;
    return $c->psql("$set$query");
}
