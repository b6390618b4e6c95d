"""What an attack has found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """Counts; attacks add up."""

    made: int = 0
    tracebacks: int = 0
    processes: int = 0
    files: int = 0
    lost_rows: int = 0
    examples: tuple[str, ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(
            self.made + other.made,
            self.tracebacks + other.tracebacks,
            self.processes + other.processes,
            self.files + other.files,
            self.lost_rows + other.lost_rows,
            self.examples + other.examples,
        )

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return not (self.tracebacks or self.processes or self.files or self.lost_rows)

    def __str__(self) -> str:
        return (
            f"{self.tracebacks} tracebacks, {self.processes} processes left, {self.files} files left, "
            f"{self.lost_rows} rows lost"
        )


def has_trace(text: str) -> bool:
    """The lab failed by itself, or Python did."""
    return "Traceback" in text or "econnlab itself failed" in text
