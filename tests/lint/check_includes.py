#!/usr/bin/env python3
"""Hold every #include to the layers and third-party fences of ARCHITECTURE.md.

A layer may include itself and what is below it; siblings do not know each other; third parties are
allowed only in the folder (or file) that owns them; cli/ and examples/ see <ocibuild/*.h> alone.
"""

import pathlib
import re
import sys

BELOW = {"base": [], "io": ["base"], "image": ["io", "base"], "layer": ["image", "io", "base"]}
SIBLINGS = ["dockerfile", "sandbox", "snapshot", "store", "registry"]
for sibling in SIBLINGS:
    BELOW[sibling] = ["layer", "image", "io", "base"]
BELOW["engine"] = SIBLINGS + ["layer", "image", "io", "base"]

# Header prefix or name -> where it may be included (path prefixes below libocibuild/).
FENCES = {
    "jansson": ["base/json.c"],
    "zlib": ["io/"],
    "zstd": ["io/"],
    "isa-l": ["io/"],
    "igzip": ["io/"],
    "openssl": ["io/hash.c", "registry/sign"],
    "archive": ["layer/"],
    "curl": ["registry/"],
    "seccomp": ["sandbox/"],
    "yaml": [],
}
# The same for the command, which else sees the library alone.
OUTSIDE_FENCES = {"yaml": ["cli/release/yaml_tree.c"]}
# Kernel and libc headers whose names begin like a fenced one.
NOT_THIRD_PARTY = {"linux/seccomp.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def fence_of(header):
    first = header.split("/")[0]
    stem = first[:-2] if first.endswith(".h") else first
    for name in FENCES:
        if stem == name or stem.startswith((name + "_", "lib" + name)):
            return name
    return None


def check_library_file(root, path, problems):
    inside = path.relative_to(root / "libocibuild").as_posix()
    layer = inside.split("/")[0]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        where = f"{path.relative_to(root)}:{number}"
        if kind == '"' and layer != "include":
            target = header.split("/")[0]
            if target not in BELOW:
                problems.append(f'{where}: "{header}" does not name its layer')
            elif target != layer and target not in BELOW[layer]:
                problems.append(f"{where}: {layer}/ may not include {target}/")
        if kind == '"' and layer == "include":
            problems.append(f"{where}: a public header includes only <ocibuild/*.h> and C headers")
        fence = fence_of(header) if kind == "<" and header not in NOT_THIRD_PARTY else None
        if fence and not any(inside.startswith(place) for place in FENCES[fence]):
            problems.append(f"{where}: {header} belongs to {', '.join(FENCES[fence]) or 'the command'}")


def check_outside_file(root, path, problems):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        where = f"{path.relative_to(root)}:{number}"
        if kind == '"' and not (path.parent / header).exists():
            problems.append(f'{where}: "{header}" is not a file beside it')
        fence = fence_of(header) if kind == "<" else None
        if fence and path.relative_to(root).as_posix() not in OUTSIDE_FENCES.get(fence, []):
            problems.append(f"{where}: {header} is the library's business")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems, files = [], 0
    for path in sorted((root / "libocibuild").rglob("*.[ch]")):
        files += 1
        check_library_file(root, path, problems)
    for folder in ("cli", "examples"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            files += 1
            check_outside_file(root, path, problems)
    print("\n".join(problems) if problems else f"{files} files keep to their layers")
    if files < 10:
        sys.exit("too few files: is this the right folder?")
    sys.exit(1 if problems else 0)


main()
