"""A probe as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.commands.probe.judging.conclusion import Conclusion
    from econnlab.commands.probe.judging.window import Edge, RaceWindow
    from econnlab.commands.probe.seen import Probed, ProbeVisit

HELP = "the whole answer, with every connection, as JSON"

#: Raised when a key changes its meaning or goes; commands/probe/schema.json describes this one.
VERSION = 1


def render(found: Conclusion) -> str:
    """The document; keys as in commands/probe/schema.json, times in ms."""
    import dataclasses

    from econnlab.commands.probe.judging.gaps import gaps_in

    probed, series, crowd, precision = (
        found.probed,
        found.probed.series,
        found.probed.crowd,
        found.probed.precision,
    )
    document = {
        "url": probed.url,
        "address": probed.address,
        "method": probed.method,
        "user_agent": probed.user_agent,
        "requests": probed.requests,
        "budget": probed.budget,
        "connections": probed.connections,
        "max_wait_ms": _ms(probed.max_wait_s),
        "took_ms": _ms(probed.took_s),
        "response": _response(probed),
        "tls": None if probed.security is None else dataclasses.asdict(probed.security),
        "advertised": {"timeout_ms": found.advertised_ms, "max_requests": found.advertised_max},
        "idle": _idle(found),
        "requests_per_connection": series
        and {
            "answered": series.requests,
            "tried": series.wanted,
            "announced": series.announced,
            "outcome": series.outcome,
        },
        "max_connections": crowd
        and {
            "held": crowd.held,
            "tried": crowd.wanted,
            "refused": [dataclasses.asdict(each) for each in crowd.refused],
        },
        "connect_ms": round(found.connect_ms, 3),
        "round_trip_ms": round(found.round_trip_ms, 3),
        "window": found.window and _window(found.window),
        "limit_ms": found.limit_ms,
        "settings": [dataclasses.asdict(each) for each in found.settings],
        "unknown": list(gaps_in(found)),
        "precision": precision
        and {
            "sends": precision.sends,
            "late_ms_median": _ms(precision.median_s),
            "late_ms_p99": _ms(precision.p99_s),
            "discarded": precision.discarded,
        },
        "visits": [_visit(visit) for visit in probed.visits],
        "failures": [outcome.value for outcome in probed.failures],
        "interrupted": probed.interrupted,
    }
    return json_text(VERSION, document)


def _response(probed: Probed) -> dict[str, Any]:
    head = probed.head
    return {
        "http_version": head.http_version,
        "status": head.status,
        "interim": list(head.interim),
        "keep_alive": head.keep_alive,
        "connection": head.connection,
        "server": head.server,
        "location": head.location,
        "framing": head.framing.name.lower(),
        "body_bytes": head.body_bytes,
        "persistent": head.persistent,
        "stray_line_break": any(visit.stray for visit in probed.visits),
    }


def _idle(found: Conclusion) -> dict[str, Any]:
    idle = found.idle
    return {
        "ends": found.ends.value,
        "closed_after_ms": idle
        and {
            "seen": idle.seen,
            "median": round(idle.median_ms, 3),
            "min": round(idle.low_ms, 3),
            "max": round(idle.high_ms, 3),
            "packets": dict(idle.packets),
            "said": dict(idle.said),
            "swept": idle.swept,
            "scan_period": _rounded(idle.scan_ms),
        },
        "later_than_advertised_ms": _rounded(found.later_ms),
        "earliest_close_ms": _rounded(found.earliest_ms),
        "answered_after_ms": round(found.survived_ms, 3),
        "silent_after_ms": _rounded(found.silent_ms),
        "silent_outcomes": {each.value: times for each, times in found.silent_outcomes.items()},
    }


def _window(window: RaceWindow) -> dict[str, Any]:
    return {
        "edge_5": _edge(window.first),
        "edge_50": _edge(window.middle),
        "edge_95": _edge(window.last),
        "visible_ms": _rounded(window.visible_ms),
        "width_ms": round(window.width_ms, 3),
        "trials": window.trials,
        "lost": window.lost,
        "lost_unseen": window.unseen,
        "outcomes": {each.value: times for each, times in window.outcomes.items()},
        "bands": [
            {
                "from_ms": round(band.from_ms, 3),
                "to_ms": round(band.to_ms, 3),
                "tried": band.tried,
                "lost": band.lost,
                "lost_unseen": band.unseen,
                "rate": round(band.rate, 4),
                "ci_low": round(band.interval95[0], 4),
                "ci_high": round(band.interval95[1], 4),
            }
            for band in window.bands
        ],
    }


def _edge(edge: Edge) -> dict[str, float]:
    return {"ms": round(edge.at_ms, 3), "low": round(edge.low_ms, 3), "high": round(edge.high_ms, 3)}


def _visit(visit: ProbeVisit) -> dict[str, Any]:
    closing = visit.closing
    return {
        "connect_ms": _ms(visit.connect_s),
        "answer_ms": _ms(visit.answer_s),
        "slack_ms": _ms(visit.slack_s),
        "closed_ms": None if closing is None else _ms(closing.idle_s),
        "closed_with": None if closing is None else closing.packet,
        "sent_ms": None if visit.idle_s is None else _ms(visit.idle_s),
        "late_ms": _ms(visit.late_s),
        "exact": visit.exact,
        "outcome": None if visit.outcome is None else visit.outcome.value,
        "errno": visit.errno,
        "status": visit.status,
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)
