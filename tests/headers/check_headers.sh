#!/bin/sh
# Every public header compiles alone, as C99 and as C++11, without a warning.
#   check_headers.sh INCLUDE_DIR [CC [CXX]]
set -eu
include=$1 cc=${2:-cc} cxx=${3:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
for header in "$include"/ocibuild/*.h; do
	name=ocibuild/$(basename "$header")
	printf '#include <%s>\nint main(void) { return 0; }\n' "$name" >"$work/one.c"
	cp "$work/one.c" "$work/one.cpp"
	"$cc" -std=c99 -pedantic -Wall -Wextra -Werror -I"$include" -fsyntax-only "$work/one.c"
	if command -v "$cxx" >/dev/null; then
		"$cxx" -std=c++11 -pedantic -Wall -Wextra -Werror -I"$include" -fsyntax-only "$work/one.cpp"
	fi
	count=$((count + 1))
done
[ "$count" -gt 5 ]
echo "$count headers stand alone"
