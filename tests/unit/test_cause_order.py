"""Which cause wins is written down, and so is the column of each."""

import random

import pytest

import econnlab.attribution.order as order
from econnlab.attribution.attribution import attribute
from econnlab.attribution.columns import FIRST, cause_columns
from econnlab.attribution.order import CAUSES, ORDER
from econnlab.discovery import parts
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from tests.support.making import case, link, lost, server

TIMER = server(Kind.IDLE_TIMEOUT, 99.9, due=99.9, idle_s=4.9)
CLOSED = server(Kind.CLOSED, 99.9, reason="idle_timeout", how="fin", unread=0)
UNREAD = server(Kind.CLOSED, 99.9, reason="idle_timeout", how="rst", unread=9)
DROPPED = server(Kind.DROPPED, 100.001, reason="503")
FAILED = link(Kind.CONNECT_FAILED, 100.0, errno="ECONNREFUSED")
PAUSED = server(Kind.ACCEPT_PAUSED, 99.0, None, reason="EMFILE")

#: Cases that the rules of several causes fit, and the cause that wins.
BOTH = {
    "held up, and closed by the idle timer": (
        case(lost(began=99.8), server=[TIMER, CLOSED]),
        "client_blocked",
        "keepalive_race",
    ),
    "closed by the idle timer with the request unread": (
        case(lost(Outcome.RESET), server=[TIMER, UNREAD]),
        "unread_data",
        "keepalive_race",
    ),
    "reset without a FIN, as far as the client can tell": (
        case(lost(Outcome.RESET)),
        "unread_data",
        "keepalive_race",
    ),
    "answered 503 by a full server": (
        case(lost(Outcome.HTTP_ERROR, reused=False, status=503), server=[DROPPED]),
        "over_capacity",
        "error_response",
    ),
    "the link found the port closed, for the server had died": (
        case(lost(Outcome.RESET), link=[FAILED], wide=[server(Kind.DIED, 99.0, None, reason="server")]),
        "not_listening",
        "crash",
    ),
}


def fitting(made):
    return {name for name, rule in parts(CAUSES).items() if rule.explain(made) is not None}


def test_every_cause_has_its_place_in_the_order():
    assert sorted(ORDER) == sorted(parts(CAUSES)), "a new cause needs one line in attribution/order.py"


@pytest.mark.parametrize(("made", "first", "second"), BOTH.values(), ids=BOTH)
def test_the_order_decides_where_several_causes_fit(made, first, second, monkeypatch):
    assert {first, second} <= fitting(made)
    assert attribute(made).cause == first
    monkeypatch.setattr(order, "ORDER", (second, *(name for name in ORDER if name != second)))
    assert attribute(made).cause == second


def test_the_order_of_the_files_changes_nothing(monkeypatch):
    found = list(parts(CAUSES).items())
    for shuffled in (found[::-1], random.Random(4).sample(found, len(found))):
        monkeypatch.setattr(order, "parts", lambda package, shuffled=shuffled: dict(shuffled))
        for made, first, _ in BOTH.values():
            assert attribute(made).cause == first


def test_each_column_has_one_number_and_none_is_left_out():
    numbers = sorted(rule.COLUMN for rule in parts(CAUSES).values() if hasattr(rule, "COLUMN"))
    assert numbers == list(range(1, len(numbers) + 1)), "a new cause takes the next COLUMN"


def test_the_columns_of_the_first_version_stay_where_they_are():
    """In the alphabet's order, as they were when the files' names decided."""
    first = cause_columns()[:FIRST]
    assert first == sorted(first)
    assert (first[0], first[-1]) == ("backlog_overflow", "unread_data")
