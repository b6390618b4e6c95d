"""What connections speak, read from conversations built by hand: requests, and which were answered."""

import struct

import pytest

from econnlab.attribution.packets.diagnosis import diagnose
from econnlab.packets.conversation import Protocol, Unjudged
from econnlab.packets.flows import follow
from econnlab.packets.layers import ACK, PSH, SYN
from tests.support.talk import GET, OK, Talk, captured

CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def said(*turns, listens=8080, close=None):
    """Bytes of each side in turn, client first; ``close`` sends a FIN at the end, and so does the other."""
    talk = Talk(listens=listens).open()
    for number, payload in enumerate(turns):
        at = 0.01 + number / 100
        if number % 2:
            talk.arrives(at="server").send(at, "server", payload, PSH | ACK)
        elif payload:
            talk.arrives(at="client").send(at, "client", payload, PSH | ACK)
    if close:
        other = "server" if close == "client" else "client"
        talk.arrives(at=close).fin(5.0, close).arrives(at=other).fin(5.1, other)
    return talk


def judged(*talks):
    return diagnose(follow(captured(*talks)))


def counts(talk):
    found = judged(talk)
    return sum(server.requests for server in found.servers), sum(server.lost for server in found.servers)


def causes(talk):
    return [finding.verdict.cause for finding in judged(talk).findings]


# -- HTTP/1 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turns", "asked"),
    [
        ([GET * 3, OK * 3], 3),
        ([GET * 3, OK + OK[:20], b"", OK[20:] + OK], 3),
        ([GET * 2 + GET[:7], OK, GET[7:], OK * 2], 3),
        ([b"\r\n" + GET, OK], 1),
        ([GET.replace(b"\r\n", b"\n"), b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc"], 1),
        ([b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" + GET, OK * 2], 2),
        ([b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + GET, OK * 2], 2),
        (
            [
                GET,
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
                GET,
                OK,
            ],
            2,
        ),
        ([GET, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK], 1),
        ([b"HEAD / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", GET, OK], 2),
        ([GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9999\r\n\r\n", GET, OK], 2),
        ([GET, b"HTTP/1.0 200 OK\r\n\r\nuntil the end"], 1),
        ([b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + GET, OK], 1),
        ([b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + GET, OK], 1),
        ([b"PROPFIND /x HTTP/1.1\r\n\r\n", OK], 1),
    ],
)
@pytest.mark.parametrize("close", ["server", "client"])
def test_whole_answers_of_http1(turns, asked, close):
    assert counts(said(*turns, close=close)) == (asked, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_it_does_not_matter_how_bytes_are_cut_into_packets(size):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    asked, answered = GET + b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + GET, OK + chunked + OK
    talk = Talk().open()
    at = 0.01
    for who, data in (("client", asked), ("server", answered)):
        talk.arrives(at=who)
        for begin in range(0, len(data), size):
            at += 0.0001
            talk.send(at, who, data[begin : begin + size])
    talk.arrives(at="client").fin(5.0, "client").arrives(at="server").fin(5.1)
    assert counts(talk) == (3, 0)


@pytest.mark.parametrize(
    ("turns", "asked", "lost"),
    [
        ([GET * 3, OK], 3, 2),
        ([GET * 3, OK * 2 + OK[:30]], 3, 1),
        ([GET, OK, GET], 2, 1),
        ([GET, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"], 1, 1),
        ([GET, b"HTTP/1.1 100 Continue\r\n\r\n"], 1, 1),
    ],
)
def test_answers_that_are_missing(turns, asked, lost):
    assert counts(said(*turns, close="server")) == (asked, lost)


def test_what_follows_101_is_no_http():
    upgrade = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    frame, close = b"\x81\x05hello", b"\x88\x02\x03\xe8"
    masked = b"\x88\x82" + bytes(4) + b"\x03\xe8"
    whole = said(
        upgrade, switching + frame, b"\x81\x83" + bytes(4) + b"abc", frame, masked, close, close="server"
    )
    assert (counts(whole), causes(whole)) == ((1, 0), [])
    cut = said(upgrade, switching + frame, b"\x81\x83" + bytes(4) + b"abc", frame, close="server")
    assert causes(cut) == ["websocket_cut"]
    long = b"\x82\x7e\x01\x00" + b"x" * 100
    assert causes(said(upgrade, switching + long, b"", b"x" * 156 + close, close="server")) == []


def test_connect_opens_a_tunnel():
    asked = b"CONNECT a.example:443 HTTP/1.1\r\n\r\n"
    talk = said(asked, b"HTTP/1.1 200 OK\r\n\r\n", b"any bytes", b"more of them", close="server")
    found = judged(talk)
    assert found.findings == ()
    assert found.unjudged == {Unjudged.NOT_READ: 1}


def test_data_on_the_syn():
    talk = Talk()
    talk.send(0, "client", GET, SYN).arrives(at="server").send(0.001, "server", flags=SYN | ACK).arrives(
        at="client"
    )
    talk.send(0.002, "client").answer(0.01).fin(0.5, "client").arrives(at="server").fin(0.6)
    assert counts(talk) == (1, 0)


def test_an_answer_that_is_no_http():
    talk = said(GET, b"SSH-2.0-OpenSSH_9.2\r\n", close="server")
    assert causes(talk) == ["invalid_response"]


@pytest.mark.parametrize(
    "line", [b"INVITE sip:a@b SIP/2.0\r\n\r\n", b"OPTIONS rtsp://a RTSP/1.0\r\n\r\n", b"GET\r\n"]
)
def test_other_protocols_with_words_like_http(line):
    found = judged(said(line, b"SIP/2.0 200 OK\r\n\r\n", line, close="server"))
    assert found.findings == ()
    assert found.unjudged == {Unjudged.NOT_READ: 1}


# -- HTTP/2 ---------------------------------------------------------------------------------------

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, body=b""):
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack("!I", stream) + body


SETTINGS = frame(4)
ASK = [frame(1, 5, number, b"\x82\x84\x86" + b"x" * 20) for number in (1, 3, 5)]


def answer(stream, status=b"\x88"):
    return frame(1, 4, stream, status) + frame(0, 1, stream, b"d" * 100)


def test_streams_are_the_requests():
    whole = said(
        PREFACE + SETTINGS + ASK[0] + ASK[1],
        SETTINGS + answer(3) + answer(1),
        ASK[2],
        answer(5),
        close="client",
    )
    found = judged(whole)
    assert (counts(whole), found.protocols) == ((3, 0), {Protocol.HTTP2: 1})
    cut = said(PREFACE + ASK[0] + ASK[1], answer(3) + answer(1)[:40], close="server")
    assert (counts(cut), causes(cut)) == ((2, 1), ["response_cut"])
    none = said(PREFACE + ASK[0] + ASK[1], SETTINGS + answer(1), close="server")
    assert causes(none) == ["reset_after_processing"]


@pytest.mark.parametrize(
    ("status", "value"), [(b"\x8e", 500), (b"\x48\x03503", 503), (b"\x48\x82\x6c\x02", 502), (b"\x88", 0)]
)
def test_the_status_of_a_stream(status, value):
    talk = said(PREFACE + ASK[0], answer(1, status), close="client")
    findings = judged(talk).findings
    assert [finding.attempt.status for finding in findings] == ([value] if value else [])


def test_the_end_of_a_stream_or_of_all():
    reset = said(PREFACE + ASK[0] + ASK[1], frame(3, 0, 1, struct.pack("!I", 7)) + answer(3), close="client")
    (finding,) = judged(reset).findings
    assert (finding.verdict.cause, finding.lost) == ("stream_reset", True)
    assert "REFUSED_STREAM (7)" in finding.verdict.evidence
    goaway = frame(7, 0, 0, struct.pack("!II", 1, 11) + b"too many")
    gone = said(PREFACE + ASK[0] + ASK[1], answer(1) + goaway, close="server")
    assert "GOAWAY with ENHANCE_YOUR_CALM (11), last stream 1" in str(
        judged(gone).findings[0].verdict.evidence
    ) or (causes(gone) == ["reset_after_processing"])
    cancelled = said(
        PREFACE + ASK[0], SETTINGS, frame(3, 0, 1, struct.pack("!I", 8)), SETTINGS, close="client"
    )
    (finding,) = judged(cancelled).findings
    assert (finding.verdict.cause, finding.lost) == ("client_aborted", False)


def test_settings_of_a_server_may_come_first():
    talk = Talk().open().send(0.005, "server", SETTINGS).arrives(at="client")
    talk.ask(0.01, PREFACE + ASK[0]).answer(0.02, answer(1)).fin(1.0, "client").arrives(at="server").fin(1.1)
    assert counts(talk) == (1, 0)


def test_an_upgrade_to_http2():
    asked = b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"
    talk = said(asked, switching + SETTINGS + answer(1), PREFACE + ASK[1], answer(3), close="client")
    assert counts(talk) == (2, 0)


# -- TLS ------------------------------------------------------------------------------------------

HELLO = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4" + b"\1" * 196
SERVER_HELLO = b"\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x03" + bytes(32) + b"\0\xc0\x2f\0\0\0"


@pytest.mark.parametrize(
    ("by", "description", "cause", "name"),
    [
        ("server", 40, "tls_alert", "handshake_failure (40)"),
        ("server", 70, "tls_alert", "protocol_version (70)"),
        ("server", 112, "tls_alert", "unrecognized_name (112)"),
        ("client", 48, "tls_untrusted", "unknown_ca (48)"),
        ("client", 45, "tls_untrusted", "certificate_expired (45)"),
        ("client", 80, "tls_alert", "internal_error (80)"),
        ("server", 199, "tls_alert", "199"),
    ],
)
def test_alerts_in_the_clear_say_why(by, description, cause, name):
    alert = b"\x15\x03\x03\x00\x02\x02" + bytes([description])
    turns = [HELLO, SERVER_HELLO, alert] if by == "client" else [HELLO, alert]
    (finding,) = judged(said(*turns, listens=443, close=by)).findings
    assert finding.verdict.cause == cause
    assert name in finding.verdict.evidence


def records(*sizes, kind=23):
    return b"".join(bytes([kind, 3, 3]) + size.to_bytes(2, "big") + bytes(size) for size in sizes)


CCS = b"\x14\x03\x03\x00\x01\x01"


def test_session_tickets_are_no_answer():
    tickets, asked = records(250, 250), records(120)
    flight = SERVER_HELLO[:-6] + b"\0\x13\x01\0\0\x06\0\x2b\0\x02\x03\x04"
    flight = (
        b"\x16\x03\x03"
        + (len(flight) - 5).to_bytes(2, "big")
        + b"\x02\0\0"
        + bytes([len(flight) - 9])
        + flight[9:]
    )
    begun = [HELLO, flight + CCS + records(900), CCS + records(53) + asked]
    assert causes(said(*begun, tickets, listens=443, close="server")) == ["reset_after_processing"]
    assert causes(said(*begun, tickets + records(400), listens=443, close="server")) == []
    assert causes(said(*begun, records(400), listens=443, close="server")) == []


def test_an_end_inside_a_record_cuts_the_response():
    begun = [HELLO, SERVER_HELLO, CCS + records(40, kind=22), CCS + records(40, kind=22), records(120)]
    cut = said(*begun, records(400)[:200], listens=443, close="server")
    assert causes(cut) == ["response_cut"]


# -- databases ------------------------------------------------------------------------------------


def pg(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


STARTUP = struct.pack("!II", 17, 196_608) + b"user\0lab\0"
READY = pg(b"Z", b"I")
QUERY, ROWS = pg(b"Q", b"select 1\0"), pg(b"T", bytes(20)) + pg(b"D", bytes(30))


@pytest.mark.parametrize(
    ("turns", "asked", "lost"),
    [
        ([QUERY, ROWS + READY, pg(b"X")], 1, 0),
        ([pg(b"P", b"x") + pg(b"B") + pg(b"E") + pg(b"S"), b"1\0\0\0\4" + ROWS + READY, pg(b"X")], 1, 0),
        ([QUERY, ROWS], 1, 1),
        ([QUERY, b""], 1, 1),
        ([QUERY, ROWS + READY, QUERY, ROWS[:10]], 2, 1),
    ],
)
def test_postgres(turns, asked, lost):
    talk = said(
        STARTUP, pg(b"R", bytes(4)) + READY, *turns, listens=5432, close="client" if not lost else "server"
    )
    assert counts(talk) == (asked, lost)


def test_a_database_that_is_full_says_so():
    full = pg(b"E", b"SFATAL\0C53300\0Mtoo many clients\0\0")
    (finding,) = judged(said(STARTUP, full, listens=5432, close="server")).findings
    assert (finding.verdict.cause, finding.verdict.certainty) == ("over_capacity", "certain")
    error = b"\xff\x10\x04#08004Too many connections"
    refusal = len(error).to_bytes(3, "little") + b"\0" + error
    talk = (
        Talk(listens=3306)
        .open()
        .send(0.01, "server", refusal)
        .arrives(at="client")
        .fin(0.02)
        .arrives(at="client")
    )
    (finding,) = judged(talk.fin(0.03, "client")).findings
    assert (finding.verdict.cause, "Too many connections (1040)" in finding.verdict.evidence) == (
        "over_capacity",
        True,
    )


def my(sequence, body):
    return len(body).to_bytes(3, "little") + bytes([sequence]) + body


GREETING = my(0, b"\x0a8.0.36\0" + bytes(60))
EOF = b"\xfe\0\0\2\0"
MY_ROWS = my(1, b"\1") + my(2, b"\3def" + bytes(20)) + my(3, EOF) + my(4, b"\1x") + my(5, EOF)


@pytest.mark.parametrize(
    ("turns", "asked", "lost"),
    [
        ([my(0, b"\3select 1"), MY_ROWS, my(0, b"\1")], 1, 0),
        ([my(0, b"\3set x"), my(1, b"\0\0\0\2\0\0\0"), my(0, b"\1")], 1, 0),
        ([my(0, b"\3nonsense"), my(1, b"\xff\x28\x04#42000error"), my(0, b"\1")], 1, 0),
        ([my(0, b"\3select 1"), MY_ROWS[:-9]], 1, 1),
        ([my(0, b"\3select 1"), b""], 1, 1),
        ([my(0, b"\x19\1\0\0\0"), b"", my(0, b"\x0e"), my(1, b"\0\0\0\2\0\0\0"), my(0, b"\1")], 1, 0),
    ],
)
def test_mysql(turns, asked, lost):
    talk = Talk(listens=3306).open().send(0.005, "server", GREETING).arrives(at="client")
    login = my(1, struct.pack("<I", 0x0200) + bytes(30) + b"lab\0")
    at = 0.01
    for number, payload in enumerate([login, my(2, b"\0\0\0\2\0\0\0"), *turns]):
        at += 0.01
        who = "server" if number % 2 else "client"
        if payload:
            talk.arrives(at=who).send(at, who, payload, PSH | ACK)
    first, second = ("client", "server") if not lost else ("server", "client")
    talk.arrives(at=first).fin(5.0, first).arrives(at=second).fin(5.1, second)
    assert counts(talk) == (asked, lost)


@pytest.mark.parametrize(
    ("turns", "asked", "lost"),
    [
        ([b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"], 1, 0),
        ([b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" * 3, b"$5\r\nhello\r\n$-1\r\n*2\r\n:1\r\n$2\r\nab\r\n"], 3, 0),
        ([b"*1\r\n$4\r\nPING\r\n", b"", b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"], 2, 1),
        ([b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"$500\r\nhello"], 1, 1),
        ([b"*2\r\n$4\r\nHGET\r\n$1\r\nk\r\n", b"%1\r\n+a\r\n*1\r\n#t\r\n"], 1, 0),
    ],
)
def test_redis(turns, asked, lost):
    assert counts(said(*turns, listens=6379, close="server")) == (asked, lost)


def test_a_subscription_has_no_turns():
    talk = said(
        b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n", b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", close="server"
    )
    assert judged(talk).unjudged == {Unjudged.NOT_READ: 1}


@pytest.mark.parametrize(
    ("greeting", "listens", "name"),
    [
        (b"220 mail ESMTP\r\n", 25, "SMTP"),
        (b"220 FTP server\r\n", 21, "FTP"),
        (b"SSH-2.0-x\r\n", 22, "SSH"),
        (b"", 23, "Telnet"),
    ],
)
def test_what_is_not_read_is_counted_and_never_judged(greeting, listens, name):
    talk = Talk(listens=listens).open()
    if greeting:
        talk.send(0.005, "server", greeting)
    talk.arrives(at="client").ask(0.01, b"USER x\r\n").answer(0.02, b"331 y\r\n").ask(0.03, b"PASS z\r\n")
    found = judged(talk.arrives(at="server").fin(0.5).arrives(at="client").fin(0.6, "client"))
    assert (found.findings, found.protocols, found.unjudged) == ((), {name: 1}, {Unjudged.NOT_READ: 1})
    assert sum(server.requests for server in found.servers) == 0
