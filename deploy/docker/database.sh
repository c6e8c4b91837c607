#!/bin/bash
#
# Run once, by PostgreSQL's official image, when it has made an empty database:
# the extension, and the roles of the two programs with their passwords.

set -eu
: "${GATEWAY_PASSWORD:?is the password of role bioecko_gateway}"
: "${RELAY_PASSWORD:?is the password of role bioecko_relay}"

# psql reads the passwords from its environment: no command line shows them.
psql -Xq -v ON_ERROR_STOP=1 --no-password --username "$POSTGRES_USER" \
    --dbname "$POSTGRES_DB" <<'SQL'
\getenv gateway_password GATEWAY_PASSWORD
\getenv relay_password RELAY_PASSWORD
BEGIN;
CREATE EXTENSION bioecko_appt CASCADE;
CREATE ROLE bioecko_gateway LOGIN IN ROLE appt_gateway;
CREATE ROLE bioecko_relay LOGIN IN ROLE appt_relay;
ALTER ROLE bioecko_gateway SET log_parameter_max_length = 0;
ALTER ROLE bioecko_relay SET log_parameter_max_length = 0;
ALTER ROLE bioecko_gateway PASSWORD :'gateway_password';
ALTER ROLE bioecko_relay PASSWORD :'relay_password';
COMMIT;
SQL
