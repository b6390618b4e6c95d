"""Requests to a link's HTTP interface: what they ask for, and who may ask."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.commands.link.api_requests import ApiRequest, Rejected, answered
from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.scenario.links import parse_link
from econnlab.scenario.orders import Act, Change, Do

PORT = 9100
JSON_TYPE = "application/json"


class Link:
    """Notes what it is told."""

    def __init__(self, problem=None):
        self.orders = []
        self.problem = problem

    def obey(self, order):
        if self.problem:
            raise self.problem
        self.orders.append(order)

    def status(self):
        return {"orders": len(self.orders)}


def ask(method="GET", target="/", body=b"", link=None, **headers):
    sent = {"host": f"127.0.0.1:{PORT}", "content-type": JSON_TYPE}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    given = {name: value for name, value in sent.items() if value is not None}
    return answered(ApiRequest(method, target, given, body), link or Link(), PORT)


def refused(*arguments, **more):
    with pytest.raises(Rejected) as raised:
        ask(*arguments, **more)
    return raised.value.status


def test_status():
    assert ask() == (200, {"orders": 0})


@pytest.mark.parametrize(
    ("target", "document", "order"),
    [
        ("/settings", {"delay": "40ms~0.2"}, Change({"delay": parse_link("40ms~0.2")})),
        ("/settings", {"limit": None, "fail-first": 2}, Change({"limit": None, "fail_first": 2})),
        ("/reset", {}, Do(Act.RESET)),
        ("/reset", {"connection": 3}, Do(Act.RESET, 3)),
        ("/pause", {"connection": None}, Do(Act.PAUSE)),
        ("/resume", {}, Do(Act.RESUME)),
    ],
)
def test_orders(target, document, order):
    link = Link()
    assert ask("POST", target, json.dumps(document).encode(), link) == (200, {"orders": 1})
    assert link.orders == [order]


def test_an_empty_body_acts_on_all():
    link = Link()
    ask("POST", "/reset", b"", link)
    assert link.orders == [Do(Act.RESET)]


@pytest.mark.parametrize(
    ("status", "method", "target", "body"),
    [
        (404, "GET", "/favicon.ico", b""),
        (404, "POST", "/reset/3", b"{}"),
        (405, "POST", "/", b"{}"),
        (405, "GET", "/reset", b""),
        (405, "OPTIONS", "/settings", b""),
        (400, "POST", "/settings", b""),
        (400, "POST", "/settings", b"{"),
        (400, "POST", "/settings", b"\xff"),
        (400, "POST", "/settings", b"[" * 50_000),
        (400, "POST", "/settings", b'{"limit": ' + b"9" * 5000 + b"}"),
        (400, "POST", "/settings", b'{"colour": "red"}'),
        (400, "POST", "/settings", b'{"delay": true}'),
        (400, "POST", "/reset", b'{"connection": "3"}'),
        (400, "POST", "/reset", b'{"connection": true}'),
        (400, "POST", "/reset", b"[]"),
    ],
)
def test_what_is_refused(status, method, target, body):
    link = Link()
    assert refused(method, target, body, link) == status
    assert link.orders == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9100", "LOCALHOST", "[::1]:9100"])
def test_this_machine_by_any_of_its_names(host):
    assert ask(host=host)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "127.0.0.1:80"},
        {"host": ""},
        {"host": None},
        {"origin": "http://127.0.0.1:9100"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_a_web_page_is_refused_even_to_look(headers):
    assert refused(**headers) == 403
    assert refused("POST", "/reset", b"{}", **headers) == 403


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_what_a_web_page_may_send_unasked_is_no_order(kind):
    assert refused("POST", "/reset", b"{}", content_type=kind) == 415


def test_a_connection_that_is_not_open_and_a_link_that_has_gone():
    assert refused("POST", "/reset", b"{}", Link(UsageProblem("not open"))) == 404
    assert refused("POST", "/reset", b"{}", Link(EnvironmentProblem("gone"))) == 503


@given(st.sampled_from(["/settings", "/reset", "/pause"]), st.binary(max_size=60))
def test_any_body_is_obeyed_or_refused(target, body):
    try:
        assert ask("POST", target, body)[0] == 200
    except Rejected as refusal:
        assert 400 <= refusal.status < 500
