#!/usr/bin/perl
#
# Who may do what with webhooks in SQL, what is refused and how; and the JSON
# forms that the gateway calls.

use strict;
use warnings;
use Test::More;
use Appt::Deliveries qw(clinic bulk_events);
use Appt::Util qw(wait_for);
use JSON::PP ();
use POSIX ();

my $clinic  = clinic();
my $cluster = $clinic->cluster;
my $json    = JSON::PP->new->canonical;
my $url     = 'https://receiver.example/hook';
my $webhook = $cluster->row('SELECT * FROM appt.create_webhook($1)', $url);
my $id      = $webhook->{webhook_id};

# The SQLSTATE of a statement for a role, '' when it works.
sub state_as {
    my ($user, $sql) = @_;
    my (undef, undef, $error) = $cluster->try_psql(
        "\\set VERBOSITY verbose\n$sql", user => $user);
    return $error =~ /(?:ERROR|FATAL):\s+(\w{5}):/ ? $1 : '';
}

# The refusal of a statement: SQLSTATE and column.
sub refusal {
    my ($sql, @bind) = @_;
    my $dbh = $cluster->connect;
    eval { $dbh->selectall_arrayref($sql, {}, @bind); 1 } and return 'none';
    return join ' ', grep {defined} $dbh->state,
        $dbh->pg_error_field('column');
}

# An appt_api function's row with its body decoded.
sub api {
    my ($sql, @bind) = @_;
    my $row = $cluster->row("SELECT * FROM appt_api.$sql", @bind);
    $row->{body} = $json->decode($row->{body}) if defined $row->{body};
    return $row;
}

subtest 'the secrets are nobody\'s to read' => sub {
    for my $user (qw(bioecko_relay bioecko_gateway bioecko_admin)) {
        is(state_as($user, 'SELECT * FROM appt.webhook_secret'), '42501',
            "$user: not the table");
        is(state_as($user, 'SELECT appt_internal.webhook_secrets(1)'), '42501',
            "$user: not by the function beneath");
    }
    my $claim = 'SELECT * FROM appt_relay.claim_deliveries(1, 10)';
    is(state_as('bioecko_relay', $claim), '', 'the relay claims');
    is(state_as($_, $claim), '42501', "$_ does not")
        for qw(bioecko_gateway bioecko_admin);
};

subtest 'each role has its own functions and no others' => sub {
    my %may = (
        'SELECT * FROM appt_relay.record_attempts(' . join(', ', ("'{}'") x 10) . ')'
            => 'relay',
        "SELECT * FROM appt_relay.release_deliveries('{}', '{}')" => 'relay',
        'SELECT * FROM appt_relay.tick()' => 'relay',
        'SELECT * FROM appt_relay.stats()' => 'relay admin',
        "SELECT * FROM appt.create_webhook('$url')" => 'admin',
        "SELECT appt.enable_webhook('$id')" => 'admin',
        "SELECT appt.replay('$id', now())" => 'admin',
        'SELECT * FROM appt.delivery' => 'admin',
        'SELECT * FROM appt.webhook' => 'admin',
        "SELECT * FROM appt_api.list_webhooks(NULL)" => 'gateway',
        "SELECT * FROM appt_api.get_webhook('$id', NULL)" => 'gateway',
    );
    for my $sql (sort keys %may) {
        for my $role (qw(relay gateway admin)) {
            my $state = state_as("bioecko_$role", $sql);
            my $allowed = grep { $_ eq $role } split / /, $may{$sql};
            is($state, $allowed ? '' : '42501',
                "$role " . ($allowed ? 'may: ' : 'may not: ') . $sql);
        }
    }
};

subtest 'what cannot be a webhook is refused by its field' => sub {
    my $create = 'SELECT * FROM appt.create_webhook(url => $1)';
    is(refusal($create, $_), 'SB001 url', 'URL ' . ($_ // 'NULL')) for
        (undef, '', 'receiver.example', 'ftp://receiver.example/',
        'http://receiver.example/', 'http://8.8.8.8.example/',
        'https://', 'https:///x', 'https://u:p@receiver.example/',
        'https://receiver.example/#x', 'https://receiver.example:0/',
        'https://receiver.example:65536/', "https://receiver.example/\n",
        'https://receiver.example/a b', 'https://[::1/', 'javascript:x',
        'https://receiver.example/' . 'x' x 2048);
    is(refusal($create, $_), 'none', "URL $_") for
        ('https://receiver.example', 'https://receiver.example:8443/a?b=c',
        'https://[2001:db8::1]/', 'http://127.0.0.1:9000/',
        'http://localhost/', 'http://receiver/', 'http://r.internal/x',
        'HTTPS://Receiver.example/', 'https://my_host.example/',
        'https://xn--bcher-kva.example/', 'HTTP://LOCALHOST/',
        'https://receiver.example./', 'https://' . 'x' x 63 . '.example/');
    my %why = (
        'HTTP://receiver.example/' => qr/must be https/,
        'ftp://receiver.example/' => qr/must begin with https/,
        'HTTPS://u:p@receiver.example/' => qr/User name and password/,
        "https://b\x{fc}cher.example/" => qr/xn--bcher-kva\.example/,
        "https://receiver.example/b\x{fc}cher" => qr/%C3%BC/,
        'https://receiver.example/a b' => qr/%20/,
        'https://receiver.example:65536/' => qr/port/,
        'https://receiver..example/' => qr/each part of it 1 to 63/,
        'https://' . 'x' x 64 . '.example/' => qr/each part of it 1 to 63/,
        'https://' . 'x.' x 127 . 'example/' => qr/at most 253 characters/);
    for my $bad (sort keys %why) {
        my $dbh = $cluster->connect;
        eval { $dbh->selectall_arrayref($create, {}, $bad) };
        like($dbh->pg_error_field('message_detail') // '', $why{$bad},
            'why not: ' . $bad =~ s/[^ -~]/?/gr);
    }
    for my $events ('{}', '{appointment.boked}', '{NULL}', '{webhook.ping}',
        '{{*},{*}}')
    {
        is(refusal('SELECT * FROM appt.create_webhook($1, $2)', $url, $events),
            'SB001 events', "events $events");
    }
    for my $secret ('short', 'has spaces in between', 'whsec_abc',
        'whsec_' . 'A' x 31, 'whsec_' . '!' x 32, 'x' x 257,
        'whsec_' . 'A' x 100)
    {
        is(refusal('SELECT * FROM appt.create_webhook($1, secret => $2)',
            $url, $secret), 'SB001 secret', 'secret ' . substr $secret, 0, 40);
    }
    is(refusal('SELECT * FROM appt.create_webhook($1, branch_ids => $2)',
        $url, '{MUM-01,NO-99}'), 'SBU01 branch_ids', 'an unknown branch');
    is(refusal('SELECT appt.ping_webhook($1)', 'wh_none'),
        'SB404 webhook_id', 'no such webhook');
    is(refusal('SELECT appt.redeliver($1, $2)', $id, $_),
        'SB404 delivery_id', "no delivery $_")
        for qw(dlv_999999 999999 dlv_x dlv_99999999999999999999);
};

my $client = $clinic->client->{client_id};

subtest 'unsigned on purpose' => sub {
    my $made = api('create_webhook($1, NULL, NULL, NULL, NULL, false, $2, NULL, '
        . 'NULL)', $url, $client)->{body};
    ok(exists $made->{secret} && !defined $made->{secret}, 'secret is null');
    ok(!$made->{signed}, 'not signed');
    is(refusal('SELECT * FROM appt_api.rotate_webhook_secret($1, NULL, $2, '
        . 'NULL, NULL)', $made->{webhook_id}, $client), 'SB930',
        'it has no secret to rotate');
    is(refusal('SELECT appt.rotate_webhook_secret($1)', $made->{webhook_id}),
        'SB930', 'nor in SQL');
    my $own = 'just-a-shared-password';
    my $signed = api('rotate_webhook_secret($1, $2, $3, NULL, NULL)',
        $made->{webhook_id}, $own, $client)->{body};
    is($signed->{secret}, $own, 'one that is given signs from then on');
    ok($signed->{signed}, 'signed');
    api('delete_webhook($1, $2)', $made->{webhook_id}, $client);
};

subtest 'created, shown, changed and deleted as JSON' => sub {
    my $made = api('create_webhook($1, NULL, $2, NULL, NULL, NULL, $3, $4, $5)',
        $url, 'front desk', $client, 'key-1', 'a' x 64);
    my $body = $made->{body};
    like($body->{webhook_id}, qr/^wh_/, 'its id');
    is($made->{id}, $body->{webhook_id}, 'for Location');
    is($made->{version}, 1, 'for ETag');
    like($body->{secret}, qr/^whsec_[A-Za-z0-9+\/]{43}=$/, 'its secret');
    is($body->{description}, 'front desk', 'description');
    is_deeply($body->{events}, ['*'], 'all events');
    ok($body->{signed}, 'signed');

    my $again = api('create_webhook($1, NULL, $2, NULL, NULL, NULL, $3, $4, $5)',
        $url, 'front desk', $client, 'key-1', 'a' x 64);
    is_deeply($again->{body}, $body, 'the same key: the first answer');
    ok($again->{replayed}, 'and it says so');

    my $shown = api('get_webhook($1, $2)', $made->{id}, $client);
    ok(!exists $shown->{body}{secret}, 'the secret is shown once');
    my $changed = api('update_webhook($1, NULL, $2, $3, NULL, NULL, 1, $4, '
        . 'NULL, NULL)', $made->{id}, '{appointment.booked}', '', $client);
    is_deeply($changed->{body}{events}, ['appointment.booked'], 'events');
    is($changed->{body}{description}, undef, 'an empty text removes it');
    is($changed->{body}{url}, $url, 'what is left out stays');
    is($changed->{version}, 2, 'the version rises');
    is(refusal('SELECT * FROM appt_api.update_webhook($1, NULL, NULL, $2, '
        . 'NULL, NULL, 1, $3, NULL, NULL)', $made->{id}, 'x', $client),
        'SBP01', 'a stale version');
    is(refusal('SELECT * FROM appt_api.update_webhook($1, NULL, NULL, NULL, '
        . 'NULL, $2, NULL, $3, NULL, NULL)', $made->{id}, 'on', $client),
        'SB001 status', 'an unknown status');
    my $off = api('update_webhook($1, NULL, NULL, NULL, NULL, $2, NULL, $3, '
        . 'NULL, NULL)', $made->{id}, 'disabled', $client);
    is($off->{body}{disabled_reason}, 'manual', 'disabled by hand');
    is(refusal('SELECT * FROM appt_api.ping_webhook($1, $2, NULL, NULL)',
        $made->{id}, $client), 'SB930', 'no ping then');
    my $on = api('enable_webhook($1, $2, NULL, NULL)', $made->{id}, $client);
    is($on->{body}{status}, 'enabled', 'enabled again');

    my $rotated = api('rotate_webhook_secret($1, NULL, $2, NULL, NULL)',
        $made->{id}, $client)->{body}{secret};
    isnt($rotated, $body->{secret}, 'a new secret, shown once');
    my $ping = api('ping_webhook($1, $2, NULL, NULL)', $made->{id}, $client);
    like($ping->{body}{delivery_id}, qr/^dlv_\d+$/, 'a ping is a delivery');
    my $list = api('list_deliveries($1, NULL, 1, 1, $2)', $made->{id}, $client);
    is($list->{body}[0]{delivery_id}, $ping->{body}{delivery_id},
        'the newest comes first');
    is($list->{total}, 2, 'of two in all');
    is(api('list_deliveries($1, $2, 1, 20, $3)', $made->{id}, 'dead',
        $client)->{total}, 0, 'by state');
    is(refusal('SELECT * FROM appt_api.list_deliveries($1, $2, 1, 20, $3)',
        $made->{id}, 'lost', $client), 'SB001 state', 'an unknown state');
    is(api('delete_webhook($1, $2)', $made->{id}, $client)->{body}, undef,
        'deleted: no content');
    is(refusal('SELECT * FROM appt_api.get_webhook($1, $2)', $made->{id},
        $client), 'SB404 webhook_id', 'and gone');
};

subtest 'a client has twenty webhooks and no more' => sub {
    my $create = 'SELECT * FROM appt_api.create_webhook($1, NULL, NULL, NULL, '
        . 'NULL, NULL, $2, NULL, NULL)';
    my $many = $clinic->create_client(name => 'Many')->{client_id};
    is(refusal($create, $url, $many), 'none', "number $_") for 1 .. 20;
    is(refusal($create, $url, $many), 'SB963', 'the next is refused');
    my (undef, undef, $error) = $cluster->try_psql(
        "SELECT appt_api.create_webhook('$url', NULL, NULL, NULL, NULL, NULL, "
            . "'$many', NULL, NULL)");
    like($error, qr/The client has 20 webhooks; it may have 20\./,
        'and told why');
    is(refusal($create, $url, $client), 'none', 'another client may go on');
    is(refusal('SELECT * FROM appt.create_webhook($1)', $url), 'none',
        'and so may appt_admin');
    $cluster->psql(q{DELETE FROM appt.webhook WHERE webhook_no = (
        SELECT max(webhook_no) FROM appt.webhook
        WHERE created_by = 'client:} . $many . q{')});
    is(refusal($create, $url, $many), 'none', 'one deleted: one more');
    is(refusal($create, $url, $many), 'SB963', 'but not two');
    is(refusal(q{INSERT INTO appt.setting (name, value, branch_id)
        VALUES ('webhooks_per_client', '30', 'MUM-01')}), 'SB001 name',
        'the setting is for the whole clinic');
    $cluster->psql(q{INSERT INTO appt.setting (name, value)
        VALUES ('webhooks_per_client', '22')});

    # Two at once, where there is room for one.
    is(refusal($create, $url, $many), 'none', 'another limit: another number');
    my $one = $cluster->connect;
    $one->begin_work;
    $one->selectall_arrayref($create, {}, $url, $many);
    my $pid = fork // die "could not fork: $!\n";
    if (!$pid) {
        my $dbh = $cluster->connect;
        POSIX::_exit(eval { $dbh->selectall_arrayref($create, {}, $url, $many);
            1 } ? 1 : $dbh->state eq 'SB963' ? 0 : 2);
    }
    wait_for { $cluster->value(q{SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE '%create_webhook(%'}) }
        'the second to wait', 10;
    $one->commit;
    waitpid $pid, 0;
    is($? >> 8, 0, 'of two at once the second is refused');
    $cluster->psql('DELETE FROM appt.setting');
};

subtest 'a client of one branch sees what it created, of its branch' => sub {
    my $london = $clinic->create_client(name => 'London',
        branch_ids => ['LON-01'])->{client_id};
    my $create = 'create_webhook($1, NULL, NULL, $2, NULL, NULL, $3, NULL, NULL)';
    my $own = api($create, $url, undef, $london)->{body};
    is_deeply($own->{branch_ids}, ['LON-01'], 'its branch and no other');
    is(refusal("SELECT * FROM appt_api.$create", $url, '{MUM-01}', $london),
        'SBU01 branch_ids', 'it cannot name another');
    is_deeply([map { $_->{webhook_id} } @{ api('list_webhooks($1)',
        $london)->{body} }], [$own->{webhook_id}], 'the list is its own');
    for my $call (
        ['get_webhook($1, $2)', $id, $london],
        ['delete_webhook($1, $2)', $id, $london],
        ['ping_webhook($1, $2, NULL, NULL)', $id, $london],
        ['rotate_webhook_secret($1, NULL, $2, NULL, NULL)', $id, $london],
        ['enable_webhook($1, $2, NULL, NULL)', $id, $london],
        ['list_deliveries($1, NULL, 1, 20, $2)', $id, $london],
        ['replay($1, now(), $2, NULL, NULL)', $id, $london],
        ['redeliver($1, $3, $2, NULL, NULL)', $id, $london, 'dlv_1'])
    {
        my ($sql, @bind) = @$call;
        is(refusal("SELECT * FROM appt_api.$sql", @bind), 'SB404 webhook_id',
            "another's does not exist for it: " . $sql =~ s/\(.*//r);
    }
    ok((grep { $_->{webhook_id} eq $own->{webhook_id} }
        @{ api('list_webhooks($1)', $client)->{body} }),
        'a client without limits sees all');

    my $shown = sub { $cluster->row('SELECT *, array_to_string(branch_ids, '
        . q{',') AS branches FROM appt.webhook WHERE webhook_id = $1},
        $own->{webhook_id}) };
    my $change = sub { $cluster->query("UPDATE appt.api_client SET $_[0] "
        . 'WHERE client_id = $1 RETURNING 1', $london) };
    $change->(q{branch_ids = '{LON-01,MUM-01}'});
    is($shown->()->{branches}, 'LON-01', 'more branches: as it was');
    $change->(q{branch_ids = '{MUM-01}'});
    is($shown->()->{disabled_reason}, 'client', 'other branches: disabled');
    is(refusal('SELECT * FROM appt_api.enable_webhook($1, $2, NULL, NULL)',
        $own->{webhook_id}, $london), 'SBU01 branch_ids',
        'and not enabled again with them');
    my $moved = api('update_webhook($1, NULL, NULL, NULL, $2, $3, NULL, $4, '
        . 'NULL, NULL)', $own->{webhook_id}, '{MUM-01}', 'enabled', $london);
    is($moved->{body}{status}, 'enabled', 'with its new branch it is');
    $change->('active = false');
    is($shown->()->{status}, 'disabled', 'a client switched off: disabled');
};

subtest 'nobody is told of a branch that its client has lost' => sub {
    my $both = $clinic->create_client(name => 'Both',
        branch_ids => ['LON-01', 'MUM-01'])->{client_id};
    my $own = api('create_webhook($1, NULL, NULL, NULL, NULL, NULL, $2, NULL, '
        . 'NULL)', $url, $both)->{body}{webhook_id};
    my $number = $cluster->value(
        'SELECT webhook_no FROM appt.webhook WHERE webhook_id = $1', $own);
    my $sent = sub { return map { $_->{event_id} } @{ $cluster->query(
        'SELECT event_id FROM appt_relay.claim_deliveries(1, 1000, $1) '
            . 'WHERE webhook_no = $2', '0 s', $number) } };
    my $limit = sub { $cluster->query('UPDATE appt.api_client '
        . 'SET branch_ids = $1 WHERE client_id = $2 RETURNING 1', $_[0], $both) };
    my $waits = sub {
        $cluster->psql('DELETE FROM appt.delivery');
        bulk_events($clinic, webhook_id => $own, count => 3);
        $cluster->psql(q{UPDATE appt.delivery SET state = 'delivered',
            finished_at = now() WHERE appointment_no = -1});
    };

    $waits->();
    is($sent->(), 2, 'what is of its branches goes');
    $waits->();
    $limit->('{LON-01}');
    is($sent->(), 0, 'the endpoint narrowed: what waited does not');
    my $delivery = $cluster->value('SELECT delivery_no FROM appt.delivery '
        . 'WHERE appointment_no = -1');
    is(refusal('SELECT * FROM appt_api.redeliver($1, $2, $3, NULL, NULL)',
        $own, "dlv_$delivery", $both), 'SB404 delivery_id',
        'nor is what was delivered sent again');
    for my $branches ('{MUM-01}', '{LON-01,MUM-01}') {
        is(refusal('SELECT * FROM appt_api.update_webhook($1, NULL, NULL, '
            . 'NULL, $2, NULL, NULL, $3, NULL, NULL)', $own, $branches,
            $client), 'SBU01 branch_ids',
            "no other client gives it $branches");
    }
    is_deeply(api('update_webhook($1, NULL, NULL, NULL, $2, NULL, NULL, $3, '
        . 'NULL, NULL)', $own, '{}', $client)->{body}{branch_ids}, ['LON-01'],
        'nor all of them');

    $limit->('{LON-01,MUM-01}');
    api('update_webhook($1, NULL, NULL, NULL, $2, NULL, NULL, $3, NULL, NULL)',
        $own, '{MUM-01}', $both);
    $waits->();
    $limit->('{LON-01}');
    api('update_webhook($1, NULL, NULL, NULL, $2, $3, NULL, $4, NULL, NULL)',
        $own, '{LON-01}', 'enabled', $both);
    $cluster->query('SELECT appt_relay.tick()');
    is($sent->(), 0, 'disabled, moved and enabled: what was held does not go');
};

done_testing;
