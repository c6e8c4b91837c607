package Appt::Certificates;

# Certificates for a server on localhost, signed by openssl.
#
#   make_certificates($directory);
#
# In the directory there are then ca.pem and, each with its .pem and .key, good,
# wrong (another name), expired and stranger (signed by nobody we know).

use strict;
use warnings;
use Appt::Util qw(run_command);
use Exporter qw(import);

our @EXPORT_OK = qw(make_certificates);

sub make_certificates {
    my ($dir) = @_;
    my $script = <<'SH';
set -e
new() { openssl req -new -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj /CN=$2; }
sign() { openssl ca -batch -config ca.cnf -notext -in $1.csr -out $1.pem -startdate $2 -enddate $3 -extensions $4; }
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Test-CA -days 30
: > index.txt; echo 01 > serial
cat > ca.cnf <<'CNF'
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[local]
subjectAltName = DNS:localhost,IP:127.0.0.1
[other]
subjectAltName = DNS:other.example
CNF
new good localhost; sign good 20200101000000Z 20990101000000Z local
new wrong other.example; sign wrong 20200101000000Z 20990101000000Z other
new expired localhost; sign expired 20200101000000Z 20200201000000Z local
openssl req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 30
SH
    my ($code, $out, $err) = run_command(
        ['sh', '-c', "cd '$dir' && exec sh -s"], $script);
    die "openssl: $err" if $code;
    return;
}

1;
