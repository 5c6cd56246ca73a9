#!/usr/bin/env python3
"""Run the commands of a Markdown file as a reader would paste them.

run_docs.py FILE.md: blocks of code that begin with

  ```sh           are executed in order, all in one shell, in the current directory; every command must succeed
  ```sh exit=4    the same, but the last command ends with this status (several: exit=4,6)
  ```sh no-run    are not executed: they need an account, a machine or a person that a test does not have
  ```text         right after a block that was executed: the lines are in its output, in this order;
                  '…' stands for anything
  ```…            are something else
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

PATIENCE = 300  # seconds for one block
FENCE = re.compile(r"^```(\S*) *(.*)$")


def blocks(path):
    """(line number, language, words after it, text) of each block."""
    opened = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if opened and line.strip() == "```":
            yield (*opened[:3], "\n".join(opened[3]) + "\n")
            opened = None
        elif opened:
            opened[3].append(line)
        elif fence:
            opened = (number, fence.group(1), fence.group(2), [])


class Shell:
    """One bash for a whole file, so that variables, directories and background jobs last."""

    def __init__(self, work):
        self.work, self.count = pathlib.Path(work), 0
        reader, writer = os.pipe()
        self.answers = os.fdopen(reader)
        self.bash = subprocess.Popen(["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, text=True,
                                     pass_fds=[writer])
        self.writer = writer

    def run(self, text):
        """(status of the first command that failed, status of the last one, output)"""
        self.count += 1
        script, output = self.work / f"block{self.count}", self.work / f"output{self.count}"
        script.write_text(text)
        self.bash.stdin.write(
            f"first=0; trap 'last=$?; [ $first != 0 ] || first=$last' ERR\n"
            f". {script} >{output} 2>&1 </dev/null; last=$?; trap - ERR; echo $first $last >&{self.writer}\n")
        self.bash.stdin.flush()
        signal.alarm(PATIENCE)
        first, last = map(int, self.answers.readline().split())
        signal.alarm(0)
        return first, last, output.read_text(errors="replace")

    def close(self):
        self.bash.stdin.write("kill $(jobs -p) 2>/dev/null; wait\n")
        self.bash.stdin.close()
        self.bash.wait()


def missing_line(expected, output):
    """The first line of a text block that is not in the output, in order; None when all are."""
    lines = iter(output.splitlines())
    for wanted in filter(str.strip, expected.splitlines()):
        pattern = ".*".join(map(re.escape, wanted.strip().split("…")))
        if not any(re.fullmatch(pattern, line.strip()) for line in lines):
            return wanted
    return None


def give_up(*_):
    sys.exit(f"a block took more than {PATIENCE} s")


def main():
    signal.signal(signal.SIGALRM, give_up)
    path = pathlib.Path(sys.argv[1])
    executed, checked, left, output = 0, 0, 0, None
    with tempfile.TemporaryDirectory() as work:
        shell = Shell(work)
        for number, language, words, text in blocks(path):
            where = f"{path.name}:{number}"
            if language == "sh" and words == "no-run":
                left, output = left + 1, None
            elif language == "sh":
                if words and not re.fullmatch(r"exit=\d+(,\d+)*", words):
                    sys.exit(f"{where}: '{words}' after ```sh is not understood")
                allowed = [int(n) for n in words.removeprefix("exit=").split(",")] if words else [0]
                first, last, output = shell.run(text)
                executed += 1
                if last not in allowed or (not words and first):
                    sys.exit(f"{where}: status {first or last}, not {words or 0}:\n{text}---\n{output}")
            elif language == "text" and output is not None:
                wanted = missing_line(text, output)
                checked += 1
                if wanted is not None:
                    sys.exit(f"{where}: not in the output: '{wanted}'\n---\n{output}")
            else:
                output = None
        shell.close()
    print(f"{path.name}: {executed} blocks run, {checked} outputs checked, {left} left out")
    sys.exit(0 if executed else 1)


main()
