"""What a command does without trouble, and what follows from that for each scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from econnlab.commands.check.asked import WAYS, AskedRequest, Tallies
from econnlab.commands.check.command_end import KEPT_BYTES, CommandEnd
from econnlab.commands.check.survival import Survival
from econnlab.errors import EnvironmentProblem
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import IDEMPOTENT, Stage


@dataclass(frozen=True)
class Baseline:
    """What the command does without trouble."""

    tallies: Tallies
    count: Callable[[Iterable[AskedRequest]], Tallies]
    took_s: float
    #: It sends several requests on one connection.
    reuses: bool = True

    @property
    def requests(self) -> int:
        """How many requests are carried out."""
        return sum(tally.total for tally in self.tallies.values())

    @property
    def writes(self) -> bool:
        """Some of them are not idempotent."""
        return any(kind.partition(" ")[0] not in IDEMPOTENT for kind in self.tallies)


def baseline(calm: Sequence[tuple[CommandEnd, Sequence[AskedRequest]]]) -> Baseline:
    """What ``calm`` runs against a healthy server have in common, counted in the finest way that works.

    Raises EnvironmentProblem if the command fails, hangs, asks nothing, or asks differently each time.
    """
    for end, asked in calm:
        _ensure_worked(end, asked)
    took_s = max(end.took_s for end, _ in calm)
    for count in WAYS:
        first, *others = [count(asked) for _, asked in calm]
        if all(other == first for other in others):
            return Baseline(first, count, took_s, any(_reuses(asked) for _, asked in calm))
    counts = " and ".join(str(len(asked)) for _, asked in calm)
    raise EnvironmentProblem(
        f"The command does not ask the same each time: {counts} requests came without trouble.",
        "Make it send a fixed number of requests of each method, or nothing can be called lost or repeated.",
    )


def _reuses(asked: Sequence[AskedRequest]) -> bool:
    return len({each.connection for each in asked}) < len(asked)


def aimed(scenario: Scenario, calm: Baseline) -> Scenario:
    """``scenario`` with its trouble where it does harm.

    A fault after the work was done strikes a request that must not be repeated, if the command sends one.
    """
    server = scenario.server
    if server is None or server.fault is None or server.fault.at is not Stage.PROCESSED or not calm.writes:
        return scenario
    return replace(scenario, server=replace(server, fault=replace(server.fault, writes=True)))


def right_under(scenario: Scenario) -> frozenset[Survival]:
    """The verdicts that are right under ``scenario``, after ``aimed``, unless the user says otherwise.

    A client that gets no answer to a POST cannot know whether it was carried out, so it may fail.
    ``not met`` is not among them: a check whose trouble never happened has tested nothing.
    """
    server = scenario.server
    unknowable = server is not None and server.fault is not None and server.fault.writes
    return frozenset({Survival.SURVIVED, Survival.FAILED} if unknowable else {Survival.SURVIVED})


def _ensure_worked(end: CommandEnd, asked: Sequence[AskedRequest]) -> None:
    said = f" It said: {end.last_line}" if end.last_line else " It said nothing."
    if end.timed_out:
        came = f"{len(asked) or 'No'} request{'s' if len(asked) > 1 else ''} came."
        if end.output_bytes > KEPT_BYTES:
            came += f" It wrote {end.output_bytes / 1e6:.1f} MB of output."
        raise EnvironmentProblem(
            f"The command does not end within {_time(end.took_s)} without trouble. {came}",
            "Give it more time (--timeout; a number without a unit is milliseconds), or a command that ends "
            "by itself." + said,
        )
    if end.code != 0:
        came = "" if asked else ", and no request came to the lab server"
        raise EnvironmentProblem(
            f"The command fails even against a healthy server: {end}{came}.",
            "That server answers GET, POST, PUT, PATCH, DELETE... with 200, and `ok` or the text of --answer."
            + said,
        )
    if not asked:
        raise EnvironmentProblem(
            "The command ignored the URL: it ended with 0, and no request came to the lab server.",
            "It must use the URL in ECONNLAB_URL; or write {url} where it takes one.",
        )


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
