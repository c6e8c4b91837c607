#!/usr/bin/perl
#
# Staff sign in: what is right, what is refused and that both take the same
# way; the cookie and what guards it; how a sign-in ends; one-time codes.

use strict;
use warnings;
use Test::More;
use Appt::Clinic;
use Appt::Http;
use Appt::Program;
use Appt::SignIn;
use Appt::Util qw(run_command wait_for slurp);
use JSON::PP ();

my $clinic  = Appt::Clinic->new(clock => '2026-03-16T07:00:00+05:30');
my $cluster = $clinic->cluster;
my $url     = $clinic->gateway->url;
my $session = '/api/v1/auth/session';
my $probe   = '/api/v1/branches';

# ---- right and wrong ----------------------------------------------------------

my $asha = Appt::SignIn::account($clinic, account => 'asha', name => 'Asha Rao',
    role => 'reception', branch_ids => ['MUM-01']);
my $desk = Appt::SignIn->new($url, %$asha);
my $r = $desk->answer;
is($r->{status}, 200, 'who is right is let in') or diag $r->{body};
is_deeply([ @{ $r->{json} }{qw(staff_id account name role branch_ids doctor_id
        language idle_timeout_min totp_enrolled totp_required)} ],
    [ $asha->{staff_id}, 'asha', 'Asha Rao', 'reception', ['MUM-01'], undef,
        'en', 30, JSON::PP::false(), JSON::PP::false() ],
    'and told who it is');
like($r->{headers}{'set-cookie'}[0],
    qr/^bioecko_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    'by a cookie that no script reads and no other site sends');
like($r->{headers}{'set-cookie'}[1],
    qr/^bioecko_device_[0-9a-f]{8}=[\w-]{65}; Max-Age=7776000; HttpOnly; SameSite=Strict$/,
    'beside one by which the browser is known, for three months');
is($r->{headers}{'cache-control'}, 'no-store', 'and nobody stores');
is(Appt::SignIn->new($url, %$asha, account => 'ASHA')->answer->{status}, 200,
    'capital letters do not matter');

my $wrong = Appt::SignIn->new($url, %$asha, password => 'something else')->answer;
my $none  = Appt::SignIn->new($url, %$asha, account => 'nobody')->answer;
is_deeply([ @$wrong{qw(status)}, $wrong->{json}{code} ],
    [ 401, 'invalid_credentials' ], 'a wrong password');
is_deeply([ map { $_->{json}{$_[0] // 'detail'} } $wrong, $none ],
    [ ($wrong->{json}{detail}) x 2 ], 'and an account that is none look alike');
is_deeply([ sort keys %{ $none->{headers} } ], [ sort keys %{ $wrong->{headers} } ],
    'to the headers');
is($desk->sign_in(account => 'asha')->{json}{code}, 'invalid_request',
    'a missing password');
is($desk->sign_in(%$asha, header => { 'Content-Type' => 'text/plain' })->{status},
    415, 'what a form of another site could send is not taken');
is($desk->sign_in(%$asha, header => { 'Sec-Fetch-Site' => 'cross-site' })
    ->{json}{code}, 'csrf_token_invalid', 'nor what a page of another site asks');
is($desk->sign_in(%$asha, header => { Origin => 'https://evil.example' })
    ->{json}{code}, 'csrf_token_invalid', 'by Origin, too');
is($desk->sign_in(%$asha, header => { Origin => $url })->{status}, 200,
    'a page of our own is let in');

# ---- who calls ----------------------------------------------------------------

is($desk->get($probe)->{status}, 200, 'the cookie is good for a call');
is_deeply([ map { $_->{branch_id} } @{ $desk->get($probe)->{json} } ],
    ['MUM-01'], 'and shows what the person may see');
is($desk->get('/api/v1/clients')->{json}{code}, 'insufficient_scope',
    'not what the role does not have');
my $http = $clinic->http;
is($http->get('/api/v1/clients', undef, { Cookie => $desk->cookie })->{status},
    200, 'beside a token the token decides');
is($http->get($probe, undef, { Authorization => 'Bearer x',
        Cookie => $desk->cookie })->{json}{code}, 'invalid_token',
    'a bad one, too');
my $state = $desk->get($session);
is($state->{status}, 200, 'who is signed in');
is($state->{json}{csrf_token}, $desk->answer->{json}{csrf_token},
    'has the same second token');
for my $bad ('', 'x', 'a' x 43, ('a' x 42) . '%') {
    my $cookie = { Cookie => "bioecko_session=$bad" };
    is($desk->get($session, undef, $cookie)->{json}{code}, 'invalid_session',
        "nobody with the cookie '$bad'");
    is($desk->get($probe, undef, $cookie)->{status}, 401, 'nor a call');
}
is($desk->get($probe, undef, { Cookie => join '; ', 'other=1', $desk->cookie,
        'more="x y"' })->{status}, 200, 'among other cookies');
is($desk->get($probe, undef, { Cookie => join '; ', ($desk->cookie) x 2 })
    ->{status}, 401, 'twice is none');

# ---- the second token ------------------------------------------------------------

my %who = (patient_id => $cluster->value(q{SELECT min(patient_id)
    FROM appt.patient WHERE branch_id = 'MUM-01'}), doctor_id => 'DOC-001',
    branch_id => 'MUM-01');
my $slots = $desk->get('/api/v1/appointments/slots', { doctor_id => 'DOC-001',
    branch_id => 'MUM-01', date => '2026-03-17' })->{json};
my %when = (slot_start => $slots->[0]{start_time},
    slot_end => $slots->[0]{end_time});
my $before = $clinic->fingerprint;
for my $case (
    [ 'without it', { 'X-CSRF-Token' => undef } ],
    [ 'with another', { 'X-CSRF-Token' => 'a' x 64 } ],
    [ 'from another site', { 'Sec-Fetch-Site' => 'cross-site' } ],
    [ 'from another host of the domain', { 'Sec-Fetch-Site' => 'same-site' } ],
    [ 'from another origin', { Origin => 'http://127.0.0.1.evil.example' } ],
    [ 'from a host that ours begins with', { Origin => 'http://127.0.0' } ],
    [ 'from none', { Origin => 'null' } ])
{
    my ($name, $header) = @$case;
    $r = $desk->post('/api/v1/appointments', { %who, %when }, $header);
    is_deeply([ $r->{status}, $r->{json}{code} ], [ 403, 'csrf_token_invalid' ],
        "a booking $name");
}
is($clinic->fingerprint, $before, 'left nothing');
$r = $desk->post('/api/v1/appointments', { %who, %when },
    { Origin => $url, 'Sec-Fetch-Site' => 'same-origin' });
is($r->{status}, 201, 'with it the booking is made') or diag $r->{body};
my $history = $desk->get("/api/v1/appointments/$r->{json}{appointment_id}/history")
    ->{json};
is($history->[0]{actor}, 'staff:asha', 'and its history names the person');
$r = $desk->post('/api/v1/appointments', { %who, %when }, { 'Idempotency-Key' => 'k' });
is($r->{json}{reason}, 'taken', 'other refusals are as ever');

# ---- how it ends ------------------------------------------------------------------

my $other = Appt::Gateway->new(cluster => $cluster, env => { APPT_LOOPS => 2 });
my $there = Appt::SignIn->new($other->url);
$there->{cookie} = $desk->cookie;
is($there->get($probe)->{status}, 200, 'another gateway knows it at once');
is($desk->delete($session)->{status}, 204, 'signed out');
is($desk->cookie, 'bioecko_session=', 'the cookie is gone');
is($there->get($probe)->{json}{code}, 'invalid_session', 'and good nowhere');
is($desk->delete($session)->{status}, 204, 'once more is no fault');

sub ends {
    my ($name, $sql, $then) = @_;
    $desk->sign_in(%$asha);
    $there->{cookie} = $desk->cookie;
    is($there->get($probe)->{status}, 200, "before: $name");
    $cluster->psql($sql);
    is($there->get($probe)->{json}{code}, 'invalid_session', "$name: it ended");
    is($desk->get($session)->{json}{code}, 'invalid_session', 'for all');
    $cluster->psql($then) if $then;
}
my $idle = q{UPDATE appt.staff_sign_in SET last_used_at = last_used_at
    - interval '%d minutes'};
ends('unused for half an hour', sprintf $idle, 31);
$cluster->psql(q{INSERT INTO appt.setting (name, value) VALUES ('staff_idle_min', '5')});
ends('as long as is set', sprintf $idle, 6);
$cluster->psql(q{UPDATE appt.setting SET value = '480' WHERE name = 'staff_idle_min'});
ends('after twelve hours, however it is used',
    q{UPDATE appt.staff_sign_in SET expires_at = clock_timestamp()});
$cluster->psql(q{DELETE FROM appt.setting WHERE name = 'staff_idle_min'});
ends('disabled', q{UPDATE appt.staff SET active = false WHERE account = 'asha'},
    q{UPDATE appt.staff SET active = true WHERE account = 'asha'});
ends('another role', q{UPDATE appt.staff SET role = 'admin' WHERE account = 'asha'},
    q{UPDATE appt.staff SET role = 'reception' WHERE account = 'asha'});

$desk->sign_in(%$asha);
$cluster->psql(sprintf $idle, 20);
my $soon = $desk->get($session)->{json}{idle_expires_at};
is($desk->get($session)->{json}{idle_expires_at}, $soon,
    'to ask for it is no use of it');
$desk->get($probe);
isnt($desk->get($session)->{json}{idle_expires_at}, $soon, 'a call is');

# ---- one's own password -------------------------------------------------------------

$there->sign_in(%$asha);
$r = $desk->post("$session/password", { old_password => 'something else',
    new_password => 'correct horse battery' });
is_deeply([ $r->{status}, $r->{json}{code} ], [ 401, 'invalid_credentials' ],
    'a new password needs the old one');
for my $bad ([ 'short' => 'elevenchars' ], [ 'common' => 'password1234' ],
    [ 'common, too' => 'Welcome2Hospital!' ], [ 'digits' => '1234567890123' ],
    [ 'a rhythm' => 'xyxyxyxyxyxyxy' ], [ 'long' => 'x y' x 67 ])
{
    $r = $desk->post("$session/password", { old_password => $asha->{password},
        new_password => $bad->[1] });
    is_deeply([ $r->{status}, map { $_->{field} } @{ $r->{json}{errors} } ],
        [ 400, 'new_password' ], "a bad new one: $bad->[0]");
}
my $old_cookie = $desk->cookie;
$r = $desk->post("$session/password", { old_password => $asha->{password},
    new_password => 'correct horse battery' });
is($r->{status}, 200, 'another password') or diag $r->{body};
isnt($desk->cookie, $old_cookie, 'and another cookie');
is($desk->get($probe)->{status}, 200, 'which is good');
is($desk->get($probe, undef, { Cookie => $old_cookie })->{status}, 401,
    'the old one is not');
is($there->get($probe)->{status}, 401, 'nor any other');
is(Appt::SignIn->new($url, %$asha)->answer->{status}, 401,
    'the old password is gone');
$asha->{password} = 'correct horse battery';
is(Appt::SignIn->new($url, %$asha)->answer->{status}, 200, 'the new one is');
like($cluster->value(q{SELECT password_hash FROM appt.staff WHERE account = 'asha'}),
    qr/^\$y\$j9T\$/, 'kept as yescrypt has it');

# ---- one-time codes --------------------------------------------------------------------

sub codes_of {
    my ($secret, $when) = @_;
    my ($status, $out) = run_command([ 'oathtool', '--totp', '-b', $secret,
        '-N', '@' . $when ]);
    return $out =~ /(\d{6})/ ? $1 : die "oathtool: $out";
}

$desk->sign_in(%$asha);
is($desk->post("$session/totp/confirm", { code => '123456' })->{json}{code},
    'invalid_transition', 'nothing to be confirmed yet');
my $begun = $desk->post("$session/totp")->{json};
like($begun->{secret}, qr/^[A-Z2-7]{32}$/, 'a key of 160 bits');
like($begun->{otpauth_url}, qr{^otpauth://totp/bioecko_appt:asha\?secret=$begun->{secret}&},
    'as a URL');
like($begun->{qr_svg}, qr{^<svg xmlns="[^"]+" viewBox="[\d ]+".*</svg>$}, 'and as an image');
is(Appt::SignIn->new($url, %$asha)->answer->{status}, 200,
    'it does not count yet');
is($desk->post("$session/totp/confirm", { code => '000000' })->{json}{code},
    'invalid_credentials', 'a wrong code')
    if codes_of($begun->{secret}, time) ne '000000';
my $now = time;
$r = $desk->post("$session/totp/confirm", { code => codes_of($begun->{secret}, $now) });
is($r->{status}, 200, 'oathtool reads the key as we do') or diag $r->{body};
my @recovery = @{ $r->{json}{recovery_codes} };
is(scalar(grep { /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/ } @recovery), 10, 'ten recovery codes');
is($desk->post("$session/totp")->{json}{code}, 'invalid_transition',
    'another key only after a reset');

my %with = (%$asha);
my $guest = Appt::SignIn->new($url);
is_deeply([ @{ $guest->sign_in(%with) }{status}, $guest->answer->{json}{code} ],
    [ 401, 'totp_required' ], 'from now on a code is missing');
is($guest->sign_in(%with, password => 'something else')->{json}{code},
    'invalid_credentials', 'who has no password is not told');
is($guest->sign_in(%with, code => codes_of($begun->{secret}, $now))->{json}{code},
    'invalid_credentials', 'the code that confirmed is used up');
my $next = codes_of($begun->{secret}, $now + 30);
is($guest->sign_in(%with, code => $next)->{status}, 200, 'the next is good')
    or diag $guest->answer->{body};
is($guest->sign_in(%with, code => $next)->{json}{code}, 'invalid_credentials', 'once');
is($guest->sign_in(%with, code => codes_of($begun->{secret}, $now - 300))
    ->{json}{code}, 'invalid_credentials', 'an old one is not');
is($guest->sign_in(%with, code => lc $recovery[3] =~ s/-/ /gr)->{status}, 200,
    'a recovery code stands for one');
is($guest->sign_in(%with, code => $recovery[3])->{json}{code}, 'invalid_credentials',
    'once');
is($guest->sign_in(%with, code => $recovery[4])->{status}, 200, 'the others are left');

is($guest->get($session)->{json}{recovery_codes_left}, 8, 'eight, which is told');
my $renew = "$session/recovery-codes";
$r = $guest->post($renew, { password => 'something else' });
is_deeply([ $r->{status}, $r->{json}{code} ], [ 401, 'invalid_credentials' ],
    'new ones need the password');
is($guest->post($renew, { password => $asha->{password} }, { 'X-CSRF-Token' => undef })
    ->{json}{code}, 'csrf_token_invalid', 'and a page of our own');
is($guest->get($session)->{json}{recovery_codes_left}, 8, 'else nothing is lost');
$r = $guest->post($renew, { password => $asha->{password} });
is($r->{status}, 200, 'with it they are made') or diag $r->{body};
my @renewed = @{ $r->{json}{recovery_codes} };
is_deeply([ scalar @renewed, scalar grep { my $one = $_; grep { $_ eq $one } @recovery }
    @renewed ], [ 10, 0 ], 'ten others');
is($guest->get($session)->{json}{recovery_codes_left}, 10, 'ten are left');
is($cluster->value(q{SELECT count(*) FROM appt.staff_audit WHERE account = 'asha'
    AND action = 'recovery_codes_renewed' AND actor = 'staff:asha'
    AND address IS NOT NULL}), 1, 'which is on record');
is($guest->sign_in(%with, code => $recovery[5])->{json}{code}, 'invalid_credentials',
    'those of before have ended');
is($guest->sign_in(%with, code => $renewed[0])->{status}, 200, 'the new ones are good');

my $boss = Appt::SignIn::account($clinic, account => 'boss');
my $admin = Appt::SignIn->new($url, %$boss);
is($admin->post($renew, { password => $boss->{password} })->{json}{code},
    'invalid_transition', 'who has no one-time codes gets none');
is($admin->post("/api/v1/staff/$asha->{staff_id}/reset-totp")->{json}{totp_enrolled},
    JSON::PP::false(), 'who manages staff resets it');
is($guest->sign_in(%with)->{status}, 200, 'and the password is enough');

$cluster->psql(q{INSERT INTO appt.setting (name, value) VALUES ('totp_roles', 'admin, reception')});
$guest->sign_in(%with);
is_deeply([ @{ $guest->answer->{json} }{qw(scopes totp_required totp_enrolled)} ],
    [ [], JSON::PP::true(), JSON::PP::false() ],
    'where the role needs codes, nothing may be done without');
is($guest->get($probe)->{json}{code}, 'insufficient_scope', 'not one call');
$begun = $guest->post("$session/totp")->{json};
is($guest->post("$session/totp/confirm",
    { code => codes_of($begun->{secret}, time) })->{status}, 200, 'but to begin');
is($guest->get($probe)->{status}, 200, 'and then all');
$cluster->psql(q{DELETE FROM appt.setting});

# ---- who tries too often -------------------------------------------------------------------

my $third = Appt::SignIn::account($clinic, account => 'third');
my @said = map { $guest->sign_in(%$third, password => 'something else')->{status} } 1 .. 12;
is_deeply([ @said[ 0, 9, 10 ] ], [ 401, 401, 429 ], 'ten wrong passwords a minute')
    or diag "@said";
ok($guest->answer->{headers}{'retry-after'}, 'says when to try again');
is(Appt::SignIn->new($url, %$boss)->answer->{status}, 200,
    'others of the same address are not kept out');
is(Appt::SignIn->new($other->url, %$third)->answer->{status}, 200,
    'nor is the account, elsewhere');

# Somebody behind the clinic's one address tries at an account: who has signed
# in to it with that browser before is not kept out, and is counted alone.
my $fourth = Appt::SignIn::account($clinic, account => 'fourth');
my ($known, $second) = map { Appt::SignIn->new($url, %$fourth) } 1, 2;
my $stranger = Appt::SignIn->new($url);
sub tries {
    my ($browser, $who, $times) = @_;
    return join ' ', map { $browser->sign_in(%$who, password => 'something else')
        ->{status} } 1 .. $times;
}
is(tries($stranger, $fourth, 11), '401 ' x 10 . '429', 'somebody else tries');
is($stranger->sign_in(%$fourth)->{status}, 429,
    'the right password of a browser that is not known has to wait');
is($known->sign_in(%$fourth)->{status}, 200, 'of one that is, it does not');
is(tries($known, $fourth, 11), '401 ' x 10 . '429', 'wrong ones count there as well');
is($known->sign_in(%$fourth)->{status}, 429, 'and have it wait');
is($second->sign_in(%$fourth)->{status}, 200, 'but no other that is known');

my ($cookie) = values %{ $second->known };
my ($name)   = keys %{ $second->known };
my ($bosses) = values %{ Appt::SignIn->new($url, %$boss)->known };
for my $bad ([ 'another account\'s' => $bosses ], [ 'a made up one' => 'a' x 65 ],
    [ 'a changed name' => 'A' . substr $cookie, 1 ], [ 'half of one' => substr $cookie, 30 ],
    [ 'none' => '' ])
{
    my $forger = Appt::SignIn->new($url);
    $forger->known->{$name} = $bad->[1];
    is($forger->sign_in(%$fourth)->{status}, 429, "nor by $bad->[0]")
}
$r = $second->post("$session/password", { old_password => $fourth->{password},
    new_password => 'correct horse battery' });
is($r->{status}, 200, 'another password');
isnt($second->known->{$name}, $cookie, 'has the browser known anew');
$fourth->{password} = 'correct horse battery';
is($second->sign_in(%$fourth)->{status}, 200, 'by which it signs in');
$second->known->{$name} = $cookie;
is($second->sign_in(%$fourth)->{status}, 429, 'and no more by the one of before');
is($second->get($probe, undef, { Cookie => "$name=$cookie" })->{status}, 401,
    'nobody is signed in by it');

# ---- nothing of it is in a log ----------------------------------------------------------------

my $log = slurp($clinic->gateway->{log}) . slurp($cluster->{log});
is_deeply([ grep { index($log, $_) >= 0 } $asha->{password}, 'something else',
    $begun->{secret}, $recovery[4], $renewed[0], $desk->cookie =~ /=(.+)/, ], [],
    'no password, key, code or cookie is in a log');
like($log, qr/"wrong password".*"staff_id":"$third->{staff_id}"/,
    'a wrong password is, by the id of the account');

done_testing();
