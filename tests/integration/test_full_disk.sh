#!/bin/sh
# A full disk ends a build with one clear error; the store stays whole, nothing is left behind, and with
# room again the next build succeeds.
#
# The disk is a tmpfs of a few megabytes: mounted in a mount namespace of the test's own, as an ordinary
# user in a user namespace as well.
if [ "${1:-}" != inside ]; then
	. "$(dirname "$0")/lib.sh"
	need unshare mount
	map=$([ "$(id -u)" = 0 ] || echo --user --map-root-user)
	# shellcheck disable=SC2086
	unshare $map --mount true 2>/dev/null || skip "no mount namespaces on this machine"
	# shellcheck disable=SC2086
	TMPDIR=$work unshare $map --mount sh "$0" inside
	exit
fi
. "$(dirname "$0")/lib.sh"

mkdir "$work/disk" "$work/context"
mount -t tmpfs -o size=6m tmpfs "$work/disk" || skip "no tmpfs can be mounted"
trap 'umount "$work/disk"; clean_up' EXIT
export OCIBUILD_STORE="$work/disk/store"
busybox_base
cd "$work/context"
build() { "$OCIBUILD" build -t full:test .; }
# What is in the store but for the documents of a build that went well.
litter() { find "$OCIBUILD_STORE/tmp" -mindepth 1 | head -5; }

say "a COPY that does not fit"
head -c 16000000 /dev/urandom >big
printf 'FROM busybox\nCOPY big /big\n' >Dockerfile
want 1 "No space left on device" build
[ -z "$(litter)" ] || fail "left behind: $(litter)"
whole
"$OCIBUILD" images | grep -q full && fail "an image that is not complete has a name"

say "with room again it goes on"
head -c 1000 /dev/urandom >big
want 0 "" build
whole

say "not a byte left, and only documents to write"
dd if=/dev/zero of="$work/disk/filler" bs=4k 2>/dev/null || :
printf 'FROM busybox\nCOPY big /big\nLABEL a=b\n' >Dockerfile
want 1 "No space left on device" build
[ -z "$(litter)" ] || fail "left behind: $(litter)"
rm "$work/disk/filler"
whole
want 0 "" build

if [ "$(awk 'NR == 1 { print $3 }' /proc/self/uid_map)" != 1 ] && "$OCIBUILD" doctor >/dev/null 2>&1; then
	say "a RUN whose files fill the disk"
	printf 'FROM busybox\nRUN dd if=/dev/urandom of=/big bs=1M count=16\n' >Dockerfile
	want 5 "No space left on device" build
	[ -z "$(litter)" ] || fail "left behind: $(litter)"
	say "a RUN whose layer does not fit beside its files"
	printf 'FROM busybox\nRUN dd if=/dev/urandom of=/big bs=1M count=2 2>/dev/null\n' >Dockerfile
	want 1 "No space left on device" build
	[ -z "$(litter)" ] || fail "left behind: $(litter)"
	whole
fi
say ok
