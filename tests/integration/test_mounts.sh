#!/bin/sh
# RUN --mount: what a command sees of its mounts, what stays of them, and that nothing of it is in an image.
. "$(dirname "$0")/lib.sh"
need_run
busybox_base
mkdir "$work/ctx"

# build NAME [OPTION…]: the Dockerfile on standard input, the image NAME; its output in $work/log.
build() {
	cat >"$work/ctx/Dockerfile"
	rebuild "$@"
}
# rebuild NAME [OPTION…]: the same with the Dockerfile that is there.
rebuild() {
	name=$1
	shift
	"$OCIBUILD" build --progress plain -t "$name" "$@" "$work/ctx" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; fail "build $name"; }
	if grep -qE 'AddressSanitizer|LeakSanitizer|runtime error' "$work/log"; then
		cat "$work/log" >&2
		fail "build $name made a sanitizer speak"
	fi
}
# refused STATUS TEXT [OPTION…]: the Dockerfile on standard input is not built, and why is said.
refused() {
	status=$1 text=$2
	shift 2
	cat >"$work/Dockerfile"
	want "$status" "$text" "$OCIBUILD" build -f "$work/Dockerfile" "$@" "$work/ctx"
}
said() { grep -qF -- "$1" "$work/log" || { cat "$work/log" >&2; fail "the build did not say '$1'"; }; }
# files NAME: the paths of an image's layers above the base, in one list.
files() {
	rm -rf "$work/layout"
	"$OCIBUILD" copy "$1" "oci:$work/layout:x" >/dev/null 2>&1 || fail "copy $1"
	for blob in "$work"/layout/blobs/sha256/*; do
		tar -tzf "$blob" 2>/dev/null || :
	done | sort >"$work/files"
}

say tmpfs
build tmpfs <<'D'
FROM busybox
RUN --mount=type=tmpfs,target=/t,size=8m mount | grep ' /t ' && touch /t/x
RUN [ ! -e /t ]
RUN --mount=type=tmpfs,target=/dev/shm,size=16m mount | grep ' /dev/shm '
WORKDIR /w
RUN --mount=type=tmpfs,target=below,ro [ -d /w/below ] && ! touch below/x 2>/dev/null
D
said size=8192k
said size=16384k
files tmpfs
grep -E '^(t|w/below)/?$' "$work/files" && fail "a mount point is in a layer"
refused 3 "invalid mount target '/'" <<'D'
FROM busybox
RUN --mount=type=tmpfs,target=/ true
D
refused 3 "the mount needs a target" <<'D'
FROM busybox
RUN --mount=type=cache true
D

say cache
build cache <<'D'
FROM busybox
RUN --mount=type=cache,target=/c echo one >/c/f; echo kept >/kept
RUN --mount=type=cache,target=/c cat /c/f
RUN --mount=type=cache,target=/other [ ! -e /other/f ]
RUN --mount=type=cache,id=/c,target=/by-id,ro cat /by-id/f && ! touch /by-id/x 2>/dev/null
RUN --mount=type=cache,target=/c --mount=type=cache,id=/c,target=/c2,sharing=locked echo two >/c/g; cat /c2/g
RUN [ ! -e /c ] && [ ! -e /by-id ]
D
said one
said two
files cache
grep -E '^(c|c2|by-id|other)/?$' "$work/files" && fail "a cache's mount point is in a layer"
grep -qx kept "$work/files" || fail "what was not in the cache is not in the image"

say "a cache is called after its target as it is written, and has a name space"
build names <<'D'
FROM busybox
WORKDIR /a
RUN --mount=type=cache,target=rel echo x >rel/f
WORKDIR /b
RUN --mount=type=cache,target=./rel cat rel/f
D
build names2 --build-arg BUILDKIT_CACHE_MOUNT_NS=mine <<'D'
FROM busybox
RUN --mount=type=cache,target=/c [ ! -e /c/f ]
D

say "owner and mode are of a new cache, part of a cache may be mounted"
build owner <<'D'
FROM busybox
RUN --mount=type=cache,target=/o,uid=1000,gid=1001,mode=0751 [ "$(stat -c '%u %g %a' /o)" = '1000 1001 751' ]
USER 1000
RUN --mount=type=cache,target=/o,uid=1000,gid=1001,mode=0751 echo mine >/o/f
USER 0
RUN --mount=type=cache,target=/p mkdir -p /p/a/b && echo deep >/p/a/b/f && ln -s /etc /p/out && ln -s a/b /p/in
RUN --mount=type=cache,id=/p,target=/q,source=a/b cat /q/f
RUN --mount=type=cache,id=/p,target=/q,source=/in cat /q/f
RUN --mount=type=cache,id=/p,target=/q,source=a/b/f cat /q
D
said deep
refused 4 "there is no '/out' to mount" <<'D'
FROM busybox
RUN --mount=type=cache,id=/p,target=/q,source=out ls /q
D

say "content of a cache is in no key"
build key <<'D'
FROM busybox
RUN --mount=type=cache,target=/c echo three >/c/h
D
build key <<'D'
FROM busybox
RUN --mount=type=cache,target=/c echo three >/c/h
D
said CACHED

say "two builds do not have a locked cache at once, and share the others"
for mode in locked shared private; do
	# Who shares waits until the other has come; who does not cleans up behind himself.
	most=10 after='rm /c/begun-*'
	[ $mode = shared ] && most=200 after=true
	for i in 1 2; do
		mkdir -p "$work/par$i"
		cat >"$work/par$i/Dockerfile" <<D
FROM busybox
RUN --mount=type=cache,id=par-$mode,sharing=$mode,target=/c \
  touch /c/begun-$i; n=0; while [ ! -e /c/begun-$((3 - i)) ] && [ \$n -lt $most ]; do sleep 0.1; n=\$((n + 1)); done; \
  ls /c | sed 's/^/$mode-$i sees /'; $after
D
		"$OCIBUILD" build --progress plain "$work/par$i" >"$work/par-$mode-$i" 2>&1 &
		eval "pid$i=\$!"
	done
	wait "$pid1" && wait "$pid2" || { cat "$work"/par-"$mode"-*; fail "parallel builds with $mode"; }
	cat "$work"/par-"$mode"-* >"$work/log"
	for i in 1 2; do
		said "$mode-$i sees begun-$i"
		other=$((3 - i))
		case $mode in
		shared) said "$mode-$i sees begun-$other" ;;
		*) grep -q "$mode-$i sees begun-$other" "$work/log" && fail "a $mode cache was shared" ;;
		esac
	done
done
say secrets
printf 'pw-Zq7x\n' >"$work/secret"
TOKEN=tok-Zq7x
export TOKEN
build secrets --secret "id=file,src=$work/secret" --secret id=var,env=TOKEN --secret id=TOKEN <<'D'
FROM busybox
ENV SHOWN=plain
RUN --mount=type=secret,id=file [ "$(wc -c </run/secrets/file)" = 8 ] && [ "$(stat -c '%a %u %g' /run/secrets/file)" = '400 0 0' ] && ! echo x 2>/dev/null >/run/secrets/file
RUN --mount=type=secret,target=/etc/deep/file,mode=0444,uid=1000,gid=1001,required [ "$(stat -c '%a %u %g' /etc/deep/file)" = '444 1000 1001' ]
RUN --mount=type=secret,id=var,env=SHOWN [ "$SHOWN" != plain ] && [ ! -e /run/secrets/var ] && echo of $SHOWN | wc -c
RUN --mount=type=secret,id=var,env=V,target=rel [ "$V" = "$(cat /rel)" ]
RUN --mount=type=secret,source=TOKEN,env= [ ${#TOKEN} = 8 ]
RUN --mount=type=secret,id=absent,env=NONE [ -z "$NONE" ] && [ ! -e /run/secrets ]
USER 1000
RUN --mount=type=secret,id=file,uid=1000 wc -c </run/secrets/file
RUN --mount=type=secret,id=file ! cat /run/secrets/file 2>/dev/null
D
said 'echo of **** | wc -c'
files secrets
grep -qE '^(run|etc/deep|rel)' "$work/files" && fail "a secret's mount point is in a layer"
"$OCIBUILD" inspect secrets >>"$work/log"
"$OCIBUILD" history secrets >>"$work/log"
rm -rf "$work/unpacked"
for blob in "$work"/layout/blobs/sha256/*; do
	gzip -dc "$blob" 2>/dev/null || cat "$blob"
done >"$work/unpacked"
for secret in pw-Zq7x tok-Zq7x; do
	grep -q "$secret" "$work/log" "$work/unpacked" && fail "$secret is in the image or its log"
	grep -rq "$secret" "$OCIBUILD_STORE" 2>/dev/null && fail "$secret is in the store"
done

say "a secret is in no key"
printf 'other\n' >"$work/secret"
rebuild again --secret "id=file,src=$work/secret" --secret id=var,env=TOKEN --secret id=TOKEN
[ "$(grep -c CACHED "$work/log")" = 8 ] || fail "other secrets gave other keys"

say "secrets that are not there, or too large"
refused 4 "the step requires secret 'absent'" <<'D'
FROM busybox
RUN --mount=type=secret,id=absent,required cat /run/secrets/absent
D
grep -qF -- "--secret id=absent,src=FILE" "$work/stderr" || fail "no hint how to give a secret"
grep -q 'Dockerfile:2' "$work/stderr" || fail "no line"
for bad in 'src=/x' 'id=a,what=b' 'id=a,b' 'id=a,type=none' 'id=a,src=b,env=c'; do
	refused 2 --secret --secret "$bad" <"$work/ctx/Dockerfile"
done
refused 4 "secret 'a': there is no file '/absent'" --secret id=a,src=/absent <"$work/ctx/Dockerfile"
head -c 600000 /dev/zero >"$work/large"
refused 1 'OB_LIMIT_SECRET' --secret "id=a,src=$work/large" <"$work/ctx/Dockerfile"
say "a secret may come through a pipe"
printf 'FROM busybox\nRUN --mount=type=secret,id=piped,required [ "$(cat /run/secrets/piped)" = through ]\n' >"$work/ctx/Dockerfile"
printf through | "$OCIBUILD" build --secret id=piped,src=/dev/stdin "$work/ctx" 2>"$work/log" || { cat "$work/log"; fail "a piped secret"; }

say "binds of the context"
mkdir -p "$work/ctx/sub/in" "$work/ctx/hidden"
echo one >"$work/ctx/sub/f"
echo two >"$work/ctx/sub/in/g"
echo star >"$work/ctx/sub/a*b"
echo no >"$work/ctx/hidden/x"
ln -s sub/in "$work/ctx/link"
chmod 750 "$work/ctx/sub/in"
printf 'hidden\n' >"$work/ctx/.dockerignore"
build binds <<'D'
FROM busybox
WORKDIR /w
RUN --mount=target=/ctx cat /ctx/sub/f /ctx/link/g && [ ! -e /ctx/hidden ] && ! touch /ctx/x 2>/dev/null
RUN --mount=source=sub,target=rel [ "$(stat -c '%u %g' rel/f)" = '0 0' ] && cat /w/rel/f && [ "$(stat -c %a rel/in)" = 750 ]
RUN --mount=type=bind,source=sub/in,target=/in,rw [ "$(stat -c %a /in)" = 750 ] && echo new >/in/g && cat /in/g >/got && rm /in/g
RUN --mount=source=link/g,target=/g,readonly=false cat /g && echo changed >/g
RUN --mount=source=sub/in/g,target=/g [ "$(cat /g)" = two ]
RUN --mount=source=/../sub/a*b,target=/star cat /star
RUN --mount=source=sub,target=/x --mount=source=sub/f,target=/x/in/h --mount=type=tmpfs,target=/x/in true || true
RUN --mount=target=. [ -e /w/sub ]
D
said star
[ "$(cat "$work/ctx/sub/in/g")" = two ] || fail "a mount was written through to the context"
files binds
grep -E '^(ctx|w/rel|in|g|star|x)(/|$)' "$work/files" && fail "a mount point or what is in it is in a layer"
grep -qx got "$work/files" || fail "what was made of a mount is not in the image"

say "what is mounted is in the key, and nothing else of it"
rebuild binds2
[ "$(grep -c CACHED "$work/log")" -ge 8 ] || fail "nothing changed, and it was not cached"
touch "$work/ctx/sub/f"
rebuild binds2
[ "$(grep -c CACHED "$work/log")" -ge 8 ] || fail "a time changed, and it was not cached"
echo three >"$work/ctx/sub/f"
rebuild binds2
said three
echo "only the whole and sub changed" >>"$work/ctx/hidden/x"

say "binds of stages, images, contexts by name"
mkdir -p "$work/named"
echo from-named >"$work/named/n"
printf 'n2\n' >"$work/named/.dockerignore"
echo no >"$work/named/n2"
build froms --build-context "extra=$work/named" <<'D'
FROM busybox AS a
RUN mkdir -p /out/d && echo a >/out/f && echo b >/out/d/g && ln -s / /rootdir && chown 1000:1001 /out/f && rm /etc/group
FROM scratch AS empty
FROM busybox AS last
WORKDIR /u
RUN --mount=from=a,source=/out,target=/o [ "$(stat -c '%u %g' /o/f)" = '1000 1001' ] && cat /o/f /o/d/g && ! touch /o/x 2>/dev/null
RUN --mount=from=A,target=/whole [ -e /whole/bin/busybox ] && [ ! -e /whole/etc/group ] && [ ! -e /whole/o ]
RUN --mount=from=a,source=rootdir,target=/exploit,rw touch /exploit/escaped && [ -e /exploit/bin/sh ]
RUN --mount=from=a,source=out/f,target=f,rw echo changed >f && [ "$(cat /u/f)" = changed ]
RUN --mount=from=a,source=out/f,target=f [ "$(cat /u/f)" = a ]
RUN --mount=from=busybox,source=bin/busybox,target=/bb/busybox /bb/busybox echo from image
RUN --mount=from=extra,target=/e cat /e/n && [ ! -e /e/n2 ]
RUN --mount=from=empty,target=/nothing,rw [ -z "$(ls /nothing)" ] && touch /nothing/x
RUN --mount=from=empty,target=/nothing [ -z "$(ls /nothing)" ] && ! touch /nothing/x 2>/dev/null
D
said from-named
said 'from image'
files froms
grep -E 'escaped|^(o|whole|exploit|bb|e|nothing|u/f)(/|$)' "$work/files" && fail "a bind is in a layer"
build content <<'D'
FROM busybox AS a
RUN mkdir /out && echo same >/out/f; echo one >/other
FROM busybox
RUN --mount=from=a,source=/out,target=/o,rw cat /o/f && head -c 20 /dev/urandom >/unique
D
sed -i 's/echo one/echo two/' "$work/ctx/Dockerfile"
rebuild content
grep -A1 -e '--mount=from=a' "$work/log" | grep -q CACHED || { cat "$work/log"; fail "the same content was not found in the cache"; }
build scratch <<'D'
FROM scratch AS mkdir
RUN --mount=type=bind,from=busybox,destination=/usr ["/usr/bin/busybox", "mkdir", "/made"]
FROM busybox
RUN --mount=from=mkdir,target=/m ls /m | grep made && [ ! -e /m/bin ]
D

say "caches that begin as a copy"
build seeds <<'D'
FROM busybox AS a
RUN mkdir -p /s/d && echo seed >/s/d/f && chown 7:8 /s && chmod 700 /s && ln -s d /s/l && ln /s/d/f /s/d/g
FROM busybox
RUN --mount=type=cache,id=seed,from=a,source=/s,target=/c [ "$(stat -c '%u %g %a' /c)" = '7 8 700' ] && cat /c/l/f && echo more >/c/more
RUN --mount=type=cache,id=seed,from=a,source=/s,target=/c cat /c/more && [ "$(stat -c %h /c/d/f)" = 2 ]
RUN --mount=type=cache,id=seed,target=/c [ -z "$(ls /c)" ]
RUN --mount=type=cache,id=seed,from=a,uid=5,target=/c [ -z "$(ls /c)" ] && [ "$(stat -c %u /c)" = 5 ]
RUN --mount=type=cache,id=seed,from=a,source=/s/d/f,target=/file cat /file && echo y >/file
RUN --mount=type=cache,id=seed,from=a,source=/s/d/f,target=/file [ "$(cat /file)" = y ]
D

say "what a mount cannot be taken from"
refused 4 "'/absent' not found in the build context" <<'D'
FROM busybox
RUN --mount=source=absent,target=/x true
D
grep -q 'Dockerfile:2' "$work/stderr" || fail "no line"
refused 4 "not found in the build context" <<'D'
FROM busybox
RUN --mount=source=hidden/x,target=/x true
D
grep -qF .dockerignore "$work/stderr" || fail "no word of the ignore file"
refused 4 "'/absent' not found in stage 'a'" <<'D'
FROM busybox AS a
FROM busybox
RUN --mount=from=a,source=absent,target=/x true
D
refused 3 "needs to be defined before the current command" <<'D'
FROM busybox AS early
RUN --mount=from=later,target=/x true
FROM busybox AS later
FROM early
D
refused 4 "0" --offline <<'D'
FROM busybox
RUN --mount=from=0,target=/x true
D

say "the host name is a build argument"
printf 'FROM busybox\nRUN hostname && grep -c "localhost $(hostname)" /etc/hosts\n' >"$work/ctx/Dockerfile"
rebuild hostname
said buildkitsandbox
rebuild hostname --build-arg BUILDKIT_SANDBOX_HOSTNAME=mine.example
said mine.example
refused 1 "host name" --build-arg "BUILDKIT_SANDBOX_HOSTNAME=$(printf '%0100d' 1)" <"$work/ctx/Dockerfile"

say "what needs an entitlement"
cat >"$work/ctx/Dockerfile" <<'D'
FROM busybox
RUN --security=insecure mount -t tmpfs x /tmp && grep Seccomp: /proc/self/status && [ -w /proc/sys ]
USER 1000
RUN --security=insecure chown 5 /root && grep CapEff: /proc/self/status
RUN --security=sandbox ! chown 6 /root 2>/dev/null && sed -n s/CapEff:/sandboxed/p /proc/self/status
D
rebuild insecure --allow security.insecure
grep -q "Seccomp:.0" "$work/log" || fail "a filter in an insecure step"
grep -q "sandboxed.0000000000000000" "$work/log" || fail "an ordinary step has capabilities"
refused 7 "needs the entitlement 'security.insecure'" <"$work/ctx/Dockerfile"
grep -qF -- "--allow security.insecure" "$work/stderr" || fail "no hint how to allow it"
printf 'FROM busybox\nRUN --network=host true\n' >"$work/ctx/Dockerfile"
refused 7 "needs the entitlement 'network.host'" --allow security.insecure <"$work/ctx/Dockerfile"
rebuild host --allow network.host
rebuild host --network host
refused 2 "not 'everything'" --allow everything <"$work/ctx/Dockerfile"
printf 'FROM busybox\nRUN --device=vendor/class=x true\n' >"$work/ctx/Dockerfile"
refused 3 "RUN --device is not supported" <"$work/ctx/Dockerfile"

[ -z "$(ls "$OCIBUILD_STORE/tmp")" ] || fail "litter in tmp"
whole
echo PASSED
