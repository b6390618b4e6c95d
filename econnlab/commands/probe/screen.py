"""``probe``: a server probed, judged and reported."""

from __future__ import annotations

from econnlab.cli.console import say
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.progress import progress
from econnlab.commands.probe import report
from econnlab.commands.probe.judging.conclusion import conclude
from econnlab.commands.probe.probe import Probe
from econnlab.commands.probe.spec import ProbeSpec
from econnlab.errors import ExitCode


def probe_server(spec: ProbeSpec, files: Files) -> int:
    """Probe the server of ``spec``. Returns the exit code."""
    with Outputs(files) as outputs, interrupts() as stop:
        with progress() as shown:
            probe = Probe(spec, lambda stage, requests: shown.reached(requests, stage))
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
