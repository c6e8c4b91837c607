package Bench::Http;

# The two HTTP servers and wrk, which asks them.
#
#   my $gateway = gateway($place);  my $peer = peer($place);
#   my $r = wrk($place, $gateway, script => 'slots', seconds => 5);
#   $r->{rate}; $r->{p99_ms}; $r->{requests};
#   $r = book_one($place, $http, $n);      # Appt::Http's answer
#
# An answer that is not 2xx, a broken connection or a timeout ends the run.
# answers => a directory: what was booked, by the answers, in files there; then
# a 503, which says when to come again, is an answer, too, and $r->{statuses}
# says how many of each came: "201: 180000, 503: 12".

use strict;
use warnings;
use Appt::Http;
use Appt::Process;
use Appt::Program;
use Appt::Util qw(free_port wait_for root_dir run_command);
use Exporter 'import';

our @EXPORT_OK = qw(gateway peer wrk token book_one);

# A loop for each core, as the peer has a process; its log to a file; the
# limits are there, but higher than wrk.
sub gateway {
    my ($place, %env) = @_;
    chomp(my $cores = `nproc`);
    my $program = Appt::Gateway->new(
        cluster => $place->cluster,
        binary  => $place->program('bioecko-gateway'),
        log     => $place->directory . '/gateway.log',
        env     => { APPT_LOOPS => $cores, APPT_READ_CONNECTIONS => 1,
            APPT_ADDRESS_LIMIT => 3000, %env });
    return { program => $program, url => $program->url,
        token => token($place, $program->url) };
}

sub token {
    my ($place, $url) = @_;
    return Appt::Http->new($url, %{ $place->{client} })->{token};
}

sub peer {
    my ($place) = @_;
    my $directory = root_dir() . '/bench/peer';
    install_peer($directory);
    my $port = free_port();
    my $log = $place->directory . '/peer.log';
    my $process = Appt::Process->start(
        name => 'peer', directory => $directory, log => "$log.err",
        command => ['node', 'server.js'],
        env => {
            NODE_ENV => 'production', PEER_PORT => $port, PEER_LOG => $log,
            PEER_DSN => peer_dsn($place),
            PEER_CLIENT_ID => $place->{client}{client_id},
            PEER_CLIENT_SECRET => $place->{client}{client_secret},
        });
    my $url = "http://127.0.0.1:$port";
    my $http = HTTP::Tiny->new(timeout => 2, proxy => undef);
    wait_for {
        die 'the peer ended; ' . $process->log_tail unless $process->alive;
        $http->get("$url/healthz")->{status} == 200;
    } 'the peer', 30;
    return { process => $process, url => $url,
        token => token($place, $url) };
}

sub install_peer {
    my ($directory) = @_;
    return if -d "$directory/node_modules/fastify";
    my ($code, $out, $err) = run_command(
        ['npm', 'ci', '--prefix', $directory, '--no-audit', '--no-fund']);
    die "npm ci: $err" if $code;
}

sub peer_dsn {
    my ($place) = @_;
    my $cluster = $place->cluster;
    return sprintf 'socket:%s?db=%s&port=%d&user=postgres', $cluster->host,
        $cluster->database, $cluster->port;
}

# Books the slot of that number; the answer.
sub book_one {
    my ($place, $http, $n) = @_;
    my $slot = int($n / 200) % 48;
    my $from = $place->{t0} + int($n / 9600) * 86400 + $slot * 600
        + ($slot >= 24 ? 3600 : 0);
    my ($start, $end) = map {
        my @t = gmtime($_ + 19800);
        sprintf '%04d-%02d-%02dT%02d:%02d:%02d+05:30', $t[5] + 1900,
            $t[4] + 1, @t[3, 2, 1, 0];
    } $from, $from + 600;
    my $doctor = 1 + $n % 200;
    return $http->post('/api/v1/appointments', {
        patient_id => sprintf('PAT-2026-%05d', 1 + $n % 49900),
        doctor_id  => sprintf('DOC-%04d', $doctor),
        branch_id  => $doctor % 2 ? 'MUM-01' : 'DEL-01',
        slot_start => $start, slot_end => $end,
        visit_type => 'follow_up' });
}

sub wrk {
    my ($place, $server, %arg) = @_;
    my $threads = 2;
    my @argument = $arg{script} eq 'book'
        ? ($place->{t0}, $arg{base}, $threads,
            defined $arg{answers} ? $arg{answers} : ())
        : ($place->{days} - 1, time);
    my ($code, $out, $err) = run_command(
        ['wrk', '-t', $threads, '-c', $arg{clients} // 64,
            '-d', "$arg{seconds}s", '--timeout', '5s',
            '-s', "$place->{scripts}/wrk/$arg{script}.lua", $server->{url},
            '--', $server->{token}, @argument]);
    my ($line) = $out =~ /^RESULT (.+)$/m;
    die "wrk $arg{script}: $out$err" if $code || !$line;
    my %got = map { split /=/ } split / /, $line;
    for my $kind (qw(status connect read write timeout)) {
        die "wrk $arg{script}: $got{$kind} errors of kind $kind\n"
            if $got{$kind} && !($kind eq 'status' && $got{statuses});
    }
    my %status = map { split /:/ } split /,/, $got{statuses} // '';
    my @worse = grep { $_ != 201 && $_ != 503 } sort keys %status;
    die "wrk $arg{script}: answers of status @worse\n" if @worse;
    return { requests => $got{requests}, booked => $status{201},
        statuses => join(', ', map {"$_: $status{$_}"} sort keys %status),
        rate => $got{requests} * 1e6 / $got{us},
        p50_ms => $got{p50} / 1000, p99_ms => $got{p99} / 1000 };
}

1;
