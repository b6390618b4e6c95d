"""Who may capture, and where: this network, a network of the run's own, or nowhere."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from enum import Enum

from econnlab.errors import EnvironmentProblem
from econnlab.lab.namespace import enter
from econnlab.packets.live.door import CannotCapture, open_door
from econnlab.scenario.model import Scenario
from econnlab.system.process import Process, start_python


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
    probe = Process("The lab's probe", lambda errors: start_python("econnlab.lab.capturing", errors))
    with contextlib.closing(probe):
        return probe.running.wait() == 0


def main() -> None:
    """End this process, with 0 if it can capture in a network of its own."""
    try:
        enter({})
        open_door().close()
    except EnvironmentProblem:
        sys.exit(1)
