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

from econnlab.cli.options import DIAGNOSES
from econnlab.cli.outputs import STDOUT, Outputs
from econnlab.cli.timeline import of_capture
from econnlab.errors import ExitCode, UsageProblem
from econnlab.explain.packets.diagnosis import Diagnosis, diagnose
from econnlab.explain.packets.wanted import Wanted
from econnlab.report import diagnosis as page
from econnlab.report.console import LabConsole, OutputClosed, console
from econnlab.wire.flows import Traffic, follow
from econnlab.wire.frames import Frame
from econnlab.wire.reading import read_capture


def diagnose_capture(where: str, values: dict[str, Any]) -> int:
    """Print and write what the capture ``where`` says. Returns the exit code."""
    if values["timeline"] and where == STDOUT:
        raise UsageProblem(
            "--timeline reads the capture twice, which stdin does not allow.", "Write it to a file first."
        )
    with Outputs(values, DIAGNOSES) as outputs:
        screen = console(stderr=outputs.on_stdout)
        traffic, cut_at = _read(where)
        found = diagnose(traffic, _wanted(values, traffic))
        try:
            _show(found, screen, where, cut_at, values)
        except OutputClosed:
            return ExitCode.PIPE_CLOSED
        finally:
            outputs.write(found)
    return ExitCode.OK


def _show(
    found: Diagnosis, screen: LabConsole, where: str, cut_at: int | None, values: dict[str, Any]
) -> None:
    screen.print(page.headline(found, "stdin" if where == STDOUT else where), soft_wrap=True)
    screen.print(page.summary(found, screen))
    for title, lines in (
        ("Failures" if values["every"] else "The worst", _failures(found, where, values)),
        ("What to do", page.advice(found)),
    ):
        shown: list[RenderableType] = list(lines)
        if shown:
            screen.print(Text(f"\n{title}", "bold"))
        for line in shown:
            screen.print(line, soft_wrap=True)
    screen.print(Text(f"\n{page.conclusion(found)}", "bold"))
    notes = console(stderr=True)
    for remark in page.remarks(found, cut_at):
        notes.print(f"note: {remark}", style="dim", soft_wrap=True)


def _failures(found: Diagnosis, where: str, values: dict[str, Any]) -> Iterator[RenderableType]:
    if not values["timeline"]:
        yield from page.failures(found, every=values["every"])
        return
    shown = found.findings if values["every"] else found.findings[: page.WORST]
    yield from of_capture(lambda: _frames(where), shown)


def _frames(where: str) -> Iterator[Frame]:
    with open_capture(where) as stream:
        yield from read_capture(stream)


def _read(where: str) -> tuple[Traffic, int | None]:
    with open_capture(where) as stream:
        reader = read_capture(stream)
        traffic = follow(reader)
        return traffic, reader.cut_at


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
