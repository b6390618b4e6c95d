"""What was counted while a log was read, and the summary of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from econnlab.commands.explain.answer import Answer
from econnlab.commands.explain.log.classifying import Key
from econnlab.commands.explain.log.idle import Finding
from econnlab.commands.explain.log.stamps import hour_of
from econnlab.commands.explain.report import excerpt

MOST_EXAMPLES = 5
_MOST_TARGETS = 10_000
_MOST_ANSWERS = 10_000


@dataclass
class Group:
    """The failures of one kind and cause, while they are counted."""

    answer: Answer
    count: int = 0
    first: str = ""
    last: str = ""
    hours: Counter[str] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    stamp: str = ""  # of the entry before, with its hour
    hour: str = ""

    def add(self, text: str, stamp: str, target: str) -> None:
        """Count one entry. The examples are harmless for a terminal."""
        self.count += 1
        if stamp:
            if stamp != self.stamp:  # most follow another of the same second
                self.stamp, self.hour = stamp, hour_of(stamp)
                self.first = min(self.first or stamp, stamp)
                self.last = max(self.last, stamp)
            self.hours[self.hour] += 1
        if target and (target in self.targets or len(self.targets) < _MOST_TARGETS):
            self.targets[target] += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(excerpt(text))


@dataclass
class Tally:
    """All that a log showed."""

    format: str = ""
    has_targets: bool = False
    lines: int = 0
    entries: int = 0
    other_shape: int = 0  # lines that are not of the format
    groups: dict[Key, Group] = field(default_factory=dict)
    idle: tuple[Finding, ...] = ()
    timed: int = 0  # lost requests whose idle time is known
    lost: int = 0
    interrupted: bool = False
    problem: str = ""  # why reading ended early
    #: By identity, which is faster than hashing; each answer is kept here so that its id stays its own.
    _by_answer: dict[int, tuple[Answer, Group]] = field(default_factory=dict)

    def add(self, answer: Answer, text: str, stamp: str, target: str = "") -> None:
        """Count one failure."""
        found = self._by_answer.get(id(answer))
        if found is None:
            if len(self._by_answer) >= _MOST_ANSWERS:
                self._by_answer.clear()
            key = Key(answer.slug, answer.causes)
            found = answer, self.groups.setdefault(key, Group(answer))
            self._by_answer[id(answer)] = found
        found[1].add(text, stamp, target)

    @property
    def failures(self) -> int:
        """All failures."""
        return sum(group.count for group in self.groups.values())

    @property
    def ordered(self) -> list[Group]:
        """The groups, the largest first."""
        return sorted(self.groups.values(), key=lambda group: (-group.count, group.answer.slug))

    @property
    def hours(self) -> Counter[str]:
        """Failures by the hour."""
        total: Counter[str] = Counter()
        for group in self.groups.values():
            total.update(group.hours)
        return total
