#!/bin/sh -e
# Settings from the file, then the server.
GREETING=$(sed -n 's/^greeting = //p' /etc/dash.ini)
export GREETING
exec "$DASH_HOME/bin/dash" "$@"
