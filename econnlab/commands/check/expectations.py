"""The verdicts that a user expects, from options and from a file."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from econnlab.commands.check.survival import Survival
from econnlab.errors import UsageProblem, did_you_mean
from econnlab.scenario.catalogue import CHECK, names

_VERDICTS = ", ".join(each.spelled for each in Survival)
Expectations = dict[str, frozenset[Survival]]


def expectations(options: Sequence[str], file: str | None, known: Sequence[str]) -> Expectations:
    """By the scenario's name. An option wins over the file, which may name other scenarios of the lab too.

    ``known`` are the scenarios that are to run. Raises UsageProblem.
    """
    found = {} if file is None else _read(file, known)
    for text in options:
        name, equals, verdicts = text.partition("=")
        if not equals:
            raise UsageProblem(
                f"--expect {text!r} names no verdict.", "Give it as SCENARIO=VERDICT, as done-reset=failed."
            )
        if name not in known:
            raise UsageProblem(
                f"--expect: {name!r} is not one of the scenarios to run.", did_you_mean(name, known)
            )
        found[name] = frozenset(_verdict(word, f"--expect {name}") for word in verdicts.split(","))
    return found


def _read(where: str, known: Sequence[str]) -> Expectations:
    try:
        data = tomllib.loads(Path(where).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageProblem(f"{where!r} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
    found = {}
    for name, said in data.items():
        if name not in known and name not in names(CHECK):
            raise UsageProblem(
                f"{where}: {name!r} is not a scenario.", did_you_mean(name, [*known, *names(CHECK)])
            )
        words = said if isinstance(said, list) else [said]
        found[name] = frozenset(_verdict(word, f"{where}: {name}") for word in words)
    return found


def _verdict(word: object, where: str) -> Survival:
    try:
        return Survival(str(word).strip().replace("-", "_").replace(" ", "_"))
    except ValueError:
        raise UsageProblem(f"{where}: {word!r} is not a verdict.", f"There are {_VERDICTS}.") from None
