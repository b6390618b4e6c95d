"""``explain``: what a text is taken for, the answer on the screen and as JSON, and texts from outside."""

import json
import sys
import time

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.cli.main import run
from econnlab.commands.explain.answer import NotUnderstood
from econnlab.commands.explain.explaining import explain
from econnlab.commands.explain.formats.json import render
from econnlab.commands.explain.index import index
from tests.support.schemas import schema
from tests.unit.test_house import modules_loaded_by


def told(capsys, *arguments):
    code = run(["explain", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def found(text):
    answers = explain(text)
    return [] if isinstance(answers, NotUnderstood) else [answer.slug for answer in answers]


# -- one article for a failure --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "slug", "first"),
    [
        ("requests.exceptions.ConnectionError: ('Connection aborted.', "
         "RemoteDisconnected('Remote end closed connection without response'))",
         "python/remote-disconnected", "keepalive_race"),
        ("('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
         "python/connection-aborted", "unread_data"),
        ("ChunkedEncodingError: ('Connection broken: IncompleteRead(5 bytes read, 95 more expected)')",
         "python/chunked-encoding-error", "response_cut"),
        ("aiohttp.client_exceptions.ClientOSError: [Errno 104] Connection reset by peer",
         "python/aiohttp-client-os-error", "unread_data"),
        ("Error: socket hang up\n    at Socket.socketOnEnd (node:_http_client:524:23) {\n"
         "  code: 'ECONNRESET'\n}", "node/socket-hang-up", "keepalive_race"),
        ("Error: read ECONNRESET\n  errno: -104,\n  code: 'ECONNRESET',\n  syscall: 'read'",
         "node/read-econnreset", "unread_data"),
        ("TypeError: fetch failed [cause]: SocketError: other side closed { code: 'UND_ERR_SOCKET' }",
         "node/undici-other-side-closed", "keepalive_race"),
        ('Post "http://10.0.0.2/orders": EOF', "go/eof", "keepalive_race"),
        ('Get "http://a/": read tcp 10.0.0.1:40000->10.0.0.2:80: read: connection reset by peer',
         "go/reset", "unread_data"),
        ("curl: (52) Empty reply from server", "curl/52", "over_capacity"),
        ("curl: (56) Recv failure: Connection reset by peer", "curl/56", "unread_data"),
        ("Caused by: java.net.SocketException: Connection reset\n\tat java.base/sun.nio.ch.X",
         "java/connection-reset", "unread_data"),
        ("SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of "
         "protocol (_ssl.c:1006)'))", "tls/ssl-eof", "tls_closed"),
        ("urllib3.exceptions.MaxRetryError: HTTPConnectionPool(host='a', port=80): Max retries exceeded with "
         "url: / (Caused by NewConnectionError('[Errno 111] Connection refused'))",
         "python/max-retries", "not_listening"),
        ("56", "curl/56", "unread_data"),
        ("  CURL   52\n", "curl/52", "over_capacity"),
        ("econnRESET", "os/econnreset", "unread_data"),
    ],
)  # fmt: skip
def test_a_failure_gets_one_article_refined_by_what_is_behind_it(text, slug, first):
    (answer,) = explain(text)
    assert (answer.slug, answer.causes[0]) == (slug, first)


def test_nodes_frames_decide_who_closed():
    text = "Error: socket hang up\n    at Socket.{} (node:_http_client:500:20) {{\n  code: 'ECONNRESET'\n}}"
    (peer,) = explain(text.format("socketOnEnd"))
    assert peer.causes[0] == "keepalive_race"
    (own,) = explain(text.format("socketCloseListener"))
    assert own.causes[0] == "client_aborted"
    assert "keepalive_race" in dict(own.excluded)
    assert not any("keep idle connections longer" in line for line in own.do)
    assert "keepalive-race" not in own.scenarios


HAPROXY = (
    "haproxy[12]: 10.1.1.1:51234 [27/Aug/2026:10:00:00.123] fe be/app1 0/0/0/-1/30003 {} 195 - - {} "
    '1/1/0/0/0 0/0 "GET /api HTTP/1.1"'
)


@pytest.mark.parametrize(
    ("status", "flags", "first"),
    [
        (504, "sH--", "slow_response"),
        (502, "SH--", "keepalive_race"),
        (200, "SD--", "response_cut"),
        (503, "SC--", "not_listening"),
        (503, "sC--", "unreachable"),
        (503, "sQ--", "over_capacity"),
        (400, "CR--", "client_aborted"),
        (200, "CD--", "client_aborted"),
        (408, "cR--", "header_timeout"),
        (502, "PH--", "invalid_response"),
        (502, "SHVN", "keepalive_race"),
    ],
)
def test_haproxys_flags_are_taken_apart(status, flags, first):
    (answer,) = explain(HAPROXY.format(status, flags))
    assert answer.causes[0] == first
    assert any(flags in why for why in answer.because)


def test_a_line_that_reports_no_failure_is_said_to_be_one(capsys):
    code, out, err = told(capsys, HAPROXY.format(200, "--NI"))
    assert (code, out) == (2, "")
    assert "It was read as: HAProxy log line, which reports no failure." in err


ALB = (
    "https 2026-04-24T08:15:03.186641Z app/shop/50dc6c 192.0.2.39:2817 10.0.0.1:5000 {} {} 34 366 "
    '"POST https://shop.example:443/ HTTP/1.1" "curl/8.0" - -'
)


@pytest.mark.parametrize(
    ("times", "statuses", "slug"),
    [
        ("0.000 0.001 -1", "502 -", "alb/target-closed"),
        ("-1 -1 -1", "502 -", "alb/target-closed"),
        ("0.000 60.001 -1", "504 -", "alb/timeout"),
        ("0.001 0.200 0.000", "502 502", "alb/target-answered"),
        ("-1 -1 -1", "460 -", "alb/client-gone"),
    ],
)
def test_an_albs_times_and_statuses(times, statuses, slug):
    assert found(ALB.format(times, statuses)) == [slug]


def test_where_nginx_stood_decides_whose_connection_it_was():
    line = (
        "2026/06/15 09:41:03 [error] 1#1: *5 recv() failed (104: Connection reset by peer) while {}, client: "
        '203.0.113.9, server: a, request: "GET / HTTP/1.1", upstream: "{}"'
    )
    reading = "reading response header from upstream"
    (race,) = explain(line.format(reading, "http://10.0.0.1:3000/"))
    assert {"keepalive_race", "unread_data"} <= set(race.causes)
    (own,) = explain(line.format("reading client request body", "http://10.0.0.1:3000/"))
    assert own.causes[0] == "client_aborted"
    (socket,) = explain(line.format(reading, "fastcgi://unix:/run/php.sock:"))
    assert "keepalive_race" in dict(socket.excluded)


# -- entries, readings, refusals ------------------------------------------------------------------


def test_equal_failures_of_a_log_are_one_answer_with_a_count():
    line = "Nov 27 10:00:0{} web node[7]: Error: socket hang up\n"
    (answer,) = explain("".join(line.format(second) for second in range(5)))
    assert (answer.slug, answer.times) == ("node/socket-hang-up", 5)


def test_different_failures_of_a_log_are_different_answers():
    text = (
        "2026-11-27T10:00:00Z ERROR psycopg2.OperationalError: server closed the connection unexpectedly\n"
        "2026-11-27T10:00:01Z ERROR redis.exceptions.ConnectionError: Connection closed by server.\n"
    )
    assert set(found(text)) == {"postgres/server-closed", "redis/connection-lost"}


@pytest.mark.parametrize(
    "collector",
    [
        "web-1  | {}",
        "2026-11-27T10:00:00.123456Z stderr F {}",
        "Nov 27 10:00:00 host app[12]: {}",
        "\x1b[31m{}\x1b[0m",
        "{}",
    ],
)
def test_what_a_collector_puts_in_front_changes_nothing(collector):
    lines = [
        "Error: socket hang up",
        "    at Socket.socketOnEnd (node:_http_client:524:23) {",
        "  code: 'ECONNRESET'",
        "}",
    ]
    (answer,) = explain("\n".join(collector.format(line) for line in lines))
    assert answer.slug == "node/socket-hang-up"
    assert "frame:socketOnEnd" in answer.reading.tags


def test_readings_of_a_bare_phrase_are_all_named_with_what_would_decide(capsys):
    answers = explain("unexpected end of stream")
    assert [answer.slug for answer in answers] == [
        "java/okhttp-eos", "mysql/jdbc", "redis/connection-lost"
    ]  # fmt: skip
    assert all(answer.doubt for answer in answers)
    assert found("java.io.IOException: unexpected end of stream on http://10.0.2.2/...") == [
        "java/okhttp-eos"
    ]
    code, out, _ = told(capsys, "failed to respond")
    assert code == 0
    assert "What would decide" in out


@pytest.mark.parametrize(
    "text",
    ["EOF", "terminated", "closed", "reset", "failed", "the build was terminated", "EOF while scanning"],
)
def test_an_everyday_word_is_no_answer(text, capsys):
    code, out, err = told(capsys, text)
    assert (code, out) == (2, "")
    assert "No word is known" in err


def test_of_a_text_without_an_answer_it_is_said_what_was_understood(capsys):
    _, _, err = told(capsys, "TypeError: x is undefined\n    at main (/srv/app/main.js:3:7)")
    assert "It was read as: Node.js" in err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("sokcet hang up", "socket hang up"), ("RemoteDisconect", "RemoteDisconnected"), ("EPIP", "EPIPE")],
)
def test_what_is_close_is_suggested(typed, meant, capsys):
    code, _, err = told(capsys, typed)
    assert code == 2
    assert meant in err


def test_a_bare_number_within_a_line_means_nothing():
    assert found("took 502 ms, 56 rows") == []


# -- the screen -----------------------------------------------------------------------------------

HEADINGS = ["on the wire", "likely causes", "see it", "what to do", "sources", "run now"]


def test_the_page_of_a_word_says_it_all(capsys):
    code, out, _ = told(capsys, "RemoteDisconnected")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "RemoteDisconnected"
    assert [line for line in lines if line in HEADINGS] == HEADINGS
    assert "  econnlab run keepalive-race" in lines
    assert any(line.startswith("  keepalive_race: the server closed the idle connection") for line in lines)
    assert any(line.startswith("  1. ") for line in lines)
    assert "CPython 3.11 Lib/http/client.py" in out


def test_the_page_of_a_text_begins_with_what_it_was_taken_for(capsys):
    _, out, _ = told(capsys, 'Post "http://10.0.0.2:8080/orders": EOF')
    lines = out.splitlines()
    assert lines[0] == "read as: Go net/http client, Go error"
    assert lines[1].startswith("  because ")
    assert "  econnlab probe http://10.0.0.2:8080/" in lines


@pytest.mark.parametrize("columns", [30, 60, 200])
def test_no_line_is_wider_than_the_terminal_or_trails_blanks(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    titles = [entry["title"] for entry in index()["words"].values()]
    for arguments in ([], *([title] for title in titles)):
        code, out, _ = told(capsys, *arguments)
        assert code == 0
        assert max(map(len, out.splitlines())) <= columns
        assert all(line == line.rstrip() for line in out.splitlines())


def test_a_command_that_is_broken_is_read_on_by_a_shell(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = told(capsys, "RemoteDisconnected")
    commands = out.partition("run now\n")[2].replace(" \\\n", "").splitlines()
    assert [" ".join(command.split()) for command in commands] == list(explain("RemoteDisconnected")[0].next)


def test_without_a_word_all_are_listed(capsys):
    code, out, _ = told(capsys)
    assert code == 0
    assert {entry["title"] for entry in index()["words"].values()} <= set(
        out.replace("\n  ", "\n").splitlines()
    )


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour_is_as_the_environment_asks(variables, coloured, capsys, monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    _, out, _ = told(capsys, "EPIPE")
    assert ("\x1b[1m" in out) is coloured


class Stdin:
    """Standard input that holds ``content``."""

    def __init__(self, content):
        self.buffer = self
        self._content = content

    def read(self):
        return self._content


def test_a_line_is_read_from_stdin(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Stdin(b"\xff curl: (52) Empty reply from server\n"))
    code, out, _ = told(capsys, "-")
    assert code == 0
    assert out.startswith("read as: curl, curl's message\n")


# -- JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("curl: (52) Empty reply from server", 0),
        ("nothing of the kind", 2),
        ("2026-11-27T10:00:00Z curl: (52)\n2026-11-27T10:00:00Z Error: socket hang up", 0),
    ],
)
def test_the_document_follows_its_schema(text, code, capsys):
    given_code, out, err = told(capsys, "--json", text)
    assert (given_code, err) == (code, "")
    jsonschema.validate(json.loads(out), schema("explain"))


def test_the_document_of_every_word_follows_its_schema():
    validator = jsonschema.validators.validator_for(schema("explain"))(schema("explain"))
    for slug, entry in index()["words"].items():
        document = json.loads(render(explain(entry["title"])))
        validator.validate(document)
        assert document["word"] == slug


# -- texts from outside ---------------------------------------------------------------------------


def test_control_characters_of_the_text_never_reach_the_terminal(capsys):
    for text in (
        "\x1b[31mboo\x07",
        "\x1b]0;t\x07 ECONNRESET",
        "[red]x[/red]\x9b2J",
        "read ECONNRESET \x1b[2J",
    ):
        for arguments in ([text], ["--json", text]):
            _, out, err = told(capsys, *arguments)
            assert all(character.isprintable() or character == "\n" for character in out + err)


def test_little_of_a_long_text_is_echoed(capsys):
    for arguments in ([], ["--json"]):
        for text in ("x" * 100_000, "socket hang up " + "y " * 50_000, "[error] 1#1: " + "z" * 50_000):
            _, out, err = told(capsys, *arguments, text)
            assert len(err) < 1000
            assert max(out.count(letter * 200) for letter in "xyz") <= 2


ALPHABET = st.sampled_from(
    ["eof", "read ", "curl: (52)", "(", "\n", "at a (b.js:1:2)", "HTTP/1.1", "goaway", "104"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(ALPHABET, st.text(max_size=9)), max_size=12).map(" ".join)))
def test_any_text_is_answered_or_refused(text):
    answers = explain(text)
    assert json.loads(render(answers))["version"] == 1
    assert isinstance(answers, NotUnderstood) or answers


#: A careless pattern would go over these again and again.
LONG = [
    "at ", "at " + "a." * 99, "/", '"', "1/", "| ", "dial tcp ", 'Get "http://', "java.a.", "System.a.",
    "heroku ", "a", "\n", "curl ", "http://a.", "2026-11-27 10:00 x\n", "1.1.1.1:1 [x] f b/s ",
    "ECONNRESET redis ",
]  # fmt: skip


@pytest.mark.parametrize("piece", LONG)
def test_no_text_takes_long(piece):
    began = time.process_time()
    explain(piece * (20_000 // len(piece)))
    assert time.process_time() - began < 3  # quadratic patterns took 5 to 20


def test_explaining_loads_no_client_no_loop_and_no_rich():
    loaded = modules_loaded_by("from econnlab.cli.main import run; run(['explain', 'ECONNRESET'])")
    assert not loaded & {"requests", "urllib3", "asyncio", "h11", "rich"}
    loaded = modules_loaded_by("import econnlab.commands.explain.explaining")
    assert not loaded & {"socket", "_socket", "select", "asyncio", "subprocess", "threading"}
