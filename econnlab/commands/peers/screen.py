"""``peers``: the list, installing, and measuring default timeouts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from econnlab.cli.console import console
from econnlab.cli.interrupts import interrupts
from econnlab.cli.outputs import Files, Outputs
from econnlab.commands.peers.report import Line, line_of, table
from econnlab.errors import EconnlabError, ExitCode
from econnlab.lab.conformance import check_client
from econnlab.lab.listeners import bind
from econnlab.peers.catalogue import Peer, Role, peers, peers_called, version_here
from econnlab.peers.install import install
from econnlab.peers.measured import Measured, default_spec, idle_seconds, keep, measured, today
from econnlab.peers.named import parse_peer
from econnlab.peers.server_peer import ServerPeer
from econnlab.plaintext import harmless

_LOOPBACK = "127.0.0.1"


def list_peers(files: Files) -> int:
    """Print and write the list. Returns the exit code."""
    lines = _lines()
    with Outputs(files) as outputs:
        try:
            outputs.screen.print(table(lines))
        finally:
            outputs.write(lines)
    return ExitCode.OK


def _lines() -> list[Line]:
    known = measured()
    found = list(peers())
    with ThreadPoolExecutor(8) as pool:  # each asks a program for its version
        versions = list(pool.map(version_here, found))
    return [
        line_of(peer, version, known.get(peer.name) if peer.role is Role.SERVER else None)
        for peer, version in zip(found, versions, strict=True)
    ]


def install_peers(names: Sequence[str]) -> int:
    """Install each of ``names``. Returns the exit code; the first that fails ends it."""
    screen = console()
    wanted = [(peers_called(parse_peer(name).kind)[0], parse_peer(name)) for name in names]
    for peer, name in wanted:
        version = install(peer, name)
        screen.print(f"{peer.name} {version} is installed", soft_wrap=True)
    return ExitCode.OK


def measure_peers(names: Sequence[str]) -> int:
    """Measure the default idle timeout of these server peers, or of all that are here, side by side."""
    chosen = [peer for name in names for peer in peers_called(name) if peer.role is Role.SERVER]
    if not names:
        chosen = [peer for peer in peers(Role.SERVER) if version_here(peer) is not None]
    screen = console()
    with interrupts() as stop, ThreadPoolExecutor(max(1, len(chosen))) as pool:
        stopped = threading.Event()
        stop.stops(stopped.set)
        asked: dict[str, Future[Measured]] = {
            peer.name: pool.submit(_measure, peer, stopped) for peer in chosen
        }
        failed: EconnlabError | None = None
        for name, future in asked.items():
            try:
                found = future.result()
            except (EconnlabError, OSError) as error:
                screen.print(f"{name}: {harmless(str(error))}", soft_wrap=True)
                failed = error if isinstance(error, EconnlabError) else failed
                continue
            if stopped.is_set():
                continue
            keep(name, found)
            idle = "longer than 130 s" if found.seconds is None else f"{found.seconds:.3f} s"
            screen.print(f"{name} {found.version}: keeps an idle connection for {idle}", soft_wrap=True)
        if stop.happened:
            return ExitCode.INTERRUPTED
    if failed is not None:
        raise failed
    return ExitCode.OK


def check_protocol(client: str) -> int:
    """Print each rule of the client protocol, and what broke it. Returns the exit code."""
    screen = console()
    broken = False
    for checked in check_client(client):
        broken = broken or bool(checked.broken)
        which = f": {harmless(', '.join(checked.broken))}" if checked.broken else ""
        screen.print(f"{'broken' if checked.broken else 'ok':6}  {checked.rule}{which}", soft_wrap=True)
    return ExitCode.EXPECTATION if broken else ExitCode.OK


def _measure(peer: Peer, stopped: threading.Event) -> Measured:
    with bind(_LOOPBACK, 0) as free:
        port = int(free.getsockname()[1])
    server = ServerPeer(default_spec(peer.name), port, by_default=True)
    try:
        server.wait_until_listening()
        seconds = idle_seconds(port, _asked(stopped))
    finally:
        server.stop()
    return Measured(server.version.removeprefix(f"{peer.name} "), seconds, today())


def _asked(stopped: threading.Event) -> Iterator[bool]:
    while True:
        yield stopped.is_set()
