"""Lines on stdin beside the work, and a terminal that another job holds."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from econnlab.commands.link.lines import LONGEST, Lines
from tests.conftest import DEADLINE_S, children_of, wait_until
from tests.support.raw import Raw
from tests.support.standing import echo_server


@pytest.fixture
def pipe():
    ends = list(os.pipe())
    yield ends
    for fd in ends:
        os.close(fd)


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"status\nreset 3\n", ["status", "reset 3"]),
        (b"status\r\n\n  \nhelp", ["status", "help"]),
        (b"\xff\n", ["�"]),
        (b"x" * (LONGEST + 1) + b"\ny\n", ["x" * (LONGEST + 1), "y"]),
        (b"x" * 2 * LONGEST + b" reset\ny\n", ["x" * 2 * LONGEST, "y"]),
        (b"x" * 5 * LONGEST + b"\ny", ["x" * 2 * LONGEST, "y"]),
    ],
)
def test_each_line_is_handed_on(pipe, written, lines):
    taken = []
    with Lines(taken.append, pipe[0]):
        os.write(pipe[1], written)
        os.close(pipe.pop())
        wait_until(lambda: len(taken) == len(lines), "the lines")
    assert taken == lines


def test_it_ends_though_nothing_comes(pipe):
    with Lines(pytest.fail, pipe[0]):
        pass


def test_no_stdin_is_no_lines():
    with Lines(pytest.fail, 10_000):
        pass


def test_in_the_background_of_a_terminal_it_reads_nothing_and_goes_on():
    """A read would stop the process (SIGTTIN), and the link with it."""
    ours, theirs = pty.openpty()

    def hold_the_terminal():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    command = f"{sys.executable} -m econnlab link --listen 0 --to {{}}:{{}} </dev/tty & wait"
    with echo_server() as upstream, os.fdopen(ours, "wb", buffering=0) as terminal:
        shell = subprocess.Popen(
            ["bash", "-mc", command.format(*upstream)],
            stdin=theirs,
            stderr=theirs,  # where bash looks whether it has a terminal to control
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=hold_the_terminal,
        )
        os.close(theirs)
        assert shell.stdout is not None
        try:
            address = shell.stdout.readline().split()[2].rstrip(",").split(":")
            terminal.write(b"status\n")
            for _ in range(2):
                with Raw((address[0], int(address[1]))) as client:
                    client.sock.sendall(b"hello")
                    assert client.sock.recv(5) == b"hello"
            (link,) = children_of(shell.pid)
            assert Path(f"/proc/{link}/stat").read_text().rpartition(")")[2].split()[0] != "T"
            os.kill(link, signal.SIGTERM)
            assert " bytes to the server" in shell.communicate(timeout=DEADLINE_S)[0]
        finally:
            for pid in children_of(shell.pid) if shell.poll() is None else []:
                os.kill(pid, signal.SIGKILL)
            shell.kill()
            shell.communicate()
