#!/usr/bin/perl
#
# make run as a user has it: it opens, what it prints works when pasted, Ctrl-C
# ends all of it, the next one goes on with the same data, a taken port is
# explained, make stop and make reset.

use strict;
use warnings;
use Test::More;
use Appt::Demo;
use Appt::Process;
use Appt::SignIn;
use Appt::Util qw(patience slurp wait_for);
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Time::HiRes qw(time);

my $demo = Appt::Demo->new;
my $dir  = $demo->directory;
my %pid;

sub sh { my ($code, $out, $err) = $demo->sh(@_); return $out }

sub parts {
    return map { (split / /, slurp("$dir/.run/pid/$_"))[0] }
        qw(run gateway relay receiver mail postgres);
}

subtest 'it opens' => sub {
    $demo->start->wait_open;
    my $said = $demo->output;
    like($said, qr/^\[$_\/7\] \w/m, "step $_ is shown") for 1 .. 7;
    my $url = 'http://127.0.0.1:' . $demo->port('APPT_PORT');
    like($said, qr/\Q$url\E/, 'the address of the API');
    like($said, qr{^  pages +\Q$url\E/admin/$}m, 'and of the pages');
    my %password = $said =~ /^  sign in +(\w+), password (\S+)$/mg;
    is_deeply([ sort keys %password ], [qw(admin doctor reception)],
        'somebody of each role');
    is(scalar keys %{ { reverse %password } }, 3, 'each with a password');
    for my $account (sort keys %password) {
        my $who = Appt::SignIn->new($url, account => $account,
            password => $password{$account});
        is($who->answer->{json}{role}, $account, "signs in as $account");
    }
    is((stat "$dir/.run/staff")[2] & 077, 0, 'nobody else can read them');
    like($said, qr/^  token +[\w-]+\.[\w-]+\.[\w-]+$/m, 'a token');
    is(sh("curl -s -o /dev/null -w '%{http_code}' $url/healthz"), 200,
        'it answers');
};

subtest '.run/env says where everything is' => sub {
    for my $name (qw(APPT_URL APPT_CLIENT_ID APPT_CLIENT_SECRET PGHOST PGPORT
        PGUSER PGDATABASE APPT_WEBHOOK_SECRET APPT_SINK_LOG)) {
        like(sh(". .run/env; echo \$$name"), qr/\S/, $name);
    }
    is(sh('. .run/env; psql -AtXc "SELECT count(*) FROM appt.patient"'),
        "100\n", 'psql reaches the clinic');
    is(sh('. .run/env; PGHOST=127.0.0.1 psql -AtXc "SELECT 1"'), "1\n",
        'by TCP with the password, too');
    is(sh('. .run/env; PGHOST=127.0.0.1 PGPASSWORD=x psql -AtXwc "SELECT 1"'),
        '', 'and not without');
    is((stat "$dir/.run/env")[2] & 077, 0, 'nobody else can read it');
};

subtest 'the printed lines work as they are' => sub {
    my @line = $demo->output =~ /^(curl .*)$/mg;
    is(scalar @line, 5, 'five lines') or return;
    my $slots = decode_json(sh($line[0]));
    ok(@$slots > 1, '1: slots');
    my $booked = decode_json(sh($line[1]));
    is($booked->{status}, 'booked', '2: booked');
    is(decode_json(sh($line[1]))->{code}, 'slot_unavailable',
        '2: once more is a conflict');
    my $moved = decode_json(sh($line[2]));
    is($moved->{appointment_id}, $booked->{appointment_id}, '3: the same one');
    isnt($moved->{slot_start}, $booked->{slot_start}, '3: is moved');
    is(decode_json(sh($line[3]))->{status}, 'cancelled', '4: cancelled');
    my $got;
    wait_for { ($got = sh($line[4])) =~ /appointment\.cancelled/ }
        sub { "the webhook of the cancellation: $got" };
    like($got, qr/appointment\.$_/, "5: $_") for qw(booked rescheduled);
    wait_for { $demo->output =~ /appointment\.cancelled .* signature ok$/m }
        'the receiver to print the delivery';
    unlike($demo->output, qr/signature (?:WRONG|missing)/,
        'every signature was right');
    wait_for { $demo->output =~ /mail +to .*is cancelled\n +for the calendar: CANCEL$/m }
        'the mail server to print the cancellation';
    is(decode_json(sh($line[1]))->{status}, 'booked', 'and again from 2');
    wait_for { $demo->output =~ /mail +to .*is booked\n +for the calendar: REQUEST$/m }
        'the mail server to print an invitation';
    my $link;
    wait_for { ($link) = $demo->output =~ m{^ +\| Cancel: (http\S+/v/v1\.\S+)$}m }
        'the mail to have a link';
    like(sh("curl -s '$link'"), qr/<h1>/, 'which opens a page');
};

subtest 'a second one beside it is refused' => sub {
    my ($code, $out, $err) = $demo->sh('make run');
    isnt($code, 0, 'exit code');
    like($err, qr/runs already .*make stop/s, 'says so and what to do');
};

my $booked = sh('. .run/env; psql -AtXc "SELECT count(*) FROM appt.appointment"');

subtest 'Ctrl-C ends all of it' => sub {
    my @pid = parts();
    ok($demo->interrupt, 'it ended');
    ok(!Appt::Process::runs($_), "process $_ is gone") for @pid;
    like($demo->output, qr/^stopped/m, 'and says so');
};

subtest 'the next one goes on with the same data, in seconds' => sub {
    my $from = time;
    $demo->start->wait_open;
    cmp_ok(time - $from, '<', patience(60), 'in seconds');
    is(sh('. .run/env; psql -AtXc "SELECT count(*) FROM appt.appointment"'),
        $booked, 'the same appointments');
    my @line = $demo->output =~ /^(curl .*)$/mg;
    ok(@{ decode_json(sh($line[0])) } > 0, 'slots, with the new token');
};

subtest 'make stop ends it from elsewhere' => sub {
    my @pid = parts();
    my ($code, $out) = $demo->sh('make stop');
    is($code, 0, 'exit code');
    like($out, qr/stopped/, 'says so');
    ok(!Appt::Process::runs($_), "process $_ is gone") for @pid;
    ok($demo->process->wait_end(10), 'make run itself has ended');
    ($code, $out) = $demo->sh('make stop');
    is($code, 0, 'stopping again is no error');
    like($out, qr/no demo runs/, 'and says that there is none');
};

subtest 'killed, it leaves nothing that runs' => sub {
    $demo->start->wait_open;
    my ($run, @pid) = parts();
    kill KILL => $run;
    wait_for { !grep { Appt::Process::runs($_) } @pid } 'its parts to end', 30;
    pass('all are gone');
    $demo->process->wait_end(10);
    ok($demo->start->wait_open, 'and the next one opens');
};

subtest 'a part that dies ends the others, and is named' => sub {
    my ($run, @pid) = parts();
    kill KILL => $pid[0];
    ok($demo->process->wait_end(60), 'make run has ended');
    like($demo->output, qr/^make run: gateway has ended by itself/m, 'why');
    ok(!Appt::Process::runs($_), "process $_ is gone") for @pid;
};

subtest 'the data of another user is left alone' => sub {
    plan skip_all => 'only root can make this up' if $> != 0;
    my $owner = (stat "$dir/.run")[4];
    chown 65534, -1, "$dir/.run";
    my ($code, $out, $err) = $demo->sh('make run');
    isnt($code, 0, 'exit code');
    like($err, qr/belongs to nobody, not to you.*What to do/s, 'says so');
    chown $owner, -1, "$dir/.run";
};

subtest 'a taken port is explained' => sub {
    my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
    for my $name (qw(APPT_PORT APPT_PG_PORT APPT_RECEIVER_PORT)) {
        my ($code, $out, $err) = $demo->sh('make run', $name => $taken->sockport);
        isnt($code, 0, "$name: exit code");
        my $port = $taken->sockport;
        like($err, qr/port $port .*in use/s, "$name: what and why");
        like($err, qr/make run $name=\d+/, "$name: what to do");
    }
    my ($code, $out, $err) = $demo->sh('make run APPT_PORT=eighty');
    like($err, qr/APPT_PORT=eighty is not a port/, 'a port that is none');
};

subtest 'make reset' => sub {
    my ($code, $out) = $demo->sh('make reset');
    is($code, 0, 'exit code');
    ok(!-e "$dir/.run", 'the data is gone');
};

subtest 'a checkout that user postgres cannot enter' => sub {
    plan skip_all => 'only root has this' if $> != 0;
    chmod 0700, "$demo->{temp}";
    $demo->start->wait_open;
    like($demo->output, qr{in (/var/lib/bioecko-demo-\d+/data)}, 'says where');
    my ($place) = $demo->output =~ m{in (/var/lib/bioecko-demo-\d+)/data};
    is(sh('. .run/env; psql -AtXc "SELECT 1"'), "1\n", 'and works');
    $demo->interrupt;
    $demo->sh('make reset');
    ok(!-e $place, 'reset removes it');
};

done_testing;
