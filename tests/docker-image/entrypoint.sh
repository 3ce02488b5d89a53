#!/bin/sh
# The entry point of the image that `build` makes: what the official image's does of POSTGRES_USER, POSTGRES_PASSWORD,
# POSTGRES_DB, POSTGRES_INITDB_ARGS and PGDATA, and in the same order.
set -eu

case "${1:-postgres}" in
    -*) set -- postgres "$@" ;;
esac
if [ "${1:-postgres}" != postgres ]; then
    exec "$@"
fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ "$(id -u)" = 0 ]; then
    # A volume or tmpfs arrives as root's, and Postgres refuses to run as root.
    mkdir -p "$PGDATA" /var/run/postgresql
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
        exit 1
    fi
    file=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$file"
    # Unquoted: it is a list of options.
    # shellcheck disable=SC2086
    initdb --username="$user" --pwfile="$file" --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
    rm -f "$file"
    # After initdb's lines for this machine alone; connections from outside come through a bridge.
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    if [ "$database" != postgres ]; then
        # Over the socket alone, so no client outside mistakes it for the final server.
        pg_ctl --options="-c listen_addresses=''" --wait start
        printf 'create database :"name";\n' |
            psql --no-psqlrc --quiet --username="$user" --dbname=postgres --set=ON_ERROR_STOP=1 --set=name="$database"
        pg_ctl --mode=fast --wait stop
    fi
fi
unset POSTGRES_PASSWORD
exec "$@"
