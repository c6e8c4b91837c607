#!/usr/bin/perl
#
# README.md is right: its shell lines are run as they stand, in one shell, and
# so are its SQL lines; its links lead somewhere.

use strict;
use warnings;
use Test::More;
use Appt::Demo;
use Appt::Util qw(root_dir slurp wait_for);

my $readme = slurp(root_dir() . '/README.md');
my @shell  = $readme =~ /^```sh\n(.*?)^```$/msg;
my ($sql)  = $readme =~ /^```sql\n(.*?)^```$/ms;

for my $link ($readme =~ /\]\(([^)#]+)\)/g) {
    next if $link =~ /^https?:/;
    ok(-e root_dir() . "/$link", "$link is there");
}

my $start = shift @shell;
is($start, "demo/run\n", 'how it starts');
my $demo = Appt::Demo->new;
$demo->start->wait_open;

# A mark before each block tells the outputs apart.
my $mark = '===next block===';
my ($code, $out, $err) = $demo->sh(
    join('', "set -e\n", map {"echo '$mark'\n$_"} @shell[0 .. $#shell - 1])
        . 'for i in $(seq 100); do curl -sS "$APPT_RECEIVER_URL/" | '
        . "grep -q appointment.cancelled && break; sleep 0.1; done\n"
        . "echo '$mark'\n$shell[-1]");
is($code, 0, 'the shell lines run') or diag $out, $err;
is($err, '', 'without a complaint');
my (undef, @said) = split /^\Q$mark\E\n/m, $out;
is(scalar @said, scalar @shell, 'each block') or BAIL_OUT($out);

like($said[1], qr/^\{"start_time":"\d{4}-.*\+05:30","end_time":/,
    'slots are listed');
like($said[2], qr/"status": "booked"/, 'one is booked');
like($said[3], qr/"code": "slot_unavailable"/, 'once more is a conflict');
like($said[4], qr/"reason": "Patient is delayed".*"status": "cancelled"/s,
    'it is moved and cancelled');
like($said[5], qr/"appointment\.$_","signature":"[0-9a-f]{64}"/,
    "the webhook of $_ came")
    for qw(booked rescheduled cancelled);

# As it is where the day is not yet the clinic's.
($code, $out, $err) = $demo->sh(
    ". .run/env; PGTZ=Etc/GMT+12 psql -AtX -v ON_ERROR_STOP=1 <<'SQL'\n$sql\nSQL\n");
is($code, 0, 'the SQL lines run') or diag $err;
like($out, qr/^20\d\d-/m, 'slots are listed');
like($out, qr/^APT-\d+-\d+\|\d+\|booked$/m, 'one is booked');
like($out, qr/^APT-\d+-\d+\|cancelled$/m, 'and cancelled');

ok($demo->interrupt, 'Ctrl-C ends it');

done_testing;
