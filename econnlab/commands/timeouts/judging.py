"""Whether each hop of a chain lets go of an idle connection before the next one closes it. Pure.

A request that reuses a connection is lost when it leaves within one round trip before the server closes
(docs/architecture.md, The keep-alive race), so the client must stop reusing it that much earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import pairwise

from econnlab.advice.idle import OFF, UNLIMITED, last_second, next_second, said
from econnlab.advice.product import Advertises, Drops, Kind, setting
from econnlab.commands.timeouts.chain import Chain, Hop

_SHORT_MS = Decimal(10_000)
_USUAL_MS = Decimal(5_000)


class Safety(Enum):
    """How a pair of times fits."""

    SAFE = "safe"
    TIGHT = "tight"
    UNSAFE = "unsafe"


@dataclass(frozen=True)
class Limit:
    """How long a hop reuses a connection to the next one, in ms."""

    ms: Decimal
    hinted: bool = False  # by what the next one advertises


@dataclass(frozen=True)
class Window:
    """The idle times, in ms, after which a request is lost; ``until_ms`` may be infinite."""

    from_ms: Decimal
    until_ms: Decimal


@dataclass(frozen=True)
class Judgement:
    """One pair: who reuses connections, and who closes or forgets them."""

    asker: Hop
    closer: Hop
    safety: Safety
    limit: Limit
    closes_at_ms: Decimal  # when it really does at the earliest
    reason: str
    changes: tuple[str, ...] = ()  # any one of them is enough
    window: Window | None = None  # None: no request is lost


def judge(chain: Chain) -> list[Judgement]:
    """Each pair of ``chain``, the outermost first; a NAT is judged behind the pair it stands between."""
    found = []
    ends = [place for place, hop in enumerate(chain.hops) if hop.kind is not Kind.NAT]
    for first, second in pairwise(ends):
        between = chain.hops[first + 1 : second]
        asker, closer = chain.hops[first], chain.hops[second]
        rtt = sum((hop.rtt_ms for hop in chain.hops[first:second]), Decimal(0))
        found.append(_pair(asker, closer, rtt, chain.margin_ms))
        found += [_through(asker, nat, closer, rtt, chain.margin_ms) for nat in between]
    return found


def limit_of(asker: Hop, closer: Hop) -> Limit:
    """How long ``asker`` reuses connections to ``closer``, whose header it may follow."""
    assert asker.reuses_ms is not None
    assert closer.closes_ms is not None
    less, shown = asker.choice.release.honours_less_ms, closer.choice.release.advertises
    seen = shown is Advertises.YES or (shown is Advertises.ASKED and asker.choice.release.asks)
    if less is None or not seen or closer.closes_ms in (OFF, UNLIMITED) or asker.reuses_ms == OFF:
        return Limit(asker.reuses_ms)
    # The header has whole seconds.
    hint = max(OFF, last_second(closer.closes_ms) // 1000 * 1000 - less)
    if asker.choice.release.hint_replaces or hint < asker.reuses_ms:
        return Limit(hint, hinted=True)
    return Limit(asker.reuses_ms)


# -- a pair ---------------------------------------------------------------------------------------


def _pair(asker: Hop, closer: Hop, rtt: Decimal, margin: Decimal) -> Judgement:
    limit, at = limit_of(asker, closer), _closes_at(closer)
    if limit.ms == OFF:
        return _safe(asker, closer, limit, at, f"{asker.label} opens a new connection for each request.")
    if at == OFF:
        said_so = f"{closer.label} closes after each response and says so: nothing is reused."
        return _safe(asker, closer, limit, at, said_so)
    if at == UNLIMITED:
        return _safe(asker, closer, limit, at, f"{closer.label} never closes a connection for being idle.")
    facts = f"{_reuses(asker, limit)}; {_closes(closer)}"
    assert closer.closes_ms is not None
    if closer.closes_ms > limit.ms + rtt + margin:
        return _safe(asker, closer, limit, at, f"{facts}: {said(at - limit.ms)} in between.")
    changes = tuple(_changes(asker, closer, limit, rtt + margin))
    if at > limit.ms + rtt:
        near = _near(closer, limit, at, margin)
        return Judgement(asker, closer, Safety.TIGHT, limit, at, f"{facts}: {near}.", changes)
    window = _window(asker, closer, limit, at, rtt)
    return Judgement(
        asker, closer, Safety.UNSAFE, limit, at, f"{facts}. {_lost(window, closer)}", changes, window
    )


def _near(closer: Hop, limit: Limit, at: Decimal, margin: Decimal) -> str:
    """Why a pair is tight. A hidden second may go with the next version: it is no margin."""
    if closer.choice.release.later_ms and at > limit.ms + margin:
        return f"only the hidden {said(closer.choice.release.later_ms)} of {closer.label} lies between them"
    return f"the {said(at - limit.ms)} between them leave no margin of {said(margin)}"


def _safe(asker: Hop, closer: Hop, limit: Limit, at: Decimal, reason: str) -> Judgement:
    return Judgement(asker, closer, Safety.SAFE, limit, at, reason)


def _closes_at(hop: Hop) -> Decimal:
    """When ``hop`` really closes an idle connection, at the earliest."""
    assert hop.closes_ms is not None
    return hop.closes_ms if hop.closes_ms in (OFF, UNLIMITED) else hop.closes_ms + hop.choice.release.later_ms


def _reuses(asker: Hop, limit: Limit) -> str:
    if limit.ms == UNLIMITED:
        return f"{asker.label} reuses a connection however long it was idle"
    why = " (it follows what is advertised)" if limit.hinted else ""
    return f"{asker.label} reuses a connection that was idle for up to {said(limit.ms)}{why}"


def _closes(closer: Hop) -> str:
    release, at = closer.choice.release, said(_closes_at(closer))
    if release.later_ms:
        return f"{closer.label} closes it after {at} ({said(release.later_ms)} later than it is set to)"
    if release.scan_ms:
        return f"{closer.label} closes it after {at}, or up to {said(release.scan_ms)} later"
    return f"{closer.label} closes it after {at}"


def _window(asker: Hop, closer: Hop, limit: Limit, at: Decimal, rtt: Decimal) -> Window | None:
    """When a request is lost; None where the two times are one round trip apart to the dot."""
    last = at + closer.choice.release.scan_ms if asker.choice.release.looks else UNLIMITED
    window = Window(max(OFF, at - rtt), min(limit.ms, last))
    return window if window.from_ms < window.until_ms else None


def _lost(window: Window | None, closer: Hop) -> str:
    if window is None:
        return "They are one round trip apart: the least delay loses a request."
    if window.until_ms == UNLIMITED:
        return f"Every request sent later than {said(window.from_ms)} after the last response is lost."
    where = (
        f"A request sent between {said(window.from_ms)} and {said(window.until_ms)} after the last response"
    )
    if closer.choice.release.scan_ms:
        return f"{where} may be lost, by when the server looks."
    return f"{where} is lost: a window of {said(window.until_ms - window.from_ms)}."


def _changes(asker: Hop, closer: Hop, limit: Limit, free: Decimal) -> Iterator[str]:
    """What would make the pair safe; ``free`` ms must lie between the two times."""
    own = asker.choice.product
    if limit.hinted:
        yield from _despite_the_hint(asker, closer)
    elif limit.ms != UNLIMITED:
        needed = _enough(limit.ms, free)
        its = closer.choice.product
        if its.set_closes:
            yield f"{closer.label}: at least {said(needed)}, as {setting(its.set_closes, needed)}"
        elif its.instead:
            yield f"{closer.label}: {its.instead}"
    assert closer.closes_ms is not None
    most = last_second(closer.closes_ms - free - 1)
    if own.set_reuses and not (limit.hinted and asker.choice.release.hint_replaces):
        yield _at_most(asker, most)
    elif own.instead:
        yield f"{asker.label}: {own.instead}"


def _enough(limit_ms: Decimal, free: Decimal) -> Decimal:
    """What outlasts ``limit_ms``; beyond a few seconds by the usual five: 65 s behind 60 s."""
    least = next_second(limit_ms + free + 1)
    return least if limit_ms < _SHORT_MS else max(least, next_second(limit_ms + _USUAL_MS))


def _despite_the_hint(asker: Hop, closer: Hop) -> Iterator[str]:
    if asker.choice.release.hint_replaces:
        yield (
            f"{asker.label} keeps to the time that {closer.label} advertises, whatever it is: let it retry "
            f"what is safe to repeat, or let {closer.label} not advertise"
        )


def _at_most(asker: Hop, most: Decimal) -> str:
    product = asker.choice.product
    if most == OFF or most < product.finest_ms:
        return f"{asker.label}: no reuse at all, as Connection: close does; the time is too short for any"
    but = f"; but {product.lowered}" if product.lowered else ""
    return f"{asker.label}: at most {said(most)}, as {setting(product.set_reuses, most)}{but}"


# -- what passes packets on -----------------------------------------------------------------------

_FATE = {
    Drops.RST: "the next packet is answered with an RST",
    Drops.SILENTLY: "the next packet vanishes, and the request waits for its timeout",
    Drops.UNKNOWN: "the next request is lost",
}


def _through(asker: Hop, nat: Hop, closer: Hop, rtt: Decimal, margin: Decimal) -> Judgement:
    """Whether ``nat`` remembers a flow for as long as it may be idle and then used again."""
    assert nat.closes_ms is not None
    limit, forgets = limit_of(asker, closer), nat.closes_ms
    idle = _longest_idle(limit, closer)
    if idle == OFF:
        return _safe(asker, nat, limit, forgets, f"No connection through {nat.label} is used again.")
    facts = (
        f"A connection through {nat.label} can be idle for {_up_to(idle)} and used again; "
        f"{nat.label} forgets it after {said(forgets)}"
    )
    if forgets == UNLIMITED or forgets > idle + rtt + margin:
        return _safe(asker, nat, limit, forgets, f"{facts}.")
    changes = tuple(_changes_for_nat(asker, nat, idle, rtt + margin))
    if forgets > idle + rtt:
        reason = f"{facts}: within the margin of {said(margin)}."
        return Judgement(asker, nat, Safety.TIGHT, limit, forgets, reason, changes)
    fate = _FATE[nat.choice.release.drops]
    reason = f"{facts} without telling either end: {fate}."
    window = Window(max(OFF, forgets - rtt), max(idle, forgets))
    return Judgement(asker, nat, Safety.UNSAFE, limit, forgets, reason, changes, window)


def _longest_idle(limit: Limit, closer: Hop) -> Decimal:
    """The longest time for which a connection is idle and then used: either end may let go before."""
    at = _closes_at(closer)
    return min(limit.ms, at if at in (OFF, UNLIMITED) else at + closer.choice.release.scan_ms)


def _up_to(idle: Decimal) -> str:
    return "any time" if idle == UNLIMITED else f"up to {said(idle)}"


def _changes_for_nat(asker: Hop, nat: Hop, idle: Decimal, free: Decimal) -> Iterator[str]:
    assert nat.closes_ms is not None
    own, its = asker.choice.product, nat.choice.product
    if own.set_reuses and not asker.choice.release.hint_replaces:
        yield _at_most(asker, last_second(nat.closes_ms - free - 1))
    elif own.instead:
        yield f"{asker.label}: {own.instead}"
    if its.set_closes and idle != UNLIMITED:
        needed = next_second(idle + free + 1)
        yield f"{nat.label}: at least {said(needed)}, as {setting(its.set_closes, needed)}"
    yield f"TCP keepalive probes on {asker.label}'s connections, more often than every {said(nat.closes_ms)}"
