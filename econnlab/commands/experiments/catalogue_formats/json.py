"""The scenarios as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.scenario.model import Scenario

HELP = "the scenarios with their stories as JSON"

#: Raised when a key changes its meaning or goes; catalogue.schema.json describes this one.
VERSION = 1


def render(groups: Mapping[str, Sequence[Scenario]]) -> str:
    """The document; keys as in commands/experiments/catalogue.schema.json."""
    entries = [_entry(group, each) for group, scenarios in groups.items() for each in scenarios]
    return json_text(VERSION, {"scenarios": entries})


def _entry(group: str, scenario: Scenario) -> dict[str, Any]:
    from econnlab.scenario.codec import encode

    return {
        "scenario": scenario.name,
        "group": group,
        "title": scenario.title,
        "story": scenario.story.strip(),
        "definition": encode(scenario),
    }
