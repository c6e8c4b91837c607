package Appt::Machine;

# A machine of its own under a running systemd, in namespaces: this system's
# files below an overlay that is thrown away, an empty /etc/systemd/system,
# no PostgreSQL cluster, its own loopback, this checkout at /srv/bioecko.
#
#   my $why = Appt::Machine->missing;        # why there cannot be one, or ''
#   my $m = Appt::Machine->new;
#   my ($code, $out, $err) = $m->sh('systemctl is-active postgresql');
#   my $out = $m->must('...');               # dies unless the code is 0
#
# It needs root, systemd, overlayfs and a cgroup2 hierarchy.

use strict;
use warnings;
use Appt::Process;
use Appt::Util qw(root_dir run_command slurp temp_dir wait_for);

my $systemd = '/lib/systemd/systemd';
my %running;

# A cgroup of the machine's own, in a mount that nobody else sees.
my $enter_cgroup = <<'SH';
mount -t cgroup2 cgroup2 "$1/cgroup"
mkdir -p "$1/cgroup/$2"
echo $$ >"$1/cgroup/$2/cgroup.procs"
shift 2
exec "$@"
SH

# The files that the machine sees, and systemd as its first process.
my $boot = <<'SH';
dir=$1 project=$2 systemd=$3
mount -t tmpfs tmpfs "$dir/files"
mkdir "$dir/files/upper" "$dir/files/work" "$dir/files/root"
mount -t overlay overlay -o \
"lowerdir=/,upperdir=$dir/files/upper,workdir=$dir/files/work" "$dir/files/root"
cd "$dir/files/root"
mkdir -p srv/bioecko
mount --bind "$project" srv/bioecko
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup

mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for node in null zero full random urandom tty
do
	: >"dev/$node"
	mount --bind "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd

for place in run etc/systemd/system etc/postgresql etc/init.d \
	var/lib/postgresql var/log
do
	mkdir -p "$place"
	mount -t tmpfs -o mode=755 tmpfs "$place"
done
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mkdir var/log/postgresql
chown postgres:postgres etc/postgresql var/lib/postgresql var/log/postgresql
rm -f etc/fstab

mkdir .before
pivot_root . .before
umount -l .before
rmdir .before
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	"$systemd" --unit=multi-user.target --log-target=journal
SH

# Why this system cannot have such a machine; nothing if it can.
sub missing {
    my ($class) = @_;
    return 'only root can make namespaces' if $> != 0;
    return 'systemd is not installed' unless -x $systemd;
    return 'libnss-systemd is not installed'
        unless `grep '^passwd:.*systemd' /etc/nsswitch.conf`;
    my $dir = temp_dir();
    my ($code, undef, $err) = run_command(['unshare', '--mount', '--pid',
        '--fork', '--net', '--cgroup', 'sh', '-euc', 'mount -t tmpfs tmpfs "$1"
        cd "$1"; mkdir u w r c; mount -t cgroup2 cgroup2 c
        mkdir c/appt-try; rmdir c/appt-try
        mount -t overlay overlay -o "lowerdir=/,upperdir=u,workdir=w" r
        cd r; mkdir .before; pivot_root . .before',
        'sh', "$dir"]);
    return $code ? "namespaces of our own are not to be had: $err" : '';
}

sub new {
    my ($class) = @_;
    my $dir  = temp_dir();
    my $self = bless { directory => $dir, cgroup => "appt-test-$$",
        owner => $$ }, $class;
    mkdir "$dir/$_" or die "$dir/$_: $!\n" for qw(cgroup files);
    $self->{process} = Appt::Process->start(
        name => 'machine', log => "$dir/log",
        command => ['unshare', '--mount', '--propagation', 'private',
            'sh', '-euc', $enter_cgroup, 'sh', "$dir", $self->{cgroup},
            'unshare', '--fork', '--kill-child', '--pid', '--mount', '--uts',
            '--ipc', '--cgroup', '--net',
            'sh', '-euc', $boot, 'sh', "$dir", root_dir(), $systemd]);
    $running{$self} = $self;
    wait_for { $self->_find_init } sub { $self->{process}->log_tail };
    my @state;
    wait_for {
        @state = $self->sh('systemctl is-system-running');
        $state[1] =~ /^(?:running|degraded)/;
    } sub {"the machine to be up: @state"}, 10;
    return $self;
}

# The machine's first process, once it is systemd.
sub _find_init {
    my ($self) = @_;
    die $self->{process}->log_tail unless $self->{process}->alive;
    my $parent = $self->{process}->pid;
    my ($pid) = split ' ', slurp("/proc/$parent/task/$parent/children");
    return unless $pid && (eval { slurp("/proc/$pid/comm") } // '') eq "systemd\n";
    return $self->{init} = $pid;
}

# A shell's lines on the machine, as root: exit code, output, errors.
sub sh {
    my ($self, $lines) = @_;
    return run_command(['nsenter', '--target', $self->{init}, '--mount',
        '--uts', '--ipc', '--net', '--pid', '--cgroup',
        'env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'
            . ':/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8', 'TERM=dumb',
        'timeout', '120', 'sh', '-euc', "cd /srv/bioecko\n$lines"]);
}

sub must {
    my ($self, $lines) = @_;
    my ($code, $out, $err) = $self->sh($lines);
    die "$lines\nfailed ($code):\n$out$err" if $code;
    return $out;
}

# Ends the machine, as by a power cut, and removes its cgroups.
sub end {
    my ($self) = @_;
    delete $running{$self} or return;
    $self->{process}->kill9;
    run_command(['unshare', '--mount', 'sh', '-euc', 'cd "$1"
        mount -t cgroup2 cgroup2 cgroup
        for i in $(seq 50)
        do
            find "cgroup/$2" -depth -type d -exec rmdir {} + && break
            sleep 0.1
        done', 'sh', $self->{directory}, $self->{cgroup}]);
}

# A test may die; its children must not end the machine when they do.
END {
    local $?;
    $_->{owner} == $$ && $_->end for values %running;
}

1;
