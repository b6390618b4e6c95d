"""One measured figure beside what was asked for, and ways to run the lab."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """What was measured, and the most (or the least) that was asked for."""

    what: str
    measured: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether it is what was asked for."""
        enough = self.at_least is None or self.measured >= self.at_least
        return enough and (self.at_most is None or self.measured <= self.at_most)

    def __str__(self) -> str:
        asked = ""
        if self.at_most is not None:
            asked = f"at most {self.at_most:g}{self.unit}"
        if self.at_least is not None:
            asked = f"at least {self.at_least:g}{self.unit}"
        verdict = f"  (asked: {asked}{'' if self.kept else '; MISSED'})" if asked else ""
        return f"{self.what:<66} {self.measured:>9.3f}{self.unit}{verdict}"


def machine() -> str:
    """What the figures were measured on."""
    return (
        f"{platform.system()} {platform.release()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.2f}"
    )


def econnlab(*arguments: str) -> tuple[dict[str, Any], float]:
    """What ``--json`` says of a run of the command, and the seconds it took as a process."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "econnlab", *arguments, "--json", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    took = time.monotonic() - began
    document: dict[str, Any] = json.loads(done.stdout)
    return document, took
