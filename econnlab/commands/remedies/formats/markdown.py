"""The table for a pull request or a job's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from econnlab.commands.remedies.comparison import Comparison
    from econnlab.commands.remedies.judging import Result

HELP = "the table as Markdown"
_HEADINGS = "remedy|failed|95 % interval|lost|2x+|tries|+median ms|+p99 ms|connections|verdict".split("|")


def render(comparison: Comparison) -> str:
    """A table, the run without a remedy first."""
    lines = [_line(_HEADINGS), _line(["---", *["---:"] * (len(_HEADINGS) - 2), "---"])]
    lines += [_line(_cells(each)) for each in (comparison.baseline, *comparison.results)]
    return "\n".join(lines) + "\n"


def _cells(result: Result) -> list[str]:
    figures = result.figures
    low, high = figures.interval95
    return [
        f"`{result.remedy.name}`",
        f"{figures.failures}/{figures.requests}",
        f"{low:.1%} - {high:.1%}",
        "" if figures.lost is None else str(figures.lost),
        "" if figures.more is None else str(figures.more),
        f"{figures.attempts / max(1, figures.requests):.2f}",
        _signed(result.added_median_ms),
        _signed(result.added_p99_ms),
        str(figures.connections),
        result.words,
    ]


def _signed(ms: float | None) -> str:
    return "" if ms is None else f"{ms:+.1f}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
