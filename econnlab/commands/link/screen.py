"""A link in the foreground: its lines, what one may say to it, its ledger as a file, its summary."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import click

from econnlab.cli.capture_file import CaptureFile
from econnlab.cli.console import LabConsole, console
from econnlab.cli.files import STDOUT
from econnlab.cli.interrupts import interrupts
from econnlab.cli.saving import EventFile
from econnlab.commands.link.lines import Lines
from econnlab.commands.link.lone_link import LoneLink
from econnlab.commands.link.report import LinkTicker, link_summary, status_text
from econnlab.errors import EconnlabError, ExitCode
from econnlab.lab.capturing import ensure_capture, write_in_order
from econnlab.plaintext import harmless, harmless_lines
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.links import LinkSpec
from econnlab.scenario.orders import HELP, Ask, idle_drop, parse_order
from econnlab.scenario.places import Place
from econnlab.scenario.treatment import NO_DELAY, ConnectionLimit, Counted, ResetAfter, Treatment, WhenFull


@dataclass(frozen=True)
class LinkOptions:
    """What ``link`` was asked for."""

    listen: Place
    to: Place
    delay: LinkSpec
    idle_drop: Decimal | None
    #: ``silent`` or ``rst``.
    idle_drop_with: str
    reset_after: int | None
    reset_counts: str
    max_connections: int | None
    when_full: str
    fail_first: int | None
    seed: int
    jsonl: str | None
    capture: str | None
    #: The port for commands over HTTP.
    api: int | None

    @property
    def treatment(self) -> Treatment:
        """What the link does to connections. Raises UsageProblem."""
        dropped, size, count = self.idle_drop, self.reset_after, self.max_connections
        return Treatment(
            delay=self.delay if self.delay.relayed else NO_DELAY,
            idle_drop=None if dropped is None else idle_drop(dropped, self.idle_drop_with == "rst"),
            reset_after=None if size is None else ResetAfter(size, Counted(self.reset_counts)),
            limit=None if count is None else ConnectionLimit(count, WhenFull(self.when_full)),
            fail_first=self.fail_first or 0,
        )


def link_in_foreground(options: LinkOptions) -> int:
    """Relay until interrupted. Returns the exit code."""
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(interrupts())
        ledger = stack.enter_context(EventFile(options.jsonl))
        packets = stack.enter_context(CaptureFile(options.capture, ensure_capture, write_in_order))
        screen = console(stderr=options.jsonl == STDOUT)
        link = LoneLink(options.treatment, options.listen, options.to, options.seed, packets.into)
        stop.stops(link.interrupt)
        stack.enter_context(link)
        ledger.begin()
        orders = _StdinOrders(link)
        ticker = LinkTicker()
        _greet(screen, link, options.treatment)
        if options.api is not None:
            from econnlab.commands.link.api import LinkApi

            api = stack.enter_context(LinkApi(link, options.api))
            screen.text(f"accepts commands at {api.url}")
        stack.enter_context(Lines(orders.take))
        stack.callback(link.take_no_more)  # first of all: the commands would have no answer
        for batch in link.events():
            ledger.all(batch)
            for event in batch:
                packets.note(event)
            _show(screen, ticker, batch)
            orders.print_answers(screen)
        packets.write()
        screen.text(link_summary(link.tally))
    return ExitCode.INTERRUPTED


def _greet(screen: LabConsole, link: LoneLink, treatment: Treatment) -> None:
    screen.print(
        f"listening on {link.place}, relays to {harmless(str(link.to))}: {treatment}\n"
        "help lists what may be said to it; Ctrl-C ends",
    )


def _show(screen: LabConsole, ticker: LinkTicker, batch: Sequence[ConnectionEvent]) -> None:
    lines = [line for event in batch if (line := ticker.line(event)) is not None]
    if lines:  # together: printing costs more than making them
        screen.text("\n".join(lines))


class _StdinOrders:
    """Takes lines in the thread that reads them, and has the answers printed by the one that prints."""

    def __init__(self, link: LoneLink) -> None:
        self._link = link
        self._answers: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()

    def take(self, line: str) -> None:
        """Carry out what ``line`` says."""
        try:
            order = parse_order(line)
            if order is Ask.HELP:
                self._answers.put((HELP, False))
            elif order is Ask.STATUS:
                self._answers.put((status_text(self._link.status()), False))
            elif not isinstance(order, Ask):
                self._link.obey(order)  # the ledger tells what came of it
        except EconnlabError as error:
            self._answers.put((harmless_lines(error.in_one_line), True))
        self._link.wake()

    def print_answers(self, screen: LabConsole) -> None:
        """Print what has been asked for; what could not be understood goes to stderr."""
        while not self._answers.empty():
            text, is_problem = self._answers.get()
            if is_problem:
                click.echo(text, err=True)
            else:
                screen.text(text)
