#!/bin/sh
# Start the web application; PORT and HOST may be set from outside.
set -eu
exec uvicorn app.main:app --host "${HOST:-0.0.0.0}" --port "${PORT:-8000}"
