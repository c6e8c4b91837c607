#!/usr/bin/perl
#
# A TypeScript client whose types are generated from the OpenAPI document: it
# compiles under --strict, a misspelled member does not, and it books, is
# refused the slot the second time, reschedules and cancels.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Node;
use Appt::Util qw(slurp temp_dir);
use JSON::PP ();

my $node = Appt::Node->new('t/web')
    or plan skip_all => 'npm is not installed';
my $dir = temp_dir();
symlink $node->directory . '/node_modules', "$dir/node_modules" or die $!;
write_file('package.json', '{"type": "module"}');

sub write_file {
    my ($name, $text) = @_;
    open my $fh, '>', "$dir/$name" or die "$name: $!\n";
    print {$fh} $text;
    close $fh;
}

# Exit code and words of the compiler about a program.
sub compiled {
    my ($name, $text) = @_;
    write_file($name, $text);
    my ($code, $out) = $node->run('tsc', '--strict', '--target', 'es2022',
        '--module', 'esnext', '--moduleResolution', 'bundler', '--lib',
        'es2022,dom,dom.iterable', "$dir/$name");
    return ($code, $out);
}

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my $document = $clinic->http->get('/api/v1/openapi.json')->{body};
write_file('openapi.json', $document);
my ($code, undef, $err) = $node->run('openapi-typescript', "$dir/openapi.json",
    '-o', "$dir/api.d.ts");
is($code, 0, 'types are generated from the document that is served')
    or diag $err;

# Node.js without its types: the little that the program uses of it.
my $program = "declare const process: { argv: string[] };\n"
    . slurp($node->directory . '/client.ts');
my ($failed, $words) = compiled('client.ts', $program);
is($failed, 0, 'the program compiles, strictly') or diag $words;
(my $misspelled = $program) =~ s/patient_id:/patientid:/ or die;
($failed, $words) = compiled('misspelled.ts', $misspelled);
like($words, qr/patient_id/, 'a misspelled member does not');

my ($ended, $out, $errors) = $node->run("$dir/client.js",
    $clinic->gateway->url, @{ $clinic->client }{qw(client_id client_secret)});
is($ended, 0, 'it runs') or BAIL_OUT($errors);
my $seen = JSON::PP->new->utf8->decode($out);
is($seen->{booked}{status}, 'booked', 'it books');
is($seen->{booked}{slot_start}, $seen->{first}{start_time}, 'the first slot');
is_deeply($seen->{again},
    { status => 409, code => 'slot_unavailable', reason => 'taken' },
    'and cannot book it again');
is($seen->{moved}{slot_start}, $seen->{second}{start_time}, 'it reschedules');
is($seen->{moved}{version}, 2, 'which is a new version');
is($seen->{cancelled}{status}, 'cancelled', 'it cancels');
is($seen->{cancelled}{reason}, 'The patient is well', 'and says why');

done_testing();
