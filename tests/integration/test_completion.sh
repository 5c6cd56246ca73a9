#!/bin/bash
# tests/integration/test_completion.sh — what bash offers after words that were typed.
. ./lib.sh

mkdir "$work/bin"
ln -s "$OCIBUILD" "$work/bin/ocibuild"
PATH=$work/bin:$PATH
. "$source_dir/completions/ocibuild.bash"

# offers "WANTED" WORD…: the last word is the one under the cursor.
offers() {
	local wanted=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_ocibuild
	[ "${COMPREPLY[*]}" = "$wanted" ] || fail "after '$*': '${COMPREPLY[*]}', not '$wanted'"
}

say "commands, options, values"
offers "build" ocibuild bu
offers "pull push" ocibuild --store /x pu
offers "--platform --plain-http" ocibuild build --pl
offers "rawjson" ocibuild build --progress r
offers "runtime app" ocibuild release ""
offers "warning" ocibuild --log-level w

say "every command and every option that the program lists is offered"
for command in $("$OCIBUILD" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	offers "$command" ocibuild "$command"
	COMP_WORDS=(ocibuild "$command" --) COMP_CWORD=2
	_ocibuild
	for option in $("$OCIBUILD" "$command" --help | grep -o '^  \(-., \|    \)--[a-z-]*' | grep -o -- '--.*' || :); do
		[[ " ${COMPREPLY[*]} " == *" $option "* ]] || fail "'$command $option' is not offered"
	done
done

say "images of the store, also after the colon at which bash splits"
printf 'FROM scratch\nLABEL a=b\n' >"$work/Dockerfile"
"$OCIBUILD" build -q -t demo:one -t demo:two "$work" >/dev/null
offers "demo:one demo:two" ocibuild run de
offers "one two" ocibuild rmi demo :
offers "two" ocibuild rmi demo : t
