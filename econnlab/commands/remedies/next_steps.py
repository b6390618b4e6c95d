"""The commands to run after ``remedies``. Pure."""

from __future__ import annotations

import shlex

from econnlab.advice.snippet import remedies_with_snippets
from econnlab.scenario.catalogue import CHECK, names


def after_remedies(best: str | None, scenario: str) -> list[str]:
    """The lines of the best one, and whether the user's own client stands the scenario."""
    page = "retry" if best is not None and best.startswith("retry") else best
    shown = [f"econnlab remedies --show {page}"] if page in remedies_with_snippets() else []
    asked = scenario if scenario in names(CHECK) else "keepalive-race"
    return [*shown, f"econnlab check --scenario {shlex.quote(asked)} -- COMMAND {{url}}"]
