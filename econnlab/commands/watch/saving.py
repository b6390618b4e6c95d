"""``--save-failures``: the packets of each lost request in a file of its own."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from pathlib import Path

from econnlab.attribution.packets.findings import Finding
from econnlab.cli.console import say
from econnlab.cli.diagnosis import failure
from econnlab.errors import EnvironmentProblem
from econnlab.packets.frames import Frame
from econnlab.packets.live.history import History
from econnlab.packets.writing import PcapngWriter

#: Files that one watch writes.
_MOST = 1000
_NS = 1_000_000_000


class Saving:
    """Writes into ``folder``, which it makes. Raises EnvironmentProblem."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._written = 0
        self._left = 0
        self._failed = ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / ".econnlab").touch()
            (self._folder / ".econnlab").unlink()
        except OSError as error:
            raise EnvironmentProblem(
                f"{folder!r} cannot be written: {error.strerror}.", "Give another folder."
            ) from error

    def save(self, findings: Iterable[Finding], history: History) -> None:
        """A file for each of ``findings`` that cost a request. A full disk does not end the watch."""
        for finding in findings:
            if not finding.lost:
                continue
            if self._written >= _MOST or self._failed:
                self._left += 1
                continue
            try:
                self._write(finding, history.frames(finding.hops))
            except OSError as error:
                self._left += 1
                self._failed = error.strerror or str(error)

    def say(self) -> None:
        """How many there are."""
        say(f"{self._written} failures saved in {self._folder}")
        if self._left:
            why = f": {self._failed}" if self._failed else f": a watch writes at most {_MOST} files"
            say(f"note: {self._left} were not saved{why}")

    def _write(self, finding: Finding, frames: list[Frame]) -> None:
        self._written += 1
        verdict = f"econnlab: {' '.join(failure(finding, self._written).plain.split())}"
        with (self._folder / _name(finding, self._written)).open("wb") as stream:
            writer = PcapngWriter(stream, comment=verdict)
            interfaces: dict[int, int] = {}
            marked = _deciding(finding, frames)
            for number, frame in enumerate(frames):
                kind = frame.link_type
                if kind not in interfaces:
                    interfaces[kind] = writer.interface("watch", kind)
                comment = verdict if number == marked else ""
                writer.packet(interfaces[kind], frame.at_ns, frame.data, frame.length, comment)


def _deciding(finding: Finding, frames: list[Frame]) -> int:
    """Which packet the verdict is about: the one that ended the connection, or the first."""
    at = finding.ended.at if finding.ended is not None else finding.at
    near = [(abs(frame.at_ns / _NS - at), number) for number, frame in enumerate(frames)]
    return min(near)[1] if near else 0


def _name(finding: Finding, number: int) -> str:
    try:
        at = f"{datetime.datetime.fromtimestamp(finding.at):%Y%m%d-%H%M%S}"
    except (OverflowError, ValueError, OSError):
        at = "unknown"
    ends = re.sub(r"[^0-9A-Za-z.]+", "-", f"{finding.client}_{finding.culprit}")
    return f"{at}-{number:04}-{finding.verdict.cause}-{ends}.pcapng"
