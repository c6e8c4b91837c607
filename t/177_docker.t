#!/usr/bin/perl
#
# deploy/docker, as far as it goes without Docker: the files say the same of
# targets, users and health; the packages of the images are those that the programs
# need; the database's script makes what the programs then find, with the
# settings of the compose file.

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Program;
use Appt::Util qw(root_dir run_command slurp wait_for);
use JSON::PP ();

my $root   = root_dir();
my $docker = "$root/deploy/docker";

my ($code, $json, $err) = run_command(['python3', '-c', 'import json, sys, yaml
json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)',
    "$docker/compose.yaml"]);
is($code, 0, 'the compose file is YAML') or diag $err;
my $compose = JSON::PP->new->utf8->decode($json);

# ---- the files -----------------------------------------------------------------

# Each stage of the Dockerfile: what it is made from, and its instructions.
my (%stage, $name);
for (split /\n/, slurp("$docker/Dockerfile") =~ s/\\\n\s*//gr) {
    next if /^\s*(?:#|$)/;
    if (/^FROM (\S+) AS (\S+)$/) {
        $name = $2;
        $stage{$name} = { from => $1, lines => [] };
    } elsif (/^([A-Z]+)\s+(.*)$/) {
        push @{ $stage{ $name // 'before' }{lines} }, [$1, $2];
    } else {
        fail("a line of the Dockerfile that is none: $_");
    }
}

# The last instruction of that name, of a stage or of what it is made from.
sub instruction {
    my ($target, $what) = @_;
    my $of = $stage{$target} or return;
    my ($found) = grep { $_->[0] eq $what } reverse @{ $of->{lines} };
    return $found ? $found->[1] : instruction($of->{from}, $what);
}

is_deeply([sort keys %{ $compose->{services} }], [qw(database gateway relay)],
    'three services');
for my $service (qw(database gateway relay)) {
    my $is = $compose->{services}{$service};
    is($is->{build}{target}, $service, "$service: is a target");
    ok(-f "$docker/$is->{build}{context}/$is->{build}{dockerfile}",
        'of that Dockerfile');
    unlike(instruction($service, 'USER') // 'root', qr/^(?:root|0)\b/,
        'it is not root');
    like(instruction($service, 'HEALTHCHECK') // '', qr/CMD \["/,
        'its health is asked for');
    ok($is->{read_only}, 'its files are as the image has them');
    is_deeply($is->{cap_drop}, ['ALL'], 'it has no capability');
    is_deeply($is->{security_opt}, ['no-new-privileges:true'], 'nor gets one');
    is_deeply([grep { !/^127\.0\.0\.1:/ } @{ $is->{ports} // [] }], [],
        'no port is open to others');
}
is_deeply($compose->{services}{database}{networks}, ['inside'],
    'the database reaches nobody outside');
for my $line (map { @{ $_->{lines} } } values %stage) {
    my ($what, $rest) = @$line;
    next unless $what eq 'COPY' && $rest !~ /^--from/;
    my @source = split ' ', $rest;
    pop @source;
    ok(-e "$root/$_", "COPY $_ is there") for @source;
}

# ---- what the programs need ----------------------------------------------------

my ($debian) = slurp('/etc/os-release') =~ /^VERSION_CODENAME=(\S+)$/m;
my ($image) = instruction('before', 'ARG');
SKIP: {
    my ($of) = join(' ', map { $_->[1] } @{ $stage{before}{lines} })
        =~ /DEBIAN=debian:(\w+)-slim/;
    skip "the images are of $of, this is $debian", 1 if $of ne $debian;
    my %package;
    for my $program (qw(gateway relay)) {
        my (undef, $needed) = run_command(['readelf', '-dW',
            "$root/gateway/build/bioecko-$program"]);
        for my $library ($needed =~ /\(NEEDED\).*\[(\S+)\]/g) {
            my (undef, $out) = run_command(['sh', '-c',
                'dpkg -S "*/$1" | cut -d: -f1 | head -n 1', 'sh', $library]);
            $package{ $out =~ s/\s//gr } = 1;
        }
    }
    delete $package{libc6};
    my ($install) = map { $_->[1] } grep { $_->[0] eq 'RUN' }
        @{ $stage{programs}{lines} };
    is_deeply([$install =~ /\b(lib[\w.+-]+)/g], [sort keys %package],
        'the libraries of the programs');
}

# ---- the database's script, and the programs upon it ---------------------------

my $cluster = Appt::Cluster->new;
my %password = (GATEWAY_PASSWORD => q{it's "one"}, RELAY_PASSWORD => '$2\\');

sub make_database {
    my (%env) = @_;
    return run_command(['env', '-i', "PATH=$cluster->{bindir}:$ENV{PATH}",
        'PGHOST=' . $cluster->host, 'PGPORT=' . $cluster->port,
        'POSTGRES_USER=postgres', 'POSTGRES_DB=appt',
        (map {"$_=$env{$_}"} keys %env), "$docker/database.sh"]);
}

($code, undef, $err) = make_database(GATEWAY_PASSWORD => 'one');
isnt($code, 0, 'without a password nothing is made');
like($err, qr/RELAY_PASSWORD: is the password of role bioecko_relay/,
    'and it says which');
is($cluster->value(q{SELECT count(*) FROM pg_extension
    WHERE extname = 'bioecko_appt'}), 0, 'not even half of it');
($code, my $out, $err) = make_database(%password);
is($code, 0, 'the script makes the database') or diag $out, $err;

# Now only passwords let anybody in, as in the official image.
open my $fh, '>', "$cluster->{data}/pg_hba.conf" or die "$!\n";
print {$fh} "local all postgres trust\nlocal all all scram-sha-256\n";
close $fh;
$cluster->psql('SELECT pg_reload_conf()');
for my $class (qw(Appt::Gateway Appt::Relay)) {
    my $who = $class->name;
    my %env = %{ $compose->{services}{$who}{environment} };
    s/\$\{(\w+):\?.*?\}/$password{$1}/, s/\$\{\w+:-(.*?)\}/$1/ for values %env;
    $env{APPT_DSN} =~ s/host=database/'host=' . $cluster->host . ' port='
        . $cluster->port/e or die;
    my $program = $class->new(env => \%env);
    pass("$who: is ready with the settings of the compose file");
    my ($check) = instruction($who, 'HEALTHCHECK') =~ /CMD (\[.*\])/;
    my @check = map { s{127\.0\.0\.1:\d+}{127.0.0.1:$program->{port}}r }
        @{ JSON::PP->new->decode($check) };
    is((run_command(\@check))[0], 0, 'and in good health');
    $program->signal('STOP');
    isnt((run_command(['timeout', 3, @check]))[0], 0,
        'not so when it hangs');
    $program->signal('CONT');
    $program->stop;
    isnt((run_command(\@check))[0], 0, 'nor when it is gone');
}

done_testing;
