"""One attribution, fed twice: what packets say of a run's failures, beside what its ledgers say."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from econnlab.attribution.explanations import Failure
from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.attribution.packets.findings import Finding
from econnlab.attribution.packets.observing import address_text
from econnlab.attribution.summary import summarize
from econnlab.packets.flows import Traffic
from econnlab.record.run import Run


@dataclass
class Agreement:
    """How many failures were named alike."""

    failures: int = 0
    agreed: int = 0
    #: Never connected, or ended between the client's look and its write: no request is in a capture.
    without_packets: int = 0
    #: ``ledgers: cause, packets: cause``.
    different: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Of the failures that put packets on the wire, those named alike; 1 where there are none."""
        judged = self.failures - self.without_packets
        return self.agreed / judged if judged else 1.0

    def add(self, other: Agreement) -> None:
        """Take in what another run gave."""
        self.failures += other.failures
        self.agreed += other.agreed
        self.without_packets += other.without_packets
        self.different += other.different


def agreement(run: Run, traffic: Traffic) -> Agreement:
    """Compare; a failure is found by its client's address, and by its time where a port came up twice."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in diagnose(traffic).findings:
        found[finding.client].append(finding)
    last_asked = _last_asked(traffic)
    score = Agreement()
    for failure in summarize(run).failures:
        score.failures += 1
        if not _on_the_wire(failure, last_asked, run):
            score.without_packets += 1
            continue
        named = _named(failure, found[failure.attempt.local], run)
        if named == failure.verdict.cause:
            score.agreed += 1
        else:
            score.different[f"ledgers: {failure.verdict.cause}, packets: {named}"] += 1
    return score


def _last_asked(traffic: Traffic) -> dict[str, float]:
    """When the last byte of a request was seen, by the client's address; 0 where none was."""
    return {
        address_text(each.client.address): 0.0
        if each.exchange is None
        else each.exchange.request_last_at / 1e9
        for each in traffic.conversations.values()
    }


def _on_the_wire(failure: Failure, last_asked: dict[str, float], run: Run) -> bool:
    """Not so of one that never connected, nor of one whose connection was gone when it wrote (EPIPE)."""
    attempt = failure.attempt
    if attempt.local is None:
        return False
    if attempt.sent is None or not attempt.reused:
        return True
    return last_asked.get(attempt.local, 0.0) >= (run.facts.epoch or 0.0) + attempt.sent - 0.001


def _named(failure: Failure, findings: list[Finding], run: Run) -> str:
    if not findings:
        return "nothing"
    attempt = failure.attempt
    at = (run.facts.epoch or 0.0) + (attempt.sent if attempt.sent is not None else attempt.began)
    return min(findings, key=lambda finding: abs(finding.at - at)).verdict.cause
