#!/bin/sh
# Credentials for what is elsewhere, from --secret: they reach their server and nothing else; and servers that
# do not behave.
. "$(dirname "$0")/lib.sh"
need git python3 curl tar
[ -x "$(git --exec-path)/git-http-backend" ] || skip "no git http-backend on this machine"
mkdir "$work/www" "$work/context"

git init -q "$work/one"
(
	cd "$work/one"
	mkdir dir
	echo first >a
	printf 'FROM scratch\nCOPY . /all/\n' >Dockerfile
	git add .
	git -c user.name=t -c user.email=t@example.org commit -qm first
	git branch -M main
)
git clone -q --bare "$work/one" "$work/www/one.git"
printf 'hello\n' >"$work/www/file"

for port in $(shuf -i 8100-8999 -n 50); do
	curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port/" || break
done
server=127.0.0.1:$port
: >"$work/requests"
python3 "$(dirname "$0")/remote_server.py" "$port" "$work/www" "$work/requests" 2>"$work/www.log" &
background="$background $!"
for _ in $(seq 50); do
	curl -s -o /dev/null --noproxy '*' "http://$server/" && break
	sleep 0.1
done

# Every argument and environment of git, to be searched.
mkdir "$work/bin"
real_git=$(command -v git)
cat >"$work/bin/git" <<SH
#!/bin/sh
printf '%s\n' "\$*" >>"$work/arguments"
exec "$real_git" "\$@"
SH
chmod 755 "$work/bin/git"
PATH=$work/bin:$PATH

# secrets as a file ends: with a newline
printf 't0ken\n' >"$work/token"
printf 'Custom h3ader\n' >"$work/header"
printf 'wr0ng\n' >"$work/wrong"

# add OPTIONS -- WORDS: of an ADD to /x/
add() {
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	printf 'FROM scratch\nADD %s /x/\n' "$*" >"$work/Dockerfile"
	# shellcheck disable=SC2086
	"$OCIBUILD" build --progress plain --no-cache $options -f "$work/Dockerfile" \
		-o "type=tar,dest=$work/out.tar" -t test "$work/context" 2>"$work/stderr" ||
		{ cat "$work/stderr" >&2; fail "build of '$*'"; }
	cat "$work/stderr" >>"$work/said"
}
# refuse STATUS TEXT WORDS [OPTIONS]: of an ADD
refuse() {
	status=$1 text=$2 word=$3
	shift 3
	printf 'FROM scratch\nADD %s /x/\n' "$word" >"$work/Dockerfile"
	want "$status" "$text" "$OCIBUILD" build "$@" -f "$work/Dockerfile" "$work/context"
	grep -q 'Dockerfile:2:' "$work/stderr" || fail "'$word': the line is not named"
	cat "$work/stderr" >>"$work/said"
}
holds() { [ "$(tar -xOf "$work/out.tar" "$1")" = "$2" ] || fail "'$1' is not '$2'"; }

say "files: a token, a header, of their host alone"
add --secret "id=HTTP_AUTH_TOKEN_127.0.0.1,src=$work/token" -- "http://$server/bearer/file"
holds x/file hello
add --secret "id=HTTP_AUTH_HEADER_127.0.0.1,src=$work/header" -- "http://$server/custom/file"
holds x/file hello
refuse 6 "--secret id=HTTP_AUTH_TOKEN_127.0.0.1" "http://$server/bearer/file" --secret "id=HTTP_AUTH_TOKEN_localhost,src=$work/token"
refuse 6 "does not take the secret" "http://$server/bearer/file" --secret "id=HTTP_AUTH_TOKEN_127.0.0.1,src=$work/wrong"
printf 'a\nb\n' >"$work/lines"
refuse 2 "not one line of text" "http://$server/bearer/file" --secret "id=HTTP_AUTH_TOKEN_127.0.0.1,src=$work/lines"
: >"$work/empty"
refuse 2 "is empty" "http://$server/bearer/file" --secret "id=HTTP_AUTH_TOKEN_127.0.0.1,src=$work/empty"

say "a secret does not follow to another host"
: >"$work/requests"
refuse 6 "401" "http://$server/away/bearer/file" --secret "id=HTTP_AUTH_TOKEN_127.0.0.1,src=$work/token"
grep -q "^$server/away/bearer/file	Bearer t0ken" "$work/requests" || fail "the first host did not get it"
grep -q "^localhost.*t0ken" "$work/requests" && fail "the second host got it"
refuse 6 "does not follow" "http://$server/away/git/one.git" --secret "id=GIT_AUTH_TOKEN,src=$work/token"
grep -q "^localhost.*Basic" "$work/requests" && fail "the second host got git's"
add -- "http://$server/away/git/one.git"
holds x/a first

say "repositories: for all hosts, for one, as a header"
add --secret "id=GIT_AUTH_TOKEN,src=$work/token" -- "http://$server/token/one.git"
holds x/a first
add --secret "id=GIT_AUTH_TOKEN.$server,src=$work/token" --secret "id=GIT_AUTH_TOKEN,src=$work/wrong" -- \
	"http://$server/token/one.git#main"
add --secret "id=GIT_AUTH_HEADER.$server,src=$work/header" -- "http://$server/header/one.git?branch=main"
add --secret "id=GIT_AUTH_HEADER,src=$work/header" -- --keep-git-dir=true "http://$server/header/one.git"
tar -C "$work" -xf "$work/out.tar" x
grep -rq h3ader "$work/x" && fail "the kept repository has the secret"
refuse 6 "--secret id=GIT_AUTH_TOKEN.$server" "http://$server/token/one.git"
refuse 6 "git:" "http://$server/token/one.git" --secret "id=GIT_AUTH_TOKEN,src=$work/wrong"
refuse 6 "git:" "http://$server/token/one.git" --secret "id=GIT_AUTH_TOKEN.example.org,src=$work/token"
refuse 2 "not one line of text" "http://$server/token/one.git" --secret "id=GIT_AUTH_TOKEN,src=$work/lines"

say "contexts"
"$OCIBUILD" build --secret "id=GIT_AUTH_TOKEN,src=$work/token" -o "type=tar,dest=$work/out.tar" \
	"http://$server/token/one.git#main" 2>>"$work/said"
holds all/a first
printf 'FROM repo\nCOPY --from=file context /named\n' >"$work/named"
"$OCIBUILD" build --secret "id=GIT_AUTH_TOKEN,src=$work/token" --secret "id=HTTP_AUTH_HEADER_127.0.0.1,src=$work/header" \
	--build-context "repo=http://$server/token/one.git" --build-context "file=http://$server/custom/file" \
	-f "$work/named" -o "type=tar,dest=$work/out.tar" "$work/context" 2>>"$work/said"
holds a first
holds named hello
printf 'FROM scratch\nCOPY a /b\n' >"$work/www/Dockerfile.other"
"$OCIBUILD" build --secret "id=HTTP_AUTH_TOKEN_127.0.0.1,src=$work/token" -f "http://$server/bearer/Dockerfile.other" \
	-o "type=tar,dest=$work/out.tar" "$work/one" 2>>"$work/said"
holds b first

say "what was secret is nowhere: store, history, messages, arguments"
for secret in t0ken h3ader "$(printf x-access-token:t0ken | base64)" "$(printf x-access-token:wr0ng | base64)"; do
	grep -rqF "$secret" "$OCIBUILD_STORE" && fail "'$secret' is in the store: $(grep -rlF "$secret" "$OCIBUILD_STORE")"
	grep -qF "$secret" "$work/said" && fail "'$secret' is in a message"
	grep -qF -- "$secret" "$work/arguments" && fail "'$secret' is in git's arguments"
done
grep -q ls-remote "$work/arguments" || fail "git's arguments were not seen"

say "a secret is not in the cache key"
printf 'FROM scratch\nADD http://%s/git/one.git /x/\nADD http://%s/bearer/file /y/\n' "$server" "$server" >"$work/Dockerfile"
for value in token wrong; do
	"$OCIBUILD" build --progress plain -f "$work/Dockerfile" --secret "id=HTTP_AUTH_TOKEN_127.0.0.1,src=$work/token" \
		--secret "id=GIT_AUTH_TOKEN,src=$work/$value" "$work/context" 2>"$work/stderr"
done
[ "$(grep -c CACHED "$work/stderr")" = 2 ] || { cat "$work/stderr"; fail "another secret is another step"; }

say "servers that do not behave"
refuse 6 "redirects" "http://$server/loop"
add -- "http://$server/hops/10"
refuse 6 "redirects" "http://$server/hops/11"
for path in short silent late; do
	refuse 6 "/$path" "http://$server/$path"
	refuse 6 "/$path" "--checksum=sha256:$(printf %064d 0) http://$server/$path"
done
[ -z "$(ls "$OCIBUILD_STORE/tmp")" ] || fail "litter: $(ls "$OCIBUILD_STORE/tmp")"
whole
say "done"
