#!/bin/sh
# --check and --call: what they print, word for word, and the status they end with; findings in a build.
# UPDATE=1 writes what is compared with.
. "$(dirname "$0")/lib.sh"
golden=$(cd "$(dirname "$0")/check" && pwd)
need python3
cd "$golden"
version=$("$OCIBUILD" --version | sed 's/.* //')

# same FILE: standard output of the last want is what FILE has
same() {
	sed "s/\"version\": \"$version\"/\"version\": \"VERSION\"/" "$work/stdout" >"$work/same"
	[ -z "${UPDATE:-}" ] || cp "$work/same" "$golden/$1"
	diff -u "$golden/$1" "$work/same" || fail "$1 is not what is printed"
}
call() { "$OCIBUILD" build -q --platform linux/amd64 -f Dockerfile "$@" context; }

say "a check as text, JSON and SARIF"
want 1 "Check complete: " call --check
same check.txt
want 1 '"ruleName"' call --call=check,format=json
same check.json
want 1 '"ruleId"' call --check --call check,format=sarif
same check.sarif
want 0 '"ruleId"' call --call=lint,format=sarif,ignorestatus=true
python3 -c 'import json, sys; [json.load(open(f)) for f in sys.argv[1:]]' check.json check.sarif
[ -z "$(ls "$OCIBUILD_STORE/blobs/sha256" 2>/dev/null)" ] || fail "a check left something in the store"

say "outline and targets"
want 0 "BUILD ARG" call --call=outline --target test
same outline.txt
want 0 '"args"' call --call=outline,format=json --build-arg LEVEL=3 --target test
same outline.json
want 0 "ship" call --call=targets
same targets.txt
want 0 '"targets"' call --call=targets,format=json
same targets.json

want 0 "BUILD ARG" call --call=outline --target test --platform linux/amd64,linux/arm64

say "statuses"
check() { printf '%b' "$1" | "$OCIBUILD" build -q --check -f - "$golden/context"; }
want 0 "Check complete: no findings" check 'FROM scratch\nCOPY notes.txt /\n'
want 0 "Check complete: no findings" check 'FROM scratch\nRUN --security=insecure ["x"]\nRUN --network=host ["x"]\n'
want 1 "Check complete: 1 finding" check 'FROM scratch\nCMD x\n'
want 3 "unknown instruction 'CDM'" check 'FROM scratch\nCDM x\n'
want 3 "error=true" check '# check=error=true\nFROM scratch\nCMD x\n'
want 3 "invalid check option" check '# check=skip=A; error=true\nFROM scratch\n'
want 3 "circular dependency" check 'FROM scratch AS a\nCOPY --from=a / /\n'
want 4 "the context 'none' does not exist" "$OCIBUILD" build -q --check none
want 2 "'outlien' is none of them" "$OCIBUILD" build --call=outlien .
want 2 "is none of them" "$OCIBUILD" build --call=check,format=xml .
want 2 "contradict" "$OCIBUILD" build --check --call=targets .
want 2 "format=sarif is for --call=check" "$OCIBUILD" build --call=targets,format=sarif .
want 3 "BUILDKIT_DOCKERFILE_CHECK" "$OCIBUILD" build -q --check --build-arg BUILDKIT_DOCKERFILE_CHECK=skip context -f Dockerfile

say "options from outside stand in for those of the file"
want 0 "no findings" call --check --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=all
want 1 "StageNameCasing" call --check --build-arg 'BUILDKIT_DOCKERFILE_CHECK=skip=UndefinedVar;experimental=all'
! grep -q UndefinedVar "$work/stdout" || fail "a rule that is skipped was applied"

say "without the base, the rest is checked"
offline() { printf 'FROM %s\nUSER $FROM_BASE\nWORKDIR x\nCMD y\n' "$1" | "$OCIBUILD" build -q --offline --check -f - context; }
want 4 "is not in the store" offline not-here
for rule in WorkdirRelativePath JSONArgsRecommended; do
	grep -q "$rule" "$work/stdout" || fail "no $rule without the base"
done
! grep -q UndefinedVar "$work/stdout" || fail "variables of a base that is missing are not known"
outline() { printf 'FROM not-here\nARG A=1\n' | "$OCIBUILD" build --progress plain --offline --call=outline -f - context; }
want 0 "the outline lacks what this base would bring in" outline
grep -q '^A  *1' "$work/stdout" || fail "the outline lacks the stage's own ARG"

say "bytes that are no UTF-8, and an excerpt with control characters"
printf 'FROM scratch\nENV a\377b\033 c\n' >"$work/odd"
want 1 LegacyKeyValueFormat "$OCIBUILD" build -q --call=check,format=json -f "$work/odd" context
python3 -c 'import json, sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$work/stdout"
want 1 LegacyKeyValueFormat "$OCIBUILD" build -q --check -f "$work/odd" context
! grep -q "$(printf '\033')" "$work/stdout" || fail "an escape character reaches the terminal"

say "a path in SARIF is a URI, from the directory that we are in"
mkdir "$work/a b"
printf 'FROM scratch\nCMD x\n' >"$work/a b/Dockerfile"
cd "$work"
want 1 '"uri": "a%20b/Dockerfile"' "$OCIBUILD" build -q --call=check,format=sarif "a b"
cd "$golden"

say "a build warns and goes on, and fails where it is asked to"
printf 'FROM scratch\nCOPY notes.txt /\nCMD x\n' >"$work/Dockerfile"
want 0 "warning: $work/Dockerfile:3: JSONArgsRecommended: " "$OCIBUILD" build --progress plain -f "$work/Dockerfile" context
grep -qF '3 | >>> CMD x' "$work/stderr" || fail "the line is not shown"
want 0 '"rule":"JSONArgsRecommended"' "$OCIBUILD" build --progress rawjson -f "$work/Dockerfile" context
want 0 "sha256:" "$OCIBUILD" build -q -f "$work/Dockerfile" context
[ ! -s "$work/stderr" ] || fail "a quiet build has warnings"
want 3 "error=true makes them count: JSONArgsRecommended" \
	"$OCIBUILD" build -q --build-arg BUILDKIT_DOCKERFILE_CHECK=error=true -f "$work/Dockerfile" context
whole
