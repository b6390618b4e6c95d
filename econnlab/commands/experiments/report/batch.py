"""Several scenarios on a terminal: the catalogue, one with its story, and how each of a batch came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from econnlab.attribution.punctuality import HELD_UP_MS, worst_lateness_ms
from econnlab.attribution.summary import Summary
from econnlab.errors import EconnlabError
from econnlab.plaintext import harmless_lines
from econnlab.scenario.model import Scenario

_NAME_WIDTH = 26


def catalogue(
    scenarios: Sequence[Scenario], with_peers: Sequence[Scenario], for_clients: Sequence[Scenario] = ()
) -> RenderableType:
    """A line per scenario; those that need a real server or proxy, and those for any client, apart."""
    lines = [_entry(scenario) for scenario in scenarios]
    if with_peers:
        lines += [Text("\nwith a real server or proxy beside the lab's:", "dim"), *map(_entry, with_peers)]
    if for_clients:
        lines += [Text("\nthat end, for any client to survive (econnlab check):", "dim")]
        lines += map(_entry, for_clients)
    return Group(*lines)


def _entry(scenario: Scenario) -> Text:
    return Text.assemble((f"{scenario.name:<{_NAME_WIDTH}}", "bold"), f" {scenario.title}")


def scenario_page(scenario: Scenario, toml: str) -> RenderableType:
    """Its title, where it is met, and its file."""
    return Text.assemble(
        (f"{harmless_lines(scenario.name)}: {harmless_lines(scenario.title)}\n", "bold"),
        harmless_lines(scenario.story) + "\n",
        (toml, "cyan"),
    )


class Tally:
    """A line per scenario as it ends, and the sentence at the end."""

    def __init__(self, asked: int) -> None:
        self._asked = asked
        self._ended = 0
        self._held = 0
        self._unable = 0
        #: Some expectation did not hold.
        self.broken = 0

    def line(
        self,
        scenario: Scenario,
        summary: Summary | None,
        missed: list[str],
        error: EconnlabError | None,
        took_s: float,
    ) -> Text:
        """How ``scenario`` came out; ``missed`` are the expectations that did not hold."""
        self._ended += 1
        name = f"{harmless_lines(scenario.name):<{_NAME_WIDTH}}"
        if error is not None:
            self._unable += 1
            return Text.assemble((f"can't   {name}", "yellow"), f" {harmless_lines(str(error))}")
        assert summary is not None
        found = f" {_found(summary)}  ({took_s:.1f} s)"
        if summary.run.interrupted:
            return Text.assemble((f"stopped {name}", "yellow"), found)
        if missed:
            self.broken += 1
            broken = "".join(f"\n        {each}" for each in [*missed, *_held_up(summary)])
            return Text.assemble((f"BROKEN  {name}", "red"), found, broken)
        self._held += 1
        word = "holds  " if scenario.expect is not None else "ran    "
        return Text.assemble((f"{word} {name}", "green"), found)

    def conclusion(self) -> Text:
        """What came out of all of them."""
        parts = [f"{self._held} of {self._asked} as expected"]
        if self.broken:
            parts.append(f"{self.broken} not")
        if self._unable:
            parts.append(f"{self._unable} could not run here")
        if self._ended < self._asked:
            parts.append(f"{self._asked - self._ended} not begun")
        return Text(", ".join(parts), "bold")


def _held_up(summary: Summary) -> Iterator[str]:
    """That the expectations may be broken by this machine, and not by what was tried."""
    late_ms = worst_lateness_ms(summary.run)
    if late_ms >= HELD_UP_MS:
        yield f"the lab itself was up to {late_ms:.0f} ms late here: run it again, with less beside it"


def _found(summary: Summary) -> str:
    success = sum(row.success for row in summary.rows)
    failure = sum(row.failure for row in summary.rows)
    outcomes = Counter(each.attempt.outcome.value for each in summary.failures)
    causes = Counter(each.verdict.cause for each in summary.failures)
    told = f"{success} ok, {failure} failed"
    if summary.failures:
        told += f": {_counts(outcomes)}; {_counts(causes)}"
    done = summary.processed
    return told if done is None else f"{told}; carried out 0x {done.lost}, 1x {done.once}, 2x+ {done.more}"


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())
