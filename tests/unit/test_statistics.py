import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.attribution.statistics import Z95, differ, quantile, wilson


@pytest.mark.parametrize(
    ("failures", "trials", "low", "high"),
    [
        # scipy 1.17: binomtest(failures, trials).proportion_ci(method="wilson")
        (0, 10, 0.0, 0.27753279986288926),
        (1, 10, 0.017876213095072896, 0.4041500267952385),
        (2, 10, 0.056682151454375274, 0.5098375284633583),
        (4, 10, 0.16818032970623614, 0.6873262302663417),
        (10, 10, 0.7224672001371109, 1.0),
        (15, 200, 0.045974917184382014, 0.12004361023629459),
    ],
)
def test_the_wilson_interval_is_scipys(failures, trials, low, high):
    assert wilson(failures, trials) == pytest.approx((low, high), abs=1e-12)


def test_nothing_tried_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_of_the_interval_are_where_the_score_test_turns(counted):
    failures, trials = counted
    rate = failures / trials
    low, high = wilson(failures, trials)
    assert 0 <= low <= rate <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            score = abs(rate - end) / math.sqrt(end * (1 - end) / trials)
            assert score == pytest.approx(Z95, rel=1e-6)


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(0, 1))
def test_a_quantile_is_one_of_the_values_with_that_share_at_or_below(values, share):
    ordered = sorted(values)
    value = quantile(ordered, share)
    assert value in ordered
    assert sum(each <= value for each in ordered) >= share * len(ordered) - 1e-6


def test_no_values_have_no_quantile():
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@pytest.mark.parametrize(
    ("counted", "so"),
    [
        # Newcombe 1998, Statistics in Medicine 17:873, table II: 56/70 and 48/80 differ by 5.2 to 33.4 %,
        # 9/10 and 3/10 by 17.1 to 80.9, 6/7 and 2/7 by 5.8 to 80.6, 5/56 and 0/29 by -3.8 to 19.3
        ((56, 70, 48, 80), True),
        ((9, 10, 3, 10), True),
        ((6, 7, 2, 7), True),
        ((5, 56, 0, 29), False),
        ((0, 10, 0, 20), False),
        ((10, 10, 0, 20), True),
        ((0, 0, 5, 10), False),
    ],
)
def test_rates_differ_where_newcombes_interval_leaves_out_nothing(counted, so):
    failures, trials, others, other_trials = counted
    assert differ(failures, trials, others, other_trials) is so
    assert differ(others, other_trials, failures, trials) is so


@given(*[st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))] * 2)
def test_intervals_that_do_not_overlap_differ(one, other):
    (low, high), (other_low, other_high) = wilson(*one), wilson(*other)
    if high < other_low or other_high < low:
        assert differ(*one, *other)
