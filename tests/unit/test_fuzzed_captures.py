"""Some damaged captures, always the same; ``make fuzz`` makes more of them."""

import pytest
from hypothesis import HealthCheck, given, settings

from econnlab.packets.frames import MalformedCapture
from tests.fuzz.bases import BASES
from tests.fuzz.damage import damaged_captures, pieces_of
from tests.fuzz.holding import FUNCTIONS, Hang, check, traced, within


@pytest.mark.parametrize(("name", "examples"), [("read", 60), ("diagnose", 25)])
def test_a_damaged_capture_ends_well_or_in_one_line(name, examples):
    @given(damaged_captures())
    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def holds(data):
        check(data, *FUNCTIONS[name])

    with traced():
        holds()


def test_what_is_damaged_was_sound():
    with traced():
        assert {check(data) for data in BASES} == {"a whole file"}
    assert all(len(pieces_of(data)) > 2 and b"".join(pieces_of(data)) == data for data in BASES)


@pytest.mark.parametrize("message", ["two\nlines at offset 4", "no place", "red at offset 4\x1b[31m"])
def test_a_message_that_will_not_do_is_found(message):
    def reader(stream):
        raise MalformedCapture(message)

    with traced(), pytest.raises(AssertionError):
        check(b"", reader)


def test_a_hang_and_a_hunger_for_memory_are_found():
    with traced(), pytest.raises(AssertionError, match="bytes of memory"):
        check(b"", lambda stream: len(bytes(5_000_000)))
    with pytest.raises(Hang), within(0.05):
        while True:
            pass
