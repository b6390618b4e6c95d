"""What a command does when nothing goes wrong, and what follows from that for each scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from econnlab.commands.check.asked import WAYS, Asked, Tallies
from econnlab.commands.check.command_end import KEPT_BYTES, CommandEnd
from econnlab.commands.check.survival import Survival
from econnlab.errors import EnvironmentProblem
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import IDEMPOTENT, Stage


@dataclass(frozen=True)
class Baseline:
    """What the command does when nothing goes wrong."""

    tallies: Tallies
    count: Callable[[Iterable[Asked]], Tallies]
    took_s: float

    @property
    def requests(self) -> int:
        """Requests carried out."""
        return sum(tally.total for tally in self.tallies.values())

    @property
    def writes(self) -> bool:
        """Some of them are not idempotent."""
        return any(kind.partition(" ")[0] not in IDEMPOTENT for kind in self.tallies)


def baseline(calm: Sequence[tuple[CommandEnd, Sequence[Asked]]]) -> Baseline:
    """What ``calm`` runs against a healthy server have in common: how requests are to be told apart.

    Raises EnvironmentProblem where the command fails, hangs, asks nothing, or asks differently each time.
    """
    for end, asked in calm:
        _ensure_worked(end, asked)
    took_s = max(end.took_s for end, _ in calm)
    for count in WAYS:
        first, *others = [count(asked) for _, asked in calm]
        if all(other == first for other in others):
            return Baseline(first, count, took_s)
    counts = " and ".join(str(len(asked)) for _, asked in calm)
    raise EnvironmentProblem(
        f"The command does not ask the same each time: {counts} requests came when all was well.",
        "Without a fixed number of requests of each method nothing can be called lost or repeated: fix it.",
    )


def aimed(scenario: Scenario, calm: Baseline) -> Scenario:
    """``scenario`` with its trouble where it can do harm.

    What is ended after it was carried out is a request that must not be repeated, where there is one.
    """
    server = scenario.server
    if server is None or server.fault is None or server.fault.at is not Stage.PROCESSED or not calm.writes:
        return scenario
    return replace(scenario, server=replace(server, fault=replace(server.fault, writes=True)))


def right_under(scenario: Scenario) -> frozenset[Survival]:
    """The verdicts that are right under ``scenario``, as it was aimed, where the user does not say.

    A client that gets no answer to a POST cannot know whether it was carried out: to fail is right then.
    """
    server = scenario.server
    unknowable = server is not None and server.fault is not None and server.fault.writes
    right = {Survival.SURVIVED, Survival.NOT_MET}
    return frozenset(right | {Survival.FAILED} if unknowable else right)


def _ensure_worked(end: CommandEnd, asked: Sequence[Asked]) -> None:
    said = f" It said: {end.last_line}" if end.last_line else " It said nothing."
    if end.timed_out:
        came = f"{len(asked) or 'No'} request{'s' if len(asked) > 1 else ''} came."
        if end.output_bytes > KEPT_BYTES:
            came += f" It wrote {end.output_bytes / 1e6:.1f} MB of output."
        raise EnvironmentProblem(
            f"The command does not end against a healthy server: it was {end}. {came}",
            "Give it more time (--timeout), or a command that ends by itself." + said,
        )
    if end.code != 0:
        came = "" if asked else ", and no request came to the lab server"
        raise EnvironmentProblem(
            f"The command does not even work against a healthy server: {end}{came}.",
            "GET, POST, PUT, PATCH, DELETE... are answered 200 there, with `ok` or what --answer gives."
            + said,
        )
    if not asked:
        raise EnvironmentProblem(
            "The command ignored the URL: it ended with 0, and no request came to the lab server.",
            "Let it ask the URL in ECONNLAB_URL, or write {url} where it takes one.",
        )
