"""Stages one after another, or side by side, each started within some milliseconds but for the first."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import TracebackType

from econnlab.lab.stage import Stage
from econnlab.lab.warm import Warm
from econnlab.scenario.model import Scenario


class Stages:
    """A context manager: inside it ``stage`` gives stages, and what starts them quickly stays warm."""

    def __init__(self) -> None:
        self._warm: Warm | None = None
        self._owner = 0

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the warm process; in a fork of this one (pytest-forked), which does not own it, do nothing."""
        if self._warm is not None and self._owner == os.getpid():
            self._warm.close()
        self._warm = None

    @contextlib.contextmanager
    def stage(self, scenario: Scenario) -> Iterator[Stage]:
        """A stage for ``scenario``; see Stage for what is raised."""
        with Stage(scenario, start=self._ready()) as stage:
            yield stage

    def _ready(self) -> Warm:
        """The warm process; a new one where there is none yet, or somebody has killed it."""
        if self._warm is None or self._owner != os.getpid() or not self._warm.alive:
            self.close()
            self._warm, self._owner = Warm(), os.getpid()
        return self._warm
