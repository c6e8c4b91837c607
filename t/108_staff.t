#!/usr/bin/perl
#
# Staff: what each role may, call by call; who may make, change and delete whose
# account; the first account; who is signed in, and out again, also of a stream;
# the cookie over HTTPS.

use strict;
use warnings;
use Test::More;
use Appt::Matrix;
use Appt::SignIn;
use Appt::Util qw(patience run_command);
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time);

my $matrix  = Appt::Matrix->new;
my $clinic  = $matrix->clinic;
my $cluster = $clinic->cluster;
my $url     = $clinic->gateway->url;
my $staff   = '/api/v1/staff';

sub signed_in {
    my (%arg) = @_;
    my $account = Appt::SignIn::account($clinic, %arg);
    my $who = Appt::SignIn->new($arg{url} // $url, %$account);
    $who->{$_} = $account->{$_} for qw(staff_id account password);
    return $who;
}

# ---- roles and calls ----------------------------------------------------------

my %role = (admin => signed_in(role => 'admin'),
    reception => signed_in(role => 'reception'),
    doctor => signed_in(role => 'doctor', doctor_id => 'DOC-001'));
my %scopes = map { $_ => { map { $_ => 1 } @{ $role{$_}->answer->{json}{scopes} } } }
    keys %role;
is_deeply([ grep { !$scopes{admin}{$_} } map { $_->{scope} || () } $matrix->routes ],
    [], 'an admin has every scope that there is');
is_deeply([ grep { !$scopes{admin}{$_} } map { keys %$_ } values %scopes ], [],
    'and the others none besides');
my %wrong;
for my $route (grep { $_->{scope} } $matrix->routes) {
    for my $name (sort keys %role) {
        # Nothing is asked for in earnest: who may is told what is missing.
        my $r = $matrix->send($role{$name}, $route,
            { map { $_->{from} eq 'path' ? ($_->{name} => 'none-such') : () }
                @{ $route->{args} } });
        my $refused = $r->{status} == 403 && $r->{json}{code} eq 'insufficient_scope'
            && ($r->{headers}{'www-authenticate'} // '') =~ /scope=/;
        push @{ $wrong{$name} }, "$route->{name}: $r->{status}"
            if $r->{status} == 401 || ($refused xor !$scopes{$name}{ $route->{scope} });
    }
}
is_deeply($wrong{$_} // [], [], "$_: just the calls of the role") for sort keys %role;

# ---- who it was ---------------------------------------------------------------

$cluster->psql(q{SELECT appt.create_webhook(url => 'https://example.com/all')});
my $patient = $role{reception}->post('/api/v1/patients',
    { first_name => 'Tara', branch_id => 'MUM-01' })->{json}{patient_id};
$clinic->http->patch("/api/v1/patients/$patient", { first_name => 'Sara' });
is_deeply([ map { $_->{actor} } @{ $cluster->query(q{SELECT actor FROM appt.event
    JOIN appt.patient USING (patient_no) WHERE patient_id = $1
    ORDER BY event_no}, $patient) } ], [ "staff:$role{reception}{account}",
    "client:$clinic->{client}{client_id}" ], 'a change of a patient names who made it');

# ---- accounts -------------------------------------------------------------------

my $boss = $role{admin};
my $phrase = 'a long enough phrase';
my $made = $boss->post($staff, { account => 'Meera', name => 'Meera Shah',
    role => 'reception', branch_ids => ['MUM-01'], password => $phrase });
is_deeply([ $made->{status}, @{ $made->{json} }{qw(account role active version)} ],
    [ 201, 'meera', 'reception', JSON::PP::true(), 1 ], 'an account');
unlike($made->{body}, qr/\Q$phrase\E|\$y\$/, 'without a word of its password');
my $at = "$staff/$made->{json}{staff_id}";
my $meera = Appt::SignIn->new($url, account => 'meera', password => $phrase);
is($meera->answer->{status}, 200, 'signs in');
my @refused = (
    [ 'a name that is there', 409, undef, account => 'MEERA' ],
    [ 'a short password', 400, 'password', password => 'short' ],
    [ 'a common one', 400, 'password', password => 'qwertyuiop12' ],
    [ 'no password', 400, 'password', password => undef ],
    [ 'a role that is none', 400, 'role', role => 'king' ],
    [ 'a doctor without one', 400, 'doctor_id', role => 'doctor' ],
    [ 'a desk with one', 400, 'doctor_id', doctor_id => 'DOC-001' ],
    [ 'a doctor who is none', 422, 'doctor_id', role => 'doctor', doctor_id => 'DOC-999' ],
    [ 'a branch that is none', 422, 'branch_ids', branch_ids => ['PAR-01'] ],
    [ 'a department that is none', 422, 'department_ids', department_ids => ['ASTRO'] ],
    [ 'no department at all', 400, 'department_ids', department_ids => [] ],
    [ 'an admin of one', 400, 'department_ids', role => 'admin',
        department_ids => ['CARD'] ],
    [ 'a name with a blank', 400, 'account', account => 'a b' ]);
for my $case (@refused) {
    my ($what, $status, $field, %change) = @$case;
    my $r = $boss->post($staff, { account => 'other', name => 'Other',
        role => 'reception', password => $phrase, %change });
    is_deeply([ $r->{status}, $r->{json}{errors}[0]{field} ],
        [ $status, $status == 409 ? 'account' : $field ], $what) or diag $r->{body};
}
my $r = $boss->patch($at, { role => 'doctor', doctor_id => 'DOC-001' },
    { 'If-Match' => '"7"' });
is($r->{status}, 412, 'a stale version');
$r = $boss->patch($at, { role => 'doctor', doctor_id => 'DOC-001' });
is($r->{json}{doctor_id}, 'DOC-001', 'another role') or diag $r->{body};
is($meera->get('/api/v1/branches')->{status}, 401, 'signs the person out');
is($boss->patch($at, { role => 'reception' })->{json}{doctor_id}, undef,
    'and back, without the doctor');
is($boss->post("$at/password", { password => 'another enough phrase' })->{status},
    204, 'another password');
is($meera->sign_in(account => 'meera', password => $phrase)->{status}, 401,
    'the old one is gone');
is($meera->sign_in(account => 'meera', password => 'another enough phrase')
    ->{status}, 200, 'the new one counts');

# ---- nobody gives what he has not, nor takes the last key away ---------------------

my $own = "$staff/$boss->{staff_id}";
is($boss->patch($own, { role => 'reception' })->{status}, 403, 'not the own role');
is($boss->delete($own)->{status}, 403, 'nor the own account');
is($boss->patch($own, { name => 'The boss' })->{status}, 200, 'but the own name');
my $manager = $matrix->client(name => 'm', scopes => ['staff:manage']);
is($manager->patch($own, { active => JSON::PP::false() })->{status}, 403,
    'a client that may do less changes no admin');
is($manager->post("$own/password", { password => $phrase })->{status}, 403,
    'and takes nobody over');
is($manager->post($staff, { account => 'x', name => 'x', role => 'admin',
    password => $phrase })->{json}{errors}[0]{field}, 'role', 'nor makes one');
is($clinic->http->patch($own, { active => JSON::PP::false() })->{json}{code},
    'in_use', 'the last admin stays');
is($clinic->http->delete($own)->{json}{code}, 'in_use', 'undeleted, too');
my $london = signed_in(role => 'admin', branch_ids => ['LON-01']);
is_deeply([ map { $_->{account} } @{ $london->get($staff)->{json} } ],
    [ $london->{account} ], 'an admin of a branch sees its staff alone');
is($london->get($at)->{status}, 404, 'others are not there');
$r = $london->post($staff, { account => 'x', name => 'x', role => 'reception',
    password => $phrase });
is($r->{json}{errors}[0]{field}, 'branch_ids', 'and makes none for all branches');

# ---- an account's audit trail ------------------------------------------------------

my $trail = $boss->get("$at/audit");
is_deeply([ map { $_->{action} } @{ $trail->{json} } ], [ qw(new_device signed_in
    password_set updated updated signed_in created) ], 'what was done to and with an account')
    or diag $trail->{body};
is_deeply([ map { [ @$_{qw(actor address detail)} ] } @{ $trail->{json} }[ 0 .. 3 ] ],
    [ ([ 'staff:meera', '127.0.0.1', undef ]) x 2, [ "staff:$boss->{account}", undef, undef ],
        [ "staff:$boss->{account}", undef, 'doctor_id, role' ] ],
    'by whom, from where, what');
like($trail->{json}[0]{at}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}(?:[.]\d{3})?\+00:00$/, 'when');
$r = $boss->get("$at/audit", { page => 2, per_page => 4 });
is_deeply($r->{json}, [ @{ $trail->{json} }[ 4 .. 6 ] ], 'a page of it');
unlike($r->{headers}{link}, qr/rel="next"/, 'the last');
is($boss->get("$at/audit", { per_page => 101 })->{json}{errors}[0]{field}, 'per_page',
    'a page has its bounds');
is($london->get("$at/audit")->{status}, 404, 'of another branch\'s nothing');
is($london->get("$staff/$london->{staff_id}/audit")->{json}[0]{action}, 'signed_in',
    'of the own branch\'s all');
is($role{reception}->get("$at/audit")->{status}, 403, 'and a desk nothing');

is($boss->delete($at)->{status}, 204, 'deleted');
is($boss->get("$at/audit")->{status}, 404, 'then it is for the DBA to read');
is($meera->get('/api/v1/branches')->{status}, 401, 'and signed out');
is($boss->get($at)->{status}, 404, 'gone');
is($boss->post($staff, { account => 'meera', name => 'Another', role => 'reception',
    password => $phrase })->{status}, 409, 'and nobody else is given the name');
is_deeply([ map { $_->{action} } @{ $cluster->query(q{SELECT action
    FROM appt.staff_audit WHERE account = 'meera' AND actor = $1
    ORDER BY staff_audit_no}, "staff:$boss->{account}") } ],
    [ qw(created updated updated password_set deleted) ], 'all of it is on record');

# ---- who is signed in ----------------------------------------------------------------

my $desk = $role{reception};
my ($entry) = grep { $_->{staff_id} eq $desk->{staff_id} }
    @{ $boss->get("$staff/sessions", { per_page => 100 })->{json} };
is_deeply([ @$entry{qw(account address user_agent)} ],
    [ $desk->{account}, '127.0.0.1', 'appt-test' ], 'who, from where, with what');
unlike(JSON::PP->new->encode($entry), qr/hash|token/, 'and no token');

# A stream ends when its listener is signed out.
my ($port) = $url =~ /:(\d+)/;
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5);
print {$socket} join "\r\n", 'GET /api/v1/events HTTP/1.1', 'Host: x',
    'Accept: text/event-stream', 'Cookie: ' . $desk->cookie, '', '';
my $first = <$socket>;
like($first, qr/ 200 /, 'a page listens with its cookie');
is($boss->delete("$staff/sessions/$entry->{sign_in_id}")->{status}, 204,
    'somebody is signed out');
is($desk->get('/api/v1/branches')->{json}{code}, 'invalid_session', 'at once');
my $from = time;
$SIG{ALRM} = sub { die "the stream goes on\n" };
alarm 20;
my $line = '';
$line = readline $socket while defined $line && $line !~ /^0\r/;    # the last chunk
alarm 0;
cmp_ok(time - $from, '<', patience(10), 'and hears nothing more');
is($boss->delete("$staff/sessions/$entry->{sign_in_id}")->{status}, 404, 'once');

# ---- the first account -----------------------------------------------------------------

sub new_admin {
    my ($account, $password) = @_;
    return run_command([ 'env', 'APPT_DSN=' . $cluster->dsn(user => 'bioecko_gateway'),
        Appt::Gateway->binary, "--new-admin=$account" ], "$password\n");
}

my ($code, $out, $err) = new_admin('first', $phrase);
is_deeply([ $code, $out ], [ 0, "first\n" ], '--new-admin') or diag $err;
is(Appt::SignIn->new($url, account => 'first', password => $phrase)
    ->answer->{json}{role}, 'admin', 'signs in as one');
($code, $out, $err) = new_admin('first', $phrase);
isnt($code, 0, 'not twice');
like($err, qr/account "first" is there already/, 'and says why');
($code, $out, $err) = new_admin('second', 'short');
like($err, qr/from 12 to 200 characters/, 'a short password is refused');
unlike($out . $err, qr/short/, 'and not shown');

# ---- many at once, one hash at a time -------------------------------------------------

my $narrow = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_PASSWORD_THREADS => 1 });
my @many = map { Appt::SignIn::account($clinic, role => 'reception') } 1 .. 12;
my %child;
for my $who (@many) {
    my $pid = fork // die "fork: $!\n";
    $child{$pid} = 1 if $pid;
    next if $pid;
    my $status = eval { Appt::SignIn->new($narrow->url, %$who)->answer->{status} };
    POSIX::_exit(($status // 0) == 200 ? 0 : 1);
}
my $in = 0;
$in += waitpid($_, 0) == $_ && $? == 0 for keys %child;
is($in, 12, 'all who come at once are let in, one after the other');

# ---- over HTTPS -------------------------------------------------------------------------

my $proxied = Appt::Gateway->new(cluster => $cluster,
    env => { APPT_TOKEN_ISSUER => 'https://clinic.example' });
my $secure = Appt::SignIn->new($proxied->url, account => 'first', password => $phrase);
like($secure->answer->{headers}{'set-cookie'}[0],
    qr/^__Host-bioecko_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    'behind HTTPS the cookie is for that alone');
is($secure->get('/api/v1/branches')->{status}, 200, 'and good');
is($secure->get('/api/v1/branches', undef, { Cookie => $secure->cookie
    =~ s/^__Host-//r })->{status}, 401, 'by that name only');

done_testing();
