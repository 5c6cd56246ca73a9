#!/bin/sh
# Install the judges, compile with sanitizers, run every test.
#
#   tests/run.sh [CTEST ARGUMENTS…]     e.g. tests/run.sh -R layer
set -eu
cd "$(dirname "$0")/.."

sh cmake/install-packages.sh test
# The commands that people use, and the same with ASan, UBSan and -Werror for the tests.
cmake --preset release >/dev/null
cmake --build --preset release --target ocibuild-cli ocibuild-worker
cmake --preset dev >/dev/null
cmake --build --preset dev
ctest --preset dev --parallel 2 "$@"
# What several threads touch, under TSan.
cmake --preset tsan >/dev/null
cmake --build --preset tsan --target unit-tests ocibuild-worker
ctest --preset tsan --parallel 2 -R '^test_(base|io|layer|store|engine)_'
