package Appt::Process;

# A child process that cannot outlive its test: it is ended by its own pid
# when the object goes, when the test dies, and by the kernel (parent-death
# signal) when the test is killed.
#
#   my $p = Appt::Process->start(
#       name => 'gateway', command => [...], env => {...}, log => $file,
#       user => 'postgres');
#   $p->alive; $p->signal('STOP'); $p->stop; $p->kill9; $p->log_text;

use strict;
use warnings;
use Appt::Util qw(patience);
use POSIX qw(WNOHANG _exit);
use Time::HiRes qw(sleep time);

my %running;

$SIG{$_} //= sub { exit 1 } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

sub start {
    my ($class, %arg) = @_;
    my $self = bless {
        name        => $arg{name} // $arg{command}[0],
        log         => $arg{log}  // '/dev/null',
        stop_signal => $arg{stop_signal} // 'TERM',
        owner       => $$,
    }, $class;
    my @command = (
        'setpriv', '--pdeathsig', $arg{death_signal} // 'KILL',
        as_user($arg{user}), '--', @{ $arg{command} });

    my $pid = fork // die "$self->{name}: could not fork: $!\n";
    if ($pid == 0) {
        %running = ();
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', $self->{log};
        open STDERR, '>&', \*STDOUT;
        chdir($arg{directory} // '/');
        my %env = %{ $arg{env} // {} };
        defined $env{$_} ? ($ENV{$_} = $env{$_}) : delete $ENV{$_}
            for keys %env;
        exec { $command[0] } @command or _exit(127);
    }
    $self->{pid} = $pid;
    $running{$pid} = $self;
    return $self;
}

# Whether a process runs, by its number: one that has ended does not, though it
# be listed until its parent asks for its status.
sub runs {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/stat" or return 0;
    return (scalar(<$fh>) // '') =~ /.*\) [^ZX]/s;
}

# The part of a setpriv command line that becomes another user, if asked to.
sub as_user {
    my ($user) = @_;
    return () unless defined $user && $> == 0;
    my ($uid, $gid) = (getpwnam $user)[2, 3];
    die "there is no user $user on this machine\n" unless defined $uid;
    return ("--reuid=$uid", "--regid=$gid", '--init-groups');
}

sub pid { $_[0]{pid} }

# Whether it still runs; notes its exit status once it does not.
sub alive {
    my ($self) = @_;
    return 0 unless $self->{pid};
    return 1 if waitpid($self->{pid}, WNOHANG) == 0;
    $self->{status} = $?;
    delete $running{ $self->{pid} };
    $self->{pid} = undef;
    return 0;
}

# wait()'s status once it has ended: 0, exit code << 8, or a signal's number.
sub status { $_[0]->alive ? undef : $_[0]{status} }

sub signal {
    my ($self, $signal) = @_;
    return $self->alive && kill $signal => $self->{pid};
}

sub wait_end {
    my ($self, $seconds) = @_;
    my $from = time;
    while ($self->alive) {
        return 0 if time - $from > patience($seconds);
        sleep 0.01;
    }
    return 1;
}

# Asks it to end and waits; what does not end in time is killed.
# True if it ended by itself.
sub stop {
    my ($self, %arg) = @_;
    return 1 unless $self->alive;
    kill CONT => $self->{pid};
    kill(($arg{signal} // $self->{stop_signal}) => $self->{pid});
    return 1 if $self->wait_end($arg{seconds} // 20);
    $self->kill9;
    return 0;
}

sub kill9 {
    my ($self) = @_;
    return unless $self->alive;
    kill KILL => $self->{pid};
    $self->wait_end(10) or die "$self->{name}: did not end by SIGKILL\n";
}

sub log_text {
    my ($self) = @_;
    open my $fh, '<', $self->{log} or return '';
    local $/;
    return scalar(<$fh>) // '';
}

# The last lines of its log, indented, for a failure's message.
sub log_tail {
    my ($self, $lines) = @_;
    my @lines = split /\n/, $self->log_text;
    splice @lines, 0, -($lines // 20) if @lines > ($lines // 20);
    return "log of $self->{name}:\n" . join '', map {"    $_\n"} @lines;
}

sub DESTROY {
    my ($self) = @_;
    return if ($self->{owner} // 0) != $$;
    local ($?, $@, $!);
    $self->stop(seconds => 5);
}

END {
    local $?;
    $_->{owner} == $$ && $_->stop(seconds => 5) for values %running;
}

1;
