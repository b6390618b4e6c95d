"""What Node client peers have in common: which Node runs them, and their program."""

from __future__ import annotations

from econnlab.peers.command import PROGRAMS, Command
from econnlab.peers.named import PeerName
from econnlab.peers.store import node, npm_package
from econnlab.record.attempts import Outcome

#: What Node's http client says, in every version from 14 to 24. "socket hang up" has the code ECONNRESET and
#: no errno: it is the end of file (lib/_http_client.js, socketOnEnd and socketCloseListener).
NODE_WORDS = {
    "socket hang up": Outcome.CLOSED,
    "aborted": Outcome.TRUNCATED,
    "ETIMEDOUT": Outcome.TIMEOUT,
}
#: undici's codes (lib/core/errors.js); fetch carries them as the cause of its "fetch failed".
UNDICI_WORDS = {
    "other side closed": Outcome.CLOSED,
    "terminated": Outcome.TRUNCATED,
    "UND_ERR_HEADERS_TIMEOUT": Outcome.TIMEOUT,
    "UND_ERR_BODY_TIMEOUT": Outcome.TIMEOUT,
    "UND_ERR_CONNECT_TIMEOUT": Outcome.TIMEOUT,
    "TimeoutError": Outcome.TIMEOUT,
}


def node_command(program: str, name: PeerName, package: str | None, variable: str = "") -> Command:
    """Node with ``program`` of programs/, which finds the npm ``package`` by ``variable``."""
    if package is None:
        runtime = node(name.version)
        return Command((runtime.path, str(PROGRAMS / program)), runtime.version)
    found, runtime = npm_package(package, name.version), node(name.node)
    words = (runtime.path, str(PROGRAMS / program))
    return Command(words, found.version, {variable: str(found.folder)}, f"node {runtime.version}")
