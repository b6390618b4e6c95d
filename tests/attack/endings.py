"""Every command killed, or interrupted, at a random moment: nothing of it stays, and no row is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic as now

from tests.attack.found import Found, has_trace

COMMANDS = (
    "keepalive --interval 20 --requests 100 --save run.jsonl --csv out.csv",
    "sweep 10..30:10 --requests 40 --save run.jsonl",
    "maxconn --clients 20",
    "run max-requests crash-before-response --json -",
    "check --scenario max-requests -- sh -c true",
    "remedies max-requests",
    "serve --port 0 --jsonl ledger.jsonl",
    "serve --port 0 --tls",
    "link --listen 0 --to 127.0.0.1:9 --api 0",
    "timeouts",
    "explain ECONNRESET",
    "scenarios",
)
LONGEST_S = 3.0
#: The processes of a command that has been killed end when they read the end of their pipe.
SETTLES_S = 10.0


def killed(folder: Path, count: int, deadline: float) -> Iterator[Found]:
    """SIGKILL."""
    yield from _ended(folder, count, deadline, signal.SIGKILL)


def interrupted(folder: Path, count: int, deadline: float) -> Iterator[Found]:
    """Ctrl-C."""
    yield from _ended(folder, count, deadline, signal.SIGINT)


def _ended(folder: Path, count: int, deadline: float, number: signal.Signals) -> Iterator[Found]:
    chance = random.Random(17)
    for index in range(count):
        if now() > deadline:
            return
        command = COMMANDS[index % len(COMMANDS)]
        yield _once(folder, command, number, chance.uniform(0.0, LONGEST_S))


def _once(folder: Path, command: str, number: signal.Signals, after_s: float) -> Found:
    mark = f"attack-{os.getpid()}-{threading.get_native_id()}-{now()}"
    with (
        tempfile.TemporaryDirectory(dir=folder) as room,
        tempfile.TemporaryDirectory(dir=folder) as temporary,
    ):
        said = _run(command, number, after_s, Path(room), {"ECONNLAB_ATTACK": mark, "TMPDIR": temporary})
        processes = _left(mark)
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
        allowed = {"run.jsonl", "out.csv", "ledger.jsonl"}
        files = [each.name for each in Path(room).iterdir() if each.name not in allowed]
        files += [each.name for each in Path(temporary).iterdir()]
        lost = _torn(Path(room) / "run.jsonl") + _torn(Path(room) / "ledger.jsonl")
    wrong = has_trace(said)
    found = Found(1, int(wrong), len(processes), len(files), lost)
    if found.clean:
        return found
    what = f"{command} after {after_s:.2f} s: {found}, {files} {said[-300:] if wrong else ''}"
    return found + Found(examples=(what,))


def _run(command: str, number: signal.Signals, after_s: float, room: Path, more: dict[str, str]) -> str:
    with subprocess.Popen(
        [sys.executable, "-m", "econnlab", *command.split()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        cwd=room,
        env={**os.environ, **more},
        text=True,
    ) as process:
        try:
            said = process.communicate(timeout=after_s)[1]
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            said = process.communicate(timeout=60.0)[1]
    return said


def _left(mark: str) -> list[int]:
    """Processes that a command with this mark in its environment has left, after some time to end."""
    until = now() + SETTLES_S
    pause = threading.Event()
    while (found := _marked(mark)) and now() < until:
        pause.wait(0.05)
    return found


def _marked(mark: str) -> list[int]:
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                environment = (each / "environ").read_bytes()
            except OSError:
                continue
            if mark.encode() in environment:
                found.append(int(each.name))
    return found


def _torn(record: Path) -> int:
    """Lines of ``record``, but for a last one without its end, that do not read."""
    if not record.exists():
        return 0
    *lines, _ = record.read_text().split("\n")
    torn = 0
    for line in lines:
        try:
            json.loads(line)
        except ValueError:
            torn += 1
    return torn
