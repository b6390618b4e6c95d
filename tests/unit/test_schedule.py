from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.lab.schedule import Agenda, spread_starts

ARTICLE_S = [4.9, 4.95, 4.98, 4.985, 4.99, 4.995, 5.0]


@given(st.lists(st.floats(0.05, 10), max_size=60), st.integers(1, 12), st.integers())
def test_every_session_starts_once_within_the_longest_period(periods, sends, seed):
    starts = spread_starts(periods, sends, seed)
    assert len(starts) == len(periods)
    assert all(0 <= start < max(periods) for start in starts)
    assert len(set(starts)) == len(starts)


def test_sessions_of_equal_intervals_never_meet():
    starts = sorted(spread_starts([5.0] * 500, sends=10, seed=1))
    assert min(b - a for a, b in pairwise(starts)) == pytest.approx(0.01)
    assert starts[0] + 5.0 - starts[-1] == pytest.approx(0.01)


def test_later_sends_of_unequal_intervals_keep_apart_better_than_by_chance():
    periods = ARTICLE_S * 20
    sends = sorted(
        start + k * period
        for start, period in zip(spread_starts(periods, 10, 1), periods, strict=True)
        for k in range(10)
    )
    close = sum(b - a < 0.002 for a, b in pairwise(sends))
    # 28 sends a second at random would lie within 2 ms of the next one 5.4 % of the time.
    assert close / len(sends) < 0.01


def test_a_seed_makes_the_same_schedule_again():
    assert (
        spread_starts(ARTICLE_S, 10, 7) == spread_starts(ARTICLE_S, 10, 7) != spread_starts(ARTICLE_S, 10, 8)
    )


def test_rows_are_mixed_over_the_window():
    """Rows that each fill their own stretch would each meet another state of the machine."""
    starts = spread_starts([4.9] * 50 + [5.0] * 50, 10, 1)
    assert sum(start < 2.5 for start in starts[:50]) in range(10, 41)


def test_nothing_to_spread_is_no_start():
    assert spread_starts([], 10, 1) == []


@given(st.lists(st.tuples(st.floats(0, 100), st.integers())))
def test_the_agenda_gives_what_is_due_in_order_and_nothing_else(entries):
    agenda = Agenda[int]()
    for due, who in entries:
        agenda.add(due, who)
    taken = []
    while (task := agenda.take(until=50)) is not None:
        taken.append(task)
    assert taken == sorted(taken, key=lambda task: task[0])
    assert sorted(taken) == sorted(entry for entry in entries if entry[0] <= 50)
    assert agenda.next_due is None or agenda.next_due > 50


def test_who_is_due_at_the_same_moment_comes_in_the_order_of_entry():
    agenda = Agenda[str]()
    for who in "abc":
        agenda.add(1.0, who)
    assert [agenda.take(1.0), agenda.take(1.0), agenda.take(1.0)] == [(1.0, "a"), (1.0, "b"), (1.0, "c")]
