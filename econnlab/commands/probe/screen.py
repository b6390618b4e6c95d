"""``probe``: a server probed, judged and reported."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from econnlab.cli.console import say
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.commands.probe import report
from econnlab.commands.probe.judging.conclusion import conclude
from econnlab.commands.probe.probe import Probe
from econnlab.commands.probe.spec import ProbeSpec
from econnlab.errors import ExitCode
from econnlab.system.clock import now

#: How often the line is written anew.
_TICK_S = 0.25


def probe_server(spec: ProbeSpec, files: Files) -> int:
    """Probe the server of ``spec``. Returns the exit code."""
    with Outputs(files) as outputs, interrupts() as stop:
        with _stages() as progress:
            probe = Probe(spec, progress)
            stop.stops(probe.stop)
            say(
                report.announcement(
                    spec.url, spec.method, spec.budget, spec.connections, spec.max_connections
                )
            )
            found = conclude(probe.run())
        try:
            screen = outputs.screen
            screen.print(report.page(found, screen))
        finally:
            outputs.write(found)
    return ExitCode.INTERRUPTED if stop.happened else ExitCode.OK


@contextlib.contextmanager
def _stages() -> Iterator[Callable[[str, int], None]]:
    """A line on stderr that says what the probe is doing, if stderr is a terminal."""
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
