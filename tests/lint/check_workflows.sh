#!/bin/sh
# actionlint on the workflows of examples/ci, laid out as in a repository that has them.
#   check_workflows.sh SOURCE_DIR TOOLS_DIR
# actionlint is a Go module; where there is none, it is compiled into TOOLS_DIR once.
set -eu
source=$1 tools=$2
module=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() { echo "SKIPPED: the workflows are NOT checked: $*"; exit 77; }

PATH=$tools:$PATH
if ! command -v actionlint >/dev/null; then
	command -v go >/dev/null || skip "no actionlint, and no Go to compile it"
	GOBIN=$tools go install "$module" >"$work/go.log" 2>&1 ||
		skip "go install $module: $(tail -n 1 "$work/go.log")"
fi
cp -r "$source/examples/ci/github" "$work/.github"
git init -q "$work"
cd "$work"
actionlint -version | head -n 1
# It must be able to fail: an input that the action does not have.
mkdir "$work/broken"
cp -r .github "$work/broken/.github"
git init -q broken
sed -i 's/^          store: app$/          stroe: app/' broken/.github/workflows/build-app.yml
(cd broken && actionlint >"$work/broken.log") && { echo "a wrong workflow passed"; exit 1; }
grep -q '"stroe"' "$work/broken.log" || { cat "$work/broken.log"; exit 1; }
actionlint
echo "$(find .github/workflows -name '*.yml' | wc -l) workflows are good"
