#!/bin/sh
# RUN --mount=type=ssh: commands sign with keys that they never see, and can do nothing else with an agent.
. "$(dirname "$0")/lib.sh"
need_run
need ssh-agent ssh-add ssh-keygen ldd
busybox_base
mkdir -p "$work/ctx" "$work/ssh-root/usr/bin"

# An image "ssh" with OpenSSH's own tools: the machine's, and what they are linked with.
for tool in ssh-add ssh-keygen; do
	cp "$(command -v $tool)" "$work/ssh-root/usr/bin/"
	for lib in $(ldd "$(command -v $tool)" | grep -o '/[^ )]*'); do
		mkdir -p "$work/ssh-root$(dirname "$lib")"
		cp -L "$lib" "$work/ssh-root$lib"
	done
done
printf 'FROM busybox\nCOPY / /\n' | "$OCIBUILD" build -t ssh -f - "$work/ssh-root" >"$work/log" 2>&1 ||
	{ cat "$work/log"; fail "the image with ssh-add"; }

ssh-keygen -q -t ed25519 -N '' -C key-one -f "$work/one"
ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -C key-two -f "$work/two"
ssh-keygen -q -t ecdsa -N secret -C key-three -f "$work/three"
mkdir "$work/keys"
cp "$work/one.pub" "$work/ctx/"

# An agent of the person who builds.
eval "$(ssh-agent -a "$work/agent")" >/dev/null
background="$background $SSH_AGENT_PID"
ssh-add -q "$work/one"

# build [OPTION…]: the Dockerfile on standard input; its output in $work/log.
build() {
	cat >"$work/ctx/Dockerfile"
	"$OCIBUILD" build --progress plain -t signed "$@" "$work/ctx" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "build $*"; }
	if grep -qE 'AddressSanitizer|LeakSanitizer|runtime error' "$work/log"; then
		cat "$work/log" >&2
		fail "a sanitizer spoke"
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

say "an agent is forwarded: it signs, and its key is nowhere"
build --ssh default <<'D'
FROM ssh
RUN --mount=type=ssh echo "socket $SSH_AUTH_SOCK" && stat -c 'is %a %u %g %F' $SSH_AUTH_SOCK && ssh-add -l
COPY one.pub /w/
RUN --mount=type=ssh,required cd /w && echo text >text && ssh-keygen -q -Y sign -n test -f one.pub text
RUN [ -z "$SSH_AUTH_SOCK" ] && [ ! -e /run/buildkit ]
D
said 'socket /run/buildkit/ssh_agent.0'
said 'is 600 0 0 socket'
said 'key-one (ED25519)'
"$OCIBUILD" build -q -t signed -o "type=local,dest=$work/out" "$work/ctx" --ssh default >/dev/null 2>"$work/log" ||
	{ cat "$work/log"; fail "the files of the image"; }
printf 'me %s\n' "$(cat "$work/one.pub")" >"$work/signers"
ssh-keygen -Y verify -f "$work/signers" -I me -n test -s "$work/out/w/text.sig" <"$work/out/w/text" >"$work/stdout" ||
	fail "the signature is not good"
"$OCIBUILD" inspect signed | grep -q "SSH_AUTH_SOCK=" && fail "SSH_AUTH_SOCK is in the image"
[ ! -e "$work/out/run" ] || fail "a mount point is in the image"

say "keys are neither added nor removed through it, nor the agent locked"
build --ssh default <<'D'
FROM ssh
RUN --mount=type=ssh ! ssh-add -D && ! ssh-add -d /w/none 2>/dev/null; \
  ssh-keygen -q -t ed25519 -N '' -f /k && ! ssh-add -q /k && ssh-add -l | grep -c ED25519
D
ssh-add -l | grep -q key-one || fail "the agent lost its key"
[ "$(ssh-add -l | wc -l)" = 1 ] || fail "the agent got a key"

say "for other users, at other places, under other names"
build --ssh default --ssh "other=$work/two" <<'D'
FROM ssh
ENV OWN=/own/sock
USER 1000
RUN --mount=type=ssh ! ssh-add -l
RUN --mount=type=ssh,uid=1000,gid=1001,mode=0640 stat -c 'is %a %u %g' $SSH_AUTH_SOCK && ssh-add -l
WORKDIR /w
RUN --mount=type=ssh,target=$OWN,uid=1000 --mount=type=ssh,id=other,target=rel,mode=0666 \
  echo "first $SSH_AUTH_SOCK" && ssh-add -l && SSH_AUTH_SOCK=/w/rel ssh-add -l
ENV SSH_AUTH_SOCK=/mine
RUN --mount=type=ssh,mode=0666 [ $SSH_AUTH_SOCK = /mine ] && SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0 ssh-add -l | grep -c key-one
D
said 'is 640 1000 1001'
said 'first /own/sock'
said '(RSA)'

say "files of keys get an agent that ends with the build"
build --ssh "default=$work/one,$work/two" <<'D'
FROM ssh
RUN --mount=type=ssh ssh-add -l | wc -l | sed 's/^/keys: /'
RUN --mount=type=ssh for i in 1 2 3 4 5 6 7 8; do ssh-add -l >/t$i & done; wait; cat /t? | wc -l | sed 's/^/lines: /'
D
said 'keys: 2'
said 'lines: 16'
for _ in $(seq 50); do
	left=$(pgrep -u "$(id -u)" -x ssh-agent | grep -vx "$SSH_AGENT_PID" | while read -r pid; do
		grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null || echo "$pid"
	done)
	[ -n "$left" ] || break
	sleep 0.1
done
[ -z "$left" ] || fail "an agent is left: $left"

say "who is not there is not needed, unless it is required"
build <<'D'
FROM ssh
RUN --mount=type=ssh echo "still $SSH_AUTH_SOCK" && [ ! -e $SSH_AUTH_SOCK ]
D
said 'still /run/buildkit/ssh_agent.0'
refused 4 "the step requires ssh agent 'default'" <<'D'
FROM ssh
RUN --mount=type=ssh,required true
D
grep -qF -- "--ssh default=KEYFILE" "$work/stderr" || fail "no hint how to give an agent"
refused 3 "an ssh mount has no source" <<'D'
FROM ssh
RUN --mount=type=ssh,source=x true
D

say "what cannot be an agent"
printf 'FROM ssh\nRUN --mount=type=ssh ssh-add -l\n' >"$work/ctx/Dockerfile"
refused 4 "there is no '/absent'" --ssh default=/absent <"$work/ctx/Dockerfile"
refused 2 "it has a passphrase" --ssh "default=$work/three" <"$work/ctx/Dockerfile"
echo garbage >"$work/bad"
refused 2 "'$work/bad'" --ssh "default=$work/bad" <"$work/ctx/Dockerfile"
refused 2 "not both" --ssh "default=$SSH_AUTH_SOCK,$work/one" <"$work/ctx/Dockerfile"
refused 2 "neither the socket of an agent" --ssh "default=$work" <"$work/ctx/Dockerfile"
refused 2 "two ssh agents are called 'a'" --ssh "a=$work/one" --ssh "a=$work/two" <"$work/ctx/Dockerfile"
(unset SSH_AUTH_SOCK && refused 2 "SSH_AUTH_SOCK is not set" --ssh default <"$work/ctx/Dockerfile")

for key in one two; do
	grep -rqF "$(sed -n 4p "$work/$key")" "$OCIBUILD_STORE" && fail "a key is in the store"
done
[ -z "$(ls "$OCIBUILD_STORE/tmp")" ] || fail "litter in tmp"
whole
echo PASSED
