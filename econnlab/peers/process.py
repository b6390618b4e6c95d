"""A program that is not ours, run in the foreground by a keeper that ends it when we are gone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from econnlab.errors import EnvironmentProblem
from econnlab.system.clock import now

#: A program listens within this, or something is wrong.
LISTEN_S = 10.0
STOP_S = 3.0
#: Where distributions put servers, which is not on every user's PATH.
_SBIN = "/usr/sbin:/usr/local/sbin:/sbin"
_ASK_AGAIN_S = 0.02

# Reads until stdin closes, however that comes about, then ends the program, SIGTERM first, and removes its
# files. It ends by itself, with 1, when the program does.
_KEEPER = """
import os, shutil, subprocess, sys, threading
folder, *words = sys.argv[1:]
program = subprocess.Popen(words, stdin=subprocess.DEVNULL)
threading.Thread(target=lambda: (program.wait(), os._exit(1)), daemon=True).start()
sys.stdin.buffer.read()
shutil.rmtree(folder, ignore_errors=True)
program.terminate()
try:
    program.wait(2)
except subprocess.TimeoutExpired:
    program.kill()
    program.wait()
"""


def find_program(name: str, package: str) -> str:
    """Where the program ``name`` is. Raises EnvironmentProblem, saying what to install."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    if path is None:
        raise EnvironmentProblem(
            f"{name} is not installed.", f"Install it (Debian: apt-get install {package})."
        )
    return path


class PeerProcess:
    """Starts ``command(folder)`` and waits until 127.0.0.1 ``port`` takes connections."""

    def __init__(self, name: str, port: int, command: Callable[[Path], list[str]]) -> None:
        self._name = name
        self.port = port
        self._folder = tempfile.TemporaryDirectory(prefix=f"econnlab-{name}-")
        self._output = Path(self._folder.name) / "output"
        with self._output.open("wb") as output:
            self._keeper = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    _KEEPER,
                    self._folder.name,
                    *command(Path(self._folder.name)),
                ],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal is the parent's to handle
            )

    def wait_until_listening(self) -> None:
        """Raises EnvironmentProblem, with its last words, where it ends or does not listen in time."""
        deadline = now() + LISTEN_S
        while True:
            with socket.socket() as probe:
                probe.settimeout(1.0)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            try:
                self._keeper.wait(_ASK_AGAIN_S)
            except subprocess.TimeoutExpired:
                if now() < deadline:
                    continue
            raise EnvironmentProblem(
                f"{self._name} does not start.", f"It said: {self.last_words() or 'nothing'}"
            )

    def last_words(self) -> str:
        """The last line it printed."""
        lines = self._output.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def stop(self) -> None:
        """End it, and remove its files."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._folder.cleanup()
