"""The summary of a log as one JSON document; keys as in commands/explain/log.schema.json."""

from __future__ import annotations

import json
from typing import Any

from econnlab.commands.explain.log.idle import Finding
from econnlab.commands.explain.log.report import next_commands
from econnlab.commands.explain.log.tally import Group, Tally
from econnlab.plaintext import harmless

VERSION = 1
_MOST_TARGETS = 50


def render(tally: Tally, name: str) -> str:
    """The document."""
    document = {
        "version": VERSION,
        "log": harmless(name),
        "format": tally.format,
        "lines": tally.lines,
        "entries": tally.entries,
        "other_lines": tally.other_shape,
        "failures": tally.failures,
        "interrupted": tally.interrupted,
        "problem": tally.problem or None,
        "hours": dict(sorted(tally.hours.items())),
        "groups": [_group(group) for group in tally.ordered],
        "lost": tally.lost,
        "lost_with_idle_time": tally.timed,
        "idle": [_finding(finding) for finding in tally.idle],
        "next": next_commands(tally),
    }
    return json.dumps(document, indent=2) + "\n"


def _group(group: Group) -> dict[str, Any]:
    answer = group.answer
    return {
        "word": answer.slug,
        "title": answer.word.title,
        "product": answer.product,
        "causes": list(answer.causes),
        "count": group.count,
        "first": group.first or None,
        "last": group.last or None,
        "hours": dict(sorted(group.hours.items())),
        "targets": {harmless(each): count for each, count in group.targets.most_common(_MOST_TARGETS)},
        "examples": group.examples,
        "do": list(answer.do),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "target": harmless(finding.target) or None,
        "lost": finding.lost,
        "within": finding.within,
        "from_s": finding.from_s,
        "until_s": finding.until_s,
        "asked": finding.asked,
        "timeout_s": finding.timeout_s,
        "products": list(finding.products),
    }
