#!/usr/bin/perl
#
# docs/backup.md, every example of it, beside a clinic with a row of every
# kind (see Appt::Docs).

use strict;
use warnings;
use Test::More;
use Appt::Backup;
use Appt::Docs;

my $clinic = Appt::Backup->new;
Appt::Docs::run_page('backup.md', cluster => $clinic->cluster, blocks => 7,
    outputs => 5);
done_testing;
