#!/usr/bin/perl
#
# docs/deployment.md under a running systemd: its commands as they stand, on a
# machine of namespaces. The services start, answer, deliver, log, restart,
# reload, outlive PostgreSQL and end as the page says.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Machine;
use Appt::Util qw(patience root_dir slurp wait_for);
use JSON::PP ();
use Time::HiRes qw(time);

my $why = Appt::Machine->missing;
plan skip_all => $why if $why;

my $page    = slurp(root_dir() . '/docs/deployment.md');
my $machine = Appt::Machine->new;

# The code blocks of a section of the page, of one language.
sub blocks {
    my ($title, $language) = @_;
    my ($section) = $page =~ /^## \Q$title\E\n(.*?)(?=^## |\z)/ms
        or BAIL_OUT("the page has no section $title");
    return $section =~ /^```\Q$language\E\n(.*?)^```$/msg;
}

sub psql {
    my ($sql) = @_;
    my $text = $machine->must("runuser -u postgres -- psql -XAtq "
        . "-v ON_ERROR_STOP=1 appt <<'SQL'\n$sql\nSQL\n");
    chomp $text;
    return $text;
}

# What systemd says about a service.
sub show {
    my ($name, $property) = @_;
    my $text = $machine->must("systemctl show -P $property $name");
    chomp $text;
    return $text;
}

sub main_pid { return show("bioecko-$_[0]", 'MainPID') }

my %port = (gateway => 8080, relay => 8091);

sub status {
    my ($name, $path) = @_;
    return ($machine->sh("curl -s -o /dev/null -w '%{http_code}' -m 5 "
        . "http://127.0.0.1:$port{$name}$path"))[1];
}

# The end of the journal, for what is waited for in vain.
sub at_last {
    my ($what) = @_;
    return sub { "$what\n" . $machine->must('journalctl --no-pager -n 15') };
}

sub wait_ready {
    my ($name) = @_;
    wait_for { status($name, '/readyz') eq '200' } at_last("$name to be ready");
}

# A file of settings beside a unit, as systemctl edit makes one.
sub drop_in {
    my ($name, $lines) = @_;
    $machine->must("mkdir -p /etc/systemd/system/bioecko-$name.service.d\n"
        . "cat >/etc/systemd/system/bioecko-$name.service.d/try.conf <<'END'\n"
        . "[Service]\n${lines}END\nsystemctl daemon-reload\n"
        . "systemctl restart bioecko-$name");
}

# ---- as the page says ---------------------------------------------------------

my $major = Appt::Cluster::major();
$machine->must("pg_createcluster $major main
    systemctl enable --now postgresql");
my ($install, $createdb) = blocks('Installing', 'sh');
$install =~ s{^demo/install-deps.*\n}{}m
    or BAIL_OUT('the page does not say how to begin');
$machine->must($install);
pass('it is installed');
$machine->must($createdb);
psql(blocks('Installing', 'sql'));
pass('the database is made');

my ($start) = blocks('systemd', 'sh');
my ($code, $out, $err) = $machine->sh($start);
is($code, 0, 'the services start') or diag $out, $err;
like($out, qr/"status":"ready"/, 'and the gateway is ready at once');
wait_ready('relay');
is(status('gateway', '/docs'), 200, 'the page of the REST API is there');

# ---- shut in ------------------------------------------------------------------

for my $name (qw(gateway relay)) {
    my $status = $machine->must('cat /proc/' . main_pid($name) . '/status');
    my ($uid) = $status =~ /^Uid:\s+(\d+)/m;
    cmp_ok($uid, '>', 60_000, "$name: has a user of its own");
    like($status, qr/^CapBnd:\s+0+$/m,     'no capability');
    like($status, qr/^NoNewPrivs:\s+1$/m,  'gets no new privilege');
    like($status, qr/^Seccomp:\s+2$/m,     'and only some system calls');
    my ($score) = $machine->must("systemd-analyze security --no-pager "
        . "bioecko-$name") =~ /exposure level .*: ([\d.]+)/;
    cmp_ok($score, '<=', 1.2, "its exposure is $score");
}

# ---- book and be told ---------------------------------------------------------

$machine->must("runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 appt "
    . '<demo/clinic.sql');
my ($id, $secret) = split /\|/, psql(q{SELECT * FROM appt.create_client(
    'Front desk', '{appointments:read,appointments:write}')});
my ($token) = $machine->must("curl -sS http://127.0.0.1:8080/api/v1/auth/token "
    . "-d grant_type=client_credentials -d client_id=$id "
    . "-d client_secret=$secret") =~ /"access_token":"([^"]+)"/;
ok($token, 'a token');

my @slots = split /\n/, psql(q{SELECT start_time FROM appt.available_slots(
    'DOC-001', current_date + 1, 'MUM-01', NULL, current_date + 9)});
my $patient = 130;

# A booking of the next slot by curl; its status.
sub book {
    my $slot = shift(@slots) =~ s/ /T/r =~ s/\+(\d\d)$/+$1:00/r;
    my $who  = sprintf 'PAT-2026-%05d', $patient++;
    my $body = qq({"patient_id":"$who","doctor_id":"DOC-001",)
        . qq("branch_id":"MUM-01","slot_start":"$slot"});
    my $out = $machine->must("curl -s -m 20 -w ' %{http_code}' "
        . "http://127.0.0.1:8080/api/v1/appointments -d '$body' "
        . "-H 'Authorization: Bearer $token' "
        . "-H 'Content-Type: application/json'");
    return $out =~ / 201\z/ ? 201 : $out;
}

# The receiver is reached by a name and with TLS, as real ones are: nginx with a
# certificate that the machine trusts is in front of it.
$machine->must(<<'SH');
echo '127.0.0.1 receiver.example.org' >>/etc/hosts
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=receiver \
    -addext subjectAltName=DNS:receiver.example.org 2>/dev/null \
    -keyout /run/receiver.key -out /usr/local/share/ca-certificates/r.crt
update-ca-certificates >/dev/null 2>&1
cat >/run/nginx.conf <<'END'
daemon off;
pid /run/nginx.pid;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:9443 ssl http2;
        ssl_certificate /usr/local/share/ca-certificates/r.crt;
        ssl_certificate_key /run/receiver.key;
        location / { proxy_pass http://127.0.0.1:9000; }
    }
}
END
systemd-run -q --unit=tls nginx -c /run/nginx.conf
systemd-run -q --unit=receiver -p WorkingDirectory=/srv/bioecko \
    demo/receiver 9000 /run/received.jsonl /run/secret
echo APPT_RELAY_ALLOW_RANGES=127.0.0.0/8 >>/etc/bioecko/relay.env
systemctl restart bioecko-relay
SH
psql(q{SELECT appt.create_webhook('https://receiver.example.org:9443/hook')});
is(book(), 201, 'a booking by curl');

# How many bookings it was told of, from the log of the demo's receiver.
sub told {
    my %event = map { $_->{headers}{'webhook-id'} => 1 }
        grep { $_->{body} =~ /appointment\.booked/ }
        map { JSON::PP->new->utf8->decode($_) }
        split /\n/, ($machine->sh('cat /run/received.jsonl'))[1];
    return scalar keys %event;
}
wait_for { told() == 1 } at_last('the receiver to be told');
pass('and the relay tells a receiver');

# ---- log ----------------------------------------------------------------------

for my $name (qw(gateway relay)) {
    my ($command) = grep {/-t bioecko-gateway/} $page =~ /`(journalctl [^`]+)`/g;
    ok($command, 'the page says how to read the log') or next;
    $command =~ s/bioecko-gateway/bioecko-$name/;
    my $events = $machine->must("$command -c");
    like($events, qr/"program":"bioecko-$name"/, "$name: and so it is read");
    my @bad = grep { !eval { JSON::PP->new->utf8->decode($_) } } split /\n/,
        $machine->must("journalctl -t bioecko-$name -o cat --no-pager");
    is_deeply(\@bad, [], 'each line is a JSON object');
}

# ---- killed, restarted, told a wrong thing ------------------------------------

for my $name (qw(gateway relay)) {
    my $pid = main_pid($name);
    my $began = time;
    $machine->must("kill -KILL $pid");
    wait_for { main_pid($name) !~ /^(?:0|$pid)$/ } "another $name";
    wait_ready($name);
    cmp_ok(my $took = time - $began, '<', patience(8), "$name: killed, it is back");
    note("after $took s");
    is(show("bioecko-$name", 'NRestarts'), 1, 'once');
}
is(book(), 201, 'bookings go on with the same token');
wait_for { told() == 2 } at_last('the receiver to be told again');

$machine->must('systemctl restart bioecko-gateway');
wait_ready('gateway');
is(book(), 201, 'after a restart too');

drop_in('gateway', "Environment=APPT_LOOPS=none\nEnvironmentFile=\n");
wait_for { show('bioecko-gateway', 'ActiveState') eq 'failed' } 'a refusal';
like($machine->must('systemctl status bioecko-gateway || true'),
    qr/APPT_LOOPS: "none" is not/, 'a wrong setting is named, not tried again');

# ---- certificate and password -------------------------------------------------

my $new_pair = 'openssl req -x509 -newkey rsa:2048 -nodes -days 2 2>/dev/null '
    . '-subj /CN=localhost -addext subjectAltName=DNS:localhost '
    . '-keyout /etc/bioecko/tls.key -out /etc/bioecko/tls.crt';

sub https {
    return ($machine->sh('curl -sS -m 5 --cacert /etc/bioecko/tls.crt '
        . 'https://localhost:8080/healthz'))[1] =~ /alive/;
}

my ($password, $credentials, $group, $low_port) = blocks('systemd', 'ini');
$machine->must("$new_pair; chmod 600 /etc/bioecko/tls.key");
drop_in('gateway', $credentials =~ s/^\[Service\]\n//r);
wait_for { https() } at_last('HTTPS with the credentials');
pass('a certificate by LoadCredential, its key root\'s alone');

my ($tls_group) = blocks('systemd', 'console');
$machine->must('getent group ssl-cert >/dev/null || groupadd -r ssl-cert');
$machine->must($_) for $tls_group =~ /^# (.*)/mg;
drop_in('gateway', $group =~ s/^\[Service\]\n//r);
wait_for { https() } at_last('HTTPS with the group\'s key');
$machine->must("$new_pair; chgrp ssl-cert /etc/bioecko/tls.key
    chmod 640 /etc/bioecko/tls.key");
ok(!https(), 'a new certificate is not served yet');
my $same = main_pid('gateway');
$machine->must('systemctl reload bioecko-gateway');
wait_for { https() } at_last('the new certificate');
is(main_pid('gateway'), $same, 'it is after a reload, by the same process');

$machine->must("sed -i 's/:8080/:443/' /etc/bioecko/gateway.env");
drop_in('gateway', $low_port =~ s/^\[Service\]\n//r);
wait_for { ($machine->sh('curl -s http://127.0.0.1:443/healthz'))[1]
        =~ /alive/ } at_last('port 443');
pass('a port below 1024');
$machine->must("sed -i 's/:443/:8080/' /etc/bioecko/gateway.env");

psql(q{ALTER ROLE bioecko_gateway PASSWORD 'a long one'});
$machine->must(q{umask 077
    echo '127.0.0.1:5432:*:bioecko_gateway:a long one' >/etc/bioecko/pgpass
    sed -i 's,host=/var/run/postgresql,host=127.0.0.1,' /etc/bioecko/gateway.env});
drop_in('gateway', $password =~ s/^\[Service\]\n//r);
wait_ready('gateway');
is(psql(q{SELECT count(*) FROM pg_stat_activity
    WHERE usename = 'bioecko_gateway' AND client_addr IS NULL}), 0,
    'a password by LoadCredential');
is(($machine->sh('runuser -u postgres -- cat /run/bioecko-gateway/pgpass'))[1],
    '', 'which nobody else reads');

# ---- PostgreSQL comes and goes ------------------------------------------------

my %pid = map { $_ => main_pid($_) } qw(gateway relay);
$machine->must('systemctl restart postgresql');
wait_ready($_) for qw(gateway relay);
is(book(), 201, 'bookings go on after a restart of PostgreSQL');
wait_for { told() == 4 } at_last('the receiver to be told of it');
is_deeply({ map { $_ => main_pid($_) } qw(gateway relay) }, \%pid,
    'by the same processes');

$machine->must('systemctl stop postgresql bioecko-gateway bioecko-relay
    systemctl start multi-user.target');
my $server = show("postgresql\@$major-main", 'ActiveEnterTimestampMonotonic');
cmp_ok(show("bioecko-$_", 'ExecMainStartTimestampMonotonic'), '>', $server,
    "$_: started together, it starts after PostgreSQL") for qw(gateway relay);
wait_ready($_) for qw(gateway relay);

# ---- the end ------------------------------------------------------------------

# A client that stays connected and an endpoint that takes its time.
$machine->must('systemctl stop receiver
    systemd-run -q --unit=idle perl -MIO::Socket::INET -e \
        \'$s = IO::Socket::INET->new("127.0.0.1:8080") or die; sleep 90\'
    systemd-run -q --unit=receiver -p WorkingDirectory=/srv/bioecko \
        perl -It/lib -MAppt::Sink -e \'Appt::Sink->new(port => 9000,
            start => 0, log => "/run/slow.jsonl")->behave(delay => 3)->run\'');
is(book(), 201, 'a last booking');
wait_for { ($machine->sh('cat /run/slow.jsonl'))[1] =~ /booked/ } 'its attempt';
for my $name (qw(gateway relay)) {
    my $began = time;
    $machine->must("systemctl stop bioecko-$name");
    cmp_ok(my $took = time - $began, '<', patience(20), "$name: it ends in time");
    note("after $took s");
    is(show("bioecko-$name", 'Result'), 'success', 'in good order');
}
is(psql(q{SELECT count(*) FROM appt.delivery WHERE state <> 'delivered'}), 0,
    'the attempt under way was finished and noted');

done_testing();
