import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.errors import UsageProblem
from econnlab.link.delays import delays
from econnlab.scenario.links import PROFILES, Delay, parse_link


def test_every_profile_is_known_by_its_name():
    assert list(PROFILES) == ["none", "article", "lan", "region", "wan"]
    for name, profile in PROFILES.items():
        assert parse_link(name) is profile


def test_only_none_goes_without_a_relay():
    assert [name for name, profile in PROFILES.items() if not profile.relayed] == ["none"]


def test_a_custom_link_has_a_median_and_a_jitter_for_each_direction():
    link = parse_link("2ms~0.5/40ms~.1")
    assert link.to_server == Delay(Decimal(2), Decimal("0.5"))
    assert link.to_client == Delay(Decimal(40), Decimal("0.1"))
    assert link.relayed
    assert link.round_trip_ms == 42


def test_one_delay_holds_both_ways():
    link = parse_link("2")
    assert link.to_server == link.to_client == Delay(Decimal(2), Decimal(0))


@pytest.mark.parametrize(
    "text", ["", "moon", "2ms~", "2ms~x", "2ms~-1", "2ms~9", "2ms~nan", "/2ms", "1ms/2ms/3ms"]
)
def test_what_is_no_link_is_refused_with_the_names_of_those_there_are(text):
    with pytest.raises(UsageProblem) as raised:
        parse_link(text)
    assert "article" in raised.value.hint


def test_equal_seeds_draw_equal_delays_and_others_do_not():
    delay = PROFILES["article"].to_server
    draws = [
        [draw() for _ in range(50)] for draw in (delays(delay, "a"), delays(delay, "a"), delays(delay, "b"))
    ]
    assert draws[0] == draws[1] != draws[2]


@given(st.integers())
def test_without_jitter_every_delay_is_the_median(seed):
    draw = delays(Delay(Decimal(3), Decimal(0)), str(seed))
    assert {draw() for _ in range(5)} == {0.003}


def test_the_delays_have_the_median_and_the_jitter_asked_for():
    draw = delays(Delay(Decimal(2), Decimal("1.2")), "seeded, so this is the same in every run")
    drawn = sorted(draw() for _ in range(20_001))
    assert statistics.median(drawn) == pytest.approx(0.002, rel=0.05)
    # One standard deviation above the median of the logarithm is the 84.13 % quantile.
    assert drawn[int(0.8413 * len(drawn))] == pytest.approx(0.002 * 2.718281828**1.2, rel=0.05)
