package Appt::Cluster;

# A private PostgreSQL cluster in a temporary directory: reached by its unix
# socket alone, gone with the test.  Run by root, only initdb and postgres
# become user postgres; everything else stays the caller.
#
#   my $c = Appt::Cluster->new;                # initdb, start, database appt
#   my $c = Appt::Cluster->new(fsync => 1, conf => { max_connections => 20 });
#   my $c = Appt::Cluster->new(bare => 1);     # initdb alone
#   my $c = Appt::Cluster->new(bindir => '/usr/lib/postgresql/15/bin');
#   my $c = Appt::Cluster->new(initdb => ['--no-data-checksums']);
#   my $c = Appt::Cluster->new(env => { LD_PRELOAD => $library });
#   $c->create_extension;
#   $c->psql('SELECT 1');                      # output; dies on an error
#   $c->value('SELECT count(*) FROM t WHERE a = $1', 7);
#   $c->dsn(user => 'bioecko_gateway');        # libpq connection string
#   $c->freeze_clock('2026-03-14T09:00:00+05:30');
#   $c->stop; $c->start; $c->restart; $c->kill9;
#   my $s = $c->standby;                       # a hot standby that follows it

use strict;
use warnings;
use Appt::Process;
use Appt::Util qw(free_port wait_for slurp temp_dir run_command);

sub new {
    my ($class, %arg) = @_;
    my $dir  = $arg{directory} // temp_dir();
    my $self = bless {
        directory => $dir,
        data      => "$dir/data",
        socket    => "$dir/s",
        log       => "$dir/postgres.log",
        port      => $arg{port}     // free_port(),
        database  => $arg{database} // 'appt',
        bindir    => $arg{bindir} // bindir(),
        env       => $arg{env} // {},
        owner     => $$,
    }, $class;
    $self->_init(%arg);
    return $self if $arg{bare};
    $self->start;
    $self->psql("CREATE DATABASE $self->{database}", dbname => 'postgres');
    return $self;
}

# A hot standby of this cluster, made of a copy of it.
sub standby {
    my ($self, %arg) = @_;
    my $new = Appt::Cluster->new(bare => 1);
    my ($code, undef, $err) = run_command(
        ['setpriv', Appt::Process::as_user('postgres'), '--', 'sh', '-c',
            'rm -rf "$1"/* && exec "$0" --pgdata="$1" --dbname="$2" '
                . '--checkpoint=fast --wal-method=stream --write-recovery-conf '
                . '--no-sync',
            "$new->{bindir}/pg_basebackup", $new->{data},
            $self->dsn(dbname => 'postgres')]);
    die "pg_basebackup: $err" if $code;
    my %conf = (port => $new->{port}, unix_socket_directories => $new->{socket},
        %{ $arg{conf} // {} });
    open my $fh, '>>', "$new->{data}/postgresql.auto.conf" or die "$!\n";
    print {$fh} map {"$_ = '$conf{$_}'\n"} sort keys %conf;
    close $fh;
    return $new->start;
}

# Where this machine's initdb and postgres are.
sub bindir {
    my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
    chomp(my $bindir = `$pg_config --bindir 2>/dev/null` // '');
    die "$pg_config --bindir gives nothing; what to do: make install-deps\n"
        unless $bindir && -x "$bindir/postgres";
    return $bindir;
}

# PostgreSQL's major version here.
sub major {
    my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
    my ($major) = `$pg_config --version` =~ /^PostgreSQL (\d+)/
        or die "$pg_config --version gives no version\n";
    return $major;
}

sub _init {
    my ($self, %arg) = @_;
    mkdir $_ for $self->{data}, $self->{socket};
    if ($> == 0) {
        my ($uid, $gid) = (getpwnam 'postgres')[2, 3];
        chown $uid, $gid, $self->{data}, $self->{socket};
    }
    # There is no password: who reaches the socket is superuser.
    chmod 0700, $self->{data}, $self->{socket};
    $self->_initdb(@{ $arg{initdb} // [] });

    my %conf = (
        listen_addresses        => $arg{tcp} ? '127.0.0.1' : '',
        port                    => $self->{port},
        unix_socket_directories => $self->{socket},
        fsync                   => $arg{fsync} ? 'on' : 'off',
        synchronous_commit      => $arg{fsync} ? 'on' : 'off',
        full_page_writes        => $arg{fsync} ? 'on' : 'off',
        max_connections         => 100,
        shared_buffers          => '64MB',
        max_wal_size            => '512MB',
        autovacuum_naptime      => '5s',
        log_line_prefix         => '%m [%p] %a ',
        log_min_messages        => 'warning',
        log_timezone            => 'UTC',
        timezone                => 'UTC',
        lc_messages             => 'C',
        restart_after_crash     => 'off',
        %{ $arg{conf} // {} });
    open my $fh, '>>', "$self->{data}/postgresql.conf"
        or die "$self->{data}/postgresql.conf: $!\n";
    print {$fh} map {"$_ = '$conf{$_}'\n"} sort keys %conf;
    close $fh;
}

# A copy of the test run's template if there is one (a fraction of a second),
# otherwise initdb.
sub _initdb {
    my ($self, @option) = @_;
    my $template = $self->{bindir} eq bindir() && !@option
        && $ENV{APPT_TEST_TEMPLATE};
    my @command = $template && -e "$template/PG_VERSION"
        ? ('cp', '-a', "$template/.", "$self->{data}/")
        : ("$self->{bindir}/initdb", '--pgdata' => $self->{data},
            '--username' => 'postgres', '--auth' => 'trust',
            '--encoding' => 'UTF8', '--locale' => 'C.UTF-8', '--no-sync',
            @option);
    my ($code, $out, $err) = run_command(
        ['setpriv', Appt::Process::as_user('postgres'), '--', @command]);
    die "could not make a cluster:\n$out$err" if $code;
}

sub start {
    my ($self) = @_;
    for my $try (1 .. 50) {
        $self->{postgres} = Appt::Process->start(
            name => 'postgres', user => 'postgres', log => $self->{log},
            command      => ["$self->{bindir}/postgres", '-D', $self->{data}],
            env          => $self->{env},
            stop_signal  => 'INT',
            death_signal => 'QUIT',
            directory    => "$self->{data}");
        return $self if $self->_wait_ready;

        # Killed just before: its last backend may hold the shared memory.
        last unless $self->{postgres}->log_text =~ /still in use/;
        select undef, undef, undef, 0.1;
    }
    die 'postgres did not start; ' . $self->{postgres}->log_tail(30);
}

# True once the server takes connections, false if it ended instead.
sub _wait_ready {
    my ($self) = @_;
    wait_for {
        return 'ended' unless $self->{postgres}->alive;
        open my $fh, '<', "$self->{data}/postmaster.pid" or return 0;
        my @line = <$fh>;
        return @line >= 8 && $line[0] == $self->{postgres}->pid
            && $line[7] =~ /^ready/ ? 'ready' : 0;
    } 'postgres to take connections', 60;
    return $self->{postgres}->alive;
}

# fast (default): clients are cut off; immediate: as in a crash, no checkpoint.
sub stop {
    my ($self, $mode) = @_;
    delete $self->{dbh};
    return unless $self->{postgres};
    $self->{postgres}->stop(
        seconds => 60,
        signal  => ($mode // 'fast') eq 'immediate' ? 'QUIT' : 'INT');
}

sub restart {
    my ($self, $mode) = @_;
    $self->stop($mode);
    return $self->start;
}

# The whole server at once, as if its processes' machine had lost power.
sub kill9 {
    my ($self) = @_;
    my $pid = $self->{postgres}->pid or return;
    delete $self->{dbh};
    kill STOP => $pid;
    kill KILL => _children($pid);
    $self->{postgres}->kill9;
}

sub _children {
    my ($parent) = @_;
    my @children;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $fh, '<', $stat or next;
        my $line = <$fh> // next;
        push @children, $1 if $line =~ /^(\d+) \(.*\) \S (\d+)/s && $2 == $parent;
    }
    return @children;
}

sub pid      { $_[0]{postgres}->pid }
sub port     { $_[0]{port} }
sub host     { $_[0]{socket} }
sub database { $_[0]{database} }
sub log_text { $_[0]{postgres}->log_text }

# A libpq connection string.
sub dsn {
    my ($self, %arg) = @_;
    return sprintf 'host=%s port=%d dbname=%s user=%s', $self->{socket},
        $self->{port}, $arg{dbname} // $self->{database},
        $arg{user} // 'postgres';
}

# libpq's environment variables for a program that is run by hand.
sub env {
    my ($self) = @_;
    return (PGHOST => $self->{socket}, PGPORT => $self->{port},
        PGUSER => 'postgres', PGDATABASE => $self->{database});
}

# Exit code, output and errors of a psql run.
sub try_psql {
    my ($self, $sql, %arg) = @_;
    return run_command(
        ['psql', '--no-psqlrc', '--quiet', '--tuples-only', '--no-align',
            '--set' => 'ON_ERROR_STOP=1', @{ $arg{options} // [] },
            '--dbname' => $self->dsn(%arg), '--file' => '-'], $sql);
}

# Unaligned output without the last line end; dies on the first error.
sub psql {
    my ($self, $sql, %arg) = @_;
    my ($code, $out, $err) = $self->try_psql($sql, %arg);
    die "psql: $err" if $code;
    chomp $out;
    return $out;
}

# A new connection by DBD::Pg that raises errors; the caller keeps it.
sub connect {
    my ($self, %arg) = @_;
    require DBI;
    return DBI->connect(
        'dbi:Pg:' . join(';', split / /, $self->dsn(%arg)), undef, undef,
        { AutoCommit => 1, RaiseError => 1, PrintError => 0,
            pg_enable_utf8 => 1, AutoInactiveDestroy => 1 });
}

sub dbh {
    my ($self) = @_;
    delete $self->{dbh} if $self->{dbh} && !$self->{dbh}->ping;
    return $self->{dbh} //= $self->connect;
}

# Rows as hashes; parameters are $1, $2, …
sub query {
    my ($self, $sql, @bind) = @_;
    return $self->dbh->selectall_arrayref($sql, { Slice => {} }, @bind);
}

sub row {
    my ($self, $sql, @bind) = @_;
    return $self->dbh->selectrow_hashref($sql, {}, @bind);
}

sub value {
    my ($self, $sql, @bind) = @_;
    my @row = $self->dbh->selectrow_array($sql, {}, @bind);
    return $row[0];
}

sub create_extension {
    my ($self) = @_;
    $self->psql('SET client_min_messages = warning; '
            . 'CREATE EXTENSION bioecko_appt CASCADE');
    return $self;
}

# Login roles as a deployer makes them: one a program, with nothing else.
sub create_logins {
    my ($self) = @_;
    $self->psql(<<'SQL');
CREATE ROLE bioecko_gateway LOGIN IN ROLE appt_gateway;
CREATE ROLE bioecko_relay LOGIN IN ROLE appt_relay;
CREATE ROLE bioecko_admin LOGIN IN ROLE appt_admin;
ALTER ROLE bioecko_gateway SET log_parameter_max_length = 0;
ALTER ROLE bioecko_relay SET log_parameter_max_length = 0;
SQL
    return $self;
}

# The clinic's data of demo/ by default.
sub load {
    my ($self, $file) = @_;
    $self->psql(slurp($file));
    return $self;
}

# Stops the extension's clock at an instant in every session from now on,
# those that are open included.
sub freeze_clock {
    my ($self, $instant) = @_;
    $self->_set_clock("SET bioecko_appt.clock = '$instant'", $instant);
}

sub thaw_clock {
    my ($self) = @_;
    $self->_set_clock('RESET bioecko_appt.clock', '');
}

sub _set_clock {
    my ($self, $change, $value) = @_;
    # The server knows the setting's name once the module is loaded.
    $self->psql("LOAD 'bioecko_appt';\nALTER SYSTEM $change;\n"
            . 'SELECT pg_reload_conf();');

    # A session picks a reload up before its next statement: ask with one
    # that is open already until it has.
    wait_for {
        ($self->value(q{SELECT current_setting('bioecko_appt.clock', true)})
            // '') eq $value;
    } 'the new clock';
}

sub DESTROY {
    my ($self) = @_;
    return if ($self->{owner} // 0) != $$;
    local ($?, $@, $!);
    delete $self->{dbh};
    $self->{postgres}->stop(signal => 'QUIT', seconds => 10)
        if $self->{postgres};
}

1;
