"""A middlebox had forgotten the connection."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.packets.facts import FORGETFUL_S, SILENT_S, End, PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind, Party

HELP = "a middlebox or host had forgotten the idle connection: the next packet gets an RST, or no answer"
COLUMN = 8
ADVICE = (
    "Something between forgets idle connections: let clients close theirs well before {timeout}, or "
    "send TCP keep-alive probes more often than that."
)

#: Idle timers of what stands between, s: FIELD.md 2.2; IPVS: ip_vs_proto_tcp.c,
#: tcp_timeouts[IP_VS_TCP_S_ESTABLISHED].
_TIMERS = (
    (240, "Azure's load balancer"),
    (300, "many a firewall"),
    (350, "AWS's NAT gateway and network load balancer"),
    (600, "Google Cloud's firewall"),
    (900, "IPVS, as kube-proxy uses it,"),
    (3600, "many a firewall"),
)
#: The next request comes within this share behind the timer.
_BEYOND = 1.3


def explain(case: Case) -> Finding | None:
    """The link's ledger says that it discarded what the client sent."""
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if case.link is None or case.attempt.outcome not in LOST | {Outcome.TIMEOUT, Outcome.TRUNCATED}:
        return None
    expired = case.link.first(Kind.EXPIRED)
    discarded = case.link.first(Kind.DISCARDED, Party.CLIENT, case.attempt.sent)
    if expired is None or discarded is None or expired.idle_s is None:
        return None
    answer = "answered the next packet with RST" if discarded.how else "dropped the next packet silently"
    return certain(
        f"the middlebox had forgotten this connection after {ms(expired.idle_s)} idle and {answer}; "
        "neither side had closed it"
    )


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    attempt = case.attempt
    if attempt.first_byte is not None or facts.sent is None or facts.fin_acked:
        return None
    idle_s = facts.sent - facts.last_heard
    if idle_s < SILENT_S:
        return None  # nothing was idle
    if facts.other_machine and idle_s < FORGETFUL_S:
        return None  # middlebox_reset
    idle = f"{idle_s:.4g} s idle"
    if facts.kept_by is not None and facts.end is not End.FIN:
        answer = f"answered it with {facts.end}" if facts.end is not None else "said nothing"
        return likely(
            f"{facts.kept_by} took the request, after {idle}, passed nothing on and {answer}; the "
            "connection behind it had not been closed"
        )
    if facts.end is End.RST_NO_SOCKET and not facts.end_covers and not facts.acknowledged:
        return likely(
            f"after {idle} the request was answered with an RST of a host that knew no such connection, and "
            f"no FIN had come: {_who(facts)} had forgotten it{_known_timer(idle_s)}"
        )
    if facts.in_vain and not facts.acknowledged and facts.end in (None, End.RST_NO_SOCKET):
        return likely(
            f"after {idle} the request was sent {facts.sent_again + 1} times and never acknowledged: "
            "something between had forgotten the connection"
        )
    return None


def _who(facts: PacketFacts) -> str:
    if facts.ttls is not None:
        return f"something between (TTL {facts.ttls[1]}, the server's packets have {facts.ttls[0]})"
    return "something between, or the host itself,"


def _known_timer(idle_s: float) -> str:
    """Whose timer may have fired, if the idle time is just beyond a known one."""
    fitting = [each for each in _TIMERS if each[0] <= idle_s <= each[0] * _BEYOND]
    return "".join(f" ({name} forgets after {seconds} s)" for seconds, name in fitting[-1:])
