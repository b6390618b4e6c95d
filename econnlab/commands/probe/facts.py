"""What a server says and does, in lines with a label each."""

from __future__ import annotations

from collections.abc import Iterator

from econnlab.commands.probe.judging.conclusion import Conclusion, Ends, IdleTime
from econnlab.commands.probe.seen import Crowd, Framing, NotServed, Series
from econnlab.commands.probe.units import duration, millis
from econnlab.plaintext import harmless
from econnlab.record.attempts import Outcome

#: So many characters of a server's text are shown.
LONGEST = 120
_REDIRECTS = range(300, 400)
#: A hundred such bodies are a load for a server.
_HEAVY = 100_000
#: Idle times within this of each other, or within this share of the median, come from one precise timer.
_CONSTANT_MS, _CONSTANT_SHARE = 20.0, 0.02
#: Keep-Alive has whole seconds, so rounding explains any smaller difference.
_WHOLE_SECOND_MS = 980.0


def fact_lines(found: Conclusion) -> Iterator[tuple[str, str]]:
    """Each fact with its label."""
    probed, head = found.probed, found.probed.head
    yield "says", _says(found)
    for text in _does(found):
        yield "does", text
    if probed.series is not None and head.persistent:
        yield "requests", _series(probed.series, found.advertised_max)
    if probed.crowd is not None:
        yield "connections", _crowd(probed.crowd)
    if probed.visits:
        to_connect, to_answer = millis(found.connect_ms), millis(found.round_trip_ms)
        yield "round trip", f"{to_connect} to connect, {to_answer} to the first byte of an answer"
    yield "response", _response(found)
    if probed.security is not None:
        yield "tls", _security(found)


def _says(found: Conclusion) -> str:
    head = found.probed.head
    said = [
        f"{name}: {harmless(value[:LONGEST])}"
        for name, value in (("Keep-Alive", head.keep_alive), ("Connection", head.connection))
        if value is not None
    ]
    if said:
        return "; ".join(said)
    kept = "HTTP/1.1 keeps a connection unless told otherwise" if head.persistent else "it is not kept"
    return f"nothing about how long it keeps a connection ({kept})"


def _does(found: Conclusion) -> Iterator[str]:
    probed, idle = found.probed, found.idle
    if found.ends is Ends.NOT_KEPT:
        yield _not_kept(found)
    elif idle is not None:
        yield _closes(found, idle)
        yield from _remarks(found, idle)
    elif found.ends is Ends.SILENT and found.silent_ms is not None:
        how = ", ".join(f"{each.value} {times}" for each, times in found.silent_outcomes.most_common())
        answered = f"after {duration(found.survived_ms)} of silence a request was answered, "
        yield (
            f"lets idle connections die without a packet: {answered if found.survived_ms else ''}"
            f"after {duration(found.silent_ms)} it was lost ({how})"
        )
    elif found.ends is Ends.KEPT:
        yield f"keeps an idle connection for {probed.max_wait_s:g} s (--max-wait) and longer"
    else:
        yield "was not watched for long enough"
    if any(visit.stray for visit in probed.visits):
        yield (
            "sends a line break behind its responses: a client that checks before it writes (urllib3) takes "
            "the connection for closed and never reuses it (RFC 9112 section 9.2 lets a client ignore it)"
        )


def _not_kept(found: Conclusion) -> str:
    head, closing = found.probed.head, found.probed.closing
    if head.framing is Framing.UNTIL_CLOSE:
        why = "the response has no length: it ends where the connection does"
    elif head.http_version == "1.0":
        why = "HTTP/1.0"
    else:
        why = "as announced"
    if closing is not None:
        return f"closes behind each response, with {closing.packet or closing.said} ({why})"
    left_open = (
        "" if head.framing is Framing.UNTIL_CLOSE else ", but leaves it open for half a second or longer"
    )
    return f"takes no second request on a connection ({why}){left_open}"


def _uneven(idle: IdleTime) -> bool:
    """Its idle times differ by more than one precise timer explains."""
    return idle.high_ms - idle.low_ms > max(_CONSTANT_MS, _CONSTANT_SHARE * idle.median_ms)


def _closes(found: Conclusion, idle: IdleTime) -> str:
    packets = " or ".join(f"{packet} ({times})" for packet, times in idle.packets.most_common())
    packets = next(iter(idle.packets)) if len(idle.packets) == 1 else packets
    said = harmless("".join(f", after {word}" for word in idle.said))
    spread = f"{duration(idle.low_ms)} to {duration(idle.high_ms)}"
    with_ = f", with {packets or 'no packet'}{said}"
    if found.ends is Ends.AT_ONCE:
        return f"closes right behind its response{with_} (median of {idle.seen}: {spread})"
    median = duration(idle.median_ms)
    if _uneven(idle):
        earliest = duration(found.earliest_ms or idle.low_ms)
        return (
            f"closes idle connections after {earliest} at the earliest{with_} "
            f"(median of {idle.seen}: {median}; {spread})"
        )
    return f"closes an idle connection after {median}{with_} (median of {idle.seen}: {spread})"


def _remarks(found: Conclusion, idle: IdleTime) -> Iterator[str]:
    yield from _later(found)
    if idle.scan_ms is not None:
        yield (
            f"it looks for idle connections every {duration(idle.scan_ms)}, so it closes up to that much "
            "after their time"
        )
    elif idle.swept:
        yield "it closes all at the same moment: it looks for idle ones periodically, so the true time varies"
    elif found.ends is Ends.CLOSED and _uneven(idle):
        yield f"its timer has steps of {duration(idle.high_ms - idle.low_ms)}, or the server is busy"


def _later(found: Conclusion) -> Iterator[str]:
    later = found.later_ms
    if later is None:
        return
    if later < 0:
        yield f"that is {duration(-later)} EARLIER than it says: a client that believes it loses requests"
    elif later < _WHOLE_SECOND_MS:
        yield f"that is {duration(later)} later than it says; the header has whole seconds only"
    else:
        yield f"that is {duration(later)} later than it says: a hidden buffer (Node since PR #54863: 1 s)"


def _series(series: Series, advertised: int | None) -> str:
    said = f"; it says max={advertised}" if advertised is not None else ""
    if series.announced:
        return f"{series.requests} on a connection, the last with Connection: close{said}"
    if series.outcome is not None:
        return f"{series.requests} on a connection, then {series.outcome.value} without a warning{said}"
    return f"{series.requests} on a connection and more (no more were tried){said}"


def _crowd(crowd: Crowd) -> str:
    if not crowd.refused:
        return f"{crowd.held} at a time and more (no more were tried)"
    return f"{crowd.held} at a time; one more is {' or '.join(sorted(set(map(_refusal, crowd.refused))))}"


def _refusal(refused: NotServed) -> str:
    outcome = refused.outcome
    if refused.status is not None:
        return f"answered {refused.status}"
    if outcome is Outcome.TIMEOUT:
        return "queued without an answer" if refused.connected else "neither accepted nor refused"
    if not refused.connected:
        return "refused" if outcome is Outcome.REFUSED else f"not accepted ({outcome.value})"
    packet = {Outcome.CLOSED: "FIN", Outcome.RESET: "RST", Outcome.BROKEN_PIPE: "RST"}.get(outcome)
    return f"closed with {packet} once accepted" if packet else f"accepted, then {outcome.value}"


def _response(found: Conclusion) -> str:
    head = found.probed.head
    text = f"{head.body_bytes} bytes, {head.framing.value}"
    if head.body_bytes > _HEAVY and found.probed.method == "GET":
        text += " each time (--method HEAD is gentler)"
    if head.interim:
        text += f", after {', '.join(map(str, head.interim))}"
    if head.location is not None and head.status in _REDIRECTS:
        where = harmless(head.location[:LONGEST])
        text += f"; it points to {where}, which the probe does not follow: probe that URL instead"
    return text


def _security(found: Conclusion) -> str:
    security = found.probed.security
    assert security is not None
    text = f"{security.version}, {security.cipher}, ALPN {security.protocol or 'not used'}"
    if security.complaint:
        text += f"; certificate NOT trusted ({harmless(security.complaint)}), continued because of --insecure"
    return text
