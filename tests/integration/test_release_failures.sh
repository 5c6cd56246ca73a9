#!/bin/sh
# A release against a registry that fails at each of its requests in turn. Whatever happens: the moving tag
# means the old image or the new one, in all registries the same; where it means the new one, so does the
# version tag; a release that failed has moved nothing; and running it again finishes it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/release_lib.sh"
busybox_base
start_registry
start_proxy "$registry"
"$OCIBUILD" push --quiet busybox "$registry/base:1" >/dev/null
make_repository "$work/repo"
echo /ocibuild.yaml >>.git/info/exclude

say "the state before: one commit is released"
DOCKER_REGISTRY_URL=$registry/before release app --with-runtime >/dev/null 2>&1 || fail "the first release"
old=$(digest_of "$registry/before/app:latest") old_tag=$(git rev-parse HEAD | cut -c1-7)
[ -n "$old" ] || fail "there is no old image"
echo two >app/main
commit two
new_tag=$(git rev-parse HEAD | cut -c1-7)

# fresh NAMESPACE: that state once more.
fresh() {
	copy before/runtime:latest "$1/runtime:latest" && copy "before/app:$old_tag" "$1/app:$old_tag" &&
		copy "before/app:$old_tag" "$1/app:latest" || fail "copy of the state before"
}

# check NAMESPACE WHERE: is the state allowed after a release that ended with $got? Sets $version.
check() {
	latest=$(digest_of "$registry/$1/app:latest") version=$(digest_of "$registry/$1/app:$new_tag")
	if [ "$got" = 0 ]; then
		[ "$latest" != "$old" ] && [ "$latest" = "$version" ] ||
			fail "$2: it ended well, with latest $latest and version $version"
	else
		[ "$latest" = "$old" ] || fail "$2: it failed, and latest is $latest"
		grep -q '^ocibuild: error: ' "$work/log" || fail "$2: it failed without saying why"
	fi
}

run() { # the release; sets $got
	got=0
	release app >"$work/out" 2>"$work/log" || got=$?
	! grep -qE 'Sanitizer|runtime error' "$work/log" || { cat "$work/log" >&2; fail "a sanitizer speaks"; }
}

# fail_at MODE N: one release in which the Nth request fails; false when there are fewer requests.
fail_at() {
	tell_proxy "control?mode=$1&n=$2"
	run
	tell_proxy count
	tell_proxy_count=$(cat "$work/told")
	tell_proxy "control?mode=pass"
	[ "$tell_proxy_count" -ge "$2" ]
}

# finish NAMESPACE WHERE: running it again finishes it, and moves no version tag.
finish() {
	had=$version
	run
	[ "$got" = 0 ] || { cat "$work/log" >&2; fail "$2: running it again does not finish it"; }
	check "$1" "$2, again"
	[ -z "$had" ] || [ "$version" = "$had" ] || fail "$2: the version tag was moved"
}

say "one registry; each request is refused in turn, and refused after it was carried out"
for mode in refuse lie; do
	n=1
	while fresh "$mode$n"; do
		export DOCKER_REGISTRY_URL="http://$proxy/$mode$n"
		fail_at $mode $n || break
		check "$mode$n" "$mode $n"
		finish "$mode$n" "$mode $n"
		n=$((n + 1))
	done
	say "$mode: $((n - 1)) requests"
	[ $n -gt 10 ] || fail "only $n requests went through the proxy"
done
unset DOCKER_REGISTRY_URL

say "a registry that is busy now and then is asked again"
for n in 3 5 7; do
	fresh "busy$n"
	tell_proxy "control?mode=busy&n=$n"
	export DOCKER_REGISTRY_URL="http://$proxy/busy$n"
	run
	[ "$got" = 0 ] || { cat "$work/log" >&2; fail "busy $n: it ended with $got"; }
	check "busy$n" "busy $n"
done
tell_proxy "control?mode=pass"
unset DOCKER_REGISTRY_URL

say "two registries, one of which fails: both are as before"
for order in first second; do
	n=1
	while near=near$order$n far=far$order$n && fresh "$near" && fresh "$far"; do
		[ $order = first ] && two_registries "$proxy/$far" "$registry/$near"
		[ $order = second ] && two_registries "$registry/$near" "$proxy/$far"
		fail_at refuse $n || break
		check "$near" "$order $n, the one that works"
		check "$far" "$order $n, the one that fails"
		run
		[ "$got" = 0 ] || { cat "$work/log" >&2; fail "$order $n: running it again does not finish it"; }
		check "$near" "$order $n, again"
		check "$far" "$order $n, again"
		n=$((n + 1))
	done
	say "$order: $((n - 1)) requests"
	[ $n -gt 8 ] || fail "only $n requests went through the proxy"
done

say "a registry that is gone from one request on: what can be told is told, and it is finished later"
rm ocibuild.yaml
n=1
while fresh "dead$n"; do
	export DOCKER_REGISTRY_URL="http://$proxy/dead$n"
	fail_at dead $n || break
	latest=$(digest_of "$registry/dead$n/app:latest") version=$(digest_of "$registry/dead$n/app:$new_tag")
	[ "$latest" = "$old" ] || [ "$latest" = "$version" ] || fail "dead $n: latest is $latest, version is $version"
	[ "$got" != 0 ] || [ "$latest" != "$old" ] || fail "dead $n: it ended well, and nothing has moved"
	finish "dead$n" "dead $n"
	n=$((n + 1))
done
say "dead: $((n - 1)) requests"
unset DOCKER_REGISTRY_URL

# interrupt_at MATCH: a release that is interrupted while its request MATCH is at work; sets $got.
interrupt_at() {
	tell_proxy "control?mode=hold&match=$1"
	"$OCIBUILD" release app >"$work/out" 2>"$work/log" &
	pid=$!
	for _ in $(seq 400); do
		tell_proxy held
		[ "$(cat "$work/told")" = 1 ] && break
		sleep 0.05
	done
	kill -INT $pid
	sleep 0.2
	tell_proxy go
	got=0
	wait $pid || got=$?
	! grep -qE 'Sanitizer|runtime error' "$work/log" || { cat "$work/log" >&2; fail "a sanitizer speaks"; }
}

say "an interrupt while the first registry moves its tag: it is put back"
fresh held1
fresh other1
two_registries "$proxy/held1" "$registry/other1"
interrupt_at PUT%20/v2/held1/app/manifests/latest
[ "$got" = 130 ] || { cat "$work/log" >&2; fail "interrupted: status $got"; }
grep -q 'held1/app:latest: put back to' "$work/log" || { cat "$work/log" >&2; fail "nothing was put back"; }
for space in held1 other1; do
	[ "$(digest_of "$registry/$space/app:latest")" = "$old" ] || fail "$space: latest has moved"
done

say "an interrupt while the last tag is put: the release is finished"
fresh held2
export DOCKER_REGISTRY_URL="$proxy/held2"
rm ocibuild.yaml
interrupt_at PUT%20/v2/held2/app/manifests/latest
check held2 "interrupted at the last tag"
[ "$got" = 0 ] || { cat "$work/log" >&2; fail "interrupted at the last tag: status $got"; }

say "an interrupt while blobs are sent: nothing has a tag"
fresh held3
export DOCKER_REGISTRY_URL="$proxy/held3"
interrupt_at POST%20/v2/held3/app/blobs/uploads
[ "$got" = 130 ] || { cat "$work/log" >&2; fail "interrupted: status $got"; }
[ "$(tags_of "$registry/held3/app")" = "$(printf '%s\nlatest\n' "$old_tag" | sort | paste -sd' ')" ] || fail "there are new tags"
