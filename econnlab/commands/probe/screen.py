"""``probe``: a server probed, judged and reported."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from econnlab.cli.console import OutputClosed, console
from econnlab.cli.interrupts import interrupts
from econnlab.cli.options import PROBES
from econnlab.cli.outputs import Outputs
from econnlab.commands.probe import report
from econnlab.commands.probe.judging.conclusion import conclude
from econnlab.commands.probe.probe import Probe
from econnlab.commands.probe.spec import ProbeSpec
from econnlab.errors import ExitCode
from econnlab.system.clock import now

#: How often the stage is shown anew.
_TICK_S = 0.25


def probe_server(url: str, values: dict[str, Any]) -> int:
    """Probe ``url`` as the options in ``values`` say. Returns the exit code."""
    spec = ProbeSpec(
        url,
        values["method"].upper(),
        values["max_wait"],
        values["timeout"],
        values["connections"],
        values["budget"],
        values["requests_per_connection"],
        values["max_connections"],
        values["insecure"],
    )
    with Outputs(values, PROBES) as outputs, interrupts() as stop:
        screen, notes = console(stderr=outputs.on_stdout), console(stderr=True)
        with _stages() as progress:
            probe = Probe(spec, progress)
            stop.stops(probe.stop)
            said = report.announcement(
                spec.url, spec.method, spec.budget, spec.connections, spec.max_connections
            )
            with contextlib.suppress(OutputClosed, OSError):
                notes.print(said, style="dim", soft_wrap=True)
            found = conclude(probe.run())
        try:
            screen.print(report.page(found, screen))
        except OutputClosed:
            return ExitCode.PIPE_CLOSED
        finally:
            outputs.write(found)
    return ExitCode.INTERRUPTED if stop.happened else ExitCode.OK


@contextlib.contextmanager
def _stages() -> Iterator[Callable[[str, int], None]]:
    """A line on stderr that says what is being done, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda stage, requests: None
        return
    began = shown = now()

    def show(stage: str, requests: int) -> None:
        nonlocal shown
        if now() - shown < _TICK_S:
            return
        shown = now()
        sys.stderr.write(f"\r\x1b[K{shown - began:5.1f} s  {stage}, {requests} requests")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
