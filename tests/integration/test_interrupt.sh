#!/bin/sh
# Ctrl-C ends everything at once with status 130 and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
need_run
busybox_base
mkdir "$work/context"
cd "$work/context"
printf 'FROM busybox\nRUN echo started; sleep 97531\n' >Dockerfile
for signal in INT TERM; do
	"$OCIBUILD" build --progress=plain -t interrupted:test . >"$work/log" 2>&1 &
	build=$!
	for _ in $(seq 100); do
		grep -q ' started$' "$work/log" && break
		sleep 0.1
	done
	grep -q ' started$' "$work/log" || { cat "$work/log"; fail "the RUN did not start"; }
	begin=$(date +%s%N)
	# A shell in the background ignores SIGINT for its children; say it to the process itself.
	if [ $signal = INT ]; then
		python3 -c 'import os,signal,sys; os.kill(int(sys.argv[1]), signal.SIGINT)' "$build"
	else
		kill -TERM "$build"
	fi
	status=0
	wait "$build" || status=$?
	took=$((($(date +%s%N) - begin) / 1000000))
	expected=$([ $signal = INT ] && echo 130 || echo 143)
	[ "$status" = "$expected" ] || { cat "$work/log"; fail "SIG$signal: status $status, not $expected"; }
	[ "$took" -lt 3000 ] || fail "SIG$signal took $took ms"
	pgrep -f 'sleep 97531' && fail "the command goes on"
	grep -F "$work" /proc/mounts && fail "a mount is left"
	[ -z "$(find "$OCIBUILD_STORE/tmp" -mindepth 1)" ] || fail "litter in tmp/"
done
whole
say "interrupted cleanly"
