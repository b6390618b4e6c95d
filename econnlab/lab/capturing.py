"""Where this user may capture packets: in this network, in a network of the run's own, or nowhere."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from econnlab.errors import EnvironmentProblem
from econnlab.lab.children import Child
from econnlab.lab.namespace import enter
from econnlab.packets.live.door import CannotCapture, open_door
from econnlab.packets.live.settings import CaptureSettings
from econnlab.packets.order import in_order
from econnlab.packets.reading import read_capture
from econnlab.packets.writing import PcapngWriter
from econnlab.scenario.model import Scenario
from econnlab.system.process import Process, start_python


class Where(Enum):
    """Where packets can be captured."""

    HERE = "here"
    #: In a network of its own, which the run enters first.
    PRIVATE = "private"
    NOWHERE = "nowhere"


@dataclass(frozen=True)
class Capturing:
    """How a run captures its packets."""

    #: The descriptor of the file for them.
    into: int
    #: The run enters a network of its own first.
    private: bool


def where_to_capture(scenario: Scenario) -> tuple[Where, str]:
    """The place that changes the run least, and why none that changes it less."""
    why = ""
    if scenario.kernel is None:  # otherwise it enters a network of its own anyway
        try:
            open_door().close()
            return Where.HERE, why
        except CannotCapture as problem:
            why = problem.message
    # With kernel settings a worker enters it, without them this process may: see enter().
    movable = scenario.kernel is not None or len(os.listdir("/proc/self/task")) == 1
    if sys.platform == "linux" and scenario.url is None and movable and _private_works():
        return Where.PRIVATE, why
    return Where.NOWHERE, why or "Packets cannot be captured in the network that this scenario enters."


def start_capture(ports: tuple[int, ...], into: int, local: str) -> Child:
    """Capture every packet from and to ``ports`` into the file of the descriptor ``into``.

    Raises CannotCapture, ProcessDied.
    """
    settings = CaptureSettings(ports=ports, into=into, local=local)
    capture = Child("econnlab.packets.live", open_door(), settings, part="capture", beside=[into])
    try:
        capture.wait_until_listening()
    except BaseException:
        capture.stop()
        raise
    return capture


def ensure_capture() -> None:
    """Raise CannotCapture if this user may not capture in this network."""
    open_door().close()


def write_in_order(packets: BinaryIO, stream: BinaryIO) -> None:
    """Write what a capture's process has left in ``packets`` to ``stream``, in order of time."""
    writer = PcapngWriter(stream)
    interfaces: dict[int, int] = {}
    for frame in in_order(read_capture(packets)):
        if frame.link_type not in interfaces:
            interfaces[frame.link_type] = writer.interface("", frame.link_type)
        writer.packet(interfaces[frame.link_type], frame.at_ns, frame.data, frame.length)


def _private_works() -> bool:
    """Try it in another process, because a failed attempt may leave its process half moved."""
    probe = Process("The lab's probe", lambda errors: start_python("econnlab.lab.capturing", errors))
    with contextlib.closing(probe):
        return probe.running.wait() == 0


def main() -> None:
    """Exit with 0 if this process can capture in a network of its own."""
    try:
        enter({})
        open_door().close()
    except EnvironmentProblem:
        sys.exit(1)
