#!/bin/sh
# The main job, from nothing: install what is missing, compile, build the runtime and the application
# image into the store and into an OCI layout directory, run the application, ask it for a page.
#
#   OCIBUILD_STORE   where the images go (default: out/quickstart/store, so that nothing else is touched)
#   PORT             where the application listens (default: 8000)
#   BASE_IMAGE       what the runtime stands on (default: docker.io/library/python:3.11-slim-bookworm)
set -eu

cd "$(dirname "$0")/.."
here=$(pwd)
quick=$here/out/quickstart
layout=$quick/images
port=${PORT:-8000}
python_base=docker.io/library/python:3.11-slim-bookworm
own_base=debian-python:3.11-bookworm
times=""

say() { printf '\n== %s\n' "$*"; }
now() { date +%s.%N; }
# step NAME COMMAND…: run it and remember how long it took.
step() {
	name=$1
	shift
	say "$name"
	begin=$(now)
	"$@"
	times="$times$(printf '%-28s %8.2f s' "$name" "$(echo "$(now) $begin" | awk '{print $1 - $2}')")
"
}

compile() {
	cmake --preset release -DOCIBUILD_TESTS=OFF -B out/quickstart/compiled >/dev/null
	cmake --build out/quickstart/compiled
}

# Kept, so that the next time needs no network.
make_base() {
	[ -s "$quick/base.tar" ] || sh examples/python-base.sh "$quick/base.tar"
	"$ocibuild" import --change 'CMD ["python3"]' "$quick/base.tar" "$own_base"
}

choose_base() {
	base=${BASE_IMAGE:-$python_base}
	[ -n "${BASE_IMAGE:-}" ] && return
	"$ocibuild" pull --quiet "$base" >/dev/null 2>"$quick/pull.log" && return
	echo "$base cannot be had here ($(tail -n 1 "$quick/pull.log")); making a base from Debian's packages"
	base=$own_base
	"$ocibuild" inspect "$base" >/dev/null 2>&1 || step "make the base" make_base
}

# build_image NAME [OPTIONS…]: into the store, and under its name into the layout directory.
build_image() {
	name=$1
	shift
	"$ocibuild" build -f "build/Dockerfile.$name" -t "$name:latest" "$@" examples/webapp
	"$ocibuild" copy --quiet "$name:latest" "oci:$layout:$name" >/dev/null
}

stop_application() {
	[ -n "${application:-}" ] && kill "$application" 2>/dev/null && wait "$application" 2>/dev/null || :
	application=
}

ask() { curl --silent --fail --noproxy '*' --max-time 5 "http://127.0.0.1:$port$1"; }

run_application() {
	"$ocibuild" run -p "$port:$port" -e "PORT=$port" app:latest >"$quick/app.log" 2>&1 &
	application=$!
	for _ in $(seq 100); do
		ask /health >/dev/null 2>&1 && break
		kill -0 "$application" 2>/dev/null || { cat "$quick/app.log" >&2; exit 1; }
		sleep 0.2
	done
	echo "GET /health: $(ask /health)"
	echo "GET /:"
	ask /
	echo "GET /image.png: $(ask /image.png | wc -c) bytes of PNG"
}

trap stop_application EXIT
trap 'exit 130' INT TERM

step "install" sh cmake/install-packages.sh build
mkdir -p "$quick"
step "compile" compile
ocibuild=$quick/compiled/bin/ocibuild
OCIBUILD_STORE=${OCIBUILD_STORE:-$quick/store}
export OCIBUILD_STORE
choose_base
step "build the runtime image" build_image runtime --build-arg "BASE_IMAGE=$base"
step "build the application image" build_image app
step "run the application" run_application
stop_application

say "images in $OCIBUILD_STORE"
"$ocibuild" images
echo "and in $layout, for other tools: skopeo inspect oci:$layout:app"
say "time"
printf '%s' "$times"
