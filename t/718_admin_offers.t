#!/usr/bin/perl
#
# A desk offers a free slot to a patient, sees who is offered what and until
# when, and withdraws it; in English and Hindi, judged by axe.

use strict;
use warnings;
use utf8;
use Test::More;
use Appt::Clinic;
use Appt::Desk qw(run_desk behaves);

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $now    = '2026-03-16T08:40:00+05:30';
my $clinic = Appt::Clinic->new(clock => $now);
my $db     = $clinic->cluster;

sub offers {
    return $db->value(q{SELECT string_agg(concat_ws(' ', p.patient_id, o.slot_start,
        appt_internal.offer_status(o), o.ended_by), ', ' ORDER BY o.offer_no)
        FROM appt.waitlist_offer o JOIN appt.patient p USING (patient_no)});
}

sub work {
    my ($language) = @_;
    my $seen = run_desk($clinic, 'admin_offers.js', [qw(appointments:read
        appointments:write patients:read schedule:read)], { now => $now,
            language => $language, role => 'reception' });
    behaves($seen);
    return $seen;
}

my $seen = work('en');
like($seen->{offered}, qr{^The slot is kept for .* until Mon 16/03/2026, 10:00\.},
    'the desk hears until when');
like($seen->{held}, qr/Being booked/, 'the slot is not free');
like($seen->{listed}, qr{Mon 16/03/2026, 10:00, Dr Asha Rao\s+kept until Mon 16/03/2026, 10:00}s,
    'who is offered what and until when') or diag explain $seen;
like($seen->{withdrawn}, qr/^The slot is not kept for /, 'withdrawn');
is($seen->{none}, 'No slot is kept for anybody.', 'none is left');
like(offers(), qr/^PAT-2026-00123 2026-03-16 .* withdrawn staff:/, 'so says the database');
like(work('hi')->{offered}, qr/के लिए स्लॉट .* तक रखा है/, 'in Hindi');

done_testing();
