#!/usr/bin/perl
#
# The Debian packages: built from a copy, found sound by lintian, installed on a
# machine of namespaces, used as README.Debian says, upgraded, removed.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Machine;
use Appt::Util qw(root_dir run_command slurp wait_for);
use File::Path qw(make_path remove_tree);

my $root = root_dir();

is(slurp("$root/debian/control"),
    slurp("$root/debian/control.in") =~ s/PGVERSION/17/gr,
    'debian/control is that of Debian 13');
my ($version) = slurp("$root/debian/changelog") =~ /^bioecko-appt \((\S+)\)/;
like(slurp("$root/META.json"), qr/"version": "\Q$version\E",/,
    "its version is that of the release, $version");

for my $tool (qw(dh dpkg-buildpackage lintian)) {
    my ($none) = run_command(['sh', '-c', "command -v $tool"]);
    done('needs the packages of demo/packages.txt, [deb]') if $none;
}
my $why = Appt::Machine->missing;
done($why) if $why;

# The machine sees what is below the checkout.
my $below = "tmp_check/deb-$$";
my $dir   = "$root/$below";
make_path($dir);
END { remove_tree($dir) if $dir }

# ---- build ---------------------------------------------------------------------

my $major = Appt::Cluster::major();
my $extension = "postgresql-$major-bioecko-appt";
my $gateway   = 'bioecko-appt-gateway';

sub changed { return (run_command(['git', '-C', $root, 'status', '-s']))[1] }

my $before = changed();
my ($code, $out, $err) = run_command(["$root/debian/build", $dir]);
is($code, 0, 'they are built') or die substr "$out$err", -3000;
is(changed(), $before, 'and nothing in the checkout changes');
is_deeply([map {m{.*/([^/_]+)_}} grep {!/dbgsym/} glob "$dir/*.deb"],
    [$gateway, $extension], "the programs', and one for PostgreSQL $major");
unlike($out . $err, qr/\.[ch]:\d+\S* warning:/, 'without a warning of the compiler');

($code, $out, $err) = run_command(['lintian', '--allow-root', '--fail-on',
    'error,warning', glob "$dir/*.changes"]);
is($code, 0, 'lintian finds nothing wrong') or diag $out, $err;
my (undef, $files) = run_command(['dpkg-deb', '-c', glob "$dir/${gateway}_*"]);
like($files, qr{ \./usr/share/man/man8/bioecko-$_\.8\.gz$}m,
    "the $_ has its manual page") for qw(gateway relay);

# ---- install -------------------------------------------------------------------

my $machine = Appt::Machine->new;

sub status {
    my ($port, $path) = @_;
    return ($machine->sh("curl -s -o /dev/null -w '%{http_code}' -m 5 "
        . "http://127.0.0.1:$port$path"))[1];
}

sub ready {
    for my $port (8080, 8091) {
        wait_for { status($port, '/readyz') eq '200' }
            sub { "readiness\n" . $machine->must('journalctl --no-pager -n 15') };
    }
}

sub psql {
    my ($sql) = @_;
    my $text = $machine->must("runuser -u postgres -- psql -XAtq "
        . "-v ON_ERROR_STOP=1 appt <<'SQL'\n$sql\nSQL\n");
    chomp $text;
    return $text;
}

sub state_of {
    my ($unit) = @_;
    return join ' ', map { s/\s+\z//r } map {
        ($machine->sh("systemctl $_ $unit"))[1] } qw(is-enabled is-active);
}

# What "make install" left on this system is none of theirs; nor is the word of
# a container's image that packages start no services.
$machine->must("rm -f /usr/lib/postgresql/$major/lib/bioecko_appt.so
    rm -f /usr/share/postgresql/$major/extension/bioecko_appt*
    rm -f /usr/local/bin/bioecko-* /usr/sbin/policy-rc.d
    pg_createcluster $major main
    systemctl enable --now postgresql");
my $debs = "$below/${gateway}_*.deb $below/${extension}_*.deb";
my $install = "DEBIAN_FRONTEND=noninteractive dpkg -i $debs";
($code, $out, $err) = $machine->sh($install);
is($code, 0, 'they are installed') or diag $out, $err;
is(state_of("bioecko-$_"), 'disabled inactive',
    "the $_ waits for its settings") for qw(gateway relay);
is($machine->must('stat -c "%a %U" /etc/bioecko/*.env'), "600 root\n" x 2,
    'which are root\'s alone');

($code, $out, $err) = $machine->sh('debian/tests/smoke');
is($code, 0, 'its own test passes') or diag $out, $err;
like($out, qr/"status":"alive".*"status":"ready".*"status":"ready"/s,
    'in a cluster of its own');

# ---- use, as README.Debian says ------------------------------------------------

my $readme = slurp("$root/debian/$gateway.README.Debian");
my ($sql) = $readme =~ /superuser:\n\n((?: {4}.*\n)+)/;
my ($start) = $readme =~ /^ {4}(systemctl .*)$/m;
$machine->must('runuser -u postgres -- createdb appt');
psql($sql);
($code, $out, $err) = $machine->sh($start);
is($code, 0, 'the services start') or diag $out, $err;
ready();
is(status(8080, '/healthz'), 200, 'the gateway answers');
like($machine->must('curl -s http://127.0.0.1:8080/docs'),
    qr/<title>bioecko_appt/, 'it has its page');
is($machine->must('curl -s http://127.0.0.1:8080/api/v1/openapi.json'),
    $machine->must('cat /usr/share/bioecko-appt/openapi.json'),
    'and says what the document beside it says');

$machine->must("runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 appt "
    . "</usr/share/doc/$extension/examples/clinic.sql");
my $booked = psql(q{SELECT (appt.book('PAT-2026-00123', 'DOC-001',
    start_time, branch_id => 'MUM-01')).status
    FROM appt.available_slots('DOC-001', current_date + 2, 'MUM-01', NULL,
        current_date + 9) LIMIT 1});
is($booked, 'booked', 'an appointment');

# ---- again: an upgrade ---------------------------------------------------------

sub pids {
    return $machine->must('systemctl show -P MainPID bioecko-gateway '
        . 'bioecko-relay');
}

my $pids = pids();
$machine->must('echo APPT_LOOPS=1 >>/etc/bioecko/gateway.env');
($code, $out, $err) = $machine->sh($install);
is($code, 0, 'they are installed once more') or diag $out, $err;
ready();
isnt(pids(), $pids, 'the services begin anew');
like($machine->must('cat /etc/bioecko/gateway.env'), qr/^APPT_LOOPS=1$/m,
    'with the settings of before');

# ---- remove --------------------------------------------------------------------

($code, $out, $err) = $machine->sh("dpkg -r $gateway $extension");
is($code, 0, 'they are removed') or diag $out, $err;
isnt(($machine->sh('pgrep bioecko'))[0], 0, 'nothing of them runs');
like($machine->must('ls /etc/bioecko'), qr/^gateway\.env$/m,
    'the settings stay');
my $left = "find /etc /usr /lib/systemd -xdev -name '*bioecko*' -print";
is(($machine->sh("$left | grep -v ^/etc/bioecko"))[1], '', 'and no other file');

$machine->must("dpkg -i $below/${extension}_*.deb >/dev/null");
is(psql(q{SELECT (appt.cancel(appointment_id, 'Patient asked')).status
    FROM appt.appointment WHERE patient_id = 'PAT-2026-00123'}), 'cancelled',
    'the data were never gone: installed again, it goes on');
$machine->must("dpkg -P $gateway $extension");
is(($machine->sh($left))[1], '', 'purged, nothing of them is left');

done_testing;

sub done {
    my ($reason) = @_;
  SKIP: { skip $reason, 1 }
    done_testing;
    exit;
}
