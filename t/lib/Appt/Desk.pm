package Appt::Desk;

# A desk of the clinic's page: a program of t/web that uses it in a browser, as
# somebody with these scopes, and tells what it saw.
#
#   my $seen = run_desk($clinic, 'admin_patients.js', [qw(patients:read)],
#       { patient => ... });
#   $seen = run_desk($clinic, ..., { role => 'reception' });   # one who signs in
#   behaves($seen);        # the browser, axe and the checks found nothing
#
# SHOTS=DIRECTORY keeps pictures of what was checked.

use strict;
use warnings;
use Appt::Node;
use Appt::SignIn;
use Exporter qw(import);
use JSON::PP ();
use Test::More;

our @EXPORT_OK = qw(run_desk behaves);

# What the program saw; skips all tests where npm is not installed.
sub run_desk {
    my ($clinic, $program, $scopes, $option) = @_;
    my $node = Appt::Node->new('t/web');
    plan skip_all => 'npm is not installed' unless $node;
    my $client = $clinic->create_client(name => 'Desk', scopes => $scopes);
    my $person = $option->{role}
        ? Appt::SignIn::account($clinic, role => $option->{role}) : {};
    my ($code, $out, $err) = $node->run($program,
        JSON::PP->new->canonical->encode({
                %$option, %$person, url => $clinic->gateway->url, scopes => $scopes,
                token => $clinic->http($client)->{token}, shots => $ENV{SHOTS} }));
    die "the browser failed: $err" if $code;
    my $seen = JSON::PP->new->utf8->decode($out);
    is($seen->{failed}, undef, 'the desk got through')
        or die "$seen->{failed}\n";
    return $seen;
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
