#!/bin/bash
# As root: own the data, then become postgres. As postgres: make a cluster where there is none.
set -euo pipefail
if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
	chown -R postgres "$PGDATA"
	chmod 0700 "$PGDATA"
	exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
	initdb --username=postgres --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:?is needed}") --auth-host=scram-sha-256 >/dev/null
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
	pg_ctl --wait --options="-c listen_addresses=" start >/dev/null
	for script in /docker-entrypoint-initdb.d/*.sql; do
		psql --quiet --file="$script"
	done
	pg_ctl --wait stop >/dev/null
fi
exec "$@"
