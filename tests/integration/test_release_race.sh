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
