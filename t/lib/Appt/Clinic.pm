package Appt::Clinic;

# The demo clinic, ready to be called: a cluster with the extension, the demo's
# data, an API client, the gateway; receiver, webhook and relay on request.
#
#   my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
#   my $http = $clinic->http;              # with a token
#   $clinic->webhook; $clinic->start_relay; $clinic->sink->requests;
#   $clinic->fingerprint;                  # of everything a refusal must leave
#
# The demo's own bookings lie around 2026-02-01 then, away from the test's.

use strict;
use warnings;
use Appt::Cluster;
use Appt::Http;
use Appt::Judge;
use Appt::Program;
use Appt::Sink;
use Appt::Util qw(root_dir);

sub new {
    my ($class, %arg) = @_;
    my $self = bless { relay_env => $arg{relay_env} }, $class;
    my $cluster = $self->{cluster} = Appt::Cluster->new(%{ $arg{cluster} // {} });
    $cluster->create_extension->create_logins;
    if ($arg{clock}) {
        $cluster->freeze_clock('2026-02-01T12:00:00+05:30');
        $cluster->load(root_dir() . '/demo/clinic.sql');
        $cluster->freeze_clock($arg{clock});
    }
    else {
        $cluster->load(root_dir() . '/demo/clinic.sql');
    }
    $self->{client} = $self->create_client(scopes => $arg{scopes});
    $self->{gateway} = Appt::Gateway->new(
        cluster => $cluster, env => $arg{env} // {})
        if $arg{gateway} // 1;
    return $self;
}

sub cluster { $_[0]{cluster} }
sub client  { $_[0]{client} }
sub gateway { $_[0]{gateway} }
sub relay   { $_[0]{relay} }

# An API client that may do everything, unless scopes or branch_ids are given.
sub create_client {
    my ($self, %arg) = @_;
    return $self->{cluster}->row(
        'SELECT * FROM appt.create_client(name => $1, scopes => $2, '
            . 'branch_ids => $3)',
        $arg{name} // 'Test', $arg{scopes} // [qw(appointments:read
            appointments:write appointments:override patients:read
            patients:write schedule:read schedule:manage webhooks:manage
            notifications:manage clients:manage staff:manage reports:read)], $arg{branch_ids});
}

# A connection to the gateway with a token of the clinic's client, or of another.
sub http {
    my ($self, $client) = @_;
    $client //= $self->{client};
    return Appt::Http->new($self->{gateway}->url, %$client);
}

sub sink { my ($self) = @_; return $self->{sink} //= Appt::Sink->new }

# The endpoint at the sink for every event: webhook_id and secret.
sub webhook {
    my ($self) = @_;
    return $self->{webhook} //= $self->{cluster}->row(
        'SELECT webhook_id, secret FROM appt.create_webhook(url => $1)',
        $self->sink->url('/hook'));
}

sub start_relay {
    my ($self, %arg) = @_;
    return $self->{relay} = Appt::Relay->new(
        cluster => $self->{cluster},
        env => { %{ $self->{relay_env} // {} }, %{ $arg{env} // {} } });
}

# Changes with any row that a booking, a token, an event or an idempotency key
# would leave behind.
sub fingerprint {
    my ($self) = @_;
    return join ' ', map {
        $self->{cluster}->value(
            "SELECT count(*) || ':' || md5(coalesce(string_agg(t::text, ',' "
                . "ORDER BY t::text), '')) FROM appt.$_ AS t")
    } qw(appointment doctor_day event idempotency);
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $@, $!);
    delete @$self{qw(relay gateway)};
    delete @$self{qw(sink cluster)};
}

1;
