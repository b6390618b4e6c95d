"""Lower bounds of numbers in a scenario."""

from econnlab.errors import UsageProblem


def at_least(least: int, **numbers: int | None) -> None:
    """Raises UsageProblem for one of ``numbers``, by name, that is below ``least``."""
    for name, number in numbers.items():
        if number is not None and number < least:
            raise UsageProblem(f"{name}: expected {least} or more, found {number}.")
