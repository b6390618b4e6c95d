"""Lines joined to entries: a stack trace, or an exception chain, is one entry. Pure, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from econnlab.commands.explain.reading.entries import PREFIXES, STARTS, pattern

#: More than any trace; of a longer entry the middle goes, as the root stands at its end.
_MOST_LINES = 400
_MOST = 0.5
#: In a log with times, most lines may be those of traces.
_SOME = 0.1
_GOES_ON = ("Caused by", "Suppressed:", "...", "During handling of", "The above exception", "direct cause")
_TRACEBACK = "Traceback (most recent call last)"


class Joiner:
    """Decides by the first lines whether entries begin with a time or each line is an entry.

    A collector may put its prefix before each line of a trace; what counts stands behind it.
    """

    def __init__(self, first: list[str]) -> None:
        self._prefix = pattern(PREFIXES)
        self._collected = _share(self._prefix, first) >= _MOST
        rests = [self._rest(line) for line in first]
        self._starts = pattern(STARTS)
        outer = [rest for rest in rests if not rest[:1].isspace()]
        self._stamped = _share(self._starts, outer) >= _SOME

    def entries(self, lines: Iterable[str]) -> Iterator[str]:
        """Each entry, its lines as they stand but without the prefixes of all but the first."""
        entry: list[str] = []
        traceback = False
        for line in lines:
            rest = self._rest(line) if self._collected else line
            if not rest:
                continue
            goes_on = self._goes_on(rest, traceback)
            if not goes_on and entry:
                yield "\n".join(entry)
                entry = []
            # Without times, the first line that is not indented ends a traceback.
            traceback = not self._stamped and (_TRACEBACK in rest or (traceback and rest[0].isspace()))
            entry.append(rest if entry else line)
            if len(entry) > _MOST_LINES:
                del entry[1]
        if entry:
            yield "\n".join(entry)

    def _goes_on(self, rest: str, traceback: bool) -> bool:
        first = rest[0]
        if first in " \t}])" or traceback or rest.startswith(_GOES_ON):
            return True
        return self._stamped and self._starts.match(rest) is None

    def _rest(self, line: str) -> str:
        found = self._prefix.match(line)
        return line[found.end() :] if found else line


def _share(shape: re.Pattern[str], lines: list[str]) -> float:
    return sum(shape.match(line) is not None for line in lines) / max(1, len(lines))
