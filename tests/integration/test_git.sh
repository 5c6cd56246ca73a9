#!/bin/sh
# ADD of git repositories and git contexts, from a git daemon and from web servers.
. "$(dirname "$0")/lib.sh"
need git python3 curl tar
git daemon --help >/dev/null 2>&1 || [ -x "$(git --exec-path)/git-daemon" ] || skip "no git daemon on this machine"
mkdir "$work/repos" "$work/context"

# What makes the repositories; the builds below must not see it.
git config --global user.name test
git config --global user.email test@example.org
git config --global init.defaultBranch main
git config --global protocol.file.allow always

free_port() {
	for port in $(shuf -i 7100-7999 -n 50); do
		curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port/" || break
	done
}

# A repository with a submodule, a tag of each kind and a branch.
git init -q "$work/sub"
(cd "$work/sub" && echo sub >in-sub && git add . && git commit -qm sub)
git clone -q --bare "$work/sub" "$work/repos/sub.git"
git init -q "$work/one"
cd "$work/one"
mkdir dir
echo first >a
echo run >dir/run
chmod 700 dir/run
chmod 600 a
ln -s dir link
printf 'FROM scratch\nCOPY . /all/\n' >Dockerfile
printf 'FROM scratch\nCOPY run /only\n' >dir/Dockerfile
printf '*\n' >.dockerignore
ln -s /etc/passwd Outside
git add .
GIT_COMMITTER_DATE='2020-02-03T04:05:06Z' git commit -qm first
git tag light
git tag -a -m tag annotated
first=$(git rev-parse HEAD)
echo second >a
git submodule add -q "$work/repos/sub.git" module 2>/dev/null
git config -f .gitmodules submodule.module.url ../sub.git
git add .
git commit -qm second
second=$(git rev-parse HEAD)
git branch hostile
git checkout -q hostile
git config -f .gitmodules submodule.module.url "file://$work/repos/sub.git"
git add .
git commit -qm hostile
git checkout -q main
git clone -q --bare . "$work/repos/one.git" 2>/dev/null
cd "$work"
for repo in one sub; do git -C "$work/repos/$repo.git" update-server-info; done

free_port
daemon=git://127.0.0.1:$port
git daemon --listen=127.0.0.1 --port="$port" --base-path="$work/repos" --export-all >"$work/daemon.log" 2>&1 &
background="$background $!"
for _ in $(seq 50); do
	git ls-remote "$daemon/one.git" >/dev/null 2>&1 && break
	sleep 0.1
done
# A web server that knows nothing of git, and asks for a password below /closed/.
free_port
web=http://127.0.0.1:$port
mkdir "$work/repos/closed"
cp -r "$work/repos/one.git" "$work/repos/sub.git" "$work/repos/closed/"
cat >"$work/web.py" <<PY
import base64, http.server, os, sys
os.chdir(sys.argv[2])
WANT = "Basic " + base64.b64encode(b"me:s3cret").decode()
class Handler(http.server.SimpleHTTPRequestHandler):
    def send_header(self, name, value):
        if name != "Last-Modified" or "/timeless/" not in self.path:
            super().send_header(name, value)

    def do_GET(self):
        if self.path.startswith("/closed/") and self.headers.get("Authorization") != WANT:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=closed")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
PY
python3 "$work/web.py" "$port" "$work/repos" >"$work/web.log" 2>&1 &
background="$background $!"
for _ in $(seq 50); do
	curl -s -o /dev/null --noproxy '*' "$web/" && break
	sleep 0.1
done
# From here on the configuration of who builds would break everything, if it were read.
git config --global url.file:///nowhere/.insteadOf "$daemon/"
git config --global core.hooksPath "$work/hooks"
git config --global core.autocrlf true

# context CONTEXT [OPTIONS]: the image as $work/out.tar, what was said as $work/stderr
context() {
	"$OCIBUILD" build --progress plain -o "type=tar,dest=$work/out.tar" "$@" 2>"$work/stderr" ||
		{ cat "$work/stderr" >&2; fail "build of '$*'"; }
}
# add WORDS: of an ADD to /x/
add() {
	printf 'FROM scratch\nADD %s /x/\n' "$*" >"$work/Dockerfile"
	context -f "$work/Dockerfile" "$work/context"
}
# refuse STATUS TEXT WORDS: of an ADD
refuse() {
	status=$1 text=$2
	shift 2
	printf 'FROM scratch\nADD %s /x/\n' "$*" >"$work/Dockerfile"
	want "$status" "$text" "$OCIBUILD" build -f "$work/Dockerfile" "$work/context"
	grep -q 'Dockerfile:2:' "$work/stderr" || fail "'$*': the line is not named"
}
lists() { tar --numeric-owner -tvf "$work/out.tar" | grep -qE -- "$1" || { tar -tvf "$work/out.tar"; fail "the image has no '$1'"; }; }
lacks() { ! tar -tf "$work/out.tar" | grep -qE -- "$1" || fail "the image has '$1'"; }
holds() { [ "$(tar -xOf "$work/out.tar" "$1")" = "$2" ] || fail "'$1' is not '$2'"; }

say "files of the default branch, whatever umask and configuration"
(umask 077; add "$daemon/one.git")
lists '^-rw-r--r-- 0/0 .* x/a$'
lists '^-rwxr-xr-x 0/0 .* x/dir/run$'
lists ' x/module/in-sub$'
lacks '/\.git(/|$)'
holds x/a second
add "$daemon/one.git"
grep -q CACHED "$work/stderr" || fail "the same commit was not CACHED"
add "$web/one.git"
holds x/a second

say "references, directories, flags and queries"
for ref in light annotated "$first"; do
	add "$daemon/one.git#$ref"
	holds x/a first
	lacks module
done
add "$web/one.git?tag=light&subdir=dir"
lists ' x/run$'
lacks 'x/a$'
add "$daemon/one.git?submodules=0"
lacks in-sub
add --keep-git-dir=true "$daemon/one.git#annotated"
lists ' x/.git/HEAD$'
lists ' x/.git/refs/tags/annotated$'
tar -C "$work" -xf "$work/out.tar" x
[ "$(git -C "$work/x" -c safe.directory='*' log --format=%s)" = first ] || fail "the repository in the image is not one"
grep -rqE "$work|$(hostname)" "$work/x/.git" && fail "the repository in the image tells of this machine"
add --chown=7:8 --exclude=dir "$daemon/one.git#light"
lists '^-rw-r--r-- 7/8 .* x/a$'
lacks 'x/dir'

say "a commit that is named needs no network once it is here"
before=$(wc -l <"$work/daemon.log")
printf 'FROM scratch\nADD %s/one.git#%s /x/\n' "$daemon" "$first" >"$work/Dockerfile"
context -f "$work/Dockerfile" --offline "$work/context"
grep -q CACHED "$work/stderr" || fail "a commit was not CACHED"
[ "$(wc -l <"$work/daemon.log")" = "$before" ] || fail "the daemon was asked"

say "checksums"
add "--checksum=$(echo "$second" | cut -c1-9)" "$daemon/one.git"
add "--checksum=$first" "$daemon/one.git#annotated"
refuse 1 "wanted checksum" "--checksum=$first" "$daemon/one.git"
refuse 3 "beginning of a commit" "--checksum=sha256:0" "$daemon/one.git"
refuse 3 "is not the URL's checksum" "--checksum=abc" "$daemon/one.git?checksum=abd"

say "refusals"
refuse 4 "no branch and no tag 'nothing'" "$daemon/one.git#nothing"
refuse 4 "no commit $(printf %040d 0)" "$daemon/one.git#$(printf %040d 0)"
refuse 4 "nothing.git" "$daemon/nothing.git"
refuse 4 "no directory 'link'" "$daemon/one.git#main:link"
refuse 3 "no git reference" "$daemon/one.git#--upload-pack=x"
refuse 3 "unexpected query" "$daemon/one.git?x=1"
refuse 3 "inconsistent" --keep-git-dir=true "$daemon/one.git?keep-git-dir=0"
refuse 6 "submodules" "$daemon/one.git#hostile"
refuse 6 "refused" "git://127.0.0.1:1/one.git"
printf 'FROM scratch\nCOPY %s/one.git /x/\n' "$daemon" >"$work/Dockerfile"
want 3 "for COPY" "$OCIBUILD" build -f "$work/Dockerfile" "$work/context"

say "a password goes to its server, and nowhere else"
add "$(echo "$web" | sed 's,//,//me:s3cret@,')/closed/one.git#light"
holds x/a first
refuse 6 "git:" "$web/closed/one.git#main"
refuse 6 "git:" "$(echo "$web" | sed 's,//,//me:wr0ng@,')/closed/one.git#main"
grep -q wr0ng "$work/stderr" && sed '/ADD/d' "$work/stderr" | grep -q 'git:.*wr0ng' && fail "a password is in a message"

say "contexts"
context "$daemon/one.git"
lists ' all/.dockerignore$'
lists ' all/module/in-sub$'
lacks '/\.git(/|$)'
context "$daemon/one.git#light:dir"
lists '^-rwxr-xr-x 0/0 .* only$'
context "$daemon/one.git?mtime=commit#light" --no-cache
TZ=UTC tar --full-time -tvf "$work/out.tar" | grep -q '2020-02-03 04:05:06 all/a$' || fail "a file has not the time of its commit"
context --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 "$daemon/one.git#light"
lists ' all/.git/HEAD$'
printf 'FROM repo\nCOPY --from=repo /a /b\n' >"$work/named"
context -f "$work/named" --build-context "repo=$daemon/one.git#light" "$work/context"
holds b first
holds dir/run run
want 4 "there is no 'nothing' in the repository" "$OCIBUILD" build -f nothing "$daemon/one.git"
want 4 "no branch and no tag 'nothing'" "$OCIBUILD" build "$daemon/one.git#nothing"
"$OCIBUILD" build -f Outside "$daemon/one.git" >"$work/stdout" 2>&1 && fail "a link led out of the repository"
grep -q root: "$work/stdout" && fail "a file of this machine was read"

say "without git"
mkdir "$work/bin"
for tool in sh env; do ln -s "$(command -v $tool)" "$work/bin/"; done
want 7 "no program 'git'" env PATH="$work/bin" "$OCIBUILD" build "$daemon/one.git"

say "a server that does not answer can be interrupted"
free_port
python3 -c "
import socket, time
s = socket.socket()
s.bind(('127.0.0.1', $port))
s.listen()
open('$work/silent', 'w')
time.sleep(60)" &
silent=$!
background="$background $silent"
for _ in $(seq 100); do
	[ -e "$work/silent" ] && break
	sleep 0.1
done
"$OCIBUILD" build "git://127.0.0.1:$port/one.git" >"$work/stdout" 2>&1 &
pid=$!
for _ in $(seq 100); do
	pgrep -f "remote.*git://127.0.0.1:$port|ls-remote.*127.0.0.1:$port" >/dev/null && break
	sleep 0.1
done
kill -INT "$pid" || fail "the build did not wait: $(cat "$work/stdout")"
wait "$pid" && fail "an interrupted build ended well"
kill "$silent"
pgrep -f "ls-remote.*127.0.0.1:$port" >/dev/null && fail "git is still there"
say "SOURCE_DATE_EPOCH may be what has a time"
# made_at TIME WORDS…: an image of the Dockerfile on standard input is as old as that.
made_at() {
	cat >"$work/context/Dockerfile"
	time=$1
	shift
	"$OCIBUILD" build -q -t epoch "$@" >/dev/null 2>"$work/stderr" || { cat "$work/stderr"; fail "build $*"; }
	"$OCIBUILD" inspect epoch | grep -qF "\"created\":\"$time\"" || { "$OCIBUILD" inspect epoch; fail "'$*' is not of $time"; }
}
mkdir -p "$work/repos/timeless" "$work/tarred"
echo old >"$work/tarred/old"
touch -d '2001-01-01T00:00:00Z' "$work/tarred/old"
echo new >"$work/tarred/new"
touch -d '2019-05-06T07:08:09Z' "$work/tarred/new"
printf 'FROM scratch\nCOPY new /\n' >"$work/tarred/Dockerfile"
touch -d '2002-01-01T00:00:00Z' "$work/tarred/Dockerfile"
tar -C "$work/tarred" -czf "$work/repos/timeless/t.tgz" .
cp "$work/repos/timeless/t.tgz" "$work/repos/t.tgz"
touch -d '2018-03-02T01:00:00Z' "$work/repos/t.tgz"
date -u -d now >"$work/context/file"
made_at 2020-02-03T04:05:06Z --build-arg SOURCE_DATE_EPOCH=context "$daemon/one.git#light" </dev/null
made_at 2018-03-02T01:00:00Z --build-arg SOURCE_DATE_EPOCH=context "$web/t.tgz" </dev/null
made_at 2019-05-06T07:08:09Z --build-arg SOURCE_DATE_EPOCH=context "$web/timeless/t.tgz" </dev/null
for address in "$daemon/one.git#light=2020-02-03T04:05:06Z" "$web/t.tgz=2018-03-02T01:00:00Z" "$web/timeless/t.tgz=2019-05-06T07:08:09Z"; do
	time=${address##*=} address=${address%=*}
	printf 'ARG SOURCE_DATE_EPOCH=src\nFROM scratch\nCOPY file /\nCOPY --from=src / /\n' |
		made_at "$time" --build-context "src=$address" "$work/context"
	printf 'FROM scratch AS src\nARG A=x\nARG A=%s\nADD $A /\nFROM scratch\nCOPY file /\n' "$address" |
		made_at "$time" --build-arg SOURCE_DATE_EPOCH=SRC "$work/context"
done
printf 'FROM scratch\nCOPY file /\nARG SOURCE_DATE_EPOCH\nLABEL at=$SOURCE_DATE_EPOCH\n' >"$work/context/Dockerfile"
SOURCE_DATE_EPOCH=src "$OCIBUILD" build -q -t epoch --build-context "src=$daemon/one.git#light" "$work/context" >/dev/null 2>&1
"$OCIBUILD" inspect epoch | grep -qF '"at":"1580702706"' || fail "the argument is no number"
"$OCIBUILD" build -q -t local --build-arg SOURCE_DATE_EPOCH=context "$work/context" >/dev/null 2>&1 || fail "a local context"
"$OCIBUILD" inspect local | grep -qF "\"created\":\"$(date -u +%Y)" || fail "a local context has a time"
want 2 "SOURCE_DATE_EPOCH is 'nothing'" "$OCIBUILD" build --build-arg SOURCE_DATE_EPOCH=nothing "$work/context"

[ -z "$(ls "$OCIBUILD_STORE/tmp")" ] || fail "litter: $(ls "$OCIBUILD_STORE/tmp")"
whole
say "done"
