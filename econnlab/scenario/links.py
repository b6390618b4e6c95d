"""The path between client and server as numbers: delays per direction, and the named profiles."""

import re
from dataclasses import dataclass
from decimal import Decimal

from econnlab.errors import UsageProblem
from econnlab.scenario.durations import format_ms, parse_duration

#: At 3 one delay in a thousand takes exp(3 * 3), 8,000 times the median; more is a typing error.
MOST_JITTER = Decimal(3)
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")


@dataclass(frozen=True)
class Delay:
    """A one-way delay: log-normal with this median in ms; ``jitter`` is the sigma of its logarithm.

    Log-normal because one-way delays have a floor and a long tail: at jitter 1.2 one in a hundred
    takes 16 times the median; at 0.1 it takes a quarter longer.
    """

    median_ms: Decimal
    jitter: Decimal

    def __str__(self) -> str:
        return (
            f"{format_ms(self.median_ms)} ms, jitter {format_ms(self.jitter)}"
            if self.median_ms
            else "no delay"
        )


@dataclass(frozen=True)
class LinkSpec:
    """A delay towards the server and one back; ``relayed`` says whether a link process stands between."""

    name: str
    to_server: Delay
    to_client: Delay
    relayed: bool = True

    @property
    def round_trip_ms(self) -> float:
        """The median round trip in ms."""
        return float(self.to_server.median_ms + self.to_client.median_ms)

    @property
    def spelled(self) -> str:
        """As parse_link reads it."""
        if self.name in PROFILES:
            return self.name
        to_server, to_client = _spelled(self.to_server), _spelled(self.to_client)
        return to_server if to_server == to_client else f"{to_server}/{to_client}"

    def __str__(self) -> str:
        if not self.relayed:
            return f"{self.name}: bare loopback, no relay"
        if self.to_server == self.to_client:
            return f"{self.name}: {self.to_server} each way"
        return f"{self.name}: {self.to_server} to the server, {self.to_client} back"


def _spelled(delay: Delay) -> str:
    jitter = f"~{format_ms(delay.jitter)}" if delay.jitter else ""
    return f"{format_ms(delay.median_ms)}ms{jitter}"


def _both_ways(name: str, median_ms: str, jitter: str) -> LinkSpec:
    delay = Delay(Decimal(median_ms), Decimal(jitter))
    return LinkSpec(name, delay, delay)


NONE = LinkSpec("none", Delay(Decimal(0), Decimal(0)), Delay(Decimal(0), Decimal(0)), relayed=False)

#: ``article`` gives the article's table with plain requests: on a grid of medians and jitters, this pair
#: makes its seven counts likeliest (tests/benchmarks/bench_fit.py). The others are round figures for a
#: quiet path of that reach: a switch, two zones of one cloud region, an ocean.
PROFILES = {
    profile.name: profile
    for profile in (
        NONE,
        _both_ways("article", "1.5", "1.2"),
        _both_ways("lan", "0.1", "0.4"),
        _both_ways("region", "0.5", "0.3"),
        _both_ways("wan", "40", "0.1"),
    )
}
DEFAULT = PROFILES["article"]


def parse_link(text: str) -> LinkSpec:
    """A profile's name, ``MEDIAN[~JITTER]`` both ways, or ``TO_SERVER/TO_CLIENT``: ``wan``, ``2ms~0.5``.

    Raises UsageProblem for anything else.
    """
    if text in PROFILES:
        return PROFILES[text]
    to_server, slash, to_client = text.partition("/")
    try:
        forward = _parse_delay(to_server)
        return LinkSpec("custom", forward, _parse_delay(to_client) if slash else forward)
    except UsageProblem as problem:
        raise UsageProblem(
            f"{text!r} is not a link: {problem.message}",
            f"Give one of {', '.join(PROFILES)}, or MEDIAN~JITTER as 2ms~0.5, "
            "or one for each direction: 2ms/40ms~0.1.",
        ) from None


def _parse_delay(text: str) -> Delay:
    median, tilde, jitter = text.partition("~")
    if not tilde:
        return Delay(parse_duration(median), Decimal(0))
    if not _DECIMAL.fullmatch(jitter) or Decimal(jitter) > MOST_JITTER:
        raise UsageProblem(f"{jitter!r} is not a jitter from 0 to {MOST_JITTER}.")
    return Delay(parse_duration(median), Decimal(jitter))
