#!/usr/bin/perl
#
# The pages behind links in a real browser: axe and the browser have nothing to
# complain of, in light and dark at 360 px, and all can be done without a mouse
# and without scripts.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::Node;
use Appt::Util qw(root_dir);
use JSON::PP ();

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $node = Appt::Node->new('t/web')
    or plan skip_all => 'npm is not installed';
my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $url     = $clinic->gateway->url;
my $json    = JSON::PP->new->utf8;

$cluster->load(root_dir() . '/deploy/pages.sql');
$cluster->dbh->do('INSERT INTO appt.setting (name, value) VALUES ($1, $2)', undef,
    'public_url', $url);
$cluster->dbh->do('INSERT INTO appt.page_text VALUES ($1, $2, $3)', undef, @$_)
    for [ 'en', 'contact', "Andheri Clinic\n+91 22 5550 0199" ],
    [ 'hi', 'contact', "अंधेरी क्लिनिक\n+91 22 5550 0199" ];
my %patient = (
    en => patient('Asha', 'en'), hi => patient('आशा', 'hi'),
    long => patient('Wolfeschlegelsteinhausenbergerdorff' x 3, 'en'));

sub patient {
    return $cluster->value('INSERT INTO appt.patient (first_name, language)
        VALUES ($1, $2) RETURNING patient_id', @_);
}

my $slot = 0;

sub link_of {
    my ($who, $purpose, $after) = @_;
    my $id = $cluster->value(q{SELECT appointment_id FROM appt.book($1, 'DOC-001',
        '2026-03-16 10:00+05:30'::timestamptz + $2 * interval '15 min',
        branch_id => 'MUM-01')}, $patient{$who}, $slot++);
    my $link = $cluster->value(q{SELECT appt_internal.link_values(a, 'email', true)
        ->>($2 || '_link') FROM appt.appointment a WHERE appointment_id = $1},
        $id, $purpose);
    $cluster->query($after, $id) if $after;
    return $link =~ s/^\Q$url\E//r;
}

# A place that is kept for a patient.
my $offers = 0;

sub offer_of {
    my ($who, $after) = @_;
    my ($id, $link) = @{ $cluster->row(q{SELECT o.offer_id, l->>'offer_link' AS link
        FROM appt.offer($1, 'DOC-001',
            '2026-03-17 10:00+05:30'::timestamptz + $2 * interval '15 min',
            branch_id => 'MUM-01') o
        CROSS JOIN LATERAL appt_internal.offer_link_value(o) l}, $patient{$who}, $offers++)
        }{qw(offer_id link)};
    $cluster->query($after, $id) if $after;
    return $link =~ s/^\Q$url\E//r;
}

my $confirm    = link_of('en', 'confirm');
my $confirm_hi = link_of('hi', 'confirm');
my %links = (
    'view'        => $confirm,
    'view-long'   => link_of('long', 'view'),
    'confirm'     => $confirm,
    'cancel'      => link_of('en', 'cancel'),
    'move'        => link_of('en', 'move'),
    'unsubscribe' => link_of('en', 'unsubscribe'),
    'confirm-hi'  => $confirm_hi,
    'move-hi'     => link_of('hi', 'move'),
    'cancel-hi'   => link_of('hi', 'cancel'),
    'moved'       => link_of('en', 'cancel', q{SELECT appt.reschedule($1,
        '2026-03-18 10:00+05:30')}),
    'cancelled'   => link_of('en', 'view', q{SELECT appt.cancel($1, 'Ill')}),
    'offer'       => offer_of('en'),
    'offer-hi'    => offer_of('hi'),
    'offer-over'  => offer_of('en', q{SELECT appt.release($1)}),
    'bad'         => '/v/v1.x',
);

my ($code, $out, $err) = $node->run('link_pages.js', $url,
    $json->encode(\%links), $ENV{SCREENSHOTS} // ());
die "the browser failed: $err" if $code;
my $seen = $json->decode($out);
is_deeply($seen->{axe},        [], 'axe finds nothing, in light and dark');
is_deeply($seen->{wide},       [], 'nothing is wider than 360 px');
is_deeply([ grep { !/^bad \w+: .*404/ } @{ $seen->{complaints} } ], [],
    'the browser has nothing to complain of');
is_deeply([ grep { index($_, "$url/v/") } @{ $seen->{requests} } ], [],
    'nothing else is loaded');
cmp_ok($seen->{bytes}{$_}, '<', 60_000, "$_ is light")
    for sort keys %{ $seen->{bytes} };
is_deeply($seen->{done}, {
    'confirm'     => 'Your visit is confirmed',
    'cancel'      => 'Your visit is cancelled',
    'move'        => 'Your visit was moved',
    'unsubscribe' => 'You get no more reminders',
    'offer'       => 'Your visit is booked',
    'offer-hi'    => 'आपने यह समय नहीं लिया',
    'confirm-hi'  => 'आपके आने की पुष्टि हो गई है',
    'move-hi'     => 'आपके अपॉइंटमेंट का समय बदल गया है',
    'cancel-hi'   => 'आपका अपॉइंटमेंट रद्द हो गया है',
}, 'all is done, by keys alone or without scripts');
is($cluster->value('SELECT count(*) FROM appt.appointment a
    WHERE a.slot_start = $1::timestamptz AND a.reschedule_count = 1',
    $seen->{chosen}), 1, 'a visit is where it was moved to by keys');
is($cluster->value(q{SELECT string_agg(reason, ', ' ORDER BY reason COLLATE "C")
    FROM appt.appointment WHERE status = 'cancelled' AND reason <> 'Ill'
    AND slot_start > '2026-03-15'}),
    'Feeling better, मरीज़ ने रद्द किया', 'the reasons');

done_testing();
