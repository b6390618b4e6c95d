"""Types of options: how the command line's words become values of the scenario.

Nothing but click is imported at the top: ``econnlab --help`` imports this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from econnlab.errors import did_you_mean

if TYPE_CHECKING:
    from decimal import Decimal

    from econnlab.scenario.client import PoolOrder
    from econnlab.scenario.links import LinkSpec
    from econnlab.scenario.places import Place
    from econnlab.scenario.server import Route

    _ParamType = click.ParamType[Any, Any]
else:  # generic only for type checkers, and only since click 8.5
    _ParamType = click.ParamType


class Parsed(_ParamType):
    """A value that a function parses."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse text; its UsageProblem becomes click's, which names the option."""
        if not isinstance(value, str):
            return value
        from econnlab.errors import UsageProblem

        try:
            return self._parse(value)
        except UsageProblem as problem:
            self.fail(problem.in_one_line, param, ctx)


def _route(text: str) -> Route:
    from econnlab.scenario.routes import parse_route

    return parse_route(text)


def _duration(text: str) -> Decimal:
    from econnlab.scenario.durations import parse_duration

    return parse_duration(text)


def _intervals(text: str) -> tuple[Decimal, ...]:
    from econnlab.scenario.durations import parse_intervals

    return parse_intervals(text)


def _link(text: str) -> LinkSpec:
    from econnlab.scenario.links import parse_link

    return parse_link(text)


def _busy(text: str) -> tuple[Decimal, Decimal]:
    from econnlab.errors import UsageProblem
    from econnlab.scenario.durations import parse_duration

    blocked, slash, every = text.partition("/")
    if not slash:
        raise UsageProblem(f"{text!r} does not say how often.", "Give FOR/EVERY: 20ms/1s.")
    blocked_ms = parse_duration(blocked)
    if not blocked_ms:
        raise UsageProblem(f"{text!r} blocks it for 0 ms.", "Leave it out, or give FOR/EVERY: 20ms/1s.")
    return blocked_ms, parse_duration(every)


def _url(text: str) -> str:
    from econnlab.scenario.places import parse_url

    parse_url(text)
    return text


def _place(text: str) -> Place:
    from econnlab.scenario.places import parse_place

    return parse_place(text)


def _listen(text: str) -> Place:
    from econnlab.scenario.places import parse_listen

    return parse_listen(text)


def _percent(text: str) -> float:
    from econnlab.errors import UsageProblem

    try:
        share = float(text.removesuffix("%"))
    except ValueError:
        share = -1.0
    if not 0 <= share <= 100:
        raise UsageProblem(f"{text!r} is not a percentage from 0% to 100%.")
    return share


DURATION = Parsed("duration", _duration)
PERCENT = Parsed("percentage", _percent)
INTERVALS = Parsed("intervals", _intervals)
INTERVAL = Parsed("duration", lambda text: (_duration(text),))
LINK = Parsed("link", _link)
BUSY = Parsed("for/every", _busy)
URL = Parsed("url", _url)
ROUTE = Parsed("route", _route)
PLACE = Parsed("host:port", _place)
LISTEN = Parsed("port", _listen)


class WordChoice(click.Choice):  # type: ignore[type-arg]  # generic only since click 8.2
    """One of these words, made into a value by ``make``, which may import an enum."""

    def __init__(self, words: list[str], make: Callable[[str], Any]) -> None:
        super().__init__(words)
        self._make = make

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value."""
        return self._make(super().convert(value, param, ctx)) if isinstance(value, str) else value


def _pool_order(text: str) -> PoolOrder:
    from econnlab.scenario.client import PoolOrder

    return PoolOrder(text)


POOL_ORDER = WordChoice(["lifo", "fifo"], _pool_order)


class PartName(_ParamType):
    """The name of a part in a package, which is imported only when it is needed."""

    name = "name"

    def __init__(self, package: str) -> None:
        self._package = package

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """``[close|reset|...]`` in the help."""
        return f"[{'|'.join(self._names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if the package has such a part."""
        if value not in self._names():
            self.fail(f"There is no {value!r}. {did_you_mean(str(value), self._names())}", param, ctx)
        return str(value)

    def _names(self) -> list[str]:
        from econnlab.discovery import parts

        return list(parts(self._package))


class PeerWord(_ParamType):
    """A part's name, or a real program: NAME@VERSION, or a path."""

    name = "name"

    def __init__(self, *packages: str) -> None:
        self._packages = packages

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a part or peer."""
        from econnlab.discovery import parts

        names = list(dict.fromkeys(name for package in self._packages for name in parts(package)))
        if "/" not in value and value.partition("@")[0] not in names:
            self.fail(f"There is no {value!r}. {did_you_mean(str(value), names)}", param, ctx)
        return str(value)
