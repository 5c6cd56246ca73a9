#!/bin/sh
# ocibuild release, the plain way: runtime, then application, into a registry with a password. What is there
# afterwards is what docs/release.md promises, seen by Skopeo; secrets are nowhere.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/release_lib.sh"
creds=ci:se-cret-7f
busybox_base
start_registry "$creds"
"$OCIBUILD" push --quiet --creds "$creds" busybox "$registry/base:1" >/dev/null
make_repository "$work/repo"
export DOCKER_REGISTRY_URL="http://$registry/team/" DOCKER_USERNAME=ci DOCKER_PASSWORD=se-cret-7f
export OCIBUILD_STORE="$work/runner"
prefix=$registry/team
key=org.opencontainers.image

say "there is no runtime yet"
want 4 'there is no runtime image' release app
want 4 'ocibuild release runtime' release app
want 0 'not there' release runtime --dry-run
same "$(tags_of "$prefix/runtime")" '' "a dry run pushed"

say "the runtime"
want 0 'released runtime:v20' release runtime
runtime=$(digest_of "$prefix/runtime:latest")
version=$(tags_of "$prefix/runtime" | tr ' ' '\n' | grep '^v')
echo "$version" | grep -qE '^v[0-9]{8}-[0-9]{6}$' || fail "the tag is '$version'"
same "$(digest_of "$prefix/runtime:$version")" "$runtime" "the two tags"
grep -qF "$prefix/runtime:$version@$runtime" "$work/stdout" || fail "standard output has not the tag"
same "$(annotation "$prefix/runtime:latest" $key.base.name)" "$registry/base:1" "base.name of the runtime"

say "nothing changed, nothing pushed"
sleep 1.1
want 0 'nothing changed' release runtime
same "$(tags_of "$prefix/runtime")" "latest $version" "tags of the runtime"

say "the application"
head=$(git rev-parse HEAD)
short=$(git rev-parse HEAD | cut -c1-7)
want 0 "app:$short" release app --dry-run
same "$(tags_of "$prefix/app")" '' "a dry run pushed"
want 0 "released app:$short" release app
same "$(tags_of "$prefix/app")" "$(printf '%s\nlatest\n' "$short" | sort | paste -sd' ')" "tags of the application"
app=$(digest_of "$prefix/app:latest")
same "$(digest_of "$prefix/app:$short")" "$app" "the two tags"
same "$(annotation "$prefix/app:latest" $key.base.name)" "$prefix/runtime:latest" "base.name"
same "$(annotation "$prefix/app:latest" $key.base.digest)" "$runtime" "base.digest"
same "$(annotation "$prefix/app:latest" $key.revision)" "$head" "revision"
same "$(annotation "$prefix/app:latest" $key.created)" "$(TZ=UTC date -d "@$commit_time" +%Y-%m-%dT%H:%M:%SZ)" "created"

say "the same commit on another machine is the same image"
git clone -q "$work/repo" "$work/clone"
(cd "$work/clone" && OCIBUILD_STORE="$work/other" release app --force) >"$work/stdout" 2>"$work/stderr" ||
	{ cat "$work/stderr" >&2; fail "release in a clone"; }
grep -q 'nothing changed' "$work/stderr" || { cat "$work/stderr" >&2; fail "another digest in a clone"; }

say "the pushed image runs what was committed"
skopeo copy -q --src-tls-verify=false --src-creds "$creds" "docker://$prefix/app:latest" "oci:$work/layout:app"
want 0 '' "$OCIBUILD" copy "oci:$work/layout:app" app:from-registry
printf 'FROM app:from-registry\n' >"$work/Dockerfile"
mkdir "$work/empty"
want 0 '' "$OCIBUILD" build -f "$work/Dockerfile" -o "type=local,dest=$work/tree" "$work/empty"
same "$(cat "$work/tree/app/main")" one "the application's file"

say "both at once"
export DOCKER_REGISTRY_URL="$registry/both"
want 0 "released app:$short" release app --with-runtime
same "$(annotation "$registry/both/app:latest" $key.base.digest)" "$(digest_of "$registry/both/runtime:latest")" "base.digest"

say "no secret anywhere"
export DOCKER_REGISTRY_URL="$registry/secrets"
release app --with-runtime --progress rawjson >"$work/all.log" 2>&1 || fail "release with rawjson"
! grep -rqF se-cret-7f "$work/runner" "$work/other" "$work/repo" "$work/all.log" "$HOME" || fail "the password was written"
code=$(printf 'ci:se-cret-7f' | base64)
! grep -rqF "$code" "$work/runner" "$work/other" "$work/repo" "$work/all.log" "$HOME" || fail "the password was written in base64"
