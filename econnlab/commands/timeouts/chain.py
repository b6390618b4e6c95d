"""A chain of products between a client and the application, as a user describes it. Pure.

The outermost stands first. On a command line a hop is ``NAME[=IDLE][/IDLE]``: how long it keeps idle
connections of its clients, and behind the slash how long it reuses its own to the next hop.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from econnlab.advice.idle import parse_idle
from econnlab.advice.product import Choice, Kind, choose, splits
from econnlab.errors import UsageProblem
from econnlab.plaintext import harmless
from econnlab.scenario.codec import decode
from econnlab.scenario.durations import parse_duration

#: A round trip inside a data centre.
RTT_MS = Decimal(1)
#: Half of the second that Node's agent and .NET keep free themselves: for timers that start at different
#: moments, busy event loops and whole-second clocks.
MARGIN_MS = Decimal(500)
_HOP = re.compile(r"(?P<name>[^=/]+)(=(?P<clients>[^/]*))?(/(?P<upstreams>.*))?", re.DOTALL)
_SPELLING = "A hop is NAME, NAME=IDLE or NAME=IDLE/IDLE: nginx=75s/60s, the first towards its clients."
_ORDER = list(Kind)


@dataclass(frozen=True)
class Hop:
    """One product in its place. Times are in ms; None is what is not known, or does not exist."""

    label: str
    choice: Choice
    closes_ms: Decimal | None  # towards its clients, as it is set
    reuses_ms: Decimal | None  # towards its upstream
    given_closes: bool = False  # by the user, not by default
    given_reuses: bool = False
    rtt_ms: Decimal = RTT_MS  # to the next hop

    @property
    def guessed(self) -> bool:
        """Whether it depends on a version that nobody named."""
        behaviours = {
            (
                None if self.given_closes else release.closes,
                None if self.given_reuses else release.reuses,
                *(release.later_ms, release.scan_ms, release.advertises),
                *(release.honours_less_ms, release.hint_replaces),
            )
            for release in self.choice.product.releases
        }
        return not self.choice.version and len(behaviours) > 1

    @property
    def ambiguous(self) -> bool:
        """Whether the version named covers releases that differ: node20 is 20.17 as well."""
        return bool(self.choice.version) and splits(self.choice)

    @property
    def kind(self) -> Kind:
        """Where its product stands."""
        return self.choice.product.kind


@dataclass(frozen=True)
class Chain:
    """The hops, the outermost first, and what is kept free between two times."""

    hops: tuple[Hop, ...]
    margin_ms: Decimal = MARGIN_MS
    rearranged: bool = False  # the order given was impossible: it was read by kind

    @property
    def spelled(self) -> str:
        """``alb -> nginx -> node20``."""
        return " -> ".join(hop.label for hop in self.hops)


# -- from a command line --------------------------------------------------------------------------


def parse_chain(words: Sequence[str], rtt: str = "", margin: str = "") -> Chain:
    """The chain of ``words``, each a hop; ``rtt`` is one for all, or one for each pair, separated by commas.

    Where the order is impossible (a server before another hop, a client behind one) they are put in that of
    their kinds: client, NAT, balancer, proxy, server. Raises UsageProblem.
    """
    hops = [_hop(word) for word in words]
    arranged = hops if _possible(hops) else sorted(hops, key=lambda hop: _ORDER.index(hop.kind))
    chain = Chain(tuple(_with_round_trips(arranged, rtt)), rearranged=arranged != hops)
    return _checked(replace(chain, margin_ms=parse_duration(margin)) if margin else chain)


def _hop(word: str) -> Hop:
    match = _HOP.fullmatch(word.strip())
    if match is None or "=" in (match["upstreams"] or ""):
        raise UsageProblem(f"{word!r} is no hop.", _SPELLING)
    hop = hop_of(match["name"], match["name"].strip())
    try:
        if match["clients"]:
            hop = with_bare(hop, parse_idle(match["clients"]))
        if match["upstreams"] is not None:
            hop = with_upstreams(hop, parse_idle(match["upstreams"]))
        elif match["clients"] == "":
            raise UsageProblem("nothing stands behind the =.", _SPELLING)
    except UsageProblem as problem:
        raise UsageProblem(f"{word}: {problem.message}", problem.hint) from problem
    return hop


def _with_round_trips(hops: Sequence[Hop], rtt: str) -> list[Hop]:
    if not rtt:
        return list(hops)
    given = [parse_duration(part) for part in rtt.split(",")]
    pairs = max(1, len(hops) - 1)
    if len(given) not in (1, pairs):
        raise UsageProblem(
            f"{len(given)} round trips for {pairs} pairs of hops.", "Give one for all, or one for each pair."
        )
    times = given if len(given) == pairs else given * pairs
    return [replace(hop, rtt_ms=time) for hop, time in zip(hops, [*times, RTT_MS], strict=False)]


# -- from a file ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _HopFile:
    name: str
    label: str = ""
    idle: str = ""  # as behind the = on a command line
    clients: str = ""
    upstreams: str = ""
    rtt: str = ""


@dataclass(frozen=True)
class _ChainFile:
    hop: tuple[_HopFile, ...]
    rtt: str = ""
    margin: str = ""


def read_chain(text: str, where: str) -> Chain:
    """The chain in ``text``, the content of the TOML file ``where``; its order is kept.

    Raises UsageProblem naming the file, the key and what was expected there.
    """
    try:
        file = decode(_ChainFile, _texts(tomllib.loads(text)))
        rtt = parse_duration(file.rtt) if file.rtt else RTT_MS
        hops = tuple(_from_file(hop, f"hop[{number}]", rtt) for number, hop in enumerate(file.hop))
        return _checked(Chain(hops, parse_duration(file.margin) if file.margin else MARGIN_MS))
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
    except UsageProblem as problem:
        raise UsageProblem(f"{where}: {problem.message}", problem.hint) from problem


def _texts(value: Any) -> Any:
    """``value`` with numbers as text: a bare number of a duration is milliseconds."""
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _from_file(file: _HopFile, where: str, rtt: Decimal) -> Hop:
    try:
        hop = hop_of(file.name, file.label or file.name)
        if file.idle:
            hop = with_bare(hop, parse_idle(file.idle))
        if file.clients:
            hop = with_clients(hop, parse_idle(file.clients))
        if file.upstreams:
            hop = with_upstreams(hop, parse_idle(file.upstreams))
        return replace(hop, rtt_ms=parse_duration(file.rtt) if file.rtt else rtt)
    except UsageProblem as problem:
        raise UsageProblem(f"{where}: {problem.message}", problem.hint) from problem


# -- what a time given means ----------------------------------------------------------------------


def hop_of(name: str, label: str) -> Hop:
    """The product called ``name`` with its defaults."""
    choice = choose(name)
    return Hop(harmless(label), choice, choice.release.closes, choice.release.reuses)


def with_bare(hop: Hop, idle: Decimal) -> Hop:
    """``hop`` with a time that names no side.

    A client's is towards its upstream, what has one setting takes it for both, all else towards its clients.
    """
    product = hop.choice.product
    if product.one_setting:
        return with_upstreams(with_clients(hop, idle), idle)
    if hop.kind is Kind.CLIENT or (hop.closes_ms is None and not product.set_closes):
        return with_upstreams(hop, idle)
    return with_clients(hop, idle)


def with_clients(hop: Hop, idle: Decimal) -> Hop:
    """``hop`` closing its clients' connections after ``idle`` ms. Raises UsageProblem for a client."""
    if hop.kind is Kind.CLIENT:
        raise UsageProblem(
            "a client has no clients.", f"Write {hop.label}=IDLE, how long it reuses a connection."
        )
    return replace(hop, closes_ms=idle, given_closes=True)


def with_upstreams(hop: Hop, idle: Decimal) -> Hop:
    """``hop`` reusing connections to its upstream for ``idle`` ms. Raises UsageProblem where it has none."""
    if hop.kind is Kind.SERVER:
        raise UsageProblem(
            "a server has no upstream here.", "A client inside it begins a chain of its own: httpx uvicorn."
        )
    if hop.kind is Kind.NAT:
        raise UsageProblem(
            "it passes packets on and has one time only.", f"Write {hop.choice.product.name}=IDLE."
        )
    return replace(hop, reuses_ms=idle, given_reuses=True)


# -- what cannot be -------------------------------------------------------------------------------


def _possible(hops: Sequence[Hop]) -> bool:
    return not any(hop.kind is Kind.SERVER for hop in hops[:-1]) and not any(
        hop.kind is Kind.CLIENT for hop in hops[1:]
    )


def _checked(chain: Chain) -> Chain:
    """``chain``, if each hop can stand where it stands and every time given is of use."""
    hops = chain.hops
    if len(hops) < 2:
        raise UsageProblem(
            "A chain has at least two hops.", "Name who asks and who answers: alb=60s node20=5s."
        )
    for place, hop in enumerate(hops):
        first, last = place == 0, place == len(hops) - 1
        if hop.kind is Kind.CLIENT and not first:
            raise UsageProblem(
                f"{hop.label} is a client and can only stand first.", "The outermost is first."
            )
        if hop.kind is Kind.SERVER and not last:
            raise UsageProblem(
                f"{hop.label} is a server and can only stand last.",
                "A client inside it begins a chain of its own: httpx uvicorn.",
            )
        if hop.kind is Kind.NAT and (first or last):
            raise UsageProblem(f"{hop.label} passes packets on: it stands between two others.", _SPELLING)
        _check_sides(hop, first=first, last=last)
    return chain


def _check_sides(hop: Hop, *, first: bool, last: bool) -> None:
    both = hop.choice.product.one_setting
    if first and hop.given_closes and not both:
        raise UsageProblem(
            f"{hop.label} stands first: nobody is there for the time towards its clients.",
            f"Its time towards its upstream is {hop.choice.product.name}=/IDLE; or name its client first.",
        )
    if last and hop.given_reuses and not both:
        raise UsageProblem(f"{hop.label} stands last: there is no upstream.", "Name the server behind it.")
    if not first and hop.closes_ms is None:
        raise UsageProblem(
            f"Nothing is known of {hop.label} towards its clients.",
            f"Give it: {hop.choice.product.name}=IDLE.",
        )
    if not last and hop.kind is not Kind.NAT and hop.reuses_ms is None:
        raise UsageProblem(
            f"Nothing is known of {hop.label} towards its upstream.",
            f"Give it: {hop.choice.product.name}=/IDLE.",
        )
