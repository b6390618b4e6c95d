"""What to paste for a remedy, on a terminal or into a file."""

from __future__ import annotations

from rich.text import Text

from econnlab.advice.snippet import Page
from econnlab.errors import UsageProblem


def lines_to_paste(page: Page, stack: str | None) -> Text:
    """Each block under the name of its client or server; with ``stack`` only that block, unchanged.

    Raises UsageProblem if there is none for ``stack``.
    """
    if stack is None:
        parts: list[str | tuple[str, str]] = [(page.title, "bold")]
        for snippet in page.snippets:
            parts += [(f"\n\n--- {snippet.stack} ---\n\n", "cyan"), snippet.text.rstrip("\n")]
        return Text.assemble(*parts)
    for snippet in page.snippets:
        if snippet.stack == stack:
            return Text(snippet.text.rstrip("\n"))
    known = ", ".join(snippet.stack for snippet in page.snippets)
    raise UsageProblem(f"There are no lines for {stack!r} here.", f"There are for {known}.")
