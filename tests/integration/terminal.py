#!/usr/bin/env python3
"""`ocibuild run` at a terminal: terminal.py OCIBUILD IMAGE."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

PROGRAM, IMAGE = sys.argv[1:3]


class Terminal:
    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [PROGRAM, "run", *args])
        self.resize(33, 77)
        self.seen = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text)

    def expect(self, text, seconds=20):
        deadline = time.time() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.time()))
            if not ready:
                sys.exit(f"{text!r} did not come: {self.seen!r}")
            try:
                self.seen += os.read(self.fd, 4096)
            except OSError:
                sys.exit(f"ended before {text!r}: {self.seen!r}")
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def end(self, status):
        """Waits, while what is still written is read away."""
        while True:
            ready, _, _ = select.select([self.fd], [], [], 0.1)
            try:
                if ready and not os.read(self.fd, 4096):
                    break
            except OSError:
                break
            pid, result = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                assert os.waitstatus_to_exitcode(result) == status, (result, self.seen)
                return
        result = os.waitpid(self.pid, 0)[1]
        assert os.waitstatus_to_exitcode(result) == status, (result, self.seen)


def wait_until(condition, what):
    for _ in range(100):
        if condition():
            return
        time.sleep(0.1)
    sys.exit(what)


def shell():
    t = Terminal("-it", "-e", "PS1=ready> ", IMAGE, "sh")
    t.expect(b"ready> ")
    assert t.is_raw(), "the terminal is not raw"
    t.type(b"tty; stty size; echo term=$TERM; for i in 0 1 2; do test -t $i && echo $i is; done\n")
    for text in (b"/dev/pts/0", b"33 77", b"term=xterm", b"0 is", b"1 is", b"2 is"):
        t.expect(text)
    t.type(b"id -u >/dev/tty && echo by-name >/dev/pts/0\n")
    t.expect(b"by-name")
    t.resize(40, 100)
    t.type(b"until test \"$(stty size)\" = '40 100'; do sleep 0.1; done; echo re''sized\n")
    t.expect(b"resized")
    t.type(b"sleep 97533\n")
    t.expect(b"97533")
    time.sleep(0.5)
    t.type(b"\x03")
    time.sleep(0.5)
    t.type(b"echo status=$?\n")
    t.expect(b"status=130")
    t.type(b"exit 9\n")
    wait_until(lambda: not t.is_raw(), "the terminal stays raw")
    t.end(9)


def other_user():
    t = Terminal("-it", "-u", "1000", "-e", "PS1=ready> ", IMAGE, "sh")
    t.expect(b"ready> ")
    t.type(b"echo mine >$(tty) && stat -c owner=%u $(tty)\n")
    t.expect(b"owner=1000")
    t.type(b"exit\n")
    t.end(0)


def without_tty():
    """A command without a terminal of its own does not get the caller's either."""
    t = Terminal("-i", IMAGE, "sh", "-c", "for i in 0 1 2; do test -t $i && echo $i is; done; echo none; cat; exit 4")
    t.expect(b"none")
    assert b" is" not in t.seen
    assert not t.is_raw()
    t.type(b"line\n")
    t.expect(b"line\r\nline\r\n")
    t.type(b"\x04")
    t.end(4)


def interrupted():
    """^C at a terminal that is not raw asks the command to stop."""
    t = Terminal("--stop-signal", "USR1", IMAGE, "wait-for", "USR1")
    t.expect(b"ready")
    t.type(b"\x03")
    t.expect(b"got USR1")
    t.end(5)


def hang_up():
    t = Terminal("-it", "-e", "PS1=ready> ", IMAGE, "sh")
    t.expect(b"ready> ")
    os.close(t.fd)
    begin = time.time()
    os.waitpid(t.pid, 0)
    assert time.time() - begin < 8, "the shell outlives its terminal"


def failing():
    """A command that cannot start leaves the terminal as it was."""
    t = Terminal("-it", IMAGE, "no-such-program")
    t.expect(b"PATH")
    wait_until(lambda: not t.is_raw(), "the terminal stays raw after a failure")
    t.end(4)


def terminated():
    t = Terminal("-it", "--stop-timeout", "1", "-e", "PS1=ready> ", IMAGE, "sh")
    t.expect(b"ready> ")
    os.kill(t.pid, signal.SIGTERM)
    wait_until(lambda: not t.is_raw(), "the terminal stays raw after SIGTERM")
    t.end(137)


for case in (shell, other_user, without_tty, interrupted, hang_up, failing, terminated):
    case()
    print(f"   {case.__name__}")
