package Appt::Torture::Fault;

# What goes wrong in a bad year, within minutes: programs, backends and the
# server killed, stopped and restarted, a full disk, a receiver that fails, a
# clock that jumps. Each fault is over when it returns.
#
#   my $fault = Appt::Torture::Fault->new(cluster => …, gateway => …,
#       relay => …, sink => …, disk => $mount_point_or_undef);
#   $fault->strike;          # one of them, by chance
#   $fault->heal;            # everything runs again
#   $fault->counts;          # { name => how often }

use strict;
use warnings;
use Appt::Util qw(wait_for);
use List::Util qw(shuffle);
use Time::HiRes qw(sleep);

# Name, weight; a method each.
my @faults = (
    [ kill_gateway      => 5 ],
    [ kill_relay        => 5 ],
    [ kill_backend      => 3 ],
    [ terminate_backends => 5 ],
    [ kill_server       => 3 ],
    [ restart_immediate => 3 ],
    [ stop_gateway      => 2 ],
    [ stop_relay        => 2 ],
    [ stop_backend      => 3 ],
    [ restart_gateway   => 3 ],
    [ receiver_fails    => 4 ],
    [ fill_disk         => 3 ],
    [ step_clock        => 3 ],
);

sub new {
    my ($class, %arg) = @_;
    my $self = bless { counts => {}, %arg }, $class;
    $self->{plan} = [ shuffle $self->names ];
    return $self;
}

sub counts { return $_[0]{counts} }

# Those that can strike here.
sub names {
    my ($self) = @_;
    return grep { $self->{disk} || $_ ne 'fill_disk' } map { $_->[0] } @faults;
}

# Each fault comes once before chance alone decides.
sub has_plans { return @{ $_[0]{plan} } > 0 }

sub strike {
    my ($self) = @_;
    my %possible = map { $_ => 1 } $self->names;
    my @often = map { ($_->[0]) x $_->[1] } grep { $possible{ $_->[0] } } @faults;
    my $name = shift @{ $self->{plan} } // $often[rand @often];
    $self->$name;
    $self->{counts}{$name}++;
    $self->heal;
    return $name;
}

sub moment { sleep 0.05 + rand $_[0] }

sub kill_gateway { my ($self) = @_; $self->{gateway}->kill9; moment(0.3) }
sub kill_relay   { my ($self) = @_; $self->{relay}->kill9; moment(0.5) }
sub kill_server  { my ($self) = @_; $self->{cluster}->kill9; moment(0.3) }

sub restart_gateway { my ($self) = @_; $self->{gateway}->stop }

sub restart_immediate {
    my ($self) = @_;
    $self->{cluster}->restart('immediate');
}

# A backend's death makes the server start all over, by itself.
sub kill_backend {
    my ($self) = @_;
    my $pid = $self->some_backend or return;
    kill KILL => $pid;
    moment(0.3);
}

sub stop_backend {
    my ($self) = @_;
    my $pid = $self->some_backend or return;
    kill STOP => $pid;
    moment(1.5);
    kill CONT => $pid;
}

sub some_backend {
    my ($self) = @_;
    return eval { $self->{cluster}->value(q{SELECT pid FROM pg_stat_activity
        WHERE usename IN ('bioecko_gateway', 'bioecko_relay')
        ORDER BY random() LIMIT 1}) };
}

sub terminate_backends {
    my ($self) = @_;
    eval { $self->{cluster}->psql(q{SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity WHERE usename LIKE 'bioecko%'
            OR random() < 0.5 AND pid <> pg_backend_pid()
                AND backend_type = 'client backend'}) };
}

sub stop_gateway { $_[0]->stopped($_[0]{gateway}, 1) }
sub stop_relay   { $_[0]->stopped($_[0]{relay}, 5) }    # longer than a lease

sub stopped {
    my ($self, $program, $seconds) = @_;
    $program->signal('STOP');
    moment($seconds);
    $program->signal('CONT');
}

sub receiver_fails {
    my ($self) = @_;
    $self->{sink}->behave(status => 500, times => 20);
    $self->{sink}->behave(close => 1, times => 10);
    $self->{sink}->behave(delay => 2, times => 5);
    moment(1);
}

# The server's last byte; what it makes of it, a PANIC too, is its affair.
sub fill_disk {
    my ($self) = @_;
    my $ballast = "$self->{disk}/ballast";
    open my $fh, '>', $ballast or return;
    my $block = "\0" x 65536;
    1 while syswrite $fh, $block;
    close $fh;
    moment(2);
    unlink $ballast;
}

sub step_clock {
    my ($self) = @_;
    my $hours = (-1, -6, 1, 6)[rand 4];
    eval {
        $self->{cluster}->freeze_clock($self->{cluster}->value(
            'SELECT now() + make_interval(hours => $1)', $hours));
        moment(1);
    };
}

# Everything runs, the clock too.
sub heal {
    my ($self) = @_;
    my ($cluster, $gateway, $relay) = @$self{qw(cluster gateway relay)};
    unlink "$self->{disk}/ballast" if $self->{disk};
    wait_for {
        $cluster->start unless $cluster->{postgres}->alive;
        eval { $cluster->psql('SELECT 1'); 1 };
    } 'the server to come back', 120;
    wait_for { eval { $cluster->thaw_clock; 1 } } 'the clock to go on', 60;
    $gateway->start(wait => 0) unless $gateway->alive;
    $relay->start(wait => 0) unless $relay->alive;
    $_->wait_ready(90) for $gateway, $relay;
}

1;
