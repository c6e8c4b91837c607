package Appt::Strike;

# Kills a program or a server process of PostgreSQL at a named step of its work,
# by a library that is preloaded into it: t/receivers/strike.c has the steps.
#
#   my $strike = Appt::Strike->new;
#   my $cluster = Appt::Cluster->new(%{ $strike->cluster });
#   my $relay = Appt::Relay->new(cluster => $cluster, env => { $strike->env });
#   $strike->plan(at => 'sent', text => 'appt_relay.tick()');
#   $strike->plan(at => 'half', port => 2525, text => "\nSubject:");
#   $strike->plan(at => 'writing', text => 'appt_relay.tick()', whom => 'cluster');
#   my $pid = $strike->wait_struck;            # whose process it was
#   $strike->wait_server($cluster, 'cluster'); # after one of the server's

use strict;
use warnings;
use Appt::Util qw(root_dir run_command slurp temp_dir wait_for);

sub new {
    my ($class) = @_;
    my $self = bless { directory => temp_dir() }, $class;
    # The server is another user, and says here that it was struck.
    chmod 01777, "$self->{directory}";
    $self->{plan} = "$self->{directory}/plan";
    my ($code, $out, $err) = run_command(['cc', '-Wall', '-Wextra', '-Werror',
        '-shared', '-fPIC', '-o', "$self->{directory}/strike.so",
        root_dir() . '/t/receivers/strike.c', '-ldl']);
    die "strike.c: $out$err" if $code;
    return $self;
}

sub env {
    my ($self) = @_;
    return (LD_PRELOAD => "$self->{directory}/strike.so",
        STRIKE_PLAN => $self->{plan});
}

# What a cluster is to be whose processes are struck: it begins anew by itself,
# and nobody else writes the log of a statement that commits.
sub cluster {
    my ($self) = @_;
    return { fsync => 1, env => { $self->env },
        conf => { restart_after_crash => 'on', wal_writer_delay => '10s' } };
}

# From now on, once; nothing: no more.
sub plan {
    my ($self, %arg) = @_;
    unlink $self->{plan}, "$self->{plan}.struck";
    return unless %arg;
    open my $fh, '>', "$self->{plan}.new" or die "$self->{plan}: $!\n";
    print {$fh} join(' ', $arg{at}, $arg{port} // 0, $arg{whom} // 'self'),
        "\n$arg{text}";
    close $fh;
    rename "$self->{plan}.new", $self->{plan} or die "$self->{plan}: $!\n";
}

# The pid of the process that was killed; there is no plan any more.
sub wait_struck {
    my ($self, $seconds) = @_;
    my $pid = wait_for {
        -e "$self->{plan}.struck" && slurp("$self->{plan}.struck") =~ /^(\d+)\n/
            && $1;
    } 'the step that kills', $seconds;
    $self->plan;
    return $pid;
}

# Until the server that was struck takes connections again; as a cluster it is
# started.
sub wait_server {
    my ($self, $cluster, $whom) = @_;
    if ($whom eq 'cluster') {
        $cluster->{postgres}->wait_end(20) or die "the server is still there\n";
        $cluster->start;
    }
    my $starts = sub { scalar(() = $cluster->log_text =~ /ready to accept conn/g) };
    my $before = $self->{starts} // 1;
    wait_for { $starts->() > $before } 'the server', 60;
    $self->{starts} = $starts->();
    delete $cluster->{dbh};
}

1;
