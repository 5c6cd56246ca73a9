#!/bin/sh
# An installed copy works where it is, and serves a foreign program: by pkg-config and by find_package;
# the program then builds an image.   check_consumer.sh BUILD_DIR SOURCE_DIR
set -eu
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR= cmake --install "$build" --prefix "$work/usr" >/dev/null
"$work/usr/bin/ocibuild" --version >/dev/null
lib=$(dirname "$(find "$work/usr" -name libocibuild.so | head -n 1)")
# The installed .pc names the configured prefix; point it at where the copy is.
flags=$(PKG_CONFIG_PATH="$lib/pkgconfig" pkg-config --define-variable=prefix="$work/usr" --cflags --libs ocibuild)
# shellcheck disable=SC2086
cc ${CONSUMER_CFLAGS:-} -std=c99 -pedantic -Wall -Wextra -Werror "$source/examples/embed/embed.c" $flags -o "$work/embed"
[ "$(wc -l <"$source/examples/embed/embed.c")" -lt 60 ]

mkdir "$work/cmake" "$work/context"
cp "$source/examples/embed/embed.c" "$work/cmake/"
cat >"$work/cmake/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(consumer C)
find_package(ocibuild 0.1 REQUIRED)
add_executable(embed embed.c)
target_link_libraries(embed PRIVATE ocibuild::ocibuild)
CMAKE
cmake -G Ninja -S "$work/cmake" -B "$work/cmake/out" -DCMAKE_PREFIX_PATH="$work/usr" \
	-DCMAKE_C_FLAGS="${CONSUMER_CFLAGS:-}" >/dev/null
cmake --build "$work/cmake/out" >/dev/null

printf 'FROM scratch\nCOPY hello /hello\n' >"$work/context/Dockerfile"
echo hello >"$work/context/hello"
for program in "$work/embed" "$work/cmake/out/embed"; do
	LD_LIBRARY_PATH="$lib" OCIBUILD_STORE="$work/store" "$program" "$work/context" consumer >"$work/output"
	grep -q '^consumer is sha256:' "$work/output" || { cat "$work/output"; exit 1; }
done
cat "$work/output"
