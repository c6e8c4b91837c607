package Appt::Judge;

# Holds every answer that a test gets through Appt::Http against the OpenAPI
# document: whoever asks for a call of it must get what it says. What is not
# as documented is listed at the end, and the test's exit code says so.
#
# Used by Appt::Clinic, so that it watches all tests with a gateway.

use strict;
use warnings;
use Appt::Http;
use Appt::OpenApi;
use Appt::Util qw(root_dir slurp);
use JSON::PP ();

my ($api, @template);
my %wrong;
my $ask = \&Appt::Http::request;

{
    no warnings 'redefine';
    *Appt::Http::request = sub {
        my ($self, $method, $path) = @_;
        my $answer = $ask->(@_);
        judge($method, $path, $answer);
        return $answer;
    };
}

# The document that the gateway was built with; without one nothing is judged.
sub document {
    my $file = root_dir() . '/gateway/build/openapi.json';
    return unless -e $file;
    $api = Appt::OpenApi->new(JSON::PP->new->utf8->decode(slurp($file)));
    @template = map {
        my ($method, $path) = split / /, $_->{name};
        my $pattern = join '[^/?]+', map {quotemeta} split /\{\w+\}/, $path, -1;
        [ $_->{name}, qr/^\Q$method\E $pattern(?:\?.*)?$/s, $path =~ tr/{// ]
    } $api->operations;
    @template = sort { $a->[2] <=> $b->[2] } @template;
}

sub judge {
    my ($method, $path, $answer) = @_;
    document() unless $api;
    return if !$api || $answer->{status} =~ /^(?:405|599)$/;
    my ($operation) = map { $_->[0] } grep { "$method $path" =~ $_->[1] }
        @template;
    return unless $operation;
    my @said = $api->wrong($operation, $answer);
    $wrong{"$operation: $_"} //= substr $answer->{body} // '', 0, 300
        for map {"$answer->{status}: $_"} @said;
}

END {
    if (%wrong) {
        local $!;
        print STDERR "# Answers that the OpenAPI document does not know:\n";
        print STDERR "#   $_\n#     $wrong{$_}\n" for sort keys %wrong;
        $? ||= 1;
    }
}

1;
