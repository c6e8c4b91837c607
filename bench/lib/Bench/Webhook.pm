package Bench::Webhook;

# The local sink, an endpoint at it, and the relay.
#
#   my $sink = sink($place);  endpoint($place, $sink);
#   my ($count, $first_us, $last_us) = $sink->count;
#   my $relay = relay($place);

use strict;
use warnings;
use Appt::Process;
use Appt::Program;
use Appt::Util qw(free_port root_dir run_command wait_for);
use Exporter 'import';
use HTTP::Tiny;

our @EXPORT_OK = qw(sink endpoint no_endpoint relay tool);

# A program of bench/tools, built if it is not there.
sub tool {
    my ($name) = @_;
    my $top = root_dir() . '/bench';
    my ($binary, $source) = ("$top/build/$name", "$top/tools/$name.c");
    return $binary if -x $binary
        && !grep { -M $_ < -M $binary } $source, "$top/tools/sinking.h";
    mkdir "$top/build";
    my ($code, $out, $err) = run_command(
        ['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', $binary, $source,
            $name =~ /^(?:post|mail)$/ ? '-lcurl' : ()]);
    die "$name.c: $err" if $code;
    return $binary;
}

sub sink {
    my ($place) = @_;
    my $port = free_port();
    my $self = bless {
        url  => "http://127.0.0.1:$port/hook",
        root => "http://127.0.0.1:$port",
        http => HTTP::Tiny->new(timeout => 30, proxy => undef,
            http_proxy => undef),
        process => Appt::Process->start(name => 'sink',
            command => [tool('sink'), $port]),
    }, __PACKAGE__;
    wait_for { $self->{http}->get("$self->{root}/count")->{success} } 'sink';
    return $self;
}

sub url { $_[0]{url} }

sub ask {
    my ($self, $what) = @_;
    my $r = $self->{http}->get("$self->{root}/$what");
    die "the sink: $r->{status} $r->{content}\n" unless $r->{success};
    return $r->{content};
}

sub count { return split ' ', $_[0]->ask('count') }
sub reset { $_[0]->ask('reset') }

# When each appointment's webhook came: { id => microseconds }.
sub arrivals {
    my ($self) = @_;
    return map { my ($us, $id) = split / /; ($id // '' => $us) }
        split /\n/, $self->ask('log');
}

sub endpoint {
    my ($place, $sink) = @_;
    return $place->cluster->psql('SELECT webhook_id FROM '
            . "appt.create_webhook(url => '@{[$sink->url]}')");
}

sub no_endpoint {
    my ($place) = @_;
    $place->cluster->psql('TRUNCATE appt.delivery, appt.delivery_attempt; '
            . 'DELETE FROM appt.webhook;');
}

# As shipped, but that it may reach the loopback.
sub relay {
    my ($place, %arg) = @_;
    return Appt::Relay->new(
        cluster => $place->cluster,
        binary  => $place->program('bioecko-relay'),
        log     => $place->directory . '/relay.log', %arg);
}

1;
