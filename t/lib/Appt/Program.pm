package Appt::Program;

# One of the two programs, started as its user would: configured by the
# environment, logging to a file, ready when /readyz says so.
#
#   my $gateway = Appt::Gateway->new(cluster => $c);
#   my $relay   = Appt::Relay->new(cluster => $c, env => { APPT_X => '1' });
#   $gateway->url; $gateway->stop; $gateway->start; $gateway->kill9;
#   $gateway->signal('STOP'); $gateway->log_lines; $gateway->wait_log(qr/…/);
#
# start => 0 only prepares; wait => 0 does not wait until it is ready.
# command => [...] goes before the program (valgrind, …).

use strict;
use warnings;
use Appt::Process;
use Appt::Util qw(free_port wait_for root_dir temp_dir);
use HTTP::Tiny;
use JSON::PP ();

sub new {
    my ($class, %arg) = @_;
    my $self = bless {
        directory => temp_dir(),
        cluster   => $arg{cluster},
        port      => $arg{port} // free_port(),
        before    => $arg{command} // [],
        flags     => $arg{flags}   // [],
    }, $class;
    $self->{log} = $arg{log} // "$self->{directory}/" . $self->name . '.log';
    $self->{binary} = $arg{binary} // $self->binary;
    $self->{env} = { $self->default_env(%arg), %{ $arg{env} // {} } };
    $self->start(%arg) if $arg{start} // 1;
    return $self;
}

sub binary {
    my ($self) = @_;
    my $build = $ENV{APPT_TEST_BUILD} // root_dir() . '/gateway/build';
    my $binary = "$build/bioecko-" . $self->name;
    die "$binary is not there; what to do: make\n" unless -x $binary;
    return $binary;
}

sub start {
    my ($self, %arg) = @_;
    $self->{process} = Appt::Process->start(
        name    => $self->name,
        command => [@{ $self->{before} }, $self->{binary}, @{ $self->{flags} }],
        env     => { no_settings(), %{ $self->{env} } },
        log     => $self->{log});
    $self->wait_ready($arg{seconds}) if $arg{wait} // 1;
    return $self;
}

# Without a cluster the database is among the settings given.
sub dsn_env {
    my ($cluster, $user) = @_;
    return $cluster ? (APPT_DSN => $cluster->dsn(user => $user)) : ();
}

# The caller's own APPT_… and PG… variables must not reach the program.
sub no_settings {
    return map { $_ => undef } grep {/^(?:APPT_|PG)/} keys %ENV;
}

sub wait_ready {
    my ($self, $seconds) = @_;
    my $http = HTTP::Tiny->new(timeout => 2, proxy => undef,
        http_proxy => undef);
    my $ok = eval {
        wait_for {
            die 'it ended; ' unless $self->{process}->alive;
            $http->get($self->url . '/readyz')->{status} == 200;
        } $self->name . ' to be ready', $seconds // 60;
    };
    die 'no ' . $self->name . ": $@" . $self->{process}->log_tail(30) unless $ok;
}

sub url  { "http://127.0.0.1:$_[0]{port}" }
sub port { $_[0]{port} }
sub pid  { $_[0]{process}->pid }
sub alive   { $_[0]{process} && $_[0]{process}->alive }
sub status  { $_[0]{process}->status }
sub process { $_[0]{process} }
sub signal  { my $self = shift; $self->{process}->signal(@_) }
sub kill9   { $_[0]{process}->kill9 }
sub log_text { $_[0]{process}->log_text }

# True if it ended by itself in time.
sub stop {
    my ($self, %arg) = @_;
    return $self->{process} ? $self->{process}->stop(%arg) : 1;
}

# Its log as hashes; a line that is not JSON becomes { text => line }.
sub log_lines {
    my ($self) = @_;
    return map { eval { JSON::PP->new->utf8->decode($_) } // { text => $_ } }
        split /\n/, $self->log_text;
}

# Waits for a line of the log that matches.
sub wait_log {
    my ($self, $pattern, $seconds) = @_;
    return wait_for { $self->log_text =~ $pattern }
        sub { "$pattern in the " . $self->{process}->log_tail }, $seconds;
}

package Appt::Gateway;

our @ISA = ('Appt::Program');

sub name {'gateway'}

sub default_env {
    my ($self, %arg) = @_;
    return (
        Appt::Program::dsn_env($arg{cluster}, $arg{user} // 'bioecko_gateway'),
        APPT_LISTEN => "127.0.0.1:$self->{port}");
}

package Appt::Relay;

our @ISA = ('Appt::Program');

sub name {'relay'}

sub default_env {
    my ($self, %arg) = @_;
    return (
        Appt::Program::dsn_env($arg{cluster}, $arg{user} // 'bioecko_relay'),
        APPT_RELAY_METRICS_LISTEN => "127.0.0.1:$self->{port}",
        APPT_RELAY_ALLOW_RANGES   => '127.0.0.0/8');
}

1;
