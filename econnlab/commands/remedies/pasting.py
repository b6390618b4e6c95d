"""What to paste for a remedy, on a terminal or into a file."""

from __future__ import annotations

from rich.text import Text

from econnlab.advice.snippet import Page
from econnlab.advice.stacks import lines_for


def lines_to_paste(page: Page, remedy: str, stack: str | None) -> Text:
    """Each block under the name of its client or server; with ``stack`` only that block, unchanged.

    ``stack`` may be any name that ``timeouts`` knows. Raises UsageProblem if there is none for it.
    """
    if stack is None:
        parts: list[str | tuple[str, str]] = [(page.title, "bold")]
        for snippet in page.snippets:
            parts += [(f"\n\n--- {snippet.stack} ---\n\n", "cyan"), snippet.text.rstrip("\n")]
        return Text.assemble(*parts)
    return Text(lines_for(page, remedy, stack).rstrip("\n"))
