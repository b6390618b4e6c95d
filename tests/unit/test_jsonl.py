import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.attribution.summary import summarize
from econnlab.errors import UsageProblem
from econnlab.record.events import Kind
from econnlab.record.jsonl import event_line, header_line, read_run, request_lines
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.codec import decode, encode
from econnlab.scenario.links import PROFILES
from econnlab.scenario.model import Plan, Scenario
from econnlab.scenario.server import ServerSpec
from tests.support.making import attempt, link, lost, run, server

EVENTS = [
    server(Kind.ACCEPTED, 90.0, peer="127.0.0.1:40001"),
    link(Kind.BYTES, 100.003, side="client", bytes=150, began=100.0001),
    server(Kind.BUSY, 99.5, None, began=99.4),
]


def written(made):
    lines = [header_line(made), *map(request_lines, made.requests), *map(event_line, made.events)]
    return "".join(lines).splitlines(keepends=True)


def test_a_run_reads_back_as_it_was_written():
    retried = (lost(), attempt(request=2, request_id="1-2", number=2, planned=None))
    made = run(attempt(), retried, events=EVENTS, link="article", plan=Plan((Decimal("0.1"),), 1, 2))
    read = read_run(written(made), "run.jsonl")
    assert read == made


@given(st.integers(0, 5000))
def test_a_run_cut_off_anywhere_is_a_valid_shorter_run(length):
    whole = "".join(written(run(attempt(), lost(), events=EVENTS)))
    cut = whole[: max(length, whole.index("\n") + 1)]
    read = read_run(cut.splitlines(keepends=True), "run.jsonl")
    assert len(read.requests) == cut.count('{"attempt"') - (
        not cut.endswith("\n") and '{"attempt"' in cut.splitlines()[-1]
    )
    assert read.interrupted == (len(read.requests) < 2)


@pytest.mark.parametrize(
    "lines",
    [[], ["\n"], ["{}\n"], ["[]\n"], ['"a"\n'], ["garbage\n"], ['{"format": 1}\n'], ['{"format": "1"}\n']],
)
def test_what_is_no_record_is_refused(lines):
    with pytest.raises(UsageProblem, match="not a record"):
        read_run(lines, "notes.txt")


def test_a_record_of_a_later_format_is_refused_as_such():
    line = json.loads(header_line(run()))
    with pytest.raises(UsageProblem, match="format 99"):
        read_run([json.dumps({**line, "format": 99}) + "\n"], "run.jsonl")


@pytest.mark.parametrize(
    "line",
    [
        "garbage\n",
        "5\n",
        '{"attempt": {}}\n',
        '{"attempt": 5}\n',
        '{"attempt": {"outcome": "bored"}}\n',
        '{"event": {"at": 1}}\n',
        '{"event": {"at": "noon", "source": "server", "kind": "accepted"}}\n',
        '{"event": {"at": NaN, "source": "server", "kind": "accepted"}}\n',
        '{"event": {"at": Infinity, "source": "server", "kind": "accepted"}}\n',
        '{"event": {"at": 1.0, "source": "server", "kind": "accepted", "plan": 5}}\n',
        f'{{"event": {{"at": {"9" * 5000}, "source": "server", "kind": "accepted"}}}}\n',
        f'{{"event": {{"at": {"9" * 400}, "source": "server", "kind": "accepted"}}}}\n',
        f"{'[' * 100_000}{']' * 100_000}\n",
    ],
)
def test_a_broken_line_is_named_by_its_number(line):
    with pytest.raises(UsageProblem, match=r"run\.jsonl, line 3"):
        read_run([*written(run(attempt())), line], "run.jsonl")


def test_a_line_without_an_end_is_not_read_whole():
    class Endless(io.StringIO):
        """As `yes | tr -d '\\n'`: it gives what is asked for."""

        def readline(self, size=-1):
            assert 0 < size < 100_000_000
            return "y" * size

    with pytest.raises(UsageProblem, match=r"run\.jsonl, line 1: longer than 20000000 characters"):
        read_run(Endless(), "run.jsonl")


def test_a_plan_of_a_link_alone_is_read_as_it_is():
    line = '{"event": {"at": 1.0, "source": "link", "kind": "changed", "plan": {"drop": [1, null]}}}\n'
    assert read_run([*written(run(attempt())), line], "run.jsonl").events[0].plan == {"drop": [1, None]}


def test_control_characters_of_a_strange_file_are_spelled_out():
    *lines, last = written(run(attempt(error="BadStatusLine\x1b[2J"), name="\x1b]0;title\x07"))
    read = read_run([*lines, last], "run.jsonl")
    assert read.scenario.name == "\\x1b]0;title\\x07"
    assert read.requests[0].last.error == "BadStatusLine\\x1b[2J"


def test_fields_of_a_later_version_are_left_out():
    *lines, last = written(run(attempt()))
    entry = json.loads(last)
    entry["attempt"]["mood"] = "good"
    assert read_run([*lines, json.dumps(entry) + "\n"], "run.jsonl").requests == run(attempt()).requests


DECIMALS = st.decimals(min_value=0, max_value=10_000, places=3)
SCENARIOS = st.builds(
    Scenario,
    name=st.text(max_size=20),
    server=st.builds(
        ServerSpec,
        keepalive_timeout_ms=DECIMALS,
        advertise=st.booleans(),
        max_connections=st.none() | st.integers(1, 9),
    ),
    link=st.sampled_from(list(PROFILES.values())),
    client=st.builds(ClientSpec, stale_check=st.booleans(), retries=st.integers(0, 9)),
    plan=st.builds(
        Plan, st.lists(DECIMALS, min_size=1, max_size=5).map(tuple), st.integers(1, 9), st.integers(1, 9)
    ),
    seed=st.integers(),
)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(list(attempt().__dataclass_fields__)), JSON))
def test_an_attempt_of_any_values_is_read_or_refused(values):
    entry = {"attempt": {**json.loads(request_lines(run(attempt()).requests[0]))["attempt"], **values}}
    try:
        summarize(read_run([header_line(run(attempt())), json.dumps(entry) + "\n"], "run.jsonl"))
    except UsageProblem as problem:
        assert "line 2" in problem.message


@given(SCENARIOS)
def test_a_scenario_survives_json(scenario):
    assert decode(Scenario, json.loads(json.dumps(encode(scenario)))) == scenario


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"plan": {"sessions": "many"}}, r"plan\.sessions: expected a whole number, found 'many'"),
        ({"plan": {"sessions": True}}, r"plan\.sessions: expected a whole number, found True"),
        ({"plan": {"intervals_ms": 5}}, r"plan\.intervals_ms: expected a list"),
        ({"plan": {"intervals_ms": ["x"]}}, r"plan\.intervals_ms\[0\]: expected a decimal number"),
        ({"plan": {"intervals_ms": ["NaN"]}}, r"plan\.intervals_ms\[0\]: expected a decimal number"),
        ({"client": {"stale_check": 1}}, r"client\.stale_check: expected true or false"),
        ({"client": {"mood": 1}}, r"client\.mood: there is no such key"),
        ({"client": []}, r"client: expected a table"),
        ({"name": 5}, r"name: expected text"),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_what_was_expected(change, said):
    with pytest.raises(UsageProblem, match=said):
        decode(Scenario, {"name": "x", **change})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Plan(()),
        lambda: Plan(sessions=0),
        lambda: Plan(requests=0),
        lambda: Plan(sessions=1_000_000),
        lambda: Plan(sessions=10_000, requests=1_000),
        lambda: ServerSpec(max_connections=0),
        lambda: ServerSpec(busy_for_ms=Decimal(5), busy_every_ms=Decimal(5)),
        lambda: Scenario("x", server=None),
        lambda: Scenario("x", url="http://127.0.0.1/"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_starts(make):
    with pytest.raises(UsageProblem) as raised:
        make()
    assert raised.value.hint


def test_a_record_with_a_client_s_earlier_key_is_read():
    made = run(client=ClientSpec(honour_keep_alive_ms=Decimal("50")))
    lines = [line.replace("honour_keep_alive_ms", "keep_alive_margin_ms") for line in written(made)]
    assert "keep_alive_margin_ms" in lines[0]
    assert read_run(lines, "run.jsonl").scenario == made.scenario


def test_a_record_from_before_the_epoch_was_kept_is_read():
    header, *rest = written(run(attempt()))
    old = json.loads(header)
    del old["facts"]["epoch"]
    assert read_run([json.dumps(old) + "\n", *rest], "old").facts.epoch is None
