package Appt::Node;

# Programs of a directory with a package.json, its packages installed.
#
#   my $node = Appt::Node->new('t/web');        # undef without node and npm
#   my ($code, $out, $err) = $node->run('lint.js', $file);
#
# The packages stay in the directory's node_modules for the next run; two
# tests at the same time install one after the other.

use strict;
use warnings;
use Appt::Util qw(root_dir run_command);
use Fcntl qw(:flock);

sub new {
    my ($class, $path) = @_;
    return undef
        if (run_command(['sh', '-c', 'command -v node && command -v npm']))[0];
    my $self = bless { directory => root_dir() . "/$path" }, $class;
    $self->_install;
    return $self;
}

sub directory { $_[0]{directory} }

sub _install {
    my ($self) = @_;
    my $dir = $self->{directory};
    open my $lock, '<', "$dir/package.json" or die "$dir/package.json: $!\n";
    flock $lock, LOCK_EX or die "$dir/package.json: $!\n";
    my $done = "$dir/node_modules/.package-lock.json";
    return if -e $done && -M $done < -M "$dir/package-lock.json";
    my ($code, $out, $err) = run_command(['sh', '-c',
        'cd "$0" && exec npm ci --ignore-scripts --no-audit --no-fund', $dir]);
    die "npm ci in $dir failed:\n$out$err" if $code;
    utime undef, undef, $done;
}

# Exit code, output and errors of a program: one of the directory's, one
# elsewhere if the name is a whole path, a package's if it has no dot.
sub run {
    my ($self, $program, @argument) = @_;
    my $file = $program =~ m{^/} ? $program
        : $program =~ /\./ ? "$self->{directory}/$program"
        : "$self->{directory}/node_modules/.bin/$program";
    return run_command(['node', $file, @argument]);
}

1;
