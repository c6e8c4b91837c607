package Appt::Desk;

# A desk of the clinic's page: a program of t/web that uses it in a browser, as
# somebody in a role who signs in, and tells what it saw. Beside it stands an API
# client with these scopes: what another program does at the same time.
#
#   my $seen = run_desk($clinic, 'admin_patients.js', [qw(patients:write)],
#       { role => 'reception', patient => ... });
#   $seen = run_desk($clinic, ..., { role => 'doctor', doctor_id => 'DOC-001' });
#   $seen = run_desk($clinic, ..., { wishes => { kill => sub { ... } } });
#                          # done when the program asks for it: wish("kill")
#   behaves($seen);        # the browser, axe and the checks found nothing
#
# SHOTS=DIRECTORY keeps pictures of what was checked.

use strict;
use warnings;
use Appt::Node;
use Appt::SignIn;
use Appt::Util qw(temp_dir);
use Exporter qw(import);
use JSON::PP ();
use POSIX qw(:sys_wait_h);
use Storable qw(retrieve store);
use Test::More;

our @EXPORT_OK = qw(run_desk behaves);

# What the program saw; skips all tests where npm is not installed.
sub run_desk {
    my ($clinic, $program, $scopes, $option) = @_;
    my $node = Appt::Node->new('t/web');
    plan skip_all => 'npm is not installed' unless $node;
    my $client = $clinic->create_client(name => 'Desk', scopes => $scopes);
    my $person = $option->{role}
        ? Appt::SignIn::account($clinic, map { $_ => $option->{$_} }
            grep { defined $option->{$_} } qw(role doctor_id branch_ids department_ids)) : {};
    my $wishes = $option->{wishes} && { %{ $option->{wishes} } };
    my $dir = $wishes && temp_dir();
    my @command = ($program, JSON::PP->new->canonical->encode({
                %$option, %$person, url => $clinic->gateway->url,
                token => $clinic->http($client)->{token}, shots => $ENV{SHOTS},
                wishes => $dir && "$dir" }));
    my ($code, $out, $err) = $wishes ? _granted($node, $wishes, $dir, @command)
        : $node->run(@command);
    die "the browser failed: $err" if $code;
    my $seen = JSON::PP->new->utf8->decode($out);
    is($seen->{failed}, undef, 'the desk got through')
        or die "$seen->{failed}\n";
    return $seen;
}

# Runs it and does what it wishes: a file of the wish's name, gone once done.
sub _granted {
    my ($node, $wishes, $dir, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        store([ $node->run(@command) ], "$dir/.answer");
        POSIX::_exit(0);
    }
    while (waitpid($pid, WNOHANG) == 0) {
        for my $wish (grep { -e "$dir/$_" } sort keys %$wishes) {
            $wishes->{$wish}->();
            unlink "$dir/$wish" or die "$dir/$wish: $!\n";
        }
        select undef, undef, undef, 0.1;
    }
    return @{ retrieve("$dir/.answer") };
}

sub behaves {
    my ($seen) = @_;
    is_deeply($seen->{complaints}, [], 'the browser has nothing to complain of');
    is_deeply($seen->{axe}, [], 'nor has axe, in light or dark, at a desk or on a telephone');
    is_deeply($seen->{checks}, [],
        'targets are large, the focus shows, nothing is too wide');
    return;
}

1;
