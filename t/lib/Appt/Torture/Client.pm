package Appt::Torture::Client;

# One of those who use the clinic while it is tortured, in a process of its
# own: over REST, or in SQL as a DBA does. What it asks is written down before,
# what it was answered after: a line of JSON each, in a file of its own.
#
#   Appt::Torture::Client->new(number => 3, over => 'rest', url => …,
#       client => { client_id => …, client_secret => … }, cluster => $cluster,
#       directory => $dir, seed => $seed)->run(sub { time < $until });
#
# An answer that leaves open whether something was done is followed by the same
# request with the same key, until there is one that tells.

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP ();
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8->canonical;

# How long a client goes on asking what became of its request.
use constant PATIENCE_S => 120;

# Doctors, with the branch where each works all day.
my %branch_of = ((map { +"D$_" => 'MUM' } 1 .. 3), (map { +"D$_" => 'LON' } 4, 5),
    D6 => 'PUN');
my @doctors = sort keys %branch_of;

sub new {
    my ($class, %arg) = @_;
    my $self = bless { asked => 0, known => [], %arg }, $class;
    srand($arg{seed} * 1000 + $arg{number});
    $self->{file} = "$arg{directory}/client-$arg{number}.jsonl";
    open $self->{log}, '>', $self->{file} or die "$self->{file}: $!\n";
    $self->{log}->autoflush(1);
    $self->{http} = HTTP::Tiny->new(timeout => 20, max_redirect => 0,
        keep_alive => 1, proxy => undef, http_proxy => undef);
    return $self;
}

sub run {
    my ($self, $goes_on) = @_;
    while ($goes_on->()) {
        $self->{over} eq 'rest' ? $self->rest_step : $self->sql_step;
    }
}

sub note_down {
    my ($self, %line) = @_;
    print { $self->{log} } $json->encode({ client => $self->{number}, %line }),
        "\n";
}

sub one_of { return $_[rand @_] }

# A start on the grid within three days, more often than not soon.
sub some_time {
    my $step = 600;
    my $ahead = rand() < 0.6 ? rand 4 * 3600 : rand 3 * 86400;
    my @at = gmtime $step * int((time + $ahead) / $step + 1);
    return sprintf '%04d-%02d-%02dT%02d:%02d:00+00:00', $at[5] + 1900,
        $at[4] + 1, @at[3, 2, 1];
}

sub some_patient { return 'P' . (1 + int rand 150) }

# ---- REST --------------------------------------------------------------------

sub rest_step {
    my ($self) = @_;
    my $doctor = one_of(@doctors);
    my $where  = { doctor_id => $doctor, branch_id => $branch_of{$doctor} };
    my $dice   = rand;
    return $self->rest_book($where)  if $dice < 0.30;
    return $self->rest_hold($where)  if $dice < 0.40;
    return $self->rest_again         if $dice < 0.45;
    return $self->rest('POST', '/appointments/walk-in',
        { %$where, patient_id => some_patient() }) if $dice < 0.50;
    return $self->rest_absence($doctor) if $dice < 0.53;
    return $self->rest('GET', "/appointments/slots?doctor_id=$doctor"
            . "&branch_id=$branch_of{$doctor}&date=" . substr some_time(), 0, 10)
        if $dice < 0.56;

    my $id = one_of(@{ $self->{known} }) // return $self->rest_book($where);
    return $self->rest('PATCH', "/appointments/$id/reschedule",
        { new_slot_start => some_time(), reason => 'Torture',
            (rand() < 0.6 ? %$where : ()) }) if $dice < 0.76;
    return $self->rest('DELETE', "/appointments/$id?reason=Torture")
        if $dice < 0.86;
    return $self->rest('POST', "/appointments/$id/" . one_of(
            qw(confirm check-in check-in undo-check-in start complete
            no-show)));
}

sub rest_book {
    my ($self, $where, %more) = @_;
    my $answer = $self->rest('POST', '/appointments', { %$where,
        patient_id => some_patient(), slot_start => some_time(), %more });
    push @{ $self->{known} }, $answer->{json}{appointment_id}
        if $answer && $answer->{status} == 201;
    splice @{ $self->{known} }, 0, -30;
}

# Half of the holds are booked, the rest is given back or left to expire.
sub rest_hold {
    my ($self, $where) = @_;
    my $hold = $self->rest('POST', '/appointments/holds',
        { %$where, slot_start => some_time() });
    return unless $hold && $hold->{status} == 201;
    my ($id, $start) = @{ $hold->{json} }{qw(hold_id slot_start)};
    my $dice = rand;
    return $self->rest_book($where, slot_start => $start, hold_id => $id)
        if $dice < 0.6;
    $self->rest('DELETE', "/appointments/holds/$id") if $dice < 0.8;
}

# An hour off, or an hour closed, with what to do about those who are booked.
sub rest_absence {
    my ($self, $doctor) = @_;
    my $start = some_time();
    my ($day, $hour) = $start =~ /^(.*)T(\d\d)/;
    my $place = rand() < 0.7 ? "/doctors/$doctor/time-off"
        : "/branches/$branch_of{$doctor}/closures";
    $self->rest('POST', $place, { starts_at => $start,
        ends_at => sprintf('%sT%02d:59:00+00:00', $day, $hour),
        reason => 'Torture', displace => one_of(qw(refuse move cancel)) });
}

# The last acknowledged request that had a key, once more: the same bytes.
sub rest_again {
    my ($self) = @_;
    my $last = $self->{last} // return;
    my $answer = $self->settled(@$last{qw(method path body key)}) // return;
    $self->note_down(again => $last->{key}, status => $answer->{status},
        same => $answer->{content} eq $last->{content} ? 1 : 0,
        answer => $answer->{content});
}

# A request with a key of its own, until it is settled; written down.
sub rest {
    my ($self, $method, $path, $body) = @_;
    my $key  = "torture-$self->{number}-" . ++$self->{asked};
    my $text = $body ? $json->encode($body) : undef;
    my %line = (key => $key, method => $method, path => $path, body => $text);
    $self->note_down(%line, asked => time);
    my $answer = $self->settled($method, $path, $text, $key);
    if (!$answer) {
        $self->note_down(%line, unknown => 1);
        return;
    }
    $self->note_down(%line, status => $answer->{status},
        answer => $answer->{content});
    $self->{last} = { %line, content => $answer->{content} }
        if $method =~ /^(?:POST|PATCH)$/ && $answer->{status} =~ /^2/;
    $answer->{json} = eval { $json->decode($answer->{content}) };
    return $answer;
}

# Sends until an answer tells what became of it; undef if none ever does.
sub settled {
    my ($self, $method, $path, $body, $key) = @_;
    my $until = time + PATIENCE_S;
    while (time < $until) {
        my $token = $self->token // next;
        my %header = (Authorization => "Bearer $token",
            ($method =~ /^(?:POST|PATCH)$/ ? ('Idempotency-Key' => $key) : ()),
            (defined $body ? ('Content-Type' => 'application/json') : ()));
        my $answer = $self->{http}->request($method,
            "$self->{url}/api/v1$path",
            { headers => \%header, (defined $body ? (content => $body) : ()) });
        my $status = $answer->{status};
        $self->{statuses}{$status}++;
        $self->note_down(seen => $status);
        return $answer unless $status =~ /^(?:429|503|504|599)$/
            || $status == 409 && $answer->{content} =~ /"request_in_progress"/;
        sleep 0.02 + rand 0.2;
    }
    return undef;
}

sub token {
    my ($self) = @_;
    return $self->{token} if $self->{token};
    my $answer = $self->{http}->post_form("$self->{url}/api/v1/auth/token",
        { grant_type => 'client_credentials', %{ $self->{client} } });
    return $self->{token} = $json->decode($answer->{content})->{access_token}
        if $answer->{status} == 200;
    sleep 0.1;
    return undef;
}

# ---- SQL ---------------------------------------------------------------------

sub sql_step {
    my ($self) = @_;
    my ($call, $key, @bind) = $self->sql_call;
    my %line = (sql => $call, bind => \@bind, key => $key);
    $self->note_down(%line, asked => time);
    my $until = time + PATIENCE_S;
    my ($row, $state);
    do { ($row, $state) = $self->sql($call, @bind) }
        while $key && is_unknown($state) && time < $until;
    $self->note_down(%line, state => $state,
        (is_unknown($state) ? (unknown => 1) : ()),
        ($row ? (status => 200, answers => $row) : ()));
}

# The connection went with it, or was not there: 08, 57P0x, or no SQLSTATE.
sub is_unknown { return $_[0] =~ /^(?:08|57P0|5[38]|22000|\z)/ }

# All rows' appointments as JSON, and the SQLSTATE (00000 if all went well).
sub sql {
    my ($self, $call, @bind) = @_;
    my $got = eval {
        $self->{dbh} = $self->{cluster}->connect
            unless $self->{dbh} && $self->{dbh}->ping;
        $self->{dbh}{PrintWarn} = 0;
        $self->{dbh}->selectcol_arrayref($call, {}, @bind);
    };
    return ($got, '00000') if $got;
    my $state = $self->{dbh} ? $self->{dbh}->state // '' : '';
    $state = '' if $state !~ /^\w{5}$/ || !$self->{dbh}->ping;
    delete $self->{dbh} unless $state;
    sleep 0.1 unless $state;
    return (undef, $state);
}

sub sql_call {
    my ($self) = @_;
    my $doctor = one_of(@doctors);
    my $branch = $branch_of{$doctor};
    my $start  = some_time();
    my $key    = "sql-$self->{number}-" . ++$self->{asked};
    my $dice   = rand;
    my $some   = sub { my ($where) = @_;
        return "(SELECT appointment_id FROM appt.appointment WHERE $where "
            . 'AND status <> \'held\' ORDER BY random() LIMIT 1)' };
    my $json_of = sub { return 'SELECT appt.appointment_json(a) FROM '
            . "$_[0] AS a WHERE a.appointment_id IS NOT NULL" };
    return ($json_of->('appt.book($1, $2, $3, branch_id => $4, '
            . 'idempotency_key => $5)'), $key, some_patient(), $doctor, $start,
        $branch, $key) if $dice < 0.25;
    return ($json_of->('appt.reschedule(' . $some->("status = 'booked'")
            . ', $1, reason => $2, doctor_id => $3, branch_id => $4)'), undef,
        $start, 'Torture', $doctor, $branch) if $dice < 0.45;
    return ($json_of->('appt.cancel(' . $some->("status = 'booked'")
            . ', $1)'), undef, 'Torture') if $dice < 0.55;
    return ($json_of->('appt.' . one_of(qw(confirm check_in no_show start
                complete undo_check_in)) . '(' . $some->('token_date = current_date')
            . ')'), undef) if $dice < 0.75;
    return ($json_of->('appt.walk_in($1, $2, $3)'), undef, some_patient(),
        $doctor, $branch) if $dice < 0.80;
    return ($json_of->('appt.call_next($1)'), undef, $doctor) if $dice < 0.84;
    return ($json_of->('appt.reschedule_day($1, $2::date, $2::date + 1, '
            . 'reason => $3)'), undef, $doctor, substr($start, 0, 10), 'Torture')
        if $dice < 0.87;
    return ('SELECT displaced FROM appt.add_time_off($1, $2, '
            . "\$2::timestamptz + interval '40 min', \$3, \$4)", undef, $doctor,
        $start, 'Torture', one_of(qw(refuse move cancel))) if $dice < 0.90;
    return ('DELETE FROM appt.time_off WHERE doctor_id = $1 RETURNING NULL',
        undef, $doctor) if $dice < 0.93;
    return ('DELETE FROM appt.closure RETURNING NULL', undef) if $dice < 0.95;
    return ('SELECT appt.expire()', undef) if $dice < 0.96;
    return ('SELECT count(*) FROM appt.available_slots($1, $2)', undef, $doctor,
        substr($start, 0, 10));
}

1;
