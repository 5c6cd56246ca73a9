#!/usr/bin/env python3
"""`ocibuild COMMAND --help` and the manual pages name the same commands and options.

check_help.py OCIBUILD MAN_DIR
"""

import pathlib
import re
import subprocess
import sys


def help_of(program, *args):
    return subprocess.run([program, *args], capture_output=True, text=True, check=True).stdout


def man_options(text):
    """Long options of each .It Fl line: `.It Fl f , Fl -file Ar PATH`."""
    names = set()
    for line in text.splitlines():
        if line.startswith(".It ") and " Fl " in " " + line[3:]:
            names.update(re.findall(r"Fl -([a-z-]+)", line))
    return names


def main():
    program, man = sys.argv[1], pathlib.Path(sys.argv[2])
    problems = []
    overview = help_of(program, "help")
    commands = re.findall(r"^  ([a-z]+) +\S", overview, flags=re.M)
    main_page = (man / "ocibuild.1").read_text()
    for command in commands:
        page = man / f"ocibuild-{command}.1"
        options = set(re.findall(r"^  (?:-\w, |    )--([a-z-]+)", help_of(program, command, "--help"), flags=re.M))
        if not re.search(rf"^\.It (Ic|Xr) (ocibuild-)?{command}\b", main_page, flags=re.M):
            problems.append(f"ocibuild.1 does not list '{command}'")
        if not page.exists():
            problems.append(f"{page.name} is missing")
            continue
        documented = man_options(page.read_text())
        for name in sorted(options - documented):
            problems.append(f"{page.name} does not have --{name}")
        for name in sorted(documented - options):
            problems.append(f"{page.name} has --{name}, --help does not")
    print("\n".join(problems) if problems else f"{len(commands)} commands agree with their pages")
    sys.exit(1 if problems or len(commands) < 5 else 0)


main()
