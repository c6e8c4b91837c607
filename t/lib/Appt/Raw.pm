package Appt::Raw;

# HTTP byte by byte on a socket, for what no client library would send.
#
#   my $raw = Appt::Raw->new(port => $port);
#   my ($answer, $closed) = $raw->send($text, 4);   # all, until closed or 4 s
#   my $answer = $raw->send($text);                 # until one answer is there
#   my $socket = $raw->connection;
#   my ($answer, $closed) = $raw->drain($socket, 4);
#   my ($answer, $closed) = $raw->drip($socket, $text, 0.2, 4);
#   my $r = $raw->answer($text);   # as Appt::Http gives it, closed or not
#   statuses($answer);

use strict;
use warnings;
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use List::Util qw(max);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(statuses);

sub new { my ($class, %arg) = @_; return bless {%arg}, $class }

sub connection {
    my ($self) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}) // die "cannot connect: $!";
}

# Everything that comes until the other side closes, or the time is over; in
# scalar context until one answer is whole, for which a busy machine has time.
sub drain {
    my ($self, $socket, $seconds) = @_;
    my $select = IO::Select->new($socket);
    $seconds = max($seconds // 5, wantarray ? 0 : 30);
    my $until  = time + $seconds;
    my ($all, $closed) = ('', 0);
    while ((my $left = $until - time) > 0) {
        next unless $select->can_read($left);
        my $got = sysread $socket, my $piece, 65536;
        if (!$got) { $closed = 1; last }
        $all .= $piece;
        last if !wantarray && complete($all);
    }
    return wantarray ? ($all, $closed) : $all;
}

# Whether an answer with its body is there.
sub complete {
    my ($text) = @_;
    return $text =~ /\A.*?\r\n\r\n/s
        && length($') >= ($& =~ /^Content-Length: (\d+)/mi ? $1 : 0);
}

sub send {
    my ($self, $text, $seconds) = @_;
    my $socket = $self->connection;
    print {$socket} $text;
    return $self->drain($socket, $seconds);
}

# The one answer to the text, as Appt::Http gives it.
sub answer {
    my ($self, $text) = @_;
    return parse(scalar $self->send($text, 10));
}

# An answer's parts.
sub parse {
    my ($text) = @_;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($status, @line) = split /\r\n/, $head // '';
    my %header = map { /^([^:]+): *(.*)$/ ? (lc $1 => $2) : () } @line;
    return {
        status  => ($status // '') =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0,
        headers => \%header,
        body    => $body // '',
        json    => eval { JSON::PP->new->utf8->decode($body // '') },
    };
}

# A byte each so many seconds, until the other side answers or closes; then
# what it still says.
sub drip {
    my ($self, $socket, $text, $pause, $seconds) = @_;
    my $until = time + $seconds;
    local $SIG{PIPE} = 'IGNORE';
    for my $byte (split //, $text) {
        last if time > $until || !defined syswrite $socket, $byte;
        last if IO::Select->new($socket)->can_read($pause);
    }
    return $self->drain($socket, 2);
}

sub statuses { return $_[0] =~ m{HTTP/1\.1 (\d+) }g }

1;
