"""Scenarios to TOML and back, and what a scenario expects of its run."""

from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from econnlab.attribution.expectations import broken
from econnlab.attribution.summary import summarize
from econnlab.discovery import parts
from econnlab.errors import UsageProblem
from econnlab.record.attempts import FAILURES, Outcome
from econnlab.record.events import Kind
from econnlab.scenario.catalogue import COMMANDS, load, names
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.expect import Count, Expect, ProcessedCounts, parse_count
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Kernel, Middlebox, Plan, Scenario
from econnlab.scenario.server import Ending, Fault, Restart, Retirement, ServerSpec, Stage
from econnlab.scenario.toml import read_scenario, write_scenario
from tests.support.making import attempt, lost, run, server

durations = st.decimals(min_value=0, max_value=86_400_000, places=3).map(Decimal)
counts = st.builds(
    lambda low, more: Count(low, None if more is None else low + more),
    st.integers(0, 1000),
    st.none() | st.integers(0, 1000),
)
faults = st.builds(
    Fault,
    st.sampled_from([stage for stage in Stage if stage is not Stage.HANDSHAKE]),
    st.sampled_from([Ending.FIN, Ending.RST]),
    st.integers(1, 9),
    after_ms=durations,
)
restarts = st.builds(Restart, durations, st.sampled_from(Retirement), durations)
servers = st.builds(
    ServerSpec,
    keepalive_timeout_ms=durations.filter(bool),
    max_requests=st.none() | st.integers(1, 99),
    header_timeout_ms=st.none() | durations,
    status=st.just(200) | st.integers(400, 599),
    retry_after_ms=st.none() | durations,
    fault=st.none() | faults,
    restart=st.none() | restarts,
    tls=st.booleans(),
)
expectations = st.builds(
    Expect,
    success=st.none() | counts,
    failure=st.none() | counts,
    outcomes=st.none() | st.dictionaries(st.text(), counts),
    causes=st.none() | st.dictionaries(st.text(), counts),
    processed=st.none() | st.builds(ProcessedCounts, *[st.none() | counts] * 3),
)
scenarios = st.builds(
    Scenario,
    name=st.just("any"),
    title=st.text(),
    story=st.text(),
    server=servers,
    url=st.none(),
    link=st.sampled_from(["none", "article", "2ms~0.5/40ms", "3ms"]).map(parse_link),
    middlebox=st.none() | st.builds(Middlebox, durations, st.booleans()),
    kernel=st.none() | st.builds(Kernel, st.dictionaries(st.text(), st.text(), min_size=1)),
    client=st.builds(
        ClientSpec,
        kind=st.text(),
        blocked_ms=durations,
        tls=st.none() | st.booleans(),
        timeout_ms=durations.filter(bool),
    ),
    plan=st.builds(
        Plan,
        st.lists(durations, min_size=1, max_size=5, unique=True).map(tuple),
        st.integers(1, 9),
        st.integers(1, 9),
        st.booleans(),
    ),
    seed=st.integers(),
    expect=st.none() | expectations,
)


@given(scenarios)
def test_what_is_written_reads_as_the_very_same(scenario):
    assert read_scenario(write_scenario(scenario), "any", "any.toml") == scenario


def test_a_key_of_an_earlier_version_is_read():
    old, new = (
        read_scenario(f'[plan]\n[client]\n{key} = "1s"\n', "mine", "mine.toml")
        for key in ("keep_alive_margin", "honour_keep_alive")
    )
    assert old == new
    assert new.client.honour_keep_alive_ms == 1000


def test_packets_are_delayed_by_the_wire_or_bytes_by_the_link():
    with pytest.raises(UsageProblem, match="no link and no middlebox"):
        Scenario("both", kernel=Kernel({}, Decimal(20)), link=parse_link("wan"))


@pytest.mark.parametrize("name", [*names(), *names(COMMANDS)])
def test_every_scenario_that_comes_with_the_lab_survives_it(name):
    assert read_scenario(write_scenario(load(name)), name, "written") == load(name)


@pytest.mark.parametrize("name", names())
def test_what_a_scenario_expects_exists(name):
    """Each says how its run must come out, in outcomes and causes that the lab knows."""
    expect = load(name).expect
    assert expect is not None
    assert (expect.success or expect.failure) is not None
    assert set(expect.outcomes or {}) <= {outcome.value for outcome in FAILURES}
    assert set(expect.causes or {}) <= set(parts("econnlab.attribution.causes"))
    if expect.failure is not None and expect.failure.low:
        assert expect.causes, "a scenario that fails names its cause"


# -- counts and expectations ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "holds", "not_held"),
    [("10", [10], [9, 11]), ("8..12", [8, 12], [7, 13]), ("5..", [5, 5000], [4]), (" 0 ", [0], [1])],
)
def test_a_count_says_what_it_holds(text, holds, not_held):
    count = parse_count(text)
    assert all(number in count for number in holds)
    assert not any(number in count for number in not_held)
    assert parse_count(str(count)) == count


@given(st.text())
def test_any_text_is_a_count_or_refused(text):
    try:
        assert parse_count(text).low >= 0
    except UsageProblem as problem:
        assert "count" in problem.message or "ends before" in problem.message


RACE = [
    server(Kind.ACCEPTED, 90.0, peer="127.0.0.1:40001"),
    server(Kind.PROCESSED, 90.001, request_id="1-1"),
    server(Kind.IDLE_TIMEOUT, 99.9987, due=99.9985, idle_s=5.0002),
    server(Kind.CLOSED, 99.9987, reason="idle_timeout", how="fin", unread=0),
]


def one_lost():
    return summarize(run(attempt(), lost(), events=RACE))


def exactly(number):
    return Count(number, number)


def test_a_run_that_shows_what_is_expected_breaks_nothing():
    expect = Expect(
        success=exactly(1),
        failure=exactly(1),
        outcomes={"closed": exactly(1)},
        causes={"keepalive_race": Count(1, None)},
        processed=ProcessedCounts(lost=exactly(1), once=exactly(1), more=exactly(0)),
    )
    assert broken(one_lost(), expect) == []
    assert broken(one_lost(), Expect()) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        (Expect(success=exactly(2)), ["success: expected 2, found 1"]),
        (Expect(failure=Count(2, 5)), ["failure: expected 2..5, found 1"]),
        (Expect(outcomes={"reset": exactly(0)}), ["outcomes.closed: expected 0, found 1"]),
        (
            Expect(causes={"crash": exactly(1)}),
            ["causes.crash: expected 1, found 0", "causes.keepalive_race: expected 0, found 1"],
        ),
        (Expect(processed=ProcessedCounts(more=Count(1, None))), ["processed.more: expected 1.., found 0"]),
    ],
)
def test_what_does_not_hold_is_named_with_what_was_found(expect, said):
    assert broken(one_lost(), expect) == said


def test_nobody_knows_what_a_server_of_the_users_carried_out():
    summary = summarize(run(lost(Outcome.RESET), server=None, url="http://127.0.0.1:9/"))
    (said,) = broken(summary, Expect(processed=ProcessedCounts(once=exactly(1))))
    assert "unknown without the server" in said
