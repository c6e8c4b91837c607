#!/usr/bin/perl
#
# deploy/templates.sql has a text for every event, channel and language, which
# can be rendered; loaded twice it changes nothing, and keeps what is there.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic book);
use Appt::Util qw(root_dir);

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my ($id)    = book($clinic, 1);
$cluster->psql('DELETE FROM appt.notification_template');
$cluster->psql(q{INSERT INTO appt.notification_template (event, channel,
    language, body) VALUES ('booked', 'sms', 'en', 'Ours')});
my $file = root_dir() . '/deploy/templates.sql';
$cluster->load($file);
is($cluster->value('SELECT count(*) FROM appt.notification_template'), 36,
    'six events, three channels, two languages');
$cluster->load($file);
is($cluster->value('SELECT count(*) FROM appt.notification_template'), 36,
    'once more adds nothing');
is($cluster->value(q{SELECT body FROM appt.notification_template
    WHERE (event, channel, language) = ('booked', 'sms', 'en')}), 'Ours',
    'what was there stays');

my $rows = $cluster->query(<<'SQL', $id);
SELECT t.event, t.channel, t.language, r.subject, r.body
FROM appt.notification_template t
CROSS JOIN appt.render_template(t.notification_template_no, $1) r
SQL
is_deeply([grep { ($_->{body} . ($_->{subject} // '')) =~ /[{}]/ } @$rows], [],
    'every placeholder is filled');
is_deeply([grep { $_->{channel} ne 'email' && length $_->{body} > 160 }
    @$rows], [], 'a text is no longer than an SMS');
is_deeply([map {"$_->{event} $_->{channel}"} grep {
    $_->{language} eq 'hi' && $_->{body} !~ /\p{Devanagari}{3}/ } @$rows], [],
    'Hindi is Hindi');

done_testing();
