"""The server had as many connections as it allows, and would not serve one more."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.packets.facts import FEWEST_TURNED_AWAY, PacketFacts, left_in_queue, turned_away
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import ConnectionEvent, Kind

HELP = "the server had reached its limit of connections"
#: What packets alone can say.
HELP_FROM_PACKETS = "the server turned new connections away while others stood, as at a limit of connections"
COLUMN = 13
ADVICE = (
    "It turns connections away: raise its limit, let idle ones go sooner, or have clients share fewer "
    "connections. A retry at once meets the same."
)

SERVICE_UNAVAILABLE = 503
_MANNERS = {
    "close": "accepted this one and closed it at once",
    "reset": "accepted this one and reset it at once",
    "503": "answered this one with 503",
}


def explain(case: Case) -> Finding | None:
    """Dropped by the server's own word, left in its queue, or refused while other connections are served."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if case.server is None:
        return _from_client(case)
    dropped = case.server.first(Kind.DROPPED)
    if dropped is not None and (case.unanswered or case.attempt.outcome is Outcome.HTTP_ERROR):
        return certain(f"server was full and {_MANNERS.get(dropped.reason or '', 'turned this one away')}")
    return _left_in_queue(case)


def _left_in_queue(case: Case) -> Finding | None:
    assert case.server is not None
    attempt = case.attempt
    accepted = case.server.first(Kind.ACCEPTED)
    if attempt.outcome is not Outcome.TIMEOUT or (accepted is not None and accepted.at < attempt.ended):
        return None
    if case.sent_again:
        return None  # the kernel has not acknowledged the request: the connection is not in the queue
    if not any(_paused_at(case.around.events, at) for at in (attempt.began, attempt.ended)):
        return None
    waited = attempt.ended - (attempt.sent or attempt.began)
    return certain(f"server was full and left this connection unaccepted in its queue for {ms(waited)}")


def _paused_at(events: tuple[ConnectionEvent, ...], at: float) -> bool:
    paused = False
    for event in events:
        if event.at > at:
            break
        if event.kind == Kind.ACCEPT_PAUSED and event.reason is None:
            paused = True
        elif event.kind == Kind.ACCEPT_RESUMED:
            paused = False
    return paused


def _from_client(case: Case) -> Finding | None:
    beside = case.around.open_connections
    if case.attempt.reused or not beside:
        return None
    others = f"{beside} other connection{'s' if beside > 1 else ''} of this run stood open"
    if case.unanswered:
        return likely(f"{others} when the server ended this new one before a byte of a response")
    if case.attempt.status == SERVICE_UNAVAILABLE:
        return likely(f"{others} when the server answered this new one with 503")
    return None


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    attempt = case.attempt
    if facts.refusal:
        return certain(f"server refused the connection in its own words: {facts.refusal}")
    if attempt.reused or facts.tls_server:
        return None
    others = f"{facts.beside} other connection{'s' if facts.beside != 1 else ''} to this server stood"
    if attempt.status == SERVICE_UNAVAILABLE and facts.beside and facts.turned_away >= FEWEST_TURNED_AWAY:
        return likely(f"{others} when it answered this new one with 503, as it did {_more(facts)}")
    if case.unanswered and not facts.synack_again and turned_away(facts):
        return likely(
            f"{others} when it accepted this new one and ended it with {facts.end} at once, without a byte"
            f"{', as it did ' + _more(facts) if facts.turned_away > 1 else ''}"
        )
    if attempt.outcome is Outcome.TIMEOUT and left_in_queue(facts):
        assert facts.elsewhere_s is not None and facts.sent is not None
        return likely(
            f"{others}, answered in {ms(facts.elsewhere_s)}, while this new one got no answer for "
            f"{ms((facts.client_ended or facts.sent) - facts.sent)} and no later one did: left in the "
            "accept queue"
        )
    return None


def _more(facts: PacketFacts) -> str:
    count = facts.turned_away - 1
    return f"{count} other{'s' if count != 1 else ''}"
