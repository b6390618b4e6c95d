"""The summary of a log as lines of text. Everything from the log is harmless."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from econnlab.commands.explain.log.idle import Finding
from econnlab.commands.explain.log.stamps import every_hour
from econnlab.commands.explain.log.tally import Group, Tally
from econnlab.commands.explain.report import Line
from econnlab.plaintext import harmless

_BARS = "▁▂▃▄▅▆▇█"
_ASCII = "123456789"
_MOST_HOURS = 72
_MOST_TARGETS = 5
_MOST_COMMANDS = 3


def page(tally: Tally, name: str, width: int, *, ascii_only: bool) -> Iterator[Line]:
    """What the log ``name`` shows, no line wider than ``width``."""
    yield from _wrapped(headline(tally, name), width, "", "bold")
    for note in notes(tally):
        yield from _wrapped(note, width, "")
    for group in tally.ordered:
        yield Line("")
        yield from _group(group, every_hour(tally.hours), width, ascii_only=ascii_only)
    if tally.idle:
        yield from (Line(""), Line("idle times", "heading"))
        for finding in tally.idle:
            yield from _wrapped(sentence(finding), width)
    commands = next_commands(tally)
    if commands:
        yield from (Line(""), Line("run now", "heading"))
        yield from (Line(f"  {command}") for command in commands)


def headline(tally: Tally, name: str) -> str:
    """One sentence: what was read, and how much of it failed."""
    failures = tally.failures
    many = "1 failure" if failures == 1 else f"{failures} failures"
    stamps = sorted(stamp for group in tally.groups.values() for stamp in (group.first, group.last) if stamp)
    when = f", from {stamps[0]} to {stamps[-1]}" if stamps else ""
    lines = "1 line" if tally.lines == 1 else f"{tally.lines} lines"
    return f"{harmless(name)}: {lines} read as {tally.format}, {many} of connections{when}"


def notes(tally: Tally) -> Iterator[str]:
    """What limits the summary."""
    if tally.interrupted:
        yield "Interrupted: this is what was read until then."
    if tally.problem:
        yield tally.problem
    if tally.other_shape:
        yield f"{tally.other_shape} lines are not of this format; they were read as text."
    if tally.lost and not tally.timed:
        yield "No idle times: the lines carry no times of requests, or each target was asked once."
    if tally.format == "combined":
        yield (
            "This format names no upstream. With $upstream_addr $upstream_status $request_time $msec in "
            "nginx's log_format, and that string as --format, idle times are shown too."
        )


def sentence(finding: Finding) -> str:
    """``41 of 44 came 59 to 61 s after the last request on that target: as ...'s 60 s``."""
    of = f"{harmless(finding.target)}: " if finding.target else ""
    found = (
        f"{of}{finding.within} of {finding.lost} lost requests came {finding.from_s:g} to "
        f"{finding.until_s:g} s after the last request on that target"
    )
    share = f" ({finding.asked} requests of the log came after such a pause)"
    if finding.timeout_s is None:
        return f"{found}{share}: no known default, but it looks like one idle timeout."
    return f"{found}: as the {finding.timeout_s:g} s of {' or '.join(finding.products)}{share}."


def next_commands(tally: Tally) -> list[str]:
    """At most three: what the idle times point at first, then those of the largest group."""
    found = [f"econnlab timeouts {' '.join(tally.idle[0].products)}"] if _named(tally) else []
    for group in tally.ordered[:1]:
        found += group.answer.next
    return list(dict.fromkeys(found))[:_MOST_COMMANDS]


def _named(tally: Tally) -> bool:
    return bool(tally.idle and tally.idle[0].products)


def _group(group: Group, hours: list[str], width: int, *, ascii_only: bool) -> Iterator[Line]:
    answer = group.answer
    yield from _wrapped(f"{group.count}  {answer.product}: {answer.word.title}", width, "", "bold")
    yield from _wrapped(f"causes: {', '.join(answer.causes)}", width)
    if group.first:
        yield from _wrapped(f"first {group.first}, last {group.last}", width)
        yield from _bars(group.hours, hours, width, ascii_only=ascii_only)
    if group.targets:
        most = [f"{harmless(name)} {count}" for name, count in group.targets.most_common(_MOST_TARGETS)]
        yield from _wrapped(f"targets: {', '.join(most)}", width)
    yield Line("  for example")
    for example in group.examples:
        yield from _wrapped(example, width, "    ")


def _bars(counts: Counter[str], hours: list[str], width: int, *, ascii_only: bool) -> Iterator[Line]:
    """A bar an hour, at most for the last three days."""
    shown = hours[-max(1, min(_MOST_HOURS, width - 4)) :]
    most = max(counts.values())
    signs = _ASCII if ascii_only else _BARS
    heights = [round(counts[hour] / most * (len(signs) - 1)) for hour in shown]
    bars = "".join(
        signs[height] if counts[hour] else "." for hour, height in zip(shown, heights, strict=True)
    )
    yield from _wrapped(f"a bar an hour, {shown[0]} to {shown[-1]}, at most {most}", width)
    yield Line(f"    {bars}")


def _wrapped(text: str, width: int, lead: str = "  ", style: str = "") -> Iterator[Line]:
    for line in textwrap.wrap(
        text, max(20, width), initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False
    ):
        yield Line(line, style)
