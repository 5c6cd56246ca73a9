#!/bin/sh
# ocibuild run as people use it to try an image: variables, volumes, ports on every kind of network, streams
# and terminals, signals, health, and that nothing of it stays.
. "$(dirname "$0")/lib.sh"
need_run
need curl python3
busybox_base
for applet in httpd nc stty tty id pwd; do
	ln -sf busybox "$work/rootfs/bin/$applet"
done
printf '#!/bin/sh\ntrap "echo got $1; exit 5" "$1"\necho ready\nwhile :; do sleep 0.1; done\n' >"$work/rootfs/bin/wait-for"
chmod 755 "$work/rootfs/bin/wait-for"
tar -C "$work/rootfs" --sort=name --owner=0 --group=0 --numeric-owner -cf "$work/busybox.tar" .
"$OCIBUILD" import "$work/busybox.tar" bb:latest >/dev/null 2>&1 || fail "import of the base"
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"

# check TEXT COMMAND…: what it writes to standard output.
check() {
	expected=$1
	shift
	got=$("$@" 2>"$work/stderr") || { cat "$work/stderr" >&2; fail "'$*' failed"; }
	[ "$got" = "$expected" ] || { cat "$work/stderr" >&2; fail "'$*' wrote '$got', not '$expected'"; }
}
# ends STATUS COMMAND…
ends() {
	expected=$1 status=0
	shift
	"$@" >"$work/stdout" 2>"$work/stderr" || status=$?
	[ "$status" = "$expected" ] || { cat "$work/stderr" >&2; fail "'$*' ended with $status, not $expected"; }
}
run() { "$OCIBUILD" run "$@"; }
# Not through a function: $! must be the command itself.
await() {
	for _ in $(seq 150); do
		grep -q -- "$1" "$2" && return
		sleep 0.1
	done
	cat "$2" >&2
	fail "'$1' did not come"
}
# ended PID STATUS: it ends, and with that status.
ended() {
	status=0
	wait "$1" || status=$?
	[ "$status" = "$2" ] || { cat "$work/log" >&2; fail "ended with $status, not $2"; }
}
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}
page() { curl -s --noproxy '*' --max-time 5 "http://$1/"; }
# A page within the time it takes a server to start.
await_page() {
	for _ in $(seq 100); do
		[ "$(page "$1")" = "$2" ] && return
		sleep 0.1
	done
	cat "$work/log" >&2
	fail "no page '$2' at $1: $(page "$1")"
}

say "command, entry point, variables"
check 'hi' run bb echo hi
check 'a b' run --entrypoint echo bb a b
want 2 "has no command" run --entrypoint '' bb
ends 7 run bb sh -c 'exit 7'
want 4 "not in the image's PATH" run bb no-such-program
printf '\357\273\277# comment\n\n  A=1 "x" \r\nB\nNOT_THERE\nC=from-file\n' >vars
check 'A=1 "x" |B=seen|C=over|E=' env B=seen "$OCIBUILD" run --env-file vars -e C=over -e E= bb \
	sh -c 'env | grep -E "^(A|B|C|E|NOT_THERE)=" | sort | sed -e ":a" -e "N;s/\n/|/;ta"'
check '' env -u PATHX "$OCIBUILD" run -e PATHX bb sh -c 'env | grep PATHX || :'
printf 'A B=1\n' >vars
want 2 "vars:1: variable 'A B' has a blank in it" run --env-file vars bb true
want 4 "no-such-file" run --env-file no-such-file bb true

say "volumes, directory, user, a root that is thrown away"
mkdir shared && echo shown >shared/f
check 'shown' run -v ./shared:/in:ro bb cat /in/f
want 1 "Read-only file system" run -v ./shared:/in:ro bb touch /in/g
run -v "$work/shared:/in" bb sh -c 'echo back >/in/g' && check 'back' cat shared/g
want 4 "'./gone' does not exist" run -v ./gone:/in bb true
want 2 "no named volumes" run -v named:/in bb true
want 2 "the mode is ro or rw" run -v ./shared:/in:z bb true
want 2 "there is one at '/in' already" run -v ./shared:/in -v ./shared:/in/ bb true
check '/new/dir 1000 2000' run -w /new/dir -u 1000:2000 bb sh -c 'touch x && echo $(pwd) $(stat -c "%u %g" x)'
want 2 "is not absolute" run -w new bb true
run bb sh -c 'touch /left && test -f /left'
ends 1 run bb test -f /left
want 1 "Read-only file system" run --read-only bb touch /left

say "streams"
check 'typed' sh -c "echo typed | '$OCIBUILD' run -i bb cat"
check '' sh -c "echo typed | '$OCIBUILD' run bb cat"
want 2 "standard input is none" run -it bb true

say "a terminal"
python3 "$here/terminal.py" "$OCIBUILD" bb || fail "the terminal"

say "signals: the image's stop signal, others as they are, SIGKILL in the end"
mkdir context
printf 'FROM bb\nSTOPSIGNAL SIGUSR2\nCMD ["wait-for", "USR2"]\n' >context/Dockerfile
"$OCIBUILD" build -q -t stops context >/dev/null 2>&1 || fail "build"
for signal in TERM INT; do
	"$OCIBUILD" run stops >log 2>&1 &
	pid=$!
	await ready log
	python3 -c 'import os,signal,sys; os.kill(int(sys.argv[1]), getattr(signal, sys.argv[2]))' $pid SIG$signal
	ended $pid 5
	grep -q 'got USR2' log || fail "no stop signal for $signal"
done
"$OCIBUILD" run bb wait-for HUP >log 2>&1 &
pid=$!
await ready log
kill -HUP $pid
ended $pid 5
"$OCIBUILD" run --stop-signal USR1 bb wait-for USR1 >log 2>&1 &
pid=$!
await ready log
kill -TERM $pid
ended $pid 5
"$OCIBUILD" run --stop-timeout 1 bb wait-for USR1 >log 2>&1 &
pid=$!
await ready log
kill -TERM $pid
ended $pid 137
"$OCIBUILD" run bb wait-for USR1 >log 2>&1 &
pid=$!
await ready log
kill -TERM $pid
sleep 0.3
kill -TERM $pid
ended $pid 137

say "ports"
mkdir www && echo page >www/index.html
port=$(free_port) own=$(free_port)
"$OCIBUILD" run -p "$port:8000" -v ./www:/www:ro -u 1000 bb httpd -f -p 8000 -h /www >log 2>&1 &
pid=$!
await_page "127.0.0.1:$port" page
grep -q 'network of its own' log || fail "nothing said of the network"
[ -z "$(page 127.0.0.1:8000)" ] || [ "$(page 127.0.0.1:8000)" != page ] || fail "the inner port is outside"
want 1 "is taken on this machine" run -p "$port:8000" bb true
dd if=/dev/urandom of=www/big bs=1M count=64 2>/dev/null
sum=$(sha256sum <www/big)
for _ in 1 2 3 4; do
	curl -s --noproxy '*' "http://127.0.0.1:$port/big" | sha256sum >"sum.$_" &
	clients="${clients:-} $!"
done
for client in $clients; do wait "$client"; done
for _ in 1 2 3 4; do
	[ "$(cat sum.$_)" = "$sum" ] || fail "what came through the relay is not what was sent"
done
kill -TERM $pid && kill -TERM $pid
wait $pid || :
[ -z "$(page "127.0.0.1:$port")" ] || fail "the port is still open"
"$OCIBUILD" run --network=none -p 127.0.0.1::80 -p "$port-$((port + 1)):80-81" -v ./www:/www:ro -u 1000 bb \
	httpd -f -p 80 -h /www >log 2>&1 &
pid=$!
await '127.0.0.1:[0-9]* -> 80' log
await_page "127.0.0.1:$(sed -n 's/.*127.0.0.1:\([0-9]*\) -> 80$/\1/p' log)" page
await_page "127.0.0.1:$port" page
kill -KILL $pid
wait $pid 2>/dev/null || :
for _ in $(seq 50); do [ -n "$(page "127.0.0.1:$port")" ] || break; sleep 0.1; done
[ -z "$(page "127.0.0.1:$port")" ] || fail "the relay outlives the command that was killed"
"$OCIBUILD" run --network=host -p "$port:$own" -v ./www:/www:ro bb httpd -f -p "$own" -h /www >log 2>&1 &
pid=$!
await_page "127.0.0.1:$port" page
await_page "127.0.0.1:$own" page
want 1 "leave out --network=host" run --network=host -p "$((port + 1)):$own" bb true
kill -TERM $pid && kill -TERM $pid
wait $pid || :
"$OCIBUILD" run -p "$own:$own" -v ./www:/www:ro bb httpd -f -p "$own" -h /www >log 2>&1 &
pid=$!
await_page "127.0.0.1:$own" page
! grep -q 'network of its own' log || fail "the same port needs no network of its own"
kill -TERM $pid && kill -TERM $pid
wait $pid || :
want 2 "udp is not implemented" run -p 53:53/udp bb true
want 2 "differ in length" run -p 1000-1002:1-2 bb true
want 2 "is no IP address" run -p localhost:80:80 bb true
want 2 "--detach is not implemented" run -d bb true
want 2 "--name is not implemented" run --name x bb true
want 2 "nothing of a container can be kept" run --rm=false bb true

say "health"
cat >context/Dockerfile <<'EOF'
FROM bb
USER user
HEALTHCHECK --interval=200ms --timeout=5s --retries=2 CMD test -e /tmp/ok || { echo "no file for $(id -u)"; exit 3; }
CMD sleep 2; touch /tmp/ok; sleep 2
EOF
"$OCIBUILD" build -q -t healthy context >/dev/null 2>&1 || fail "build"
run healthy >log 2>&1
grep health: log >states || :
printf 'ocibuild: health: %s\n' starting 'unhealthy: exit status 3: no file for 1000' healthy >expected
cmp expected states || { cat log; fail "health"; }
run --no-healthcheck healthy >log 2>&1
! grep health: log || fail "a check that nobody wanted"
printf 'FROM bb\nHEALTHCHECK --interval=200ms --timeout=300ms --retries=1 CMD sleep 97532\nCMD sleep 2\n' >context/Dockerfile
"$OCIBUILD" build -q -t slow context >/dev/null 2>&1 || fail "build"
run slow >log 2>&1
grep -q 'unhealthy: no answer in 0.3 s' log || { cat log; fail "a check that takes too long"; }
! pgrep -f 'sleep 97532' || fail "a check is left"

say "nothing stays"
! pgrep -f "$work/store" || fail "a process is left"
! grep -F "$work" /proc/mounts || fail "a mount is left"
"$OCIBUILD" build -q -t healthy context >/dev/null 2>&1
[ -z "$(find "$OCIBUILD_STORE/tmp" -mindepth 1)" ] || fail "litter in tmp/"
whole
say "run is fit for local tests"
