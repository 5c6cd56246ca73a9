#!/bin/sh
# COPY and ADD of local files, flag by flag: what is in the image, with which owner and mode.
. "$(dirname "$0")/lib.sh"
need tar xz python3
context=$work/context
umask 022
mkdir -p "$context/d/e/f" "$context/w1/x" "$context/w2/x" "$context/a[b" "$context/archives"
cd "$context"
echo 1 >d/one
echo 2 >d/e/two
echo 3 >d/e/f/three
echo top >top
echo w1 >w1/x/f.txt
echo w2 >w2/x/f.txt
echo q >'a[b/q'
ln -s d ld
ln -s one d/lone
ln -s /d/one absolute
ln d/one d/same
chmod 4755 d/e/two
python3 -c 'import os; os.setxattr("top", "user.note", b"kept")' 2>/dev/null && has_xattrs=yes || has_xattrs=
tar -C d --owner=0 --group=0 --numeric-owner -cJf archives/data .
cp top archives/false.tar.gz
cd "$work"

# copied DOCKERFILE LINES…: what "FROM scratch" and the Dockerfile make of the context is exactly that:
# "MODE OWNER PATH [-> LINK]", directories with a slash at the end, sorted.
copied() {
	printf 'FROM scratch\n%b\n' "$1" >"$work/Dockerfile"
	shift
	"$OCIBUILD" build -q -f "$work/Dockerfile" -o "type=tar,dest=$work/out.tar" "$context" >"$work/stdout" 2>"$work/stderr" ||
		{ cat "$work/Dockerfile" "$work/stderr" >&2; fail "build"; }
	tar --numeric-owner -tvf "$work/out.tar" |
		awk '{ printf "%s %s", $1, $2; for (i = 6; i <= NF; i++) printf " %s", $i; print "" }' | LC_ALL=C sort >"$work/got"
	if [ $# -gt 0 ]; then printf '%s\n' "$@"; fi | LC_ALL=C sort >"$work/expected"
	cmp -s "$work/got" "$work/expected" || { cat "$work/Dockerfile"; diff -u "$work/expected" "$work/got"; fail "another image"; }
}
# refused STATUS TEXT LINES: the line that is wrong is told, once
refused() {
	printf 'FROM scratch\n%b\n' "$3" >"$work/Dockerfile"
	want "$1" "$2" "$OCIBUILD" build -f "$work/Dockerfile" "$context"
	[ "$(grep -c 'Dockerfile:[0-9]*:' "$work/stderr")" = 1 ] || { cat "$work/stderr"; fail "'$3': the line is not named once"; }
	[ "$(grep 'error:' "$work/stderr" | grep -o 'Dockerfile:' | wc -l)" = 1 ] || { cat "$work/stderr"; fail "'$3': named twice"; }
}
holds() { [ "$(tar -xOf "$work/out.tar" "$1")" = "$2" ] || fail "'$1' is not '$2'"; }
dir="drwxr-xr-x 0/0"
file="-rw-r--r-- 0/0"

say "sources: content of directories, clipped paths, links that are named, links in directories"
all() { printf '%s\n' "$dir $1" "$dir $1e/" "$dir $1e/f/" "lrwxrwxrwx 0/0 $1lone -> one" "$file $1e/f/three" \
	"-rwsr-xr-x 0/0 $1e/two" "$file $1one" "hrw-r--r-- 0/0 $1same link to $1one"; }
for source in d d/ /d/. ../../d ld; do
	copied "COPY $source /o" "$(all o/)"
done
copied 'COPY ld/one absolute /o/' "$dir o/" "$file o/absolute" "$file o/one"
holds o/absolute 1
refused 4 "'/missing' not found in the build context" 'COPY top missing /o/'
refused 3 "'/top' is not a directory" 'COPY top/x /o'

say "wildcards: segment by segment; what matches nothing is nothing"
copied 'COPY w?/x/f.* /o/' "$dir o/" "$file o/f.txt"
holds o/f.txt w2
copied 'COPY a[[]b/* no* /o/' "$dir o/" "$file o/q"
copied 'COPY no* /o/'

say "destinations: a slash, WORKDIR, links, what is in the way"
copied 'COPY top /new/name' "$dir new/" "$file new/name"
copied 'WORKDIR /w\nCOPY top ./in/' "$dir w/" "$dir w/in/" "$file w/in/top"
copied 'COPY ["top", "/a b/"]' "$dir a b/" "$file a b/top"
copied 'COPY top /real/\nCOPY ld /to\nCOPY top d /to/e/../' "$dir real/" "$file real/top" "$(all to/)" "$file to/top"
refused 3 "cannot copy to non-directory: /f" 'COPY top /f\nCOPY d /f'
refused 3 "'/f' is not a directory" 'COPY top /f\nCOPY top /f/x'
refused 3 "cannot replace to directory /o/e with file" 'COPY d /o\nCOPY top /p/e\nCOPY <<e /o/\nx\ne\n'

say "owners and modes"
copied 'COPY --chown=5 top /n/f' "drwxr-xr-x 5/5 n/" "-rw-r--r-- 5/5 n/f"
copied 'COPY <<passwd <<group /etc/\nbob:x:7:8::/:\npasswd\ncrew:x:9:\ngroup\nCOPY --chown=bob top /a\nCOPY --chown=bob:crew top /b\nCOPY --chown=1:crew top /c' \
	"$dir etc/" "$file etc/passwd" "$file etc/group" "-rw-r--r-- 7/8 a" "-rw-r--r-- 7/9 b" "-rw-r--r-- 1/9 c"
refused 4 "user 'bob' is not in the image's /etc/passwd" 'COPY --chown=bob top /f'
copied 'COPY --chmod=0640 top /n/f' "drw-r----- 0/0 n/" "-rw-r----- 0/0 n/f"
copied 'COPY --chmod=4711 d/e /n' "drwx--x--x 0/0 n/" "drws--x--x 0/0 n/f/" "-rws--x--x 0/0 n/f/three" "-rws--x--x 0/0 n/two"
copied 'COPY --chmod=go-r,u+X d/e /n' "$dir n/" "drwx--x--x 0/0 n/f/" "-rw------- 0/0 n/f/three" "-rws--x--x 0/0 n/two"
copied 'ARG M=600 O=3:4\nCOPY --chmod=$M --chown=${O} top /f' "-rw------- 3/4 f"
for mode in 8 77777 u=q rw; do
	refused 3 "chmod" "COPY --chmod=$mode top /f"
done
refused 3 "duplicate flag" 'COPY --chmod=600 --chmod=700 top /f'

say "--from keeps owners and modes, and knows stages by name and number"
copied 'COPY --chown=7:8 --chmod=750 d/e /o/\nFROM scratch AS Second\nCOPY --from=0 /o /p\nFROM scratch\nCOPY --from=second p/f/ /q' \
	"$dir q/" "-rwxr-x--- 7/8 q/three"
refused 3 "--from" 'COPY --from=$X top /f'

say "--exclude, its exceptions, and no variables in it"
copied 'COPY --exclude=*/two --exclude=lone --exclude=same d /o/' "$dir o/" "$dir o/e/" "$dir o/e/f/" "$file o/e/f/three" "$file o/one"
copied 'COPY --exclude=** --exclude=!**/f.txt . /o/' "$dir o/" "$dir o/w1/" "$dir o/w1/x/" "$dir o/w2/" "$dir o/w2/x/" \
	"$file o/w1/x/f.txt" "$file o/w2/x/f.txt"
copied 'ENV P=e\nCOPY --exclude=$P --exclude=[els]* d /o/' "$dir o/" "$file o/one"
refused 3 "syntax error in pattern '['" 'COPY --exclude=[ d /o/'

say "--parents, where they begin, any depth"
copied 'COPY --parents d/e/two w*/x/f.txt /o/' "$dir o/" "$dir o/d/" "$dir o/d/e/" "$dir o/w1/" "$dir o/w1/x/" "$dir o/w2/" "$dir o/w2/x/" \
	"-rwsr-xr-x 0/0 o/d/e/two" "$file o/w1/x/f.txt" "$file o/w2/x/f.txt"
copied 'COPY --parents d/./e/two /o/' "$dir o/" "$dir o/e/" "-rwsr-xr-x 0/0 o/e/two"
copied 'COPY --parents ./d/./**/three /o/' "$dir o/" "$dir o/e/" "$dir o/e/f/" "$file o/e/f/three"
copied 'COPY --parents --chmod=700 --chown=3 --exclude=**/f d/e /o/' "drwx------ 3/3 o/" "drwx------ 3/3 o/d/" "drwx------ 3/3 o/d/e/" \
	"-rwx------ 3/3 o/d/e/two"
copied 'COPY --parents no*/x no*/./x /o/' "$dir o/"
refused 4 "'/d/e/missing' not found" 'COPY --parents d/e/missing /o/'

say "--link knows nothing of what is below, unless there is --chmod"
link='COPY --chmod=1777 <<x /tmp/k\nx\nCOPY --link'
copied "$link top /tmp/" "$dir tmp/" "-rwxrwxrwt 0/0 tmp/k" "$file tmp/top"
copied "$link --chmod=600 top /tmp/" "drwxrwxrwx 0/0 tmp/" "-rwxrwxrwt 0/0 tmp/k" "-rw------- 0/0 tmp/top"

say "heredocs"
# shellcheck disable=SC2016
copied 'ENV V=v\nCOPY <<a <<"b" <<-c top /o/\n$V "x" \\$V\na\n$V\nb\n\t\tq\nc' "$dir o/" "$file o/a" "$file o/b" "$file o/c" "$file o/top"
# shellcheck disable=SC2016
holds o/a 'v "x" $V'
# shellcheck disable=SC2016
holds o/b '$V'
holds o/c q
copied 'ADD --chmod=755 --chown=2 <<EOF /f\nEOF' "-rwxr-xr-x 2/2 f"
refused 3 "heredoc as a destination" 'COPY top <<E\nx\nE'

say "archives by their content, for ADD alone"
copied 'ADD archives/data /o' "$dir o/" "$dir o/e/" "$dir o/e/f/" "lrwxrwxrwx 0/0 o/lone -> one" "$file o/e/f/three" \
	"-rwsr-xr-x 0/0 o/e/two" "$file o/one" "hrw-r--r-- 0/0 o/same link to o/one"
copied 'ADD archives/false.tar.gz /o/' "$dir o/" "$file o/false.tar.gz"
copied 'ADD --unpack=false archives/data /o/' "$dir o/" "$file o/data"
copied 'COPY archives/data /o/' "$dir o/" "$file o/data"
copied 'COPY --chmod=700 top /o/top\nADD --chown=3:4 archives/data /o/' "drwx------ 0/0 o/" "drwxr-xr-x 3/4 o/e/" "drwxr-xr-x 3/4 o/e/f/" \
	"lrwxrwxrwx 3/4 o/lone -> one" "-rw-r--r-- 3/4 o/e/f/three" "-rwsr-xr-x 3/4 o/e/two" "-rw-r--r-- 3/4 o/one" \
	"hrw-r--r-- 3/4 o/same link to o/one" "-rwx------ 0/0 o/top"
refused 3 "unknown flag '--unpack'" 'COPY --unpack=true archives/data /o/'

if [ "$has_xattrs" ]; then
	say "extended attributes"
	copied 'COPY top /f' "$file f"
	python3 -c '
import sys, tarfile
sys.exit(tarfile.open(sys.argv[1]).getmember("f").pax_headers.get("SCHILY.xattr.user.note") != "kept")' "$work/out.tar" ||
		fail "an attribute was lost"
fi
whole
say "done"
