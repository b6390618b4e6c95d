"""Failures of known cause, met by real clients of a faulty server: how many a diagnosis finds, and names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from econnlab.attribution.packets.findings import Finding
from econnlab.attribution.verdict import Certainty
from tests.acceptance.healthy import judged
from tests.benchmarks.figures import Figure
from tests.support import sessions
from tests.support.session_servers import Ports, certificate

SUPPORT = Path(__file__).parents[1] / "support"
ROUNDS = int(os.environ.get("ECONNLAB_ROUNDS", "20"))
#: Of the failures under each protocol, so many must be found.
AT_LEAST = {"HTTP/1": 0.95, "HTTP/2": 0.95, "TLS": 0.80}
FAILURES = 500
#: A failure is met within this of its connection, s.
NEAR_S = 10.0


def commands(protocol: str, folder: Path, ports: Ports) -> tuple[list[str], list[str]]:
    """The words that start the server and the client."""
    port, rounds = str(ports.first), str(ROUNDS)
    if protocol == "HTTP/2":
        script = str(SUPPORT / "faulty_h2c.cjs")
        return ["node", script, "server", port], ["node", script, "client", port, rounds]
    server = [sys.executable, str(SUPPORT / "faulty_server.py"), port]
    client = [sys.executable, str(SUPPORT / "faulty_client.py"), port, str(ports.more()), rounds]
    if protocol == "TLS":
        certificate(folder)
        return [*server, str(folder / "cert.pem"), str(folder / "key.pem")], [*client, "tls"]
    return server, [*client, "plain"]


def met(protocol: str, folder: Path) -> tuple[list[tuple[int, list[str], float]], list[tuple[int, bytes]]]:
    """What the client met, by its port, and the frames."""
    ports = Ports()
    server, client = commands(protocol, folder, ports)
    with sessions.running(server, folder):
        sessions.wait_for(ports.first)
        recorder = sessions.Recorder(ports.all)
        recorder.start()
        try:
            done = subprocess.run(client, capture_output=True, text=True, timeout=600)
        finally:
            frames = recorder.stop()
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], frames


def measure() -> Iterator[Figure]:
    """Shares found, by protocol, and what was named wrongly."""
    failures = certain = 0
    for protocol, share in AT_LEAST.items():
        with tempfile.TemporaryDirectory() as folder:
            expected, frames = met(protocol, Path(folder))
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in judged(frames).findings:
            found[finding.client].append(finding)
        right, wrong = 0, Counter[str]()
        for port, causes, at in expected:
            # A port may come up twice: the failure is the one that is nearest in time.
            near = [each for each in found[f"127.0.0.1:{port}"] if abs(each.at - at) < NEAR_S]
            finding = min(near, key=lambda each: abs(each.at - at), default=None)
            named = finding.verdict.cause if finding is not None else "nothing"
            right += named in causes
            if named not in causes:
                wrong[f"{causes[0]}: {named}"] += 1
                certain += finding is not None and finding.verdict.certainty is Certainty.CERTAIN
        failures += len(expected)
        told = f" {dict(wrong)}" if wrong else ""
        yield Figure(
            f"{protocol}: share of {len(expected)} failures found{told}",
            right / len(expected),
            at_least=share,
        )
    yield Figure("failures", failures, at_least=FAILURES)
    yield Figure("wrong causes called certain", certain, at_most=0)
