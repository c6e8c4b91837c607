# shellcheck shell=bash
#
# demo/cluster.sh: the PostgreSQL part of demo/run: the private cluster, the
# clinic's database, the API client and the webhook.

# ---- PostgreSQL -----------------------------------------------------------

# Runs SQL on standard input as the cluster's superuser; prints what it gives.
sql() {
    PGOPTIONS='-c client_min_messages=warning' psql --no-psqlrc --quiet \
        --tuples-only --no-align --set ON_ERROR_STOP=1 --file - \
        --host "$socket" --port "$APPT_PG_PORT" --username postgres \
        --dbname "${1:-postgres}"
}

start_postgres() {
    local log=$state/log/postgres.log tries=600
    bin=$(pg_config --bindir)
    [ -e "$data/PG_VERSION" ] || make_cluster
    make_place "$socket" 700
    start_part postgres INT "$bin/postgres" \
        -D "$data" -k "$socket" -p "$APPT_PG_PORT" -c listen_addresses=127.0.0.1
    until [ "$(sed -n 8p "$data/postmaster.pid" 2>/dev/null | tr -d ' ')" = ready ]; do
        tries=$((tries - 1))
        if ! alive "${pids[postgres]}" || [ $tries = 0 ]; then
            fail_log "$log" "PostgreSQL did not start."
        fi
        sleep 0.1
    done
}

# A directory that belongs to who runs PostgreSQL.
make_place() {
    mkdir -p "$1" || fail "cannot make the directory $1."
    [ "$(id -u)" != 0 ] || chown postgres: "$1"
    chmod "$2" "$1" || fail "the directory $1 belongs to someone else."
}

make_cluster() {
    local log=$state/log/initdb.log
    make_place "$data" 700
    [ "$data" = "$state/data" ] || echo "      in $data, as user postgres cannot" \
        "enter $top"
    as_postgres "$bin/initdb" --pgdata="$data" --username=postgres \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 \
        --locale=C.UTF-8 >"$log" 2>&1 </dev/null || {
        rm -rf "$data"
        fail_log "$log" "the private cluster could not be made."
    }
}

# 32 characters that nobody can guess.
new_secret() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# ---- the clinic -----------------------------------------------------------

# The database, once. The mark of the install script that it was made with
# tells when the sources have moved on.
make_clinic() {
    local log=$state/log/clinic.log mark
    mark=$(cksum <bioecko_appt--1.0.sql)
    if [ -e "$state/clinic" ]; then
        [ "$(cat "$state/clinic")" = "$mark" ] || fail \
            "the extension has changed since this demo's data was made." \
            "What to do: make reset (new data), then make run"
        return 0
    fi
    rm -f "$state"/client* "$state"/webhook*
    (umask 077 && new_secret >"$state/pg-password")
    make_database >"$log" 2>&1 ||
        fail_log "$log" "the demo clinic could not be made."
    echo "$mark" >"$state/clinic"
}

make_database() {
    sql <<SQL && sql appt <<'SQL2' && sql appt <demo/clinic.sql
ALTER ROLE postgres PASSWORD '$(cat "$state/pg-password")';
DROP DATABASE IF EXISTS appt;
CREATE DATABASE appt;
SQL
CREATE EXTENSION bioecko_appt CASCADE;
SELECT pg_catalog.format('CREATE ROLE %I LOGIN IN ROLE %I', login, role)
FROM (VALUES ('bioecko_gateway', 'appt_gateway'),
	('bioecko_relay', 'appt_relay')) AS r (login, role)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = login)
\gexec
ALTER ROLE bioecko_gateway SET log_parameter_max_length = 0;
ALTER ROLE bioecko_relay SET log_parameter_max_length = 0;
SQL2
}

# An API client that may do everything, a webhook for every event, e-mail to
# patients. Webhook, mail and links follow the ports of those who get them.
make_client() {
    local log=$state/log/clinic.log
    umask 077
    if [ ! -s "$state/client" ]; then
        sql appt >"$state/client" 2>>"$log" <<'SQL' ||
SELECT client_id || ' ' || client_secret
FROM appt.create_client(
	name => 'Demo client',
	scopes => ARRAY['appointments:read', 'appointments:write',
		'appointments:override', 'patients:read', 'patients:write',
		'schedule:read', 'schedule:manage', 'webhooks:manage',
		'notifications:manage', 'clients:manage', 'staff:manage', 'reports:read']);
SQL
            fail_log "$log" "the demo's API client could not be made."
    fi
    if [ ! -s "$state/webhook-secret" ]; then
        sql appt >"$state/webhook" 2>>"$log" <<SQL ||
SELECT webhook_id || ' ' || secret
FROM appt.create_webhook(url => '$receiver_url/hook');
SQL
            fail_log "$log" "the demo's webhook could not be made."
        cut -d' ' -f2 "$state/webhook" >"$state/webhook-secret"
    fi
    sql appt >>"$log" 2>&1 <<SQL ||
INSERT INTO appt.notification_channel (channel_id, kind, settings)
VALUES ('mail', 'email', '{"host": "127.0.0.1", "port": $APPT_MAIL_PORT,
	"security": "none", "from": "visits@clinic.example",
	"from_name": "Demo clinic"}')
ON CONFLICT (channel_id) DO UPDATE SET settings = excluded.settings;
INSERT INTO appt.setting (name, value) VALUES ('settle_s', '0')
ON CONFLICT DO NOTHING;
INSERT INTO appt.setting (name, value)
VALUES ('public_url', 'http://127.0.0.1:$APPT_PORT')
ON CONFLICT (name, branch_id, doctor_id) DO UPDATE SET value = excluded.value;
UPDATE appt.webhook SET url = '$receiver_url/hook'
WHERE webhook_id = '$(cut -d' ' -f1 "$state/webhook")'
	AND url <> '$receiver_url/hook';
SQL
        fail_log "$log" "the demo's webhook or mail could not be changed."
    umask 022
    read -r client_id client_secret <"$state/client"
}
