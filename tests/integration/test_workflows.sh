#!/bin/sh
# The workflows of examples/ci as GitHub and GitLab would run them, step by step as they are written, for a
# repository made of the example: with its history, a registry that wants a password, a cache, and a machine
# that is new each time. As an ordinary user, as GitHub's machines have it.
. "$(dirname "$0")/lib.sh"
need git skopeo jq curl mmdebstrap
python3 -c 'import yaml' 2>/dev/null || skip "no python3-yaml on this machine"

as_user() { $prefix "$@"; }
prefix=
if [ "$(id -u)" = 0 ]; then
	need newuidmap
	user=ocibuild-test
	id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
	prefix="runuser -u $user --"
fi
unset OCIBUILD_STORE
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# No two runs have the same one: the checkouts that are searched for it have this file in them.
password="p4ss, w\"rd $(od -An -N8 -tx8 /dev/urandom | tr -d ' ')"
mkdir "$work/cache" "$work/player" "$work/plans" "$work/runners" "$work/repositories" "$work/gitlab"
cp "$(dirname "$0")/play_workflow.py" "$(dirname "$0")/expressions.py" \
	"$(dirname "$0")/gitlab_job.py" "$work/player/"

if command -v ccache >/dev/null; then
	# Compiling takes most of the time; on a developer's machine it was done before.
	CCACHE_DIR=$(getent passwd "$(as_user id -un)" | cut -d: -f6)/.cache/ccache
	export CCACHE_DIR CCACHE_BASEDIR="$work" CCACHE_NOHASHDIR=1 CMAKE_C_COMPILER_LAUNCHER=ccache
fi

say "ocibuild's repository, with what is in this tree, and the example's"
(cd "$source_dir" && git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - --ignore-failed-read) |
	(mkdir "$work/ocibuild" && tar -C "$work/ocibuild" -xf -)
git -C "$work/ocibuild" init -q
git -C "$work/ocibuild" add -A
git -C "$work/ocibuild" -c user.name=team -c user.email=team@example.org commit -qm "all of it"
pinned=$(git -C "$work/ocibuild" rev-parse HEAD)

web=$work/webapp
mkdir -p "$web"
cp -r "$source_dir/examples/webapp/." "$source_dir/build" "$web/"
[ "$(id -u)" != 0 ] || chown -R "$user:" "$work"/*
git_() { as_user git -C "$web" -c user.name=team -c user.email=team@example.org "$@"; }
git_ init -q
commit() { # commit MESSAGE: into the repository that the workflows see; sets $before and $commit
	before=$(git_ rev-parse -q --verify HEAD || :)
	git_ add -A
	git_ commit -qm "$1"
	git_ push -q "$work/repositories/webapp.git" HEAD:main
	commit=$(git_ rev-parse --short=7 HEAD)
}
git_ init -q --bare "$work/repositories/webapp.git"
commit "the application"
mkdir "$web/.github"
cp -r "$source_dir/examples/ci/github/." "$web/.github/"
cp "$source_dir/examples/ci/gitlab-ci.yml" "$web/.gitlab-ci.yml"
commit "workflows"
echo '# Web application' >"$web/README.md"
commit "say what it is"

say "a registry with a password, and a store with the base that Docker Hub would give"
start_registry "team:$password"
python_base
seed=$work/seed/.local/share/ocibuild
OCIBUILD_STORE="$seed" "$OCIBUILD" import --change 'CMD ["python3"]' "$base_tar" \
	docker.io/library/python:3.11-slim-bookworm >/dev/null
tar -C "$work/seed" -cf "$work/cache/ocibuild-store-runtime-$pinned-0-0" .local
rm -r "$work/seed"
[ "$(id -u)" != 0 ] || chown "$user:" "$work/cache"/*

# play WORKFLOW EVENT [INPUTS]: sets $status; $log has what was printed, $machine what was left.
played=0 namespace=acme
play() {
	played=$((played + 1))
	machine=$work/runners/$played
	log=$work/plans/$played.log
	jq -n --arg work "$work" --arg machine "$machine" --arg workflow "$1" --arg event "$2" --argjson inputs "${3:-null}" \
		--arg before "${before:-}" --arg pinned "$pinned" --argjson id "$played" \
		--arg registry "$registry/$namespace" --arg password "$password" '{
			repository: ($work + "/repositories/webapp.git"), $workflow, $event, branch: "main", $before, $inputs,
			vars: {OCIBUILD_SOURCE: ("file://" + $work + "/ocibuild"), OCIBUILD_REF: $pinned},
			secrets: {DOCKER_REGISTRY_URL: $registry, DOCKER_USERNAME: "team", DOCKER_PASSWORD: ($password + "\n")},
			runner: $machine, cache: ($work + "/cache"), run_id: $id,
			environment: ["CMAKE_C_COMPILER_LAUNCHER", "CCACHE_DIR", "CCACHE_BASEDIR", "CCACHE_NOHASHDIR",
				"http_proxy", "https_proxy", "no_proxy"]}' >"$work/plans/$played.json"
	status=0
	as_user python3 "$work/player/play_workflow.py" "$work/plans/$played.json" >"$log" 2>&1 || status=$?
}
went_well() {
	[ "$status" = 0 ] || { cat "$log"; fail "play $played ended with $status"; }
	sed -n 's/^## \([0-9]\)/   \1/p; /^## skipped/s/^##/  /p' "$log"
}

export REGISTRY_AUTH_FILE="$work/auth.json"
skopeo login -u team -p "$password" --tls-verify=false "$registry" >/dev/null
tags() { skopeo list-tags --tls-verify=false "docker://$registry/$namespace/$1" | jq -r '.Tags[]'; }
digest() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/$namespace/$1"; }
label() { skopeo inspect --tls-verify=false --config "docker://$registry/$namespace/$1" | jq -r ".config.Labels[\"$2\"]"; }
same() { [ "$(digest "$1")" = "$(digest "$2")" ] || fail "$1 and $2 are not the same image"; }
# four_tags: a version and latest of each image, and nothing else.
four_tags() {
	version=$(tags runtime | grep -E '^v[0-9]{8}-[0-9]{6}$') || fail "no version: $(tags runtime)"
	[ "$(tags runtime | wc -l)" = 2 ] || fail "tags of the runtime: $(tags runtime)"
	same "runtime:$version" runtime:latest
	[ "$(tags app | sort)" = "$(printf '%s\nlatest' "$commit" | sort)" ] || fail "tags of the application: $(tags app)"
	same "app:$commit" app:latest
}

say "build-runtime.yml, by hand, from a branch"
git_ push -q "$work/repositories/webapp.git" HEAD:next
play build-runtime.yml workflow_dispatch '{"branch":"next"}'
went_well
version=$(tags runtime | grep -E '^v[0-9]{8}-[0-9]{6}$') || fail "no version: $(tags runtime)"
grep -q "$version" "$machine/summary.md" || fail "the summary does not name $version"
grep -q '^::group::' "$log" || fail "no log groups"

say "build-app.yml, on the first push to main"
before=
play build-app.yml push
went_well
grep -q 'skipped: compile' "$log" || fail "the program was compiled again"
four_tags
[ "$(label app:latest org.opencontainers.image.revision)" = "$(git_ rev-parse HEAD)" ] || fail "revision"
skopeo inspect --raw --tls-verify=false "docker://$registry/acme/app:latest" |
	jq -e --arg digest "$(digest runtime:latest)" \
		'.annotations["org.opencontainers.image.base.digest"] == $digest' >/dev/null ||
	fail "the application does not say what it stands on"
grep -q "acme/app:$commit" "$machine/summary.md" || fail "the summary does not name app:$commit"

say "what is documentation starts nothing, and started by hand it pushes nothing"
first=$(digest app:latest)
echo 'It draws.' >>"$web/README.md"
commit "more about it"
play build-app.yml push
[ "$status" = 3 ] || { cat "$log"; fail "a change of README.md started the workflow"; }
play build-app.yml workflow_dispatch
went_well
grep -q README.md "$log" || fail "it does not say which file decided"
[ "$(digest app:latest)" = "$first" ] && [ "$(tags app | wc -l)" = 2 ] || fail "something was pushed"

say "a change of the code"
sed -i 's/It runs/It runs well/' "$web/app/main.py"
commit "praise"
play build-app.yml push
went_well
same "app:$commit" app:latest
[ "$(digest app:latest)" != "$first" ] || fail "latest did not move"

say "the runtime of the same commit again: its steps come from the cache, and nothing is pushed"
play build-runtime.yml workflow_dispatch '{"branch":"next"}'
went_well
[ "$(grep -c 'CACHED' "$log")" -ge 4 ] || { cat "$log"; fail "its steps were executed again"; }
[ "$(tags runtime | wc -l)" = 2 ] || fail "another version was pushed: $(tags runtime)"

say "where there is no runtime, an annotation says so, and what to run"
namespace=other
play build-app.yml workflow_dispatch
namespace=acme
[ "$status" = 1 ] || { cat "$log"; fail "an application without a runtime"; }
grep -q "^::error::.*no runtime image '$registry/other/runtime:latest'" "$log" &&
	grep -q 'ocibuild release runtime' "$log" || { tail -n 20 "$log"; fail "it does not say so"; }

say "both jobs of GitLab, with the program and the steps that GitHub's workflows have compiled and executed"
sed -i 's/It runs well/It runs everywhere/' "$web/app/main.py"
commit "more praise"
gitlab=$work/gitlab
project=$gitlab/build
as_user mkdir -p "$gitlab/cache" "$gitlab/seed/.ocibuild"
as_user cp -r "$machine/home/.local/opt/ocibuild" "$gitlab/seed/.ocibuild/program"
as_user tar -C "$gitlab/seed" -cf "$gitlab/cache/ocibuild-program-$pinned.tar" .ocibuild/program
as_user mkdir "$gitlab/seed/.ocibuild/store"
as_user tar -C "$gitlab/seed/.ocibuild/store" --strip-components=3 -xf "$(ls -t "$work/cache/ocibuild-store-runtime-"* | head -n 1)"
as_user tar -C "$gitlab/seed" -cf "$gitlab/cache/ocibuild-store-runtime-$pinned.tar" .ocibuild/store
# job NAME BRANCH: in a clone that is new each time.
job() {
	rm -rf "$project"
	as_user git clone -q "$work/repositories/webapp.git" -b "$2" "$project"
	python3 "$work/player/gitlab_job.py" "$project/.gitlab-ci.yml" "$1" "$gitlab/cache" >"$work/plans/$1.sh"
	(cd "$project" && as_user env -i PATH="$PATH" HOME="$gitlab" CI=true GITLAB_CI=true CI_PROJECT_DIR="$project" \
		OCIBUILD_SOURCE="file://$work/ocibuild" OCIBUILD_REF="$pinned" CI_REGISTRY_IMAGE="$registry/gitlab" \
		CI_REGISTRY_USER=team CI_REGISTRY_PASSWORD="$password" CI_COMMIT_SHA="$(as_user git -C "$project" rev-parse HEAD)" \
		sh "$work/plans/$1.sh") >"$work/plans/$1.log" 2>&1 || { cat "$work/plans/$1.log"; fail "GitLab's job $1"; }
	grep -q 'section_start:' "$work/plans/$1.log" || fail "no sections"
}
namespace=gitlab
job runtime next
[ "$(grep -c 'CACHED' "$work/plans/runtime.log")" -ge 4 ] || { cat "$work/plans/runtime.log"; fail "steps executed again"; }
[ "$(tags runtime | wc -l)" = 2 ] || fail "tags of the runtime: $(tags runtime)"
job app main
four_tags

say "the application runs from the pushed image"
port=$(shuf -i 20000-29999 -n 1)
mkdir "$work/fresh"
cp "$REGISTRY_AUTH_FILE" "$work/fresh/config.json"
[ "$(id -u)" != 0 ] || chown -R "$user:" "$work/fresh"
fresh="env OCIBUILD_STORE=$work/fresh/store DOCKER_CONFIG=$work/fresh $machine/home/.local/opt/ocibuild/bin/ocibuild"
as_user $fresh pull -q "$registry/gitlab/app:$commit" >/dev/null
# No function here: a shell between would not hand the signal on that ends it.
$prefix $fresh run -p "$port:$port" -e "PORT=$port" "$registry/gitlab/app:$commit" >"$work/app.log" 2>&1 &
background="$background $!"
for _ in $(seq 100); do
	curl -sf --noproxy '*' "http://127.0.0.1:$port/health" >"$work/health" 2>/dev/null && break
	sleep 0.2
done
grep -q '"status":"ok"' "$work/health" || { cat "$work/app.log"; fail "the application does not answer"; }
curl -sf --noproxy '*' "http://127.0.0.1:$port/" | grep -q '<h1>It runs everywhere</h1>' || fail "it is another commit's"

say "the password is nowhere"
! grep -rlaF "$password" "$work/runners" "$work/cache" "$gitlab" "$work/plans"/*.log >"$work/leaks" ||
	fail "it is in $(cat "$work/leaks")"
say "the workflows work as they are written"
