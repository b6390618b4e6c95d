"""``--save-failures``: the packets of each lost request in a file of its own."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from pathlib import Path

from econnlab.cli.console import say
from econnlab.cli.diagnosis import failure
from econnlab.cli.live import Finding, Live
from econnlab.errors import EnvironmentProblem

#: Files that one watch writes.
_MOST = 1000


class Saving:
    """Writes into ``folder``, which it makes. Raises EnvironmentProblem."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._written = 0
        self._left = 0
        self._failed = ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / ".econnlab").touch()
            (self._folder / ".econnlab").unlink()
        except OSError as error:
            raise EnvironmentProblem(
                f"{folder!r} cannot be written: {error.strerror}.", "Give another folder."
            ) from error

    def save(self, findings: Iterable[Finding], live: Live) -> None:
        """A file for each of ``findings`` that cost a request. A full disk does not end the watch."""
        for finding in findings:
            if not finding.lost:
                continue
            if self._written >= _MOST or self._failed:
                self._left += 1
                continue
            try:
                self._write(finding, live)
            except OSError as error:
                self._left += 1
                self._failed = error.strerror or str(error)

    def say(self) -> None:
        """How many there are."""
        say(f"{self._written} failures saved in {self._folder}")
        if self._left:
            why = f": {self._failed}" if self._failed else f": a watch writes at most {_MOST} files"
            say(f"note: {self._left} were not saved{why}")

    def _write(self, finding: Finding, live: Live) -> None:
        self._written += 1
        verdict = f"econnlab: {' '.join(failure(finding, self._written).plain.split())}"
        live.save(finding, self._folder / _name(finding, self._written), verdict)


def _name(finding: Finding, number: int) -> str:
    try:
        at = f"{datetime.datetime.fromtimestamp(finding.at):%Y%m%d-%H%M%S}"
    except (OverflowError, ValueError, OSError):
        at = "unknown"
    ends = re.sub(r"[^0-9A-Za-z.]+", "-", f"{finding.client}_{finding.culprit}")
    return f"{at}-{number:04}-{finding.verdict.cause}-{ends}.pcapng"
