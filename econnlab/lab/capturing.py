"""Who may capture, and where: this network, a network of the run's own, or nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import econnlab
from econnlab.errors import EnvironmentProblem
from econnlab.lab.namespace import enter
from econnlab.packets.live.door import CannotCapture, open_door
from econnlab.scenario.model import Scenario

_ROOT = str(Path(econnlab.__file__).parent.parent)


class Where(Enum):
    """Where packets can be captured."""

    HERE = "here"
    #: In a network of the run's own, which is entered before it begins.
    PRIVATE = "private"
    NOWHERE = "nowhere"


@dataclass(frozen=True)
class Capturing:
    """What a run is to do about its packets."""

    #: The descriptor of a file that takes them.
    into: int
    #: It is to enter a network of its own first.
    private: bool


def where_to_capture(scenario: Scenario) -> tuple[Where, str]:
    """The place nearest to what would run without a capture, and why not a nearer one."""
    why = ""
    if scenario.kernel is None:  # else it enters a network of its own in any case
        try:
            open_door().close()
            return Where.HERE, why
        except CannotCapture as problem:
            why = problem.message
    # A scenario with kernel settings enters it in a worker, others may do so right here: see enter().
    movable = scenario.kernel is not None or len(os.listdir("/proc/self/task")) == 1
    if sys.platform == "linux" and scenario.url is None and movable and _private_works():
        return Where.PRIVATE, why
    return Where.NOWHERE, why or "Packets cannot be captured in the network that this scenario enters."


def _private_works() -> bool:
    """Try it in a process that ends at once: a failed attempt may leave its process half moved."""
    code = f"import sys; sys.path.append({_ROOT!r}); from econnlab.lab.capturing import probe; probe()"
    words, quiet = [sys.executable, "-P", "-c", code], subprocess.DEVNULL
    return subprocess.run(words, stdin=quiet, stdout=quiet, stderr=quiet).returncode == 0


def probe() -> None:
    """End this process, with 0 if it can capture in a network of its own."""
    try:
        enter({})
        open_door().close()
    except EnvironmentProblem:
        sys.exit(1)
