#!/usr/bin/perl
#
# The release: META.json as the PGXN Meta Spec 1.0.0 wants it, and make dist,
# whose tarball builds by itself.

use strict;
use warnings;
use Test::More;
use Appt::Util qw(root_dir run_command slurp temp_dir);
use JSON::PP ();

my $root = root_dir();
my $meta = JSON::PP->new->utf8->decode(slurp("$root/META.json"));

# ---- META.json ---------------------------------------------------------------

my $semver = qr/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-?[A-Za-z][0-9A-Za-z-]*)?$/;
my $term = qr{^[^\s/\\\x00-\x1f\x7f]{2,}$};

subtest 'what every META.json has' => sub {
    for my $field (qw(name version abstract maintainer license provides
        meta-spec)) {
        ok(defined $meta->{$field}, $field);
    }
    like($meta->{name}, $term, 'the name is a term');
    like($meta->{version}, $semver, 'the version is a semantic one');
    ok(length $meta->{abstract} && !ref $meta->{abstract},
        'the abstract is text');
    ok((ref $meta->{maintainer} eq 'ARRAY' || !ref $meta->{maintainer})
            && length $meta->{maintainer}, 'the maintainer is text');
    is($meta->{license}, 'postgresql', 'the license is one of the list');
    is($meta->{'meta-spec'}{version}, '1.0.0', 'of the specification\'s 1.0.0');
    like($meta->{'meta-spec'}{url}, qr{^https?://(?:www\.)?pgxn\.org/meta/spec\.txt$},
        'and its place');
};

subtest 'provides' => sub {
    my %provides = %{ $meta->{provides} };
    is_deeply([keys %provides], ['bioecko_appt'], 'the extension');
    my $extension = $provides{bioecko_appt};
    is($extension->{version}, $meta->{version}, 'of the same version');
    for my $field (qw(file docfile)) {
        ok(-f "$root/$extension->{$field}", "$field: $extension->{$field}");
    }
    my ($default) = slurp("$root/bioecko_appt.control")
        =~ /^default_version = '([^']+)'/m;
    my ($made) = slurp("$root/Makefile") =~ /^EXTVERSION = (\S+)$/m;
    is($made, $default, 'the Makefile and the control file agree');
    is($meta->{version} =~ s/\.0$//r, $default, 'and META.json with them');
};

subtest 'the rest' => sub {
    my %known = map { $_ => 1 } qw(name version abstract description maintainer
        license provides prereqs release_status resources tags no_index
        generated_by meta-spec);
    is_deeply([grep { !$known{$_} && !/^x_/i } sort keys %$meta], [],
        'no field that the specification does not know');
    like($meta->{release_status}, qr/^(?:stable|testing|unstable)$/,
        'release_status');
    is_deeply([grep { ref || length > 255 || !length || m{[/\\\x00-\x1f]} }
        @{ $meta->{tags} }], [], 'tags');
    for my $phase (sort keys %{ $meta->{prereqs} }) {
        like($phase, qr/^(?:configure|build|test|runtime|develop)$/, $phase);
        for my $how (sort keys %{ $meta->{prereqs}{$phase} }) {
            like($how, qr/^(?:requires|recommends|suggests|conflicts)$/, $how);
            my $needs = $meta->{prereqs}{$phase}{$how};
            like($needs->{$_}, $semver, "$phase $how $_ $needs->{$_}")
                for sort keys %$needs;
        }
    }
    my ($requires) = slurp("$root/bioecko_appt.control")
        =~ /^requires = (.*)$/m;
    ok($meta->{prereqs}{runtime}{requires}{$_}, "$_ is required")
        for split /,\s*/, $requires;
};

# ---- make dist ---------------------------------------------------------------

my ($no_git) = run_command(['git', '-C', $root, 'rev-parse', 'HEAD']);

SKIP: {
    skip 'this is no checkout with git', 1 if $no_git;
    subtest 'make dist' => sub {
        my $dir = temp_dir();
        my $name = "$meta->{name}-$meta->{version}";
        my ($code, $out, $err) = run_command(
            ['make', '-s', '-C', $root, 'dist', "DIST_DIR=$dir"]);
        is($code, 0, 'is done') or diag $err;
        is($out, "$dir/$name.zip\n$dir/$name.tar.gz\n", 'and says what it made');

        my ($zip) = list('python3', '-m', 'zipfile', '-l', "$dir/$name.zip");
        my ($tar) = list('tar', '-tzf', "$dir/$name.tar.gz");
        my @names = split /\n/, $tar;
        is_deeply([grep { !m{^\Q$name\E/} } @names], [],
            'all of it is below one directory');
        my %in = map { $_ => 1 } @names;
        ok($in{"$name/$_"} && $zip =~ m{^\Q$name/$_\E\s}m, $_) for qw(META.json
            Makefile bioecko_appt.control README.md LICENSE extension/module.c
            extension/schema/ORDER gateway/Makefile sql/booking.sql);
        is_deeply([grep {/\.(?:o|so)$|--1\.0\.sql$|node_modules/} @names], [],
            'nothing that was built');

        list('tar', '-xzf', "$dir/$name.tar.gz", '-C', "$dir");
        ($code, $out, $err) = run_command(['make', '-s', '-j2', '-C',
            "$dir/$name", 'all', 'COPT=-O0']);
        is($code, 0, 'its tarball builds') or diag substr $err, 0, 2000;
        ok(-s "$dir/$name/$_", $_) for qw(bioecko_appt.so bioecko_appt--1.0.sql);
        ($code, $out, $err) = run_command(['make', '-s', '-C', "$dir/$name",
            'install', "DESTDIR=$dir/root"]);
        is($code, 0, 'and installs') or diag substr $err, 0, 2000;
        ($code, $out, $err) = run_command(['make', '-s', '-C', "$dir/$name",
            'dist']);
        like($err, qr/no checkout with git/, 'make dist there says why not');
    };
}

done_testing;

sub list {
    my (@command) = @_;
    my ($code, $out, $err) = run_command(\@command);
    is($code, 0, "$command[0] ends well") or diag $err;
    return $out;
}
