#!/usr/bin/env python3
"""Relative links and code paths in the Markdown files point at something."""

import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems, files = [], 0
    for path in sorted(root.rglob("*.md")):
        if "out" in path.relative_to(root).parts:
            continue
        files += 1
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for target in LINK.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                if not (path.parent / target).exists():
                    problems.append(f"{path.relative_to(root)}:{number}: no '{target}'")
    print("\n".join(problems) if problems else f"links of {files} files are good")
    sys.exit(1 if problems or not files else 0)


main()
