# Messages to patients: reminders that are all due at once, from the settings
# that make them so until the last has come, by HTTP and by SMTP, against libcurl
# alone over as many connections to the same sink; how long a webhook takes
# meanwhile; and what it costs a booking that its patient is told.

package Bench::Measure::Messages;

use strict;
use warnings;
use Appt::Http;
use Appt::Util qw(run_command wait_for);
use Bench::Http qw(gateway book_one);
use Bench::Messages
    qw(use_channel no_channel make_due mail_sink open_messages);
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);
use Bench::Webhook qw(sink endpoint no_endpoint relay tool);
use Time::HiRes qw(sleep time);

# The relay's defaults.
my %connections = (sms => 50, email => 4);

# Messages a second from the first arrival to the last; all are recorded.  The
# sink is asked ten times a second: asking takes part of what is measured.  Of a
# visit that has begun since it was counted nobody is reminded.
sub relay_rate {
    my ($place, $sink, $wanted) = @_;
    my $count = make_due($place, $wanted);
    $sink->reset;
    my $relay = relay($place);
    my ($seen, $since) = (0, time);
    wait_for {
        sleep 0.1;
        my ($now) = $sink->count;
        ($seen, $since) = ($now, time) if $now > $seen;
        $seen >= $count || ($seen > 0 && time - $since > 10);
    } "$count messages", 600;
    my ($came, $first, $last) = $sink->count;
    wait_for { open_messages($place) == 0 } 'all messages to be recorded', 60;
    $relay->stop;
    my $sent = $place->cluster->value(q{SELECT count(*) FROM appt.notification
        WHERE state = 'sent'});
    die "$came messages came, $sent were sent, for $count visits\n"
        if $came != $sent || $sent < 0.9 * $count;
    return ($came - 1) * 1e6 / ($last - $first);
}

sub tool_rate {
    my ($tool, $url, $count, $connections) = @_;
    my ($code, $out, $err) = run_command(
        [tool($tool), $url, $count, $connections]);
    die "$tool: $err" if $code;
    my ($done, $seconds) = split ' ', $out;
    return $done / $seconds;
}

sub reminders_by_http {
    my ($place, $table, $given) = @_;
    my $sink = sink($place);
    use_channel($place, sms => $sink->url);
    my $count = 20_000 * $given->{SECONDS};
    my %got = interleave($given->{ROUNDS},
        curl  => sub { tool_rate('post', $sink->url, $count,
            $connections{sms}) },
        relay => sub { relay_rate($place, $sink, $count) });
    no_channel($place);
    $table->row(what => "$count reminders due at once, HTTP",
        against => "curl multi, $connections{sms} connections", unit => '/s',
        value => median(@{ $got{relay} }), base => median(@{ $got{curl} }),
        ratio => ratio(\%got, 'relay', 'curl'), must => '>= 0.4');
}

sub reminders_by_mail {
    my ($place, $table, $given) = @_;
    my $sink = mail_sink();
    use_channel($place, email => $sink->port);
    my $count = 4000 * $given->{SECONDS};
    my %got = interleave($given->{ROUNDS},
        curl  => sub { tool_rate('mail', 'smtp://127.0.0.1:' . $sink->port,
            $count, $connections{email}) },
        relay => sub { relay_rate($place, $sink, $count) });
    no_channel($place);
    $table->row(what => "$count reminders due at once, SMTP",
        against => "curl's SMTP, $connections{email} connections",
        unit => '/s', value => median(@{ $got{relay} }),
        base => median(@{ $got{curl} }),
        ratio => ratio(\%got, 'relay', 'curl'), must => '>= 0.5');
}

# Milliseconds from a booking's answer to its webhook, the p99 of so many.
sub webhook_p99 {
    my ($place, $http, $sink, $count) = @_;
    my $base = $place->take('slots', $count);
    my %answered;
    for my $n ($base .. $base + $count - 1) {
        my $r = book_one($place, $http, $n);
        die "a booking: $r->{status} $r->{body}\n" if $r->{status} != 201;
        $answered{ $r->{json}{appointment_id} } = time * 1e6;
        sleep 0.03 + rand 0.03;
    }
    my %came;
    wait_for {
        %came = $sink->arrivals;
        !grep { !$came{$_} } keys %answered;
    } "$count webhooks", 60;
    my @ms = sort { $a <=> $b } map {
        my $us = $came{$_} - $answered{$_};
        $us > 0 ? $us / 1000 : 0;
    } keys %answered;
    return $ms[ int(0.99 * $#ms) ];
}

sub webhooks_meanwhile {
    my ($place, $table, $given) = @_;
    my ($hooks, $messages) = (sink($place), sink($place));
    endpoint($place, $hooks);
    use_channel($place, sms => $messages->url);
    my $gateway = gateway($place);
    my $relay = relay($place);
    my $http = Appt::Http->new($gateway->{url}, token => $gateway->{token});
    my $count = 40 * $given->{SECONDS};
    my %p99;
    for (1 .. $given->{ROUNDS}) {
        push @{ $p99{idle} }, webhook_p99($place, $http, $hooks, $count);
        make_due($place, 20_000 * $given->{SECONDS});
        wait_for { ($messages->count)[0] > 0 } 'the first reminder', 30;
        push @{ $p99{busy} }, webhook_p99($place, $http, $hooks, $count);
        wait_for { open_messages($place) == 0 } 'all reminders', 600;
        $messages->reset;
    }
    $relay->stop;
    no_channel($place);
    no_endpoint($place);
    $table->row(what => 'webhook, p99, while reminders go out',
        against => 'where none do', unit => ' ms',
        value => median(@{ $p99{busy} }), base => median(@{ $p99{idle} }),
        ratio => ratio(\%p99, 'busy', 'idle'), must => '<= 3');
}

# No relay runs: what is told waits in the table.
sub bookings_that_are_told {
    my ($place, $table, $given, $clients, $commit) = @_;
    my $book = sub {
        return pgbench($place, script => 'book', clients => $clients,
            seconds => $given->{SECONDS},
            options => { 'bioecko_appt.notify' => 'off',
                synchronous_commit => $commit },
            set => { base => $place->take('slots',
                30000 * ($given->{SECONDS} + 1)) })->{tps};
    };
    my %got = interleave($given->{ROUNDS},
        silent => sub { no_channel($place); $book->() },
        told   => sub {
            use_channel($place, sms => 'http://127.0.0.1:9/sms');
            my $tps = $book->();
            die "the bookings told nobody\n" if $place->cluster->psql(
                'SELECT NOT EXISTS (SELECT FROM appt.notification)') eq 't';
            return $tps;
        });
    no_channel($place);
    $table->row(what => "booking whose patient is told, SQL, $clients "
            . ($clients > 1 ? 'clients' : 'client')
            . ($commit eq 'off' ? ', async' : ''),
        against => 'no channel', unit => '/s',
        value => median(@{ $got{told} }), base => median(@{ $got{silent} }),
        ratio => ratio(\%got, 'told', 'silent'),
        $commit eq 'off' ? () : (must => '>= 0.87'));
}

sub {
    reminders_by_http(@_);
    reminders_by_mail(@_);
    webhooks_meanwhile(@_);
    for my $commit ('on', 'off') {
        bookings_that_are_told(@_, $_, $commit) for 1, 16;
    }
};
