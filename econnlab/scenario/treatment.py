"""What a standalone link does to its connections."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from econnlab.scenario.bounds import at_least
from econnlab.scenario.durations import format_duration
from econnlab.scenario.links import Delay, LinkSpec
from econnlab.scenario.model import Middlebox


class WhenFull(StrEnum):
    """What happens to a connection above the limit."""

    CLOSE = "close"  # accepted and closed at once: FIN, or RST if the client has already sent something
    RESET = "reset"  # accepted and reset at once
    QUEUE = "queue"  # left in the kernel's queue until another one ends


class Counted(StrEnum):
    """Whose bytes count towards a reset."""

    TO_CLIENT = "to-client"
    TO_SERVER = "to-server"
    BOTH = "both"


@dataclass(frozen=True)
class ResetAfter:
    """Reset both ends of a connection after this many bytes."""

    size: int
    counted: Counted = Counted.TO_CLIENT

    def __post_init__(self) -> None:
        at_least(1, size=self.size)

    def __str__(self) -> str:
        way = {Counted.BOTH: "both ways"}.get(self.counted, self.counted.replace("-", " the "))
        return f"reset after {self.size} bytes {way}"


@dataclass(frozen=True)
class ConnectionLimit:
    """How many connections are relayed at a time."""

    connections: int
    when_full: WhenFull = WhenFull.CLOSE

    def __post_init__(self) -> None:
        at_least(1, connections=self.connections)

    def __str__(self) -> str:
        return f"at most {self.connections} connections, when full {self.when_full}"


_AT_ONCE = Delay(Decimal(0), Decimal(0))
NO_DELAY = LinkSpec("0ms", _AT_ONCE, _AT_ONCE)


@dataclass(frozen=True)
class Treatment:
    """Everything that can change while the link runs; as one value, so that a change applies as a whole."""

    delay: LinkSpec = NO_DELAY
    idle_drop: Middlebox | None = None
    reset_after: ResetAfter | None = None
    limit: ConnectionLimit | None = None
    #: How many of the next connections are reset as soon as they are accepted.
    fail_first: int = 0

    def __post_init__(self) -> None:
        at_least(0, fail_first=self.fail_first)

    def parts(self) -> list[str]:
        """Its effects, each in words."""
        said = [delay_words(self.delay)] if _delays(self.delay) else []
        if self.idle_drop is not None:
            how = "answered with RST" if self.idle_drop.rst else "dropped silently"
            said.append(f"forgotten after {format_duration(self.idle_drop.idle_timeout_ms)} idle, then {how}")
        said += [str(part) for part in (self.reset_after, self.limit) if part is not None]
        if self.fail_first:
            many = self.fail_first > 1
            said.append(f"the next {f'{self.fail_first} connections are' if many else 'connection is'} reset")
        return said

    def __str__(self) -> str:
        return "; ".join(self.parts()) or "passes everything on as it comes"


def delay_words(link: LinkSpec) -> str:
    """The delays of ``link``, each way or for both."""
    if link.to_server == link.to_client:
        return f"{link.to_server} each way"
    return f"{link.to_server} to the server, {link.to_client} back"


def _delays(link: LinkSpec) -> bool:
    return bool(link.to_server.median_ms or link.to_client.median_ms)
