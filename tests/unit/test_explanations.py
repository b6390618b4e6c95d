"""A failure is attributed once, and not before what decides its cause is known."""

from decimal import Decimal

import econnlab.attribution.explanations as explanations
from econnlab.attribution.attribution import attribute
from econnlab.attribution.explanations import UNDECIDED, Explanations
from econnlab.attribution.summary import summarize
from econnlab.record.attempts import Outcome, Request
from econnlab.record.events import Kind
from econnlab.scenario.model import Plan
from tests.support.making import attempt, lost, run, server

TWO_CLIENTS = Plan((Decimal(0),), 2, 1, together=True)
URL = {"server": None, "url": "http://127.0.0.1:3000/"}
RACE = [
    server(Kind.ACCEPTED, 90.0, peer="127.0.0.1:40001"),
    server(Kind.IDLE_TIMEOUT, 99.9987, due=99.9985, idle_s=5.0002),
    server(Kind.CLOSED, 99.9987, reason="idle_timeout", how="fin", unread=0),
]


def refused(**given):
    """The second client, whose new connection the server ended before a byte of a response."""
    new = {"session": 2, "request": 1, "request_id": "2-1", "reused": False, "idle_s": None}
    return lost(**{**new, "connection": 2, **given})


def test_a_verdict_that_others_may_change_waits_for_the_end():
    """As `maxconn --url`: the client that was served ends after the one that was not."""
    made = run(refused(), plan=TWO_CLIENTS, **URL)
    why = Explanations(made)
    (early,) = why.so_far(made.requests[0])
    assert early.verdict is UNDECIDED
    made.requests.append(Request((attempt(),)))
    assert [each.verdict.cause for each in summarize(made, why).failures] == ["over_capacity"]


def test_a_503_without_a_ledger_waits_as_well():
    failed = refused(outcome=Outcome.HTTP_ERROR, status=503, first_byte=100.1)
    made = run(failed, plan=TWO_CLIENTS, **URL)
    why = Explanations(made)
    assert why.so_far(made.requests[0])[0].verdict is UNDECIDED
    made.requests.append(Request((attempt(),)))
    assert [each.verdict.cause for each in summarize(made, why).failures] == ["over_capacity"]


def test_the_kernels_counters_are_read_at_the_end():
    waited = refused(outcome=Outcome.TIMEOUT, ended=101.0)
    paused = server(Kind.ACCEPT_PAUSED, 99.0, None, reason="EMFILE")
    made = run(waited, events=[paused])
    why = Explanations(made)
    why.update()
    assert why.so_far(made.requests[0])[0].verdict is UNDECIDED
    made.counters["ListenOverflows"] = 3
    assert [each.verdict.cause for each in summarize(made, why).failures] == ["backlog_overflow"]


def test_a_verdict_that_stands_is_shown_at_once_and_not_asked_for_again(monkeypatch):
    asked = []
    monkeypatch.setattr(explanations, "attribute", lambda case: asked.append(case) or attribute(case))
    made = run(attempt(), lost(), events=RACE)
    why = Explanations(made)
    why.update()
    (early,) = why.so_far(made.requests[1])
    assert early.verdict.cause == "keepalive_race"
    (late,) = summarize(made, why).failures
    assert (late, len(asked)) == (early, 1)


def test_what_a_server_does_later_still_counts():
    """A client that gave up may have been served after all."""
    made = run(attempt(), lost(), events=RACE)
    why = Explanations(made)
    why.update()
    assert why.so_far(made.requests[1])[0].processed == 0
    made.events.append(server(Kind.PROCESSED, 101.0, request_id="1-2"))
    assert summarize(made, why).failures[0].processed == 1
