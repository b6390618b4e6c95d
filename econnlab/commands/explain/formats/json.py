"""The answers as one JSON document."""

from __future__ import annotations

import json
from typing import Any

from econnlab.commands.explain.answer import Answer, NotUnderstood
from econnlab.commands.explain.causes import about
from econnlab.commands.explain.report import excerpt
from econnlab.plaintext import harmless

NAME = "json"
HELP = "the answers as JSON"

#: Raised when a key changes its meaning or goes; commands/explain/schema.json describes this one.
VERSION = 1


def render(found: list[Answer] | NotUnderstood) -> str:
    """The document; keys as in commands/explain/schema.json. Several answers stand under ``answers``."""
    if isinstance(found, NotUnderstood):
        document = _unknown(found)
    elif len(found) == 1:
        document = _answer(found[0])
    else:
        document = {"answers": [_answer(answer) for answer in found]}
    return json.dumps({"version": VERSION, **document}, indent=2) + "\n"


def _answer(answer: Answer) -> dict[str, Any]:
    reading = answer.reading
    return {
        "read_as": {
            "product": answer.product,
            "form": reading.form,
            "why": [harmless(why) for why in answer.because],
            "facts": {name: harmless(value)[:200] for name, value in reading.facts.items()},
            "text": excerpt(reading.text),
        },
        "word": answer.slug,
        "title": answer.word.title,
        "times": answer.times,
        "doubt": answer.doubt or None,
        "wire": answer.word.wire,
        "causes": list(answer.causes),
        "about": {cause: about(cause) for cause in answer.causes},
        "excluded": [{"cause": cause, "why": why} for cause, why in answer.excluded],
        "do": list(answer.do),
        "next": list(answer.next),
        "scenarios": list(answer.scenarios),
        "sources": list(answer.word.sources),
    }


def _unknown(found: NotUnderstood) -> dict[str, Any]:
    from econnlab.commands.explain.nearest import nearest  # difflib: only a refusal needs it

    reading = found.reading
    return {
        "read_as": {
            "product": reading.product if reading else "",
            "form": reading.form if reading else "",
            "why": [harmless(why) for why in reading.why] if reading else [],
            "facts": {},
            "text": excerpt(found.text),
        },
        "word": None,
        "causes": [],
        "excluded": [],
        "do": [],
        "next": [],
        "nearest": nearest(found.text),
    }
