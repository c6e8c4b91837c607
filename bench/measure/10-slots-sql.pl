# The slot list in SQL against SELECT 1, and against what a good DBA or a good
# PL/pgSQL programmer would write: rows, which spares them the making of JSON.
# All of them answer the same.

package Bench::Measure::SlotsSql;

use strict;
use warnings;
use Appt::Util qw(slurp);
use Bench::Pgbench qw(pgbench);
use Bench::Rounds qw(interleave median ratio);

my @sql = qw(slots_antijoin slots_multirange slots_plpgsql slots_rows);

# The same doctor-days by each way: line by line the same slots.
sub check_same {
    my ($place) = @_;
    for my $n (map { 7 * $_ } 1 .. 20) {
        my $d = 1 + $n % ($place->{days} - 1);
        my %answer = map { $_ => rows_of($place, $_, $n, $d) } @sql;
        my $json = $place->cluster->psql(script($place, 'slots_json', $n, $d));
        my $slots = () = $json =~ /start_time/g;
        my $lines = () = $answer{slots_rows} =~ /^./mg;
        die "doctor $n has $slots slots in JSON, $lines in rows\n"
            if $slots != $lines || $slots < 5 || $slots > 40;
        for my $way (@sql) {
            die "$way finds other slots of doctor $n, day $d\n"
                if $answer{$way} ne $answer{slots_rows};
        }
    }
}

sub rows_of {
    my ($place, @what) = @_;
    return $place->cluster->psql(script($place, @what));
}

# A pgbench script with numbers for its variables.
sub script {
    my ($place, $name, $n, $d) = @_;
    my $sql = slurp("$place->{scripts}/pgbench/$name.sql");
    $sql =~ s/^\\set.*\n//mg;
    $sql =~ s/:n\b/$n/g;
    $sql =~ s/:d\b/$d/g;
    $sql =~ s/:client\b/'$place->{client}{client_id}'/g;
    return $sql;
}

sub {
    my ($place, $table, $given) = @_;
    check_same($place);
    my %got = interleave($given->{ROUNDS}, map {
        my $script = $_;
        ($script => sub {
            pgbench($place, script => $script, clients => 4,
                seconds => $given->{SECONDS})->{tps};
        });
    } 'select1', 'slots_json', @sql);

    my %tps = map { $_ => median(@{ $got{$_} }) } keys %got;
    my ($best) = sort { $tps{$b} <=> $tps{$a} }
        qw(slots_antijoin slots_multirange);
    $table->row(what => 'slot list in SQL, JSON, 4 clients',
        against => 'SELECT 1', unit => '/s', value => $tps{slots_json},
        base => $tps{select1}, ratio => ratio(\%got, 'slots_json', 'select1'),
        must => '>= 0.42', aim => '>= 0.55');
    for (['slots_json', 'JSON'], ['slots_rows', 'rows']) {
        my ($ours, $form) = @$_;
        my $counts = $ours eq 'slots_json';
        $table->row(what => "slot list in SQL, $form, 4 clients",
            against => "plain SQL ($best)", unit => '/s',
            value => $tps{$ours}, base => $tps{$best},
            ratio => ratio(\%got, $ours, $best),
            $counts ? (must => '>= 3', aim => '>= 5') : ());
        $table->row(what => "slot list in SQL, $form, 4 clients",
            against => 'PL/pgSQL', unit => '/s',
            value => $tps{$ours}, base => $tps{slots_plpgsql},
            ratio => ratio(\%got, $ours, 'slots_plpgsql'),
            $counts ? (must => '>= 2.5', aim => '>= 4') : ());
    }
};
