"""Causes from packets alone: conversations built by hand, and the cause that they show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.packets.flows import follow
from econnlab.packets.frames import ETHERNET, Frame
from econnlab.packets.layers import ACK, FIN, RST, SYN
from tests.support.frames import ethernet, ipv4, tcp
from tests.support.talk import BEGAN, GET, OK, Talk, captured

POST = b"POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n0123456789"
UPLOAD = b"POST /files HTTP/1.1\r\nHost: shop\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
KEPT = b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok"
HELLO = b"\x16\x03\x01\x00\xc8" + b"\1" * 200
#: TLS application data of 300 bytes.
#: The client's Finished in TLS 1.3.
FINISHED = b"\x17\x03\x03\x00\x35" + b"\4" * 53
SECRET = b"\x17\x03\x03\x01\x2c" + b"\2" * 300


def found(*talks):
    return diagnose(follow(captured(*talks)))


def causes(*talks):
    return [finding.verdict.cause for finding in found(*talks).findings]


def only(*talks):
    (finding,) = found(*talks).findings
    return finding


def race(**ends):
    """FIN after 5 s, then the request, then RST."""
    talk = Talk(**ends).open().talk(0.01)
    return talk.fin(5.015).ask(5.016).arrives(at="client").no_socket(5.017)


# -- the idle family ------------------------------------------------------------------------------


def test_a_request_after_the_fin_is_a_race():
    finding = only(race())
    assert (finding.verdict.cause, finding.lost, finding.attempt.outcome) == (
        "keepalive_race",
        True,
        "closed",
    )
    assert "5000.0 ms idle, 1.0 ms before the request" in finding.verdict.evidence
    assert (finding.ended.by, finding.ended.packet) == ("server", "FIN")


def test_a_fin_that_does_not_know_of_the_request_has_crossed_it():
    """Captured beside the client: the request leaves first, and the FIN acknowledges none of it."""
    talk = Talk().open().talk(0.01).ask(5.01).fin(5.015).arrives(at="client").no_socket(5.03)
    finding = only(talk)
    assert finding.verdict.cause == "keepalive_race"
    assert (
        "5.0 ms after the request had left, which says that none of the request" in finding.verdict.evidence
    )


def test_a_fin_that_acknowledges_the_request_is_no_race():
    talk = Talk().open().talk(0.01).ask(5.0).arrives(at="server").fin(5.015)
    assert causes(talk) == ["reset_after_processing"]


def test_an_rst_with_ack_over_a_request_is_unread_data():
    talk = Talk().open().talk(0.01).ask(5.0).arrives(at="server").rst(5.015)
    assert (only(talk).verdict.cause, only(talk).attempt.outcome) == ("unread_data", "reset")


def test_an_rst_of_a_host_without_the_connection_is_a_middlebox():
    talk = Talk().open().talk(0.01).ask(400.0).no_socket(400.01)
    assert only(talk).verdict.cause == "idle_drop"


def test_a_request_sent_again_and_again_without_an_answer_is_a_silent_drop():
    talk = Talk().open().talk(0.01).ask(400.0)
    begin = 1001 + len(GET)
    for at in (400.2, 400.6, 401.4):
        talk.send(at, "client", GET, seq=begin)
    finding = only(talk.rst(410.0, "client"))
    assert (finding.verdict.cause, finding.attempt.outcome) == ("idle_drop", "timeout")
    assert "sent 4 times" in finding.verdict.evidence


def test_a_client_that_began_long_before_was_held_up():
    held = GET[:-2] + b"X-Request-Start: t=%d.000000\r\n\r\n" % (BEGAN + 4)
    talk = Talk().open().talk(0.01).fin(5.0).arrives(at="client").ask(6.0, held).no_socket(6.001)
    assert only(talk).verdict.cause == "client_blocked"


@pytest.mark.parametrize(
    "start", [b"t=%d.990" % (BEGAN + 5), b"t=%d" % (BEGAN + 90000), b"t=12", b"nonsense"]
)
def test_a_header_that_does_not_say_so_is_no_hold_up(start):
    asked = GET[:-2] + b"X-Request-Start: " + start + b"\r\n\r\n"
    talk = Talk().open().talk(0.01).fin(5.0).arrives(at="client").ask(6.0, asked).no_socket(6.001)
    assert only(talk).verdict.cause == "keepalive_race"


def test_closed_sooner_than_advertised():
    talk = Talk().open().talk(0.01, response=KEPT).fin(0.055).ask(0.056).no_socket(0.057)
    assert only(talk).verdict.cause == "close_after_response"


def test_closed_after_as_many_responses_as_others():
    talks = [Talk(port=port).open().talk(0.01, 1.0) for port in (40001, 40002, 40003)]
    for talk in talks:
        talk.fin(1.006).arrives(at="client").ask(3.0).no_socket(3.001)
    assert causes(*talks) == ["max_requests"] * 3


# -- the server's life ----------------------------------------------------------------------------


def test_refused_from_then_on_is_a_crash():
    gone = Talk().open().talk(0.01).ask(1.0).arrives(at="server").fin(1.5)
    assert causes(gone, Talk(port=40001).refuse(2.0)) == ["crash", "not_listening"]
    alive = Talk(port=40002).open(1.8).talk(1.9).fin(9.0, "client").arrives(at="server").fin(9.1)
    assert causes(gone, alive, Talk(port=40001).refuse(2.0)) == ["reset_after_processing", "not_listening"]


def test_many_ends_at_once_after_different_times_are_a_restart():
    talks = [Talk(port=41000 + n).open(n * 0.2).talk(n * 0.2 + 0.1) for n in range(10)]
    for n, talk in enumerate(talks):
        talk.fin(5 + n / 10000)
    talks[3].ask(5.01).no_socket(5.02)
    assert only(*talks, Talk(port=42000).open(5.5).talk(5.6)).verdict.cause == "restart"
    assert only(*talks).verdict.cause == "process_ended"
    assert causes(*talks, Talk(port=42000).refuse(5.5)) == ["crash", "not_listening"]


def test_many_ends_at_once_after_the_same_time_are_a_timer():
    talks = [Talk(port=41000 + n).open().talk(0.1) for n in range(10)]
    for n, talk in enumerate(talks):
        talk.fin(5.105 + n / 10000)
    talks[3].ask(5.11).no_socket(5.12)
    assert only(*talks).verdict.cause == "keepalive_race"


def test_an_rst_among_many_fins_into_requests_in_progress_is_of_their_restart():
    """All as long after their last answer: what tells is that no timer runs while a request is answered."""
    talks = [Talk(port=41000 + n).open().talk(0.1).ask(0.2).arrives(at="server") for n in range(10)]
    for n, talk in enumerate(talks):
        talk.rst(0.301) if n == 3 else talk.fin(0.3 + n / 10000)
    assert causes(*talks, Talk(port=42000).open(0.5).talk(0.6)) == ["restart"] * 10


def test_an_rst_among_many_fins_that_crossed_their_requests_is_of_their_timer():
    talks = [Talk(port=41000 + n).open().talk(0.1) for n in range(10)]
    for n, talk in enumerate(talks):
        if n == 3:
            talk.ask(5.1).arrives(at="server").rst(5.101)
        else:
            talk.fin(5.1 + n / 10000).ask(5.102).arrives(at="client").no_socket(5.103)
    assert sorted(causes(*talks)) == ["keepalive_race"] * 9 + ["unread_data"]


# -- capacity -------------------------------------------------------------------------------------


def test_a_new_connection_ended_at_once_beside_others():
    stands = Talk().open().talk(0.01)
    turned_away = Talk(port=40001).open(1.0).ask(1.003).arrives(at="server").rst(1.004)
    another = Talk(port=40002).open(1.1).fin(1.103).arrives(at="client").ask(1.104).no_socket(1.105)
    assert causes(stands, turned_away, another) == ["over_capacity"] * 2
    assert causes(stands, turned_away) == ["reset_after_processing"], "one is no limit"
    alone = Talk(port=40001).open(1.0).ask(1.003).arrives(at="server").rst(1.004)
    assert causes(alone) == ["reset_after_processing"]


def test_a_503_is_capacity_only_beside_others():
    full = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    new = Talk(port=40001).open(1.0).talk(1.01, response=full).fin(1.1).fin(1.2, "client")
    another = Talk(port=40002).open(1.0).talk(1.01, response=full).fin(1.1).fin(1.2, "client")
    assert causes(new) == ["error_response"]
    assert causes(Talk().open().talk(0.01), new) == ["error_response"], "one is no limit"
    assert causes(Talk().open().talk(0.01), new, another) == ["over_capacity"] * 2


def test_left_in_the_queue_while_another_is_served():
    served = Talk().open().talk(0.01, 0.1, 0.2)
    waiting = Talk(port=40001).open(0.05).ask(0.06).acknowledge(0.061).fin(1.1, "client")
    another = Talk(port=40003).open(0.05).ask(0.06).acknowledge(0.061).fin(1.1, "client")
    assert causes(served, waiting, another) == ["over_capacity"] * 2
    assert causes(served, waiting) == ["slow_response"], "one is no limit"
    later = Talk(port=40002).open(0.5).talk(0.51)
    assert causes(served, later, waiting, another) == ["slow_response"] * 2


def test_an_answer_to_a_client_that_has_gone_is_none():
    """As the accept queue has it: served when room comes, long after its client gave up."""
    served = Talk().open().talk(0.01, 0.1, 0.2)
    waiting = Talk(port=40001).open(0.05).ask(0.06).acknowledge(0.061).fin(1.1, "client").answer(1.2)
    waiting.send(1.201, "client", flags=RST, seq=1100)
    another = Talk(port=40003).open(0.05).ask(0.06).acknowledge(0.061).fin(1.1, "client")
    finding, _ = found(served, waiting, another).findings
    assert (finding.verdict.cause, finding.attempt.outcome) == ("over_capacity", "timeout")
    half_closed = Talk(port=40001).open(0.05).ask(0.06).fin(0.07, "client").answer(1.2).fin(1.3)
    assert causes(served, half_closed) == []


def test_the_syn_ack_again_and_the_request_unacknowledged():
    talk = Talk().open().ask(0.01)
    talk.send(0.3, "client", GET, seq=1001)
    talk.send(1.0, "server", flags=SYN | ACK, seq=5000)
    assert only(talk.rst(2.0, "client")).verdict.cause == "backlog_overflow"


def test_the_last_ack_answered_with_rst():
    assert only(Talk().open().ask(0.003).no_socket(0.02)).verdict.cause == "backlog_overflow"


# -- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("response", "said"), [(LONG, "of 1041"), (CHUNKED, "")])
@pytest.mark.parametrize("by", ["fin", "rst"])
def test_a_response_that_is_not_whole(response, said, by):
    talk = Talk().open().talk(0.01, response=response)
    finding = only(getattr(talk, by)(0.5))
    assert finding.verdict.cause == "response_cut"
    assert said in finding.verdict.evidence
    assert finding.attempt.outcome == ("truncated" if by == "fin" else "reset")


@pytest.mark.parametrize(
    "response",
    [
        OK,
        CHUNKED + b"0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    ],
)
def test_a_whole_response_is_no_failure(response):
    talk = Talk().open().talk(0.01, response=response).fin(5.0).fin(5.1, "client")
    assert causes(talk) == []


def test_the_answer_to_head_has_no_body():
    talk = Talk().open().talk(0.01, request=GET.replace(b"GET", b"HEAD"), response=LONG[: LONG.index(b"xxx")])
    assert causes(talk.fin(5.0).fin(5.1, "client")) == []


def test_an_interim_response_is_not_the_response():
    talk = Talk().open().ask(0.01, POST).answer(0.02, b"HTTP/1.1 100 Continue\r\n\r\n").answer(0.03, LONG)
    assert only(talk.fin(1.0)).verdict.cause == "response_cut"


def test_answered_before_it_had_the_request():
    too_large = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    talk = Talk().open().ask(0.01, UPLOAD).answer(0.02, too_large)
    talk.send(0.03, "client", b"x" * 1000)
    assert only(talk.rst(0.04)).verdict.cause == "early_response"


def test_no_head_came():
    talk = Talk().open().fin(10.0).arrives(at="client").ask(12.0).no_socket(12.001)
    assert only(talk).verdict.cause == "header_timeout"
    said = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"
    talk = (
        Talk().open().send(10.0, "server", said).fin(10.001).arrives(at="client").ask(12.0).no_socket(12.001)
    )
    assert (only(talk).verdict.cause, only(talk).attempt.status) == ("header_timeout", 408)


def test_the_client_gave_up():
    talk = Talk().open().talk(0.01).ask(1.0).acknowledge(1.001).fin(11.0, "client")
    assert (only(talk).verdict.cause, only(talk).attempt.outcome) == ("slow_response", "timeout")


def test_the_client_broke_off_the_response():
    talk = Talk().open().talk(0.01, response=LONG).rst(0.5, "client")
    assert only(talk).verdict.cause == "client_aborted"


# -- TLS ------------------------------------------------------------------------------------------


def shaken():
    talk = Talk(listens=443).open().ask(0.01, HELLO).answer(0.02, HELLO)
    return talk.ask(0.03, b"\x14\x03\x03\x00\x01\x01" + FINISHED)


def test_a_race_under_tls():
    talk = shaken().ask(0.04, SECRET).answer(0.05, SECRET)
    talk.fin(5.05).arrives(at="client").ask(5.06, SECRET).no_socket(5.061)
    finding = only(talk)
    assert (finding.verdict.cause, finding.tls, finding.request) == ("keepalive_race", True, "")


def test_a_request_behind_the_handshake_in_one_segment():
    finished = b"\x14\x03\x03\x00\x01\x01" + b"\x17\x03\x03\x00\x35" + b"\4" * 53
    talk = Talk(listens=443).open().ask(0.01, HELLO).answer(0.02, HELLO)
    talk.ask(0.03, finished + SECRET).answer(0.04, SECRET)
    talk.send(5.04, "server", b"\x17\x03\x03\x00\x13" + b"\3" * 19).fin(5.041)
    finding = only(talk.ask(5.05, SECRET).arrives(at="client").no_socket(5.06))
    assert (finding.verdict.cause, finding.attempt.reused) == ("keepalive_race", True)
    assert "5001.0 ms idle" in finding.verdict.evidence


def test_a_close_notify_is_no_request():
    talk = shaken().ask(0.04, SECRET).answer(0.05, SECRET)
    talk.fin(5.05).ask(5.06, b"\x17\x03\x03\x00\x13" + b"\3" * 19).fin(5.061, "client")
    assert causes(talk) == []


def test_a_handshake_that_is_ended():
    assert causes(Talk(listens=443).open().ask(0.01, HELLO).arrives(at="server").fin(0.02)) == ["tls_closed"]


def test_one_side_speaks_tls():
    plain = Talk(listens=443).open().talk(0.01, response=b"\x15\x03\x01\x00\x02\x02\x0a").rst(0.02)
    assert causes(plain) == ["tls_mismatch"]
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    assert causes(Talk().open().talk(0.01, request=HELLO, response=answer).fin(0.02)) == ["tls_mismatch"]


# -- no requests lost, and others' packets --------------------------------------------------------


def test_a_reset_when_all_was_answered_costs_nothing():
    done = found(Talk().open().talk(0.01).rst(1.0, "client"))
    assert [finding.verdict.cause for finding in done.findings] == ["harmless_reset"]
    assert done.servers[0].lost == 0


def test_somebody_looks_for_open_ports():
    closed = [Talk(port=50000 + port, listens=port).refuse() for port in range(20, 27)]
    half_open = Talk(listens=80).send(0, "client", flags=SYN).arrives(at="server")
    half_open.send(0.001, "server", flags=SYN | ACK).arrives(at="client").send(0.002, "client", flags=RST)
    assert set(causes(*closed, half_open)) == {"port_scan"}
    assert causes(*closed[:2]) == ["not_listening"] * 2


def test_an_rst_with_another_ttl_is_not_the_servers():
    talk = Talk().open().talk(0.01).ask(1.0).arrives(at="server").rst(1.01, ttl=250)
    assert only(talk).verdict.cause == "middlebox_reset"
    near = Talk().open().talk(0.01).ask(1.0).arrives(at="server").rst(1.01, ttl=63)
    assert only(near).verdict.cause == "unread_data"


def test_an_rst_whose_number_does_not_fit_is_not_the_servers():
    talk = Talk().open().talk(0.01, 0.1, 0.2).ask(1.0).arrives(at="server").rst(1.01, ident=40000)
    assert only(talk).verdict.cause == "middlebox_reset"


def test_a_syn_that_nobody_answers():
    talk = Talk().send(0, "client", flags=SYN)
    for at in (1, 3, 7):
        talk.send(at, "client", flags=SYN, seq=1000)
    assert only(talk).verdict.cause == "unreachable"


# -- what a capture has besides -------------------------------------------------------------------


def test_a_packet_seen_at_two_interfaces_is_not_sent_again():
    talk = Talk().open().talk(0.01).ask(1.0).acknowledge(1.001)
    frames = [frame for frame in captured(talk.fin(11.0, "client")) for _ in range(2)]
    (finding,) = diagnose(follow(frames)).findings
    assert finding.verdict.cause == "slow_response"


def test_a_capture_that_begins_in_the_middle():
    whole = captured(race())
    (finding,) = diagnose(follow(whole[5:])).findings
    assert (finding.verdict.cause, finding.attempt.reused) == ("keepalive_race", True)
    assert finding.server == "10.0.0.2:8080"


def test_a_port_that_comes_up_twice():
    first = race()
    second = Talk().open(60.0).talk(60.01)
    second.fin(65.0).fin(65.1, "client")
    assert causes(first, second) == ["keepalive_race"]


def test_sequence_numbers_that_wrap():
    talk = Talk()
    talk._next = {"client": 0xFFFFFFF0, "server": 0xFFFFFFF8}
    talk.open().talk(0.01).fin(5.015).ask(5.016).arrives(at="client").no_socket(5.017)
    assert causes(talk) == ["keepalive_race"]


def test_what_the_capture_has_missed_was_sent_all_the_same():
    """The response is not in it, and the client acknowledges it: no request was lost."""
    talk = Talk().open().talk(0.01).ask(1.0)
    talk.arrives(at="server")._next["server"] += len(OK)  # sent, and not captured
    talk.arrives(at="client").send(1.01, "client").fin(2.0, "client").arrives(at="server").fin(2.001)
    done = found(talk)
    assert (done.findings, done.gaps) == ((), 1)


@pytest.mark.parametrize("side", ["client", "server"])
def test_of_one_direction_nothing_is_said(side):
    talk = race()
    way = 26 if side == "client" else 30
    talk.frames = [frame for frame in talk.frames if frame.data[way : way + 4] == bytes([10, 0, 0, 1])]
    done = found(talk)
    assert (done.findings, done.one_way) == ((), 1)


def test_a_goodbye_of_another_protocol_is_no_request():
    hello, query, goodbye = b"\x4a\0\0\0\x0a5.7.0", b"\x0f\0\0\0\x03select 1", b"\1\0\0\0\1"
    talk = Talk(listens=3306).open().send(0.01, "server", hello).arrives(at="client")
    talk.ask(0.02, query).answer(0.03, b"\1\0\0\1\1").ask(0.04, goodbye).fin(0.041, "client")
    assert causes(talk.arrives(at="server").fin(0.05)) == []


def test_who_waits_for_100_continue_has_sent_all_that_is_due():
    asked = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n"
    too_large = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"
    talk = Talk().open().talk(0.01, request=asked, response=too_large).fin(0.5).fin(0.6, "client")
    assert causes(talk) == ["error_response"]


def test_a_client_that_ends_its_direction_at_once_has_not_given_up():
    talk = Talk().open().ask(0.01).fin(0.011, "client").arrives(at="server").fin(0.015)
    assert causes(talk) == ["client_aborted"]


def test_a_connection_that_is_reset_unused_is_no_scan():
    talk = Talk().open().rst(0.01, "client")
    assert causes(talk) == ["harmless_reset"]


def test_an_rst_right_behind_a_response_under_tls_may_have_cut_it():
    talk = shaken().ask(0.04, SECRET).answer(0.05, SECRET)
    finding = only(talk.rst(0.051))
    assert (finding.verdict.cause, finding.attempt.outcome) == ("response_cut", "reset")
    assert "TLS hides whether" in finding.verdict.evidence


# -- proxies --------------------------------------------------------------------------------------


def passed_on(name, fate):
    """A client's request through a proxy at 10.0.0.2, on whose far side ``fate`` decides."""
    asked = GET[:-2] + b"X-Request-Id: " + name + b"\r\n\r\n"
    front = Talk().open().talk(0.01, request=GET[:-2] + b"X-Request-Id: first\r\n\r\n").ask(5.0, asked)
    behind = Talk(client="10.0.0.2", port=45000, server="10.0.0.3", listens=9000)
    behind.open(0.011).talk(0.012, request=b"GET / HTTP/1.0\r\nx-request-id: first\r\n\r\n")
    return front, fate(behind, b"GET / HTTP/1.0\r\nx-request-id: " + name + b"\r\n\r\n")


def test_behind_a_proxy_the_far_hop_decides():
    def lost(behind, asked):
        return behind.fin(4.999).arrives(at="client").ask(5.001, asked).no_socket(5.002)

    front, behind = passed_on(b"abc", lost)
    front.answer(5.003, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    finding = only(front, behind)
    assert (finding.verdict.cause, finding.attempt.status) == ("keepalive_race", 502)
    assert (finding.server, finding.culprit) == ("10.0.0.2:8080", "10.0.0.3:9000")
    assert "answered 502" in finding.verdict.evidence


def test_a_middlebox_that_kept_the_request():
    front, behind = passed_on(b"abc", lambda behind, asked: behind)
    front.arrives(at="server").rst(5.001)
    finding = only(front, behind)
    assert finding.verdict.cause == "idle_drop"
    assert "10.0.0.2:8080 took the request" in finding.verdict.evidence


def test_on_one_host_a_second_try_is_no_hop_behind_the_first():
    """Client, proxy and server share their address; each try is refused behind, and passed on as RST."""
    asked = GET[:-2] + b"X-Request-Id: abc\r\n\r\n"
    talks = []
    for number in range(3):
        at = 0.1 * number
        front = Talk(client="127.0.0.1", port=40000 + number, server="127.0.0.1", listens=8080)
        behind = Talk(client="127.0.0.1", port=45000 + number, server="127.0.0.1", listens=9000)
        talks += [
            front.open(at).ask(at + 0.003, asked).acknowledge(at + 0.0031).rst(at + 0.099),
            behind.open(at + 0.05).ask(at + 0.053, asked).acknowledge(at + 0.0531).rst(at + 0.0535),
        ]
    findings = found(*talks).findings
    assert [finding.client for finding in findings] == [f"127.0.0.1:{40000 + number}" for number in range(3)]


# -- anything -------------------------------------------------------------------------------------

PACKETS = st.tuples(
    st.integers(0, 10**10),
    st.sampled_from([("10.0.0.1", 40000, "10.0.0.2", 80), ("10.0.0.2", 80, "10.0.0.1", 40000)]),
    st.sampled_from([0, 1, 1000, 0xFFFFFFFF]),
    st.sampled_from([0, 1, 1001, 0xFFFFFFFF]),
    st.sampled_from([SYN, SYN | ACK, ACK, FIN | ACK, RST, RST | ACK, SYN | FIN | RST, 0]),
    st.sampled_from([b"", b"x", GET, POST, UPLOAD, OK, LONG, CHUNKED, HELLO, SECRET, b"HTTP/1.1 abc"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PACKETS, max_size=12))
def test_no_packets_are_too_strange(packets):
    frames = []
    for at_ns, (source, sport, target, dport), seq, ack, flags, payload in packets:
        data = ethernet(ipv4(source, target, tcp(sport, dport, seq, ack, flags, payload)))
        frames.append(Frame(at_ns, ETHERNET, data, len(data)))
    done = diagnose(follow(frames))
    assert all(finding.verdict.evidence for finding in done.findings)
