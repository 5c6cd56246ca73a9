#!/usr/bin/env python3
"""tests/support/list_tar.py TAR EXPECTED: is TAR what EXPECTED says, to every tool there is?

Each line of EXPECTED is a member: name in hex, type letter, mode, uid, gid, size, mtime, link in hex,
major, minor. Python's tarfile must find exactly that; GNU tar and bsdtar must list as many members,
without a word of complaint, whatever the locale.
"""
import os
import shutil
import subprocess
import sys
import tarfile

TYPES = {b"0": "f", b"1": "h", b"2": "l", b"3": "c", b"4": "b", b"5": "d", b"6": "p"}


def raw(text):
    return os.fsencode(text).hex() or "-"


def by_python(path):
    with tarfile.open(path, encoding="utf-8", errors="surrogateescape") as tar:
        for m in tar:
            device = (m.devmajor, m.devminor) if m.ischr() or m.isblk() else (0, 0)
            yield (f"{raw(m.name)} {TYPES[m.type]} {m.mode:o} {m.uid} {m.gid} {m.size} "
                   f"{int(m.mtime)} {raw(m.linkname)} {device[0]} {device[1]}")


def by_tool(command, locale):
    run = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": locale})
    if run.returncode or run.stderr:
        sys.exit(f"{command} in {locale}: status {run.returncode}: {run.stderr[:1000]}")
    return run.stdout.splitlines()


def main():
    path, expected_path = sys.argv[1:]
    with open(expected_path, encoding="ascii") as file:
        expected = file.read().splitlines()
    found = list(by_python(path))
    for want, got in zip(expected, found):
        if want != got:
            sys.exit(f"wanted {want[:500]}\n   got {got[:500]}")
    if len(found) != len(expected):
        sys.exit(f"{len(found)} members instead of {len(expected)}")
    for tool in ("tar", "bsdtar"):
        if not shutil.which(tool):
            print(f"SKIPPED: no {tool}")
            continue
        for locale in ("C", "C.UTF-8"):
            lines = by_tool([tool, "-tvf", path], locale)
            if len(lines) != len(expected):
                sys.exit(f"{tool} lists {len(lines)} members instead of {len(expected)}")


main()
