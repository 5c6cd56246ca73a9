#!/bin/sh
# Everything in /docker-entrypoint.d first, then the server.
set -e
if [ "$1" = nginx ]; then
	for script in /docker-entrypoint.d/*.sh; do
		"$script"
	done
fi
exec "$@"
