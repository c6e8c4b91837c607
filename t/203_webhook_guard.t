#!/usr/bin/perl
#
# The relay connects nowhere that it should not: no private address however it
# is written, no second answer of a name server, no redirect, no proxy.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic hurried attempts);
use Appt::Sink;
use Appt::Util qw(root_dir run_command temp_dir wait_for);
use HTTP::Tiny;

my $http = HTTP::Tiny->new(timeout => 5);
my $root = root_dir();
my $dir  = temp_dir();

sub compile {
    my ($name, @arg) = @_;
    my ($code, $out, $err) = run_command(['cc', '-Wall', '-Wextra', '-Werror',
        '-I', "$root/gateway", '-o', "$dir/$name",
        "$root/t/receivers/$name.c", @arg]);
    die "cc $name.c: $out$err" if $code;
    return "$dir/$name";
}

# The guard's answer for each "scheme address" or "scheme address port", with
# these ranges allowed and denied.
sub guard {
    my ($ranges, $denied, @question) = @_;
    my ($code, $out) = run_command(["$dir/guard_table", $ranges, $denied],
        join '', map { $_ . (/ \S+ / ? "\n" : " 443\n") } @question);
    my @answer = split /\n/, $out;
    return map { $_ => shift @answer } @question;
}

compile('guard_table', map {"$root/gateway/$_.c"} qw(relay/guard common/ip));

subtest 'no address that is not public' => sub {
    my @private = qw(0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1
        100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1
        172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
        198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.1.1.1 240.0.0.1
        255.255.255.255
        :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
        ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
        64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1::1
        2002:a9fe:a9fe:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1
        fec0::1 ff02::1 168.63.129.16 ::ffff:168.63.129.16);
    my %answer = guard('', '', map { "https $_" } @private);
    is($answer{"https $_"}, 'no', $_) for @private;
};

subtest 'public addresses by https alone' => sub {
    my @public = qw(1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255
        100.128.0.0 126.255.255.255 128.0.0.0 172.15.255.255 172.32.0.0
        192.167.255.255 192.169.0.0 223.255.255.255 ::ffff:8.8.8.8
        2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450::1
        168.63.129.15 168.63.129.17);
    my %answer = guard('', '', map { ("https $_", "http $_") } @public);
    is($answer{"https $_"}, 'yes', "https $_") for @public;
    is($answer{"http $_"}, 'no', "http $_") for @public;
};

subtest 'listed ranges are allowed, and they alone' => sub {
    my %want = (
        'http 127.0.0.1' => 'yes', 'https 127.0.0.9' => 'yes',
        'http ::ffff:127.0.0.1' => 'yes', 'http 10.1.2.255' => 'yes',
        'http 10.1.3.0' => 'no', 'http 10.1.1.255' => 'no',
        'http fd00:1::5' => 'yes', 'http fd00:2::5' => 'no',
        'http ::1' => 'no', 'http 192.168.7.7' => 'yes',
        'http 192.168.7.8' => 'no', 'http 8.8.8.8' => 'no');
    my %answer = guard('127.0.0.0/8, 10.1.2.0/24 fd00:1::/32,192.168.7.7', '',
        sort keys %want);
    is($answer{$_}, $want{$_}, $_) for sort keys %want;
    for my $bad ('127.0.0.0/33', '127.0.0/8', 'fd00::/129', 'localhost',
        '10.0.0.0/', '10.0.0.0/8x', '-', '10.0.0.0/8:', '10.0.0.0/8:0',
        '10.0.0.0/8:65536', '10.0.0.0/8:x', '10.0.0.0/8:80-', '10.0.0.0/8:80-x',
        '10.0.0.0/8:90-80', '10.0.0.0/8:80-90-95', '10.0.0.0/8:-80',
        '10.0.0.0/8:99999999999999999999', '[fd00::/8', '[fd00::/8]443',
        '[fd00::/8]:', '[]', '[]:443', ':443', 'fd00::/8]:443',
        join(',', ('10.0.0.1') x 65))
    {
        is((run_command(["$dir/guard_table", @$_], ''))[0], 1,
            "not a range: $bad") for [$bad, ''], ['', $bad];
    }
};

subtest 'of a range all ports, or those that are named' => sub {
    my %want = (
        'http 10.1.2.3 1' => 'yes', 'http 10.1.2.3 65535' => 'yes',
        'http 10.2.0.1 443' => 'yes', 'https 10.2.0.1 442' => 'no',
        'http 10.3.0.1 8000' => 'yes', 'http 10.3.0.1 8099' => 'yes',
        'http 10.3.0.1 7999' => 'no', 'https 10.3.0.1 8100' => 'no',
        'http 10.3.0.1 22' => 'yes', 'http fd00::1 443' => 'yes',
        'http fd00::1 80' => 'no', 'http fe00::1 80' => 'no',
        'http fdff::1 80' => 'yes', 'http ::ffff:10.2.0.1 443' => 'yes',
        'http ::ffff:10.2.0.1 80' => 'no');
    my %answer = guard('10.1.0.0/16 10.2.0.0/16:443,10.3.0.0/16:8000-8099,'
        . '10.3.0.1:22,[fd00::/16]:443,[fdff::/16]', '', sort keys %want);
    is($answer{$_}, $want{$_}, $_) for sort keys %want;
};

subtest 'what is denied stays shut, public or allowed' => sub {
    my %want = (
        'https 93.184.216.34' => 'no', 'https 93.184.217.34' => 'yes',
        'https ::ffff:93.184.216.34' => 'no', 'https 2a00:1450::1' => 'no',
        'https 2a00:1451::1' => 'yes', 'http 10.1.2.3' => 'yes',
        'http 10.1.2.4' => 'no', 'https 8.8.8.8 25' => 'no',
        'https 8.8.8.8 443' => 'yes');
    my %answer = guard('10.1.0.0/16', '93.184.216.0/24,2a00:1450::/32 10.1.2.4,'
        . '8.8.8.8:25', sort keys %want);
    is($answer{$_}, $want{$_}, $_) for sort keys %want;
};

subtest 'whose answers are the clinic\'s own' => sub {
    my %want = map { my ($where, @address) = @$_;
        map { ("where $_" => $where) } @address }
        ['inside', qw(127.0.0.1 10.0.0.1 fd00::1 fe80::1 1.2.3.4
            ::ffff:1.2.3.4 168.63.129.16 nonsense fe80::1%eth0)],
        ['outside', qw(8.8.8.8 1.2.3.5 2a00:1450::1)];
    my %answer = guard('127.0.0.0/8,1.2.3.4:443', '', sort keys %want);
    is($answer{$_}, $want{$_}, $_) for sort keys %want;
};

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my $port    = $sink->port;
my $answers = "$dir/answers";

# The ping's attempt at a webhook with that URL, whatever the checks say; the
# webhook is gone afterwards.
sub attempt_at {
    my ($url) = @_;
    my $dbh = $cluster->dbh;
    $dbh->begin_work;
    my $hook = $cluster->row(
        q{SELECT * FROM appt.create_webhook('https://place.holder/')});
    my $number = $cluster->value('UPDATE appt.webhook SET url = $1 '
        . 'WHERE webhook_id = $2 RETURNING webhook_no',
        $url, $hook->{webhook_id});
    $dbh->commit;
    my $attempt = wait_for {
        $cluster->row('SELECT a.* FROM appt.delivery_attempt a '
            . 'JOIN appt.delivery USING (delivery_no) '
            . 'WHERE webhook_no = $1 ORDER BY started_at LIMIT 1', $number);
    } "an attempt at $url", 10;
    $cluster->query('SELECT appt.delete_webhook($1)', $hook->{webhook_id});
    return $attempt;
}

# A relay with these settings for what the code does.
sub with_relay {
    my ($env, $code) = @_;
    $clinic->start_relay(env => hurried(%$env));
    $code->();
    $clinic->relay->stop;
}

subtest 'no spelling of the loopback gets through' => sub {
    with_relay({ APPT_RELAY_ALLOW_RANGES => '' }, sub {
        for my $host (qw(127.0.0.1 localhost LOCALHOST 127.1 2130706433
            0x7f000001 0x7f.1 017700000001 0177.0.0.1 127.0.0.1. [::1]
            [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:0001]
            0.0.0.0 0 [::] 127.0.0.1%2f.example 127。0。0。1))
        {
            for my $scheme (qw(http https)) {
                my $attempt = attempt_at("$scheme://$host:$port/x");
                is($attempt->{status}, undef, "$scheme://$host: no answer");
                note $attempt->{error};
            }
        }
        is($sink->requests, 0, 'no request arrived');
    });
};

subtest 'other schemes are none of its business' => sub {
    with_relay({}, sub {
        for my $url ("ftp://127.0.0.1:$port/x", "gopher://127.0.0.1:$port/x",
            'file:///etc/passwd', "dict://127.0.0.1:$port/x")
        {
            is(attempt_at($url)->{status}, undef, $url);
        }
        is($sink->requests, 0, 'no request arrived');
    });
};

subtest 'a name that resolves differently the second time' => sub {
    my $shim  = compile('resolver', '-shared', '-fPIC', '-ldl');
    my $other = Appt::Sink->new(host => '127.0.0.2', port => $port);
    my $url = "http://rebind.test:$port/x";
    my %env = (LD_PRELOAD => $shim, RESOLVER_ANSWERS => $answers,
        APPT_RELAY_ALLOW_RANGES => '127.0.0.2/32');

    answer_with('127.0.0.2');
    with_relay(\%env, sub {
        is(attempt_at($url)->{status}, 200, 'allowed at first');
    });
    answer_with('127.0.0.1');
    with_relay(\%env, sub {
        my $attempt = attempt_at($url);
        is($attempt->{error}, 'the destination\'s address is not allowed',
            'refused when it changed');
    });
    answer_with('127.0.0.1', '127.0.0.2');
    with_relay(\%env, sub {
        is(attempt_at($url)->{status}, 200,
            'of two addresses the allowed one is taken');
    });
    $other->stop;
    with_relay(\%env, sub {
        my $attempt = attempt_at($url);
        is($attempt->{status}, undef, 'nobody at the allowed one: no answer');
        like($attempt->{error}, qr/connect/, 'and that is said');
        unlike($http->get($clinic->relay->url . '/metrics')->{content},
            qr/^bioecko_relay_refused_total [1-9]/m,
            'it does not count as refused');
    });
    is($sink->requests, 0, 'the forbidden one saw nothing');
    is($other->requests, 2, 'the allowed one both');
};

sub answer_with {
    open my $fh, '>', $answers or die "$answers: $!\n";
    print {$fh} map {"$_\n"} @_;
    close $fh;
}

subtest 'ports and what is denied, when it comes to connecting' => sub {
    my $not = 'the destination\'s address is not allowed';
    my $next = $port + 1;
    my @case = (
        [{ APPT_RELAY_ALLOW_RANGES => "127.0.0.0/8:$port" }, 200, undef],
        [{ APPT_RELAY_ALLOW_RANGES => "127.0.0.0/8:$next" }, undef, $not],
        [{ APPT_RELAY_DENY_RANGES => '127.0.0.1' }, undef, $not],
        [{ APPT_RELAY_DENY_RANGES => "127.0.0.1:$next" }, 200, undef]);
    for my $case (@case) {
        my ($env, $status, $error) = @$case;
        with_relay($env, sub {
            my $attempt = attempt_at($sink->url('/port'));
            my $name = join ' ', %$env;
            is($attempt->{status}, $status, $name);
            is($attempt->{error}, $error, 'and what the log says');
        });
    }
};

subtest 'redirects are not followed' => sub {
    with_relay({}, sub {
        for my $status (301, 302, 303, 307, 308) {
            $sink->forget;
            $sink->behave(status => $status, path => "/hook$status", headers => {
                Location => $sink->url('/latest/meta-data/') });
            my $attempt = attempt_at($sink->url("/hook$status"));
            is($attempt->{status}, $status, "a $status is a failure");
            is($attempt->{error}, 'redirects are not followed', 'and says why');
            is($sink->requests(path => '/latest'), 0, 'nothing went there');
            $sink->behave;
        }
    });
};

subtest 'the environment\'s proxies and .netrc count for nothing' => sub {
    my $proxy = Appt::Sink->new;
    open my $fh, '>', "$dir/.netrc" or die;
    print {$fh} "machine 127.0.0.1 login eve password secret\n";
    close $fh;
    my %env = map { $_ => $proxy->url } map { ($_, uc) }
        qw(http_proxy https_proxy all_proxy);
    $sink->forget;
    with_relay({ %env, HOME => $dir, NO_PROXY => '', no_proxy => '' }, sub {
        is(attempt_at($sink->url('/direct'))->{status}, 200, 'delivered');
    });
    is($proxy->requests, 0, 'not by the proxy');
    my ($request) = $sink->requests(path => '/direct');
    ok(!exists $request->{headers}{authorization}, 'without a password');
};

done_testing;
