#!/usr/bin/env python3
"""What README.md and docs/*.md say of the command is what `ocibuild COMMAND --help` says.

check_docs.py OCIBUILD SOURCE_DIR

Read are `code spans` and blocks of shell that begin with ocibuild: the command must exist and have the
options. Under a heading with "not work yet" it is the other way round: what is listed there must still be
missing. What the example workflow ignores must be ignored by the command, too; the keys of ocibuild.yaml
are all documented; and docs/checks.md has every rule of a check.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys

SPAN = re.compile(r"`([^`]+)`")
FENCE = re.compile(r"^```(\w*)")


class Command:
    """An ocibuild that is asked once for each thing."""

    def __init__(self, program):
        self.program = program
        self.names = set(re.findall(r"^  ([a-z]+) +\S", self.ask("help"), flags=re.M))
        self.known = {}

    def ask(self, *args):
        return subprocess.run([self.program, *args], capture_output=True, text=True, check=True).stdout

    def options(self, name):
        """Option to whether a value follows it."""
        if name not in self.known:
            found = re.findall(r"^  (-\w)?,? +(--[a-z-]+)( \S+)?  ", self.ask(name, "--help"), flags=re.M)
            self.known[name] = {option: bool(value) for *names, value in found for option in names if option}
            self.known[name]["--help"] = False
        return self.known[name]

    def global_options(self):
        return set(re.findall(r"--[a-z-]+", self.ask("help").split("COMMAND", 1)[0])) | {"--version", "--help"}


def simple_commands(line):
    """The words of each `ocibuild …` in a line of shell."""
    for part in re.split(r"&&|\|\||[;|&]\s|\s&$|(?<!-)\s#\s", line):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            words = part.split()
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and words[0] == "ocibuild":
            yield words[1:]


def problems_of(command, words):
    """What --help does not have of one `ocibuild …`."""
    takes_value = {"--store", "--log-level"}
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option not in command.global_options():
            return [f"no global option {option}"]
        if option in takes_value and words:
            words.pop(0)
    if not words or not re.fullmatch(r"[a-z]+", words[0]):
        return []
    name, rest = words[0], words[1:]
    if name == "help":
        return []
    if name not in command.names:
        return [f"no command '{name}'"]
    known, missing = command.options(name), []
    while rest:
        word = rest.pop(0)
        if word == "--" or (name == "run" and not word.startswith("-")):
            break  # run: the image; what follows is the container's
        options = [word.split("=")[0]] if word.startswith("--") else []
        if re.fullmatch(r"-[a-zA-Z]+", word):
            options = [f"-{letter}" for letter in word[1:]]
        missing += [f"'{name}' has no {option}" for option in options if option not in known]
        if options and known.get(options[-1]) and "=" not in word and rest:
            rest.pop(0)
    return missing


def texts(path):
    """(line number, shell text, is it listed as missing?)"""
    fence, missing, pending = None, False, ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark = FENCE.match(line)
        if mark:
            fence = None if fence is not None else mark.group(1)
        elif fence == "sh":
            pending += line
            if line.endswith("\\"):
                pending = pending[:-1]
                continue
            yield number, pending, missing
            pending = ""
        elif fence is None:
            if line.startswith("#"):
                missing = "not work yet" in line
            # Of a table of what is missing, the second column says what to do until then.
            for span in SPAN.findall(line.split("|")[1] if missing and "|" in line else line):
                if span.startswith("ocibuild ") or re.match(r"[A-Z_]+=\S* ocibuild ", span):
                    yield number, span.replace("\\|", "|"), missing


def check_ignored(root):
    """paths-ignore of the workflow is part of the list in docs/release.md."""
    workflow = (root / "examples/ci/github/workflows/build-app.yml").read_text()
    block = re.search(r"paths-ignore:\n((?: +- .*\n)+)", workflow).group(1)
    ignored = set(re.findall(r"- ['\"](.*)['\"]", block))
    listed = re.search(r"^ignore:.*\n((?: +- .*\n)+)", (root / "docs/release.md").read_text(), flags=re.M).group(1)
    known = set(re.findall(r"- ['\"](.*)['\"]", listed))
    return [f"build-app.yml ignores '{pattern}', docs/release.md does not" for pattern in sorted(ignored - known)]


def check_keys(root):
    """Every key of ocibuild.yaml is in the examples and in the table of docs/release.md."""
    source = (root / "cli/release/release_config.c").read_text()
    keys = set(re.findall(r'^\t\{"([a-z-]+)", read_', source, flags=re.M))
    text = (root / "docs/release.md").read_text()
    shown = set(re.findall(r"^ *-? *([a-z-]+):", text, flags=re.M))
    listed = set(re.findall(r"`(?:…|images\.)?([a-z-]+)`", "".join(re.findall(r"^\| .*`.*\n", text, flags=re.M))))
    problems = [f"docs/release.md does not show the key '{key}'" for key in sorted(keys - shown)]
    problems += [f"the table of docs/release.md does not have the key '{key}'" for key in sorted(keys - listed - {"images"})]
    return problems if len(keys) > 20 else ["no keys found in release_config.c"]


def check_rules(program, root):
    """docs/checks.md has a row for each rule, and no other. SARIF lists all rules."""
    command = [program, "build", "--call=check,format=sarif", "-"]
    sarif = subprocess.run(command, input="FROM scratch\n", capture_output=True, text=True, check=True).stdout
    rules = {rule["id"] for rule in json.loads(sarif)["runs"][0]["tool"]["driver"]["rules"]}
    rows = set(re.findall(r"^\| `([A-Z]\w+)`", (root / "docs/checks.md").read_text(), flags=re.M))
    return [f"docs/checks.md and the rules of the command differ in {name}" for name in sorted(rules ^ rows)]


def main():
    command, root = Command(sys.argv[1]), pathlib.Path(sys.argv[2])
    problems, count = check_ignored(root) + check_keys(root) + check_rules(sys.argv[1], root), 0
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        for number, text, is_missing in texts(path):
            for words in simple_commands(text):
                found = problems_of(command, list(words))
                where = f"{path.relative_to(root)}:{number}"
                count += 1
                if is_missing and not found:
                    problems.append(f"{where}: listed as missing, but it is there: ocibuild {' '.join(words)}")
                elif not is_missing:
                    problems += [f"{where}: {problem}" for problem in found]
    print("\n".join(problems) if problems else f"{count} commands in the documentation are right")
    sys.exit(1 if problems or count < 50 else 0)


main()
