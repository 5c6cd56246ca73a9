#!/bin/sh
# --cache-mount-to and --cache-mount-from: cache mounts from one machine (here: store) to another.
. "$(dirname "$0")/lib.sh"
need_run
busybox_base
start_registry
export no_proxy=127.0.0.1
mkdir "$work/ctx"

cat >"$work/ctx/Dockerfile" <<'D'
FROM busybox
ARG ROUND=1
RUN --mount=type=cache,target=/c,id=first \
  echo "round $ROUND finds $(cat /c/count 2>/dev/null || echo nothing)"; echo $ROUND >>/c/count; \
  mkdir -p /c/d && ln -sf ../count /c/d/link && ln -f /c/count /c/d/hard && chown 1000:1001 /c/d && chmod 2750 /c/d
RUN --mount=type=cache,target=/o,uid=1000,gid=1000,mode=0700 \
  [ -e /o/f ] && stat -c 'root is %u %g %a' /o; touch /o/f; chown 7:8 /o; chmod 0711 /o
D
# build STORE [OPTION…]: its output in $work/log.
build() {
	"$OCIBUILD" --store "$work/$1" import "$work/busybox.tar" busybox:latest >/dev/null 2>&1 || fail "import"
	store=$1
	shift
	"$OCIBUILD" --store "$work/$store" build --progress plain --plain-http "$@" "$work/ctx" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; fail "build $*"; }
	if grep -qE 'AddressSanitizer|LeakSanitizer|runtime error' "$work/log"; then
		cat "$work/log" >&2
		fail "a sanitizer spoke"
	fi
	[ -z "$(ls "$work/$store/tmp")" ] || fail "litter in tmp"
}
said() { grep -qF -- "$1" "$work/log" || { cat "$work/log" >&2; fail "the build did not say '$1'"; }; }
silent() { grep -qF -- "$1" "$work/log" && { cat "$work/log" >&2; fail "the build said '$1'"; } || :; }

say "to a directory, a tar and a registry"
build one --cache-mount-from "$work/dir" --cache-mount-to "$work/dir" --cache-mount-to "$work/caches.tar" \
	--cache-mount-to "$registry/team/caches:main"
said "there are no cache mounts in '$work/dir' yet"
said 'round 1 finds nothing'
[ -f "$work/dir/oci-layout" ] || fail "no layout"
tar -tf "$work/caches.tar" | grep -q oci-layout || fail "no archive"
curl -s --noproxy '*' -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/team/caches/manifests/main" >"$work/manifest"
grep -q 'application/vnd.ocibuild.cache-mounts.v1' "$work/manifest" || fail "no artifact: $(cat "$work/manifest")"
for blob in "$work"/dir/blobs/sha256/*; do
	grep -qF "$(basename "$blob")" "$work/manifest" "$work/dir/index.json" || fail "the directory and the registry differ"
done
ls "$work/one/blobs/sha256" >"$work/own"
for blob in $(grep -o 'sha256:[0-9a-f]*' "$work/manifest"); do
	grep -q "${blob#sha256:}" "$work/own" && fail "the store has the artifact, too"
done

for place in "$work/dir" "$work/caches.tar" "$registry/team/caches:main" "oci:$work/dir" "docker://$registry/team/caches:main"; do
	say "from $place"
	rm -rf "$work/two" 2>/dev/null || unshare --user --map-root-user --map-auto rm -rf "$work/two"
	build two --build-arg ROUND=2 --cache-mount-from "$place"
	said 'round 2 finds 1'
	said 'root is 7 8 711'
	said "comes from '$place'"
	dir=$(dirname "$(find "$work"/two/mounts -name count 2>/dev/null | head -1)" 2>/dev/null || :)
	if [ -r "$dir/d/hard" ]; then
		[ "$(readlink "$dir/d/link")" = ../count ] || fail "the link was not carried"
		[ "$(stat -c %h "$dir/count")" = 2 ] || fail "the hard link was not carried"
		[ "$(stat -c %a "$dir/d")" = 2750 ] || fail "the mode was not carried"
	fi
done

say "what is here already stays, and nobody is asked"
build two --build-arg ROUND=3 --cache-mount-from /absent
said 'finds 1'
silent 'no cache mounts'

say "caches of steps that are not executed are handed on"
mv "$work/two" "$work/gone"
build one --build-arg ROUND=1 --cache-mount-to "$work/dir2"
[ "$(grep -c CACHED "$work/log")" = 2 ] || fail "the steps were executed"
build three --cache-mount-from "$work/dir2" --build-arg ROUND=1
said 'round 1 finds 1'
rm -rf "$work/three/mounts" 2>/dev/null || unshare --user --map-root-user --map-auto rm -rf "$work/three/mounts"
build three --cache-mount-from "$work/dir2" --cache-mount-to "$work/dir3.tar" --build-arg ROUND=1
[ "$(grep -c CACHED "$work/log")" = 2 ] || fail "the steps were executed"
build four --cache-mount-from "$work/dir3.tar" --build-arg ROUND=5
said 'round 5 finds 1'

say "what cannot be read is said, and is no failure"
cp -r "$work/dir" "$work/bad"
for blob in "$work"/bad/blobs/sha256/*; do
	if [ "$(stat -c %s "$blob")" -gt 150 ] && ! grep -q schemaVersion "$blob"; then
		flip_byte "$blob" 60
	fi
done
build five --cache-mount-from "$work/bad"
said 'begins empty'
said 'round 1 finds nothing'
"$OCIBUILD" copy busybox "oci:$work/image:latest" >/dev/null 2>&1 || fail "copy"
build six --cache-mount-from "$work/image"
said 'it holds no cache mounts but something else'
build seven --cache-mount-from "127.0.0.1:1/none:latest"
said 'warning: cache mounts from'

say "places that are none"
want 2 "not 'docker-archive:x'" "$OCIBUILD" build --cache-mount-to docker-archive:x "$work/ctx"
want 2 "cache-mount-from" "$OCIBUILD" build --cache-mount-from 'UPPER//' "$work/ctx"
want 6 "cache mounts to" "$OCIBUILD" --store "$work/one" build --plain-http --cache-mount-to "127.0.0.1:1/none:x" "$work/ctx"

"$OCIBUILD" --store "$work/one" fsck >"$work/log" 2>&1 || { cat "$work/log"; fail "the store is not whole"; }
echo PASSED
