"""A sample of ``make acceptance``: healthy sessions have no losses told of them, injected ones are found."""

import os
import socket

import pytest

from tests.acceptance import injected
from tests.acceptance.healthy import judged, of_kind
from tests.support.sessions import Missing, record

SAMPLE = [
    "nginx, kept alive",
    "nginx, pipelined",
    "TLS 1.3",
    "HTTP/2 over TLS",
    "node to node",
    "HAProxy before nginx",
]


@pytest.fixture(scope="module", autouse=True)
def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except PermissionError:
        pytest.skip("this user may not capture packets")


@pytest.mark.parametrize("kind", SAMPLE)
def test_healthy_sessions_have_no_losses(kind, tmp_path):
    try:
        frames = record(kind, tmp_path, rounds=2)
    except Missing as missing:
        pytest.skip(str(missing))
    asked, told = of_kind(kind, frames)
    assert asked > 100
    assert told == {}


@pytest.mark.parametrize("protocol", ["HTTP/1", "TLS"])
def test_injected_failures_are_found(protocol, tmp_path, monkeypatch):
    monkeypatch.setattr(injected, "ROUNDS", 1)
    expected, frames = injected.met(protocol, tmp_path)
    found = {finding.client: finding.verdict for finding in judged(frames).findings}
    named = [found[f"127.0.0.1:{port}"].cause in causes for port, causes, _ in expected]
    assert sum(named) >= injected.AT_LEAST[protocol] * len(expected), (os.fspath(tmp_path), expected, found)
