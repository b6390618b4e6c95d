"""Several scenarios on a terminal: the catalogue, one with its story, and how each of a batch came out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from econnlab.commands.experiments.outcomes import ScenarioResult, Status
from econnlab.plaintext import harmless_lines
from econnlab.scenario.model import Scenario

_NAME_WIDTH = 26
_WORDS = {
    Status.HOLDS: ("holds   ", "green"),
    Status.RAN: ("ran     ", "green"),
    Status.BROKEN: ("BROKEN  ", "red"),
    Status.STOPPED: ("stopped ", "yellow"),
    Status.UNABLE: ("can't   ", "yellow"),
}


def catalogue(
    scenarios: Sequence[Scenario], with_peers: Sequence[Scenario], for_clients: Sequence[Scenario] = ()
) -> RenderableType:
    """A line per scenario, in three groups."""
    lines = [_entry(scenario) for scenario in scenarios]
    if with_peers:
        lines += [Text("\nwith a real server or proxy beside the lab's:", "dim"), *map(_entry, with_peers)]
    if for_clients:
        lines += [Text("\nthat end, so that a client can survive them (econnlab check):", "dim")]
        lines += map(_entry, for_clients)
    return Group(*lines)


def _entry(scenario: Scenario) -> Text:
    return Text.assemble((f"{scenario.name:<{_NAME_WIDTH}}", "bold"), f" {scenario.title}")


def scenario_page(scenario: Scenario, toml: str) -> RenderableType:
    """Its title, its story, and its file."""
    return Text.assemble(
        (f"{harmless_lines(scenario.name)}: {harmless_lines(scenario.title)}\n", "bold"),
        harmless_lines(scenario.story) + "\n",
        (toml, "cyan"),
    )


def result_line(result: ScenarioResult) -> Text:
    """How a scenario came out, with the expectations that do not hold below."""
    word, style = _WORDS[result.status]
    name = (f"{word}{harmless_lines(result.scenario.name):<{_NAME_WIDTH}}", style)
    if result.status is Status.UNABLE:
        return Text.assemble(name, f" {harmless_lines(result.why)}")
    below = [*result.missed, *([result.held_up] if result.held_up else [])]
    missed = "".join(f"\n        {each}" for each in below)
    return Text.assemble(name, f" {result.figures}  ({result.took_s:.1f} s){missed}")
