#!/bin/sh
# The rules of docs/release.md one by one, and what a CI system or a repository may do to a release.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/release_lib.sh"
creds=ci:secret
busybox_base
start_registry "$creds"
"$OCIBUILD" push --quiet --creds "$creds" busybox "$registry/base:1" >/dev/null
make_repository "$work/repo"
printf 'FROM runtime\nARG WHO=a\nLABEL who=$WHO\nCOPY app/ /app/\n' >build/Dockerfile.app
printf '/ignored\n' >.gitignore
commit two
export DOCKER_REGISTRY_URL="$registry/rules" DOCKER_USERNAME=ci DOCKER_PASSWORD=secret
app=$registry/rules/app
tag() { git rev-parse "${1:-HEAD}" | cut -c1-7; }

say "the command line"
want 2 "takes 'runtime' or 'app'" release
want 2 "not 'worker'" release worker
want 2 "not 'app'" release runtime app
want 2 "--runtime is for 'release app'" release runtime --runtime x
want 2 'exclude each other' release app --runtime x --with-runtime
want 2 "did you mean '--dry-run'" release app --dryrun

say "a version tag is not moved"
want 0 'released app' release app --with-runtime
for step in 'COPY build/Dockerfile.runtime' 'COPY app/ /app/'; do
	grep -q "^#[0-9]* \[2/2\] $step" "$work/stderr" || { cat "$work/stderr" >&2; fail "the log has not the step '$step'"; }
done
before=$(digest_of "$app:$(tag)")
want 1 'a version tag is not moved' release app --force --build-arg WHO=b
same "$(digest_of "$app:$(tag)")" "$before" "the version tag"
same "$(digest_of "$app:latest")" "$before" "latest"
want 0 'nothing changed' release app --force

say "documentation needs no new image, whatever else does"
echo more >>README.md
mkdir -p .github/workflows docs/deep
echo x >.github/workflows/x.yml
echo x >docs/deep/x.txt
commit documentation
want 0 'only documentation and configuration changed: .github/workflows/x.yml, README.md, docs/deep/x.txt' release app
same "$(digest_of "$app:$(tag)")" '' "a tag for documentation"
want 0 'released app' release app --force
echo new >app/new
commit code
want 0 "'app/new' changed since" release app --dry-run
printf 'ignore: ["app/**", "!app/main", "ocibuild.yaml"]\n' >ocibuild.yaml
commit configuration
want 0 'configuration changed: app/new, ocibuild.yaml' release app
git rm -q README.md
git mv app/new app/renamed
commit renamed
want 0 "'README.md' changed since" release app --dry-run
git rm -q ocibuild.yaml
commit 'no configuration'
want 0 'released app' release app
same "$(digest_of "$app:$(tag)")" "$(digest_of "$app:latest")" "the two tags"

say "modes of another umask are said"
(umask 002 && git clone -q "$work/repo" "$work/umask")
(
	cd "$work/umask"
	git remote remove origin
	want 1 "Dockerfile.app' has mode 0664" release app --force
	want 1 'a version tag is not moved' release app --force
)

say "names of files cannot forge a log"
strange=$(printf 'app/a\n::error::\033[2J')
echo x >"$strange"
want 0 "the tree is dirty: 'app/a?::error::?[2J'" release app --dry-run
commit strange
want 0 "'app/a?::error::?[2J' changed since" release app --dry-run
git rm -q "$strange"
git reset -q --hard HEAD~1

say "a new runtime alone makes no new application, and that is said"
runtime=$(digest_of "$registry/rules/runtime:latest")
"$OCIBUILD" push --quiet --creds "$creds" busybox "$registry/rules/runtime:latest" >/dev/null 2>&1
want 0 "runtime:latest has moved since: this application stands on $(annotation "$app:latest" org.opencontainers.image.base.digest)" release app
want 0 'nothing to release' release app
want 1 'a version tag is not moved' release app --force
copy "rules/runtime@$runtime" rules/runtime:latest

say "a dirty tree"
latest=$(digest_of "$app:latest")
mkdir ignored
echo x >ignored/file
want 0 'no file changed' release app
echo change >>app/main
want 0 "the tree is dirty: 'app/main'" release app
dirty=$(digest_of "$app:$(tag)-dirty")
[ -n "$dirty" ] || fail "there is no dirty tag"
same "$(annotation "$app:$(tag)-dirty" org.opencontainers.image.revision)" "$(git rev-parse HEAD)-dirty" "the revision"
echo again >>app/main
want 0 'released app' release app
[ "$(digest_of "$app:$(tag)-dirty")" != "$dirty" ] || fail "the dirty tag was not replaced"
same "$(digest_of "$app:latest")" "$latest" "latest of a dirty tree"
git checkout -q app/main
echo x >untracked
want 0 "the tree is dirty: 'untracked'" release app --dry-run
rm untracked
want 0 'no file changed' env OCIBUILD_STORE="$work/repo/store" "$OCIBUILD" release app
! git status --porcelain | grep -v '?? store/' || fail "more than the store is untracked"
rm -rf store

say "latest does not go back"
new=$(git rev-parse HEAD)
git checkout -q HEAD~3
want 0 'stays: it is from' release app
same "$(digest_of "$app:latest")" "$latest" "latest"
[ -n "$(digest_of "$app:$(tag)")" ] || fail "the older commit has no tag"
want 0 'move it to the new image' release app --force --move-latest --dry-run
want 0 'released app' release app --force --move-latest
same "$(digest_of "$app:latest")" "$(digest_of "$app:$(tag)")" "latest, moved back"
git checkout -q main
want 0 'released app' release app --force

say "another branch: the newer of the two commits"
git checkout -q -b side HEAD~4
commit_time=1690000000
echo side >app/side
commit 'an old branch'
want 0 'stays: it is from' release app
git checkout -q main

say "clones: shallow, and with HEAD off every branch"
git clone -q --depth 1 "file://$work/repo" "$work/shallow"
cd "$work/shallow"
echo x >app/x
commit_time=1700100000
commit 'in a shallow clone'
want 0 'released app' release app
git clone -q --depth 1 "file://$work/repo" "$work/shallow2"
cd "$work/shallow2"
git checkout -q --detach
want 0 'this clone is shallow and does not have it' release app --dry-run
want 0 'stays: it is from' release app
cd "$work/repo"

say "no commits, no repository, no git"
mkdir -p "$work/bare/build" "$work/bin"
cp -r build app "$work/bare/"
cd "$work/bare"
want 1 'this is no git repository' release app
want 0 'released runtime:v' release runtime
git init -q .
want 1 'the repository has no commits yet' release app
rm -rf .git
want 0 "commit ${new%"${new#???????}"} (GITHUB_SHA)" env GITHUB_SHA="$new" "$OCIBUILD" release app --dry-run
want 0 "app:$(echo "$new" | cut -c1-7)" env CI_COMMIT_SHA="$new" "$OCIBUILD" release app --dry-run
want 0 "(DRONE_COMMIT_SHA)" env DRONE_COMMIT_SHA="$new" "$OCIBUILD" release app --dry-run
want 0 "(GIT_COMMIT)" env GIT_COMMIT="$new" "$OCIBUILD" release app --dry-run
want 0 'SOURCE_DATE_EPOCH 1700000000' env CI_COMMIT_SHA="$new" CI_COMMIT_TIMESTAMP=2023-11-14T23:13:20+01:00 "$OCIBUILD" release app --dry-run
want 1 "GITHUB_SHA is 'main', which is no commit id" env GITHUB_SHA=main "$OCIBUILD" release app
want 1 'there is no git program' env PATH="$work/bin" "$OCIBUILD" release app
cd "$work/repo"
want 0 'git does not say what is checked out (fatal: detected dubious ownership' \
	env GIT_TEST_ASSUME_DIFFERENT_OWNER=1 GITHUB_SHA="$new" "$OCIBUILD" release app --dry-run
want 1 'there is none: fatal: detected dubious ownership' env GIT_TEST_ASSUME_DIFFERENT_OWNER=1 "$OCIBUILD" release app
other=$(git rev-parse HEAD~1)
want 0 "is checked out: that is what is released" env GITHUB_SHA="$other" "$OCIBUILD" release app --dry-run
want 0 'SOURCE_DATE_EPOCH 5' env SOURCE_DATE_EPOCH=5 "$OCIBUILD" release app --force --dry-run
for wrong in now 5.5 -5 99999999999999999999; do
	want 2 'not a number of seconds' env SOURCE_DATE_EPOCH=$wrong "$OCIBUILD" release app
done

say "where it is from, and no secret in it"
git remote add origin "https://user:token@git.example/team/app.git?private=1"
echo origin >app/origin
commit_time=1700200000
commit origin
want 0 'released app' release app
same "$(annotation "$app:latest" org.opencontainers.image.source)" 'https://git.example/team/app' "source"

for url in git@git.example:team/app.git ssh://git@git.example:2222/team/app https://git.example/team/app/; do
	git remote set-url origin "$url"
	want 0 'nothing changed' release app --force
done

say "a clock that is wrong"
copy rules/runtime:latest rules/runtime:v29991231-235959
want 1 'clock wrong' release runtime
want 0 'exists already, and here it is' release runtime --force --build-arg X=1

say "the runtime to stand on"
want 4 'name a tag of the runtime image that exists' release app --force --runtime v1
runtime=$(digest_of "$registry/rules/runtime:v29991231-235959")
want 0 "runtime@$runtime" release app --force --runtime "$runtime" --dry-run
want 0 "runtime:v29991231-235959@$runtime" release app --force --runtime v29991231-235959 --dry-run
printf 'FROM %s/rules/runtime AS runtime\nCOPY app/ /app/\nFROM runtime\nCOPY app/main /main\n' "$registry" >build/Dockerfile.app
commit_time=1700300000
commit 'a stage called runtime'
want 0 'released app' release app
same "$(annotation "$app:latest" org.opencontainers.image.base.digest)" "$(digest_of "$registry/rules/runtime:latest")" "base.digest"
"$OCIBUILD" inspect "docker://$app:latest" >/dev/null 2>&1 || :
layers=$(skopeo inspect --tls-verify=false --creds "$creds" --raw "docker://$app:latest" | jq '.layers | length')
same "$layers" 4 "layers: base, runtime, stage, file"

say "secrets that are missing, empty, or end in a newline"
want 2 'DOCKER_REGISTRY_URL is not set' env -u DOCKER_REGISTRY_URL "$OCIBUILD" release app
want 2 'DOCKER_REGISTRY_URL is empty' env DOCKER_REGISTRY_URL= "$OCIBUILD" release app
want 6 'DOCKER_PASSWORD is not set' env -u DOCKER_PASSWORD "$OCIBUILD" release app
want 6 'DOCKER_PASSWORD is empty' env DOCKER_PASSWORD= "$OCIBUILD" release app
want 6 'DOCKER_USERNAME is empty' env DOCKER_USERNAME= "$OCIBUILD" release app
want 6 'there are no credentials' env -u DOCKER_USERNAME -u DOCKER_PASSWORD "$OCIBUILD" release app
want 6 'DOCKER_USERNAME and DOCKER_PASSWORD are empty' env DOCKER_USERNAME= DOCKER_PASSWORD= "$OCIBUILD" release app
want 6 'credentials for' env DOCKER_PASSWORD=wrong "$OCIBUILD" release app
want 0 'ends in a newline' env DOCKER_PASSWORD="secret
" "$OCIBUILD" release app

say "the configuration"
printf 'images:\n  app:\n    dockerfil: x\n' >ocibuild.yaml
want 2 "ocibuild.yaml:3: unknown key 'dockerfil' (did you mean 'dockerfile'?)" release app
want 2 '::error file=ocibuild.yaml,line=3::unknown key' env GITHUB_ACTIONS=true "$OCIBUILD" release app
printf 'images:\n  app:\n    secrets:\n      token: value\n' >ocibuild.yaml
want 2 "ocibuild.yaml:4: secret 'token' is env=VARIABLE or src=FILE" release app
printf 'images:\n  app:\n    name: Web\n' >ocibuild.yaml
want 2 "ocibuild.yaml:3: 'name': 'Web' is no repository name" release app
rm ocibuild.yaml
mkdir ocibuild.yaml
want 1 "read 'ocibuild.yaml': Is a directory" release app
rmdir ocibuild.yaml
: >ocibuild.yml
want 2 "the name of the configuration is 'ocibuild.yaml'" release app
rm ocibuild.yml
printf 'images:\n  app: {name: web, tag: "r-{sha}", latest: stable, labels: {team: x}}\n' >ocibuild.yaml
git add ocibuild.yaml
commit_time=1700400000
commit configuration
want 0 'released web' release app
same "$(tags_of "$registry/rules/web")" "r-$(git rev-parse HEAD) stable" "tags of the configuration"

say "secrets of a build"
printf 'images:\n  app: {name: web, secrets: {token: env=TOKEN}}\n' >ocibuild.yaml
commit_time=1700450000
commit 'a secret'
want 6 "secret 'token' is empty" release app
want 6 "secret 'token' is empty" env TOKEN= "$OCIBUILD" release app
want 6 "secret 'more' is empty" env TOKEN=t0p-s3cret "$OCIBUILD" release app --secret id=more,env=DOCKER_PASSWORD
want 2 'SSH_AUTH_SOCK is not set' env -u SSH_AUTH_SOCK TOKEN=x "$OCIBUILD" release app --ssh default
if "$OCIBUILD" doctor >/dev/null 2>&1; then
	printf 'FROM runtime\nRUN --mount=type=secret,id=token wc -c </run/secrets/token >/length\n' >build/Dockerfile.app
	commit_time=1700460000
	commit 'a RUN with it'
	want 0 'released web' env TOKEN=t0p-s3cret "$OCIBUILD" release app
	! grep -rqF t0p-s3cret "$OCIBUILD_STORE" "$work/stderr" "$work/stdout" || fail "the secret was written"
	git checkout -q HEAD~1 build/Dockerfile.app
fi

say "two registries"
printf 'registries: ["http://%s/second"]\n' "$registry" >ocibuild.yaml
commit 'two registries'
want 0 'released app' release app
same "$(digest_of "$app:$(tag)")" "$(digest_of "$registry/second/app:$(tag)")" "the two registries"
same "$(digest_of "$app:latest")" "$(digest_of "$registry/second/app:latest")" "the two registries"
want 0 'no file changed' release app
git rm -q ocibuild.yaml
commit 'one registry'

say "GitHub and GitLab"
printf 'FROM runtime\nCOPY missing /\n' >build/Dockerfile.app
want 4 '::error file=build/Dockerfile.app,line=2::' env GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$work/failure" \
	"$OCIBUILD" release app
grep -q '^\*\*not released\*\*: .*missing' "$work/failure" || fail "the summary does not say why"
mkdir -p "$work/repo/sub"
git checkout -q build/Dockerfile.app
echo more >>app/main
commit 'for the summary'
: >"$work/summary"
want 0 '::group::build app' env GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY="$work/summary" "$OCIBUILD" release app
grep -q '::endgroup::' "$work/stderr" || fail "the group does not end"
grep -qF "| \`$app:$(tag)\` | \`$(digest_of "$app:latest")\` |" "$work/summary" || fail "the summary has no tag"
grep -q 'COPY app/' "$work/summary" || fail "the summary has no steps"
word=$(sed -n 's/^::stop-commands:://p' "$work/stderr" | head -1)
[ ${#word} -ge 32 ] || fail "commands are not stopped inside of a group"
grep -qxF "::$word::" "$work/stderr" || fail "commands are not let pass again"
printf 'FROM scratch\nLABEL x=1\n' >build/Dockerfile.app
commit 'on nothing'
want 0 'stands on no image' release app
want 0 'section_start:' env GITLAB_CI=true "$OCIBUILD" release app --force
grep -q 'section_end:.*:build_app' "$work/stderr" || fail "the section does not end"
