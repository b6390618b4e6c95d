"""What a server did for each request, read from made-up ledgers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.record.events import Kind
from econnlab.record.served import ServerLedger
from tests.support.making import lab, link, server


def ledger(*events):
    flat = [each for event in events for each in (event if isinstance(event, list) else [event])]
    return ServerLedger(lambda: flat)


def arrival(connection, at, end="answered", status=200, **request):
    """The lines of a request that was carried out, as each ``end`` leaves them."""
    values = {"method": "POST", "target": "/orders", "bytes": 5, "digest": "d1", **request}
    name = values.get("request_id")
    lines = [server(Kind.REQUEST, at, connection, **values)]
    if end != "refused":
        lines.append(server(Kind.PROCESSED, at, connection, request_id=name))
    if end in ("answered", "refused"):
        lines.append(server(Kind.RESPONSE, at + 0.001, connection, request_id=name, status=status))
    elif end == "reset":
        lines.append(server(Kind.CLOSED, at + 0.001, connection, reason="aborted", how="rst", unread=0))
    return lines


def test_a_request_that_was_reset_and_repeated_under_its_name_is_one_carried_out_twice():
    found = ledger(arrival(1, 1.0, "reset", request_id="o-1"), arrival(2, 1.2, request_id="o-1"))
    (request,) = found.requests
    assert (request.processed, request.connections, request.answered) == (2, (1, 2), True)
    assert found.processed("o-1") == 2
    assert found.processed("o-2") == 0
    assert found.duplicates() == (request,)
    assert repr(request) == "<POST /orders 'o-1' carried out 2x, came on #1, #2>"


def test_a_name_is_taken_as_text_whatever_it_is():
    assert ledger(arrival(1, 1.0, request_id="7")).processed(7) == 1


def test_the_same_name_for_another_method_or_target_is_another_request():
    """X-Request-Id is handed on from a request that came in to each that goes out."""
    found = ledger(
        arrival(1, 1.0, request_id="in-1"),
        arrival(1, 1.1, request_id="in-1", target="/stock"),
        arrival(1, 1.2, request_id="in-1", method="PUT"),
    )
    assert [request.processed for request in found.requests] == [1, 1, 1]
    assert found.processed("in-1") == 3


def test_under_one_name_the_body_may_differ():
    found = ledger(arrival(1, 1.0, request_id="a"), arrival(1, 2.0, request_id="a", digest="d2"))
    assert [request.digest for request in found.duplicates()] == ["d1"]


def test_without_a_name_an_equal_request_after_a_failure_is_its_repetition():
    found = ledger(arrival(1, 1.0, "reset"), arrival(2, 1.2, "reset"), arrival(3, 1.4))
    assert [request.processed for request in found.requests] == [3]


def test_without_a_name_an_equal_request_after_an_answer_is_another():
    found = ledger(arrival(1, 1.0), arrival(1, 1.2), arrival(2, 1.3))
    assert [request.processed for request in found.requests] == [1, 1, 1]
    assert not found.duplicates()


def test_without_a_name_another_body_is_another_request():
    found = ledger(arrival(1, 1.0, "reset"), arrival(2, 1.2, digest="d2"), arrival(3, 1.3, digest=None))
    assert len(found.requests) == 3


def test_two_that_ask_the_same_at_the_same_time_are_two_each_with_its_repetition():
    found = ledger(
        arrival(1, 1.0, "reset"),
        arrival(2, 1.0005, "reset"),  # before the first was reset
        arrival(3, 1.2),
        arrival(4, 1.3),
    )
    assert [request.connections for request in found.requests] == [(1, 3), (2, 4)]


def test_one_that_is_answered_with_an_error_and_repeated_is_one():
    found = ledger(arrival(1, 1.0, "refused", status=503), arrival(2, 1.5))
    (request,) = found.requests
    assert (request.processed, request.answered) == (1, True)


def test_a_request_in_progress_has_no_end():
    (request,) = ledger(arrival(1, 1.0, "in progress")).requests
    assert (request.arrivals[0].ended, request.answered, request.processed) == (None, False, 1)


def test_what_is_safe_to_repeat_is_no_duplicate():
    found = ledger(arrival(1, 1.0, "reset", method="GET"), arrival(2, 1.2, method="GET"))
    assert found.requests[0].processed == 2
    assert not found.duplicates()


def test_connections_tell_how_they_ended_and_what_was_left_unread():
    found = ledger(
        server(Kind.ACCEPTED, 1.0, 1, peer="127.0.0.1:4001"),
        arrival(1, 1.1),
        server(Kind.CLOSED, 6.1, 1, reason="idle_timeout", how="rst", unread=29),
        server(Kind.ACCEPTED, 7.0, 2, peer="127.0.0.1:4002"),
        link(Kind.ACCEPTED, 7.0, 9, peer="127.0.0.1:5000"),
        lab(Kind.DIED, 7.5, reason="server", how="SIGKILL"),
    )
    first, second = found.connections
    assert (first.requests, first.closed, first.reason, first.how, first.unread) == (
        (1, 6.1, "idle_timeout", "rst", 29)
    )
    assert (second.number, second.peer, second.closed) == (2, "127.0.0.1:4002", None)
    assert repr(found) == "<ledger of 1 requests on 2 connections>"


def test_ledgers_of_two_servers_are_put_in_order():
    found = ledger(arrival(1_000_001, 2.0), arrival(1, 1.0, "reset"))
    assert [request.connections for request in found.requests] == [(1, 1_000_001)]


def test_control_characters_of_a_target_are_spelled_out():
    (request,) = ledger(arrival(1, 1.0, target="/\x1b[2J")).requests
    assert "\x1b" not in repr(request)


@pytest.mark.parametrize("names", [True, False])
@given(st.lists(st.sampled_from(["answered", "reset", "refused", "in progress"]), max_size=8))
def test_each_time_it_was_carried_out_is_counted_once(names, ends):
    lines = [
        arrival(number, float(number), end, request_id="n" if names else None)
        for number, end in enumerate(ends, 1)
    ]
    requests = ledger(*lines).requests
    assert sum(request.processed for request in requests) == len(ends) - ends.count("refused")
    assert sum(len(request.arrivals) for request in requests) == len(ends)
    if names:
        assert len(requests) == min(len(ends), 1)
