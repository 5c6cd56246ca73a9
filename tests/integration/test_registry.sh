#!/bin/sh
# A real registry (docker-registry): anonymous, with a password, with TLS. What arrives is what was sent,
# other tools read it, bases are not fetched where they need not be, and no secret is ever printed.
. "$(dirname "$0")/lib.sh"
need skopeo umoci openssl
busybox_base

blob_gets() { grep -c '"GET /v2/[^ ]*/blobs/' "$work/registry.log" || :; }

say "anonymous: push, look, pull"
start_registry
want 0 '' "$OCIBUILD" push busybox "$registry/team/base:1"
want 0 '0B moved, 2 blobs' "$OCIBUILD" push busybox "$registry/other/base:1"
want 0 '0B moved' "$OCIBUILD" push busybox "$registry/team/base:1"
skopeo inspect --tls-verify=false "docker://$registry/team/base:1" >"$work/inspect"
grep -q '"Os": "linux"' "$work/inspect" || fail "skopeo does not see the platform"
want 0 '' env OCIBUILD_STORE="$work/store2" "$OCIBUILD" pull "$registry/team/base:1"
[ "$("$OCIBUILD" inspect busybox | sha256sum)" != '' ] || fail "inspect"
skopeo copy -q --src-tls-verify=false "docker://$registry/other/base:1" "oci:$work/layout:1"
umoci unpack --rootless --image "$work/layout:1" "$work/bundle" >/dev/null 2>&1 || fail "umoci does not unpack it"
diff -r --no-dereference "$work/rootfs" "$work/bundle/rootfs" || fail "umoci sees another tree"
skopeo copy -q --dest-tls-verify=false "oci:$work/layout:1" "docker://$registry/by/skopeo:1"
want 0 '' "$OCIBUILD" pull "$registry/by/skopeo:1"

say "an application on a base that is in the registry only"
mkdir "$work/app"
echo content >"$work/app/file"
printf 'FROM %s/team/base:1\nCOPY file /file\n' "$registry" >"$work/app/Dockerfile"
before=$(blob_gets)
want 0 '' env OCIBUILD_STORE="$work/cold" "$OCIBUILD" build --push -t "$registry/team/app:1" "$work/app"
[ "$(blob_gets)" -le $((before + 2)) ] || fail "the base's layer was fetched"
skopeo copy -q --src-tls-verify=false "docker://$registry/team/app:1" "oci:$work/layout:app"
umoci unpack --rootless --image "$work/layout:app" "$work/bundle2" >/dev/null 2>&1 || fail "umoci: the application"
[ "$(cat "$work/bundle2/rootfs/file")" = content ] || fail "the application is not what was built"
want 0 '' env OCIBUILD_STORE="$work/cold" "$OCIBUILD" build -t app1 "$work/app"
want 0 'offline' env OCIBUILD_STORE="$work/cold" "$OCIBUILD" build --offline -t app2 "$work/app"

say "what is not there, and who does not listen"
want 4 '404' "$OCIBUILD" pull "$registry/no/such:1"
want 4 '404' "$OCIBUILD" copy "docker://$registry/team/base:none" "oci:$work/x"
want 6 '127.0.0.1:1' "$OCIBUILD" pull 127.0.0.1:1/x
want 6 '127.0.0.1:1' "$OCIBUILD" push busybox 127.0.0.1:1/x

say "registries that lie"
truth=$work/truth
want 0 '' "$OCIBUILD" copy busybox "oci:$truth:1"
liar() { # liar LIE: sets $registry
	python3 "$(dirname "$0")/lying_registry.py" "$truth" 1 "$1" >"$work/port" 2>"$work/liar.log" &
	background="$background $!"
	for _ in $(seq 50); do
		[ -s "$work/port" ] && break
		sleep 0.1
	done
	registry=127.0.0.1:$(cat "$work/port")
	rm "$work/port"
}
export OCIBUILD_STORE="$work/deceived"
for case in wrong:1:'got sha256:' more:1:'more than' less:1:'wanted' refuse:6:'DENIED: not today' loop:6:'redirects'; do
	liar "${case%%:*}"
	rest=${case#*:}
	printf 'FROM %s/x:1\nCOPY file /\n' "$registry" >"$work/app/Dockerfile"
	want "${rest%%:*}" "${rest#*:}" "$OCIBUILD" pull "$registry/x:1"
	want "${rest%%:*}" "$registry" "$OCIBUILD" build -t deceived "$work/app"
	"$OCIBUILD" images | grep -q "deceived\|$registry" && fail "${case%%:*}: something got a name"
	whole
done
liar cut
want 0 '' "$OCIBUILD" pull "$registry/x:1"
export OCIBUILD_STORE="$work/store"

say "a password"
start_registry 'user:pa55word'
want 6 '401' "$OCIBUILD" push busybox "$registry/team/base:1"
want 6 '401' "$OCIBUILD" push --creds user:wr0ng busybox "$registry/team/base:1"
grep -q wr0ng "$work/stderr" && fail "a password is in the error"
want 0 '' "$OCIBUILD" push --creds user:pa55word busybox "$registry/team/base:1"
mkdir "$work/docker"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf 'user:pa55word' | base64)" >"$work/docker/config.json"
want 0 '' env DOCKER_CONFIG="$work/docker" OCIBUILD_STORE="$work/store3" "$OCIBUILD" --debug pull "$registry/team/base:1"
grep -q 'pa55word\|dXNlcjpw' "$work/stderr" && fail "a password is in the debug output"
cat >"$work/docker-credential-test" <<SH
#!/bin/sh
printf '{"Username":"user","Secret":"pa55word"}'
SH
chmod +x "$work/docker-credential-test"
printf '{"credHelpers":{"%s":"test"}}' "$registry" >"$work/docker/config.json"
want 0 '' env PATH="$work:$PATH" DOCKER_CONFIG="$work/docker" OCIBUILD_STORE="$work/store4" \
	"$OCIBUILD" pull "$registry/team/base:1"

say "TLS"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout "$work/ca.key" -out "$work/ca.pem" \
	-addext basicConstraints=critical,CA:TRUE 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout "$work/tls.key" -out "$work/tls.csr" 2>/dev/null
printf 'subjectAltName=IP:127.0.0.1\n' >"$work/tls.ext"
openssl x509 -req -in "$work/tls.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
	-extfile "$work/tls.ext" -out "$work/tls.pem" 2>/dev/null
tls_port=$((${registry#*:} + 1000))
sed -e "s/addr: 127.0.0.1:[0-9]*/addr: 127.0.0.1:$tls_port, tls: {certificate: $(printf %s "$work/tls.pem" | sed 's,/,\\/,g'), key: $(printf %s "$work/tls.key" | sed 's,/,\\/,g')}/" \
	-e /^auth/d "$work/registry.yml" >"$work/tls.yml"
docker-registry serve "$work/tls.yml" >"$work/tls.log" 2>&1 &
background="$background $!"
registry=127.0.0.1:$tls_port
for _ in $(seq 50); do
	curl -sk -o /dev/null --noproxy '*' "https://$registry/v2/" && break
	sleep 0.1
done
want 6 'certificate' "$OCIBUILD" push busybox "$registry/team/base:1"
want 0 '' "$OCIBUILD" push --ca-cert "$work/ca.pem" busybox "$registry/team/base:1"
want 0 '' env SSL_CERT_FILE="$work/ca.pem" OCIBUILD_STORE="$work/store5" "$OCIBUILD" pull "$registry/team/base:1"
want 0 '' env OCIBUILD_STORE="$work/store6" "$OCIBUILD" pull --insecure-skip-tls-verify "$registry/team/base:1"
want 6 '' "$OCIBUILD" pull --plain-http "$registry/team/base:1"

whole
say "ok"
