"""A whole check: a command, and what became of it under each scenario."""

from __future__ import annotations

from dataclasses import dataclass

from econnlab.commands.check.calm import Baseline
from econnlab.commands.check.command_end import CommandEnd
from econnlab.commands.check.survival import Survival
from econnlab.commands.check.verdict import Judgement
from econnlab.errors import EconnlabError
from econnlab.scenario.model import Scenario


@dataclass(frozen=True)
class Checked:
    """One scenario's run of the command, judged; or the error for which it could not be."""

    scenario: Scenario
    #: Verdicts that are right here.
    expected: frozenset[Survival]
    end: CommandEnd | None = None
    judgement: Judgement | None = None
    error: EconnlabError | None = None

    @property
    def carried_out(self) -> int:
        """Requests carried out."""
        return 0 if self.judgement is None else sum(row.carried_out for row in self.judgement.rows)

    @property
    def as_expected(self) -> bool:
        """The verdict is one of those expected."""
        return self.judgement is not None and self.judgement.survival in self.expected


@dataclass(frozen=True)
class Check:
    """A command and what became of it under each scenario, in the order asked for."""

    command: tuple[str, ...]
    calm: Baseline
    checked: tuple[Checked, ...]
    #: Scenarios that were to be run.
    asked: int

    @property
    def interrupted(self) -> bool:
        """Some scenario was not run to its end."""
        return len(self.checked) < self.asked

    @property
    def broken(self) -> tuple[Checked, ...]:
        """Those whose verdict was not expected."""
        return tuple(each for each in self.checked if each.judgement is not None and not each.as_expected)

    @property
    def failed(self) -> tuple[Checked, ...]:
        """Those that could not be judged."""
        return tuple(each for each in self.checked if each.error is not None)
