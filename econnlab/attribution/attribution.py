"""The cause of a failed attempt: the first rule in order of precedence that fits, or else unknown."""

from econnlab.attribution.evidence import Case
from econnlab.attribution.order import rules
from econnlab.attribution.verdict import UNKNOWN, Certainty, Verdict, ms
from econnlab.record.events import Kind


def attribute(case: Case) -> Verdict:
    """Ask the rules of causes/ in the order of ``order.ORDER``."""
    for name, rule in rules():
        finding = rule.explain(case)
        if finding is not None:
            then = "" if case.proxy_answer is None else f"; the proxy, which had sent it, {case.proxy_answer}"
            return Verdict(name, finding.certainty, finding.evidence + then)
    return Verdict(UNKNOWN, Certainty.LIKELY, _what_is_known(case))


def _what_is_known(case: Case) -> str:
    attempt = case.attempt
    facts = [f"a {'reused' if attempt.reused else 'new'} connection"]
    if attempt.idle_s is not None:
        facts.append(f"idle for {ms(attempt.idle_s)}")
    facts.append(f"ended {ms(attempt.ended - (attempt.sent or attempt.began))} after the request")
    facts.append(
        f"after {attempt.bytes_read} bytes of the response" if attempt.bytes_read else "before any response"
    )
    if case.server_fin is not None:
        facts.append("by the server's FIN")
    elif case.server_rst is not None:
        facts.append("by an RST from the server")
    if case.server_close is not None:
        facts.append(f"the server closed it: {case.server_close.reason}")
    elif case.server is not None and case.server.first(Kind.ACCEPTED) is None:
        facts.append("the server never accepted it")
    return f"no rule fits: {', '.join(facts)}"
