"""The server took longer to answer than the client waits."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import PacketFacts, gave_up
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

HELP = "the server had not answered when the client gave up"
COLUMN = 19
ADVICE = (
    "It answers later than its clients wait. Raise their timeout above its slowest answer, or find what "
    "makes it slow."
)


def explain(case: Case) -> Finding | None:
    """A timeout after the server had read the request; without its ledger, any timeout of a sent one."""
    attempt = case.attempt
    if attempt.outcome is not Outcome.TIMEOUT or attempt.sent is None:
        return None
    if case.packets is not None:
        return _from_packets(case.packets)
    waited = ms(attempt.ended - attempt.sent)
    if case.server is None:
        return likely(f"no answer came within {waited}, and nothing ended the connection")
    if case.reached is None:
        return _not_accepted(case, waited)
    return certain(f"server had read the request and not answered when the client gave up after {waited}")


def _not_accepted(case: Case, waited: str) -> Finding | None:
    """The server listened and did not accept, but not because of a limit of connections."""
    assert case.server is not None
    paused = case.around.first(Kind.ACCEPT_PAUSED, until=case.attempt.ended)
    accepted = case.server.first(Kind.ACCEPTED)
    if (
        paused is None
        or paused.reason is None
        or (accepted is not None and accepted.at <= case.attempt.ended)
    ):
        return None
    if case.around.first(Kind.ACCEPT_RESUMED, until=case.attempt.began) is not None:
        return None
    overflowed = case.sent_again is None and case.around.counters.get("ListenOverflows")
    finding = likely if overflowed else certain
    return finding(f"server listened and had not accepted this connection ({paused.reason}) after {waited}")


def _from_packets(facts: PacketFacts) -> Finding | None:
    if facts.sent is None or not facts.acknowledged or facts.kept_by is not None:
        return None
    if facts.client_ended is None:
        return likely("server has the request and had not answered when the capture ended")
    if not gave_up(facts):
        return None
    return likely(
        f"server's kernel had the request, and no answer came within "
        f"{ms(facts.client_ended - facts.sent)}; then the "
        f"client ended the connection with {facts.client_end}"
    )
