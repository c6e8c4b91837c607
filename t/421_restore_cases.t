#!/usr/bin/perl
#
# Restores that are out of the ordinary: over a clinic that is in use, by
# somebody who is no superuser, into another encoding, of half a dump, of tables
# that a DBA added to; a second clinic in the cluster, and the end of one. What
# is refused says why and leaves what was there as it was.

use strict;
use warnings;
use Test::More;
use Appt::Backup qw(on succeeds);
use Appt::Program;
use Appt::Http;
use Appt::Util qw(run_command slurp temp_dir wait_for);

my $dir = temp_dir();
my $clinic = Appt::Backup->new;
my $c = $clinic->cluster;
my $bindir = $c->{bindir};
my $client = $c->row(q{SELECT * FROM appt.create_client('Desk')});
$clinic->remember;
dump_to('whole');

# ---- over a clinic that is in use --------------------------------------------

subtest 'over a clinic that is in use' => sub {
    my $gateway = Appt::Gateway->new(cluster => $c);
    is(slots($gateway), 200, 'the gateway answers');
    Appt::Backup::at('08:32', $c, q{SELECT appt.book('PAT-2026-00113', 'DOC-X',
        '2026-03-16 16:00+05:30', branch_id => 'MUM-01')});
    my %since = $clinic->state_of($c);

    my ($code, undef, $err) = restore('whole', $c->database, '--clean',
        '--if-exists', '--exit-on-error');
    is($code, 1, 'is refused');
    like($err, qr/holds patients or appointments.*allow_drop = on/s,
        'and told how it is meant');
    is_deeply({ $clinic->state_of($c) }, \%since, 'nothing is changed');

    ($code) = restore('whole', $c->database, '--clean', '--if-exists');
    is($code, 1, 'is refused without --exit-on-error, too');
    my %after = $clinic->state_of($c);
    is($after{$_}, $since{$_}, "$_ is unchanged") for $clinic->tables;
    my $behind = $c->psql('SELECT problem FROM appt.check_rows()');
    like($behind, qr/sequence appointment_no_seq is behind/,
        'the counters are set back, and that is named');
    $c->psql(q{SELECT setval('appt.appointment_no_seq',
        (SELECT max(appointment_no) FROM appt.appointment)),
        setval('appt.event_event_no_seq',
        (SELECT max(event_no) FROM appt.event)),
        setval('appt.delivery_delivery_no_seq',
        (SELECT max(delivery_no) FROM appt.delivery)),
        setval('appt.client_audit_client_audit_no_seq',
        (SELECT max(client_audit_no) FROM appt.client_audit))});
    is($c->psql('SELECT * FROM appt.check_rows()'), '', 'until they are set');

    for my $jobs (1, 4) {
        local $ENV{PGOPTIONS} = '-c bioecko_appt.allow_drop=on';
        ($code, undef, $err) = restore('whole', $c->database, '--clean',
            '--if-exists', '--exit-on-error', "--jobs=$jobs");
        is($code, 0, "it is done where it is meant, with --jobs=$jobs")
            or diag $err;
        delete $ENV{PGOPTIONS};
        $clinic->same($c);
    }
    wait_for { slots($gateway) == 200 } 'the gateway to go on by itself', 60;
    pass('the gateway goes on by itself');

    # Each token is on record.
    $gateway->stop;
    $clinic->remember;
    dump_to('whole');
};

# ---- half a dump, other databases --------------------------------------------

subtest 'pg_dump --schema=appt' => sub {
    my $file = dump_to('only-schema', '--schema=appt');
    my $copy = database();
    my ($code, undef, $err) = restore('only-schema', $copy->database,
        '--exit-on-error');
    is($code, 1, 'is no clinic');
    like($err, qr/relation "appt\.\w+" does not exist/,
        'as the extension is not in it');
    my $other = database();
    $other->psql('SET client_min_messages = error; '
            . 'CREATE EXTENSION bioecko_appt CASCADE');
    ($code, undef, $err) = restore('only-schema', $other->database,
        '--data-only', '--exit-on-error');
    is($code, 0, 'but its rows are, where the extension is') or diag $err;
    $clinic->same($other);
};

for my $encoding (qw(LATIN1 EUC_JP SQL_ASCII)) {
    subtest "into encoding $encoding" => sub {
        my $copy = database("ENCODING '$encoding' LOCALE 'C'");
        my ($code, undef, $err) = restore('whole', $copy->database,
            '--exit-on-error');
        is($code, 1, 'is refused');
        like($err, qr/has encoding $encoding, not UTF8\n.*ENCODING 'UTF8'/,
            'and told which encoding it wants');
    };
}

subtest 'into a database that knows ASCII alone' => sub {
    my $copy = database("ENCODING 'UTF8' LOCALE 'C'");
    my ($code, undef, $err) = $copy->try_psql(
        'CREATE EXTENSION bioecko_appt CASCADE');
    is($code, 0, 'is done');
    like($err, qr/capital letters of ASCII alone.*Its LC_CTYPE is C/s,
        'and what it costs is said');
    restore('whole', $copy->database, '--exit-on-error', '--data-only');
    $clinic->same($copy);
};

subtest 'by somebody who is no superuser' => sub {
    $c->psql('CREATE ROLE owner LOGIN', dbname => 'postgres');
    my $copy = database('OWNER owner');
    my ($code, undef, $err) = restore('whole', $copy->database,
        '--exit-on-error', '--no-owner', { user => 'owner' });
    is($code, 1, 'is refused');
    like($err, qr/permission denied to create extension/, 'for that reason');
    is($copy->psql(q{SELECT count(*) FROM pg_class
        WHERE relnamespace = 'appt'::regnamespace}), '0', 'nothing is made');
};

# ---- what a DBA added --------------------------------------------------------

subtest 'a column, an index and a trigger of a DBA\'s own' => sub {
    my $own = database();
    restore('whole', $own->database, '--exit-on-error');
    my $script = <<'SQL';
ALTER TABLE appt.patient ADD COLUMN ward text;
CREATE INDEX patient_ward ON appt.patient (ward);
CREATE FUNCTION public.ward() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN NEW.ward := coalesce(NEW.ward, 'A'); RETURN NEW; END$$;
CREATE TRIGGER patient_ward BEFORE INSERT ON appt.patient
	FOR EACH ROW EXECUTE FUNCTION public.ward();
SQL
    $own->psql("$script UPDATE appt.patient SET ward = 'B'");
    succeeds("$bindir/pg_dump", '--format=custom', "--file=$dir/own",
        '--dbname=' . $own->dsn);

    my $copy = database();
    my ($code, undef, $err) = restore('own', $copy->database,
        '--exit-on-error');
    is($code, 1, 'a restore stops');
    like($err, qr/column "ward" of relation "patient" does not exist/,
        'at the column');

    my $other = database();
    restore('own', $other->database, '--exit-on-error', '--section=pre-data');
    $script =~ s/^CREATE FUNCTION.*?;\n(?=CREATE TRIGGER)//ms;
    $other->psql($script);
    ($code, undef, $err) = restore('own', $other->database, '--exit-on-error',
        '--section=data', '--section=post-data', '--jobs=4');
    is($code, 0, 'goes through once the script has run after pre-data')
        or diag $err;
    is($other->psql('SELECT DISTINCT ward FROM appt.patient'), 'B',
        'with the column\'s values');
    is($other->psql('SELECT * FROM appt.check_rows()'), '', 'and all rows');
};

# ---- two clinics in a cluster, and the end of one ----------------------------

subtest 'a second clinic in the cluster' => sub {
    my $second = database();
    $second->psql('SET client_min_messages = error; '
            . 'CREATE EXTENSION bioecko_appt CASCADE');
    is($second->psql('SELECT count(*) FROM appt.patient'), '0', 'is empty');
    restore('whole', database()->database, '--exit-on-error');
    $second->psql(<<'SQL');
INSERT INTO appt.branch (branch_id, name, time_zone)
VALUES ('B', 'Branch', 'Asia/Kolkata');
INSERT INTO appt.doctor (doctor_id, name) VALUES ('D', 'Dr D');
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
VALUES ('D', 'B', 1, '09:00', '10:00');
INSERT INTO appt.patient (first_name) VALUES ('First');
SQL
    is(Appt::Backup::at('08:31', $second, q{SELECT token_number
        FROM appt.book((SELECT patient_id FROM appt.patient), 'D',
            '2026-03-16 09:00+05:30')}), '1', 'counts by itself');
    $clinic->same($c, 'the first one is as it was');

    $second->psql('SET client_min_messages = error; LOAD \'bioecko_appt\'; '
            . 'SET bioecko_appt.allow_drop = on; DROP EXTENSION bioecko_appt');
    $clinic->same($c, 'and when the second one is dropped');
    is($c->psql(q{SELECT string_agg(rolname, ' ' ORDER BY 1) FROM pg_roles
        WHERE pg_has_role('bioecko_admin', oid, 'MEMBER')
            AND rolname <> 'bioecko_admin'}), 'appt_admin',
        'the roles and who is in them stay');
    $clinic->goes_on($c);
};

subtest 'DROP EXTENSION' => sub {
    my $empty = database();
    $empty->psql('SET client_min_messages = error; '
            . 'CREATE EXTENSION bioecko_appt CASCADE');
    my ($code, undef, $err) = $empty->try_psql('DROP EXTENSION bioecko_appt');
    is($code, 0, 'is done without data') or diag $err;
    ($code, undef, $err) = $empty->try_psql('SET client_min_messages = error; '
            . 'CREATE EXTENSION bioecko_appt');
    is($code, 0, 'and the extension can be created again') or diag $err;

    my $full = database();
    restore('whole', $full->database, '--exit-on-error');
    ($code, undef, $err) = $full->try_psql('DROP EXTENSION bioecko_appt');
    isnt($code, 0, 'is refused with data');
    $clinic->same($full);
    ($code, undef, $err) = $full->try_psql('LOAD \'bioecko_appt\'; '
            . 'SET bioecko_appt.allow_drop = on; DROP EXTENSION bioecko_appt');
    is($code, 0, 'unless it is meant') or diag $err;
    is($full->psql(q{SELECT count(*) FROM pg_namespace
        WHERE nspname ~ '^appt_'}), '0',
        'and leaves no schema of its own');
    ($code, undef, $err) = restore('whole', $full->database, '--exit-on-error',
        '--clean', '--if-exists');
    is($code, 0, 'a restore over what is left is done') or diag $err;
    $clinic->same($full);
};

done_testing;

sub dump_to {
    my ($name, @option) = @_;
    succeeds("$bindir/pg_dump", '--format=custom', @option,
        "--file=$dir/$name", '--dbname=' . $c->dsn);
    return "$dir/$name";
}

# Exit code, output and errors of pg_restore; { user => … } may come last.
sub restore {
    my ($dump, $database, @option) = @_;
    my %dsn = ref $option[-1] ? %{ pop @option } : ();
    return run_command(["$bindir/pg_restore", @option,
        '--dbname=' . $c->dsn(dbname => $database, %dsn), "$dir/$dump"]);
}

my $databases;

sub database {
    my ($how) = @_;
    my $name = 'copy' . ++$databases;
    $c->psql("CREATE DATABASE $name TEMPLATE template0 " . ($how // ''),
        dbname => 'postgres');
    return on($c, $name);
}

# The status of a list of slots over HTTP, with a token of now.
sub slots {
    my ($gateway) = @_;
    my $status = eval {
        my $http = Appt::Http->new($gateway->url, %$client);
        $http->get('/api/v1/appointments/slots?doctor_id=DOC-001&branch_id='
                . 'MUM-01&date=2026-03-16')->{status};
    } // 0;
    return $status;
}
