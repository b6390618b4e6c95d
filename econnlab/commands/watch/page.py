"""What ``watch`` says: one line of totals, and the page at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.console import RenderableType
from rich.text import Text

from econnlab.cli import diagnosis as shared
from econnlab.cli.console import LabConsole, say
from econnlab.cli.live import Diagnosis, Finding, Live, Running
from econnlab.plaintext import harmless

_MOST_CAUSES = 4


@dataclass(frozen=True)
class State:
    """What is known at one moment."""

    running: Running
    #: Failures that are new.
    found: Sequence[Finding]
    #: Packets that the capture lost because its ring was full.
    dropped: int
    #: Packets in the ring that were not read yet.
    unread: int
    #: Seconds since the beginning.
    passed_s: float
    #: What is captured.
    where: str

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Everything so far."""
        return self.running.reports_now()


def where(interface: str | None, port: int | None, host: str | None) -> str:
    """``eth0, port 8080``."""
    parts = [interface or "all interfaces"]
    if port is not None:
        parts.append(f"port {port}")
    if host is not None:
        parts.append(f"host {host}")
    return harmless(", ".join(parts))


def totals(state: State) -> str:
    """One line."""
    diagnosis = state.diagnosis
    requests = sum(server.requests for server in diagnosis.servers)
    lost = sum(server.lost for server in diagnosis.servers)
    causes = diagnosis.causes.most_common(_MOST_CAUSES)
    named = f" ({', '.join(f'{cause} {count:,}' for cause, count in causes)})" if causes else ""
    return (
        f"{diagnosis.frames:,} packets, {diagnosis.connections:,} connections, {requests:,} requests, "
        f"{lost:,} lost{named}; the capture dropped {state.dropped:,} packets"
    )


def summary(out: LabConsole, state: State, live: Live, *, until_failure: bool) -> None:
    """The page at the end: servers, causes, the worst failures, what to do."""
    found = state.diagnosis
    out.text(shared.headline(found, state.where))
    out.print(shared.summary(found, out))
    first = next((each for each in state.running.findings if each.lost), None) if until_failure else None
    failures: Iterator[RenderableType] = (
        shared.failures(found, every=False, elsewhere="") if first is None else live.ladder(first, 1)
    )
    for title, lines in (
        ("The worst" if first is None else "The first", failures),
        ("What to do", shared.advice(found)),
        ("Not judged", shared.unjudged(found)),
    ):
        shown: list[RenderableType] = list(lines)
        if shown:
            out.print(Text(f"\n{title}", "bold"))
        for line in shown:
            out.text(line)
    out.print(Text(f"\n{shared.conclusion(found)}", "bold"))
    for remark in (*remarks(state), *shared.remarks(found, None, "", "")):
        say(f"note: {remark}")


def remarks(state: State) -> Iterator[str]:
    """What was not seen."""
    if state.dropped:
        yield (
            f"the capture dropped {state.dropped:,} packets: more came than could be read; --port or --host "
            "makes them fewer"
        )
    if state.unread:
        yield f"{state.unread:,} packets were captured and not read yet"
    if state.running.given_up:
        yield (
            f"{state.running.given_up:,} connections were given up unjudged to keep memory bounded "
            "(--memory allows more)"
        )
