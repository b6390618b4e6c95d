"""What to change, and to what: from the causes that were found and the times that were seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from econnlab.discovery import parts

if TYPE_CHECKING:
    from econnlab.attribution.packets.findings import Finding, ServerReport

#: A client lets go of an idle connection this share of the server's timeout earlier, at most a second.
_MARGIN, _WIDEST_MARGIN_S = 0.2, 1.0


@dataclass(frozen=True)
class Advice:
    """What to do about one cause at one server."""

    server: str
    cause: str
    failures: int
    text: str


def advise(servers: Iterable[ServerReport], findings: Sequence[Finding]) -> list[Advice]:
    """For each server and cause, the most frequent first; each rule of causes/ may hold an ADVICE."""
    rules = parts("econnlab.attribution.causes")
    idle = _idle_at_failure(findings)
    advice = []
    for server in servers:
        for cause, count in server.causes.most_common():
            text = getattr(rules.get(cause), "ADVICE", "")
            if text:
                seen = server.idle_timeout.median_s if server.idle_timeout is not None else None
                timeout = seen if seen is not None else idle.get((server.address, cause))
                advice.append(Advice(server.address, cause, count, text.format(**_figures(timeout))))
    return sorted(advice, key=lambda each: -each.failures)


def _idle_at_failure(findings: Sequence[Finding]) -> dict[tuple[str, str], float]:
    """The shortest idle time with which each server lost a request to each cause."""
    shortest: dict[tuple[str, str], float] = {}
    for finding in findings:
        if finding.attempt.idle_s is not None:
            key = finding.culprit, finding.verdict.cause
            shortest[key] = min(shortest.get(key, finding.attempt.idle_s), finding.attempt.idle_s)
    return shortest


def _figures(timeout: float | None) -> dict[str, str]:
    if timeout is None:
        return {"timeout": "its idle timeout", "limit": "less than that"}
    margin = min(_WIDEST_MARGIN_S, _MARGIN * timeout)
    return {"timeout": f"{timeout:.3g} s", "limit": f"at most {timeout - margin:.3g} s"}
