package Appt::Gateway;

# The gateway as a test starts it: see Appt::Program.

use strict;
use warnings;
use Appt::Program;

1;
