"""Every cause from evidence written by hand: what makes it certain or likely, and what rules it out."""

import pytest

from econnlab.attribution.attribution import attribute
from econnlab.attribution.verdict import Certainty
from econnlab.discovery import parts
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from tests.support.making import attempt, case, lab, link, lost, server

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY

#: The server closed at 99.9987 after 5.0002 s idle; the request left the client at 100.
TIMER = server(Kind.IDLE_TIMEOUT, 99.9987, due=99.9985, idle_s=5.0002)
ACCEPTED = server(Kind.ACCEPTED, 90.0, peer="127.0.0.1:40001")


def closed(unread=0, how="fin", reason="idle_timeout", at=99.9987):
    return server(Kind.CLOSED, at, reason=reason, how=how, unread=unread)


def verdict_of(made):
    verdict = attribute(made)
    return verdict.cause, verdict.certainty


# -- keepalive_race -------------------------------------------------------------------------------


def test_a_request_that_arrives_after_the_idle_close_lost_the_race():
    verdict = attribute(case(lost(), server=[ACCEPTED, TIMER, closed()]))
    assert (verdict.cause, verdict.certainty) == ("keepalive_race", CERTAIN)
    assert verdict.evidence == (
        "server closed this connection after 5000.2 ms idle, 1.3 ms before the request arrived"
    )


def test_the_link_tells_when_the_request_arrived():
    passed = link(Kind.BYTES, 100.003, side="client", bytes=150, began=100.0001)
    fin = link(Kind.FIN, 100.002, side="server", began=99.9988)
    verdict = attribute(case(lost(), server=[ACCEPTED, TIMER, closed()], link=[fin, passed]))
    assert verdict.evidence.endswith("4.3 ms before the request arrived")


def test_a_fin_that_the_client_did_not_look_for_is_told_as_such():
    fin = link(Kind.FIN, 99.99, side="server", began=99.985)
    ledger = [ACCEPTED, TIMER, closed(at=99.985)]
    verdict = attribute(case(lost(Outcome.BROKEN_PIPE), server=ledger, link=[fin]))
    assert verdict.cause == "keepalive_race"
    assert verdict.evidence.endswith("its FIN reached the client 10.0 ms before the request left")


def test_a_server_that_closes_idle_connections_with_rst_wins_the_same_race():
    made = case(lost(Outcome.RESET), server=[ACCEPTED, TIMER, closed(how="rst")])
    assert verdict_of(made) == ("keepalive_race", CERTAIN)


def test_a_new_connection_cannot_lose_it():
    made = case(lost(reused=False, idle_s=None), server=[ACCEPTED, TIMER, closed()])
    assert attribute(made).cause == "unknown"


def test_a_request_that_the_server_read_did_not_lose_it():
    read = server(Kind.REQUEST, 99.99, request_id="1-2", method="GET")
    assert attribute(case(lost(), server=[ACCEPTED, read, TIMER, closed()])).cause == "unknown"


def test_a_close_for_another_reason_is_not_it():
    assert attribute(case(lost(), server=[ACCEPTED, closed(reason="shutdown")])).cause == "unknown"


def test_from_the_links_ledger_alone_it_is_likely():
    answer = link(Kind.BYTES, 95.001, side="server", bytes=120, began=95.0)
    fin = link(Kind.FIN, 100.001, side="server", began=99.9995)
    passed = link(Kind.BYTES, 100.002, side="client", bytes=150, began=100.0001)
    verdict = attribute(case(lost(), link=[answer, fin, passed]))
    assert (verdict.cause, verdict.certainty) == ("keepalive_race", LIKELY)
    assert verdict.evidence == "server's FIN left after 4999.5 ms idle, 2.5 ms before the request arrived"


def test_a_fin_that_follows_the_request_is_no_race():
    fin = link(Kind.FIN, 100.01, side="server", began=100.009)
    passed = link(Kind.BYTES, 100.002, side="client", bytes=150, began=100.0001)
    assert attribute(case(lost(), link=[passed, fin])).cause == "unknown"


def test_an_rst_behind_the_fin_says_that_the_request_met_no_socket():
    """The link had passed it on just before it looked, and saw the FIN, which had come before."""
    passed = link(Kind.BYTES, 100.002, side="client", bytes=150, began=100.0001)
    fin = link(Kind.FIN, 100.004, side="server", began=100.00201)
    rst = link(Kind.RST, 100.004, side="server", began=100.00203)
    assert verdict_of(case(lost(), link=[passed, fin, rst])) == ("keepalive_race", LIKELY)
    # With TLS a client answers a FIN by its close_notify, and it is that which the RST answers.
    notified = link(Kind.BYTES, 100.0045, side="client", bytes=31, began=100.0044)
    assert verdict_of(case(lost(), link=[passed, fin, notified, rst]))[0] == "unknown"


def test_from_the_client_alone_it_is_likely():
    assert verdict_of(case(lost())) == ("keepalive_race", LIKELY)


# -- unread_data ----------------------------------------------------------------------------------


def test_a_close_over_unread_bytes_is_told_with_their_number():
    blocked = server(Kind.BUSY, 99.9986, None, began=99.9686)
    made = case(lost(Outcome.RESET), server=[ACCEPTED, TIMER, closed(171, "rst")], wide=[blocked])
    verdict = attribute(made)
    assert (verdict.cause, verdict.certainty) == ("unread_data", CERTAIN)
    assert verdict.evidence == (
        "server's idle timer fired after 5000.2 ms with 171 bytes of this request unread "
        "(its loop was blocked for 30.0 ms): close() sent RST"
    )


def test_a_block_that_ended_before_the_timer_was_due_is_not_named():
    blocked = server(Kind.BUSY, 99.9, None, began=99.87)
    made = case(lost(Outcome.RESET), server=[ACCEPTED, TIMER, closed(171, "rst")], wide=[blocked])
    assert "blocked" not in attribute(made).evidence


def test_bytes_that_came_between_the_look_and_the_close_are_unread_too():
    """The server counted none, yet no FIN went before its RST: over loopback the errno tells, on Linux."""
    made = case(lost(Outcome.RESET), server=[ACCEPTED, TIMER, closed()])
    assert verdict_of(made) == ("unread_data", CERTAIN)
    rst = link(Kind.RST, 100.004, side="server", began=99.999)
    passed = link(Kind.BYTES, 99.9988, side="client", bytes=150, began=100.0)
    made = case(lost(Outcome.RESET), server=[ACCEPTED, TIMER, closed()], link=[passed, rst])
    assert verdict_of(made) == ("unread_data", CERTAIN)


def test_elsewhere_than_on_linux_the_errno_does_not_tell():
    made = case(lost(Outcome.RESET), server=[ACCEPTED, TIMER, closed()], system="Darwin")
    assert verdict_of(made) == ("keepalive_race", CERTAIN)


def test_a_reset_met_on_sending_and_passed_over_tells_as_well():
    made = case(lost(Outcome.CLOSED, send_errno="ECONNRESET"))
    assert verdict_of(made) == ("unread_data", LIKELY)


def test_an_rst_without_fin_after_the_request_makes_it_likely():
    passed = link(Kind.BYTES, 100.002, side="client", bytes=150, began=100.0001)
    rst = link(Kind.RST, 100.005, side="server", began=100.0021)
    assert verdict_of(case(lost(Outcome.RESET), link=[passed, rst])) == ("unread_data", LIKELY)
    assert verdict_of(case(lost(Outcome.RESET))) == ("unread_data", LIKELY)


# -- over_capacity --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("manner", "outcome", "words"),
    [
        ("close", Outcome.CLOSED, "closed it at once"),
        ("close", Outcome.RESET, "closed it at once"),
        ("reset", Outcome.RESET, "reset it at once"),
        ("503", Outcome.HTTP_ERROR, "answered this one with 503"),
    ],
)
def test_a_dropped_connection_was_over_capacity(manner, outcome, words):
    failed = lost(outcome, reused=False, idle_s=None, status=503 if manner == "503" else None)
    dropped = [
        ACCEPTED,
        server(Kind.DROPPED, 100.001, reason=manner),
        closed(reason="over_capacity", at=100.001),
    ]
    verdict = attribute(case(failed, server=dropped))
    assert (verdict.cause, verdict.certainty) == ("over_capacity", CERTAIN)
    assert words in verdict.evidence


def test_a_connection_left_in_the_queue_was_over_capacity():
    waited = lost(Outcome.TIMEOUT, reused=False, idle_s=None, ended=101.0)
    paused = server(Kind.ACCEPT_PAUSED, 99.0, None)
    verdict = attribute(case(waited, server=[], wide=[paused]))
    assert (verdict.cause, verdict.certainty) == ("over_capacity", CERTAIN)
    assert verdict.evidence.endswith("unaccepted in its queue for 1000.0 ms")


@pytest.mark.parametrize(
    "wide",
    [
        [],
        [server(Kind.ACCEPT_PAUSED, 99.0, None), server(Kind.ACCEPT_RESUMED, 99.5, None)],
    ],
)
def test_a_timeout_while_the_server_accepts_is_something_else(wide):
    waited = lost(Outcome.TIMEOUT, reused=False, idle_s=None, ended=101.0)
    assert attribute(case(waited, server=[], wide=wide)).cause == "unknown"


def test_a_server_without_descriptors_is_slow_to_accept():
    waited = lost(Outcome.TIMEOUT, reused=False, idle_s=None, ended=101.0)
    paused = server(Kind.ACCEPT_PAUSED, 99.0, None, reason="EMFILE")
    assert verdict_of(case(waited, server=[], wide=[paused])) == ("slow_response", CERTAIN)


def test_without_its_ledger_a_server_that_refuses_one_more_is_likely_full():
    failed = lost(reused=False, idle_s=None)
    assert verdict_of(case(failed, open_connections=3)) == ("over_capacity", LIKELY)
    assert attribute(case(failed, open_connections=0)).cause == "unknown"
    unavailable = lost(Outcome.HTTP_ERROR, status=503, reused=False, idle_s=None)
    assert verdict_of(case(unavailable, open_connections=1)) == ("over_capacity", LIKELY)


# -- the others -----------------------------------------------------------------------------------


def test_a_refused_connection_found_nobody_listening():
    refused = lost(Outcome.REFUSED, reused=False, sent=None)
    assert verdict_of(case(refused, server=[])) == ("not_listening", CERTAIN)
    failed = link(Kind.CONNECT_FAILED, 100.0, errno="ECONNREFUSED")
    assert verdict_of(case(lost(Outcome.RESET, reused=False), link=[failed])) == ("not_listening", CERTAIN)


def test_a_process_that_died_took_its_connections_with_it():
    died = lab(Kind.DIED, 100.002, reason="server")
    assert verdict_of(case(lost(), server=[ACCEPTED], wide=[died])) == ("crash", CERTAIN)


def test_a_death_long_after_explains_nothing():
    died = lab(Kind.DIED, 200.0, reason="server")
    assert attribute(case(lost(), server=[ACCEPTED], wide=[died])).cause == "unknown"


def test_a_request_read_and_not_answered_in_time_met_a_slow_server():
    waited = lost(Outcome.TIMEOUT, reused=False, ended=110.0)
    read = server(Kind.REQUEST, 100.001, request_id="1-2", method="GET")
    verdict = attribute(case(waited, server=[ACCEPTED, read]))
    assert (verdict.cause, verdict.certainty) == ("slow_response", CERTAIN)
    assert verdict_of(case(waited)) == ("slow_response", LIKELY)


def test_an_error_status_is_the_servers_answer():
    assert verdict_of(case(lost(Outcome.HTTP_ERROR, status=500))) == ("error_response", CERTAIN)


def test_what_is_not_http_is_named_by_the_clients_exception():
    garbled = lost(Outcome.OTHER, bytes_read=20, first_byte=100.1, error="ConnectionError < BadStatusLine")
    verdict = attribute(case(garbled))
    assert (verdict.cause, verdict.certainty) == ("invalid_response", CERTAIN)
    assert "20 bytes" in verdict.evidence
    assert "BadStatusLine" in verdict.evidence


def test_an_unknown_cause_still_says_what_is_known():
    fin = link(Kind.FIN, 100.01, side="server", began=100.009)
    verdict = attribute(case(lost(reused=False, idle_s=None), link=[fin]))
    assert verdict.cause == "unknown"
    assert verdict.evidence == (
        "no rule fits: a new connection, ended 4.0 ms after the request, before any response, "
        "by the server's FIN"
    )


def test_every_rule_has_a_name_and_a_meaning():
    rules = parts("econnlab.attribution.causes")
    assert {"keepalive_race", "unread_data", "over_capacity", "not_listening"} <= rules.keys()
    for name, rule in rules.items():
        assert name == rule.__name__.rpartition(".")[2]
        assert rule.HELP


def test_an_answered_attempt_is_nobodys_case():
    for rule in parts("econnlab.attribution.causes").values():
        assert rule.explain(case(attempt(), server=[ACCEPTED])) is None
