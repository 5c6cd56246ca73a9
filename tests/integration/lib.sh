# tests/integration/lib.sh — what the integration tests share. Sourced; needs OCIBUILD (the command).
#
# Each test gets a work directory of its own ($work), a store in it, and helpers that fail loudly.
set -eu

: "${OCIBUILD:?path of the ocibuild command}"
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/ocibuild-it-XXXXXX")
chmod 755 "$work"
export OCIBUILD_STORE="$work/store"
export HOME="$work/home"
mkdir "$HOME"
unset SOURCE_DATE_EPOCH DOCKER_CONFIG
background=

clean_up() {
	status=$?
	for pid in $background; do
		kill "$pid" 2>/dev/null || :
	done
	wait 2>/dev/null || :
	# Trees of other owners are removed inside a user namespace where we are not root.
	rm -rf "$work" 2>/dev/null || unshare --user --map-root-user --map-auto rm -rf "$work" 2>/dev/null || :
	exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() { printf -- '-- %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
skip() { printf 'SKIPPED: %s\n' "$*"; exit 77; }
need() { for tool in "$@"; do command -v "$tool" >/dev/null || skip "no $tool on this machine"; done; }

# want STATUS TEXT COMMAND…: the command ends with STATUS and its messages contain TEXT.
want() {
	status=$1 text=$2 got=0
	shift 2
	"$@" >"$work/stdout" 2>"$work/stderr" </dev/null || got=$?
	[ "$got" = "$status" ] || { cat "$work/stderr" >&2; fail "'$*' ended with $got, not $status"; }
	grep -qF -- "$text" "$work/stderr" "$work/stdout" ||
		{ cat "$work/stderr" >&2; fail "'$*' did not say '$text'"; }
	if grep -qE 'AddressSanitizer|LeakSanitizer|runtime error|ThreadSanitizer' "$work/stderr"; then
		cat "$work/stderr" >&2
		fail "'$*' made a sanitizer speak"
	fi
}

whole() { "$OCIBUILD" fsck >"$work/fsck" 2>&1 || { cat "$work/fsck" >&2; fail "the store is not whole"; }; }

# Can a RUN be executed here at all?
need_run() { "$OCIBUILD" doctor >"$work/doctor" 2>&1 || { cat "$work/doctor"; skip "RUN is not possible here"; }; }

# flip_byte FILE OFFSET: another value at that place, whatever was there.
flip_byte() {
	was=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $((255 - was)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# busybox_base: an image busybox:latest in the store, made of the machine's busybox.
busybox_base() {
	busybox=$(command -v busybox) || skip "no busybox on this machine"
	mkdir -p "$work/rootfs/bin" "$work/rootfs/etc" "$work/rootfs/tmp" "$work/rootfs/root"
	cp "$busybox" "$work/rootfs/bin/busybox"
	for applet in sh ls cat echo mkdir rm cp mv ln chmod chown touch id true false sleep test stat env \
		find sort head tail wc grep sed dd mknod rmdir readlink du sync ps kill hostname mount; do
		ln -sf busybox "$work/rootfs/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n' >"$work/rootfs/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' >"$work/rootfs/etc/group"
	chmod 1777 "$work/rootfs/tmp"
	tar -C "$work/rootfs" --sort=name --owner=0 --group=0 --numeric-owner -cf "$work/busybox.tar" .
	"$OCIBUILD" import "$work/busybox.tar" busybox:latest >/dev/null 2>"$work/stderr" ||
		{ cat "$work/stderr" >&2; fail "import of the busybox base"; }
}

# python_base: sets $base_tar, a Debian with Python 3.11, made once for all tests.
python_base() {
	need mmdebstrap
	base_tar=$source_dir/out/python-base.tar
	mkdir -p "$source_dir/out"
	[ -s "$base_tar" ] || sh "$source_dir/examples/python-base.sh" "$base_tar"
}

# start_registry [AUTH]: docker-registry on a free port of the loopback; sets $registry (host:port).
start_registry() {
	need docker-registry curl
	for port in $(shuf -i 5100-5999 -n 50); do
		curl -s -o /dev/null --noproxy "*" "http://127.0.0.1:$port/" || break
	done
	cat >"$work/registry.yml" <<YML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/registry}, delete: {enabled: true}}
http: {addr: 127.0.0.1:$port}
YML
	if [ -n "${1:-}" ]; then
		need htpasswd
		htpasswd -Bbn "${1%%:*}" "${1#*:}" >"$work/htpasswd" 2>/dev/null
		printf 'auth: {htpasswd: {realm: test, path: %s}}\n' "$work/htpasswd" >>"$work/registry.yml"
	fi
	docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
	background="$background $!"
	registry=127.0.0.1:$port
	for _ in $(seq 50); do
		curl -s -o /dev/null --noproxy '*' "http://$registry/v2/" && return
		sleep 0.1
	done
	fail "docker-registry did not start: $(cat "$work/registry.log")"
}
