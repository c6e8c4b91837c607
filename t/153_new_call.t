#!/usr/bin/perl
#
# A new call is a SQL function and an entry in the contract: the example of
# docs/design.md, added to a copy of the gateway, is served, documented, bounded
# and needs its scope. What a contract says wrongly ends the build and is named.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::OpenApi;
use Appt::Program;
use Appt::Util qw(root_dir run_command slurp temp_dir);

my ($section) = slurp(root_dir() . '/docs/design.md')
    =~ /^## A new call\n(.*?)^## /ms or die 'docs/design.md has no such section';
my ($sql) = $section =~ /^```sql\n(.*?)^```/ms;
my ($call, $thing) = $section =~ /^```yaml\n(.*?)^```/msg;

# ---- a copy of the gateway that knows the call ---------------------------------

my $dir = temp_dir();
my ($code, undef, $err) = run_command(['sh', '-c',
    "cp -a '" . root_dir() . "/gateway' '$dir/gateway' && "
        . "ln -s '" . root_dir() . "/extension' '" . root_dir()
        . "/bioecko_appt.control' '$dir'"]);
is($code, 0, 'a copy of the gateway') or diag $err;
my $contract = "$dir/gateway/contract/queue.yaml";
my $before = slurp($contract);
write_contract(sub { s/^calls:\n/calls:\n$call\n/m; s/^things:\n/things:\n$thing\n/m });
is_deeply([ build() ], [ 0, '' ], 'it builds with the new call');

my $clinic = Appt::Clinic->new(gateway => 0,
    clock => '2026-03-16T09:30:00+05:30');
$clinic->cluster->psql("$sql; GRANT EXECUTE ON FUNCTION appt_api.count_waiting "
    . 'TO appt_gateway');    # of those made by the install script it is there
$clinic->{gateway} = Appt::Gateway->new(cluster => $clinic->cluster,
    binary => "$dir/gateway/build/bioecko-gateway");
my $http = $clinic->http;
my $path = '/api/v1/queue/waiting';

# ---- it is served as the contract says -----------------------------------------

my $api = Appt::OpenApi->new($http->get('/api/v1/openapi.json')->{json});
my %who = (patient_id => 'PAT-2026-00123', doctor_id => 'DOC-001',
    branch_id => 'MUM-01');
my $waiting = $http->get($path, { doctor_id => 'DOC-001' })->{json}{waiting};
is($http->post('/api/v1/appointments/walk-in', \%who)->{status}, 201,
    'somebody comes');
my $answer = $http->get($path, { doctor_id => 'DOC-001', much => 1 });
is_deeply($answer->{json}, { waiting => $waiting + 1,
    is_much => JSON::PP::true() }, 'one more is waiting');
is_deeply([ $api->wrong("GET $path", $answer) ], [], 'answered as documented');
is_deeply([ $api->wrong_examples ], [], 'its example fits, too');

for my $case ([ {}, 'doctor_id', 'is required' ],
    [ { doctor_id => '' }, 'doctor_id', 'is required' ],
    [ { doctor_id => 'D', much => 0 }, 'much', 'must be from 1 to 500' ],
    [ { doctor_id => 'D', most => 1 }, 'most', 'is not a parameter of this call' ])
{
    my ($query, $field, $message) = @$case;
    my $refused = $http->get($path, $query);
    is($refused->{status}, 400, "$field $message: 400");
    is_deeply($refused->{json}{errors},
        [ { field => $field, message => $message } ], 'and named');
}
my $reader = $clinic->create_client(scopes => ['patients:read']);
is($clinic->http($reader)->get($path, { doctor_id => 'DOC-001' })->{status}, 403,
    'it needs its scope');
my $elsewhere = $clinic->create_client(scopes => ['appointments:read'],
    branch_ids => ['LON-01']);
is($clinic->http($elsewhere)->get($path, { doctor_id => 'DOC-001' })
    ->{json}{waiting}, 0, 'and counts what the client may see');

# ---- what is wrong is named ------------------------------------------------------

for my $case (
    [ sub { s/scope: appointments:read/scope: appointments:raed/ },
        'GET /api/v1/queue: its scope is not known' ],
    [ sub { s/is: id,/is: identity,/ }, 'there is no type "identity"' ],
    [ sub { s/summary:/sumary:/ },
        'GET /api/v1/queue: the word "sumary" is not known' ],
    [ sub { s/refusals: \[NotFound\]/refusals: [Lost]/ },
        'there is no refusal Lost' ],
    [ sub { s/answer: '\[QueueEntry\]'/answer: Entry/ },
        'there is no type "Entry"' ])
{
    my ($spoil, $sentence) = @$case;
    write_contract($spoil);
    my ($failed, $said) = build();
    isnt($failed, 0, "$sentence: the build ends");
    like($said, qr/contract: .*\Q$sentence\E/, 'with that sentence');
}
done_testing();

sub write_contract {
    my ($change) = @_;
    local $_ = $before;
    $change->();
    die 'nothing was changed' if $_ eq $before;
    open my $fh, '>', $contract or die "$contract: $!\n";
    print {$fh} $_;
    close $fh;
}

# Exit code of the build, and what it said of the contract.
sub build {
    my ($code, $out, $err) = run_command(['make', '-s', '-C', "$dir/gateway",
        'build/bioecko-gateway', 'ASAN=']);
    return ($code ? 1 : 0, join '', $code ? $err : (),
        grep {/^contract:/} split /^/, $err);
}
