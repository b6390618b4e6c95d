"""The causes beyond the keep-alive race, each from evidence written by hand, and what rules it out."""

from dataclasses import replace

import pytest

from econnlab.attribution.attribution import attribute
from econnlab.attribution.ending import ending_of
from econnlab.attribution.evidence import Surroundings
from econnlab.attribution.verdict import Certainty
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from tests.support.making import attempt, case, lab, link, lost, server

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY
ACCEPTED = server(Kind.ACCEPTED, 90.0, peer="127.0.0.1:40001")
ANSWERED_BEFORE = server(Kind.RESPONSE, 95.0, request_id="1-1", status=200)
READ = server(Kind.REQUEST, 100.001, request_id="1-2", method="GET")
DONE = server(Kind.PROCESSED, 100.0015, request_id="1-2")
PART = server(Kind.PARTIAL, 100.002, request_id="1-2", status=200, bytes=60)


def closed(reason, at=99.99, how="fin", unread=0, **details):
    return server(Kind.CLOSED, at, reason=reason, how=how, unread=unread, **details)


def named(made):
    verdict = attribute(made)
    return verdict.cause, verdict.certainty


# -- client_blocked -------------------------------------------------------------------------------

TIMER = server(Kind.IDLE_TIMEOUT, 99.9, due=99.9, idle_s=4.9)


def held_up(began, **given):
    return case(lost(began=began, **given), server=[ACCEPTED, TIMER, closed("idle_timeout", at=99.9)])


def test_a_client_that_was_held_up_with_the_connection_in_hand():
    verdict = attribute(held_up(began=99.8))
    assert (verdict.cause, verdict.certainty) == ("client_blocked", CERTAIN)
    assert verdict.evidence == (
        "client took this connection and wrote 200.0 ms later; "
        "server closed it 100.0 ms before the request arrived"
    )


def test_a_client_that_took_it_up_when_it_was_closed_already_lost_the_race():
    assert named(held_up(began=99.95)) == ("keepalive_race", CERTAIN)


def test_a_client_that_took_no_time_lost_the_race():
    made = case(lost(began=99.9995), server=[ACCEPTED, TIMER, closed("idle_timeout", at=99.9998)])
    assert named(made) == ("keepalive_race", CERTAIN)


# -- client_frozen --------------------------------------------------------------------------------


def frozen(began, ended, **given):
    stop = lab(Kind.FROZEN, ended, began=began)
    return case(lost(), server=[ACCEPTED, TIMER, closed("idle_timeout", at=99.9)], wide=[stop], **given)


def test_a_client_that_was_stopped_while_the_server_closed():
    verdict = attribute(frozen(99.5, 99.99))
    assert (verdict.cause, verdict.certainty) == ("client_frozen", CERTAIN)
    assert verdict.evidence == (
        "client's process was stopped for 490.0 ms; server closed this connection 400.0 ms into that, "
        "100.0 ms before the request arrived"
    )


@pytest.mark.parametrize("stop", [(99.91, 99.99), (99.0, 99.8)])
def test_a_close_before_or_after_the_stop_is_the_race(stop):
    assert named(frozen(*stop)) == ("keepalive_race", CERTAIN)


def test_over_the_link_the_fin_must_come_to_the_client_while_it_is_stopped():
    asked = link(Kind.BYTES, 100.001, side="client", began=100.0005)
    for at, cause in ((99.95, "client_frozen"), (99.995, "keepalive_race")):
        fin = link(Kind.FIN, at, side="server", began=99.9)
        assert attribute(frozen(99.5, 99.99, link=[fin, asked])).cause == cause


# -- closed by the server, for reasons of its own -------------------------------------------------


def test_a_close_after_a_response_that_had_not_announced_it():
    verdict = attribute(case(lost(), server=[ACCEPTED, ANSWERED_BEFORE, closed("aborted", at=95.04)]))
    assert (verdict.cause, verdict.certainty) == ("close_after_response", CERTAIN)
    assert "with FIN 40.0 ms after its response" in verdict.evidence


def test_a_limit_of_requests():
    made = case(lost(), server=[ACCEPTED, ANSWERED_BEFORE, closed("max_requests", at=95.0)])
    assert named(made) == ("max_requests", CERTAIN)
    made = case(lost(), server=[ACCEPTED, READ, closed("max_requests", at=100.1)])
    assert attribute(made).cause == "unknown"


def test_carried_out_and_not_answered():
    ledger = [ACCEPTED, READ, DONE, closed("aborted", at=100.0025, how="rst")]
    verdict = attribute(case(lost(Outcome.RESET), server=ledger))
    assert (verdict.cause, verdict.certainty) == ("reset_after_processing", CERTAIN)
    assert "carried the request out and 1.0 ms later ended the connection with RST" in verdict.evidence


def test_read_and_not_carried_out_is_another_thing():
    ledger = [ACCEPTED, READ, closed("aborted", at=100.0025, how="rst")]
    assert named(case(lost(Outcome.RESET), server=ledger)) == ("request_abandoned", CERTAIN)


def test_a_close_over_the_next_request_unread_has_one_cause():
    ledger = [ACCEPTED, ANSWERED_BEFORE, closed("aborted", at=100.002, how="rst", unread=171)]
    made = case(lost(Outcome.RESET), server=ledger)
    assert named(made) == ("unread_data", CERTAIN)


def test_a_response_cut_in_the_middle():
    cut = lost(Outcome.TRUNCATED, first_byte=100.003, bytes_read=60)
    verdict = attribute(case(cut, server=[ACCEPTED, READ, DONE, PART, closed("aborted", at=100.0021)]))
    assert (verdict.cause, verdict.certainty) == ("response_cut", CERTAIN)
    assert verdict.evidence == "server closed with FIN after 60 bytes of its response; the client had read 60"


@pytest.mark.parametrize(("outcome", "packet"), [(Outcome.TRUNCATED, "a FIN"), (Outcome.RESET, "an RST")])
def test_from_the_client_alone_a_cut_is_likely(outcome, packet):
    verdict = attribute(case(lost(outcome, first_byte=100.003, bytes_read=60)))
    assert (verdict.cause, verdict.certainty) == ("response_cut", LIKELY)
    assert verdict.evidence == f"60 bytes of a response came, then {packet} in place of the rest"


RETIRING = server(Kind.RETIRING, 99.99, None, reason="graceful")


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ([closed("retired", at=99.9901)], "idle, 0.1 ms after its restart began and before the request"),
        ([closed("retired", at=99.9901, how="rst", unread=171)], "with 171 bytes of the request unread"),
        ([READ, DONE, closed("retired", at=100.002)], "with the request read and not answered"),
    ],
)
def test_a_restart(ledger, said):
    verdict = attribute(case(lost(), server=[ACCEPTED, *ledger], wide=[RETIRING]))
    assert (verdict.cause, verdict.certainty) == ("restart", CERTAIN)
    assert said in verdict.evidence


def test_an_answer_before_the_request_was_read():
    early = [ACCEPTED, server(Kind.RESPONSE, 100.001, request_id="1-2", status=413)]
    assert named(case(lost(Outcome.BROKEN_PIPE), server=early)) == ("early_response", CERTAIN)
    unread = [*early, closed("early_response", at=100.002, how="rst", unread=65536)]
    verdict = attribute(case(lost(Outcome.RESET), server=unread))
    assert "answered 413" in verdict.evidence and "65536 bytes unread" in verdict.evidence
    heard = attempt(request_id="1-2", outcome=Outcome.HTTP_ERROR, status=413)
    assert named(case(heard, server=unread)) == ("early_response", CERTAIN)


def test_a_413_to_a_request_that_was_read_is_an_error_response():
    answered = [ACCEPTED, READ, server(Kind.RESPONSE, 100.002, request_id="1-2", status=413)]
    heard = attempt(request_id="1-2", outcome=Outcome.HTTP_ERROR, status=413)
    assert named(case(heard, server=answered)) == ("error_response", CERTAIN)


def test_a_head_that_came_too_late():
    late = [ACCEPTED, closed("header_timeout", at=99.9, idle_s=0.2)]
    verdict = attribute(case(lost(reused=False, began=99.7), server=late))
    assert (verdict.cause, verdict.certainty) == ("header_timeout", CERTAIN)
    assert "waited 200.0 ms" in verdict.evidence and "wrote 300.0 ms after it began" in verdict.evidence
    told = attempt(outcome=Outcome.HTTP_ERROR, status=408)
    assert named(case(told, server=late)) == ("header_timeout", CERTAIN)
    assert named(case(told)) == ("header_timeout", LIKELY)


# -- crash ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ([], "with the request unread in its kernel, or on its way"),
        ([READ], "with the request read and not carried out"),
        ([READ, DONE], "after it had carried the request out, before any answer"),
        ([READ, DONE, PART], "after 60 bytes of its response"),
    ],
)
def test_a_crash_says_how_far_the_request_had_come(ledger, said):
    died = lab(Kind.DIED, 100.01, reason="server", how="SIGKILL")
    verdict = attribute(case(lost(), server=[ACCEPTED, *ledger], wide=[died]))
    assert (verdict.cause, verdict.certainty) == ("crash", CERTAIN)
    assert verdict.evidence == f"the server process died of SIGKILL {said}"


def test_who_comes_after_a_crash_finds_nobody_listening():
    died = lab(Kind.DIED, 99.0, reason="server", how="SIGKILL")
    refused = link(Kind.CONNECT_FAILED, 100.001, errno="ECONNREFUSED", reason="Connection refused")
    made = case(lost(Outcome.RESET, reused=False), server=[], link=[refused], wide=[died])
    assert named(made) == ("not_listening", CERTAIN)


# -- on the way -----------------------------------------------------------------------------------

EXPIRED = link(Kind.EXPIRED, 100.0001, idle_s=0.4)


@pytest.mark.parametrize(
    ("outcome", "how", "said"),
    [(Outcome.RESET, "rst", "answered the next packet with RST"), (Outcome.TIMEOUT, None, "silently")],
)
def test_a_middlebox_that_had_forgotten_the_connection(outcome, how, said):
    discarded = link(Kind.DISCARDED, 100.0001, side="client", bytes=171, reason="bytes", how=how)
    verdict = attribute(case(lost(outcome), server=[ACCEPTED], link=[EXPIRED, discarded]))
    assert (verdict.cause, verdict.certainty) == ("idle_drop", CERTAIN)
    assert "after 400.0 ms idle" in verdict.evidence and said in verdict.evidence


def test_a_middlebox_that_discarded_only_what_came_later_is_not_to_blame():
    discarded = link(Kind.DISCARDED, 99.0, side="client", bytes=171, reason="bytes", how="rst")
    made = case(lost(Outcome.RESET), server=[ACCEPTED], link=[EXPIRED, discarded])
    assert attribute(made).cause != "idle_drop"


STARTING = server(Kind.ACCEPT_PAUSED, 90.0, None, reason="starting")


def overflowing(failed, own=True, overflows=17, ledger=(), wire=None):
    made = case(failed, server=list(ledger), link=wire, wide=[STARTING])
    around = Surroundings("Linux", (STARTING,), 0, {"ListenOverflows": overflows}, own)
    return replace(made, around=around)


def packets(number):
    """The wire's ledger of a connection whose request was sent so often."""
    syn = link(Kind.SYN, 99.95, side="client", began=99.93)
    sent = [link(Kind.BYTES, 100.02 + n, side="client", bytes=171, began=100.0 + n) for n in range(number)]
    return [syn, *sent]


def test_a_listen_queue_that_overflowed():
    failed = lost(Outcome.TIMEOUT, reused=False)
    assert named(overflowing(failed, wire=packets(4))) == ("backlog_overflow", CERTAIN)
    assert named(overflowing(failed, wire=packets(4), own=False)) == ("backlog_overflow", LIKELY)
    assert named(overflowing(lost(Outcome.RESET, reused=False))) == ("backlog_overflow", CERTAIN)
    assert "answered with RST" in attribute(overflowing(lost(Outcome.RESET, reused=False))).evidence


def test_without_the_wire_a_timeout_may_as_well_stand_in_the_queue():
    assert named(overflowing(lost(Outcome.TIMEOUT, reused=False))) == ("backlog_overflow", LIKELY)


def test_a_request_that_was_acknowledged_stands_in_the_queue():
    verdict = attribute(overflowing(lost(Outcome.TIMEOUT, reused=False), wire=packets(1)))
    assert (verdict.cause, verdict.certainty) == ("slow_response", CERTAIN)
    assert "listened and had not accepted this connection (starting)" in verdict.evidence


def test_what_was_accepted_or_where_nothing_overflowed_is_not_that():
    failed = lost(Outcome.TIMEOUT, reused=False)
    assert attribute(overflowing(failed, ledger=[ACCEPTED])).cause != "backlog_overflow"
    assert attribute(overflowing(failed, overflows=0)).cause != "backlog_overflow"


def test_no_local_port_left():
    failed = lost(Outcome.OTHER, errno="EADDRNOTAVAIL", reused=False, sent=None, local=None)
    assert named(case(failed, server=[])) == ("port_exhaustion", CERTAIN)


# -- TLS ------------------------------------------------------------------------------------------

EOF_IN_HANDSHAKE = {
    "error": "SSLError < MaxRetryError < SSLError < SSLEOFError",
    "sent": None,
    "reused": False,
}


def test_the_end_of_the_connection_inside_the_handshake():
    failed = lost(**EOF_IN_HANDSHAKE)
    assert named(case(failed, server=[ACCEPTED, closed("aborted", at=100.0)])) == ("tls_closed", CERTAIN)
    assert named(case(failed)) == ("tls_closed", LIKELY)


def test_tls_spoken_to_a_plain_port_and_the_other_way_round():
    failed = lost(Outcome.OTHER, error="SSLError < MaxRetryError < SSLError", sent=None, reused=False)
    assert named(case(failed, server=[ACCEPTED, closed("bad_request", at=100.0)])) == (
        "tls_mismatch",
        CERTAIN,
    )
    assert named(case(failed)) == ("tls_mismatch", LIKELY)
    plain = lost(Outcome.RESET, reused=False)
    ledger = [ACCEPTED, closed("tls_failed: HTTP_REQUEST", at=100.0, how="rst", unread=100)]
    assert named(case(plain, server=ledger)) == ("tls_mismatch", CERTAIN)


def test_a_certificate_that_is_not_trusted_is_a_cause_of_its_own():
    failed = lost(Outcome.OTHER, error="SSLError < SSLCertVerificationError", sent=None, reused=False)
    assert named(case(failed)) == ("tls_untrusted", CERTAIN)


# -- endings --------------------------------------------------------------------------------------


def test_the_ending_is_judged_apart_from_the_outcome():
    made = case(lost(Outcome.BROKEN_PIPE), server=[ACCEPTED, TIMER, closed("idle_timeout", at=99.9)])
    ending = ending_of(made)
    assert (ending.by, ending.packet, ending.at) == ("server", "FIN", 99.9)
    assert str(ending) == "server sent FIN: its idle timer fired"


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ([closed("idle_timeout", how="rst", unread=171)], "RST: its idle timer fired, with 171 bytes unread"),
        ([closed("over_capacity", how="rst")], "RST: it was over capacity, with linger 0"),
        ([closed("aborted")], "FIN: the application ended it"),
    ],
)
def test_why_that_packet(ledger, said):
    assert str(ending_of(case(lost(Outcome.RESET), server=[ACCEPTED, *ledger]))) == f"server sent {said}"


def test_the_dead_are_closed_by_their_kernel():
    died = lab(Kind.DIED, 100.1, reason="server")
    ending = ending_of(case(lost(Outcome.RESET), server=[ACCEPTED], wide=[died]))
    assert (ending.by, ending.packet) == ("server", "RST")
    assert "the kernel closed what the dead process had open" in ending.why


def test_a_middlebox_ends_what_neither_side_had_ended():
    discarded = link(Kind.DISCARDED, 100.0001, side="client", bytes=171, reason="bytes", how="rst")
    ending = ending_of(case(lost(Outcome.RESET), server=[ACCEPTED], link=[EXPIRED, discarded]))
    assert (ending.by, ending.packet) == ("middlebox", "RST")


def test_what_happened_after_the_attempt_did_not_end_it():
    made = case(lost(Outcome.TIMEOUT), server=[ACCEPTED, closed("shutdown", at=101.0)])
    assert ending_of(made) is None


def test_a_refused_syn_is_an_ending_too():
    assert ending_of(case(lost(Outcome.REFUSED, reused=False), server=[])).packet == "RST"
