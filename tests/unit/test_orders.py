"""What one may say to a link while it runs, as text and as JSON."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.errors import UsageProblem
from econnlab.scenario.links import MOST_JITTER, PROFILES, parse_link
from econnlab.scenario.model import Middlebox
from econnlab.scenario.orders import (
    HELP,
    Act,
    Ask,
    Change,
    Do,
    parse_order,
    parse_settings,
    spelled,
)
from econnlab.scenario.treatment import NO_DELAY, ConnectionLimit, Counted, ResetAfter, Treatment, WhenFull

VERBS = "delay idle-drop reset-after limit fail-first reset pause resume status help".split()
WORDS = "off rst silent 2s 0 1 5 1000 to-client both wan 40ms~0.2 2ms/1ms -1 1e3 ٣ ~ / \x1b[31m".split(" ")


def delays():
    median = st.integers(0, 10**8).map(lambda us: f"{Decimal(us) / 1000:f}ms")
    jitter = st.integers(1, 300).map(lambda hundredth: f"~{Decimal(hundredth) / 100:f}")
    one = st.builds(str.__add__, median, st.just("") | jitter)
    return (st.sampled_from([name for name in PROFILES if name != "none"]) | one).map(parse_link) | st.builds(
        lambda there, back: parse_link(f"{there}/{back}"), one, one
    )


def treatments():
    whole = st.integers(1, 10**9)
    return st.builds(
        Treatment,
        delay=delays(),
        idle_drop=st.none() | st.builds(Middlebox, st.integers(1, 10**7).map(Decimal), st.booleans()),
        reset_after=st.none() | st.builds(ResetAfter, whole, st.sampled_from(Counted)),
        limit=st.none() | st.builds(ConnectionLimit, whole, st.sampled_from(WhenFull)),
        fail_first=st.integers(0, 10**9),
    )


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("delay 40ms~0.2", Change({"delay": parse_link("40ms~0.2")})),
        ("delay off", Change({"delay": parse_link("0ms")})),
        ("delay none", Change({"delay": parse_link("0ms")})),
        ("  idle-drop\t2s  rst ", Change({"idle_drop": Middlebox(Decimal(2000), True)})),
        ("idle-drop 500", Change({"idle_drop": Middlebox(Decimal(500), False)})),
        ("idle-drop off", Change({"idle_drop": None})),
        ("reset-after 1000", Change({"reset_after": ResetAfter(1000, Counted.TO_CLIENT)})),
        ("reset-after 1 both", Change({"reset_after": ResetAfter(1, Counted.BOTH)})),
        ("limit 5", Change({"limit": ConnectionLimit(5, WhenFull.CLOSE)})),
        ("limit 5 queue", Change({"limit": ConnectionLimit(5, WhenFull.QUEUE)})),
        ("limit off", Change({"limit": None})),
        ("fail-first 3", Change({"fail_first": 3})),
        ("fail-first off", Change({"fail_first": 0})),
        ("reset", Do(Act.RESET)),
        ("reset 3", Do(Act.RESET, 3)),
        ("pause", Do(Act.PAUSE)),
        ("resume 12", Do(Act.RESUME, 12)),
        ("status", Ask.STATUS),
        ("help", Ask.HELP),
    ],
)
def test_what_is_understood(line, order):
    assert parse_order(line) == order


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "'' is not one of delay"),
        ("Reset", "'Reset' is not one of delay"),
        ("reset all", "'all' is not a whole number from 1"),
        ("reset 0", "'0' is not a whole number from 1"),
        ("reset 1_000", "not a whole number"),
        ("reset 1 2", "takes the number of a connection, or nothing"),
        ("delay", "delay takes one link"),
        ("delay 1h~9", "jitter"),
        ("idle-drop 0 rst", "0 ms"),
        ("idle-drop 2s fin", "'fin' is neither silent nor rst"),
        ("idle-drop 2s rst now", "idle-drop takes a time"),
        ("reset-after 1k", "'1k' is not a whole number"),
        ("reset-after 5 to-nobody", "'to-nobody' is not one of to-client, to-server, both"),
        ("limit 0", "'0' is not a whole number from 1"),
        ("limit 3 unavailable", "'unavailable' is not one of close, reset, queue"),
        ("status now", "status takes no words"),
        ("x" * 2000, "at most 1000 characters"),
        ("\x1b[31m", r"'\x1b[31m' is not one of"),
    ],
)
def test_what_is_not(line, said):
    with pytest.raises(UsageProblem) as raised:
        parse_order(line)
    assert said in str(raised.value)


@given(
    st.text(max_size=60)
    | st.builds(
        lambda verb, words: " ".join([verb, *words]),
        st.sampled_from(VERBS),
        st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=3),
    )
)
def test_any_line_is_an_order_or_a_problem_in_plain_words(line):
    try:
        order = parse_order(line)
    except UsageProblem as problem:
        assert str(problem)
        return
    if isinstance(order, Change):
        order.applied_to(Treatment())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(JSON | st.dictionaries(st.sampled_from(VERBS), JSON, max_size=4))
def test_any_json_is_a_change_or_a_problem(document):
    try:
        change = parse_settings(document)
    except UsageProblem:
        return
    change.applied_to(Treatment())


@given(treatments())
def test_settings_are_spelled_as_they_are_read(treatment):
    written = json.loads(json.dumps(spelled(treatment)))
    read = parse_settings(written).applied_to(Treatment(fail_first=1))
    assert (read.delay.to_server, read.delay.to_client) == (
        treatment.delay.to_server,
        treatment.delay.to_client,
    )
    assert (read.idle_drop, read.reset_after) == (treatment.idle_drop, treatment.reset_after)
    assert (read.limit, read.fail_first) == (treatment.limit, treatment.fail_first)
    assert str(read)


@given(treatments())
def test_a_line_and_a_key_say_the_same(treatment):
    for verb, value in spelled(treatment).items():
        assert parse_order(f"{verb} {'off' if value is None else value}") == parse_settings({verb: value})


def test_a_change_leaves_the_rest():
    before = Treatment(limit=ConnectionLimit(5), fail_first=2)
    after = parse_settings({"limit": False, "delay": 5}).applied_to(before)
    assert (after.limit, after.fail_first, after.delay.to_server.median_ms) == (None, 2, 5)
    assert before.limit == ConnectionLimit(5)


def test_the_help_names_every_verb():
    assert all(verb in HELP for verb in VERBS)


def test_no_jitter_is_beyond_what_a_link_takes():
    assert MOST_JITTER == 3
    assert NO_DELAY.to_server == parse_link("0ms").to_server
