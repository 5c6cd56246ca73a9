# tests/integration/release_lib.sh — a repository with two images, for the release tests. Sourced after lib.sh.
need git skopeo jq curl python3
script=$(realpath "$0")

unset GITHUB_ACTIONS GITHUB_SHA GITHUB_STEP_SUMMARY GITHUB_SERVER_URL GITHUB_REPOSITORY GITHUB_WORKSPACE GITLAB_CI \
	CI_COMMIT_SHA CI_COMMIT_TIMESTAMP CI_PROJECT_URL CI_REPO_URL DRONE_COMMIT_SHA DRONE_REPO_LINK GIT_COMMIT GIT_URL
export GIT_CONFIG_GLOBAL="$work/gitconfig" GIT_CONFIG_NOSYSTEM=1
git config --global user.name tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false

# The commits' times are fixed and a minute apart, so that digests are the same in every run.
commit_time=1700000000
commit() {
	commit_time=$((commit_time + 60))
	git add -A
	GIT_AUTHOR_DATE="$commit_time +0000" GIT_COMMITTER_DATE="$commit_time +0000" git commit -q -m "$1"
}

# make_repository DIR: an application without RUN on a runtime without RUN, so no privilege is needed.
make_repository() {
	mkdir -p "$1/build" "$1/app" "$1/docs"
	cd "$1"
	git init -q .
	printf 'FROM %s/base:1\nCOPY build/Dockerfile.runtime /runtime-file\n' "${base_registry:-$registry}" \
		>build/Dockerfile.runtime
	printf 'FROM runtime\nCOPY app/ /app/\nCMD ["cat", "/app/main"]\n' >build/Dockerfile.app
	echo one >app/main
	echo text >README.md
	commit one
}

release() { "$OCIBUILD" release "$@"; }

# digest_of HOST/NAME:TAG: "" when there is none.
digest_of() {
	skopeo inspect --tls-verify=false ${creds:+--creds "$creds"} --raw "docker://$1" 2>/dev/null >"$work/manifest" &&
		printf 'sha256:%s\n' "$(sha256sum <"$work/manifest" | cut -d' ' -f1)" || :
}
tags_of() { # tags_of HOST/NAME: sorted, in one line
	curl -s --noproxy '*' ${creds:+-u "$creds"} "http://${1%%/*}/v2/${1#*/}/tags/list" | jq -r '.tags // [] | sort | join(" ")'
}
annotation() { # annotation HOST/NAME:TAG KEY
	skopeo inspect --tls-verify=false ${creds:+--creds "$creds"} --raw "docker://$1" | jq -r ".annotations[\"$2\"] // \"\""
}
copy() { # copy FROM TO, both NAME:TAG in $registry
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false ${creds:+--src-creds "$creds" --dest-creds "$creds"} \
		"docker://$registry/$1" "docker://$registry/$2"
}
same() { [ "$1" = "$2" ] || fail "$3: '$1' is not '$2'"; }

# start_proxy HOST:PORT: failing_registry.py in front of it; sets $proxy.
start_proxy() {
	python3 "$(dirname "$script")/failing_registry.py" "$1" >"$work/proxy.port" 2>"$work/proxy.log" &
	background="$background $!"
	for _ in $(seq 100); do
		[ -s "$work/proxy.port" ] && break
		sleep 0.05
	done
	proxy=127.0.0.1:$(cat "$work/proxy.port")
	: >"$work/proxy.port"
}
tell_proxy() { curl -s --noproxy '*' -o "$work/told" "http://$proxy/$1"; } # the answer is in $work/told
# two_registries FIRST SECOND: hosts and namespaces of the configuration.
two_registries() { printf 'registries:\n  - http://%s\n  - http://%s\n' "$1" "$2" >ocibuild.yaml; }
