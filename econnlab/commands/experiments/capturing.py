"""``--capture``: the packets of a run, kept in an unnamed file while it runs, then written with comments."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from econnlab.cli.console import say
from econnlab.cli.files import STDOUT, Output, open_output
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.lab.capturing import Capturing, Where, where_to_capture
from econnlab.scenario.model import Scenario

if TYPE_CHECKING:
    from rich.console import RenderableType

    from econnlab.attribution.summary import Summary
    from econnlab.packets.frames import Frame

#: The file in the advice if the user named none.
_UNNAMED = "run.pcap"
#: Prefixes of hosts on this machine.
_LOOPBACK = ("127.", "localhost", "::1")


class Capture:
    """The packets for ``--capture FILE`` and ``--timeline``. A context manager.

    While the run goes on they go into a file without a name, which needs no cleaning up, even after a crash.
    ``plan`` says what the run has to do.
    """

    def __init__(self, where: str | None, scenario: Scenario, *, drawn: bool = False) -> None:
        self.plan: Capturing | None = None
        self._file: IO[bytes] | None = None
        self._output: Output | None = None
        self._where = where
        if where is None and not drawn:
            return
        if where == STDOUT:
            raise UsageProblem(
                "A capture is binary and does not go to stdout.", "Give --capture a file, as run.pcapng."
            )
        if where is not None:
            self._output = open_output(where)
        place, why = where_to_capture(scenario)
        if place is Where.NOWHERE:
            _say_how(where or _UNNAMED, scenario, why)
            return
        if place is Where.PRIVATE and scenario.kernel is None:
            say(f"{why} The run uses a network namespace if it has that right.", "dim")
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - __exit__ closes it
        self.plan = Capturing(self._file.fileno(), place is Where.PRIVATE)

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._output is not None:
            self._output.discard()

    @property
    def private(self) -> bool:
        """The run has to enter a network namespace."""
        return self.plan is not None and self.plan.private

    @property
    def into(self) -> int | None:
        """The file descriptor for the packets."""
        return None if self.plan is None else self.plan.into

    def frames(self) -> Iterator[Frame]:
        """The packets of the finished run in order of time, without comments."""
        from econnlab.packets.order import in_order
        from econnlab.packets.reading import read_capture

        if self._file is None:
            return
        with os.fdopen(os.dup(self._file.fileno()), "rb") as stream:
            stream.seek(0)
            if stream.peek(1):  # a run that did not begin has no packets
                yield from in_order(read_capture(stream))

    def drawn(self, summary: Summary) -> Iterator[RenderableType]:
        """Failures of the run, drawn packet by packet."""
        from econnlab.commands.experiments.timeline import of_run

        if self._file is not None:
            yield from of_run(self.frames, summary)

    def write(self, summary: Summary) -> None:
        """Write FILE: the packets with the verdicts of ``summary`` as comments."""
        if self._file is None or self._output is None:
            return
        try:
            self._output.write_with(lambda stream: self._fill(stream, summary))
        except OSError as error:
            raise EnvironmentProblem(
                f"The capture {self._where!r} could not be written: {error.strerror}.",
                "The run itself went well.",
            ) from error

    def _fill(self, stream: BinaryIO, summary: Summary) -> None:
        from econnlab.commands.experiments.report.comments import commented
        from econnlab.packets.writing import PcapngWriter

        run = summary.run
        said = f"econnlab {run.facts.versions.get('econnlab', '')}: {run.scenario.name}"
        writer = PcapngWriter(stream, comment=said)
        interfaces: dict[int, int] = {}
        for frame in commented(self.frames(), summary):
            kind = frame.link_type
            number = interfaces.get(kind)
            if number is None:
                number = interfaces[kind] = writer.interface("", kind)
            writer.packet(number, frame.at_ns, frame.data, frame.length, frame.comment)


def _say_how(where: str, scenario: Scenario, why: str) -> None:
    """Print a tcpdump command. It names the port of a URL; the lab's own ports change with each run."""
    if scenario.kernel is not None:
        say(f"warning: {why} No other program sees those packets; run the command as root.", "yellow")
        return
    loopback, which = "lo0" if sys.platform == "darwin" else "lo", "tcp"
    interface = loopback
    if scenario.url is not None:
        parsed = urlsplit(scenario.url)
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        interface = loopback if (parsed.hostname or "").startswith(_LOOPBACK) else "any"
        which = f"'tcp port {port}'"
    command = f"sudo tcpdump -i {interface} -U -w {shlex.quote(where)} {which}"
    say(f"warning: {why} Capture in another terminal, for econnlab diagnose:", "yellow", command)
