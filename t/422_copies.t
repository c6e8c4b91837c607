#!/usr/bin/perl
#
# Copies of a clinic that are no dump: pg_basebackup of the whole cluster while
# bookings go on, and logical replication of the tables.  Each has every row,
# works by itself, and sends nothing again.

use strict;
use warnings;
use Test::More;
use Appt::Backup qw(on succeeds);
use Appt::Cluster;
use Appt::Util qw(temp_dir wait_for);

my $clinic = Appt::Backup->new(conf => { wal_level => 'logical',
    max_wal_senders => 6, max_replication_slots => 6 });
my $c = $clinic->cluster;

subtest 'pg_basebackup' => sub {
    my $copy = Appt::Cluster->new(bare => 1);
    succeeds('rm', '-r', $copy->{data});
    succeeds("$c->{bindir}/pg_basebackup", '--checkpoint=fast',
        '--pgdata=' . $copy->{data}, '--dbname=' . $c->dsn);
    succeeds('chown', '-R', 'postgres:postgres', $copy->{data}) if $> == 0;
    open my $fh, '>>', "$copy->{data}/postgresql.conf" or die "$!\n";
    print {$fh} "port = $copy->{port}\n",
        "unix_socket_directories = '$copy->{socket}'\n";
    close $fh or die "$!\n";
    $copy->start;

    $clinic->same($copy);
    is($copy->psql('SELECT count(*) FROM appt.signing_key'), '1',
        'the signing key is there, too: tokens stay good');
    $clinic->sends_only_what_waited($copy);
    $clinic->goes_on($copy);
    $copy->stop;
};

subtest 'logical replication of the tables' => sub {
    $c->psql('CREATE PUBLICATION clinic FOR TABLES IN SCHEMA appt; '
            . q{SELECT pg_create_logical_replication_slot('clinic', 'pgoutput')});
    my $copy = Appt::Cluster->new(conf => { wal_level => 'logical' });
    $clinic->copy_roles($copy);
    $copy->create_extension;
    $copy->psql('TRUNCATE appt.setting_definition CASCADE');
    $copy->psql("CREATE SUBSCRIPTION clinic CONNECTION '" . $c->dsn
            . "' PUBLICATION clinic WITH (create_slot = false, "
            . "slot_name = 'clinic')");
    wait_for { $copy->psql(q{SELECT count(*) FROM pg_subscription_rel
        WHERE srsubstate <> 'r'}) eq '0' } 'the tables to be copied', 120;

    my %copied = $clinic->state_of($copy);
    is($copied{$_}, $clinic->{state}{$_}, $_) for $clinic->tables;

    my $slots = q{SELECT count(*) FROM appt.available_slots('DOC-X',
        '2026-03-23', 'MUM-01')};
    my $session = $copy->connect;
    $session->do(q{LOAD 'bioecko_appt'});
    $session->do(q{SET bioecko_appt.clock = '2026-03-16 08:40+05:30'});
    my ($before) = $session->selectrow_array($slots);
    cmp_ok($before, '>', 0, 'a session there lists slots');
    my $position = $copy->value(q{SELECT body::json ->> 'position'
        FROM appt_api.all_changes(NULL, '{}')});
    $c->psql(q{SELECT appt.add_time_off('DOC-X', '2026-03-23 00:00+05:30',
        '2026-03-24 00:00+05:30')});
    my $booked = Appt::Backup::at('08:40', $c, q{SELECT appointment_id
        FROM appt.book('PAT-2026-00115', 'DOC-X', '2026-03-16 17:00+05:30',
            branch_id => 'MUM-01')});
    wait_for { $copy->psql("SELECT count(*) FROM appt.appointment "
            . "WHERE appointment_id = '$booked'") eq '1' }
        'the booking to arrive', 60;
    is($copy->psql('SELECT count(*) FROM appt.time_off'),
        $c->psql('SELECT count(*) FROM appt.time_off'), 'and the time off');
    is(($session->selectrow_array($slots))[0], 0,
        'a session that was open there knows of it');
    unlike($copy->value(q{SELECT body::json ->> 'changes'
        FROM appt_api.all_changes($1, '{}')}, $position), qr/time_off/,
        'but who listens there is not told');

    # To take over, the counters come last: logical replication leaves them.
    $copy->psql('ALTER SUBSCRIPTION clinic DISABLE; '
            . 'ALTER SUBSCRIPTION clinic SET (slot_name = NONE); '
            . 'DROP SUBSCRIPTION clinic');
    like($copy->psql('SELECT problem FROM appt.check_rows()'),
        qr/sequence appointment_no_seq is behind/, 'counters are behind');
    $copy->psql($c->psql(q{SELECT format('SELECT setval(%L, %s);',
        format('%I.%I', schemaname, sequencename), last_value)
        FROM pg_sequences
        WHERE schemaname = 'appt' AND last_value IS NOT NULL}));
    is($copy->psql('SELECT * FROM appt.check_rows()'), '',
        'until they are set from the clinic\'s');
    $clinic->goes_on($copy);
};

done_testing;
