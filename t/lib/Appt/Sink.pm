package Appt::Sink;

# A receiver of webhooks: an HTTP server on the loopback that writes each
# request as one JSON line (time, method, path, headers with lower-case names,
# body, and what it answered) and misbehaves when told to.
#
#   my $sink = Appt::Sink->new;
#   $sink->url('/hook');
#   $sink->requests;                    # all of them so far, oldest first
#   $sink->wait_for_requests(4);        # dies if they do not come
#   $sink->behave(status => 500, times => 2);      # then 200 again
#   $sink->behave(path => '/slow', delay => 3);
#   $sink->behave;                      # all is well again
#   $sink->stop; $sink->start;          # same port: refused meanwhile
#
# What behave takes: path (a prefix; all by default), times (all by default),
# status, headers {}, body; delay (seconds before the answer); drip (seconds
# between the bytes of the answer); size (a body of so many bytes); hang
# (never answers), close (ends the connection without an answer), reset (the
# same with a TCP reset); raw (these bytes instead of an answer).
#
# new(handler => sub { my ($request, $socket) = @_; … }) is asked first: what
# it answers true for is done with.  It runs in a process of the connection.
# new(on_request => sub { my ($request, $raw_body) = @_; … }) sees each request
# that is logged; log_only => 'POST' leaves out other methods.

use strict;
use warnings;
use Appt::Util qw(temp_dir wait_for slurp);
use Fcntl qw(:flock SEEK_SET);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER TCP_NODELAY IPPROTO_TCP);
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, %arg) = @_;
    my $self = bless {
        directory  => temp_dir(),
        host       => $arg{host} // '127.0.0.1',
        port       => $arg{port} // 0,
        handler    => $arg{handler},
        on_request => $arg{on_request},
        log_only   => $arg{log_only},
        owner      => $$,
    }, $class;
    $self->{log}   = $arg{log} // "$self->{directory}/requests.jsonl";
    $self->{rules} = "$self->{directory}/rules.json";
    open my $fh, '>>', $self->{log} or die "$self->{log}: $!\n";
    $self->behave;
    $self->start if $arg{start} // 1;
    return $self;
}

# Listens and serves in this very process, for good.
sub run { my ($self) = @_; $self->serve($self->listen) }

sub url  { my ($self, $path) = @_;
    return "http://$self->{host}:$self->{port}" . ($path // '/') }
sub port { $_[0]{port} }
sub pid  { $_[0]{pid} }

# Listens, and serves in a process of its own.
sub start {
    my ($self) = @_;
    my $listener = $self->listen;
    my $pid = fork // die "could not fork: $!\n";
    if ($pid == 0) {
        setpgrp;
        $self->serve($listener);
        POSIX::_exit(0);
    }
    $self->{pid} = $pid;
    return $self;
}

sub listen {
    my ($self) = @_;
    my $listener = IO::Socket::INET->new(
        LocalAddr => $self->{host}, LocalPort => $self->{port},
        Listen => 1024, ReuseAddr => 1, Proto => 'tcp')
        or die "cannot listen on $self->{host}:$self->{port}: $!\n";
    $self->{port} = $listener->sockport;
    return $listener;
}

# Accepts until it is asked to end or its parent is gone; a connection's
# process ends with the server. What made the directory removes it.
sub serve {
    my ($self, $listener) = @_;
    my $parent = getppid;
    my $end    = sub { $$ == $self->{owner} ? exit 0 : POSIX::_exit(0) };
    local $SIG{CHLD} = 'IGNORE';
    local $SIG{ALRM} = sub { getppid == $parent or $end->() };
    $SIG{$_} = $end for qw(INT TERM HUP);
    Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), 1, 1);
    while (1) {
        my $socket = $listener->accept or next;
        my $pid = fork;
        if (!defined $pid) { close $socket; next }
        if ($pid == 0) {
            Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), 0);
            close $listener;
            my $server = getppid;
            $SIG{ALRM} = sub { getppid == $server or POSIX::_exit(0) };
            Time::HiRes::setitimer(Time::HiRes::ITIMER_REAL(), 1, 1);
            eval { $self->_connection($socket) };
            POSIX::_exit(0);
        }
        close $socket;
    }
}

sub _connection {
    my ($self, $socket) = @_;
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    binmode $socket;
    my $buffer = '';
    while (my $request = _read_request($socket, \$buffer)) {
        last unless $self->_answer($socket, $request);
    }
    close $socket;
}

# One request from the connection, or nothing at its end.
sub _read_request {
    my ($socket, $buffer) = @_;
    until ($$buffer =~ /\r\n\r\n/) { _more($socket, $buffer) or return }
    $$buffer =~ s/^(.*?)\r\n\r\n//s;
    my ($first, @line) = split /\r\n/, $1;
    my ($method, $path) = split / /, $first;
    my %header;
    for (@line) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or next;
        $header{ lc $name } = exists $header{ lc $name }
            ? "$header{lc $name}, $value" : $value;
    }
    _write($socket, "HTTP/1.1 100 Continue\r\n\r\n")
        if lc($header{expect} // '') eq '100-continue';
    my $body = lc($header{'transfer-encoding'} // '') eq 'chunked'
        ? _read_chunks($socket, $buffer)
        : _read_exactly($socket, $buffer, $header{'content-length'} // 0);
    return unless defined $body;
    return { method => $method, path => $path, headers => \%header,
        raw => $body };
}

sub _read_exactly {
    my ($socket, $buffer, $length) = @_;
    while (length $$buffer < $length) { _more($socket, $buffer) or return }
    return substr $$buffer, 0, $length, '';
}

sub _read_chunks {
    my ($socket, $buffer) = @_;
    my $body = '';
    while (1) {
        until ($$buffer =~ /\r\n/) { _more($socket, $buffer) or return }
        $$buffer =~ s/^([0-9A-Fa-f]+)[^\r\n]*\r\n// or return;
        my $length = hex $1;
        my $chunk = _read_exactly($socket, $buffer, $length + 2) // return;
        return $body if $length == 0;
        $body .= substr $chunk, 0, $length;
    }
}

sub _more {
    my ($socket, $buffer) = @_;
    while (1) {
        my $got = sysread $socket, $$buffer, 65536, length $$buffer;
        return $got if defined $got;
        return 0 unless $!{EINTR};
    }
}

sub _write {
    my ($socket, $bytes) = @_;
    my $sent = 0;
    while ($sent < length $bytes) {
        my $wrote = syswrite $socket, $bytes, length($bytes) - $sent, $sent;
        next if !defined $wrote && $!{EINTR};
        return 0 unless $wrote;
        $sent += $wrote;
    }
    return 1;
}

# Logs the request and does what the rules say; true to go on with the
# connection.
sub _answer {
    my ($self, $socket, $request) = @_;
    my $rule = $self->_take_rule($request->{path}) // {};
    $self->_log($request, $rule)
        if ($self->{log_only} // $request->{method}) eq $request->{method};
    return 1 if $self->{handler} && $self->{handler}->($request, $socket);

    _sleep($rule->{delay}) if $rule->{delay};
    _sleep(1) while $rule->{hang};
    return 0 if $rule->{close};
    if ($rule->{reset}) {
        setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
        return 0;
    }
    return _write($socket, $rule->{raw}) && 0 if defined $rule->{raw};
    return _write_answer($socket, $rule)
        && lc($request->{headers}{connection} // '') ne 'close';
}

sub _write_answer {
    my ($socket, $rule) = @_;
    my $status = $rule->{status} // 200;
    my $body = $rule->{size} ? 'x' x $rule->{size} : $rule->{body} // "ok\n";
    my %header = ('Content-Type' => 'text/plain',
        'Content-Length' => length $body, %{ $rule->{headers} // {} });
    my $answer = join "\r\n", "HTTP/1.1 $status Told so",
        (map {"$_: $header{$_}"} sort keys %header), '', $body;
    return _write($socket, $answer) unless $rule->{drip};
    for my $byte (split //, $answer) {
        _write($socket, $byte) or return 0;
        _sleep($rule->{drip});
    }
    return 1;
}

sub _sleep {
    my ($seconds) = @_;
    my $until = time + $seconds;
    while ((my $left = $until - time) > 0) { sleep $left }
}

# One line, written at once: processes of other connections write too.
sub _log {
    my ($self, $request, $rule) = @_;
    my $raw  = $request->{raw};
    my $text = $raw;
    my %line = (
        time    => time,
        method  => $request->{method},
        path    => $request->{path},
        headers => $request->{headers},
        body    => utf8::decode($text) ? $text : undef,
        status  => $rule->{status} // 200,
    );
    $line{body_hex} = unpack 'H*', $raw unless defined $line{body};
    open my $fh, '>>', $self->{log} or die "$self->{log}: $!\n";
    _lock($fh);
    _write($fh, $json->encode(\%line) . "\n") or die "$self->{log}: $!\n";
    $self->{on_request}->(\%line, $raw) if $self->{on_request};
    close $fh;
}

# The timer of the connection's process interrupts a wait for the lock.
sub _lock {
    my ($fh) = @_;
    until (flock $fh, LOCK_EX) { die "flock: $!\n" unless $!{EINTR} }
}

# Adds a rule before the others; without arguments forgets all of them.
sub behave {
    my ($self, %rule) = @_;
    $self->_change_rules(sub {
        my ($rules) = @_;
        %rule ? unshift @$rules, \%rule : (@$rules = ());
    });
    return $self;
}

# The first rule that fits the path; one with times left is used up.
sub _take_rule {
    my ($self, $path) = @_;
    my $taken;
    $self->_change_rules(sub {
        my ($rules) = @_;
        for my $rule (@$rules) {
            next if index($path, $rule->{path} // '') != 0;
            next if defined $rule->{times} && $rule->{times}-- <= 0;
            $taken = $rule;
            last;
        }
    });
    return $taken;
}

sub _change_rules {
    my ($self, $change) = @_;
    open my $fh, '+>>', $self->{rules} or die "$self->{rules}: $!\n";
    _lock($fh);
    seek $fh, 0, SEEK_SET;
    local $/;
    my $text = <$fh>;
    my $rules = length($text // '') ? $json->decode($text) : [];
    $change->($rules);
    truncate $fh, 0;
    syswrite $fh, $json->encode($rules);
    close $fh;
}

# Every request so far; json is the body decoded, where it is JSON. A line that
# is being written is none yet.
sub requests {
    my ($self, %arg) = @_;
    my @request = map { $json->decode($_) }
        grep {/\n\z/} split /(?<=\n)/, slurp($self->{log});
    for my $request (@request) {
        $request->{raw} = defined $request->{body_hex}
            ? pack('H*', $request->{body_hex}) : $request->{body};
        utf8::encode($request->{raw}) unless defined $request->{body_hex};
        $request->{json} = eval { $json->decode($request->{raw}) };
    }
    return grep { !defined $arg{path} || index($_->{path}, $arg{path}) == 0 }
        @request;
}

# Waits until so many have come, and gives all that have.
sub wait_for_requests {
    my ($self, $count, %arg) = @_;
    my @request;
    wait_for {
        @request = $self->requests(%arg);
        @request >= $count;
    } sub { "$count requests at the receiver; there are " . @request },
        $arg{seconds} // 15;
    return @request;
}

sub forget {
    my ($self) = @_;
    truncate $self->{log}, 0;
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill TERM => $pid, -$pid;
    waitpid $pid, 0;
}

sub DESTROY {
    my ($self) = @_;
    return if ($self->{owner} // 0) != $$;
    local ($?, $@, $!);
    $self->stop;
}

1;
