#!/usr/bin/perl
#
# Every function of schema appt_api, as the gateway's login calls it, for every
# kind of client and of staff: one that never was, is deleted or is disabled is refused by
# all of them; one limited to a branch is refused what is another's, and is
# told nothing of it; one without limits may. What a function takes is read
# from the catalog: one that has an argument of another name fails here until
# a value is said below.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Program;
use Appt::Util qw(run_command);
use JSON::PP ();

my $json    = JSON::PP->new->canonical;
my $clinic  = Appt::Clinic->new(clock => '2026-03-16T07:00:00+05:30', gateway => 0);
my $cluster = $clinic->cluster;
my ($mine, $theirs) = ('LON-01', 'MUM-01');
my $at = '2026-03-16T%s:00+05:30';

# Which functions a limited client may call of another branch's, as they
# concern no branch; what they answer names nothing of another branch.
my %of_no_branch = map { $_ => 1 } qw(list_branches list_clients list_staff list_sign_ins
    list_webhooks
    list_visit_types list_notification_templates get_visit_type
    list_departments get_department
    get_notification_template list_notification_channels
    get_notification_channel resend_failed_notifications create_doctor
    changes);

# And which it may not call of its own, as they concern the whole clinic, or (a
# branch that is to be deleted is none of its own) nothing of its.
my %not_at_home = (delete_branch => 'SB404', map { $_ => 'SBF01' } qw(create_branch
    create_visit_type update_visit_type delete_visit_type
    create_department update_department delete_department
    create_notification_template update_notification_template
    delete_notification_template create_notification_channel
    update_notification_channel delete_notification_channel
    test_notification_channel));

# Takes rights away and gives none: a token may be revoked by whoever has it.
my %takes_away = (revoke_token => 1);

# Functions without a client: the gateway's own.
my %of_gateway = map { $_ => 1 } qw(authenticate auth_state auth_clients
    auth_revoked signing_keys add_signing_key all_changes take_delivery_reports
    confirm_callback show_link use_link sign_in_credentials sign_in
    signed_in sign_out own_credentials set_own_password set_own_email begin_totp
    confirm_totp renew_recovery_codes board);

my @functions = @{ $cluster->query(<<'SQL') };
SELECT p.proname AS name, p.proargnames[1 : p.pronargs] AS args
FROM pg_proc p
WHERE p.pronamespace = 'appt_api'::regnamespace
ORDER BY 1
SQL
cmp_ok(scalar @functions, '>', 80, 'the functions are read');
my @asked = grep { grep { $_ eq 'client' } @{ $_->{args} } } @functions;
is_deeply([ grep { !$of_gateway{$_} } map { $_->{name} }
    grep { my $f = $_; !grep { $f == $_ } @asked } @functions ], [],
    'all others say on whose behalf they are called');

# Each of them is behind a call that needs a scope (t/184_scopes.t).
my (undef, $routes) = run_command([ Appt::Gateway->binary, '--routes' ]);
my %scope = map { /\bappt_api\.(\w+)\(/ ? ($1 => (split /\t/)[3]) : () }
    split /\n/, $routes;
is_deeply([ grep { !$scope{$_} } map { $_->{name} } @asked ], ['revoke_token'],
    'and is behind a call that needs a scope, but for that which ends a token');

# ---- worlds and clients --------------------------------------------------------

my $full = $clinic->client->{client_id};
my %limited = map { $_ => client($_, branch_ids => [$_]) } $mine, $theirs;
my %world = map { $_ => world($_) } $mine, $theirs;
my ($deleted, $disabled) = map { client($_) } qw(deleted disabled);
$cluster->psql("DELETE FROM appt.api_client WHERE client_id = '$deleted'; "
    . "UPDATE appt.api_client SET active = false WHERE client_id = '$disabled'");
my %nobody = (deleted => $deleted, disabled => $disabled,
    'never there' => 'c_nobody', (map { ("called $_" => $_) } '*', '%', '_', '',
        'role:postgres', "client:$full", uc $full, "$full "));

# Staff: at the front desk of one branch, and of all for the department of one
# world's doctor, and that doctor, who sees all branches.
sub staff {
    my ($account, $role, $branches, $doctor, $departments) = @_;
    return 'staff:' . $cluster->value('SELECT appt.create_staff(account => $1,
        name => $1, role => $2, password_hash => $3, branch_ids => $4,
        doctor_id => $5, department_ids => $6)', $account, $role, '$y$hash',
        $branches, $doctor, $departments);
}
$cluster->psql("INSERT INTO appt.department (department_id, name) VALUES ('own', 'Own'); "
    . "UPDATE appt.doctor SET department_id = 'own' WHERE doctor_id = 'DOC-$mine'");
my %staff = (
    reception => staff('desk', 'reception', [$mine]),
    department => staff('own', 'reception', undef, undef, ['own']),
    doctor    => staff('doctor', 'doctor', undef, "DOC-$mine"),
);
my %may = map { my $role = $_; $role => { map { $_ => 1 } @{ $cluster->value(
    'SELECT appt_internal.role_scopes($1)', $role eq 'department' ? 'reception'
    : $role) } } } keys %staff;
my ($gone, $off) = map { staff($_, 'admin') } qw(gone off);
$cluster->psql("UPDATE appt.staff SET active = false WHERE account = 'off'; "
    . "SELECT appt_api.delete_staff(substr('$gone', 7), NULL, 'staff:' || staff_id) "
    . "FROM (SELECT appt.create_staff('boss', 'Boss', 'admin', '\$y\$hash') "
    . 'AS staff_id) AS s');
%nobody = (%nobody, 'staff deleted' => $gone, 'staff disabled' => $off,
    'staff never there' => 'staff:stf_nobody', 'staff by account' => 'staff:desk',
    'staff without id' => 'staff:');
my $patient_of = 'SELECT patient_id FROM appt.appointment
    WHERE appointment_id = $1';
my %own = map { $_ => $cluster->value($patient_of, $world{$_}{appointment_id}) }
    $mine, $theirs;

$cluster->psql(q{INSERT INTO appt.setting (name, value)
    VALUES ('cancellation_window_min', '0')});
my @foreign = grep { !/^(?:\d+$|(?:visit|dept|sms)-)/ } map { ref $_ ? @$_ : $_ }
    values %{ $world{$theirs} };

my $gateway = $cluster->connect(user => 'bioecko_gateway');
my $owner   = $cluster->connect;

for my $function (grep { !$takes_away{ $_->{name} } } @asked) {
    my $name = $function->{name};
    subtest $name => sub {
        my $home = arguments($function, $world{$mine});
        my $away = arguments($function, $world{$theirs});

        for my $who (sort keys %nobody) {
            is(call($gateway, $name, { %$home, client => $nobody{$who} })->{state},
                'SBT01', "refused to a client $who");
        }
        for my $args ($home, $away) {
            my $got = call($gateway, $name, { %$args, client => $full });
            is($got->{state}, '', 'one without limits may')
                or diag $got->{error};
        }

        my $got = call($gateway, $name, { %$away, client => $limited{$mine} });
        if ($of_no_branch{$name}) {
            is($got->{state}, '', 'one limited elsewhere may') or diag $got->{error};
        }
        else {
            like($got->{state}, qr/^(?:SB404|SBU01|SBF01)$/,
                'not one limited elsewhere') or diag $got->{error} // $got->{body};
        }
        my $said = $json->encode($away);
        is_deeply([ grep { $said !~ /"\Q$_\E\\?"/
            && ($got->{body} . $got->{error}) =~ /"\Q$_\E"/ } @foreign ], [],
            'who is told of nothing there');

        of_staff($name, $home, $away);
        $got = call($gateway, $name, { %$home, client => $limited{$mine} });
        is($got->{state}, $not_at_home{$name} // '',
            'at home it ' . ($not_at_home{$name} ? 'may not' : 'may'))
            or diag $got->{error};

        for my $any (grep { exists $home->{branch_id} } '*', '%') {
            $got = call($gateway, $name,
                { %$home, branch_id => $any, client => $limited{$mine} });
            like($got->{state}, qr/^(?:SB404|SBU01|SBF01)$/,
                "branch $any is no branch") or diag $got->{error} // $got->{body};
        }
        kept($name, $home) if exists $home->{idempotency_key};
    };
}
is($cluster->value('SELECT count(*) FROM appt.idempotency'), 0,
    'none of that has left a trace');

# A doctor is shown the own visits and patients, whatever is asked for.
for my $case ([ list_appointments => 'doctor_id' ], [ list_patients => 'patient_id' ]) {
    my ($name, $member) = @$case;
    my ($function) = grep { $_->{name} eq $name } @functions;
    my %args = map { $_ => undef } grep { $_ ne 'client' } @{ $function->{args} };
    $args{per_page} = 100;
    my $of = sub { return sort map { $_->{$member} } @{ $json->decode(
        call($gateway, $name, { %args, client => $_[0] })->{body}) } };
    my @all = $of->($full);
    my @seen = $of->($staff{doctor});
    my @wanted = map { $_->{id} } @{ $cluster->query("SELECT "
        . ($name eq 'list_patients' ? 'DISTINCT patient_id' : 'doctor_id')
        . ' AS id FROM appt.appointment
            WHERE doctor_id = $1 AND status <> $2 ORDER BY 1', "DOC-$mine", 'held') };
    is_deeply(\@seen, \@wanted, "$name: the doctor is shown the own");
    cmp_ok(scalar @all, '>', scalar @seen, '... and not the others');
}

done_testing;

# What staff may by role: a desk as a client that is limited likewise, a doctor
# and the desk of a department nothing of another doctor's.
sub of_staff {
    my ($name, $home, $away) = @_;
    my @ids = grep { exists $away->{$_} } qw(doctor_id appointment_id hold_id);
    for my $role (grep { $may{$_}{ $scope{$name} } } sort keys %staff) {
        my $seen = $role eq 'doctor' && exists $home->{patient_id};
        my $got = call($gateway, $name, { %$home, client => $staff{$role},
            ($seen ? (patient_id => $own{$mine}) : ()) });
        is($got->{state}, $not_at_home{$name} // '', "$role: the own") or diag $got->{error};
        next if $of_no_branch{$name} || ($role ne 'reception' && !@ids
            && !($role eq 'doctor' && exists $away->{patient_id}));
        $got = call($gateway, $name, { %$away, client => $staff{$role},
            ($seen ? (patient_id => $own{$theirs}) : ()) });
        like($got->{body} eq '[]' ? 'SB404' : $got->{state},
            qr/^(?:SB404|SBU01|SBF01)$/, "$role: not another's")
            or diag $got->{error} // $got->{body};
    }
    return;
}

# An answer that was kept for a client is not given to it when it is disabled.
sub kept {
    my ($name, $args) = @_;
    my %args = (%$args, client => $full, idempotency_key => 'k',
        request_hash => 'h');
    $owner->begin_work;
    my $first = select_one($owner, $name, \%args);
    is($first->{state}, '', 'with an idempotency key') or diag $first->{error};
    my $again = select_one($owner, $name, \%args);
    ok($again->{replayed}, 'the answer is kept') or diag $again->{error};
    $owner->do('UPDATE appt.api_client SET active = false WHERE client_id = $1',
        undef, $full);
    is(select_one($owner, $name, \%args)->{state}, 'SBT01',
        'but not given to a client that is disabled since');
    $owner->rollback;
}

# What comes of a call, which is taken back: state '' or SQLSTATE, error, body.
sub call {
    my ($dbh, $name, $args) = @_;
    $dbh->begin_work;
    my $got = select_one($dbh, $name, $args);
    $dbh->rollback;
    return $got;
}

sub select_one {
    my ($dbh, $name, $args) = @_;
    my @name = sort keys %$args;
    my $row = eval {
        $dbh->selectrow_hashref("SELECT * FROM appt_api.$name("
            . join(', ', map {qq("$name[$_]" => \$) . ($_ + 1)} 0 .. $#name) . ')',
            {}, @$args{@name});
    };
    return { state => '', error => '', body => '', %{ $row // {} },
        body => $row->{body} // '' } if $row;
    return { state => $dbh->state, error => $@ =~ s/\n.*//sr, body => '' };
}

# The arguments of a call about a world, by name.
sub arguments {
    my ($function, $world) = @_;
    my $name = $function->{name};
    my %args;
    for my $arg (grep { $_ ne 'client' } @{ $function->{args} }) {
        $args{$arg} = value($name, $arg, $world);
    }
    return \%args;
}

sub value {
    my ($name, $arg, $world) = @_;
    return undef if $arg =~ /^(?:expected_version|idempotency_key|request_hash
        |slot_end|new_slot_end|duration|date_from|date_to|search|specialty|state
        |registered_after|to_doctor_id|notify|source|event|channel|language|secret|notes
        |kind)$/x;
    return '2026-03-16' if $name eq 'report' && $arg =~ /^(?:from|to)$/;
    return '+919876543210' if $name eq 'test_notification_channel'
        && $arg eq 'to';
    return undef if $name eq 'test_notification_channel'
        && $arg eq 'notification_template_id';
    return members($name, $world) if $arg eq 'fields' || $arg eq 'changes';
    return undef if $name eq 'create_staff' && $arg =~ /^(?:doctor_id|department_ids|email)$/;
    return undef if $name eq 'update_webhook' && $arg =~ /^(?:events|status|branch_ids)$/;
    return undef if $name =~ /^list_(?:appointments|notifications)$/
        && $arg eq 'status';
    return undef if $name eq 'reschedule' && $arg =~ /^(?:doctor|branch)_id$/;
    return undef if $name =~ /_settings?$/ && $arg eq 'branch_id'
        && $name ne 'list_settings';
    return undef if $name =~ /^(?:book|reschedule)$/ && $arg eq 'hold_id';
    return { status => 'booked', override => 1 }->{$arg}
        if $name eq 'correct' && $arg =~ /^(?:status|override)$/;
    return undef if $name =~ /^list_(?:branches|departments|visit_types|notification)/
        && $arg eq 'active';
    return $world->{in_room}[0]
        if $arg eq 'appointment_id' && $name =~ /^(?:undo_check_in|start|complete
            |skip)$/x;
    return $world->{skipped}[0] if $arg eq 'appointment_id' && $name eq 'recall';
    return $world->{missed}[0] if $arg eq 'appointment_id' && $name eq 'no_show';
    return $world->{empty_branch} if $name eq 'delete_branch' && $arg eq 'branch_id';
    return $world->{idle_doctor} if $name eq 'delete_doctor' && $arg eq 'doctor_id';
    return 'hold_min' if $arg eq 'name' && $name =~ /_setting$/;
    my %value = (%$world, date => '2026-03-16', slot_start => sprintf($at, '11:00'),
        new_slot_start => sprintf($at, '12:00'), override => 0, reason => 'Asked',
        from_date => '2026-03-17', to_date => '2026-03-18',
        from => undef, report => 'utilisation', format => 'json',
        priority => 10, page => 1, per_page => 100, since => '2026-03-16T00:00:00Z',
        active => 't', patients => 't', events => ['*'], description => 'Text', signed => 't',
        url => 'https://example.com/hook', status => undef, name => 'Name',
        requests_per_minute => 10, scopes => ['appointments:read'],
        branch_ids => [ $world->{branch_id} ], jti => 'j', account => 'new',
        role => 'reception', password => '$y$hash',
        expires_at => '2026-03-16T08:00:00Z');
    die "$name: which value does $arg take? Say so in $0\n"
        unless exists $value{$arg};
    return $value{$arg};
}

# The JSON object that makes or changes a thing of that kind.
sub members {
    my ($name, $world) = @_;
    return $json->encode({ notes => 'Other' }) if $name eq 'edit';
    return $json->encode({ operating_hours => [ map { { weekday => $_,
        opens => '00:00', closes => '23:00' } } 1 .. 7 ] })
        if $name eq 'put_operating_hours';
    my ($verb, $kind) = $name =~ /^(create|update)_(\w+)$/;
    my %session = (branch_id => $world->{branch_id}, start_time => '20:00',
        end_time => '21:00');
    my %new = (
        branch => { branch_id => 'NEW-1', name => 'New', time_zone => 'UTC' },
        doctor => { doctor_id => 'NEW-1', name => 'New' },
        visit_type => { visit_type => 'new', name => 'New' },
        department => { department_id => 'NEW', name => 'New' },
        patient => { first_name => 'New', branch_id => $world->{branch_id} },
        setting => { name => 'late_after_min', value => 7,
            doctor_id => $world->{doctor_id} },
        working_hours => { %session, weekday => 7 },
        extra_session => { %session, on_date => '2026-08-09' },
        time_off => { starts_at => '2026-08-03T00:00:00Z',
            ends_at => '2026-08-04T00:00:00Z' },
        closure => { starts_at => '2026-08-03T00:00:00Z',
            ends_at => '2026-08-04T00:00:00Z' },
        notification_template => { event => 'booked', channel => 'sms',
            language => 'fr', body => 'Text' },
        notification_channel => { channel_id => 'new', kind => 'sms',
            settings => { url => 'https://sms.example/', body => {} } },
    );
    my %change = (patient => { first_name => 'Other' }, setting => { value => 8 },
        working_hours => { capacity => 2 }, extra_session => { capacity => 2 },
        time_off => { reason => 'Other' }, closure => { reason => 'Other' },
        notification_template => { body => 'Other' },
        notification_channel => { secret => 'other' }, map { $_ =>
            { name => 'Other' } } qw(branch department doctor visit_type client
            staff));
    my $members = $verb eq 'create' ? $new{$kind} : $change{$kind};
    die "$name: which members does it take? Say so in $0\n" unless $members;
    return $json->encode($members);
}

sub client {
    my ($name, %arg) = @_;
    return $clinic->create_client(name => $name, %arg)->{client_id};
}

# An object of each kind at a branch: name of the argument => its value.
sub world {
    my ($branch) = @_;
    my %world = (branch_id => $branch, doctor_id => "DOC-$branch",
        idle_doctor => "IDLE-$branch", empty_branch => "EMPTY-$branch",
        visit_type => "visit-$branch", department_id => "dept-$branch");
    my $one = sub { return $cluster->value(@_) };
    $cluster->psql(<<"SQL");
INSERT INTO appt.branch (branch_id, name, time_zone, active)
VALUES ('EMPTY-$branch', 'Empty', 'UTC', false);
INSERT INTO appt.visit_type (visit_type, name) VALUES ('visit-$branch', 'Visit');
INSERT INTO appt.department (department_id, name)
VALUES ('dept-$branch', 'Department');
INSERT INTO appt.doctor (doctor_id, name, slot_min)
VALUES ('DOC-$branch', 'Dr $branch', 30), ('IDLE-$branch', 'Dr Idle', 30);
INSERT INTO appt.working_hours
	(doctor_id, branch_id, weekday, start_time, end_time)
SELECT d, '$branch', n, '00:00', '20:00'
FROM unnest('{DOC-$branch,IDLE-$branch}'::text[]) d, generate_series(1, 6) n;
SQL
    my $patient = sub {
        return $one->('INSERT INTO appt.patient (first_name, branch_id)
            VALUES ($1, $2) RETURNING patient_id', 'Asha', $branch);
    };
    my $book = sub {
        return $one->('SELECT appointment_id FROM appt.book($1, $2, $3,
            branch_id => $4, override => $5)', $patient->(), "DOC-$branch",
            sprintf($at, $_[0]), $branch, 1);
    };
    $world{patient_id}     = $patient->();
    $world{appointment_id} = $book->('08:00');
    $world{missed}         = [ $book->('06:30') ];
    $world{in_room}        = [ $book->('06:00') ];
    $world{skipped}        = [ $book->('05:30') ];
    $one->('SELECT FROM appt.check_in($1)', $world{$_}[0]) for qw(in_room skipped);
    $one->('SELECT FROM appt.skip($1)', $world{skipped}[0]);
    $world{hold_id} = $one->('SELECT appointment_id FROM appt.hold($1, $2,
        branch_id => $3)', "DOC-$branch", sprintf($at, '10:00'), $branch);
    $world{client_id} = client("of $branch", branch_ids => [$branch],
        scopes => ['appointments:read']);
    $world{board_id} = $one->('SELECT board_id FROM appt.create_board($1, $2)',
        $branch, 'Waiting room');
    $world{staff_id} = $one->(q{SELECT appt.create_staff($1, 'Somebody',
        'reception', '$y$hash', $2)}, lc "of-$branch", [$branch]);
    $world{sign_in_id} = $one->(q{INSERT INTO appt.staff_sign_in (sign_in_id,
        staff_id, token_hash, expires_at) VALUES ($1, $2, sha256(convert_to($1, 'UTF8')),
        clock_timestamp() + interval '1 hour') RETURNING sign_in_id},
        "sgn-$branch", $world{staff_id});
    $world{webhook_id} = $one->('SELECT id FROM appt_api.create_webhook($1, NULL,
        NULL, $2, NULL, true, $3, NULL, NULL)', 'https://example.com/h', [$branch],
        $limited{$branch});
    $world{delivery_id} = $one->(q{SELECT 'dlv_' || delivery_no
        FROM appt.delivery JOIN appt.webhook USING (webhook_no)
        WHERE webhook_id = $1}, $world{webhook_id});
    my @span = ('2026-09-03T00:00:00Z', '2026-09-04T00:00:00Z');
    $world{time_off_id} = $one->('INSERT INTO appt.time_off (doctor_id, starts_at,
        ends_at) VALUES ($1, $2, $3) RETURNING time_off_no', "DOC-$branch", @span);
    $world{closure_id} = $one->('INSERT INTO appt.closure (branch_id, starts_at,
        ends_at) VALUES ($1, $2, $3) RETURNING closure_no', $branch, @span);
    $world{extra_session_id} = $one->('INSERT INTO appt.extra_session (doctor_id,
        branch_id, on_date, start_time, end_time) VALUES ($1, $2, $3, $4, $5)
        RETURNING extra_session_no', "DOC-$branch", $branch, '2026-09-06', '09:00',
        '10:00');
    $world{working_hours_id} = $one->('SELECT min(working_hours_no)
        FROM appt.working_hours WHERE doctor_id = $1', "DOC-$branch");
    $one->(q{INSERT INTO appt.setting (name, doctor_id, value)
        VALUES ('hold_min', $1, '9') RETURNING 1}, "DOC-$branch");
    $world{notification_id} = $one->(q{INSERT INTO appt.notification
        (appointment_no, event, slot_start) SELECT appointment_no, 'booked',
        slot_start FROM appt.appointment WHERE appointment_id = $1
        RETURNING notification_no}, $world{appointment_id});
    $world{channel_id} = $one->(q{INSERT INTO appt.notification_channel
        (channel_id, kind, settings, active) VALUES ($1, 'sms', $2, false)
        RETURNING channel_id}, "sms-$branch",
        '{"url": "https://sms.example/", "body": {}}');
    $world{notification_template_id} = $one->(q{INSERT INTO
        appt.notification_template (event, channel, language, body)
        VALUES ('booked', 'sms', $1, 'Text') RETURNING notification_template_no},
        $branch eq $mine ? 'de' : 'it');
    return \%world;
}
