# Booking with a webhook subscribed: with the gateway's wake-ups (one NOTIFY
# every few milliseconds, from a session of its own), with a NOTIFY in each
# booking's transaction, and without any.

package Bench::Measure::WakeUps;

use strict;
use warnings;
use Appt::Process;
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);

# The gateway's: at most one in that time (gateway/http/wake.c).
my $EVERY_MS = 5;

# Sends NOTIFY as often as the gateway does under load, until it goes.
sub waker {
    my ($place) = @_;
    return Appt::Process->start(name => 'waker', command => [
        'pgbench', '-n', '-M', 'prepared', '-c', '1', '-T', '3600',
        '-R', 1000 / $EVERY_MS, '-f', "$place->{scripts}/pgbench/notify.sql",
        $place->cluster->dsn]);
}

sub {
    my ($place, $table, $given) = @_;
    my $cluster = $place->cluster;
    $cluster->psql("SELECT webhook_id FROM appt.create_webhook("
            . "url => 'http://127.0.0.1:9/hook')");
    my $listener = $cluster->connect;
    $listener->do('LISTEN bioecko_appt');

    my $book = sub {
        my ($notify) = @_;
        1 while $listener->pg_notifies;
        return pgbench($place, script => 'book', clients => 16,
            seconds => $given->{SECONDS},
            set => { base => $place->take('slots',
                30000 * ($given->{SECONDS} + 1)) },
            options => { 'bioecko_appt.notify' => $notify })->{tps};
    };
    my %got = interleave($given->{ROUNDS},
        none    => sub { $book->('off') },
        shipped => sub { my $waker = waker($place); $book->('off') },
        each    => sub { $book->('on') });
    $listener->disconnect;
    my $events = $cluster->psql(
        'SELECT count(*) > 0 FROM appt.delivery WHERE state = \'pending\'');
    die "the bookings left no deliveries\n" if $events ne 't';
    $cluster->psql('TRUNCATE appt.delivery; DELETE FROM appt.webhook;');

    my %tps = map { $_ => median(@{ $got{$_} }) } keys %got;
    $table->row(what => 'booking with wake-ups, 16 clients',
        against => 'without any', unit => '/s', value => $tps{shipped},
        base => $tps{none}, ratio => ratio(\%got, 'shipped', 'none'),
        must => '>= 0.9', aim => '>= 0.95');
    $table->row(what => 'booking, NOTIFY in each, 16 clients',
        against => 'without any', unit => '/s', value => $tps{each},
        base => $tps{none}, ratio => ratio(\%got, 'each', 'none'));
};
