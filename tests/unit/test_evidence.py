"""Attempts joined with the ledgers of server and link."""

from econnlab.attribution.evidence import Evidence
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from tests.support.making import attempt, link, lost, run, server


def evidence_of(made):
    evidence = Evidence(made)
    evidence.update()
    return evidence


def test_the_server_knows_the_connection_by_the_address_it_came_from():
    events = [
        server(Kind.ACCEPTED, 90.0, 7, peer="127.0.0.1:40001"),
        server(Kind.ACCEPTED, 91.0, 8, peer="127.0.0.1:40002"),
        server(Kind.CLOSED, 99.0, 7, reason="idle_timeout", how="fin", unread=0),
    ]
    made = evidence_of(run(lost(), events=events)).case(lost())
    assert made.server_close is events[2]
    assert made.link is None


def test_through_the_link_the_address_changes():
    events = [
        link(Kind.ACCEPTED, 90.0, 3, peer="127.0.0.1:40001"),
        link(Kind.CONNECTED, 90.001, 3, local="127.0.0.1:50001"),
        server(Kind.ACCEPTED, 90.002, 7, peer="127.0.0.1:50001"),
        server(Kind.ACCEPTED, 90.003, 8, peer="127.0.0.1:40001"),
        server(Kind.CLOSED, 99.0, 7, reason="idle_timeout", how="fin", unread=0),
        server(Kind.CLOSED, 99.0, 8, reason="shutdown", how="fin", unread=0),
    ]
    made = evidence_of(run(lost(), events=events, link="article")).case(lost())
    assert made.server_close.reason == "idle_timeout"


def test_a_port_used_twice_means_the_connection_of_that_time():
    events = [
        server(Kind.ACCEPTED, 10.0, 1, peer="127.0.0.1:40001"),
        server(Kind.CLOSED, 20.0, 1, reason="client_closed", how="fin", unread=0),
        server(Kind.ACCEPTED, 90.0, 2, peer="127.0.0.1:40001"),
        server(Kind.CLOSED, 99.0, 2, reason="idle_timeout", how="fin", unread=0),
        server(Kind.ACCEPTED, 300.0, 3, peer="127.0.0.1:40001"),
    ]
    made = evidence_of(run(lost(), events=events)).case(lost())
    assert made.server_close.reason == "idle_timeout"


def test_events_may_come_in_batches_and_out_of_order():
    made = run(lost(), events=[server(Kind.CLOSED, 99.0, 7, reason="idle_timeout", how="fin", unread=0)])
    made.events.insert(0, server(Kind.ACCEPTED, 90.0, 7, peer="127.0.0.1:40001"))
    evidence = evidence_of(made)
    made.events.append(server(Kind.BUSY, 99.5, None, began=99.4))
    evidence.update()
    assert evidence.case(lost()).server_close is not None
    assert [event.kind for event in evidence.case(lost()).around.events] == [Kind.BUSY]


def test_without_the_servers_ledger_nothing_is_claimed_of_it():
    made = evidence_of(run(lost(), server=None, url="http://127.0.0.1:3000/")).case(lost())
    assert made.server is None
    assert evidence_of(run(lost(), server=None, url="http://x/")).processed(run(lost()).requests[0]) is None


def test_a_connection_the_ledger_does_not_know_has_an_empty_trace():
    made = evidence_of(run(lost(), events=[])).case(lost())
    assert made.server is not None
    assert made.server.events == ()


def test_how_often_a_request_was_carried_out_is_the_servers_own_word():
    request = run((lost(), attempt(request_id="1-2", number=2, connection=2))).requests[0]
    events = [
        server(Kind.ACCEPTED, 90.0, 1, peer="127.0.0.1:40001"),
        server(Kind.PROCESSED, 99.0, 1, request_id="1-2"),
        server(Kind.PROCESSED, 100.0, 2, request_id="1-2"),
        server(Kind.PROCESSED, 100.0, 2, request_id="1-3"),
        server(Kind.DROPPED, 100.0, 3, reason="503"),
        server(Kind.REQUEST, 100.0, 3, request_id="1-2", method="POST"),
    ]
    assert evidence_of(run(lost(), events=events)).processed(request) == 2


def test_connections_beside_are_those_last_answered_in_other_sessions():
    made = run(
        attempt(session=2, request_id="2-1", connection=2, began=99.0),
        attempt(session=3, request_id="3-1", connection=3, began=99.0, outcome=Outcome.RESET),
        attempt(session=4, request_id="4-1", connection=4, began=200.0),
        lost(),
        server=None,
        url="http://127.0.0.1:3000/",
    )
    assert evidence_of(made).case(lost()).around.open_connections == 1
