"""Damaged records, scenarios, captures and texts, read by the commands that read such files."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic as now

from econnlab.cli.main import run
from tests.attack.found import Found, has_trace
from tests.fuzz.bases import BASES

EXPLAINED = b"Error: read ECONNRESET at TLSWrap.onStreamRead\n" * 3
SCENARIO = b'title = "x"\n[server]\nkeepalive_timeout = "1s"\n[plan]\nrequests = 1\nintervals = "5..9:1"\n'


def damaged(folder: Path, count: int, deadline: float) -> Iterator[Found]:
    """``count`` files with damage, one command each."""
    chance = random.Random(17)
    record = folder / "whole.jsonl"
    _ran(["keepalive", "--interval", "5", "--requests", "3", "--save", str(record)])
    texts = {"report": record.read_bytes(), "explain": EXPLAINED, "run": SCENARIO}
    for number in range(count):
        if now() > deadline:
            return
        command = ("report", "diagnose", "explain", "run")[number % 4]
        whole = chance.choice(BASES) if command == "diagnose" else texts[command]
        file = folder / ("broken.toml" if command == "run" else "broken")
        file.write_bytes(_damage(chance, bytes(whole)))
        words = [command, str(file)]
        if command == "explain":
            words = [command, "--", file.read_text("latin-1")]
        code, said = _ran([*words, "--dry-run"] if command == "run" else words)
        if has_trace(said) or code not in (0, 1, 2, 3):
            yield Found(1, 1, examples=(f"{' '.join(words[:1])} {number}: {said[-200:]!r}",))
        else:
            yield Found(1)


def _damage(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                del changed[at:]
            case 1:
                changed[at:at] = chance.randbytes(chance.randint(1, 30))
            case 2:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case _:
                changed[at:at] = changed[: chance.randint(1, 200)]
    return bytes(changed)


def _ran(words: list[str]) -> tuple[int, str]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(words)
    return int(code), said.getvalue()
