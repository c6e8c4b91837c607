#!/usr/bin/perl
#
# The clinic's page, Settings: channels with a test that a mail server gets,
# templates with a preview, queue boards. What the page did is judged by what
# came to the server, by the database and by the board's own call.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);
use Appt::MailSink;
use Appt::Util qw(root_dir slurp);
use JSON::PP ();

my $mail   = Appt::MailSink->new;
my $clinic = Appt::Clinic->new;
$clinic->start_relay;
my $cluster = $clinic->cluster;

my $placeholders = $cluster->dbh->selectcol_arrayref(
    'SELECT name FROM appt.notification_placeholder ORDER BY 1');
my $visit = $cluster->row(q{SELECT a.appointment_id, p.patient_id, d.name AS doctor
    FROM appt.appointment a JOIN appt.patient p USING (patient_no)
    JOIN appt.doctor d USING (doctor_id)
    WHERE a.status = 'booked' AND a.slot_start > now() + interval '2 days'
    AND a.doctor_id = 'DOC-002' ORDER BY 1 LIMIT 1});
my $moved = $cluster->value(q{SELECT to_char(r.slot_start AT TIME ZONE 'Asia/Kolkata',
    'DD/MM/YYYY HH24:MI') FROM
    (SELECT * FROM appt.available_slots('DOC-001',
        ((now() + interval '15 days') AT TIME ZONE 'Asia/Kolkata')::date, 'MUM-01')
        ORDER BY start_time LIMIT 1) s
    CROSS JOIN LATERAL appt.reschedule($1, s.start_time, reason => 'Patient asked',
        doctor_id => 'DOC-001', branch_id => 'MUM-01') r}, $visit->{appointment_id});

my $sid  = 'AC' . '5' x 32;
my $seen = run_desk($clinic, 'admin_messages.js',
    [qw(staff:manage)],
    { role => 'admin', port => $mail->port, branch => 'MUM-01', visit => $visit,
        placeholders => $placeholders, sid => $sid });

my ($got) = $mail->wait_for_mails(1);
like($got->{raw}, qr/^To: [^<]*<desk\@clinic[.]example>/m, 'the test came to the mail server');
is_deeply($seen->{change}, { settings => { host => '127.0.0.1', port => $mail->port,
            security => 'none', from => 'visits@clinic.example',
            from_name => 'Clinic <script>ran=1</script>',
            reply_to => 'desk@clinic.example' } }, 'a setting is changed among the others');
is($cluster->value(q{SELECT settings->>'reply_to' FROM appt.notification_channel
    WHERE channel_id = 'mail'}), 'desk@clinic.example', 'and kept');
my $sent = JSON::PP->new->utf8->decode(slurp(root_dir() . '/deploy/channels/twilio.json'))
    ->{settings};
$sent->{url} =~ s/AC0+/$sid/ or die;
$sent->{username} = $sid;
$sent->{body}{From} = '+15550001111';
$sent->{callback}{url} = 'https://visits.clinic.example/api/v1/notifications/callbacks/twilio-desk';
my $kept = $cluster->row(q{SELECT kind, settings, secret, active
    FROM appt.notification_channel WHERE channel_id = 'twilio-desk'});
is_deeply([ $kept->{kind}, JSON::PP->new->decode($kept->{settings}), $kept->{secret},
        $kept->{active} ], [ 'sms', $sent, 'an-auth-token', 0 ],
    'a provider that is known is deploy/channels with what is the clinic\'s own');
is($seen->{called}, 'At the provider: Account SID.', 'which the provider\'s word helps to find');
is($seen->{reports}, $sent->{callback}{url}, 'and says where reports come to');
is($seen->{codeStays}, 'sms', 'what is typed outlives the choice of another');
like($seen->{notJson}, qr/JSON/, 'what is no JSON is said at the field');
is($cluster->value(q{SELECT secret FROM appt.notification_channel WHERE channel_id = 'sms'}),
    'a-secret-key', 'a secret goes in');
ok(!$seen->{secretShown}, 'and does not come out');
like($seen->{placeholder}, qr/slot_dat/, 'a placeholder that is none is refused');
like($seen->{preview}, qr{^Dr Asha Rao: 15/03/2026$}, 'the preview fills them in');
is($seen->{unfilled}, undef, 'each of them');
is_deeply([ sort @{ $seen->{offered} } ], [ map {"{{$_}}"} @$placeholders ], 'and names them all');
is($cluster->value(q{SELECT body FROM appt.notification_template
    WHERE event = 'follow_up' AND language = 'mr'}), '{{doctor_name}}: {{slot_date}}',
    'the template is kept');
my $warning = 'The text is not compared with the registered one: set dlt_text to '
    . 'what is registered.';
like($seen->{warned}, qr/^Saved[.] \Q$warning\E/, 'what may not be passed on is said when it is saved');
is($seen->{listed}, $warning, 'and stands in the list');
like($seen->{link}, qr{^\Q@{[ $clinic->gateway->url ]}\E/board/MUM-01#board_},
    'a board is an address');
is($seen->{shows},    200, 'which shows the queue');
is($seen->{showsNot}, 401, 'until it is revoked');
is_deeply($seen->{told}, $cluster->dbh->selectcol_arrayref(
    'SELECT appt.explain_notification($1)', {}, $visit->{appointment_id}),
    'what a patient was told, and why not, is beside the visit');
like($seen->{happened}[0], qr/Booked/, 'as is what happened');
like($seen->{happened}[1],
    qr/Moved.*\Q$visit->{doctor}\E \x{2192} Dr Asha Rao.* \x{2192} \Q$moved\E.*Patient asked/s,
    'from what to what, and why');
is($seen->{ran}, undef, 'what looks like a script runs nowhere');
is($seen->{hindi}, "\x{915}\x{924}\x{93e}\x{930} \x{92c}\x{94b}\x{930}\x{94d}\x{921}",
    'it is there in Hindi');
behaves($seen);

done_testing();
