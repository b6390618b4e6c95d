"""``diagnose``: a capture read, judged and reported."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rich.console import RenderableType
from rich.text import Text

from econnlab.attribution.packets.diagnosis import Diagnosis, diagnose
from econnlab.attribution.packets.wanted import Wanted
from econnlab.cli import diagnosis as page
from econnlab.cli.console import LabConsole, say
from econnlab.cli.files import STDOUT
from econnlab.cli.interrupts import Interrupts, interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.pages import commands
from econnlab.cli.progress import progress, watched
from econnlab.commands.diagnose.next_steps import after_diagnosis
from econnlab.commands.diagnose.patience import patient
from econnlab.commands.diagnose.timeline import of_capture
from econnlab.errors import ExitCode, UsageProblem
from econnlab.packets.flows import Traffic, follow_blocks
from econnlab.packets.frames import Frame, MalformedCapture, Raw, frame_of
from econnlab.packets.reading import read_capture
from econnlab.plaintext import harmless


@dataclass(frozen=True)
class DiagnoseOptions:
    """What ``diagnose`` was asked for."""

    #: The file, or - for stdin.
    capture: str
    #: Show every failure, not only the worst.
    every: bool
    timeline: bool
    host: str | None
    port: int | None
    since: str | None
    until: str | None
    files: Files


def diagnose_capture(options: DiagnoseOptions) -> int:
    """Print and write what the capture says. Returns the exit code."""
    if options.timeline and options.capture == STDOUT:
        raise UsageProblem(
            "--timeline reads the capture twice, which stdin does not allow.", "Write it to a file first."
        )
    with Outputs(options.files, reads=[options.capture]) as outputs, interrupts() as stop:
        capture = _Capture(options.capture, stop)
        with progress("packets") as shown, watched(shown, capture.position):
            traffic = capture.follow()
            capture.stage = "judging"
            found = diagnose(traffic, _wanted(options, traffic), capture.stops_judging)
        try:
            _show(found, outputs.screen, capture, options)
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
        #: What the command does with it now, and packets read.
        self.stage = "reading"
        self._packets = 0
        #: Ctrl-C ended the reading: what was read is judged all the same.
        self._stopped_reading = False
        self._where = where
        self._stop = stop

    def follow(self) -> Traffic:
        """Its connections. Raises MalformedCapture where not a packet can be read."""
        return follow_blocks(self.blocks(), lambda: self._stop.happened and self._where != STDOUT)

    def stops_judging(self) -> bool:
        """The user has asked to stop since the judging began: what is judged by then is shown."""
        return self._stop.happened and not self._stopped_reading

    def position(self) -> tuple[int, str]:
        """Packets read, and the stage."""
        return self._packets, self.stage

    def frames(self) -> Iterator[Frame]:
        """Its packets."""
        return (frame_of(raw) for block in self.blocks() for raw in block)

    def blocks(self) -> Iterator[list[Raw]]:
        """Its packets, many at a time."""
        with open_capture(self._where) as stream:
            reader = read_capture(patient(stream, self._stop) if self._where == STDOUT else stream)
            self._packets = 0
            try:
                for block in reader.blocks():
                    self._packets += len(block)
                    yield block
                    # Ctrl-C in a pipeline stops tcpdump as well: what it still has comes before the end.
                    if self._stop.happened:
                        self._stopped_reading = True
                        if self._where != STDOUT:
                            return
            except MalformedCapture as damage:
                if not self._packets:
                    raise
                self.damage = damage.message
            self.cut_at = None if self._stop.happened else reader.cut_at
            self._stopped_reading = self._stop.happened


def _show(found: Diagnosis, screen: LabConsole, capture: _Capture, options: DiagnoseOptions) -> None:
    screen.text(page.headline(found, capture.name))
    screen.print(page.summary(found, screen))
    if (spoken := page.spoken(found)) is not None:
        screen.print(spoken, soft_wrap=True)
    for title, lines in (
        ("Failures" if options.every else "The worst", _failures(found, capture, options)),
        ("What to do", page.advice(found)),
        ("Not judged", page.unjudged(found)),
    ):
        shown: list[RenderableType] = list(lines)
        if shown:
            screen.print(Text(f"\n{title}", "bold"))
        for line in shown:
            screen.text(line)
    screen.print(Text(f"\n{page.conclusion(found)}", "bold"))
    for command in commands(after_diagnosis(found)):
        screen.print(command, soft_wrap=True)
    for remark in page.remarks(found, capture.cut_at, capture.damage, _filter_words(options)):
        say(f"note: {remark}")


def _failures(found: Diagnosis, capture: _Capture, options: DiagnoseOptions) -> Iterator[RenderableType]:
    if not options.timeline:
        yield from page.failures(found, every=options.every)
        return
    shown = found.findings if options.every else found.findings[: page.WORST]
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


def _filter_words(options: DiagnoseOptions) -> str:
    """``--host 10.0.0.7 --port 80``; empty without a filter."""
    chosen = {
        "--host": options.host,
        "--port": options.port,
        "--since": options.since,
        "--until": options.until,
    }
    return " ".join(f"{name} {harmless(str(value))}" for name, value in chosen.items() if value is not None)


# -- filters --------------------------------------------------------------------------------------


def _wanted(options: DiagnoseOptions, traffic: Traffic) -> Wanted:
    began = traffic.began / 1e9
    return Wanted(
        None if options.host is None else _host(options.host),
        options.port,
        None if options.since is None else _moment(options.since, began),
        None if options.until is None else _moment(options.until, began),
    )


def _host(text: str) -> bytes:
    try:
        return ipaddress.ip_address(text.strip("[]")).packed
    except ValueError as error:
        raise UsageProblem(
            f"{text!r} is not an IP address.", "Captures hold addresses, not names: give one as 10.0.0.7."
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
        f"{text!r} is not a time.", "Give one as 10:03:12.5, 2026-11-23T10:03:12, or seconds since the epoch."
    )
