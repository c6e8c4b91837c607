package Appt::Matrix;

# Requests for every row of the gateway's route table, made from the table: a
# value for each argument by its name, an object for each id, in one of the
# worlds of the demo clinic (its branches).  The clock stands early on a
# Monday on which everybody works.
#
#   my $matrix = Appt::Matrix->new;
#   for my $route ($matrix->routes) {
#       my $request = $matrix->request($route, 'MUM-01');
#       my $answer = $matrix->send($http, $route, $request);
#
# A route with an argument of a name that is not known here dies: say which
# value it takes, and it is covered.

use strict;
use warnings;
use Appt::Clinic;
use Appt::Program;
use Appt::Util qw(run_command);
use JSON::PP ();

my $v1 = '/api/v1';
my $at = '2026-03-16T%s:00+05:30';

# Values by name that are no objects; a key with the route in front goes first.
my %plain = (
    date => '2026-03-16', since => '2026-03-16T00:00:00+05:30',
    slot_start => sprintf($at, '10:00'),
    new_slot_start => sprintf($at, '12:00'),
    starts_at => '2026-08-03T00:00:00+05:30',
    ends_at   => '2026-08-04T00:00:00+05:30',
    start_time => '00:00', end_time => '24:00', weekday => 7,
    on_date => '2026-08-09', operating_hours => [ map {
        { weekday => $_, opens => '00:00', closes => '24:00' } } 1 .. 7 ],
    reason => 'A reason', first_name => 'Tara',
    time_zone => 'Asia/Kolkata', url => 'https://example.com/hook',
    scopes => ['clients:manage'], value => 7, per_page => 100,
    name => sub { 'Name ' . ++$_[0]{count} },
    description => 'Text', event => 'booked', channel => 'sms',
    priority => 10, from_date => '2026-03-16',
    status => 'checked_in', override => JSON::PP::true(),
    from => '2026-03-16', to => '2026-03-16', report => 'utilisation',
    language => sub { sprintf 'en-%02d', ++$_[0]{count} }, body => 'Text',
    kind => 'sms', settings => { url => 'https://sms.example/', body => {} },
    active => JSON::PP::false(),
    account => sub { 'account' . ++$_[0]{count} }, role => 'reception',
    password => 'a long enough phrase',
);

# What is given beside that which is required.
my %more = (
    "POST $v1/branches/{branch_id}/closures"    => [qw(starts_at ends_at)],
    "POST $v1/doctors/{doctor_id}/time-off"     => [qw(starts_at ends_at)],
    "GET $v1/appointments/slots/first"          => ['doctor_id'],
    "PATCH $v1/webhooks/{webhook_id}"           => ['description'],
    "PATCH $v1/clients/{client_id}"             => ['name'],
    "PATCH $v1/staff/{staff_id}"                => ['name'],
    "PATCH $v1/patients/{patient_id}"           => ['first_name'],
    "PATCH $v1/branches/{branch_id}"            => ['name'],
    "PATCH $v1/branches/{branch_id}/closures/{closure_id}" => ['reason'],
    "PATCH $v1/doctors/{doctor_id}"             => ['name'],
    "PATCH $v1/doctors/{doctor_id}/working-hours/{working_hours_id}"
        => ['start_time'],
    "PATCH $v1/doctors/{doctor_id}/extra-sessions/{extra_session_id}"
        => ['start_time'],
    "PATCH $v1/doctors/{doctor_id}/time-off/{time_off_id}" => ['reason'],
    "PATCH $v1/departments/{department_id}"     => ['name'],
    "PATCH $v1/visit-types/{visit_type}"        => ['name'],
    "PATCH $v1/notification-templates/{notification_template_id}" => ['body'],
    "POST $v1/notification-channels"                => ['active'],
    "PATCH $v1/notification-channels/{channel_id}"  => ['active'],
);

# What must have happened to an appointment before.
my %before = ('undo-check-in' => ['check-in'], start => ['check-in'],
    complete => ['check-in'], skip => ['check-in'],
    recall => ['check-in', 'skip']);

# Collections where the last id of a path is found, and how one is made there.
my %collection = (closure_id => 'closures', time_off_id => 'time-off',
    extra_session_id => 'extra-sessions', working_hours_id => 'working-hours');

# What the caller names itself, instead of it being found.
my %chosen = ("POST $v1/branches" => 'branch_id',
    "POST $v1/doctors" => 'doctor_id',
    "POST $v1/departments" => 'department_id', "POST $v1/visit-types" => 'visit_type',
    "POST $v1/notification-channels" => 'channel_id');

# Ids of objects that belong to a branch or to nobody.
my %is_id = map { $_ => 1 } qw(appointment_id hold_id webhook_id delivery_id
    client_id staff_id sign_in_id patient_id doctor_id to_doctor_id branch_id branch_ids
    notification_id board_id), keys %collection;

sub new {
    my ($class) = @_;
    my $clinic = Appt::Clinic->new(clock => '2026-03-16T07:00:00+05:30',
        env => { APPT_RATE_LIMIT => 0 });
    $clinic->cluster->psql(q{INSERT INTO appt.setting (name, value)
        VALUES ('cancellation_window_min', '0')});
    my $self = bless { clinic => $clinic, count => 0, made => {} }, $class;
    $self->{full} = $clinic->http;
    return $self;
}

sub clinic { $_[0]{clinic} }
sub full   { $_[0]{full} }

# Ids of everything that was made for a branch.
sub made { my ($self, $branch) = @_; return @{ $self->{made}{$branch} // [] } }

# A connection of an API client with these scopes (all) and branches (all).
sub client {
    my ($self, %arg) = @_;
    return $self->{clinic}->http($self->{clinic}->create_client(%arg));
}

# The rows of the table: method, path, status, scope, args, name.
sub routes {
    my ($self) = @_;
    my ($code, $table) = run_command([ Appt::Gateway->binary, '--routes' ]);
    return map {
        my ($method, $path, $status, $scope, $args) = split /\t/;
        { method => $method, path => $path, status => $status,
            scope => $scope, name => "$method $path", args => [
            map { /^(path|query|body):(\w+)(?:\|\w+)*(\*?)$/
                    ? { from => $1, name => $2, required => $3 } : () }
                split ' ', $args ] }
    } split /\n/, $table;
}

# The ids that a call takes: those of its path, query and body.
sub ids {
    my ($self, $route) = @_;
    my $chosen = $chosen{ $route->{name} } // '';
    return grep { $is_id{ $_->{name} } && $_->{name} ne $chosen }
        @{ $route->{args} };
}

# Arguments of a call that succeeds for who may: { name => value }.  Objects
# are made anew in that branch.  An optional id is given if it is asked for.
sub request {
    my ($self, $route, $branch, $wanted) = @_;
    my %given = map { $_ => 1 } @{ $more{ $route->{name} } // [] }, $wanted // (),
        usual($route, $wanted // '');
    my %request;
    for my $arg (@{ $route->{args} }) {
        my $name = $arg->{name};
        next unless $arg->{required} || $given{$name} || $name eq 'per_page';
        $request{$name} = $self->value($route, $name, $branch, \%request);
    }
    $request{role} = 'doctor' if $request{role} && $request{doctor_id};
    $self->{full}->post("$v1/settings", { %request, value => 7 })
        if $route->{path} =~ m{/settings/\{};
    return \%request;
}

# Optional ids that make sense: a clinic with more than one branch must be
# told which; a client limited to branches says for whom a setting is.
sub usual {
    my ($route, $wanted) = @_;
    return 'branch_id'  if $route->{path} =~ m{/appointments\b};
    return 'branch_ids' if $route->{name} =~ m{^POST \S+/(?:clients|staff)$};
    return 'doctor_id'  if $route->{path} =~ m{/settings} && $wanted ne 'branch_id';
    return ();
}

# An id that there is none of, of the same form as one that there is.
sub missing {
    my ($self, $id) = @_;
    return [ map { $self->missing($_) } @$id ] if ref $id;
    return $id + 700_000 if $id =~ /^\d+$/;
    (my $other = $id) =~ s/[A-Za-z0-9]{3}$/9Z9/;
    return $id =~ /^(?:APT|PAT)/ ? $id =~ s/\d{2}$/x/r =~ s/x/98/r . '7' : $other;
}

sub value {
    my ($self, $route, $name, $branch, $so_far) = @_;
    return "NEW-" . ++$self->{count} if $name eq ($chosen{ $route->{name} } // '');
    return 'hold_min' if $name eq 'name' && $route->{path} =~ /settings/;
    return '+919876543210' if $name eq 'to' && $route->{path} =~ m{/test$};
    if ($name eq 'visit_type') {
        my $made = $self->make('visit-types',
            { visit_type => 'v' . ++$self->{count}, name => 'Visit' });
        return $made->{visit_type};
    }
    if ($name eq 'department_id') {
        return $self->make('departments', { department_id => 'D-'
            . ++$self->{count}, name => 'Department' })->{department_id};
    }
    if ($name eq 'notification_template_id') {
        my %body = map { $_ => $self->value($route, $_) }
            qw(event channel language body);
        return $self->make('notification-templates', \%body)->{$name};
    }
    return $self->make('notification-channels', { channel_id => 'CH-'
        . ++$self->{count}, map { $_ => $plain{$_} } qw(kind settings active) })
        ->{$name} if $name eq 'channel_id';
    if ($is_id{$name}) {
        my $id = $self->object($route, $name, $branch, $so_far);
        push @{ $self->{made}{$branch} }, ref $id ? () : $id
            if $name ne 'branch_id' || $id ne $branch;
        return $id;
    }
    die "$route->{name}: which value does $name take?\n"
        unless exists $plain{$name};
    my $value = $plain{$name};
    return ref $value eq 'CODE' ? $value->($self) : $value;
}

# An object of that kind, new, in that branch: its id.
sub object {
    my ($self, $route, $name, $branch, $so_far) = @_;
    return $self->make('branches', { branch_id => 'BR-' . ++$self->{count},
        name => 'Empty', time_zone => 'UTC', active => JSON::PP::false })
        ->{branch_id} if $route && $route->{name} =~ m{^DELETE \S+/\{branch_id\}$};
    return $branch   if $name eq 'branch_id';
    return [$branch] if $name eq 'branch_ids';
    return $self->doctor_with_queue($branch)
        if $name eq 'doctor_id' && $route && $route->{path} =~ m{/call-next$};
    return $self->doctor($branch) if $name =~ /^(?:to_)?doctor_id$/;
    return $self->make('patients', { first_name => 'Asha',
        branch_id => $branch })->{patient_id} if $name eq 'patient_id';
    return $self->appointment($route, $branch) if $name eq 'appointment_id';
    return $self->make('appointments/holds', $self->wish($branch))->{hold_id}
        if $name eq 'hold_id';
    return $self->make('clients', { name => 'Other', branch_ids => [$branch],
        scopes => ['clients:manage'] })->{client_id} if $name eq 'client_id';
    return $self->make('boards', { name => 'Waiting room', branch_id => $branch })
        ->{board_id} if $name eq 'board_id';
    return $self->make('staff', { branch_ids => [$branch], name => 'Other',
        account => 'account' . ++$self->{count}, role => 'reception',
        password => $plain{password} })->{staff_id} if $name eq 'staff_id';
    return $self->sign_in($branch) if $name eq 'sign_in_id';
    return $self->webhook($branch) if $name eq 'webhook_id';
    return $self->{full}->get("$v1/webhooks/$so_far->{webhook_id}/deliveries")
        ->{json}[0]{delivery_id} if $name eq 'delivery_id';
    return $self->notification($branch) if $name eq 'notification_id';
    return $self->part($name, $branch, $so_far);
}

# What belongs to the doctor or branch of the path so far.
sub part {
    my ($self, $name, $branch, $so_far) = @_;
    my $of = $so_far->{doctor_id} ? "doctors/$so_far->{doctor_id}"
        : "branches/$so_far->{branch_id}";
    my %body = map { $_ => $plain{$_} } $name =~ /session|hours/
        ? qw(start_time end_time) : qw(starts_at ends_at);
    $body{branch_id} = $branch if $name =~ /session|hours/;
    $body{on_date} = $plain{on_date} if $name =~ /session/;
    if ($name =~ /hours/) {
        @body{qw(weekday valid_from)} = (7, '2027-01-03');
    }
    return $self->make("$of/$collection{$name}", \%body)->{$name};
}

# Makes something as a client that may do everything; dies if it cannot.
sub make {
    my ($self, $path, $body) = @_;
    my $r = $self->{full}->post("$v1/$path", $body);
    die "POST $path: $r->{body}\n" if $r->{status} > 299;
    return $r->{json};
}

# Somebody who is signed in.
sub sign_in {
    my ($self, $branch) = @_;
    return $self->{clinic}->cluster->value(q{INSERT INTO appt.staff_sign_in
        (sign_in_id, staff_id, token_hash, expires_at) VALUES ($1, $2,
        sha256(convert_to($1, 'UTF8')), clock_timestamp() + interval '1 hour')
        RETURNING sign_in_id}, 'sgn_' . ++$self->{count},
        $self->object(undef, 'staff_id', $branch, {}));
}

# A doctor who works round the clock, Monday to Saturday.
sub doctor {
    my ($self, $branch) = @_;
    my $id  = 'DOC-N' . ++$self->{count};
    my $dbh = $self->{clinic}->cluster->dbh;
    $dbh->do('INSERT INTO appt.doctor (doctor_id, name, slot_min)
        VALUES ($1, $1, 30)', undef, $id);
    $dbh->do(q{INSERT INTO appt.working_hours
        (doctor_id, branch_id, weekday, start_time, end_time)
        SELECT $1, $2, n, '00:00', '24:00' FROM generate_series(1, 6) n},
        undef, $id, $branch);
    return $id;
}

# A doctor for whom somebody waits today.
sub doctor_with_queue {
    my ($self, $branch) = @_;
    return $self->make('appointments/walk-in', { branch_id => $branch,
        doctor_id => $self->doctor($branch),
        patient_id => $self->object(undef, 'patient_id', $branch) })->{doctor_id};
}

# A booking's body: a new patient and a new doctor, at ten.
sub wish {
    my ($self, $branch) = @_;
    return { branch_id => $branch, slot_start => $plain{slot_start},
        doctor_id => $self->object(undef, 'doctor_id', $branch) };
}

# A booked appointment, taken to where the call applies.
sub appointment {
    my ($self, $route, $branch) = @_;
    my ($call) = $route->{path} =~ m{/([^/]+)$};
    my %begun = $call eq 'no-show' ? (slot_start => sprintf($at, '06:30'),
        override => JSON::PP::true()) : ();
    my $id = $self->make('appointments', { %{ $self->wish($branch) },
        patient_id => $self->object(undef, 'patient_id', $branch), %begun })
        ->{appointment_id};
    $self->make("appointments/$id/$_", undef) for @{ $before{$call} // [] };
    return $id;
}

# A webhook of the client that may see that branch alone, if there is one;
# its first delivery is there at once.
sub webhook {
    my ($self, $branch) = @_;
    my $owner = $self->{owner}{$branch} // $self->{full};
    return $owner->post("$v1/webhooks", { url => 'https://example.com/h',
        branch_ids => [$branch] })->{json}{webhook_id};
}

# A message to a patient of that branch, which nobody is there to send.
sub notification {
    my ($self, $branch) = @_;
    my $visit = $self->appointment({ path => '/x' }, $branch);
    return $self->{clinic}->cluster->value(<<'SQL', $visit);
INSERT INTO appt.notification (appointment_no, event, slot_start, state,
    reason, finished_at)
SELECT appointment_no, 'booked', slot_start, 'failed', 'refused', now()
FROM appt.appointment WHERE appointment_id = $1
RETURNING notification_no
SQL
}

# Whose webhooks those of a branch are.
sub owner { my ($self, $branch, $http) = @_; $self->{owner}{$branch} = $http }

sub send {
    my ($self, $http, $route, $request, $header) = @_;
    my (%query, %body);
    my $path = $route->{path};
    for my $arg (@{ $route->{args} }) {
        my ($from, $name) = @$arg{qw(from name)};
        next unless exists $request->{$name};
        if ($from eq 'path') {
            $path =~ s/\{$name\}/$request->{$name}/;
        }
        else { ($from eq 'query' ? \%query : \%body)->{$name} = $request->{$name} }
    }
    my $has_body = grep { $_->{from} eq 'body' } @{ $route->{args} };
    my $r = $http->request($route->{method}, $http->path($path, \%query),
        ($has_body ? JSON::PP->new->utf8->canonical->encode(\%body) : undef),
        { ($has_body ? ('Content-Type' => 'application/json') : ()),
            %{ $header // {} } });
    return $r;
}

1;
