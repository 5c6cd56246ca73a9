#!/bin/sh
# Two releases at the same time. Whichever way they mix: the version tag and the moving tag are a pair, one of
# the two has won, and the other says so.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/release_lib.sh"
busybox_base
start_registry
start_proxy "$registry"
"$OCIBUILD" push --quiet busybox "$registry/base:1" >/dev/null
make_repository "$work/repo"
# The same commit gives two images: as when a base has moved, or a RUN fetches something.
printf 'FROM runtime\nARG WHO\nLABEL who=$WHO\nCOPY app/ /app/\n' >build/Dockerfile.app
printf 'FROM %s/base:1\nARG WHO\nLABEL who=$WHO\n' "$registry" >build/Dockerfile.runtime
commit two
tag=$(git rev-parse HEAD | cut -c1-7)

# two IMAGE NAMESPACE: two runners; sets $got_a and $got_b.
two() {
	for who in a b; do
		env OCIBUILD_STORE="$work/runner-$who" DOCKER_REGISTRY_URL="http://$proxy/$2" "$OCIBUILD" release "$1" \
			--build-arg WHO=$who >"$work/out.$who" 2>"$work/log.$who" &
		eval "pid_$who=$!"
	done
	got_a=0 got_b=0
	wait "$pid_a" || got_a=$?
	wait "$pid_b" || got_b=$?
	! grep -qE 'Sanitizer|runtime error' "$work/log.a" "$work/log.b" || fail "a sanitizer speaks"
}
show() { cat "$work/log.a" "$work/log.b" >&2; }

# losers_say WHERE: who has not won says why, and that is the other run.
losers_say() {
	for who in a b; do
		eval "got=\$got_$who"
		[ "$got" = 0 ] && continue
		[ "$got" = 1 ] || { show; fail "$1: runner $who ended with $got"; }
		grep -qE 'another run|a version tag is not moved' "$work/log.$who" || { show; fail "$1: runner $who does not say so"; }
	done
	[ "$got_a" = 0 ] || [ "$got_b" = 0 ] || { show; fail "$1: nobody has won"; }
}

say "two applications of one commit"
for n in 1 2 3 4 5 6 7 8; do
	DOCKER_REGISTRY_URL=http://$registry/race$n release runtime >/dev/null 2>&1 || fail "the runtime"
	tell_proxy "control?mode=slow&n=$((n * 8))"
	two app "race$n"
	same "$(digest_of "$registry/race$n/app:latest")" "$(digest_of "$registry/race$n/app:$tag")" "race $n: a mixed pair"
	losers_say "race $n"
	printf '%s%s ' "$got_a" "$got_b"
done
echo

say "two runtimes, often of the same second"
for n in 1 2 3 4 5 6; do
	tell_proxy "control?mode=slow&n=$((n * 5))"
	two runtime "pair$n"
	latest=$(digest_of "$registry/pair$n/runtime:latest")
	found=
	for version in $(tags_of "$registry/pair$n/runtime"); do
		[ "$version" = latest ] || [ "$(digest_of "$registry/pair$n/runtime:$version")" != "$latest" ] || found=$version
	done
	[ -n "$found" ] || { show; fail "pair $n: latest has no version tag"; }
	losers_say "pair $n"
	printf '%s%s ' "$got_a" "$got_b"
done
echo

say "two registries and two runners: one owner for all four tags"
echo /ocibuild.yaml >>.git/info/exclude
for n in 1 2 3 4 5 6; do
	for space in left right; do
		DOCKER_REGISTRY_URL=http://$registry/$space$n release runtime >/dev/null 2>&1 || fail "the runtime"
	done
	two_registries "$proxy/left$n" "$registry/right$n"
	tell_proxy "control?mode=slow&n=$((n * 8))"
	for who in a b; do
		env -u DOCKER_REGISTRY_URL OCIBUILD_STORE="$work/runner-$who" "$OCIBUILD" release app --build-arg WHO=$who \
			>"$work/out.$who" 2>"$work/log.$who" &
		eval "pid_$who=$!"
	done
	got_a=0 got_b=0
	wait "$pid_a" || got_a=$?
	wait "$pid_b" || got_b=$?
	owner=$(digest_of "$registry/left$n/app:$tag")
	for name in "left$n/app:latest" "right$n/app:latest" "right$n/app:$tag"; do
		[ "$(digest_of "$registry/$name")" = "$owner" ] || { show; fail "$name is not the owner's"; }
	done
	losers_say "two registries $n"
	printf '%s%s ' "$got_a" "$got_b"
done
echo

# held MATCH COMMAND…: the command, in the background as $pid, until its request MATCH waits; a runner of its own.
held() {
	tell_proxy "control?mode=hold&match=$1"
	shift
	env OCIBUILD_STORE="$work/runner-a" "$@" >"$work/out.a" 2>"$work/log.a" &
	pid=$!
	for _ in $(seq 400); do
		tell_proxy held
		[ "$(cat "$work/told")" = 1 ] && return
		sleep 0.05
	done
	show
	fail "the request was not seen"
}

say "two registries, and a run that writes the first version tag over that of one that is done"
for space in left right; do
	DOCKER_REGISTRY_URL=http://$registry/$space release runtime >/dev/null 2>&1 || fail "the runtime"
done
two_registries "$proxy/left" "$registry/right"
held "PUT%20/v2/left/app/manifests/$tag" env -u DOCKER_REGISTRY_URL "$OCIBUILD" release app --build-arg WHO=a
two_registries "$registry/left" "$registry/right"
env -u DOCKER_REGISTRY_URL OCIBUILD_STORE="$work/runner-b" "$OCIBUILD" release app --build-arg WHO=b \
	>"$work/out.b" 2>"$work/log.b" || { show; fail "the quick run"; }
tell_proxy go
wait $pid || { show; fail "the run that wrote last"; }
owner=$(digest_of "$registry/left/app:$tag")
grep -q "$owner" "$work/out.a" || { show; fail "the last one to write is not the owner"; }
for name in "left/app:latest" "right/app:latest" "right/app:$tag"; do
	same "$(digest_of "$registry/$name")" "$owner" "$name"
done
rm ocibuild.yaml

say "a run of an older commit that is late does not leave latest behind"
git clone -q "$work/repo" "$work/newer"
DOCKER_REGISTRY_URL=http://$registry/late release runtime >/dev/null 2>&1 || fail "the runtime"
DOCKER_REGISTRY_URL=http://$registry/late release app >/dev/null 2>&1 || fail "the first release"
echo three >app/main
commit three
older=$(git rev-parse HEAD | cut -c1-7)
held "PUT%20/v2/late/app/manifests/latest" env DOCKER_REGISTRY_URL="http://$proxy/late" "$OCIBUILD" release app
git -C "$work/newer" pull -q
(
	cd "$work/newer"
	echo four >app/main
	commit four
	DOCKER_REGISTRY_URL="http://$registry/late" release app >"$work/out.b" 2>"$work/log.b"
) || { show; fail "the newer run"; }
newer=$(git -C "$work/newer" rev-parse HEAD | cut -c1-7)
same "$(digest_of "$registry/late/app:latest")" "$(digest_of "$registry/late/app:$newer")" "latest of the newer run"
tell_proxy go
wait $pid || { show; fail "the late run failed"; }
grep -q "another run has released .*:$newer meanwhile, which is newer" "$work/log.a" || { show; fail "the late run does not say so"; }
same "$(digest_of "$registry/late/app:latest")" "$(digest_of "$registry/late/app:$newer")" "latest after the late run"
[ -n "$(digest_of "$registry/late/app:$older")" ] || fail "the late run has no version tag"
