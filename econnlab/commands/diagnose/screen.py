"""``diagnose``: a capture read, judged and reported."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import RenderableType
from rich.text import Text

from econnlab.attribution.packets.diagnosis import Diagnosis, diagnose
from econnlab.attribution.packets.wanted import Wanted
from econnlab.cli.console import LabConsole, OutputClosed, console
from econnlab.cli.interrupts import Interrupts, interrupts
from econnlab.cli.options import DIAGNOSES
from econnlab.cli.outputs import STDOUT, Outputs
from econnlab.commands.diagnose import report as page
from econnlab.commands.diagnose.timeline import of_capture
from econnlab.errors import ExitCode, UsageProblem
from econnlab.packets.flows import Traffic, follow
from econnlab.packets.frames import Frame, MalformedCapture
from econnlab.packets.reading import read_capture


def diagnose_capture(where: str, values: dict[str, Any]) -> int:
    """Print and write what the capture ``where`` says. Returns the exit code."""
    if values["timeline"] and where == STDOUT:
        raise UsageProblem(
            "--timeline reads the capture twice, which stdin does not allow.", "Write it to a file first."
        )
    with Outputs(values, DIAGNOSES) as outputs, interrupts() as stop:
        screen = console(stderr=outputs.on_stdout)
        capture = _Capture(where, stop)
        traffic = capture.follow()
        found = diagnose(traffic, _wanted(values, traffic))
        try:
            _show(found, screen, capture, values)
        except OutputClosed:
            return ExitCode.PIPE_CLOSED
        finally:
            outputs.write(found)
    return ExitCode.INTERRUPTED if stop.happened else ExitCode.OK


class _Capture:
    """The file ``where``, or stdin: read to its end, to where it is damaged, or until told to stop."""

    def __init__(self, where: str, stop: Interrupts) -> None:
        self.name = "stdin" if where == STDOUT else where
        #: Where it breaks off in the middle of a packet.
        self.cut_at: int | None = None
        #: What is wrong with it behind the packets that could be read.
        self.damage = ""
        self._where = where
        self._stop = stop

    def follow(self) -> Traffic:
        """Its connections. Raises MalformedCapture where not a packet can be read."""
        return follow(self.frames())

    def frames(self) -> Iterator[Frame]:
        """Its packets."""
        with open_capture(self._where) as stream:
            reader = read_capture(stream)
            read = 0
            try:
                for read, frame in enumerate(reader, 1):  # noqa: B007 - whether there was one is asked below
                    yield frame
                    # Ctrl-C in a pipeline stops tcpdump as well: what it still has comes before the end.
                    if self._stop.happened and self._where != STDOUT:
                        return
            except MalformedCapture as damage:
                if not read:
                    raise
                self.damage = damage.message
            self.cut_at = reader.cut_at


def _show(found: Diagnosis, screen: LabConsole, capture: _Capture, values: dict[str, Any]) -> None:
    screen.print(page.headline(found, capture.name), soft_wrap=True)
    screen.print(page.summary(found, screen))
    for title, lines in (
        ("Failures" if values["every"] else "The worst", _failures(found, capture, values)),
        ("What to do", page.advice(found)),
    ):
        shown: list[RenderableType] = list(lines)
        if shown:
            screen.print(Text(f"\n{title}", "bold"))
        for line in shown:
            screen.print(line, soft_wrap=True)
    screen.print(Text(f"\n{page.conclusion(found)}", "bold"))
    notes = console(stderr=True)
    for remark in page.remarks(found, capture.cut_at, capture.damage):
        notes.print(f"note: {remark}", style="dim", soft_wrap=True)


def _failures(found: Diagnosis, capture: _Capture, values: dict[str, Any]) -> Iterator[RenderableType]:
    if not values["timeline"]:
        yield from page.failures(found, every=values["every"])
        return
    shown = found.findings if values["every"] else found.findings[: page.WORST]
    yield from of_capture(capture.frames, shown)


@contextlib.contextmanager
def open_capture(where: str) -> Iterator[BinaryIO]:
    """The file ``where``, or stdin for -. Raises UsageProblem."""
    if where == STDOUT:
        yield sys.stdin.buffer
        return
    try:
        with Path(where).open("rb") as stream:
            yield stream
    except OSError as error:
        raise UsageProblem(
            f"{where!r} cannot be read: {error.strerror}.",
            "Give a capture, as `tcpdump -i any -s 0 -w FILE tcp` writes it.",
        ) from error


# -- filters --------------------------------------------------------------------------------------


def _wanted(values: dict[str, Any], traffic: Traffic) -> Wanted:
    began = traffic.began / 1e9
    return Wanted(
        _host(values["host"]) if values["host"] is not None else None,
        values["port"],
        _moment(values["since"], began) if values["since"] is not None else None,
        _moment(values["until"], began) if values["until"] is not None else None,
    )


def _host(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text.strip("[]")).packed
    except ValueError as error:
        raise UsageProblem(
            f"{text!r} is no IP address.", "Captures hold addresses, not names: give one as 10.0.0.7."
        ) from error


def _moment(text: str, began: float) -> float:
    """Seconds since the epoch, of a time of the capture's first day or a whole date; local time."""
    with contextlib.suppress(ValueError):
        return float(text)
    with contextlib.suppress(ValueError, OverflowError, OSError):
        day = datetime.datetime.fromtimestamp(began).date()
        return datetime.datetime.combine(day, datetime.time.fromisoformat(text)).timestamp()
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return datetime.datetime.fromisoformat(text).timestamp()
    raise UsageProblem(
        f"{text!r} is no time.", "Give one as 10:03:12.5, 2026-11-23T10:03:12, or seconds since the epoch."
    )
