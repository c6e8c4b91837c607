#!/usr/bin/perl
#
# Nobody reads the log for a while: requests are answered all the same. What
# was kept of it comes whole and in order then, what was not is counted.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Gateway;
use Appt::Util qw(temp_dir wait_for);
use Fcntl qw(O_RDWR O_NONBLOCK);
use HTTP::Tiny;
use JSON::PP ();
use POSIX qw(mkfifo);
use Time::HiRes qw(time);

my $dir = temp_dir();
my $fifo = "$dir/log";
mkfifo($fifo, 0600) or die "mkfifo: $!\n";
sysopen(my $log, $fifo, O_RDWR | O_NONBLOCK) or die "$fifo: $!\n";

my $clinic = Appt::Clinic->new(gateway => 0);
my $gateway = Appt::Gateway->new(cluster => $clinic->cluster, log => $fifo);
my $http = HTTP::Tiny->new(timeout => 5, keep_alive => 1, proxy => undef,
    http_proxy => undef);

# So many requests, each named; how many were answered, and the longest wait.
sub ask {
    my ($name, $count) = @_;
    my ($answered, $longest) = (0, 0);
    for (1 .. $count) {
        my $began = time;
        $answered++ if $http->get($gateway->url . '/healthz',
            { headers => { 'X-Request-Id' => "$name-$_" } })->{status} == 200;
        $longest = time - $began if time - $began > $longest;
        last if $longest > 4;
    }
    return ($answered, $longest);
}

# The log's lines, until one has that id.
my $rest = '';
sub read_until {
    my ($id) = @_;
    my @lines;
    wait_for {
        while (sysread($log, my $bytes, 65536)) { $rest .= $bytes }
        push @lines, $1 while $rest =~ s/^([^\n]*)\n//;
        grep {/"\Q$id\E"/} @lines;
    } "$id in the log", 20;
    return map { eval { JSON::PP->new->utf8->decode($_) } // { text => $_ } } @lines;
}

my ($answered, $longest) = ask('first', 1000);
is($answered, 1000, 'requests are answered while nobody reads the log');
cmp_ok($longest, '<', 2, 'at once');
my @lines = read_until('first-1000');
is(scalar(grep { $_->{text} } @lines), 0, 'what is read later are whole lines');
is_deeply([ map { ($_->{id} // '') =~ /^first-(\d+)$/ ? $1 : () } @lines ],
    [ 1 .. 1000 ], 'all of them, in order');

my $many = 8000;
($answered, $longest) = ask('more', $many);
is($answered, $many, 'so they are when more is said than is kept');
wait_for {
    while (sysread($log, my $bytes, 65536)) { $rest .= $bytes }
    $rest =~ /log lines lost.*\n/;
} 'the log to be read', 20;
@lines = map { JSON::PP->new->utf8->decode($_) } grep {length} split /\n/, $rest;
my $kept = grep { ($_->{id} // '') =~ /^more-/ } @lines;
my ($lost) = map { $_->{lines} } grep { $_->{event} eq 'log lines lost' } @lines;
cmp_ok($kept, '>', 2000, 'much of it is kept');
cmp_ok($lost, '>', 0, 'the rest is lost, and the log says so');
is($kept + $lost, $many, 'how much');
ok($gateway->stop, 'and it ends in time');

done_testing;
