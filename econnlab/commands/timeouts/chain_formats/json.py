"""A judged chain of timeouts as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.commands.timeouts.chain import Chain, Hop
    from econnlab.commands.timeouts.judging import Judgement, Window

HELP = "the chain and its judgements as JSON"

#: Raised when a key changes its meaning or goes; commands/timeouts/chain.schema.json describes this one.
VERSION = 1


def render(judged: tuple[Chain, list[Judgement]]) -> str:
    """The document; keys as in commands/timeouts/chain.schema.json, times in ms."""

    from econnlab.commands.timeouts.judging import Safety
    from econnlab.commands.timeouts.table_formats.json import number

    chain, found = judged
    document = {
        "safe": all(each.safety is not Safety.UNSAFE for each in found),
        "margin_ms": number(chain.margin_ms),
        "rearranged": chain.rearranged,
        "hops": [_hop(hop) for hop in chain.hops],
        "pairs": [_judgement(each) for each in found],
    }
    return json_text(VERSION, document)


def _hop(hop: Hop) -> dict[str, Any]:
    from econnlab.commands.timeouts.table_formats.json import idle, number

    return {
        "label": hop.label,
        "name": hop.choice.product.name,
        "version": hop.choice.version or None,
        "kind": hop.kind.value,
        "closes_after_ms": idle(hop.closes_ms),
        "reuses_for_ms": idle(hop.reuses_ms),
        "given": [
            side for side, given in (("closes", hop.given_closes), ("reuses", hop.given_reuses)) if given
        ],
        "rtt_ms": number(hop.rtt_ms),
    }


def _judgement(each: Judgement) -> dict[str, Any]:
    from econnlab.commands.timeouts.table_formats.json import idle

    return {
        "from": each.asker.label,
        "to": each.closer.label,
        "verdict": each.safety.value,
        "reuses_for_ms": idle(each.limit.ms),
        "by_advertised": each.limit.hinted,
        "really_closes_after_ms": idle(each.closes_at_ms),
        "lost": None if each.window is None else _window(each.window),
        "reason": each.reason,
        "changes": list(each.changes),
    }


def _window(window: Window) -> dict[str, Any]:
    from econnlab.commands.timeouts.table_formats.json import idle, number

    return {"from_ms": number(window.from_ms), "until_ms": idle(window.until_ms)}
