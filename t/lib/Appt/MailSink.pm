package Appt::MailSink;

# A mail server on the loopback that keeps what it gets: demo/mail-sink.
#
#   my $sink = Appt::MailSink->new;            # plain; channel's security none
#   my $sink = Appt::MailSink->new(certificate => $crt, key => $key,
#       login => 'user:word');                 # STARTTLS; tls => 1: TLS
#   $sink->trace;                              # every command it got, as text
#   $sink->behave(rcpt => '451 4.7.1 later', times => 2);   # then 250 again
#   $sink->behave;
#   my @mail = $sink->wait_for_mails(2);       # {from, to, raw, session}
#   $sink->stop; $sink->start;                 # same port: refused meanwhile

use strict;
use warnings;
use Appt::Process;
use Appt::Util qw(free_port root_dir slurp temp_dir wait_for);
use IO::Socket::INET;
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, %arg) = @_;
    my $self = bless { port => free_port(), directory => temp_dir(), %arg },
        $class;
    $self->{log} = "$self->{directory}/mails.jsonl";
    $self->behave;
    open my $fh, '>', $self->{log} or die "$self->{log}: $!\n";
    return $self->start;
}

sub port { $_[0]{port} }

sub start {
    my ($self) = @_;
    my @option = ('--rules' => "$self->{directory}/rules.json",
        '--trace' => "$self->{directory}/trace",
        map { $self->{$_} ? ("--$_" => $self->{$_}) : () }
            qw(certificate key login));
    push @option, '--tls' if $self->{tls};
    $self->{process} = Appt::Process->start(
        name    => 'mail-sink',
        command => ['/usr/bin/python3', root_dir() . '/demo/mail-sink',
            $self->{port}, $self->{log}, @option],
        log     => "$self->{directory}/sink.log");
    wait_for {
        die 'it ended; ' . $self->{process}->log_tail(20)
            unless $self->{process}->alive;
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}");
    } 'the mail sink to listen', 30;
    return $self;
}

sub trace { my ($self) = @_; return slurp("$self->{directory}/trace") }

sub stop { my ($self) = @_; $self->{process}->stop; return $self }

# How it treats the next mails; nothing: well.
sub behave {
    my ($self, %rule) = @_;
    my $file = "$self->{directory}/rules.json";
    $rule{number} = ++$self->{rules};
    open my $fh, '>', "$file.new" or die "$file: $!\n";
    print {$fh} $json->encode(\%rule);
    close $fh;
    rename "$file.new", $file or die "$file: $!\n";
}

# All mails so far, oldest first.
sub mails {
    my ($self) = @_;
    my $text = slurp($self->{log});
    return map { $json->decode($_) } $text =~ /^(.*)\n/mg;
}

sub wait_for_mails {
    my ($self, $count, $seconds) = @_;
    wait_for { $self->mails >= $count } "$count mails", $seconds // 20;
    return $self->mails;
}

sub forget {
    my ($self) = @_;
    open my $fh, '>', $self->{log} or die "$self->{log}: $!\n";
}

1;
