#!/bin/sh
# RUN and run for another kind of machine: by a private binfmt_misc, by the machine's own, or a clear error.
. "$(dirname "$0")/lib.sh"
case $(uname -m) in
x86_64) host=amd64 other=arm64 qemu=qemu-aarch64-static machine=aarch64 ;;
aarch64) host=arm64 other=amd64 qemu=qemu-x86_64-static machine=x86_64 ;;
*) skip "a machine of a kind that this test knows nothing of" ;;
esac
need "$qemu" mmdebstrap
need_run
both=linux/$host,linux/$other
mkdir "$work/context" && cd "$work/context"

# The smallest root file system of either kind: one static program of Debian's.
busybox=$(command -v busybox) || skip "no busybox on this machine"
mkdir -p host/bin other
cp "$busybox" host/bin/busybox
mmdebstrap --quiet --variant=extract --architectures=$other --include=busybox-static bookworm "$work/$other.tar" \
	>"$work/mmdebstrap" 2>&1 || { cat "$work/mmdebstrap"; skip "NOT TRIED: Debian's packages are out of reach"; }
tar -C other -xf "$work/$other.tar" ./bin/busybox || tar -C other -xf "$work/$other.tar" ./usr/bin/busybox
for kind in host other; do
	mkdir -p $kind/bin $kind/etc
	[ -e $kind/bin/busybox ] || mv $kind/usr/bin/busybox $kind/bin/
	for applet in sh cat echo id uname ls mkdir chown chmod sleep touch true grep; do ln -sf busybox $kind/bin/$applet; done
	printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n' >$kind/etc/passwd
done
mv host "root-$host" && mv other "root-$other"
printf 'FROM scratch\nARG TARGETARCH\nCOPY root-$TARGETARCH /\n' >Dockerfile.base
want 0 '' "$OCIBUILD" build --platform "$both" -f Dockerfile.base -t base .

say "doctor says what can be run"
grep -q "platforms of RUN: .*linux/$other" "$work/doctor" || {
	cat "$work/doctor"
	# Linux before 6.7, and no emulator is registered here: what is left to see is the error.
	printf 'FROM base\nRUN true\n' | want 7 'this takes Linux 6.7 or newer' "$OCIBUILD" build --platform "linux/$other" -f - .
	skip "NOT TRIED: commands for $other cannot be run on this kernel"
}

say "RUN in stages of both kinds, side by side"
cat >Dockerfile <<'D'
FROM --platform=$BUILDPLATFORM base AS tool
RUN uname -m > /built-on
FROM base
ARG TARGETARCH
COPY --from=tool /built-on /built-on
RUN uname -m > /machine && echo "$TARGETARCH" > /arch
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch id -u > /who && chown 5:6 /who && ls / > /seen && touch /cache/x
USER user
RUN ["/bin/sh", "-c", "id -u > /tmp/me 2>/dev/null || true"]
RUN <<EOF
#!/bin/cat
this file
EOF
HEALTHCHECK --interval=1s CMD uname -m | grep -q .
CMD ["/bin/uname", "-m"]
D
want 0 "[linux/$other stage-1 3/6] RUN uname" "$OCIBUILD" build --platform "$both" --progress plain -t child \
	-o type=store -o "type=local,dest=$work/out" .
[ "$(grep -c 'RUN uname -m > /built-on' "$work/stderr")" = 1 ] || fail "the tool's stage was built more than once"
[ "$(cat "$work/out/linux_$other/machine") $(cat "$work/out/linux_$host/machine")" = "$machine $(uname -m)" ] ||
	fail "the commands ran as another machine"
[ "$(cat "$work/out/linux_$other/arch") $(cat "$work/out/linux_$other/built-on")" = "$other $(uname -m)" ] ||
	fail "arguments or the tool's stage are another platform's"
[ "$(cat "$work/out/linux_$other/who")" = 0 ] || fail "root is somebody else"
cat >"$work/wanted" <<'E2'
arch
bin
built-on
cache
dev
etc
machine
proc
scratch
sys
who
E2
grep -v '^seen$' "$work/out/linux_$other/seen" | cmp - "$work/wanted" || fail "the step saw something of the builder"
(cd "$work/out/linux_$other" && find . -path ./bin -prune -o -print | grep -iE 'qemu|binfmt') && fail "the emulator left a trace"
want 0 '' "$OCIBUILD" build --platform "$both" --progress plain -t child .
grep -q 'RUN' "$work/stderr" && [ "$(grep -c CACHED "$work/stderr")" = 11 ] || { cat "$work/stderr"; fail "not all was cached"; }
want 5 "did not complete successfully: exit code: 3" sh -c \
	'printf "FROM base\nRUN exit 3\n" | "$OCIBUILD" build --platform "linux/$0" -f - .' $other

say "run of such an image"
want 0 "$machine" "$OCIBUILD" run --platform "linux/$other" child
want 0 'health: healthy' "$OCIBUILD" run --platform "linux/$other" child sleep 3

say "no emulator: one error that names the package"
hide="mount --bind /dev/null $(command -v $qemu)"
in_mounts() { if [ "$(id -u)" = 0 ]; then unshare --mount "$@"; else unshare --user --map-root-user --map-auto --mount "$@"; fi; }
if in_mounts sh -c "$hide" 2>/dev/null; then
	printf 'FROM base\nRUN true # not cached\n' >Dockerfile.plain
	want 7 'qemu-user-static' in_mounts sh -c "$hide && exec \"\$OCIBUILD\" build --platform linux/$other -f Dockerfile.plain ."
	grep -q 'Dockerfile.plain:2' "$work/stderr" || fail "the error names no line"
fi

say "the machine's own registration is enough"
if [ "$(id -u)" != 0 ] && [ $other = arm64 ] && in_mounts mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null; then
	cat >"$work/register" <<E3
set -e
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' ':theirs:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:/usr/bin/$qemu:PF' >/proc/sys/fs/binfmt_misc/register
$hide
"\$OCIBUILD" build --platform linux/$other -f Dockerfile.plain --progress plain .
E3
	want 0 "RUN true # not cached" in_mounts sh "$work/register"
fi
whole
