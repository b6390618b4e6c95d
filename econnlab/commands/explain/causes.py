"""The sentence about each cause that an answer names: the lab's own, or that of ``beyond.toml``."""

from __future__ import annotations

import ast
from pathlib import Path

import econnlab
from econnlab.commands.explain.glossary import beyond

_FOLDER = Path(econnlab.__file__).parent / "attribution" / "causes"


def about(cause: str) -> str:
    """What the cause is.

    HELP is read from the source: to import the rule costs as much time as all the rest of ``explain``.
    """
    if cause in beyond():
        return beyond()[cause]
    source = (_FOLDER / f"{cause}.py").read_text(encoding="utf-8")
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "HELP":
            return str(ast.literal_eval(line.value))
    raise LookupError(cause)
