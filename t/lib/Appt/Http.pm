package Appt::Http;

# Requests to the gateway, kept alive between calls.
#
#   my $http = Appt::Http->new($url, client_id => ..., client_secret => ...);
#   my $http = Appt::Http->new($url, token => $token);
#   my $r = $http->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001' });
#   my $r = $http->post('/api/v1/appointments', { patient_id => ... },
#       { 'Idempotency-Key' => 'k1' });
#   $r->{status}; $r->{headers}{location}; $r->{json}; $r->{body};
#
# Header names in an answer are lower case; json is undef unless the answer's
# type is a JSON one.

use strict;
use warnings;
use Compress::Zlib ();
use HTTP::Tiny;
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new {
    my ($class, $url, %arg) = @_;
    $url =~ s{/+$}{};
    my $self = bless {
        url   => $url,
        token => $arg{token},
        http  => HTTP::Tiny->new(
            keep_alive   => $arg{keep_alive} // 1,
            timeout      => $arg{timeout}    // 30,
            max_redirect => 0,
            agent        => 'appt-test',
            proxy => undef, http_proxy => undef, https_proxy => undef),
    }, $class;
    $self->authenticate(@arg{qw(client_id client_secret)}, $arg{scope})
        if $arg{client_id};
    return $self;
}

# Client credentials for a token; dies if there is none.
sub authenticate {
    my ($self, $client_id, $client_secret, $scope) = @_;
    my $got = $self->form('/api/v1/auth/token', {
        grant_type    => 'client_credentials',
        client_id     => $client_id,
        client_secret => $client_secret,
        (defined $scope ? (scope => $scope) : ()),
    });
    die "no token: $got->{status} $got->{body}\n" if $got->{status} != 200;
    return $self->{token} = $got->{json}{access_token};
}

sub form {
    my ($self, $path, $field, $header) = @_;
    return $self->request('POST', $path,
        $self->{http}->www_form_urlencode($field),
        { 'Content-Type' => 'application/x-www-form-urlencoded',
            Authorization => undef, %{ $header // {} } });
}

sub get {
    my ($self, $path, $query, $header) = @_;
    return $self->request('GET', $self->path($path, $query), undef, $header);
}

sub delete {
    my ($self, $path, $query, $header) = @_;
    return $self->request('DELETE', $self->path($path, $query), undef, $header);
}

sub post  { my $self = shift; return $self->_send('POST',  @_) }
sub patch { my $self = shift; return $self->_send('PATCH', @_) }
sub put   { my $self = shift; return $self->_send('PUT',   @_) }

# A body that is a reference is sent as JSON, a string as it is.
sub _send {
    my ($self, $method, $path, $body, $header) = @_;
    $body = $json->encode($body) if ref $body;
    return $self->request($method, $path, $body,
        { (defined $body ? ('Content-Type' => 'application/json') : ()),
            %{ $header // {} } });
}

# A path with its query, both escaped.
sub path {
    my ($self, $path, $query) = @_;
    return $path unless $query && %$query;
    return "$path?" . $self->{http}->www_form_urlencode($query);
}

# Any request; the body goes as it is.  A header given as undef is left out,
# the token's too.
sub request {
    my ($self, $method, $path, $body, $header) = @_;
    my %header = (
        (defined $self->{token}
            ? (Authorization => "Bearer $self->{token}") : ()),
        %{ $header // {} });
    delete $header{$_} for grep { !defined $header{$_} } keys %header;

    my $got = $self->{http}->request($method, $self->{url} . $path,
        { headers => \%header, (defined $body ? (content => $body) : ()) });
    my %answer = (
        status  => $got->{status},
        headers => $got->{headers},
        body    => $got->{content} // '',
    );
    my $text = $answer{body};
    $text = Compress::Zlib::memGunzip($text)
        if ($got->{headers}{'content-encoding'} // '') eq 'gzip';
    $answer{json} = eval { $json->decode($text) }
        if ($got->{headers}{'content-type'} // '') =~ m{[/+]json\b};
    return \%answer;
}

1;
