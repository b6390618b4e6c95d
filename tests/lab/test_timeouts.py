"""What ``timeouts check`` says of a window, held against requests that really race with a server's close."""

import json

import pytest

from econnlab.commands.timeouts.chain import parse_chain
from econnlab.commands.timeouts.judging import judge

TIMEOUT, ONE_WAY = 400, 50


def failures(cli, interval):
    done = cli.run(
        *("keepalive", "--keepalive-timeout", str(TIMEOUT), "--link", f"{ONE_WAY}ms~0"),
        *("--interval", str(interval), "--requests", "4", "--sessions", "4", "--json", "-"),
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    return row


@pytest.mark.parametrize(("share", "lost"), [(0.5, True), (-1.0, False)])
def test_requests_are_lost_inside_the_window_and_not_before_it(cli, share, lost):
    (pair,) = judge(parse_chain(["requests", f"uvicorn={TIMEOUT}"], rtt=str(2 * ONE_WAY)))
    low, high = pair.window.from_ms, pair.window.until_ms
    assert (low, high) == (TIMEOUT - 2 * ONE_WAY, TIMEOUT)
    row = failures(cli, float(low) + share * float(high - low))
    # The request after a lost one opens a connection: at most half of each session's can be lost.
    assert row["failure"] == row["keepalive_race"]
    assert (0 < row["failure"] <= 8) if lost else (row["failure"] == 0)
