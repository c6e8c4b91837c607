package Bench::Place;

# Where a run takes place: a private copy of PostgreSQL with the extension and
# the programs as they are built now, and a private cluster on it.  So nothing
# that is installed, started or stopped elsewhere on the machine changes what
# is measured, and a run needs nobody's rights but its own.

use strict;
use warnings;
use Appt::Cluster;
use Appt::Process;
use Appt::Util qw(root_dir temp_dir run_command);

sub new {
    my ($class, %arg) = @_;
    my $self = bless {
        directory => temp_dir(),
        scripts   => root_dir() . '/bench',
        %arg,
    }, $class;
    $self->_copy_postgres;
    $self->_copy_build;
    return $self;
}

sub directory { "$_[0]{directory}" }
sub program   { "$_[0]{directory}/$_[1]" }
sub cluster   { $_[0]{cluster} }

# PostgreSQL finds its files relative to its binaries: a copy is complete.
sub _copy_postgres {
    my ($self) = @_;
    my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
    my %from = map { chomp(my $path = `$pg_config --$_`); ($_ => $path) }
        qw(bindir sharedir pkglibdir);
    for my $path (values %from) {
        my $to = "$self->{directory}/usr$path";
        _run('mkdir', '-p', $to);
        _run('cp', '-a', "$path/.", $to);
    }
    $ENV{PG_CONFIG} = $self->{pg_config} =
        "$self->{directory}/usr$from{bindir}/pg_config";
    $ENV{PATH} = "$self->{directory}/usr$from{bindir}:$ENV{PATH}";
}

sub _copy_build {
    my ($self) = @_;
    my $top = root_dir();
    chomp(my $lib = `$self->{pg_config} --pkglibdir`);
    chomp(my $share = `$self->{pg_config} --sharedir`);
    die "$lib is not the private copy's\n"
        unless index($lib, $self->directory) == 0;
    _run('cp', "$top/bioecko_appt.so", "$lib/");
    _run('cp', "$top/bioecko_appt.control", glob("$top/bioecko_appt--*.sql"),
        "$share/extension/");
    for my $program (qw(bioecko-gateway bioecko-relay)) {
        _run('cp', "$top/gateway/build/$program", "$self->{directory}/")
            if -x "$top/gateway/build/$program";
    }
}

# PostgreSQL as it comes, but for memory that fits the data and checkpoints
# that do not fall into a round.
sub start_cluster {
    my ($self) = @_;
    my $cluster = $self->{cluster} = Appt::Cluster->new(
        fsync => 1,
        conf  => {
            shared_buffers       => '2GB',
            max_connections      => 200,
            max_wal_size         => '16GB',
            checkpoint_timeout   => '1h',
            autovacuum_naptime   => '1min',
            maintenance_work_mem => '512MB',
        });
    my @role = map {
        "CREATE ROLE bioecko_$_ LOGIN IN ROLE appt_$_; "
            . "ALTER ROLE bioecko_$_ SET log_parameter_max_length = 0;"
    } qw(gateway relay);
    $self->{days} = days_ahead($self->{rows}, 60);
    $self->make_database('appt', $self->{rows}, $self->{days});
    $cluster->psql(join ' ', @role);
    return $cluster;
}

# How far ahead so many appointments reach: 200 doctors' days of 30.
sub days_ahead {
    my ($rows, $most) = @_;
    my $days = int($rows / 6000) - 1;
    die "$rows appointments are too few\n" if $days < 10;
    return $days < $most ? $days : $most;
}

# A clinic of 200 doctors.  overlap => 0: without the overlap constraints,
# where nothing is booked.
sub make_database {
    my ($self, $name, $rows, $future, %arg) = @_;
    my $cluster = $self->{cluster};
    $cluster->psql("CREATE DATABASE $name", dbname => 'postgres')
        unless $name eq $cluster->database;
    $cluster->psql('SET client_min_messages = warning; '
            . 'CREATE EXTENSION bioecko_appt CASCADE', dbname => $name);
    for my $file ('load.sql', 'peers.sql') {
        my ($code, $out, $err) = run_command(
            ['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'doctors=200',
                '-v', "rows=$rows", '-v', "future=$future",
                '-v', 'overlap=' . ($arg{overlap} // 1),
                '-d', $cluster->dsn(dbname => $name),
                '-f', "$self->{scripts}/sql/$file"]);
        die "$file: $err" if $code;
    }
}

# What every measurement may use: an API client that is not held back, the
# first free day, a login for what the gateway does.
sub prepare {
    my ($self) = @_;
    my $cluster = $self->{cluster};
    $self->{client} = $cluster->row(
        'SELECT * FROM appt.create_client(name => $1, scopes => $2, '
            . 'requests_per_minute => $3)',
        'Bench', [qw(appointments:read appointments:write)], 10_000_000);
    $self->{t0} = $cluster->value(<<'SQL');
SELECT extract(epoch FROM
	(CURRENT_DATE + 61 + time '09:00') AT TIME ZONE 'Asia/Kolkata')::bigint
SQL
    delete $cluster->{dbh};
}

# A number of this run: what no two rounds may share.
sub take {
    my ($self, $name, $count) = @_;
    my $first = $self->{taken}{$name} // 0;
    $self->{taken}{$name} = $first + $count;
    return $first;
}

sub _run {
    my ($code, $out, $err) = run_command([@_]);
    die "@_: $err" if $code;
}

1;
