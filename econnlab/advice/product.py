"""What products do with idle connections by default, version by version, with sources. Pure.

One TOML file a product under ``products/``, found by its name; nothing in them is unchecked.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache, cached_property
from pathlib import Path

from econnlab.advice.idle import parse_idle
from econnlab.advice.versions import Version, Versions, parse_version, parse_versions
from econnlab.errors import UsageProblem
from econnlab.plaintext import harmless
from econnlab.scenario.codec import decode
from econnlab.scenario.durations import format_ms, parse_duration

FOLDER = Path(__file__).parent / "products"
_SUGGESTIONS = 3
_QUOTED = 40


class Kind(Enum):
    """Where a product stands between a client and the application."""

    CLIENT = "client"
    NAT = "nat"  # passes packets on and forgets idle flows; it neither accepts nor opens connections
    BALANCER = "balancer"  # a managed one
    PROXY = "proxy"
    SERVER = "server"


class Advertises(Enum):
    """Whether a server sends ``Keep-Alive: timeout=N``."""

    NO = "no"
    YES = "yes"
    ASKED = "asked"  # in answer to a request that says Connection: keep-alive


class Drops(Enum):
    """What becomes of a packet on a flow that a NAT has forgotten."""

    RST = "rst"
    SILENTLY = "silently"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Release:
    """The defaults of some versions. Durations are text, as the file has them; properties read them."""

    versions: str = ""  # ranges as 8..20.17, 21..22.8; empty: all
    closes_after: str = ""  # towards its clients: closes a connection that was idle for so long
    later: str = "0"  # and really does so this much later, always
    scan: str = "0"  # and up to this much later: it looks only every so often
    advertises: Advertises = Advertises.NO
    reuses_for: str = ""  # towards its upstreams: reuses a connection that was idle for at most so long
    honours: str = ""  # takes an advertised timeout less this for the limit
    hint_replaces: bool = False  # and even where that is longer than its own limit
    asks: bool = True  # sends Connection: keep-alive
    looks: bool = True  # whether a connection was closed, before it is used again
    drops: Drops = Drops.UNKNOWN

    def __post_init__(self) -> None:
        """Read everything, so that a wrong file is told when it is read."""
        for name in ("covers", "closes", "later_ms", "scan_ms", "reuses", "honours_less_ms"):
            getattr(self, name)
        if self.closes is None and self.reuses is None:
            raise UsageProblem("neither closes_after nor reuses_for is given.")

    @cached_property
    def covers(self) -> Versions:
        """The versions meant."""
        return parse_versions(self.versions)

    @cached_property
    def closes(self) -> Decimal | None:
        """``closes_after`` in ms; None where nothing is known of that side."""
        return parse_idle(self.closes_after) if self.closes_after else None

    @cached_property
    def reuses(self) -> Decimal | None:
        """``reuses_for`` in ms; None where there is no such side, or nothing known of it."""
        return parse_idle(self.reuses_for) if self.reuses_for else None

    @cached_property
    def later_ms(self) -> Decimal:
        """``later`` in ms."""
        return parse_duration(self.later)

    @cached_property
    def scan_ms(self) -> Decimal:
        """``scan`` in ms."""
        return parse_duration(self.scan)

    @cached_property
    def honours_less_ms(self) -> Decimal | None:
        """``honours`` in ms; None where the header is ignored."""
        return parse_duration(self.honours) if self.honours else None


@dataclass(frozen=True)
class Product:
    """One server, balancer, proxy, NAT or client."""

    title: str
    kind: Kind
    aliases: tuple[str, ...]  # the spellings users type, the usual one first
    releases: tuple[Release, ...]  # the newest last
    sources: tuple[str, ...]  # what was read or measured where, each with its version or address
    about: tuple[str, ...] = ()  # what is true beyond the numbers
    #: How to set the side towards clients; {s} and {ms} stand for the time, {time} for 4s or 400ms, which
    #: products take that refuse fractions. Empty: it cannot be set.
    set_closes: str = ""
    set_reuses: str = ""  # the same for the side towards upstreams
    instead: str = ""  # what to do where there is no setting
    one_setting: bool = False  # one setting is for both sides
    finest: str = "1ms"  # its settings take nothing shorter
    lowered: str = ""  # what a lower time of its side towards upstreams breaks

    def __post_init__(self) -> None:
        """Every product has a name and at least one release."""
        self.finest_ms  # noqa: B018  # a wrong file is told when it is read
        if not self.aliases or not self.releases:
            raise UsageProblem("a product needs aliases and releases.")

    @property
    def name(self) -> str:
        """The usual alias."""
        return self.aliases[0]

    @cached_property
    def finest_ms(self) -> Decimal:
        """``finest`` in ms."""
        return parse_duration(self.finest)


@dataclass(frozen=True)
class Choice:
    """A product as a user named it: with a version, or the newest that is known."""

    product: Product
    release: Release
    version: str = ""  # as typed; empty where none was: then the newest is taken


def read_product(text: str, where: str) -> Product:
    """The product in ``text``, the content of the file ``where``.

    Raises UsageProblem naming the file, the key and what was expected there.
    """
    try:
        return decode(Product, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
    except UsageProblem as problem:
        raise UsageProblem(f"{where}: {problem.message}", problem.hint) from problem


@cache
def products() -> dict[str, Product]:
    """Every product there is, by the name of its file."""
    return {
        path.stem: read_product(path.read_text(encoding="utf-8"), path.name)
        for path in sorted(FOLDER.glob("*.toml"))
    }


def choose(text: str) -> Choice:
    """The product that ``text`` names: an alias, or one with a version (``node20``, ``node@20.17``).

    Raises UsageProblem, with what is close, where there is none, and for a version nothing is known of.
    """
    alias, version = _split(text)
    product = _by_alias().get(alias)
    if product is None:
        raise UsageProblem(f"No product is known as {_quoted(text)}.", _near(alias))
    if not version:
        return Choice(product, product.releases[-1])
    return Choice(product, _release(product, parse_version(version), version), version)


def splits(choice: Choice) -> bool:
    """Whether a version inside the one that was named belongs to another release."""
    named = parse_version(choice.version)
    others = (release for release in choice.product.releases if release is not choice.release)
    ends = (end for release in others for pair in release.covers.ranges for end in pair if end is not None)
    return any(len(end) > len(named) and end[: len(named)] == named for end in ends)


def setting(template: str, milliseconds: Decimal) -> str:
    """``template``, a product's ``set_closes`` or ``set_reuses``, with the time filled in."""
    s, ms = format_ms(milliseconds / 1000), format_ms(milliseconds)
    return template.format(s=s, ms=ms, time=f"{s}s" if milliseconds % 1000 == 0 else f"{ms}ms")


def releases_of(text: str) -> tuple[Product, tuple[Release, ...]]:
    """The product that ``text`` names and its releases, or the one of the version named. As ``choose``."""
    choice = choose(text)
    return choice.product, (choice.release,) if choice.version else choice.product.releases


def _release(product: Product, version: Version, typed: str) -> Release:
    for release in product.releases:
        if release.covers.hold(version):
            return release
    known = ", ".join(release.versions for release in product.releases)
    raise UsageProblem(
        f"Nothing is known of {product.name} {typed}; known are {known}.",
        f"Give its time yourself, without the version: {product.name}=TIME.",
    )


def _split(text: str) -> tuple[str, str]:
    """Alias and version of ``text``. An alias may end in digits itself, as urllib3 does."""
    plain = text.strip().lower()
    if plain in _by_alias():
        return plain, ""
    alias, at, version = plain.partition("@")
    if at:
        return alias, version
    match = re.fullmatch(r"(.*?)[-_ ]?(v?[0-9]+(?:\.[0-9]+)*)", plain)
    return (match[1], match[2]) if match is not None and match[1] in _by_alias() else (plain, "")


@cache
def _by_alias() -> dict[str, Product]:
    return {
        alias.lower(): product
        for product in products().values()
        for alias in (product.title, *product.aliases)
    }


def _quoted(text: str) -> str:
    shown = harmless(text.strip())
    return f'"{shown}"' if len(shown) <= _QUOTED else f'"{shown[:_QUOTED]}..."'


def _near(alias: str) -> str:
    close = difflib.get_close_matches(alias[:_QUOTED], _by_alias(), n=len(_by_alias()), cutoff=0.6)
    names = list(dict.fromkeys(_by_alias()[each].name for each in close))[:_SUGGESTIONS]
    listed = "econnlab timeouts lists them all."
    return f"Did you mean {', or '.join(names)}? {listed}" if names else f"Nothing is close; {listed}"
