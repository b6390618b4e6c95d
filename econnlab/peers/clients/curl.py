"""The curl command, one process per session."""

from __future__ import annotations

from econnlab.errors import EnvironmentProblem
from econnlab.peers.command import PROGRAMS, Command
from econnlab.peers.named import PeerName
from econnlab.peers.store import find_program, python, said_version
from econnlab.record.attempts import Outcome

NAME = "curl"
HELP = "the curl command"
INSTALL = "debian:curl"
PRODUCT = "curl"
RETRIES = ("curl",)
#: curl(1), EXIT CODES.
WORDS = {
    "curl: (7)": Outcome.REFUSED,
    "curl: (18)": Outcome.TRUNCATED,
    "curl: (28)": Outcome.TIMEOUT,
    "curl: (52)": Outcome.CLOSED,
    "curl: (55)": Outcome.BROKEN_PIPE,
    "curl: (56)": Outcome.RESET,
}
#: --rate came with curl 7.84.
_OLDEST = (7, 84)


def command(name: PeerName, retry: PeerName | None) -> Command:
    """The curl on PATH."""
    program = find_program("curl", "curl")
    version = said_version(program, "--version")
    if tuple(map(int, version.split(".")[:2])) < _OLDEST or (name.version not in (None, version)):
        raise EnvironmentProblem(
            f"The curl on PATH is {version}.",
            f"{name.version or '7.84 or later, which has --rate,'} is needed.",
        )
    return Command((python(), str(PROGRAMS / "curl_client.py")), version)
