#!/bin/sh
# Dockerfiles of the kind that well-known projects have, each built, started and asked: test_real.sh [NAME…].
#
# A folder has a Dockerfile with a small context, and play.sh, which is sourced: it builds with image, starts
# with serve, and asks. The bases are made of Debian's packages once, and kept in out/ for the next time.
. "$(dirname "$0")/../integration/lib.sh"
need python3 curl jq mmdebstrap
need_run
real=$(cd "$(dirname "$0")" && pwd)
: "${REAL_BASES:=$source_dir/out/real-bases}"

# --- for play.sh ---

free_port() { shuf -i 20000-29999 -n 1; }
curl_() { curl --silent --show-error --fail --noproxy '*' --max-time 10 "$@"; }
label() { "$OCIBUILD" inspect --config "real/$name" | jq -r ".config.Labels[\"$1\"]"; }

# image [OPTIONS…]: builds real/$name, or with $tag real/$name:$tag.
image() {
	"$OCIBUILD" build --progress plain -t "real/$name${tag:+:$tag}" "$@" "$real/$name" >"$work/build.log" 2>&1 ||
		{ cat "$work/build.log"; fail "build of $name"; }
}

# serve [OPTIONS…]: starts it, with $arguments, on $port, which $PORT tells it.
serve() {
	# shellcheck disable=SC2086
	"$OCIBUILD" run --stop-timeout 1 -p "$port:$port" -e "PORT=$port" "$@" "real/$name${tag:+:$tag}" ${arguments:-} >"$work/$name.log" 2>&1 &
	server=$! background="$background $!" url=http://127.0.0.1:$port
}
stop_server() {
	[ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || :; }
	server='' port=$(free_port)
}

# answers PATH TEXT: what is served there has the text in it, within ten seconds.
answers() {
	for _ in $(seq 50); do
		curl_ "$url$1" >"$work/answer" 2>"$work/curl.log" && break
		kill -0 "$server" 2>/dev/null || break
		sleep 0.2
	done
	grep -qF -- "$2" "$work/answer" ||
		{ cat "$work/answer" "$work/curl.log" "$work/$name.log"; fail "$name: '$1' does not answer '$2'"; }
}

# inside TEXT COMMANDS: they succeed in the image, and print it.
inside() {
	says "$1" "$OCIBUILD" run --network none --entrypoint sh "real/$name${tag:+:$tag}" -ec "$2"
}

# says TEXT COMMAND…: the command succeeds and prints it.
says() {
	text=$1
	shift
	"$@" >"$work/said" 2>&1 || { cat "$work/said"; fail "'$*'"; }
	grep -qF -- "$text" "$work/said" || { cat "$work/said"; fail "'$*' does not say '$text'"; }
}

# --- the bases ---

bases='apt=debian:bookworm-slim rust=rust:1-slim-bookworm golang=golang:1.19-bookworm
maven=maven:3-eclipse-temurin-17 node=node:22-bookworm-slim'

make_bases() {
	python_base
	"$OCIBUILD" import --change 'CMD ["bash"]' "$base_tar" docker.io/library/debian:bookworm-slim >/dev/null
	"$OCIBUILD" tag debian:bookworm-slim python:3.11-slim-bookworm
	rm -rf "$REAL_BASES.part"
	for base in $bases; do
		"$OCIBUILD" build --progress plain --target "${base%%=*}" -t "base:${base%%=*}" "$real/bases" >"$work/build.log" 2>&1 ||
			{ cat "$work/build.log"; fail "base ${base#*=}"; }
		"$OCIBUILD" copy -q "base:${base%%=*}" "oci:$REAL_BASES.part:${base%%=*}" >/dev/null
	done
	mv "$REAL_BASES.part" "$REAL_BASES"
}

# What was made from another Dockerfile is made again.
key=$REAL_BASES/$(sha256sum <"$real/bases/Dockerfile" | cut -c 1-16)
begin=$(date +%s)
if [ ! -e "$key" ]; then
	rm -rf "$REAL_BASES"
	make_bases
	touch "$key"
fi
for base in $bases; do
	"$OCIBUILD" copy -q "oci:$REAL_BASES:${base%%=*}" "docker.io/library/${base#*=}" >/dev/null
done
"$OCIBUILD" tag debian:bookworm-slim python:3.11-slim-bookworm
say "$(($(date +%s) - begin)) s: bases"

# --- the projects ---

played=0
for folder in "$real"/*/play.sh; do
	name=$(basename "$(dirname "$folder")")
	case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
	begin=$(date +%s) port=$(free_port) server='' tag='' arguments=''
	# shellcheck source=/dev/null
	. "$folder"
	stop_server
	played=$((played + 1))
	say "$(($(date +%s) - begin)) s: $name"
done
whole
say "$played Dockerfiles built, started and asked"
[ "$played" -gt 0 ]
