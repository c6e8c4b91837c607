# shellcheck shell=bash
#
# demo/lib.sh: what demo/run and demo/stop share: settings, where things are,
# words to the user.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=$top/.run

# Settings: the environment, or make run APPT_PORT=…
APPT_HOST=${APPT_HOST:-127.0.0.1}
APPT_PORT=${APPT_PORT:-8080}
APPT_PG_PORT=${APPT_PG_PORT:-15432}
APPT_RECEIVER_PORT=${APPT_RECEIVER_PORT:-8090}
APPT_RELAY_PORT=${APPT_RELAY_PORT:-8091}
APPT_MAIL_PORT=${APPT_MAIL_PORT:-8092}

# What the user's shell has for another cluster, or from .run/env.
for name in "${!PG@}"; do
    [ "$name" = PG_CONFIG ] || unset "$name"
done

# Says what failed, why and what to do; ends the script.
fail() {
    printf '\nmake run: %s\n' "$1" >&2
    shift
    [ $# = 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# PostgreSQL refuses to run as root: its own programs then run as postgres,
# in a directory that this user can enter.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        env --chdir=/ setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
    else
        "$@"
    fi
}

# Whether a process runs. One that has ended does not, though it be listed:
# in many a container nobody asks for its status.
alive() {
    local stat=
    [ -n "${1:-}" ] && read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    stat=${stat##*) }
    [[ $stat != [ZX]* ]]
}

# The process of a pid file, if it runs and is what the file says it is: a
# number may have gone to another process since.
pid_of() {
    local pid name
    [ -r "$state/pid/$1" ] || return 0
    read -r pid name <"$state/pid/$1" || return 0
    alive "$pid" && [ "$(started "$pid")" = "$name" ] && echo "$pid"
    return 0
}

# When a process started, in ticks since the machine did.
started() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

write_pid() {
    echo "$2 $(started "$2")" >"$state/pid/$1"
}

# Where the data directory and the socket are: below .run/, unless user
# postgres cannot get there (a checkout below /root), or the path is too long
# for a unix socket.
find_places() {
    local hash
    hash=$(printf '%s' "$top" | cksum | cut -d' ' -f1)
    data=$state/data
    socket=$state/s
    if [ "$(id -u)" = 0 ] && ! as_postgres test -x "$top"; then
        data=/var/lib/bioecko-demo-$hash/data
        socket=/var/lib/bioecko-demo-$hash/s
    fi
    [ ${#socket} -le 80 ] || socket=/tmp/bioecko-demo-$(id -u)-$hash
}

# Ends a process and waits; after so many seconds it is killed.
end_process() {
    local pid=$1 signal=$2 tenths=$(($3 * 10))
    alive "$pid" || return 0
    kill "-$signal" "$pid" 2>/dev/null
    while alive "$pid" && [ $tenths -gt 0 ]; do
        sleep 0.1
        tenths=$((tenths - 1))
    done
    alive "$pid" || return 0
    kill -KILL "$pid" 2>/dev/null
    sleep 0.2
}
