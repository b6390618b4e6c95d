"""A packet was not translated back, so that the client did not know it and reset its own connection."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain, likely

HELP = (
    "NAT left a packet untranslated (conntrack found it INVALID), and the client's kernel answered with RST"
)
#: Found in captures alone: the lab's own runs have no such failure.
OF_CAPTURES = True
ADVICE = (
    "Drop INVALID packets in front of the NAT rules, or set net.netfilter.nf_conntrack_tcp_be_liberal=1 "
    "on the nodes (kubernetes.io, 2019-03-29)."
)


def explain(case: Case) -> Finding | None:
    """A packet of the connection from an address it does not have, answered with RST; or that RST alone."""
    facts = case.packets
    if facts is None:
        return None
    if facts.stranger:
        return certain(
            f"the client got a packet of this connection from {facts.stranger} in place of "
            f"{facts.server}, which NAT had not translated back (conntrack INVALID), and answered it with RST"
        )
    if facts.client_forgot and facts.cut and not facts.other_machine:
        return likely(
            f"after {facts.received} bytes of the response an RST without ACK came from the client's kernel, "
            "which had not closed the connection: it did not know the packet that it answers, as if NAT had "
            "not translated one back (conntrack INVALID)"
        )
    return None
