package Appt::EventStream;

# One who listens to GET /api/v1/events, on a socket of its own.
#
#   my $s = Appt::EventStream->new(port => $port, token => $token);
#   my $s = Appt::EventStream->new(port => ..., token => ..., id => $last);
#   my $s = Appt::EventStream->new(port => ..., cookie => $desk->cookie);
#   $s->status; $s->header('x-accel-buffering');
#   my $event = $s->next(5);    # {event, data, id} or undef when nothing comes
#   my @events = $s->until(sub { $_->{event} eq 'reset' }, 5);
#   $s->id;                     # the last position, as a browser keeps it
#   $s->wait_end(5);            # 'whole' (the last chunk came), 'cut', or ''
#   $s->close;

use strict;
use warnings;
use Appt::Util qw(patience);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8;

sub new {
    my ($class, %arg) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $arg{port})
        // die "cannot connect: $!";
    my $self = bless { socket => $socket, raw => '', text => '', end => '',
        id => $arg{id}, %arg{qw(token)} }, $class;
    my $path = $arg{path} // '/api/v1/events';
    print {$socket} "GET $path HTTP/1.1\r\nHost: x\r\n"
        . "Accept: text/event-stream\r\n"
        . (defined $arg{cookie} ? "Cookie: $arg{cookie}\r\n"
            : "Authorization: Bearer $arg{token}\r\n")
        . (defined $arg{id} ? "Last-Event-ID: $arg{id}\r\n" : '') . "\r\n";
    my $until = time + patience(30);
    $self->_read($until - time)
        while !$self->{end} && !defined $self->{head} && time < $until;
    return $self;
}

sub status { ($_[0]{head} // '') =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0 }

sub header {
    my ($self, $name) = @_;
    return $self->{head} =~ /^\Q$name\E: *(.*?)\r?$/mi ? $1 : undef;
}

sub id     { $_[0]{id} }
sub socket { $_[0]{socket} }
sub text   { $_[0]{all} // '' }

# What comes within that time, taken out of its chunks.
sub _read {
    my ($self, $seconds) = @_;
    return if $self->{end}
        || !IO::Select->new($self->{socket})->can_read($seconds < 0 ? 0 : $seconds);
    if (!sysread $self->{socket}, my $piece, 65536) {
        $self->{end} = 'cut';
        return;
    }
    else { $self->{raw} .= $piece }
    if (!defined $self->{head} && $self->{raw} =~ s/\A(.*?)\r\n\r\n//s) {
        $self->{head} = $1;
    }
    return unless defined $self->{head};
    if (($self->header('Transfer-Encoding') // '') ne 'chunked') {
        $self->{text} .= $self->{raw};
        $self->{raw} = '';
        return;
    }
    while ($self->{raw} =~ /\A([0-9a-fA-F]+)\r\n/) {
        my ($len, $skip) = (hex $1, length $&);
        last if length $self->{raw} < $skip + $len + 2;
        if ($len == 0) { $self->{end} = 'whole'; last }
        my $chunk = substr $self->{raw}, $skip, $len;
        $self->{text} .= $chunk;
        $self->{all} .= $chunk;
        substr $self->{raw}, 0, $skip + $len + 2, '';
    }
}

# The next event; blocks without data only set the position.
sub next {
    my ($self, $seconds) = @_;
    my $until = time + patience($seconds // 5);
    do {
        while ($self->{text} =~ s/\A(.*?)\n\n//s) {
            my %field = map { /^(\w+): ?(.*)$/ ? ($1 => $2) : () } split /\n/, $1;
            $self->{id} = $field{id} if defined $field{id};
            next unless defined $field{data};
            return { event => $field{event} // 'message', id => $field{id},
                data => $json->decode($field{data}) };
        }
        $self->_read($until - time);
    } while (time < $until && (!$self->{end} || $self->{text} =~ /\n\n/));
    return undef;
}

# All that come until one of them is such a one; none is: all that came.
sub until {
    my ($self, $wanted, $seconds) = @_;
    my $until = time + patience($seconds // 10);
    my @came;
    while (time < $until) {
        local $_ = $self->next($until - time) // last;
        push @came, $_;
        last if $wanted->();
    }
    return @came;
}

# The position is that of an answer that began: the first words are here.
sub ready {
    my ($self) = @_;
    my $until = time + patience(10);
    $self->_read(0.2) while $self->{text} !~ /^id: .*\n\n/m && !$self->{end}
        && time < $until;
    $self->{id} = $1 if $self->{text} =~ /^id: (.*)\n\n/m;
    return $self;
}

sub wait_end {
    my ($self, $seconds) = @_;
    my $until = time + patience($seconds);
    $self->_read($until - time) while !$self->{end} && time < $until;
    return $self->{end};
}

sub close { $_[0]{socket}->close }

1;
