"""The two writers that all formats share: JSON documents and CSV tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def json_text(version: int, document: Mapping[str, Any]) -> str:
    """``document`` after its ``version``; a number that is not finite becomes null (RFC 8259 section 6)."""
    import json

    from econnlab.plaintext import without_passwords_in

    whole = without_passwords_in({"version": version, **document})
    try:
        return json.dumps(whole, indent=2, allow_nan=False) + "\n"
    except ValueError:
        return json.dumps(_finite(whole), indent=2) + "\n"


def csv_text(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> str:
    """A header line and a line per row (RFC 4180), control characters spelled out.

    ``columns`` chooses keys and their order; without it they are those of the first row.
    """
    import csv
    import io

    lines = [{key: _cell(value) for key, value in row.items()} for row in rows]
    text = io.StringIO()
    names = list(columns if columns is not None else lines[0])
    writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _cell(value: Any) -> Any:
    from econnlab.plaintext import harmless

    return harmless(value) if isinstance(value, str) else value


def _finite(value: Any) -> Any:
    import math

    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


#: Characters that Markdown, as GitHub renders it, takes for markup, a mention, an issue or the end of a cell.
_MARKUP = "\\`*_[]<>|~@#&"


def markdown_escaped(text: str) -> str:
    """``text`` in one line that Markdown shows as it is."""
    from econnlab.plaintext import harmless

    plain = harmless(text.replace("\n", " "))
    return "".join(f"&#{ord(character)};" if character in _MARKUP else character for character in plain)


def markdown_row(cells: Iterable[str]) -> str:
    """One row of a table."""
    return f"| {' | '.join(cells)} |"
