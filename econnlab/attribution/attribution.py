"""The cause of a failed attempt: the rule that is sure, or else the one that fits, or else unknown."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import UNKNOWN, Certainty, Verdict, ms
from econnlab.discovery import parts
from econnlab.record.events import Kind


def attribute(case: Case) -> Verdict:
    """Ask every rule of causes/; rules rest on evidence alone, so at most one of them is certain."""
    findings = [
        (name, finding)
        for name, rule in parts("econnlab.attribution.causes").items()
        if (finding := rule.explain(case)) is not None
    ]
    findings.sort(key=lambda named: named[1].certainty is not Certainty.CERTAIN)
    if findings:
        name, finding = findings[0]
        told = "" if case.proxy_answer is None else f"; the proxy, which had sent it, {case.proxy_answer}"
        return Verdict(name, finding.certainty, finding.evidence + told)
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
