#!/usr/bin/perl
#
# The OpenAPI document as other tools see it: two linters without an error, and
# a TypeScript client, generated and compiled strictly, that books.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Util qw(root_dir run_command);
use JSON::PP ();

my $here = root_dir() . '/t/openapi';
plan skip_all => 'npm is not installed'
    if (run_command(['sh', '-c', 'command -v node && command -v npm']))[0];

# The tools of t/openapi/package.json, once for all runs.
sub install_tools {
    return if -d "$here/node_modules/openapi-typescript"
        && -M "$here/node_modules" < -M "$here/package.json";
    my ($code, $out, $err) = run_command(['npm', '--prefix', $here, 'install',
        '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']);
    die "npm install in t/openapi failed:\n$out$err" if $code;
    utime undef, undef, "$here/node_modules";
}

# A tool, run where its configuration is.
sub tool {
    my ($what, $name, @arg) = @_;
    my ($code, $out, $err) = run_command(
        ['sh', '-c', 'cd "$0" && tool=$1 && shift && exec node_modules/.bin/$tool "$@"',
            $here, $name, @arg]);
    is($code, 0, $what) or diag $out, $err;
    return $out . $err;
}

install_tools();
$ENV{REDOCLY_TELEMETRY} = 'off';
my $document = root_dir() . '/gateway/openapi.yaml';
like(tool('redocly lints it', 'redocly', 'lint', '--config', 'redocly.yaml',
    $document), qr/Your API description is valid/, 'without an error');
unlike(tool('spectral lints it', 'spectral', 'lint', '--ruleset',
    'spectral.yaml', '--fail-severity', 'warn', $document), qr/ error /,
    'without an error or a warning');

tool('types are generated from it', 'openapi-typescript', $document, '-o',
    'schema.d.ts');
tool('a client with these types compiles', 'tsc', '--project', '.');

my $clinic = Appt::Clinic->new(clock => '2026-03-14T12:00:00+05:30');
my ($code, $out, $err) = run_command(['node', "$here/build/client.js",
    $clinic->gateway->url, @{ $clinic->client }{qw(client_id client_secret)},
    'DOC-001', 'MUM-01', '2026-03-16']);
is($code, 0, 'it runs') or diag $err;
my $said = eval { JSON::PP->new->utf8->decode($out) } // {};
is($said->{booked}{status}, 'booked', 'it books');
is($said->{refused}{code}, 'slot_unavailable', 'is refused the same slot');
is($said->{moved}{version}, 2, 'moves it');
is($said->{cancelled}{status}, 'cancelled', 'and cancels it');
is($clinic->cluster->value('SELECT status FROM appt.appointment
    WHERE appointment_id = $1', $said->{booked}{appointment_id}), 'cancelled',
    'which the database knows');

done_testing();
