"""A run as JSON Lines: the first line says what was run and where, each other one is an attempt or an event.

Lines are written as things happen, so a run cut off at any point is a valid shorter run.
"""

import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from econnlab.errors import UsageProblem
from econnlab.plaintext import harmless_values, without_passwords_in
from econnlab.record.attempts import Attempt, Request
from econnlab.record.events import ConnectionEvent
from econnlab.record.run import FORMAT, Facts, Run
from econnlab.scenario.codec import decode, decode_known, encode
from econnlab.scenario.model import Scenario

#: The longest lines of a record have some thousand characters, but for a scenario with a response body.
LONGEST_LINE = 20_000_000


def header_line(run: Run) -> str:
    """The first line of a record."""
    return (
        json.dumps(
            {
                "format": FORMAT,
                "scenario": without_passwords_in(encode(run.scenario)),
                "facts": dataclasses.asdict(run.facts),
            }
        )
        + "\n"
    )


def request_lines(request: Request) -> str:
    """A line per attempt."""
    return "".join(
        json.dumps({"attempt": dataclasses.asdict(attempt)}) + "\n" for attempt in request.attempts
    )


def event_line(event: ConnectionEvent) -> str:
    """One line."""
    return json.dumps({"event": event_json(event)}) + "\n"


def counters_line(run: Run) -> str:
    """What the kernel counted; the last line of a run that ended well."""
    return json.dumps({"counters": run.counters}) + "\n"


def event_json(event: ConnectionEvent) -> dict[str, Any]:
    """``event`` as what the json module writes, without the fields its kind does not fill."""
    return {key: value for key, value in dataclasses.asdict(event).items() if value is not None}


def read_run(lines: Iterable[str], name: str) -> Run:
    """The run in ``lines``, of the file ``name``. A last line cut off in the middle is left out.

    The file is untrusted: control characters in its texts are spelled out.

    Raises UsageProblem with the line's number if it is not a record.
    """
    numbered = enumerate(_bounded(lines, name), 1)
    run = _read_header(next(numbered, (1, ""))[1], name)
    attempts: list[Attempt] = []
    for number, line in numbered:
        if not line.endswith("\n"):
            break
        try:
            _read_entry(line, run, attempts)
        except (ValueError, TypeError, RecursionError, UsageProblem) as error:
            said = error.message if isinstance(error, UsageProblem) else "not JSON"
            raise UsageProblem(f"{name}, line {number}: not an entry of a record: {said}") from error
    run.requests.extend(_requests(attempts))
    run.interrupted = len(run.requests) < run.scenario.plan.total_requests
    return run


def _bounded(lines: Iterable[str], name: str) -> Iterator[str]:
    """``lines``; of a file's lines at most LONGEST_LINE characters are read."""
    readline = getattr(lines, "readline", None)
    if readline is None:
        yield from lines
        return
    for number in itertools.count(1):
        line = readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise UsageProblem(
                f"{name}, line {number}: longer than {LONGEST_LINE} characters, so not of a record.",
                "Give a file that --save wrote.",
            )
        if not line:
            return
        yield line


def _read_entry(line: str, run: Run, attempts: list[Attempt]) -> None:
    entry = harmless_values(json.loads(line))
    if not isinstance(entry, dict):
        raise UsageProblem("it is not an object.")
    if "format" in entry:
        raise UsageProblem("another run begins here; give one file a run.")
    if "attempt" in entry:
        attempt = decode_known(Attempt, entry["attempt"], "attempt")
        if attempt.row not in range(len(run.scenario.plan.intervals_ms)):
            raise UsageProblem(f"attempt.row: the run has no row {attempt.row}.")
        attempts.append(attempt)
    elif "event" in entry:
        run.events.append(decode_known(ConnectionEvent, entry["event"], "event"))
    elif "counters" in entry:
        run.counters.update(decode(dict[str, int], entry["counters"], "counters"))


def _read_header(line: str, name: str) -> Run:
    try:
        header = harmless_values(json.loads(line))
        if header["format"] > FORMAT:
            raise UsageProblem(
                f"{name} is a record of format {header['format']}.", "Use a newer econnlab to read it."
            )
        scenario = decode_known(Scenario, header["scenario"], "scenario")
        return Run(scenario, decode_known(Facts, header["facts"], "facts"))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageProblem(f"{name} is not a record of a run.", "Give a file that --save wrote.") from error


def _requests(attempts: list[Attempt]) -> list[Request]:
    by_id: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_id.setdefault(attempt.request_id, []).append(attempt)
    return [Request(tuple(tries)) for tries in by_id.values()]
