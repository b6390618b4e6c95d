"""A whole check: a command, and its verdict under each scenario."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.commands.check.calm import Baseline
from econnlab.commands.check.command_end import CommandEnd
from econnlab.commands.check.survival import Survival
from econnlab.commands.check.verdict import RunVerdict
from econnlab.errors import EconnlabError
from econnlab.scenario.model import Scenario


@dataclass(frozen=True)
class Checked:
    """The command's run under one scenario and its verdict, or the error that prevented it."""

    scenario: Scenario
    #: The verdicts that are right here.
    expected: frozenset[Survival]
    end: CommandEnd | None = None
    verdict: RunVerdict | None = None
    error: EconnlabError | None = None

    @property
    def carried_out(self) -> int:
        """How many requests were carried out."""
        return 0 if self.verdict is None else sum(row.carried_out for row in self.verdict.rows)

    @property
    def as_expected(self) -> bool:
        """The verdict is one of those expected."""
        return self.verdict is not None and self.verdict.survival in self.expected


@dataclass(frozen=True)
class Check:
    """A command and its verdict under each scenario, in the order asked for."""

    command: tuple[str, ...]
    calm: Baseline
    checked: tuple[Checked, ...]
    #: How many scenarios were to be run.
    asked: int

    @property
    def interrupted(self) -> bool:
        """Some scenario did not run to its end."""
        return len(self.checked) < self.asked

    @property
    def broken(self) -> tuple[Checked, ...]:
        """Those whose verdict is not the expected one."""
        return tuple(each for each in self.checked if each.verdict is not None and not each.as_expected)

    @property
    def failed(self) -> tuple[Checked, ...]:
        """Those that could not run."""
        return tuple(each for each in self.checked if each.error is not None)
