package Appt::Demo;

# make run in a copy of the project, on free ports, as a user has it in a
# terminal of its own.
#
#   my $demo = Appt::Demo->new;            # a copy; nothing runs yet
#   $demo->start; $demo->wait_open; $demo->output;
#   my ($code, $out, $err) = $demo->sh('. .run/env; psql -c ...');
#   $demo->interrupt;                      # Ctrl-C

use strict;
use warnings;
use Appt::Process;
use Appt::Util qw(free_port root_dir run_command temp_dir wait_for);

my @port_names = qw(APPT_PORT APPT_PG_PORT APPT_RECEIVER_PORT APPT_RELAY_PORT
    APPT_MAIL_PORT);

# directory => where to put the copy (a temporary one by default).
sub new {
    my ($class, %arg) = @_;
    my $temp = temp_dir();
    my $self = bless {
        temp      => $temp,
        directory => $arg{directory} // "$temp/bioecko appt",
        log       => "$temp/make.log",
        port      => { map { $_ => free_port() } @port_names },
        owner     => $$,
    }, $class;
    $self->_copy;
    return $self;
}

# With the times of files, so that nothing is built again.
sub _copy {
    my ($self) = @_;
    my ($from, $to) = (root_dir(), $self->{directory});
    my ($code, $out, $err) = run_command(['sh', '-c',
        'mkdir -p "$2" && cd "$1" && tar -cf - --exclude=./.git '
            . '--exclude=./.run --exclude=./tmp_check --exclude=node_modules . '
            . '| tar -xpf - -C "$2"', 'sh', $from, $to]);
    die "could not copy the project: $err" if $code;
}

sub directory { $_[0]{directory} }
sub port      { $_[0]{port}{ $_[1] } }
sub process   { $_[0]{process} }

# Environment variables that put the demo on its ports.
sub env { my ($self, %more) = @_; return (%{ $self->{port} }, %more) }

sub start {
    my ($self, %env) = @_;
    unlink $self->{log};
    $self->{process} = Appt::Process->start(
        name => 'make run', log => $self->{log}, death_signal => 'TERM',
        directory => $self->{directory},
        env       => { $self->env(%env) },
        command   => ['setsid', 'make', 'run']);
    return $self;
}

sub output { $_[0]{process}->log_text }

# Until it has said its last words, or has ended.
sub wait_open {
    my ($self, $seconds) = @_;
    wait_for {
        $self->output =~ /^Ctrl-C ends it all/m || !$self->{process}->alive;
    } sub { 'make run to open; ' . $self->{process}->log_tail(40) },
        $seconds // 240;
    die $self->{process}->log_tail(40) unless $self->{process}->alive;
    return $self;
}

# Runs shell text in the copy; gives exit code, output and errors.
sub sh {
    my ($self, $text, %env) = @_;
    local %ENV = (%ENV, $self->env(%env));
    return run_command(['bash', '-c',
        'cd "$0" || exit 99; ' . $text, $self->{directory}]);
}

# Ctrl-C: the signal goes to all that the terminal runs. True if it ended.
sub interrupt {
    my ($self) = @_;
    kill INT => -$self->{process}->pid;
    return $self->{process}->wait_end(60);
}

sub DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local ($?, $@, $!);
    $self->sh('demo/stop --reset') if -d "$self->{directory}/.run";
    delete $self->{process};
}

1;
