"""A link in the foreground: its lines, what one may say to it, its ledger as a file, its summary."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Sequence
from typing import Any

import click

from econnlab.cli.console import LabConsole, OutputClosed, console
from econnlab.cli.interrupts import interrupts
from econnlab.cli.ledger import open_ledger, write_event
from econnlab.cli.outputs import STDOUT
from econnlab.commands.link.api import LinkApi
from econnlab.commands.link.lines import Lines
from econnlab.commands.link.lone_link import LoneLink
from econnlab.commands.link.report import LinkTicker, link_summary, status_text
from econnlab.errors import EconnlabError, ExitCode
from econnlab.plaintext import harmless, harmless_lines
from econnlab.record.events import ConnectionEvent
from econnlab.scenario.orders import HELP, Ask, idle_drop, parse_order
from econnlab.scenario.places import Place
from econnlab.scenario.treatment import NO_DELAY, Counted, Limit, ResetAfter, Treatment, WhenFull


def treatment_of(values: dict[str, Any]) -> Treatment:
    """What the options ask for. Raises UsageProblem."""
    dropped, size, count = values["idle_drop"], values["reset_after"], values["max_connections"]
    return Treatment(
        delay=values["delay"] if values["delay"].relayed else NO_DELAY,
        idle_drop=None if dropped is None else idle_drop(dropped, values["idle_drop_with"] == "rst"),
        reset_after=None if size is None else ResetAfter(size, Counted(values["reset_counts"])),
        limit=None if count is None else Limit(count, WhenFull(values["when_full"])),
        fail_first=values["fail_first"] or 0,
    )


def link_in_foreground(
    treatment: Treatment, listen: Place, to: Place, seed: int, jsonl: str | None, api_port: int | None
) -> int:
    """Relay until interrupted. Returns the exit code."""
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(interrupts())
        ledger = open_ledger(jsonl, stack)
        screen = console(stderr=jsonl == STDOUT)
        link = LoneLink(treatment, listen, to, seed)
        stop.stops(link.interrupt)
        stack.enter_context(link)
        talk = _Talk(link)
        ticker = LinkTicker()
        try:
            _greet(screen, link, treatment)
            if api_port is not None:
                api = stack.enter_context(LinkApi(link, api_port))
                screen.print(f"takes orders at {api.url}", soft_wrap=True)
            stack.enter_context(Lines(talk.take))
            stack.callback(link.take_no_more)  # first of all: nobody answers them any more
            for batch in link.events():
                for event in batch:
                    write_event(ledger, event)
                _show(screen, ticker, batch)
                talk.print_answers(screen)
            screen.print(link_summary(link.tally), soft_wrap=True)
        except OutputClosed:
            return ExitCode.PIPE_CLOSED
    return ExitCode.INTERRUPTED


def _greet(screen: LabConsole, link: LoneLink, treatment: Treatment) -> None:
    screen.print(
        f"listening on {link.place}, relays to {harmless(str(link.to))}: {treatment}\n"
        "help lists what may be said to it; Ctrl-C ends",
        soft_wrap=True,
    )


def _show(screen: LabConsole, ticker: LinkTicker, batch: Sequence[ConnectionEvent]) -> None:
    lines = [line for event in batch if (line := ticker.line(event)) is not None]
    if lines:  # together: printing costs more than making them
        screen.print("\n".join(lines), soft_wrap=True)


class _Talk:
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
            self._answers.put((harmless_lines(f"{error.message} {error.hint}".strip()), True))
        self._link.wake()

    def print_answers(self, screen: LabConsole) -> None:
        """Print what has been asked for; what could not be understood goes to stderr."""
        while not self._answers.empty():
            text, is_problem = self._answers.get()
            if is_problem:
                click.echo(text, err=True)
            else:
                screen.print(text, soft_wrap=True)
