"""Compares a run with its scenario's expectations. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from econnlab.attribution.summary import Summary
from econnlab.scenario.expect import Count, Expect


def broken(summary: Summary, expect: Expect) -> list[str]:
    """Each broken expectation in words: ``causes.crash: expected 1, found 0``."""
    return list(_broken(summary, expect))


def _broken(summary: Summary, expect: Expect) -> Iterator[str]:
    rows, failures = summary.rows, summary.failures
    yield from _compare("success", expect.success, sum(row.success for row in rows))
    yield from _compare("failure", expect.failure, sum(row.failure for row in rows))
    outcomes = Counter(failure.attempt.outcome.value for failure in failures)
    yield from _compare_each("outcomes", expect.outcomes, outcomes)
    yield from _compare_each("causes", expect.causes, Counter(each.verdict.cause for each in failures))
    if expect.processed is not None:
        done = summary.processed
        for name in ("lost", "once", "more"):
            wanted = getattr(expect.processed, name)
            if done is None and wanted is not None:
                yield f"processed.{name}: expected {wanted}, unknown without the server's ledger"
            elif done is not None:
                yield from _compare(f"processed.{name}", wanted, getattr(done, name))


def _compare(name: str, expected: Count | None, found: int) -> Iterator[str]:
    if expected is not None and found not in expected:
        yield f"{name}: expected {expected}, found {found}"


def _compare_each(name: str, expected: Mapping[str, Count] | None, found: Counter[str]) -> Iterator[str]:
    """Every name in its range, and 0 for a name that is not expected."""
    if expected is None:
        return
    for key in [*expected, *sorted(found.keys() - expected.keys())]:
        yield from _compare(f"{name}.{key}", expected.get(key, Count(0, 0)), found[key])
