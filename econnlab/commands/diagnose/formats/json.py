"""A diagnosis as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from econnlab.cli.writing import json_text

if TYPE_CHECKING:
    from econnlab.attribution.packets.advice import Advice
    from econnlab.attribution.packets.diagnosis import Diagnosis
    from econnlab.attribution.packets.findings import Finding, ServerReport

HELP = "servers, failures and advice as JSON"

#: Raised when a key changes its meaning or goes; commands/diagnose/schema.json describes this one.
VERSION = 1


def render(diagnosis: Diagnosis) -> str:
    """The document; keys as in commands/diagnose/schema.json, times in ISO 8601 (UTC) and ms."""
    document = {
        "packets": diagnosis.frames,
        "packets_without_tcp": diagnosis.others,
        "packets_cut_short": diagnosis.shortened,
        "gaps": diagnosis.gaps,
        "began": moment(diagnosis.began),
        "ended": moment(diagnosis.ended),
        "connections": diagnosis.connections,
        "tls_connections": diagnosis.tls,
        "one_way_connections": diagnosis.one_way,
        "causes": dict(diagnosis.causes.most_common()),
        "servers": [_server(server) for server in diagnosis.servers],
        "failures": [finding_of(finding) for finding in diagnosis.findings],
        "advice": [_advice(advice) for advice in diagnosis.advice],
        "protocols": dict(diagnosis.protocols.most_common()),
        "not_judged": {reason.name.lower(): count for reason, count in diagnosis.unjudged.most_common()},
        "packets_not_read": dict(diagnosis.unread.most_common()),
        "packets_doubled": diagnosis.doubled,
    }
    return json_text(VERSION, document)


def finding_of(finding: Finding) -> dict[str, Any]:
    """One failure, keys as in the schema."""
    attempt, ended = finding.attempt, finding.ended
    return {
        "time": moment(finding.at),
        "connection": finding.connection,
        "client": finding.client,
        "server": finding.server,
        "behind_proxy": finding.decided_on[1] if finding.decided_on is not None else None,
        "request": finding.request,
        "tls": finding.tls,
        "cause": finding.verdict.cause,
        "certainty": finding.verdict.certainty.value,
        "evidence": finding.verdict.evidence,
        "outcome": attempt.outcome.value,
        "status": attempt.status,
        "lost": finding.lost,
        "reused": attempt.reused,
        "idle_ms": None if attempt.idle_s is None else _ms(attempt.idle_s),
        "ended_by": ended.by if ended is not None else None,
        "ended_with": ended.packet if ended is not None else None,
    }


def _advice(advice: Advice) -> dict[str, Any]:
    rests_on = [
        {"packet": each.packet, "time": moment(each.at), "client": each.client} for each in advice.rests_on
    ]
    return {
        "server": advice.server,
        "cause": advice.cause,
        "failures": advice.failures,
        "text": advice.text,
        "rests_on": rests_on,
    }


def _server(server: ServerReport) -> dict[str, Any]:
    timeout = server.idle_timeout
    return {
        "address": server.address,
        "connections": server.connections,
        "requests": server.requests,
        "lost": server.lost,
        "share_lost": round(server.share_lost, 6),
        "resets": server.resets,
        "idle_timeout_ms": None
        if timeout is None
        else {
            "seen": timeout.seen,
            "median": _ms(timeout.median_s),
            "p5": _ms(timeout.low_s),
            "p95": _ms(timeout.high_s),
            "constant": timeout.constant,
        },
        "longest_idle_survived_ms": _ms(server.survived_s),
        "causes": dict(server.causes.most_common()),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def moment(at: float) -> str:
    """``2026-11-23T10:03:12.345678Z``; an impossible time, of a damaged file, as the epoch."""
    import datetime

    try:
        when = datetime.datetime.fromtimestamp(at, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        when = datetime.datetime.fromtimestamp(0, datetime.UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
