#!/usr/bin/env python3
"""The house rules that a machine can check: names, banned calls, goto, lengths, left-overs."""

import pathlib
import re
import sys

MAX_FILE = 700
BANNED = {
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strcpy": "memcpy or ob_buffer",
    "strcat": "ob_buffer",
    "atoi": "ob_parse_u64",
    "strtok": "strtok_r",
    "system": "posix_spawn",
    "basename": "ob_path_base",
    "dup": "fcntl(F_DUPFD_CLOEXEC)",
    "gets": "read",
    "setlocale": "nothing: the library leaves the process alone",
}
LIBRARY_ONLY = {
    "exit": "returning an error",
    "abort": "returning an error",
    "printf": "an event",
    "fprintf": "an event",
    "perror": "an error",
    "syslog": "an event",
}
# The worker is a program of its own: it ends with an exit status.
PROGRAMS = {"libocibuild/engine/worker/worker_main.c"}
CALL = re.compile(r"(?<![\w.>])([a-z_]+)\s*\(")
STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')


def strip_comments(text):
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    text = STRINGS.sub(lambda m: '""' if m.group(0)[0] == '"' else "' '", text)
    text = re.sub(r"/\*.*?\*/", blank, text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def check_file(root, path, problems):
    name = path.relative_to(root).as_posix()
    text = path.read_text()
    lines = text.splitlines()
    if len(lines) > MAX_FILE:
        problems.append(f"{name}: {len(lines)} lines; do two things live in it?")
    if path.suffix == ".c" and not text.startswith("/*"):
        problems.append(f"{name}:1: a .c file opens with a comment that says what it is for")
    for number, line in enumerate(lines, 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            problems.append(f"{name}:{number}: left-over: {line.strip()}")
    in_library = name.startswith("libocibuild/") and name not in PROGRAMS
    for number, line in enumerate(strip_comments(text).splitlines(), 1):
        if re.search(r"\bgoto\b", line):
            problems.append(f"{name}:{number}: goto")
        for call in CALL.findall(line):
            if call in BANNED:
                problems.append(f"{name}:{number}: {call}(): use {BANNED[call]}")
            if in_library and call in LIBRARY_ONLY and not line.lstrip().startswith("#"):
                problems.append(f"{name}:{number}: {call}() in the library: use {LIBRARY_ONLY[call]}")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems, seen = [], {}
    for folder in ("libocibuild", "cli", "fuzz"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            check_file(root, path, problems)
            if path.name in seen and path.suffix == ".c":
                problems.append(f"{path.relative_to(root)}: also {seen[path.name]}: file names are unique")
            seen[path.name] = path.relative_to(root)
    print("\n".join(problems) if problems else f"{len(seen)} files in style")
    sys.exit(1 if problems or len(seen) < 10 else 0)


main()
