#!/usr/bin/perl
#
# docs/sql.md, every example of it, from an empty cluster to the end (see
# Appt::Docs; APPT_TEST_WRITE=1 writes the output into the page).

use strict;
use warnings;
use Test::More;
use Appt::Cluster;
use Appt::Docs;

Appt::Docs::run_page('sql.md', cluster => Appt::Cluster->new, blocks => 41,
    outputs => 37);
done_testing;
