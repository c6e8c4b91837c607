package Appt::SignIn;

# A browser that a member of staff signs in with: an Appt::Http that keeps the
# cookie and sends it along, with the second token where a call needs it.
#
#   my $desk = Appt::SignIn->new($url, account => 'asha', password => '...');
#   $desk->answer;                             # of POST /auth/session
#   $desk->get('/api/v1/queue', { doctor_id => 'DOC-001' })->{json};
#   $desk->post('/api/v1/appointments', {...}); # with X-CSRF-Token
#   Appt::SignIn::account($clinic, role => 'reception', branch_ids => [...]);

use strict;
use warnings;
use parent -norequire, 'Appt::Http';
use Appt::Http;

my $count = 0;

sub new {
    my ($class, $url, %arg) = @_;
    my $self = Appt::Http::new($class, $url);
    $self->sign_in(%arg) if $arg{account};
    return $self;
}

sub answer { $_[0]{answer} }
sub cookie { $_[0]{cookie} }

# By what the browser is known, each {name => value}; a hash to be changed.
sub known { $_[0]{known} //= {} }

# All that it sends.
sub cookies {
    my ($self) = @_;
    my $known = $self->known;
    return join '; ', $self->{cookie} // (),
        map {"$_=$known->{$_}"} sort keys %$known;
}

# The answer's json, or its problem's; what it sets is kept.
sub sign_in {
    my ($self, %arg) = @_;
    delete @$self{qw(cookie csrf)};
    my $r = $self->{answer} = $self->post('/api/v1/auth/session', {
        map { defined $arg{$_} ? ($_ => $arg{$_}) : () } qw(account password code)
    }, $arg{header});
    return $r;
}

sub request {
    my ($self, $method, $path, $body, $header) = @_;
    my $r = $self->SUPER::request($method, $path, $body, {
        ($self->cookies ne '' ? (Cookie => $self->cookies) : ()),
        (defined $self->{csrf} && $method ne 'GET'
            ? ('X-CSRF-Token' => $self->{csrf}) : ()),
        %{ $header // {} } });
    my $set = $r->{headers}{'set-cookie'};
    for (ref $set ? @$set : $set // ()) {
        if (/^([^;=]*_device_[^;=]*)=([^;]*)/) { $self->{known}{$1} = $2 }
        else {
            ($self->{cookie}) = /^([^;]*)/;
            $self->{csrf} = $r->{json}{csrf_token} if $r->{json};
        }
    }
    return $r;
}

# Makes an account as the DBA does, with the hash of a password that is
# returned beside it.
sub account {
    my ($clinic, %arg) = @_;
    my $password = 'a long enough phrase ' . ++$count;
    my $salt = sprintf '$y$j75$salt%012d$', $count;    # a cheap one
    my %made = (
        account  => $arg{account} // "person$count",
        password => $password,
    );
    $made{staff_id} = $clinic->cluster->value(
        'SELECT appt.create_staff(account => $1, name => $2, role => $3, '
            . 'password_hash => $4, branch_ids => $5, doctor_id => $6, '
            . 'department_ids => $7)',
        $made{account}, $arg{name} // "Person $count", $arg{role} // 'admin',
        crypt($password, $salt),
        @arg{qw(branch_ids doctor_id department_ids)});
    return \%made;
}

1;
