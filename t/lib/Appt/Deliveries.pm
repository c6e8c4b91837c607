package Appt::Deliveries;

# What the webhook tests share: a clinic without the gateway, bookings by SQL,
# signatures computed here, events in bulk, and relays in a hurry.
#
#   my $clinic = Appt::Deliveries::clinic();
#   my @id = Appt::Deliveries::book($clinic, 3);
#   $clinic->start_relay(env => hurried(APPT_RELAY_LEASE_MS => 2000));

use strict;
use warnings;
use Appt::Clinic;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex);
use Exporter qw(import);
use MIME::Base64 qw(decode_base64 encode_base64);

our @EXPORT_OK = qw(clinic book hurried published_signature
    standard_signature bulk_events states attempts);

sub clinic {
    return Appt::Clinic->new(gateway => 0,
        clock => '2026-03-14T12:00:00+05:30', @_);
}

# Books so many free slots of DOC-001; the appointments' ids.
sub book {
    my ($clinic, $count) = @_;
    my $first = $clinic->{booked}{patients} // 1;
    $clinic->{booked}{patients} = $first + $count;
    my $rows = $clinic->cluster->query(<<'SQL', $count, $first);
WITH free AS (
    SELECT s.start_time, s.end_time, row_number() OVER () AS n
    FROM appt.available_slots('DOC-001', '2026-03-16', 'MUM-01',
        to_date => '2026-03-31') s
    LIMIT $1),
person AS (
    SELECT p.patient_id, row_number() OVER (ORDER BY p.patient_id) AS n
    FROM appt.patient p)
SELECT (appt.book(p.patient_id, 'DOC-001', f.start_time, f.end_time,
    branch_id => 'MUM-01', notes => 'cough since Tuesday')).appointment_id
FROM free f
JOIN person p ON p.n = (f.n + $2 - 2) % 100 + 1
ORDER BY f.n
SQL
    return map { $_->{appointment_id} } @$rows;
}

# Settings for a relay whose hours are seconds.
sub hurried {
    return {
        APPT_RELAY_RETRY_SCHEDULE     => '0,0.2,0.4,0.8',
        APPT_RELAY_CONNECT_TIMEOUT_MS => 3000,
        APPT_RELAY_TIMEOUT_MS         => 5000,
        APPT_RELAY_LEASE_MS           => 8000,
        APPT_RELAY_POLL_MS            => 100,
        APPT_RELAY_STATS_EVERY_MS     => 200,
        @_,
    };
}

# X-Bio-Ecko-Signature as the manual has it.
sub published_signature {
    my ($secret, $raw) = @_;
    return hmac_sha256_hex($raw, $secret);
}

# webhook-signature as the Standard Webhooks specification has it.
sub standard_signature {
    my ($secret, $request) = @_;
    (my $encoded = $secret) =~ s/^whsec_//;
    my $text = join '.', $request->{headers}{'webhook-id'},
        $request->{headers}{'webhook-timestamp'}, $request->{raw};
    return 'v1,' . encode_base64(hmac_sha256($text, decode_base64($encoded)), '');
}

# Events and their deliveries for a webhook, one appointment each, of some
# time ago; the engine is not asked, so they can be many. after => n numbers
# the appointments from there.
sub bulk_events {
    my ($clinic, %arg) = @_;
    my @bind = (@arg{qw(webhook_id count)}, $arg{age} // '0 s',
        $arg{after} // 0);
    $clinic->cluster->query(<<'SQL', @bind);
WITH made AS (
    INSERT INTO appt.event (event_id, event_type, appointment_no, branch_id,
        occurred_at, stamp, actor, data)
    SELECT appt_internal.new_id('evt'), 'appointment.booked', -$4::integer - g,
        'MUM-01', now() - $3::interval, '2026-03-14T12:00:00+05:30', 'test',
        '{"appointment_id":"APT-TEST-' || g || '"}'
    FROM generate_series(1, $2::integer) g
    RETURNING event_no, appointment_no)
INSERT INTO appt.delivery (webhook_no, event_no, appointment_no, due_at,
    created_at)
SELECT w.webhook_no, m.event_no, m.appointment_no, now() - $3::interval,
    now() - $3::interval
FROM made m
JOIN appt.webhook w ON w.webhook_id = $1
RETURNING 1
SQL
    return;
}

# How many deliveries there are in each state.
sub states {
    my ($clinic) = @_;
    return { map { $_->{state} => $_->{count} } @{ $clinic->cluster->query(
        'SELECT state, count(*) FROM appt.delivery GROUP BY state') } };
}

# The log of attempts, oldest first, of one event type or of all.
sub attempts {
    my ($clinic, $event) = @_;
    return @{ $clinic->cluster->query(<<'SQL', $event) };
SELECT a.*, e.event_id, e.event_type, d.state,
    extract(epoch FROM a.started_at) AS started
FROM appt.delivery_attempt a
JOIN appt.delivery d USING (delivery_no)
JOIN appt.event e USING (event_no)
WHERE $1::text IS NULL OR e.event_type = $1
ORDER BY a.started_at
SQL
}

1;
