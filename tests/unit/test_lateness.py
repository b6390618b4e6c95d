"""How late the lab was on the way of one attempt: by process, without what the scenario asks for."""

from dataclasses import replace
from decimal import Decimal

import pytest

from econnlab.attribution.lateness import LEAST_S, MOST_S, bound_s
from econnlab.attribution.notes import warnings
from econnlab.attribution.summary import summarize
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.links import DEFAULT
from econnlab.scenario.model import Plan
from econnlab.scenario.server import ServerSpec
from tests.support.making import attempt, lab, link, lost, run, server

FIRST = attempt(planned=94.999, began=94.9999, sent=95.0, first_byte=95.004, ended=95.004)
SECOND = {"planned": 100.0, "began": 100.0, "sent": 100.0, "ended": 100.004, "outcome": Outcome.CLOSED}
NEAR_SERVER = [
    link(Kind.ACCEPTED, 94.9, peer="127.0.0.1:40001"),
    link(Kind.CONNECTED, 94.9, local="127.0.0.1:50000"),
    link(Kind.BYTES, 95.001, side="client", began=95.0001, due=95.001, request_id="1-1", bytes=100),
    server(Kind.ACCEPTED, 94.9, peer="127.0.0.1:50000"),
    server(Kind.REQUEST, 95.0011, request_id="1-1", began=95.0011),
    server(Kind.RESPONSE, 95.002, request_id="1-1", bytes=100),
    link(Kind.BYTES, 95.0035, side="server", began=95.0021, due=95.0035, bytes=100),
]


def late_ms(*events, second=None, **given):
    """By process, of a second request that was lost 5 s after the first."""
    events = [*NEAR_SERVER, *events]
    made = run(FIRST, lost(**{**SECOND, **(second or {})}), link=DEFAULT.name, events=events, **given)
    found = summarize(made)
    (failure,) = found.failures or [each.failure for each in found.late]
    return failure.late.ms()


def test_a_lab_on_time_is_late_by_nothing_much():
    assert sum(late_ms().values()) < 3


@pytest.mark.parametrize(
    ("process", "event"),
    [
        ("link", link(Kind.BYTES, 100.41, side="client", began=100.4, due=100.41, request_id="1-2", bytes=9)),
        ("link", link(Kind.BYTES, 100.4, side="client", began=100.0, due=100.0, request_id="1-2", bytes=9)),
        ("server", server(Kind.IDLE_TIMEOUT, 100.4, due=100.0, idle_s=5.4)),
        ("server", server(Kind.REQUEST, 100.4, began=100.4, request_id="1-2")),
    ],
)
def test_each_process_answers_for_its_own_part(process, event):
    sent = link(Kind.BYTES, 100.0001, side="client", began=100.0, due=100.0001, request_id="1-2", bytes=9)
    late = late_ms(*([] if event.source == "link" else [sent]), event)
    assert late[process] == pytest.approx(400, abs=5)
    assert sum(late.values()) == pytest.approx(400, abs=5)


def test_a_fin_that_the_link_saw_late_is_the_links():
    closed = server(Kind.CLOSED, 99.8, reason="idle_timeout", how="fin", unread=0)
    fin = link(Kind.FIN, 100.002, side="server", began=100.002, due=100.002)
    assert late_ms(closed, fin)["link"] == pytest.approx(202, abs=3)


@pytest.mark.parametrize("given", [{"planned": 99.6}, {"began": 99.6, "planned": 99.6}])
def test_a_client_is_late_to_begin_and_to_send(given):
    assert late_ms(second=given)["client"] == pytest.approx(400, abs=5)


def test_what_the_scenario_asks_for_is_not_late():
    held = {"planned": 99.6, "began": 99.6}
    assert late_ms(second=held, client=ClientSpec(blocked_ms=Decimal(400)))["client"] < 3
    busy = ServerSpec(busy_for_ms=Decimal(400), busy_every_ms=Decimal(1000))
    timer = server(Kind.IDLE_TIMEOUT, 100.4, due=100.0, idle_s=5.4)
    asked = server(Kind.BUSY, 100.4, None, began=99.999)
    assert late_ms(timer, asked, server=busy)["server"] < 3


def test_a_client_that_the_scenario_stops_is_not_late():
    stop = lab(Kind.FROZEN, 99.999, began=99.5)
    assert late_ms(stop, second={"planned": 99.6})["client"] < 3


def test_a_real_client_may_take_its_time_with_its_first_request():
    late = {"planned": 99.5, "began": 99.9998}
    for versions, count in (({}, 1), ({"client": "node 20.20.2"}, 0)):
        made = run(attempt(**late))
        made = replace(made, facts=replace(made.facts, versions=versions))
        assert len(summarize(made).late) == count


def test_a_request_on_whose_way_the_lab_was_late_is_in_no_other_figure():
    events = [*NEAR_SERVER, server(Kind.IDLE_TIMEOUT, 100.4, due=100.0, idle_s=5.4)]
    made = run(FIRST, lost(**SECOND), link=DEFAULT.name, events=events)
    summary = summarize(made)
    row = summary.rows[0]
    assert (row.requests, row.success, row.failure, row.lab_late) == (1, 1, 0, 1)
    assert not row.causes and not summary.failures
    assert "late on the way of 1 request, by up to 4" in warnings(summary)[0]


def test_the_bound_is_fixed_beforehand_by_how_near_the_interval_is_to_the_timeout():
    made = run(plan=Plan((Decimal(4700), Decimal(4940), Decimal(5000)), 1, 1))
    assert [bound_s(made.scenario, row) for row in range(3)] == [MOST_S, 0.9 * 0.06, LEAST_S]
