#!/usr/bin/perl
#
# What the relay signs is accepted by the libraries that receivers use: the
# Standard Webhooks project's own and svix's. During a rotation by the old
# secret and the new one, afterwards by the new one alone.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book hurried published_signature);
use Appt::Node;
use Appt::Util qw(run_command);
use JSON::PP ();

my $node = Appt::Node->new('t/node');
plan skip_all => 'node and npm are not installed' unless $node;

my $json    = JSON::PP->new->utf8->canonical;
my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $sink    = $clinic->sink;
my ($webhook_id, $secret) = @{ $clinic->webhook }{qw(webhook_id secret)};
$clinic->start_relay(env => hurried());

# The libraries' verdicts on each [secret, request].
sub verdicts {
    my (@case) = @_;
    my $lines = join '', map { $json->encode({
        secret  => $_->[0],
        headers => $_->[1]{headers},
        body    => $_->[1]{body} }) . "\n" } @case;
    my ($code, $out, $err) = run_command(
        ['node', $node->directory . '/verify.js'], $lines);
    die "verify.js: $err" if $code;
    return map { $json->decode($_) } split /\n/, $out;
}

# The next request after what the code does.
sub request_after {
    my ($code) = @_;
    $sink->forget;
    $code->();
    return ($sink->wait_for_requests(1))[0];
}

sub ping {
    my ($id) = @_;
    return request_after(sub {
        $cluster->query('SELECT appt.ping_webhook($1)', $id);
    });
}

my $good = { standardwebhooks => 'ok', svix => 'ok' };
my $bad = { map { $_ => 'No matching signature found' } keys %$good };
$sink->wait_for_requests(1);

subtest 'a booking is accepted' => sub {
    my $request = request_after(sub { book($clinic, 1) });
    is($request->{json}{event}, 'appointment.booked', 'it is one');
    is_deeply([verdicts([$secret, $request])], [$good], 'both accept it');
};

subtest 'what was changed on the way is refused' => sub {
    my $request = ping($webhook_id);
    my $id = $request->{headers}{'webhook-id'};
    my @forged = map { { %$request, %$_ } } (
        { body => $request->{body} . ' ' },
        { headers => { %{ $request->{headers} }, 'webhook-id' => "${id}x" } });
    is_deeply([verdicts(map { [$secret, $_] } @forged)], [$bad, $bad],
        'both refuse another body and another id');
};

subtest 'during a rotation both secrets are good' => sub {
    my $new = $cluster->value(
        'SELECT secret FROM appt.rotate_webhook_secret($1)', $webhook_id);
    isnt($new, $secret, 'a new secret');
    my $request = ping($webhook_id);
    is_deeply([verdicts([$secret, $request], [$new, $request])],
        [$good, $good], 'the old one and the new one verify');
    is($request->{headers}{'x-bio-ecko-signature'},
        published_signature($new, $request->{raw}),
        'X-Bio-Ecko-Signature is by the new one');
    is($request->{headers}{'x-bio-ecko-signature-previous'},
        published_signature($secret, $request->{raw}),
        '...-Previous by the old one');

    $cluster->psql(<<'SQL');
UPDATE appt.webhook_secret SET expires_at = now() WHERE expires_at IS NOT NULL
SQL
    my $after = ping($webhook_id);
    is_deeply([verdicts([$secret, $after], [$new, $after])], [$bad, $good],
        'after it the new one alone');
    ok(!exists $after->{headers}{'x-bio-ecko-signature-previous'},
        'and no second published signature');
    $secret = $new;
};

subtest 'a secret of one\'s own' => sub {
    my $own = 'whsec_' . 'QUJDREVGR0hJSktMTU5PUFFSU1RVVldY';
    is($cluster->value('SELECT secret FROM appt.rotate_webhook_secret('
        . q{$1, $2, overlap => '0')}, $webhook_id, $own), $own, 'is taken');
    my $request = ping($webhook_id);
    is_deeply([verdicts([$own, $request], [$secret, $request])],
        [$good, $bad], 'it signs, and with no overlap it alone');

    my $text = 'just-a-shared-password';
    $cluster->query(q{SELECT appt.rotate_webhook_secret($1, $2, '0')},
        $webhook_id, $text);
    $request = ping($webhook_id);
    is($request->{headers}{'x-bio-ecko-signature'},
        published_signature($text, $request->{raw}),
        'one that is not of the standard\'s form signs as the manual says');
};

done_testing;
