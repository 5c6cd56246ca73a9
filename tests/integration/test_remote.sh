#!/bin/sh
# ADD and contexts from a real HTTP server and from standard input: what ends up in the image, what is asked
# for twice, what is refused.
. "$(dirname "$0")/lib.sh"
need python3 curl tar
mkdir "$work/www" "$work/context"

# start_server: python's server for $work/www on a free port of the loopback; sets $server, logs to www.log.
start_server() {
	for port in $(shuf -i 6100-6999 -n 50); do
		curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port/" || break
	done
	server=127.0.0.1:$port
	(cd "$work/www" && exec python3 -m http.server "$port" --bind 127.0.0.1) >"$work/www.log" 2>&1 &
	server_pid=$!
	background="$background $server_pid"
	for _ in $(seq 50); do
		curl -s -o /dev/null --noproxy '*' "http://$server/" && return
		sleep 0.1
	done
	fail "the HTTP server did not start: $(cat "$work/www.log")"
}

stop_server() { kill "$server_pid"; wait "$server_pid" 2>/dev/null || :; }

# build [OPTIONS] <DOCKERFILE: the image as $work/out.tar, what was said as $work/stderr
build() {
	"$OCIBUILD" build --progress plain -f - -o "type=tar,dest=$work/out.tar" "$@" "$work/context" 2>"$work/stderr" ||
		{ cat "$work/stderr" >&2; fail "build"; }
}
lists() { tar --full-time --numeric-owner -tvf "$work/out.tar" | grep -qE -- "$1" || { tar -tvf "$work/out.tar"; fail "the image has no '$1'"; }; }
asked() { grep -cF "GET $1 HTTP" "$work/www.log" || :; }

printf 'hello\n' >"$work/www/file"
touch -d '2017-07-14 02:40:00 UTC' "$work/www/file"
mkdir "$work/tree"
printf 'inside\n' >"$work/tree/inside"
tar -C "$work/tree" -czf "$work/www/tree.tgz" inside
printf 'local\n' >"$work/context/local"
start_server

say "mode, owner, time and name of a file; an archive stays one unless asked"
TZ=UTC
export TZ
build <<DOCKER
FROM scratch
ARG HOST=$server
ADD http://\$HOST/file /plain/
ADD --chown=7:8 --chmod=755 http://\$HOST/file local http://\$HOST/tree.tgz /mixed/
ADD --unpack=true http://\$HOST/tree.tgz /unpacked
DOCKER
lists '^-rw------- 0/0 +6 2017-07-14 02:40:00 plain/file$'
lists '^-rwxr-xr-x 7/8 +6 2017-07-14 02:40:00 mixed/file$'
lists ' mixed/local$'
lists ' mixed/tree.tgz$'
lists ' unpacked/inside$'

say "the second build asks whether it has changed, and has it CACHED"
printf 'FROM scratch\nADD http://%s/file /\n' "$server" >"$work/Dockerfile"
build <"$work/Dockerfile"
before=$(asked /file)
build <"$work/Dockerfile"
grep -q CACHED "$work/stderr" || fail "the same file was not CACHED"
[ "$(asked /file)" = $((before + 1)) ] || fail "it was not asked for once"
[ "$(grep -c '"GET /file HTTP/1.1" 200' "$work/www.log")" = 1 ] || fail "it was downloaded twice"
printf 'other\n' >"$work/www/file"
build <"$work/Dockerfile"
grep -q CACHED "$work/stderr" && fail "another file was CACHED"
[ "$(tar -xOf "$work/out.tar" file)" = other ] || fail "the image has the old file"

say "a checksum is verified, and spares the network"
sum=$(sha256sum "$work/www/file" | cut -d' ' -f1)
printf 'FROM scratch\nADD --checksum=sha256:%s http://%s/file /pinned\n' "$sum" "$server" >"$work/pinned"
build <"$work/pinned"
before=$(asked /file)
build --offline <"$work/pinned"
build --offline --no-cache <"$work/pinned"
[ "$(asked /file)" = "$before" ] || fail "a pinned file was asked for again"
wrong=$(printf %064d 0)
printf 'FROM scratch\nADD --checksum=sha256:%s http://%s/file /pinned\n' "$wrong" "$server" >"$work/wrong"
want 1 "wanted checksum" "$OCIBUILD" build -f "$work/wrong" "$work/context"
grep -q 'wrong:2:' "$work/stderr" || fail "the line is not named"

say "refusals have their exit status"
printf 'FROM scratch\nADD http://%s/nothing /\n' "$server" >"$work/gone"
want 4 "/nothing: 404" "$OCIBUILD" build -f "$work/gone" "$work/context"
want 7 "offline" "$OCIBUILD" build --offline -f "$work/Dockerfile" "$work/context"
printf 'FROM scratch\nADD --checksum=md5:0 http://%s/file /\n' "$server" >"$work/algorithm"
want 3 "sha256" "$OCIBUILD" build -f "$work/algorithm" "$work/context"
say "a context that is an archive: owners are kept, no ignore file counts, -f is a path in it"
mkdir -p "$work/tree/sub"
printf 'FROM scratch\nCOPY . /all/\n' >"$work/tree/Dockerfile"
printf 'FROM scratch\nCOPY inside /other\n' >"$work/tree/sub/other"
printf '*\n' >"$work/tree/.dockerignore"
tar -C "$work/tree" --owner=7 --group=8 --numeric-owner -cJf "$work/www/tree.tar.xz" .
# context CONTEXT [OPTIONS]: as build(), of that context
context() {
	"$OCIBUILD" build --progress plain -o "type=tar,dest=$work/out.tar" "$@" 2>"$work/stderr" ||
		{ cat "$work/stderr" >&2; fail "build of '$*'"; }
}
context "http://$server/tree.tar.xz"
lists '^-rw-r--r-- 7/8 +7 .* all/inside$'
lists ' all/.dockerignore$'
context - <"$work/www/tree.tar.xz"
grep -q CACHED "$work/stderr" || fail "the same archive was not CACHED"
context - -f sub/other <"$work/www/tree.tar.xz"
lists ' other$'
want 4 "there is no 'nothing' in the archive" "$OCIBUILD" build -f nothing "http://$server/tree.tar.xz"

say "a context that is a Dockerfile, and a Dockerfile from elsewhere"
printf 'FROM scratch\nCOPY . /all/\n' >"$work/www/alone"
context "http://$server/alone"
lists '^-rw------- 0/0 .* all/context$'
context - <"$work/www/alone"
[ "$(tar -tf "$work/out.tar" | grep -v '/$')" = "" ] || fail "standard input left something in the context"
context -f "http://$server/alone" "$work/context"
lists ' all/local$'
printf 'FROM scratch\nCOPY --from=file context /named\n' >"$work/named"
context -f "$work/named" --build-context "file=http://$server/file" "$work/context"
lists '^-rw------- 0/0 .* named$'
want 4 "/nothing: 404" "$OCIBUILD" build "http://$server/nothing"
want 4 "build context 'file': http://$server/nothing: 404" "$OCIBUILD" build -f "$work/named" \
	--build-context "file=http://$server/nothing" "$work/context"
want 3 "empty" "$OCIBUILD" build -
want 2 "both" "$OCIBUILD" build - -f -
[ -z "$(ls "$OCIBUILD_STORE/tmp")" ] || fail "litter: $(ls "$OCIBUILD_STORE/tmp")"

say "a context that does not come can be interrupted"
mkfifo "$work/fifo"
"$OCIBUILD" build - <"$work/fifo" >"$work/stdout" 2>&1 &
pid=$!
exec 9>"$work/fifo"
sleep 0.5
kill -INT "$pid"
wait "$pid" && fail "an interrupted build ended well"
exec 9>&-

stop_server
want 6 "$server" "$OCIBUILD" build -f "$work/Dockerfile" "$work/context"
whole
say "done"
