"""What a probe does not know, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from econnlab.commands.probe.judging.conclusion import Conclusion, Ends
from econnlab.commands.probe.judging.search import FEWEST
from econnlab.commands.probe.judging.window import RaceWindow
from econnlab.commands.probe.seen import Probed

#: A silent end may stay uncertain by this much: twice what the passes of a probe narrow it down to.
_WIDE_S, _WIDE_SHARE = 0.01, 0.01
#: A loss this share before the window's first edge is reported separately, not as part of the window.
_EARLY_SHARE = 0.05


def gaps_in(found: Conclusion) -> Iterator[str]:
    """One line for each thing that the probe does not know."""
    probed, window = found.probed, found.window
    yield from _of_an_end(probed)
    if window is not None:
        yield from _of_the_window(probed, window)
    elif found.ends is Ends.CLOSED:
        yield "the race window: too few requests were sent around the close"
    if found.ends is Ends.UNKNOWN:
        yield "how idle connections end: none was watched to its end"
    if probed.failures:
        counts = ", ".join(f"{each.value} {times}" for each, times in Counter(probed.failures).most_common())
        yield f"why {len(probed.failures)} connections got no first response ({counts}): is the server full?"
    low_s, high_s = found.survived_ms / 1000, (found.silent_ms or 0.0) / 1000
    if high_s - low_s > max(_WIDE_S, _WIDE_SHARE * high_s):
        yield (
            f"when between {low_s:.4g} and {high_s:.4g} s idle connections die: too few requests were "
            "answered to narrow it down"
        )


def _of_an_end(probed: Probed) -> Iterator[str]:
    """What was not tried, because the probe ended early."""
    if probed.interrupted:
        yield "it was interrupted: what is not shown was not tried"
    if probed.throttled:
        yield "the server answered 429 (Too Many Requests), so nothing more was asked"
    if probed.out_of_budget:
        yield f"the budget of {probed.budget} requests was used up before all was tried (--budget)"
    if probed.out_of_bytes is not None:
        yield (
            f"the budget of {probed.out_of_bytes / 1e6:g} MB was used up before all was tried "
            "(--byte-budget; --method HEAD needs none)"
        )
    series, crowd = probed.series, probed.crowd
    if series is not None and series.unfinished:
        yield f"whether a connection takes more than {series.requests} requests: it was not tried"
    if crowd is not None and not crowd.refused and crowd.held < crowd.wanted:
        yield f"whether it takes more than {crowd.held} connections at a time: it was not tried"


def _of_the_window(probed: Probed, window: RaceWindow) -> Iterator[str]:
    if window.trials < FEWEST:
        yield f"the window's exact edges: they rest on {window.trials} trials of the {FEWEST} wanted"
    until_s = window.first.low_ms / 1000 * (1 - _EARLY_SHARE)
    lost = [v.idle_s + v.late_s for v in probed.visits if v.idle_s is not None and v.lost]
    early = [idle_s for idle_s in lost if idle_s < until_s]
    if early:  # one in thousands, on a busy machine
        yield (
            f"why {len(early)} of the requests before the window were lost, the first after "
            f"{min(early):.4g} s: a server that is delayed between checking for requests and checking its "
            "timers closes on one that came in time (gunicorn's threads do)"
        )
