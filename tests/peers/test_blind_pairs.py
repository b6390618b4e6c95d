"""The blind test with real clients and servers, on some pairs; make acceptance takes a thousand failures."""

from __future__ import annotations

import pytest

from tests.support.pairs import forgotten, full, judge, perform, race, troubled, unknown

SOME = (
    race("node@14.18.0", "axios@0.22.0", 985),
    race("uvicorn", "httpx", 985),
    race("nginx", "undici", 985),
    forgotten("gunicorn", "node"),
    full("node@14.18.0", "axios@0.22.0"),
    full("express", "fetch"),
    troubled("truncated-rst", "got"),
    troubled("crash-read", "aiohttp"),
)


def test_failures_of_real_pairs_are_named_without_knowing_the_pair():
    runs, missing = perform(SOME, jobs=4)
    if missing:
        pytest.skip(f"make peers: {next(iter(missing))}")
    score = judge(runs, seed=1)
    assert score.failures >= 10
    assert not score.wrong_with_certainty
    assert unknown(score) <= 0.02 * score.failures, score.wrong
