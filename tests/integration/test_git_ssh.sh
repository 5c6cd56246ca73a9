#!/bin/sh
# Git repositories behind ssh: with the keys of --ssh default, and with no others for what a Dockerfile names.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
need git ssh ssh-agent ssh-add ssh-keygen sshd curl
sshd=$(command -v sshd)
mkdir "$work/context" "$work/keys"
me=$(id -un)

git init -q "$work/one"
(
	cd "$work/one"
	echo first >a
	printf 'FROM scratch\nCOPY . /all/\n' >Dockerfile
	git add .
	git -c user.name=t -c user.email=t@example.org commit -qm first
	git branch -M main
)
git clone -q --bare "$work/one" "$work/one.git"

for name in host good other; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$work/keys/$name"; done
cp "$work/keys/good.pub" "$work/keys/allowed"
for port in $(shuf -i 9100-9999 -n 50); do
	curl -s -o /dev/null --noproxy '*' "telnet://127.0.0.1:$port" </dev/null || break
done
cat >"$work/sshd_config" <<CONF
ListenAddress 127.0.0.1:$port
HostKey $work/keys/host
AuthorizedKeysFile $work/keys/allowed
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
CONF
"$sshd" -t -f "$work/sshd_config" 2>"$work/stderr" || skip "sshd does not start here: $(tail -n 1 "$work/stderr")"
"$sshd" -D -e -f "$work/sshd_config" 2>"$work/sshd.log" &
background="$background $!"
remote=ssh://$me@127.0.0.1:$port$work/one.git
for _ in $(seq 50); do
	ssh-keyscan -p "$port" 127.0.0.1 >"$work/known" 2>/dev/null && [ -s "$work/known" ] && break
	sleep 0.1
done

printf 'FROM scratch\nADD %s#main /x/\n' "$remote" >"$work/Dockerfile"
build() {
	"$OCIBUILD" build --progress plain -o "type=tar,dest=$work/out.tar" "$@" 2>"$work/stderr" ||
		{ cat "$work/stderr" "$work/sshd.log" >&2; fail "build of '$*'"; }
}
holds() { [ "$(tar -xOf "$work/out.tar" "$1")" = first ] || fail "'$1' is not there"; }

say "a file's key, then an agent's"
build --ssh "default=$work/keys/good" -f "$work/Dockerfile" "$work/context"
holds x/a
eval "$(ssh-agent -a "$work/agent")" >/dev/null
background="$background $SSH_AGENT_PID"
ssh-add -q "$work/keys/good"
build --no-cache --ssh default -f "$work/Dockerfile" "$work/context"
holds x/a

say "an agent that was not given is not asked for what a Dockerfile names"
want 6 "--ssh default" "$OCIBUILD" build --no-cache -f "$work/Dockerfile" "$work/context"
want 6 "git:" "$OCIBUILD" build --no-cache --ssh "default=$work/keys/other" -f "$work/Dockerfile" "$work/context"

say "contexts: with the agent that is there, and with the one that was given"
build "$remote"
holds all/a
SSH_AUTH_SOCK='' build --ssh "default=$work/keys/good" "$remote#main"
holds all/a
want 6 "git:" env SSH_AUTH_SOCK= "$OCIBUILD" build "$remote"
[ -z "$(ls "$OCIBUILD_STORE/tmp")" ] || fail "litter: $(ls "$OCIBUILD_STORE/tmp")"
whole
say "done"
