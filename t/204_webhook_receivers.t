#!/usr/bin/perl
#
# Receivers that misbehave cost the relay neither its memory nor its time, and
# no other receiver its deliveries.

use strict;
use warnings;
use Test::More;
use Appt::Certificates qw(make_certificates);
use Appt::Deliveries qw(clinic hurried bulk_events);
use Appt::Process;
use Appt::Sink;
use Appt::Util qw(free_port patience root_dir run_command temp_dir wait_for);
use Compress::Zlib ();
use HTTP::Tiny;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $dir     = temp_dir();

# Writes until the relay has had enough; how much it took.
sub pour {
    my ($socket, $piece, $limit, $pause) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    while ($sent < $limit) {
        my $wrote = syswrite $socket, $piece or last;
        $sent += $wrote;
        sleep $pause if $pause;
    }
    open my $fh, '>>', "$dir/poured" or die;
    syswrite $fh, "$sent\n";
    return 1;
}

sub head { return join "\r\n", "HTTP/1.1 $_[0]", @_[1 .. $#_], '', '' }

my $megabyte = 'x' x 1_000_000;
my $bomb = Compress::Zlib::memGzip("\0" x 50_000_000);

# What each path answers with; the first argument is the socket.
my %behaviour = (
    '/drip_head' => sub {
        syswrite $_[0], "HTTP/1.1 200 OK\r\n";
        pour($_[0], 'x', 1000, 0.05);
    },
    '/drip_body' => sub {
        syswrite $_[0], head('200 OK', 'Content-Length: 1000');
        pour($_[0], 'x', 1000, 0.05);
    },
    '/hang'      => sub { sysread $_[0], my $nothing, 1 },
    '/huge'      => sub {
        syswrite $_[0], head('200 OK', 'Content-Length: 1000000000');
        pour($_[0], $megabyte, 1_000_000_000);
    },
    '/huge_chunks' => sub {
        syswrite $_[0], head('200 OK', 'Transfer-Encoding: chunked');
        pour($_[0], "f4240\r\n$megabyte\r\n", 1_000_000_000);
    },
    '/huge_500'  => sub {
        syswrite $_[0], head('500 No', 'Content-Length: 1000000000');
        pour($_[0], $megabyte, 1_000_000_000);
    },
    '/gzip'      => sub {
        syswrite $_[0], head('200 OK', 'Content-Encoding: gzip',
            'Content-Length: ' . length $bomb);
        pour($_[0], $bomb, length $bomb);
    },
    '/gzip_transfer' => sub {
        syswrite $_[0], head('200 OK', 'Transfer-Encoding: gzip, chunked');
        syswrite $_[0], sprintf "%x\r\n%s\r\n0\r\n\r\n", length $bomb, $bomb;
    },
    '/headers'   => sub {
        syswrite $_[0], "HTTP/1.1 200 OK\r\n";
        pour($_[0], "X-Flood: $megabyte\r\n", 1_000_000_000);
    },
    '/many_headers' => sub {
        syswrite $_[0], "HTTP/1.1 200 OK\r\n";
        pour($_[0], "X-Flood: yes\r\n" x 1000, 1_000_000_000);
    },
    '/continue'  => sub {
        pour($_[0], "HTTP/1.1 100 Continue\r\n\r\n" x 1000, 1_000_000_000);
    },
    '/garbage'   => sub { syswrite $_[0], "SSH-2.0-OpenSSH_9\r\n" },
    '/nul'       => sub {
        my $body = "a\0b\xff\xfe\xed\xa0\x80\xc3\xa9\"\\\n";
        syswrite $_[0], head('200 OK', 'Content-Length: ' . length $body)
            . $body;
    },
    '/cut'       => sub { syswrite $_[0], "HTTP/1.1 200 OK\r\nX: y\r\n" },
    '/cut_status' => sub { syswrite $_[0], 'HTTP/1.1 200 O' },
    '/interim'   => sub { syswrite $_[0], "HTTP/1.1 103 Early\r\nX: y\r\n\r\n" },
    '/unknown_transfer' => sub {
        syswrite $_[0], head('204 OK', 'Transfer-Encoding: zip') . 'PK';
    },
    '/half'      => sub {
        syswrite $_[0], head('200 OK', 'Content-Length: 100') . 'half';
    },
    '/long'      => sub {
        my $body = "\xe2\x82\xac" x 4000;
        syswrite $_[0], head('200 OK', 'Content-Length: 12000') . $body;
    },
    '/pong'      => sub {
        return sysread $_[0], my $nothing, 1 if $_[1]{raw} !~ /webhook\.ping/;
        syswrite $_[0], head('200 OK', 'Content-Length: 0');
    },
    '/cookie'    => sub {
        syswrite $_[0], head('200 OK', 'Set-Cookie: a=b; Path=/',
            'Content-Length: 0');
    },
);
my $sink = $clinic->{sink} = Appt::Sink->new(handler => sub {
    my ($request, $socket) = @_;
    my $act = $behaviour{ $request->{path} } or return 0;
    $act->($socket, $request);
    shutdown $socket, 2;
    return 1;
});
$sink->behave(path => '/reset', reset => 1);
$sink->behave(path => '/close', close => 1);
$sink->behave(path => '/long500', status => 500);
$sink->behave(path => '/304', status => 304);

my %brisk = (APPT_RELAY_CONNECT_TIMEOUT_MS => 500,
    APPT_RELAY_TIMEOUT_MS => 1000, APPT_RELAY_LEASE_MS => 2000);
my $relay = $clinic->start_relay(env => hurried(%brisk));

# The ping's first attempt at a new webhook there; it is deleted then.
sub attempt_at {
    my ($url) = @_;
    my $hook = $cluster->row('SELECT * FROM appt.create_webhook(url => $1)',
        $url =~ m{^/} ? $sink->url($url) : $url);
    my $attempt = wait_for {
        $cluster->row('SELECT a.* FROM appt.delivery_attempt a '
            . 'JOIN appt.delivery USING (delivery_no) '
            . 'JOIN appt.webhook w USING (webhook_no) '
            . 'WHERE webhook_id = $1 ORDER BY started_at LIMIT 1',
            $hook->{webhook_id});
    } "an attempt at $url", 10;
    $cluster->query('SELECT appt.delete_webhook($1)', $hook->{webhook_id});
    return $attempt;
}

# Resident memory of the relay, in KiB.
sub memory {
    open my $fh, '<', '/proc/' . $relay->pid . '/status' or die;
    return (map { /^VmHWM:\s+(\d+)/ } <$fh>)[0];
}

is(attempt_at('/good')->{status}, 200, 'a good receiver');
my $memory = memory();

subtest 'an attempt takes no longer than its time' => sub {
    my $attempt = attempt_at('/hang');
    is($attempt->{status}, undef, '/hang: no answer');
    is($attempt->{error}, 'Timeout was reached', 'it says so');
    cmp_ok($attempt->{duration_ms}, '<', 3000, 'in time');
    for my $path (qw(/drip_head /drip_body)) {
        $attempt = attempt_at($path);
        is($attempt->{status}, 200, "$path: 200 was said, it is delivered");
        is($attempt->{error}, 'Timeout was reached', 'it says what was amiss');
        cmp_ok($attempt->{duration_ms}, '<', 3000, 'in time');
    }
};

subtest 'of an answer 64 KiB are read at most' => sub {
    for my $path (qw(/huge /huge_chunks /gzip_transfer)) {
        my $attempt = attempt_at($path);
        is($attempt->{status}, 200, "$path: delivered");
        cmp_ok(length($attempt->{answer} // ''), '<=', 4096, 'a little is kept');
        cmp_ok($attempt->{duration_ms}, '<', 1000, 'and quickly');
    }
    is(attempt_at('/huge_500')->{status}, 500, '/huge_500: a failure');
    my %floods = ('/headers' => 200, '/many_headers' => 200,
        '/continue' => undef);
    for my $path (sort keys %floods) {
        my $attempt = attempt_at($path);
        is($attempt->{status}, $floods{$path},
            "$path: what the status line said, if any");
        isnt($attempt->{error}, undef, "it says: $attempt->{error}");
        cmp_ok($attempt->{duration_ms}, '<', 1000, 'quickly');
    }
    my $gzip = attempt_at('/gzip');
    is($gzip->{status}, 200, 'a compressed answer is not unpacked');
    open my $fh, '<', "$dir/poured" or die;
    my ($most) = sort { $b <=> $a } <$fh>;
    cmp_ok($most, '<', 20_000_000, 'a sender of a gigabyte is cut off');
    cmp_ok(memory() - $memory, '<', 20_000, 'memory stays small')
        or diag 'KiB more: ', memory() - $memory;
};

subtest 'answers that are none, and such as are' => sub {
    for my $path (qw(/reset /close /garbage /cut_status /interim)) {
        my $attempt = attempt_at($path);
        is($attempt->{status}, undef, "$path: no answer");
        isnt($attempt->{error}, undef, "it says: $attempt->{error}");
    }
    is(attempt_at('/cut')->{status}, 200,
        'a head cut after its status line: that was the answer');
    is(attempt_at('/unknown_transfer')->{status}, 204,
        'a transfer coding that nobody asked for: neither does it matter');
    my $unchanged = attempt_at('/304');
    is($unchanged->{status}, 304, 'a 304 is a failure');
    is($unchanged->{error}, undef, 'but no redirect');
    my $closed = free_port();
    is(attempt_at("http://127.0.0.1:$closed/")->{status}, undef,
        'nobody listens');
    my $silent = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
    is(attempt_at('http://127.0.0.1:' . $silent->sockport . '/')->{status},
        undef, 'nobody accepts');
    is(attempt_at('/half')->{status}, 200,
        'half a body after 200: it was delivered');
};

subtest 'the log keeps the answer as text' => sub {
    is(attempt_at('/nul')->{answer}, "a?b?????\x{e9}\"\\\n",
        'what is no text is a question mark');
    my $long = attempt_at('/long')->{answer};
    is(length $long, 1366, '4 KiB are kept');
    like($long, qr/^\x{20ac}{1365}\?$/, 'cut within a character');
};

subtest 'a cookie is not kept' => sub {
    attempt_at('/cookie') for 1 .. 2;
    ok(!grep({ exists $_->{headers}{cookie} } $sink->requests(
        path => '/cookie')), 'none is sent');
};

subtest 'certificates' => sub {
    make_certificates($dir);
    $relay->stop;
    $relay = $clinic->start_relay(env => hurried(
        APPT_RELAY_CA_FILE => "$dir/ca.pem"));
    my %want = (
        good      => 200,
        wrong     => q{the server's certificate is another host's},
        expired   => 'certificate has expired',
        stranger  => 'self-signed certificate',
    );
    for my $kind (qw(good wrong expired stranger)) {
        my $port = free_port();
        my $server = Appt::Process->start(
            name => "tls-$kind", log => "$dir/tls-$kind.log",
            command => [root_dir() . '/t/receivers/tls_receiver', $port,
                "$dir/$kind.pem", "$dir/$kind.key", "$dir/$kind.requests"]);
        wait_for { IO::Socket::INET->new("127.0.0.1:$port") } 'the server';
        my $attempt = attempt_at("https://localhost:$port/x");
        if ($kind eq 'good') {
            is($attempt->{status}, 200, 'a good one: delivered')
                or diag $attempt->{error};
        }
        else {
            is($attempt->{error}, $want{$kind}, "$kind: refused");
            ok(!-e "$dir/$kind.requests", 'nothing was sent');
        }
        $server->stop;
    }
};

subtest 'HTTP/2 where it is offered' => sub {
    plan skip_all => 'node is not installed'
        if (run_command(['sh', '-c', 'command -v node']))[0];
    my $port = free_port();
    my $server = Appt::Process->start(
        name => 'h2', log => "$dir/h2.log",
        command => ['node', root_dir() . '/t/receivers/h2_receiver.js', $port,
            "$dir/good.pem", "$dir/good.key", "$dir/h2.requests"]);
    wait_for { IO::Socket::INET->new("127.0.0.1:$port") } 'the server';
    my $attempt = attempt_at("https://localhost:$port/x");
    is($attempt->{status}, 200, 'delivered') or diag $attempt->{error};

    my $hook = $cluster->row('SELECT * FROM appt.create_webhook(url => $1)',
        "https://localhost:$port/many");
    bulk_events($clinic, webhook_id => $hook->{webhook_id}, count => 50);
    my @line;
    wait_for {
        open my $fh, '<', "$dir/h2.requests" or return 0;
        @line = grep {m{ /many}} <$fh>;
        @line >= 51;
    } 'many of them', 20;
    my %connection = map { (split / /)[0] => 1 } @line;
    cmp_ok(keys %connection, '<=', 3, 'over a connection or two ('
        . keys(%connection) . ')');
    $cluster->query('SELECT appt.delete_webhook($1)', $hook->{webhook_id});
    $server->stop;
};

subtest 'receivers that hang delay no other' => sub {
    $relay->stop;
    $relay = $clinic->start_relay(env => hurried(
        APPT_RELAY_MAX_IN_FLIGHT => 40, APPT_RELAY_TIMEOUT_MS => 4000,
        APPT_RELAY_LEASE_MS => 10000));
    $sink->forget;
    my @slow = map { $cluster->row('SELECT * FROM appt.create_webhook('
        . 'url => $1)', $sink->url('/hang')) } 1 .. 12;
    my $good = $cluster->row('SELECT * FROM appt.create_webhook(url => $1)',
        $sink->url('/good'));
    bulk_events($clinic, webhook_id => $_->{webhook_id}, count => 30)
        for @slow;
    wait_for { $sink->requests(path => '/hang') >= 20 } 'them to hang', 10;
    my $from = time;
    bulk_events($clinic, webhook_id => $good->{webhook_id}, count => 100);
    $sink->wait_for_requests(101, path => '/good', seconds => 60);
    my $took = time - $from;
    note sprintf '%.2f s', $took;
    cmp_ok($took, '<', patience(20), 'a hundred at the good one, though 360 of the '
        . 'others would take 36 s at 40 at once');
    $cluster->query('SELECT appt.delete_webhook($1)', $_->{webhook_id})
        for @slow, $good;
};

subtest 'at most ten at once at an endpoint' => sub {
    my $gauge = "$dir/gauge";
    my $busy = Appt::Sink->new(handler => sub {
        my ($request, $socket) = @_;
        open my $fh, '>>', $gauge or die;
        syswrite $fh, "+\n";
        sleep 0.1;
        syswrite $socket, head('200 OK', 'Content-Length: 0');
        syswrite $fh, "-\n";
        return 1;
    });
    my $hook = $cluster->row('SELECT * FROM appt.create_webhook(url => $1)',
        $busy->url('/busy'));
    bulk_events($clinic, webhook_id => $hook->{webhook_id},
        count => 100);
    $busy->wait_for_requests(101);
    open my $fh, '<', $gauge or die;
    my ($now, $most) = (0, 0);
    while (my $line = <$fh>) {
        $now += $line =~ /\+/ ? 1 : -1;
        $most = $now if $now > $most;
    }
    cmp_ok($most, '<=', 10, "never more than ten ($most)");
    cmp_ok($most, '>=', 8, 'and not one by one');
};

subtest 'two hundred at once at many endpoints' => sub {
    $relay->stop;
    $relay = $clinic->start_relay(env => hurried(
        APPT_RELAY_TIMEOUT_MS => 60000, APPT_RELAY_LEASE_MS => 120000));
    my @slow = map { $cluster->row('SELECT * FROM appt.create_webhook('
        . 'url => $1)', $sink->url('/pong')) } 1 .. 21;
    $sink->wait_for_requests(21, path => '/pong', seconds => 30);
    bulk_events($clinic, webhook_id => $_->{webhook_id}, count => 10)
        for @slow;
    my $sending = 0;
    wait_for {
        my $metrics = HTTP::Tiny->new->get($relay->url . '/metrics')->{content};
        my ($now) = $metrics =~ /^bioecko_relay_sending (\d+)$/m;
        $sending = $now if $now > $sending;
        $sending >= 200;
    } sub { "two hundred requests under way; there were $sending" }, 45;
    pass("there are $sending");
    $cluster->query('SELECT appt.delete_webhook($1)', $_->{webhook_id})
        for @slow;
};

ok($relay->alive, 'the relay lives through it all');
ok($relay->stop, 'and stops when it is told to');
done_testing;
