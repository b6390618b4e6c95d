"""The scenarios that come with the lab: one TOML file each, found by its name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from econnlab.errors import UsageProblem
from econnlab.scenario.model import Scenario
from econnlab.scenario.toml import read_scenario

_PACKAGE = Path(__file__).parent.parent


def folder() -> Path:
    """Inside the installed package; beside it in a checkout."""
    shipped = _PACKAGE / "scenarios"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "scenarios"


def names() -> list[str]:
    """Every scenario there is."""
    return sorted(path.stem for path in folder().glob("*.toml"))


@cache
def load(name: str) -> Scenario:
    """The scenario ``name``. Raises UsageProblem where there is none, or its file is wrong."""
    if name not in names():
        raise UsageProblem(f"There is no scenario {name!r}.", f"There are {', '.join(names())}.")
    path = folder() / f"{name}.toml"
    return read_scenario(path.read_text(encoding="utf-8"), name, str(path))
