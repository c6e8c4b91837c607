package Appt::Util;

# Small things that every test needs.

use strict;
use warnings;
use Exporter 'import';
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp ();
use IO::Socket::INET;
use List::Util qw(max);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(free_port patience wait_for root_dir slurp temp_dir run_command);

my $processors = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;

# The project's top directory, wherever the test was started.
sub root_dir { return abs_path(dirname(__FILE__) . '/../../..') }

# A directory that goes away with the test.  Others may pass through it but
# not list it, so that user postgres reaches what is below.
sub temp_dir {
    my $dir = File::Temp->newdir('appt-XXXXXX', TMPDIR => 1);
    chmod 0711, "$dir";
    return $dir;
}

# A TCP port of the loopback that was free just now. Not one of those that the
# kernel gives to outgoing connections: it would not stay free.
sub free_port {
    for (1 .. 1000) {
        my $socket = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => 11_000 + int rand 20_000,
            Listen => 1, Proto => 'tcp') or next;
        return $socket->sockport;
    }
    die "no free port: $!\n";
}

# So many seconds of a machine whose processors are free: on a busy one what takes
# them takes longer, by as much as others want of each processor. For the most that
# something may take; what must not come too early asks the clock.
sub patience {
    my ($seconds) = @_;
    my ($load) = slurp('/proc/loadavg') =~ /^([0-9.]+)/;
    return $seconds * max(1, $load / max(1, $processors));
}

# Calls the code until it gives something true, and gives that; dies naming
# what it waited for (text, or code that gives it) when the time (30 s, with
# patience) is over.
sub wait_for(&$;$) {
    my ($code, $what, $seconds) = @_;
    my $from = time;
    while (1) {
        my $got = $code->();
        return $got if $got;
        die 'waited in vain for ', ref $what ? $what->() : $what, "\n"
            if time - $from > patience($seconds // 30);
        sleep 0.01;
    }
}

sub slurp {
    my ($file) = @_;
    open my $fh, '<', $file or die "$file: $!\n";
    local $/;
    return scalar(<$fh>) // '';
}

# Runs a command with an optional standard input; gives its exit code,
# standard output and standard error.
sub run_command {
    my ($command, $input) = @_;
    my $in  = File::Temp->new;
    my $out = File::Temp->new;
    my $err = File::Temp->new;
    print {$in} $input // '';
    $in->flush;
    seek $in, 0, 0;

    my $pid = fork // die "could not fork: $!\n";
    if ($pid == 0) {
        open STDIN,  '<&', $in;
        open STDOUT, '>&', $out;
        open STDERR, '>&', $err;
        exec { $command->[0] } @$command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return ($code, slurp($out->filename), slurp($err->filename));
}

1;
