from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.errors import UsageProblem
from econnlab.scenario.durations import (
    MOST_INTERVALS,
    UNITS,
    format_ms,
    parse_duration,
    parse_intervals,
    seconds,
)

EXACT = st.decimals(min_value=0, max_value=80_000, places=3)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("4990", "4990"),
        ("4990ms", "4990"),
        ("4.99s", "4990"),
        ("2m", "120000"),
        ("0", "0"),
        (" 5 s ", "5000"),
        (".5ms", "0.5"),
        ("250us", "0.25"),
        ("24h", "86400000"),
    ],
)
def test_a_duration_is_exact_milliseconds(text, milliseconds):
    assert parse_duration(text) == Decimal(milliseconds)


@pytest.mark.parametrize(
    "text", ["", " ", "-5", "-5ms", "5 parsecs", "5S", "ms", "1e3", "nan", "1_000", "٣", "25h"]
)
def test_what_is_no_duration_is_refused_with_a_way_out(text):
    with pytest.raises(UsageProblem) as raised:
        parse_duration(text)
    assert raised.value.hint


def test_an_unknown_unit_is_named():
    with pytest.raises(UsageProblem, match="unknown unit 'parsecs'"):
        parse_duration("5 parsecs")


@given(EXACT, st.sampled_from(["us", "ms", "s"]))
def test_a_number_with_a_unit_reads_as_that_many(number, unit):
    assert parse_duration(f"{number:f}{unit}") == number * UNITS[unit]


@given(EXACT)
def test_what_is_printed_reads_back_the_same(milliseconds):
    assert parse_duration(format_ms(milliseconds)) == milliseconds


def test_seconds_are_what_timers_take():
    assert seconds(Decimal("4990.5")) == 4.9905


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("4990", ["4990"]),
        ("4900,4950", ["4900", "4950"]),
        ("4990..5000:5", ["4990", "4995", "5000"]),
        ("4990..4999:5", ["4990", "4995"]),
        ("4.9s..5s:50ms,1", ["4900", "4950", "5000", "1"]),
        ("0.1..0.3:0.1", ["0.1", "0.2", "0.3"]),
        ("5,5,5", ["5"]),
        ("7..7:1", ["7"]),
    ],
)
def test_intervals_are_lists_and_ranges(text, milliseconds):
    assert parse_intervals(text) == tuple(map(Decimal, milliseconds))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty interval"),
        ("4900,,4950", "empty interval"),
        ("4900..5000", "not a range"),
        ("..5000:5", "not a range"),
        ("4900..:5", "not a range"),
        ("4900..5000:0", "step of zero"),
        ("5000..4900:5", "ends before it begins"),
        ("-5..5:1", "negative"),
        ("4900..5000:-5", "negative"),
        ("0..1000000:1", "more than"),
        ("0..24h:1us", "more than"),
        ("a..b:c", "not a duration"),
    ],
)
def test_what_is_no_range_is_refused_saying_why(text, said):
    with pytest.raises(UsageProblem, match=said):
        parse_intervals(text)


@given(EXACT, st.integers(0, MOST_INTERVALS - 1), st.decimals(min_value="0.001", max_value=50, places=3))
def test_a_range_has_equal_steps_and_includes_its_end(first, steps, step):
    last = first + steps * step
    intervals = parse_intervals(f"{first:f}..{last:f}:{step:f}")
    assert intervals[0] == first
    assert intervals[-1] == last
    assert len(intervals) == steps + 1


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_a_sentence(text):
    try:
        assert parse_intervals(text)
    except UsageProblem as problem:
        assert problem.message
