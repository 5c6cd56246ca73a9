#!/bin/sh
# Every C file is as clang-format leaves it.   check_format.sh SOURCE_DIR
set -eu
cd "$1"
command -v clang-format >/dev/null || { echo "SKIPPED: no clang-format"; exit 77; }
find libocibuild cli examples fuzz tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
