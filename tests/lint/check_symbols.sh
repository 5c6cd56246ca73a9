#!/bin/sh
# What the shared library exports = what libocibuild.map lists = what the public headers declare.
#   check_symbols.sh LIBRARY MAP INCLUDE_DIR
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nm -D --defined-only "$1" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
grep -oE '^[[:space:]]+ocib_[a-z_0-9]+;' "$2" | tr -d ' \t;' | sort >"$work/mapped"
cat "$3"/*.h | tr '\n' ' ' | grep -oE 'OCIB_API [^;]*;' | grep -oE 'ocib_[a-z_0-9]+ ?\(' | tr -d ' (' |
	sort -u >"$work/declared"
# A parameter of function type would look like a declaration: there is none in the headers.
diff -u "$work/mapped" "$work/exported" || { echo "the map and the library differ"; exit 1; }
diff -u "$work/declared" "$work/exported" || { echo "the headers and the library differ"; exit 1; }
[ -s "$work/exported" ]
echo "$(wc -l <"$work/exported") symbols, all declared and mapped"
