"""What users read and machines parse, against golden files; ECONNLAB_UPDATE_GOLDEN=1 writes them anew."""

import csv
import io
import json
import os
import re
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from econnlab.attribution.summary import summarize
from econnlab.cli.header import header
from econnlab.commands.experiments.formats import csv as csv_format
from econnlab.commands.experiments.formats import json as json_format
from econnlab.commands.experiments.report.terminal import bar, report, request_line
from econnlab.plaintext import harmless
from econnlab.record.attempts import FAILURES, Outcome
from econnlab.record.events import Kind
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.links import PROFILES
from econnlab.scenario.model import Plan, Scenario
from econnlab.scenario.server import ServerSpec
from tests.support.making import attempt, lost, run, server
from tests.support.schemas import schema

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = schema("experiments")

RACE = [
    server(Kind.ACCEPTED, 90.0, peer="127.0.0.1:40001"),
    server(Kind.REQUEST, 95.0, request_id="1-1", method="GET"),
    server(Kind.IDLE_TIMEOUT, 99.9987, due=99.9985, idle_s=5.0002),
    server(Kind.CLOSED, 99.9987, reason="idle_timeout", how="fin", unread=0),
]


def keepalive():
    return run(attempt(), lost(), events=RACE)


def sweep():
    plan = Plan((Decimal(4900), Decimal("4999.5")), 2, 1)
    requests = [
        attempt(row=0, session=1),
        attempt(row=0, session=2),
        attempt(row=1, session=3),
        lost(row=1, session=4),
    ]
    return run(*requests, name="sweep", events=RACE, plan=plan, seed=7)


def maxconn():
    dropped = [
        server(Kind.ACCEPTED, 99.9, 2, peer="127.0.0.1:40002"),
        server(Kind.DROPPED, 99.91, 2, reason="close"),
        server(Kind.CLOSED, 99.91, 2, reason="over_capacity", how="rst", unread=140),
    ]
    failed = lost(
        Outcome.RESET,
        session=2,
        request=1,
        request_id="2-1",
        reused=False,
        idle_s=None,
        local="127.0.0.1:40002",
        error="ConnectionError < ProtocolError < ConnectionResetError",
        errno="ECONNRESET",
    )
    plan = Plan((Decimal(0),), 2, 1, together=True)
    return run(
        attempt(), failed, name="maxconn", events=dropped, plan=plan, server=ServerSpec(max_connections=1)
    )


def retried():
    rescued = (lost(), attempt(request=2, request_id="1-2", number=2, planned=None))
    made = run(
        attempt(), rescued, events=RACE, client=ClientSpec(retries=3), plan=Plan((Decimal(4990),), 1, 10)
    )
    made.interrupted = True
    return made


def nothing():
    made = run(plan=Plan((Decimal(5000),), 1, 10))
    made.interrupted = True
    return made


RUNS = {"keepalive": keepalive, "sweep": sweep, "maxconn": maxconn, "retried": retried, "nothing": nothing}


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("ECONNLAB_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def shown(renderable_of, width=110, **settings):
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, highlight=False, markup=False, emoji=False, color_system=None, **settings
    )
    console.print(renderable_of(console), soft_wrap=True)
    return stream.getvalue()


@pytest.mark.parametrize("name", RUNS)
def test_the_csv_is_as_it_was(name):
    golden(f"{name}.csv", csv_format.render(summarize(RUNS[name]())))


@pytest.mark.parametrize("name", RUNS)
def test_the_json_is_as_it_was_and_fits_its_schema(name):
    text = json_format.render(summarize(RUNS[name]()))
    jsonschema.validate(json.loads(text), SCHEMA, format_checker=jsonschema.FormatChecker())
    golden(f"{name}.json", text)


@pytest.mark.parametrize("name", RUNS)
def test_the_terminal_shows_what_it_showed(name):
    made = RUNS[name]()
    summary = summarize(made)
    text = shown(lambda _: header(made.scenario))
    for request in made.requests:
        failures = [f for f in summary.failures if f.attempt.request_id == request.last.request_id]
        text += shown(
            lambda _, request=request, failures=failures: request_line(made.scenario, request, failures)
        )
    golden(f"{name}.txt", text + shown(lambda console: report(summary, console)))


@pytest.mark.parametrize("name", RUNS)
def test_the_csv_begins_with_the_columns_that_others_rely_on(name):
    first, *_ = csv.reader(io.StringIO(csv_format.render(summarize(RUNS[name]()))))
    what = ["clients", "max_connections", "when_full"] if name == "maxconn" else ["interval_ms"]
    begins = [*what, "requests", "success", "failure", "failure_rate", "ci_low", "ci_high"]
    assert first[: len(begins)] == begins
    outcomes = [outcome.value for outcome in FAILURES]
    assert first[len(begins) : len(begins) + len(outcomes)] == outcomes


def test_a_narrow_terminal_keeps_every_figure():
    summary = summarize(sweep())
    text = shown(lambda console: report(summary, console), width=80)
    assert "4999.5" in text
    assert "50.0%" in text
    assert "keepalive_race" in text
    assert "█" in text and re.search(r"0x \d+  1x \d+  2x\+ \d+", text) and "closed 1" in text
    assert max(map(len, text.splitlines()[:8])) <= 80


def test_a_terminal_without_unicode_gets_plain_characters():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(file=stream, width=110, color_system=None)
    console.print(report(summarize(sweep()), console))
    stream.flush()


@pytest.mark.parametrize(
    ("rate", "drawn"), [(0, ""), (0.001, "▏"), (0.05, "▌"), (0.5, "█████"), (1, "██████████")]
)
def test_the_bar_shows_anything_above_nothing(rate, drawn):
    assert bar(rate, ascii_only=False) == drawn


@pytest.mark.parametrize(("rate", "drawn"), [(0, ""), (0.001, "."), (0.5, "#####"), (1, "##########")])
def test_the_bar_does_without_unicode(rate, drawn):
    assert bar(rate, ascii_only=True) == drawn


def test_the_header_names_whatever_shapes_the_result():
    busy = ServerSpec(
        busy_for_ms=Decimal(20), busy_every_ms=Decimal(1000), close_with="rst", max_connections=2
    )
    client = ClientSpec("urllib3", stale_check=False, retries=2, method="POST")
    text = header(Scenario("sweep", server=busy, link=PROFILES["wan"], client=client, seed=7)).plain
    for said in (
        "busy for 20 ms every 1000 ms",
        "closes with RST",
        "at most 2",
        "wan: 40 ms",
        "urllib3, POST",
        "no stale",
        "2 retries",
        "seed 7",
    ):
        assert said in text


def test_text_from_outside_reaches_no_terminal_as_control():
    assert harmless("\x1b[2Jtimeout=5\r\n[bold]\u202e") == "\\x1b[2Jtimeout=5\\r\\n[bold]\\u202e"
    url = "http://127.0.0.1/\x1b[2J"
    assert "\x1b" not in header(Scenario("keepalive", server=None, url=url)).plain
