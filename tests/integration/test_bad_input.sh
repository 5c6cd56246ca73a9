#!/bin/sh
# Bad input ends with one clear error, the right exit status, and a store that is whole.
. "$(dirname "$0")/lib.sh"

mkdir "$work/context"
cd "$work/context"
echo data >file
build() { "$OCIBUILD" build -t bad:test "$@"; }
# dockerfile LINES…: write the Dockerfile, a line per argument.
dockerfile() { printf '%s\n' "$@" >Dockerfile; }

say "the Dockerfile itself"
want 4 "Dockerfile" build .
: >Dockerfile
want 3 "empty" build .
head -c 4096 /dev/urandom >Dockerfile
want 3 "Dockerfile" build .
head -c 200000000 /dev/zero | tr '\0' '#' >Dockerfile
want 3 "Dockerfile" build .
dockerfile 'COPY file /'
want 3 "FROM" build .
dockerfile 'FROM scratch' 'COPPY file /'
want 3 "COPY" build .
grep -q 'COPPY file /' "$work/stderr" || fail "the line itself is not shown"
grep -q '\^' "$work/stderr" || fail "there is no caret"
dockerfile 'FROM scratch' 'COPY --chwon=1 file /'
want 3 "chown" build .

say "things that are not there"
dockerfile 'FROM scratch' 'COPY filee /'
want 4 "file" build .
printf 'file\n' >.dockerignore
dockerfile 'FROM scratch' 'COPY file /'
want 4 ".dockerignore" build .
rm .dockerignore
dockerfile 'FROM scratch' 'COPY ../../etc/passwd /'
want 4 "etc/passwd" build .
dockerfile 'FROM runtime' 'COPY file /'
want 4 "built first" build --offline .
grep -q 'ocibuild build' "$work/stderr" || fail "the hint does not say how to build the runtime"
dockerfile 'FROM scratch AS one' 'COPY file /' 'FROM scratch' 'COPY --from=oen /file /'
want 4 "oen" build --offline .
want 4 "" build --target nope .

say "known, not executed yet: a hard error with the line"
dockerfile 'FROM scratch' 'RUN --device=vendor.example/class=name true'
want 3 "--device" build .

say "registries"
dockerfile 'FROM 127.0.0.1:1/nobody/home' 'COPY file /'
want 6 "127.0.0.1:1" build .

say "layers that lie"
import() { "$OCIBUILD" import "$1" evil:test; }
head -c 20000 /dev/urandom >"$work/no.tar"
want 1 "" import "$work/no.tar"
python3 - "$work" <<'PY'
import io, sys, tarfile
work = sys.argv[1]
def make(name, *members):
    with tarfile.open(f"{work}/{name}.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for path, kind, link in members:
            info = tarfile.TarInfo(path)
            info.type, info.linkname = kind, link
            data = b"x" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
make("climbs", ("../../escape", tarfile.REGTYPE, ""))
make("absolute", ("/tmp/escape", tarfile.REGTYPE, ""))
make("hardlink", ("a", tarfile.LNKTYPE, "../../etc/passwd"))
PY
want 1 ".." import "$work/climbs.tar"
want 1 "/tmp/escape" import "$work/absolute.tar"
want 1 ".." import "$work/hardlink.tar"
whole

say "a store of another version"
mkdir "$work/other"
cp -r "$OCIBUILD_STORE/." "$work/other/"
printf '{"version":99}' >"$work/other/version"
want 1 "version" "$OCIBUILD" --store "$work/other" images

say "the command line"
want 2 "CONTEXT" "$OCIBUILD" build
want 2 "--tga" "$OCIBUILD" build --tga x .
want 2 "not implemented yet" "$OCIBUILD" build --squash=all .
want 2 "not implemented yet" "$OCIBUILD" lock .
want 2 "no command" "$OCIBUILD" bild
whole
say "all refused"
