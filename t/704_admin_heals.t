#!/usr/bin/perl
#
# The gateway is killed, and then PostgreSQL stopped, under a desk with a form
# half typed: the page says so, keeps what was typed, finds by itself that the
# server is back, and the patient is checked in once.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk);

my $now     = '2026-03-16T08:50:00+05:30';
my $clinic  = Appt::Clinic->new(clock => $now);
my $db      = $clinic->cluster;
my $gateway = $clinic->gateway;
my @patients = qw(PAT-2026-00125 PAT-2026-00126);
my $before  = $gateway->pid;

my $seen = run_desk($clinic, 'admin_heals.js', ['patients:read'], { role => 'reception',
        now => $now, patients => \@patients, wishes => {
            stop_gateway   => sub { $gateway->kill9 },
            start_gateway  => sub { $gateway->start },
            stop_database  => sub { $db->stop },
            start_database => sub { $db->start },
        } });
is_deeply($seen->{complaints}, [], 'the browser complains of nothing else');
isnt($gateway->pid, $before, 'it was another gateway afterwards');
my %banner = (gateway => qr/The server cannot be reached/,
    database => qr/database/);
for my $what (qw(gateway database)) {
    my $told = $seen->{$what};
    like($told->{banner}, $banner{$what}, "a lost $what is said");
    like($told->{refused}, qr/\S/, 'what is sent meanwhile is refused');
    is($told->{kept}, "Half typed, $what", 'what was typed is there');
    like($told->{said}, qr/is checked in with token \d+\./, 'and goes through');
    is_deeply($db->query(q{SELECT status, source FROM appt.appointment
        WHERE notes = $1}, "Half typed, $what"),
        [ { status => 'checked_in', source => 'walk_in' } ], 'once');
}

done_testing();
