package Appt::OpenApi;

# An OpenAPI 3.1 document as a test needs it: what its operations say, and
# whether an answer is as documented. Knows the part of JSON Schema that our
# document uses, and dies on any other.
#
#   my $api = Appt::OpenApi->new($document);
#   $api->operations;                   # { name => 'GET /x', scopes, … }
#   $api->wrong('GET /x', $answer);     # what is wrong with an Appt::Http answer
#   $api->wrong_examples;

use strict;
use warnings;
use B ();
use JSON::PP ();

sub new {
    my ($class, $document) = @_;
    return bless { document => $document }, $class;
}

# What a $ref stands for; other things stand for themselves.
sub resolve {
    my ($self, $thing) = @_;
    while (ref $thing eq 'HASH' && $thing->{'$ref'}) {
        my ($to, @step) = ($self->{document}, split m{/}, $thing->{'$ref'});
        shift @step;
        $to = $to->{$_} // die "$thing->{'$ref'} leads nowhere\n" for @step;
        $thing = $to;
    }
    return $thing;
}

sub operation {
    my ($self, $name) = @_;
    my ($method, $path) = split / /, $name;
    return $self->{document}{paths}{$path}{ lc $method }
        // die "$name is not documented\n";
}

sub operations {
    my ($self) = @_;
    my @found;
    for my $path (sort keys %{ $self->{document}{paths} }) {
        my $item = $self->{document}{paths}{$path};
        push @found, map { $self->_described(uc, $path, $item->{$_}) }
            sort keys %$item;
    }
    return @found;
}

# One operation: its scopes, and its arguments with whether they are required.
sub _described {
    my ($self, $method, $path, $operation) = @_;
    my %argument;
    for my $parameter (map { $self->resolve($_) }
        @{ $operation->{parameters} // [] }) {
        $argument{"$parameter->{in} $parameter->{name}"} =
            $parameter->{required} && $parameter->{in} ne 'header' ? 1 : 0;
    }
    my $body = $operation->{requestBody}{content}{'application/json'};
    if ($body) {
        my $schema = $self->resolve($body->{schema});
        $argument{"body $_"} = 0 for keys %{ $schema->{properties} };
        $argument{"body $_"} = 1 for @{ $schema->{required} // [] };
    }
    return {
        name      => "$method $path",
        scopes    => [ map { @{ $_->{oauth2} // [] } }
            @{ $operation->{security} } ],
        responses => $operation->{responses},
        arguments => \%argument,
    };
}

# What is wrong with an answer to that operation: sentences.
sub wrong {
    my ($self, $name, $answer) = @_;
    my $response = $self->operation($name)->{responses}{ $answer->{status} }
        or return "status $answer->{status} is not documented";
    $response = $self->resolve($response);
    my @wrong = map {"header $_ is missing"}
        grep { !defined $answer->{headers}{ lc() } && !/^(?:Idempotency-Re|RateL)/
            && ($response->{headers}{$_}{'$ref'} // '') !~ /BasicChallenge$/ }
        keys %{ $response->{headers} // {} };
    my ($type) = split /;/, $answer->{headers}{'content-type'} // '';
    my $content = $response->{content};
    return (@wrong, length($answer->{body}) ? 'there is a body' : ())
        unless $content;
    my $media = $content->{ $type // '' } or return (@wrong, "type $type");
    return @wrong if $type =~ m{^text/};
    return (@wrong, $self->misfits($media->{schema}, $answer->{json}, '$'));
}

# Every example of a schema, a media type or a parameter that does not fit.
sub wrong_examples {
    my ($self, $node, $where) = @_;
    ($node, $where) = ($self->{document}{components}, 'components')
        if @_ == 1;
    my @wrong;
    if (ref $node eq 'HASH') {
        if (ref $node->{examples} eq 'ARRAY') {
            push @wrong, map { $self->misfits($node, $_, $where) }
                @{ $node->{examples} };
        }
        elsif ($node->{schema} && ref $node->{examples} eq 'HASH') {
            push @wrong, map { $self->misfits($node->{schema}, $_->{value},
                $where) } values %{ $node->{examples} };
        }
        push @wrong, map { $self->wrong_examples($node->{$_}, "$where/$_") }
            grep { $_ ne 'examples' } sort keys %$node;
    }
    elsif (ref $node eq 'ARRAY') {
        push @wrong, map { $self->wrong_examples($node->[$_], "$where/$_") }
            0 .. $#$node;
    }
    return @wrong;
}

my %known = map { $_ => 1 } qw(type properties required additionalProperties
    items enum const format description examples minItems maxItems minLength
    maxLength minimum maximum default anyOf);

# How the value misfits the schema; where names the place.
sub misfits {
    my ($self, $schema, $value, $where) = @_;
    $schema = $self->resolve($schema);
    my @unknown = grep { !$known{$_} } keys %$schema;
    die "$where: the schema has @unknown\n" if @unknown;
    if ($schema->{anyOf}) {
        my @tried = map { [ $self->misfits($_, $value, $where) ] }
            @{ $schema->{anyOf} };
        return (grep { !@$_ } @tried) ? () : @{ $tried[0] };
    }
    my @types = map { ref ? @$_ : $_ } grep {defined} $schema->{type};
    return "$where is not @types"
        if @types && !grep { is_type($_, $value) } @types;
    return () unless defined $value;
    return "$where is none of the listed"
        if $schema->{enum} && !grep { defined && $_ eq $value }
        @{ $schema->{enum} };
    return "$where is not $schema->{const}"
        if defined $schema->{const} && $value ne $schema->{const};
    return $self->_misfit_object($schema, $value, $where)
        if ref $value eq 'HASH';
    return map { $self->misfits($schema->{items}, $value->[$_], "$where\[$_]") }
        0 .. $#$value if ref $value eq 'ARRAY' && $schema->{items};
    return _misfit_format($schema->{format} // '', $value, $where);
}

sub _misfit_object {
    my ($self, $schema, $value, $where) = @_;
    my $property = $schema->{properties} // {};
    my @wrong = map {"$where.$_ is missing"}
        grep { !exists $value->{$_} } @{ $schema->{required} // [] };
    for my $name (sort keys %$value) {
        my $more = $schema->{additionalProperties};
        if ($property->{$name}) {
            push @wrong, $self->misfits($property->{$name}, $value->{$name},
                "$where.$name");
        }
        elsif (ref $more eq 'HASH') {
            push @wrong, $self->misfits($more, $value->{$name}, "$where.$name");
        }
        elsif (defined $more && !$more) {
            push @wrong, "$where.$name is not documented";
        }
    }
    return @wrong;
}

sub _misfit_format {
    my ($format, $value, $where) = @_;
    return "$where is not a timestamp with an offset: $value"
        if $format eq 'date-time' && $value !~
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
    return "$where is not a date: $value"
        if $format eq 'date' && $value !~ /^\d{4}-\d\d-\d\d$/;
    return ();
}

sub is_type {
    my ($type, $value) = @_;
    return !defined $value if $type eq 'null';
    return 0 unless defined $value;
    return ref $value eq 'HASH'  if $type eq 'object';
    return ref $value eq 'ARRAY' if $type eq 'array';
    return JSON::PP::is_bool($value) if $type eq 'boolean';
    return 0 if ref $value;
    my $number = B::svref_2object(\$value)->FLAGS & (B::SVp_IOK | B::SVp_NOK)
        && !(B::svref_2object(\$value)->FLAGS & B::SVp_POK);
    return !$number if $type eq 'string';
    return $number && $value =~ /^-?\d+$/ if $type eq 'integer';
    die "unknown type $type\n";
}

1;
