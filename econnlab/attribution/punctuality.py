"""How late the lab was in a run: later than a scenario's margins, and the run shows something else."""

from collections.abc import Iterator

from econnlab.record.events import Kind, Party
from econnlab.record.run import Run
from econnlab.scenario.links import Delay

#: Scenarios that depend on a moment leave about 0.1 s on either side of it.
HELD_UP_MS = 50.0
_PASSED_ON = frozenset({Kind.BYTES, Kind.FIN, Kind.RST})


def worst_lateness_ms(run: Run) -> float:
    """The greatest lateness of its sends, its server's idle timers and its link, in ms; 0 if nothing was due.

    Lateness that the scenario asks for (a blocked client or server) does not count.
    """
    return max((1000 * late for late in _latenesses(run)), default=0.0)


def _latenesses(run: Run) -> Iterator[float]:
    scenario = run.scenario
    if not (scenario.client.blocked_ms or scenario.client.frozen_ms):
        for request in run.requests:
            yield from (late for each in request.attempts if (late := each.lateness_s) is not None)
    timers = scenario.server is not None and not scenario.server.busy_for_ms
    delays: dict[str, Delay] = {Party.CLIENT: scenario.link.to_server, Party.SERVER: scenario.link.to_client}
    for event in run.events:
        if event.kind == Kind.IDLE_TIMEOUT and event.due is not None and timers:
            yield event.at - event.due
        elif event.kind in _PASSED_ON and event.began is not None and event.side in delays:
            delay = delays[event.side]
            if not delay.jitter:  # a random delay is not in the ledger
                yield event.at - event.began - float(delay.median_ms) / 1000
