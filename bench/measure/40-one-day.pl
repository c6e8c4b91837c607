# Sixteen clients that all book the same doctor's same day, against one client
# alone: they wait for each other, but no work is lost in waiting.

package Bench::Measure::OneDay;

use strict;
use warnings;
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);

# A doctor who works around the clock in slots of five minutes: 288 a day.
sub make_doctor {
    my ($place) = @_;
    $place->cluster->psql(<<'SQL');
INSERT INTO appt.doctor (doctor_id, name, slot_min)
VALUES ('DOC-DAY', 'Dr Day', 5);
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT 'DOC-DAY', 'MUM-01', w, '00:00', '24:00'
FROM generate_series(1, 7) AS w;
SQL
}

sub {
    my ($place, $table, $given) = @_;
    make_doctor($place);
    my $midnight = $place->{t0} - 9 * 3600;
    my %got = interleave($given->{ROUNDS}, map {
        my $clients = $_;
        ($clients => sub {
            pgbench($place, script => 'book_one_day', clients => $clients,
                seconds => $given->{SECONDS}, set => { t0 => $midnight },
                options => { 'bioecko_appt.notify' => 'off' })->{tps};
        });
    } 1, 16);
    my $twice = $place->cluster->psql(<<'SQL');
SELECT count(*) FROM (
	SELECT FROM appt.appointment
	WHERE doctor_id = 'DOC-DAY'
	GROUP BY token_date
	HAVING count(*) <> count(DISTINCT slot_start)
		OR max(token_number) <> count(*)) AS wrong;
SQL
    die "$twice days are wrong\n" if $twice;
    $table->row(what => '16 clients on one doctor-day',
        against => 'one client on it', unit => '/s',
        value => median(@{ $got{16} }), base => median(@{ $got{1} }),
        ratio => ratio(\%got, 16, 1), must => '>= 0.6', aim => '>= 0.9');
};
