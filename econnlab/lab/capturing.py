"""Who may capture, and where: this network, a network of the run's own, or nowhere."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import Enum

from econnlab.errors import EconnlabError
from econnlab.scenario.model import Scenario
from econnlab.wire.live.door import CannotCapture, open_door


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
    if scenario.url is None and _private_works():
        return Where.PRIVATE, why
    return Where.NOWHERE, why or "Packets cannot be captured in the network that this scenario enters."


def _private_works() -> bool:
    """Try it in a process that ends at once: a failed attempt may leave its process half moved."""
    if sys.platform != "linux" or len(os.listdir("/proc/self/task")) != 1:
        return False
    child = os.fork()
    if child == 0:
        code = 1
        try:
            from econnlab.lab.namespace import enter

            enter({})
            open_door().close()
            code = 0
        except (EconnlabError, OSError):
            pass
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return status == 0
