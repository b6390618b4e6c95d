"""``econnlab probe`` against the lab server, a link, and servers that do what they should not."""

import contextlib
import json
import math
import re
import socket
import struct
import threading
from decimal import Decimal

import jsonschema
import pytest

from econnlab.lab.certificates import make_certificate
from econnlab.lab.stage import Stage
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec
from econnlab.server.tls import server_context
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S, wait_until
from tests.support.raw import Raw
from tests.support.schemas import schema

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
#: No search for a limit of requests, and too few requests to search the window for long.
QUICK = ("--requests-per-connection", "0", "--budget", "30", "--timeout", "300")


@pytest.fixture
def probe(cli, pytestconfig):
    """The document of a probe that goes well."""
    described = schema("probe")

    def run(url, *options, code=0):
        done = cli.run("probe", url, *options, "--json", "-")
        assert done.returncode == code, done.stderr
        document = json.loads(done.stdout)
        jsonschema.validate(document, described)
        return document

    return run


def url_of(address, path="/"):
    return f"http://{address[0]}:{address[1]}{path}"


def read_request(connection):
    """One request's head; empty at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            return b""
        data += chunk
    return data


def answering(response, *, then_close=False):
    """A server that answers each request with these bytes."""

    def treat(connection):
        while read_request(connection):
            connection.sendall(response)
            if then_close:
                return

    return treat


# -- what a server does ------------------------------------------------------------------------------


def test_the_lab_servers_timeout_is_found_and_the_window_before_it(start_server, probe):
    server = start_server(keepalive_timeout_ms=Decimal(300))
    document = probe(server.url, "--budget", "200")
    idle, window = document["idle"], document["window"]
    assert idle["ends"] == "closed"
    assert set(idle["closed_after_ms"]["packets"]) == {"FIN"}
    closes = [event for event in server.events("idle_timeout") if event.idle_s]
    own = sorted(event.idle_s * 1000 for event in closes)
    # What the server itself measured; whoever has more than it closed a moment later.
    assert own[0] - 1 <= idle["closed_after_ms"]["median"] <= own[-1] + 50
    assert document["advertised"]["timeout_ms"] == 0
    if window is None:  # not one send was punctual, on a machine that busy
        assert any("the race window" in each for each in document["unknown"])
    else:
        assert window["edge_5"]["ms"] <= window["edge_50"]["ms"] <= window["edge_95"]["ms"]
        assert own[0] - 50 < window["edge_5"]["ms"] < own[-1] + 50
    for visit in document["visits"]:
        if visit["sent_ms"] is not None and visit["closed_ms"] is not None:
            assert visit["outcome"] in ("closed", "reset", "broken_pipe")
    assert document["requests_per_connection"] == {
        "answered": 50, "tried": 110, "announced": False, "outcome": None,
    }  # fmt: skip
    assert any("more than 50 requests" in each for each in document["unknown"])
    assert document["limit_ms"] < idle["closed_after_ms"]["min"]
    assert document["requests"] <= document["budget"]


def test_every_request_says_who_asks_and_only_gets(cli, scripted):
    heads = []

    def treat(connection):
        while head := read_request(connection):
            heads.append(head)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")

    done = cli.run(
        "probe", url_of(scripted(treat), "/a?b=c%20d&e=é"), "--method", "head", "--max-wait", "50", *QUICK
    )
    assert done.returncode == 0
    assert len(heads) > 10
    for head in heads:
        assert head.startswith(b"HEAD /a?b=c%20d&e=%C3%A9 HTTP/1.1\r\n")
        assert re.search(rb"(?i)user-agent: econnlab-probe/[0-9.]+ \(\+", head)


def test_behind_a_round_trip_the_window_begins_that_much_earlier_and_a_looking_client_loses(
    start_server, start_link, probe
):
    server = start_server(keepalive_timeout_ms=Decimal(300))
    link = start_link(parse_link("20ms"), server.address)
    document = probe(link.url, "--budget", "60", *QUICK[:2])
    assert document["round_trip_ms"] >= 40
    # Over bare loopback what is lost before its end can be seen was sent within 1 ms of that.
    unseen = [v["sent_ms"] for v in document["visits"] if v["outcome"] == "closed" and v["closed_ms"] is None]
    assert min(unseen) < document["idle"]["closed_after_ms"]["median"] - 10


def test_an_rst_is_told_from_a_fin(start_server, probe):
    document = probe(start_server(keepalive_timeout_ms=Decimal(150), close_with="rst").url, *QUICK)
    assert set(document["idle"]["closed_after_ms"]["packets"]) == {"RST"}


def test_a_server_that_keeps_its_connections(start_server, probe):
    document = probe(start_server(keepalive_timeout_ms=Decimal(60_000)).url, "--max-wait", "200", *QUICK)
    assert document["idle"]["ends"] == "kept"
    assert document["window"] is None
    assert document["limit_ms"] is None
    assert document["idle"]["answered_after_ms"] >= 200


@pytest.mark.parametrize("answer", [b"RST", b""])
def test_a_silent_end_is_found_between_what_was_answered_and_what_was_not(scripted, probe, answer):
    """A middlebox that has forgotten the connection after 150 ms: it says nothing until the next packet."""

    def treat(connection):
        assert read_request(connection)
        connection.sendall(OK)
        connection.settimeout(0.15)
        try:
            if read_request(connection):
                connection.sendall(OK)
        except TimeoutError:
            connection.settimeout(DEADLINE_S)
            if not connection.recv(1, socket.MSG_PEEK):
                return
            if answer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.recv(65536)
                connection.recv(1)

    document = probe(url_of(scripted(treat)), "--max-wait", "250", *QUICK)
    idle = document["idle"]
    assert idle["ends"] == "silent"
    assert idle["closed_after_ms"] is None
    # What was due before the 150 ms may have left after them, on a busy machine; or never been tried.
    assert 30 < idle["answered_after_ms"] < 250
    assert 100 < idle["silent_after_ms"] <= 250
    assert set(idle["silent_outcomes"]) == {"reset" if answer else "timeout"}
    assert document["limit_ms"] < idle["silent_after_ms"]


def test_a_408_before_the_close_is_told(scripted, probe):
    def treat(connection):
        assert read_request(connection)
        connection.sendall(OK)
        connection.settimeout(0.15)
        try:
            read_request(connection)
        except TimeoutError:
            connection.sendall(
                b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )

    document = probe(url_of(scripted(treat)), *QUICK)
    assert document["idle"]["ends"] == "closed"
    assert set(document["idle"]["closed_after_ms"]["said"]) == {"408"}


def test_how_often_a_server_looks_for_idle_connections(scripted, probe):
    """After 300 ms a connection is over time, and every 400 ms it is looked for those that are."""

    def treat(connection):
        with contextlib.suppress(TimeoutError):
            while read_request(connection):
                connection.sendall(OK)
                look = math.ceil((now() + 0.3) / 0.4) * 0.4
                connection.settimeout(look - now())

    document = probe(url_of(scripted(treat)), "--requests-per-connection", "0", "--budget", "150")
    assert document["idle"]["closed_after_ms"]["scan_period"] == pytest.approx(400, abs=20)


def test_limits_of_requests_on_a_connection(start_server, probe):
    document = probe(start_server(keepalive_timeout_ms=Decimal(100), max_requests=7).url, "--budget", "40")
    assert document["requests_per_connection"]["answered"] == 7


@pytest.mark.parametrize(
    ("when_full", "told"),
    [
        ("close", "closed with"),
        ("reset", "closed with RST"),
        ("503", "answered 503"),
        ("queue", "queued without"),
    ],
)
def test_how_many_connections_and_how_more_are_refused(start_server, cli, when_full, told):
    server = start_server(keepalive_timeout_ms=Decimal(1000), max_connections=3, when_full=when_full)
    done = cli.run(
        "probe", server.url, "--connections", "1", "--max-wait", "100", "--max-connections", "10",
        *QUICK,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"3 at a time; one more is {told}" in done.stdout


def test_a_full_server_is_probed_with_what_it_takes(start_server, probe):
    document = probe(start_server(keepalive_timeout_ms=Decimal(150), max_connections=6).url, *QUICK)
    assert document["idle"]["closed_after_ms"]["seen"] == 10
    assert set(document["failures"]) <= {"closed", "reset"}


def test_a_full_servers_503_is_no_idle_connection(start_server, probe):
    """It says that it closes, and does: no answer to how long idle connections are kept."""
    server = start_server(keepalive_timeout_ms=Decimal(2000), max_connections=4, when_full="503")
    document = probe(server.url, "--max-wait", "100", *QUICK)
    assert document["idle"]["ends"] == "kept"
    assert "http_error" in document["failures"]


def test_the_last_request_of_those_that_watch_is_punctual_too(start_server, probe):
    url = start_server(keepalive_timeout_ms=Decimal(2000)).url

    def earliest_ms():
        visits = probe(url, "--max-wait", "100", *QUICK)["visits"]
        return min(visit["late_ms"] for visit in visits if visit["sent_ms"] is not None)

    # Made ready only when due, each left 0.7 ms late or more. A busy machine makes many late, not all thirty.
    assert any(earliest_ms() < 0.5 for _ in range(3))


def test_the_budget_is_kept_to_and_what_is_not_known_is_said(start_server, probe):
    server = start_server(keepalive_timeout_ms=Decimal(100))
    document = probe(server.url, *QUICK[:2], "--budget", "15")
    assert document["requests"] <= 15
    assert len(server.events("request")) <= 15
    assert any("the budget of 15 requests was used up" in each for each in document["unknown"])


def test_too_many_requests_end_it(scripted, probe):
    answered = []

    def treat(connection):
        while read_request(connection):
            answered.append(1)
            status = b"200 OK" if len(answered) < 4 else b"429 Too Many Requests"
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    document = probe(url_of(scripted(treat)), "--max-wait", "10s")
    assert any("429" in each for each in document["unknown"])
    assert document["idle"]["ends"] == "unknown"


def test_one_that_answers_429_at_once_is_asked_nothing_more(scripted, probe):
    answer = answering(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
    document = probe(url_of(scripted(answer)))
    assert document["requests"] == 1
    assert any("429" in each for each in document["unknown"])


# -- nothing to race ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "close", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", True, "as announced"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False, "leaves it open"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", True, "HTTP/1.0"),
        (b"HTTP/1.1 200 OK\r\n\r\nbytes without a length", True, "it ends where the connection does"),
    ],
)
def test_servers_that_do_not_keep_connections(scripted, cli, response, close, told):
    done = cli.run("probe", url_of(scripted(answering(response, then_close=close))), *QUICK)
    assert done.returncode == 0
    assert told in done.stdout
    assert "so there is no race" in done.stdout


def test_a_server_that_closes_behind_each_response_without_saying_so(scripted, cli):
    done = cli.run("probe", url_of(scripted(answering(OK, then_close=True))), *QUICK)
    assert done.returncode == 0
    assert "closes right behind its response, with FIN" in done.stdout
    assert "What to set" not in done.stdout


def test_http_1_0_that_keeps_its_connections_is_probed_as_any_other(scripted, probe):
    kept = b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nok\n"

    def treat(connection):
        connection.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            answering(kept)(connection)

    document = probe(url_of(scripted(treat)), *QUICK)
    assert document["response"]["http_version"] == "1.0"
    assert document["idle"]["ends"] == "closed"
    assert document["idle"]["closed_after_ms"]["median"] >= 299
    assert any(visit["outcome"] == "ok" for visit in document["visits"])


# -- odd, but answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n", "3 bytes, chunked"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK, "after 100, 103"),
        (b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
         "it points to /there, which the probe does not follow"),
        (b"HTTP/1.1 404 Not Found\r\nServer: caf\xe9\r\nContent-Length: 0\r\n\r\n", "404 to GET"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "0 bytes, no body"),
    ],
)  # fmt: skip
def test_answers_of_every_kind(scripted, cli, response, told):
    done = cli.run("probe", url_of(scripted(answering(response))), "--max-wait", "50", *QUICK)
    assert done.returncode == 0, done.stderr
    assert told in " ".join(done.stdout.split())


# -- no answer ---------------------------------------------------------------------------------------


def sends(*pieces, hold=False):
    def treat(connection):
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)
        if hold:
            while connection.recv(65536):
                pass

    return treat


def endless_header(connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    try:
        while True:
            connection.sendall(b"X-Padding: " + b"x" * 8000 + b"\r\n")
    except OSError:
        pass


def endless_body(connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    pause = threading.Event()
    try:
        while not pause.wait(0.02):
            connection.sendall(b"1\r\nx\r\n")
    except OSError:
        pass


def reset_at_once(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("treat", "told"),
    [
        (sends(b"SSH-2.0-OpenSSH_9.2\r\n\x1b[2J"), r"does not answer in HTTP/1: 'SSH-2\.0-OpenSSH_9\.2"),
        (
            sends(b"SSH-2.0-OpenSSH_9.2\r\n\x1b[2J", hold=True),
            r"in HTTP/1: 'SSH-2\.0-OpenSSH_9\.2\\r\\n\\x1b",
        ),
        (
            sends(b"HTTP/1.1 100 Continue\r\n\r\n", hold=True),
            "sends the interim response 100, and no final one",
        ),
        (
            sends(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n", hold=True),
            r"switches to another protocol \(101\) though the probe did not ask",
        ),
        (
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nok\n", hold=True),
            "response is not HTTP: conflicting Content-Length",
        ),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Le", hold=True), "began a response that does not end within"),
        (sends(b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18), "speaks HTTP/2 only"),
        (sends(b"\x15\x03\x03\0\x02\x02\x46"), "speaks TLS: it answered plain HTTP with an alert"),
        (sends(), "closed the connection without a byte of a response"),
        (reset_at_once, "(reset|closed) the connection without a byte of a response"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Le"), "closed the connection in the middle of its response"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "in the middle of its response"),
        (sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"), "is not HTTP"),
        (sends(hold=True), r"does not answer within 0\.3 s"),
        (
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", hold=True),
            "a response that does not end",
        ),
        (endless_body, "a response that does not end within"),
        (endless_header, "sends a header of more than 64 KiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_answer_is_said_in_a_sentence(scripted, cli, treat, told):
    done = cli.run("probe", url_of(scripted(treat)), *QUICK)
    assert done.returncode == 3
    assert re.search(told, done.stderr)
    assert "\x1b" not in done.stderr
    assert done.stdout == ""


def test_refused(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = cli.run("probe", f"http://127.0.0.1:{port}/")
    assert done.returncode == 3
    assert f"Nothing listens at 127.0.0.1:{port}" in done.stderr


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("http://nowhere.invalid/", 3, "'nowhere.invalid' cannot be resolved"),
        ("ftp://127.0.0.1/", 2, "the lab speaks http and https"),
        ("127.0.0.1:80", 2, "the lab speaks http and https"),
        ("http://user:word@127.0.0.1/", 2, "sends no credentials"),
    ],
)
def test_urls_that_lead_nowhere(cli, url, code, told):
    done = cli.run("probe", url)
    assert done.returncode == code
    assert told in done.stderr


def test_more_connections_than_files_can_be_open(cli):
    done = cli.run("probe", "http://127.0.0.1:1/", "--max-connections", "2000000000")
    assert done.returncode == 3
    assert "or ask for fewer connections." in done.stderr


def test_post_is_not_to_be_had(cli):
    assert cli.run("probe", "http://127.0.0.1/", "--method", "POST").returncode == 2


# -- TLS ---------------------------------------------------------------------------------------------


def test_tls_with_a_certificate_that_is_not_trusted(start_tls, cli, probe):
    url = start_tls()
    done = cli.run("probe", url, *QUICK)
    assert done.returncode == 3
    assert "is not trusted: unable to get local issuer certificate" in done.stderr
    assert "--insecure" in done.stderr
    document = probe(url, "--insecure", *QUICK[:2], "--budget", "50")
    assert document["idle"]["ends"] == "closed"
    assert document["tls"]["complaint"]
    lost = [visit for visit in document["visits"] if visit["outcome"] not in (None, "ok")]
    assert lost
    assert document["idle"]["closed_after_ms"]["packets"] == {"FIN": 10}


@pytest.fixture
def start_tls():
    """A lab server that speaks TLS, in a folder of its own: its URL."""
    with contextlib.ExitStack() as stack:

        def start():
            spec = ServerSpec(keepalive_timeout_ms=Decimal(200), tls=True)
            return stack.enter_context(Stage(Scenario("tls", server=spec))).url

        yield start


def test_tls_spoken_to_a_plain_port(start_server, cli):
    done = cli.run("probe", start_server().url.replace("http", "https"), *QUICK)
    assert done.returncode == 3
    assert (
        "does not speak TLS" in done.stderr or "closed the connection during the TLS handshake" in done.stderr
    )


def test_a_server_of_http_2_alone_over_tls(cli, scripted):
    context = server_context(make_certificate("127.0.0.1").server)
    context.set_alpn_protocols(["h2"])

    def treat(connection):
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.sendall(b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18)
                secured.recv(65536)
        except OSError:
            pass

    host, port = scripted(treat)
    done = cli.run("probe", f"https://{host}:{port}/", "--insecure", *QUICK)
    assert done.returncode == 3
    assert "HTTP/2 only" in done.stderr or "does not answer in HTTP/1" in done.stderr


# -- the command itself ------------------------------------------------------------------------------


def test_ctrl_c_prints_what_there_is(start_server, cli):
    server = start_server(keepalive_timeout_ms=Decimal(60_000))
    process = cli.start("probe", server.url)
    wait_until(lambda: len(server.events("request")) >= 20, "requests")
    process.terminate()
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert "it was interrupted" in out
    assert "Traceback" not in err


def test_the_budget_is_announced_before_anything_is_sent(start_server, cli):
    done = cli.run("probe", start_server(keepalive_timeout_ms=Decimal(100)).url, "--budget", "20")
    assert "at most 20 GET requests, on at most 40 connections at a time" in done.stderr


def test_ascii_where_the_stream_knows_no_more(start_server, start_link, cli):
    """Behind a link the window is a fifth of a second wide, and met however late a busy machine is."""
    server = start_server(keepalive_timeout_ms=Decimal(300))
    link = start_link(parse_link("100ms"), server.address)
    process = cli.start(
        "probe",
        link.url,
        *QUICK,
        "--budget",
        "90",
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"},
    )
    out, err = process.communicate(timeout=DEADLINE_S * 2)
    assert process.returncode == 0, err
    assert "##########" in out


def test_nothing_is_left_open(start_server, cli):
    server = start_server(keepalive_timeout_ms=Decimal(100))
    assert cli.run("probe", server.url, *QUICK).returncode == 0
    accepted = len(server.events("accepted"))
    wait_until(lambda: len(server.events("closed")) == accepted, "the last to be closed")
    with Raw(server.address) as client:
        assert client.ask()[0] == 200


# -- servers that say more than they are asked ------------------------------------------------------


@pytest.mark.parametrize(
    ("greeting", "told"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "sends a response before it is asked: 'HTTP/1.1 200",
        ),
        (b"220 mail.example.com ESMTP\r\n", "does not answer in HTTP/1: '220 mail"),
    ],
)
def test_a_server_that_speaks_first_is_no_http_server(scripted, cli, greeting, told):
    def treat(connection):
        connection.sendall(greeting)
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(connection)

    done = cli.run("probe", url_of(scripted(treat)), *QUICK)
    assert done.returncode == 3
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_line_break_behind_each_body_is_no_end(scripted, probe):
    """RFC 9112 section 9.2 lets a client ignore it; it is no part of the next response either."""
    address = scripted(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n"))
    document = probe(url_of(address), "--max-wait", "300", "--requests-per-connection", "5", "--budget", "40")
    assert document["idle"]["ends"] == "kept"
    assert document["response"]["stray_line_break"] is True
    assert document["requests_per_connection"]["answered"] == 5
    assert {visit["outcome"] for visit in document["visits"] if visit["sent_ms"] is not None} == {"ok"}


def test_bodies_are_bounded_one_by_one_and_in_all(scripted, cli, probe):
    def sized(size):
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
        return url_of(scripted(answering(head + b"x" * size)))

    refused = cli.run("probe", sized(200_000), *QUICK, "--byte-budget", "1")
    assert refused.returncode == 3
    assert "is longer than 0.1 MB" in refused.stderr
    document = probe(
        sized(90_000), "--max-wait", "200", "--requests-per-connection", "0", "--byte-budget", "1"
    )
    assert document["requests"] <= 11
    assert any("the budget of 1 MB was used up" in each for each in document["unknown"])
