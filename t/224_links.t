#!/usr/bin/perl
#
# Links in messages and the pages behind them: what each shows, does and
# refuses; that GET changes nothing and to send twice is to send once; what is
# forged, cut, ended or of another patient tells nothing.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Util qw(root_dir);
use Encode qw(decode_utf8);

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $clinic  = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $cluster = $clinic->cluster;
my $http    = Appt::Http->new($clinic->gateway->url);
my $url     = $clinic->gateway->url;
my $day     = '2026-03-16';

$cluster->psql(<<"SQL");
INSERT INTO appt.setting (name, value) VALUES ('public_url', '$url');
INSERT INTO appt.patient (patient_id, first_name, last_name, language)
VALUES ('PAT-LINK', 'Asha', 'Secret', 'en'), ('PAT-HINDI', 'Asha', 'Secret', 'hi');
SQL

$cluster->load(root_dir() . '/deploy/pages.sql') for 1, 2;

# Books for a patient; the appointment's id.
sub book {
    my ($time, $patient, $date) = @_;
    $date //= $day;
    return $cluster->value('SELECT appointment_id FROM appt.book($1, $2, $3,
        branch_id => $4)', $patient // 'PAT-LINK', 'DOC-001',
        "${date}T$time:00+05:30", 'MUM-01');
}

# A link of the visit as it is now, as messages have it.
sub link_of {
    my ($id, $purpose, $channel) = @_;
    return $cluster->value(q{SELECT appt_internal.link_values(a, $3, true)
        ->>($2 || '_link') FROM appt.appointment a WHERE appointment_id = $1},
        $id, $purpose, $channel // 'email') =~ s/^\Q$url\E//r;
}

sub page { return shown($http->get(@_)) }

sub act {
    my ($path, $fields, $header) = @_;
    return shown($http->form($path, $fields // {}, $header));
}

sub shown {
    my ($r) = @_;
    $r->{body} = decode_utf8($r->{body});
    ($r->{title}) = $r->{body} =~ m{<h1>(.*?)</h1>};
    return $r;
}

sub visit {
    my ($id) = @_;
    return $cluster->row('SELECT * FROM appt.appointment
        WHERE appointment_id = $1', $id);
}

sub events {
    my ($id) = @_;
    return join ' ', map {"$_->{event_type}/$_->{actor}"} @{ $cluster->query(
        "SELECT replace(event_type, 'appointment.', '') AS event_type, actor
        FROM appt.history(\$1)", $id) };
}

sub clock_at { $cluster->freeze_clock("$_[0]+05:30") }

my %facts = (Patient => 'Asha', Doctor => 'Dr Asha Rao',
    Day => 'Monday, 16/03/2026', Time => '10:00', Token => 1);

sub facts { return { $_[0]{body} =~ m{<dt>(.*?)</dt><dd>(.*?)</dd>}g } }

subtest 'without an address there are no links, and one is looked at' => sub {
    is($cluster->value('SELECT count(*) FROM appt.link_key'), 1,
        'the first address brought the first key');
    for my $bad ('http://visits.clinic.example', 'https://a.example/', 'x',
        'https://a.example/?a', 'javascript:alert(1)', "https://a.ex\nample",
        'https://' . 'a' x 200)
    {
        ok(!eval { $cluster->dbh->do('UPDATE appt.setting SET value = $1
            WHERE name = $2', undef, $bad, 'public_url') }, "not $bad");
    }
    ok(!eval { $cluster->dbh->do('INSERT INTO appt.setting (name, branch_id,
        value) VALUES ($1, $2, $3)', undef, 'public_url', 'MUM-01',
        'https://a.example') }, 'nor one of a branch');
    for my $role (qw(appt_admin appt_gateway appt_relay appt_reporting)) {
        ok(!eval { $cluster->dbh->do("SET ROLE $role");
            $cluster->dbh->selectrow_array('SELECT secret FROM appt.link_key')
        }, "$role does not read the key");
        $cluster->dbh->do('RESET ROLE');
    }
};

subtest 'a page shows what it may, and GET and HEAD change nothing' => sub {
    my $id     = book('10:00');
    my $before = $clinic->fingerprint;
    my %title  = (view => 'Your visit is booked', confirm => 'Will you come?',
        cancel => 'Cancel this visit?', move => 'Choose another time',
        unsubscribe => 'Stop reminders?');
    for my $purpose (sort keys %title) {
        my $r = page(link_of($id, $purpose));
        is($r->{status}, 200, $purpose);
        is($r->{title}, $title{$purpose}, 'its title');
        is_deeply(facts($r), \%facts, 'first name, doctor, time and token');
        unlike($r->{body}, qr/Secret|APT-|PAT-|Andheri|<script|http/,
            'and nothing else');
        is($r->{headers}{'content-type'}, 'text/html; charset=utf-8', 'HTML');
        is($r->{headers}{'referrer-policy'}, 'no-referrer', 'no Referer');
        is($r->{headers}{'cache-control'}, 'no-store', 'nobody keeps it');
        like($r->{headers}{'content-security-policy'},
            qr/^default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; .*frame-ancestors 'none'$/,
            'it may do nothing but what it is for');
        is($r->{headers}{'set-cookie'}, undef, 'no cookie');
        cmp_ok(length $r->{body}, '<', 30_000, 'it is light');
        my $head = $http->request('HEAD', link_of($id, $purpose));
        is_deeply([ @$head{qw(status body)} ], [ 200, '' ], 'HEAD');
        is($http->request($_, link_of($id, $purpose))->{status}, 405, "no $_")
            for qw(PUT PATCH DELETE);
    }
    is($clinic->fingerprint, $before, 'nothing has changed');
    is($cluster->value('SELECT count(*) FROM appt.notification_opt_out'), 0,
        'nor has the patient opted out');
    my $r = act(link_of($id, 'view'));
    is($r->{status}, 200, 'POST to a link that only shows');
    is($clinic->fingerprint, $before, 'changes nothing either');
    my $css = $http->get('/v/page.css');
    is($css->{headers}{'content-type'}, 'text/css; charset=utf-8', 'style');
    cmp_ok(length($css->{body}) + length page(link_of($id, 'move'))->{body}, '<',
        60_000, 'all that a browser loads');
};

subtest 'confirm, twice' => sub {
    my $id   = book('10:15');
    my $link = link_of($id, 'confirm');
    for my $time ('13:00', '13:05') {
        clock_at("2026-03-14T$time:00");
        my $r = act($link);
        is($r->{status}, 200, "at $time");
        is($r->{title}, 'Your visit is confirmed', 'it says so');
    }
    is($cluster->value('SELECT $1::timestamptz = confirmed_at FROM
        appt.appointment WHERE appointment_id = $2', '2026-03-14 13:00+05:30',
        $id), 1, 'recorded once');
    is(events($id), 'booked/role:postgres updated/patient link',
        'the history names the link');
    is(page($link)->{title}, 'Your visit is confirmed',
        'and the page from then on');
    is($clinic->http->get("/api/v1/appointments/$id")->{json}{confirmed_at},
        '2026-03-14T13:00:00+05:30', 'and the appointment');
    is(page(link_of($id, 'cancel'))->{title}, 'Cancel this visit?',
        'other links of it stay good');
};

subtest 'cancel with a reason, twice' => sub {
    my $id   = book('10:30');
    my $link = link_of($id, 'cancel');
    act(link_of($id, 'confirm'));    # the version rises
    my $r = act($link, { reason => "  Feeling <b>better</b>\x{2014}\n" });
    is($r->{status}, 200, 'done');
    is($r->{title}, 'Your visit is cancelled', 'it says so');
    $r = act($link, { reason => 'Again' });
    is_deeply([ @$r{qw(status title)} ], [ 200, 'Your visit is cancelled' ],
        'the second click says the same');
    is(visit($id)->{status}, 'cancelled', 'cancelled');
    is(visit($id)->{reason}, "Feeling <b>better</b>\x{2014}",
        'with that reason');
    is(events($id), 'booked/role:postgres updated/patient link '
        . 'cancelled/patient link', 'once');
    for my $purpose (qw(view confirm move)) {
        $r = page(link_of($id, $purpose));
        is($r->{title}, 'Your visit is cancelled', "$purpose says it, too");
        unlike($r->{body}, qr/<form/, 'and offers nothing');
    }
    $r = act(link_of($id, 'confirm'));
    is($r->{status}, 409, 'and cannot be confirmed');
    for my $case ([ " \x{a0} ", 'Cancelled by the patient' ],
        [ "\x{1}\r\nIll\x{7}", 'Ill' ], [ 'x' x 300, 'x' x 200 ])
    {
        my $again = book('10:30');
        is(act(link_of($again, 'cancel'), { reason => $case->[0] })->{status},
            200, 'another reason');
        is(visit($again)->{reason}, $case->[1], 'as it can be kept');
    }
};

subtest 'the windows hold for patients' => sub {
    $cluster->psql(q{INSERT INTO appt.setting (name, value)
        VALUES ('reschedule_window_min', '120')});
    my $id = book('10:45');
    clock_at("${day}T09:30:00");
    my $r = act(link_of($id, 'cancel'), { reason => 'Late' });
    is($r->{status}, 409, 'too late to cancel');
    my $sentence = '<p role="alert">The visit is too near to be cancelled here. '
        . 'Call the clinic.</p>';
    is(index($r->{body}, $sentence) > 0, 1, 'in a sentence');
    is($r->{title}, 'Your visit is booked', 'and that it is');
    $r = page(link_of($id, 'cancel'));
    is(index($r->{body}, $sentence =~ s/alert/status/r) > 0, 1,
        'which is told who only looks');
    unlike($r->{body}, qr/<form/, 'without a form that is of no use');
    $r = act(link_of($id, 'move'), { slot => "${day}T11:30:00+05:30" });
    is($r->{status}, 409, 'too late to move');
    like($r->{body}, qr/role="alert">The visit is too near to be moved/,
        'in a sentence');
    unlike(page(link_of($id, 'move'))->{body}, qr/<form/, 'nor to move it');
    is(visit($id)->{version}, 1, 'nothing was done');
    is(act(link_of($id, 'confirm'))->{status}, 200, 'but confirmed it can be');
    $cluster->psql(q{DELETE FROM appt.setting
        WHERE name = 'reschedule_window_min'});
    clock_at('2026-03-14T12:00:00');
};

subtest 'move: days, times, twice, taken, stale' => sub {
    my $id   = book('11:00');
    my $link = link_of($id, 'move');
    my $r    = page("$link?day=$day");
    my @slot = $r->{body} =~ /name="slot" value="([^"]+)"/g;
    is_deeply([ sort @slot ], [ sort map { $_->{start_time} } @{
        $clinic->http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
            date => $day, branch_id => 'MUM-01' })->{json} } ],
        'the free times of the day, as everybody is told them');
    like($r->{body}, qr/Free times on Monday, 16\/03\/2026/, 'which says which');
    like($r->{body}, qr/rel="prev" href="\?day=2026-03-15"/, 'a day before');
    like($r->{body}, qr/rel="next" href="\?day=2026-03-17"/, 'a day after');
    unlike(page("$link?day=2026-03-14")->{body}, qr/rel="prev"/,
        'none before today');
    for my $odd ('2026-02-30', '9999-99-99', 'x', '', '2026-03-01', "1' OR 1") {
        is(page("$link?day=" . $odd =~ s/ /%20/gr)->{status}, 200,
            "the day '$odd'");
    }
    is(page("$link?day=9999-12-31")->{title}, 'Choose another time',
        'a day beyond all');
    is($http->get("$link?day=%ff")->{status}, 400, 'no text');

    $r = act($link, {});
    is($r->{status}, 409, 'no time chosen');
    like($r->{body}, qr/role="alert">Choose a time first\./, 'is said');
    for my $odd ('2026-03-16T11:15:00', 'now', 'infinity', "x'--",
        '2026-13-16T11:15:00+05:30')
    {
        is(act($link, { slot => $odd })->{status}, 409, "the time '$odd'");
    }
    book('11:15', 'PAT-HINDI');
    $r = act($link, { slot => "${day}T11:15:00+05:30", day => $day });
    is($r->{status}, 409, 'a time that was taken meanwhile');
    like($r->{body}, qr/role="alert">That time is not free any more/, 'is said');
    like($r->{body}, qr/Free times on Monday, 16/, 'with the day\'s other times');
    is(act($link, { slot => "${day}T03:00:00+05:30" })->{status}, 409,
        'a time that is not offered');
    is(visit($id)->{version}, 1, 'nothing was done so far');

    my $to = "${day}T11:30:00+05:30";
    for my $click (1, 2) {
        $r = act($link, { slot => $to });
        is_deeply([ @$r{qw(status title)} ], [ 200, 'Your visit was moved' ],
            "click $click");
        is(facts($r)->{Time}, '11:30', 'to the time chosen');
    }
    is(events($id), 'booked/role:postgres rescheduled/patient link', 'once');
    my $before = $clinic->fingerprint;
    $r = page($link);
    is($r->{title}, 'Your visit was moved', 'the link says what is true now');
    like($r->{body}, qr/It was moved after this link was sent/, 'and why');
    is(facts($r)->{Time}, '11:30', 'with the time that it has');
    unlike($r->{body}, qr/<form/, 'it does nothing itself');
    $r = act($link, { slot => "${day}T11:45:00+05:30" });
    is($r->{status}, 409, 'even if asked to');
    is($clinic->fingerprint, $before, 'nothing was done');
    my ($fresh) = $r->{body} =~ /href="(v1\.[^"]+)"/;
    is(page("/v/$fresh")->{title}, 'Choose another time',
        'but leads to one that is for the visit as it is');
    is(act("/v/$fresh", { slot => "${day}T11:45:00+05:30" })->{status}, 200,
        'which works');
    my $other = book('12:00');
    $r = act(link_of($other, 'move'), { slot => "${day}T11:45:00+05:30" });
    is($r->{status}, 409, 'nor can one be at two places at once');
};

subtest 'one-click unsubscribe (RFC 8058)' => sub {
    my $id   = book('12:15', 'PAT-HINDI');
    my $link = link_of($id, 'unsubscribe');
    my $wish = sub { $cluster->row("SELECT channel, way,
        string_agg(event, ' ' ORDER BY event) AS events,
        bool_and(opted_out_at = '2026-03-14 12:00+05:30') AS first_time
        FROM appt.notification_opt_out WHERE patient_id = 'PAT-HINDI'
        GROUP BY channel, way") };
    page($link);
    $http->request('HEAD', $link);
    is($wish->(), undef, 'looking at it changes nothing');
    my $r = $http->request('POST', $link, "--b\r\nContent-Disposition: "
            . "form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n",
        { 'Content-Type' => 'multipart/form-data; boundary=b',
            Authorization => undef });
    is($r->{status}, 200, 'a POST as mailbox providers send it');
    is_deeply($wish->(), { channel => 'email', events => 'follow_up reminder',
        way => 'link', first_time => 1 }, 'is honoured, with when and how');
    clock_at('2026-03-14T12:30:00');
    $r = act($link, { 'List-Unsubscribe' => 'One-Click' });
    is($r->{status}, 200, 'again, as a form');
    is($r->{title}, 'याद दिलाने वाले संदेश बंद हो गए हैं', 'in Hindi');
    is($wish->()->{first_time}, 1, 'the first time stays');
    is(page($link)->{title}, 'याद दिलाने वाले संदेश बंद हो गए हैं',
        'the page says it from then on');
    act(link_of($id, 'unsubscribe', 'sms'));
    is($cluster->value(q{SELECT string_agg(DISTINCT channel, ' ' ORDER BY channel)
        FROM appt.notification_opt_out}), 'email sms', 'each channel its own');
    clock_at('2026-03-14T12:00:00');
};

subtest 'what is no link of ours tells nothing' => sub {
    my $id   = book('12:30');
    my $good = link_of($id, 'cancel');
    my $before = $clinic->fingerprint;
    my ($end) = $good =~ /cancel\.(\d+)\./;
    my %bad = (
        'cut' => substr($good, 0, -1),
        'longer' => $good . 'A',
        'another mac' => $good =~ s/.$/$& eq 'A' ? 'B' : 'A'/er,
        'another purpose' => $good =~ s/cancel/move/r,
        'another version' => $good =~ s/\.1\.([^.]+)$/.2.$1/r,
        'a later end' => $good =~ s/$end/$end + 60/er,
        'another visit' => $good =~ s/\Q$id\E/APT-2026-000001/r,
        'no visit' => $good =~ s/\Q$id\E/APT-2026-999999/r,
        'of the future' => $good =~ s/v1/v2/r,
        'reserved' => $good =~ s/cancel/offer/r,
        'without a mac' => $good =~ s/[^.]+$//r,
        'a preview\'s' => "/v/v1.$id.cancel.sample",
        'anything' => '/v/x', 'blank' => '/v/%20', 'markup' => '/v/%3Cscript%3E',
        'a quote' => "/v/v1.'.view.1." . 'A' x 22,
        'long' => '/v/' . 'A' x 2000,
    );
    my %body;
    for my $name (sort keys %bad) {
        for my $r ($http->get($bad{$name}),
            $http->form($bad{$name}, { reason => 'x' }))
        {
            is($r->{status}, 404, $name);
            $body{ $r->{body} }++;
        }
    }
    is(scalar keys %body, 1, 'they all look alike');
    like((keys %body)[0], qr/This link does not work/, 'and say so');
    is($clinic->fingerprint, $before, 'and do nothing');
    is($http->get("$good/x")->{status}, 404, 'nothing is below a link');

    # Another patient's now: as if it had never been.
    $cluster->psql("SELECT appt.edit('$id', patient_id => 'PAT-HINDI',
        reason => 'A namesake', override => true)");
    is(page($good)->{status}, 404, 'the former patient sees it no more');
    is(page(link_of($id, 'view'))->{status}, 200, 'the right one does');

    # Of somebody who was erased.
    $cluster->psql(q{INSERT INTO appt.patient (patient_id, first_name)
        VALUES ('PAT-GONE', 'Gita')});
    my $gone = book('11:00', 'PAT-GONE', '2026-03-17');
    my $link = link_of($gone, 'view');
    act(link_of($gone, 'cancel'));
    is(page($link)->{title}, 'Your visit is cancelled', 'a visit that was');
    $cluster->query('SELECT appt.anonymise_patient($1)', 'PAT-GONE');
    is($http->get($link)->{body}, (keys %body)[0], 'and is no more');
};

subtest 'links end with the visit' => sub {
    my $id   = book('12:45');
    my $link = link_of($id, 'view');
    clock_at("${day}T12:59:59");
    is(page($link)->{status}, 200, 'until then it is good');
    clock_at("${day}T13:00:00");
    my $r = page($link);
    is($r->{status}, 410, 'and then no more');
    is($r->{title}, 'This link has ended', 'which it says');
    unlike($r->{body}, qr/Asha|Dr |<dl>/, 'and nothing of the visit');
    is(act(link_of($id, 'unsubscribe'))->{status}, 410, 'to do nothing');
    is(page($link =~ s/.$/$& eq 'A' ? 'B' : 'A'/er)->{status}, 404,
        'one that is forged is not told');
    clock_at('2026-03-14T12:00:00');
};

subtest 'keys rotate' => sub {
    my $id  = book('10:00', 'PAT-HINDI', '2026-03-17');
    my $old = link_of($id, 'view');
    $cluster->psql('SELECT appt.rotate_link_key()');
    my $new = link_of($id, 'view');
    isnt($new, $old, 'a new key signs');
    is(page($_)->{status}, 200, 'both are good') for $old, $new;
    is($cluster->value('SELECT good_until = (SELECT max(slot_end) FROM
        appt.appointment) FROM appt.link_key WHERE good_until IS NOT NULL'), 1,
        'the old one until the last link has ended');
    $cluster->psql('SELECT appt.rotate_link_key(keep_former => false)');
    is(page($_)->{status}, 404, 'a key that became known is thrown away')
        for $old, $new;
    is(page(link_of($id, 'view'))->{status}, 200, 'and another one signs');
};

subtest 'a name cannot leave its place' => sub {
    my $name = q{<script>alert(1)</script>"'&amp;{{token_number}}};
    $cluster->dbh->do(q{INSERT INTO appt.patient (patient_id, first_name)
        VALUES ('PAT-X', $1)}, undef, $name);
    $cluster->dbh->do(q{UPDATE appt.doctor SET name = $1
        WHERE doctor_id = 'DOC-001'}, undef, qq{Dr $name});
    $cluster->dbh->do(q{INSERT INTO appt.page_text VALUES
        ('en', 'contact', $1), ('en', 'title_booked',
        'Hello {{patient_first_name}}, {{doctor_name}}')}, undef,
        qq{Call <b>us</b>\n022 "1234"});
    my $id = book('10:15', 'PAT-X', '2026-03-17');
    my $escaped = '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;'
        . '{{token_number}}';
    for my $purpose (qw(view confirm cancel move unsubscribe)) {
        my $r = page(link_of($id, $purpose));
        unlike($r->{body}, qr/<script|<b>|alert\(1\)<[^\/]/, "$purpose: no markup");
        is(facts($r)->{Patient}, $escaped, 'the name as it is');
        is(index($r->{body}, '<p class="contact">Call &lt;b&gt;us&lt;/b&gt;'
            . "\n022 &quot;1234&quot;</p>") > 0, 1, 'the clinic\'s words as well');
    }
    is(page(link_of($id, 'view'))->{title}, "Hello $escaped, Dr $escaped",
        'and both within each other');
    for my $bad ([ 'en', 'title_x', 'Text' ], [ 'en', 'contact', '{{reason}}' ],
        [ 'en', 'contact', '{{' ], [ 'en', 'contact', ' ' ],
        [ 'x', 'contact', 'Text' ], [ 'en', 'contact', 'x' x 501 ])
    {
        ok(!eval { $cluster->dbh->do('INSERT INTO appt.page_text
            VALUES ($1, $2, $3) ON CONFLICT (language, name) DO UPDATE
            SET text = excluded.text', undef, @$bad) },
            "no word $bad->[1] '" . substr($bad->[2], 0, 10) . "'");
    }
    $cluster->psql(q{DELETE FROM appt.page_text WHERE language = 'en';
        UPDATE appt.doctor SET name = 'Dr Asha Rao' WHERE doctor_id = 'DOC-001'});
};

subtest 'in the patient\'s language, else the clinic\'s, else English' => sub {
    my $id = book('10:30', 'PAT-HINDI', '2026-03-17');
    my $title = sub {
        $cluster->psql("UPDATE appt.patient SET language = '$_[0]'
            WHERE patient_id = 'PAT-HINDI'");
        my $r = page(link_of($id, 'view'));
        return join ' ', $r->{body} =~ /<html lang="([^"]+)">/, $r->{title};
    };
    is($title->('hi-IN'), 'hi आपका अपॉइंटमेंट बुक है', 'Hindi');
    is($title->('mr'), 'en Your visit is booked', 'one that there is not');
    $cluster->psql(q{INSERT INTO appt.setting (name, value)
        VALUES ('default_language', 'hi')});
    is($title->('mr'), 'hi आपका अपॉइंटमेंट बुक है', 'the clinic\'s own');
    is(page('/v/x')->{title}, 'यह लिंक काम नहीं करता', 'of a bad link as well');
    $cluster->dbh->do(q{INSERT INTO appt.page_text
        VALUES ('mr', 'title_booked', $1)}, undef, 'तुमची वेळ ठरली आहे');
    is($title->('mr'), 'mr तुमची वेळ ठरली आहे', 'one that the clinic added');
    is($cluster->value(q{SELECT string_agg(d.name, ' ')
        FROM appt.page_text_default d
        WHERE NOT EXISTS (SELECT FROM appt.page_text t
            WHERE t.name = d.name AND t.language = 'hi')}), 'contact',
        'no word is missing in Hindi');
    $cluster->psql(q{DELETE FROM appt.setting WHERE name = 'default_language'});
};

subtest 'who guesses is slowed down, who has a link is not' => sub {
    my $few = Appt::Gateway->new(cluster => $cluster,
        env => { APPT_STRANGER_LIMIT => 5 });
    my $stranger = Appt::Http->new($few->url);
    my $link     = link_of(book('10:45', 'PAT-LINK',
        '2026-03-17'), 'view');
    is($stranger->get($link)->{status}, 200, 'a good one costs nothing')
        for 1 .. 8;
    is($stranger->get("/v/v1.x$_")->{status}, 404, "guess $_") for 1 .. 4;
    my ($r) = grep { $_->{status} == 429 } map { $stranger->get("/v/v1.y$_") }
        1 .. 2;    # the test's start has taken one
    ok($r, 'then it is enough');
    cmp_ok($r->{headers}{'retry-after'}, '>', 0, 'for a while');
    is($stranger->get($link)->{status}, 200, 'who has a link is still served');
};

subtest 'in a failure a browser is told something' => sub {
    $cluster->psql('ALTER FUNCTION appt_api.show_link RENAME TO gone');
    my $r = $http->get('/v/v1.x');
    is($r->{status}, 503, 'an error');
    like($r->{body}, qr/Try again in a minute/, 'in words');
    unlike($r->{body}, qr/function|appt_/, 'that tell nothing of it');
    $cluster->psql('ALTER FUNCTION appt_api.gone RENAME TO show_link');
};

done_testing();
