"""The glossary: its files, the finding of words in pasted lines, the page."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.cli.main import run
from econnlab.commands.explain.glossary import FOLDER, Word, look_up, read_word, words
from econnlab.commands.explain.report import page
from econnlab.discovery import parts
from econnlab.errors import UsageProblem
from econnlab.scenario.catalogue import PEERS, names
from tests.unit.test_house import modules_loaded_by


def found(text):
    slugs = {word: slug for slug, word in words().items()}
    return [slugs[word] for word in look_up(text)]


def explain(capsys, *arguments):
    code = run(["explain", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_word_is_complete(path):
    word = read_word(path.read_text(encoding="utf-8"), path.name)
    assert all([word.title, word.aliases, word.says, word.causes, word.scenarios, word.do, word.sources])
    assert word.wire.endswith(".")
    assert all(line.endswith(".") for line in (word.says, *word.do))
    for texts in (word.aliases, word.causes, word.scenarios, word.do, word.sources):
        assert len(set(texts)) == len(texts)
    shown = (word.title, *word.aliases, word.says, word.wire, *word.do, *word.sources)
    assert all(text.isprintable() for text in shown)


def test_no_two_words_share_an_alias():
    owners = {}
    for slug, word in words().items():
        for alias in {each.lower() for each in (word.title, *word.aliases)}:
            assert alias not in owners, f"{slug} and {owners[alias]} both claim {alias}"
            owners[alias] = slug


def test_every_word_names_causes_and_scenarios_that_exist():
    causes, scenarios = set(parts("econnlab.attribution.causes")), {*names(), *names(PEERS)}
    missing = {
        slug: lacking
        for slug, word in words().items()
        if (lacking := ({*word.causes} - causes) | ({*word.scenarios} - scenarios))
    }
    assert not missing


@pytest.mark.parametrize("word", words().values(), ids=words())
def test_every_spelling_finds_its_word(word):
    for alias in (word.title, *word.aliases):
        assert look_up(alias.upper()) == [word]
        if not alias.isdigit():
            assert word in look_up(f"2026-11-22 worker[3]: {alias} (id 17)")


@pytest.mark.parametrize(
    ("line", "slugs"),
    [
        (
            "requests.exceptions.ConnectionError: ('Connection aborted.', "
            "RemoteDisconnected('Remote end closed connection without response'))",
            ["remote-disconnected", "connection-aborted"],
        ),
        (
            "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
            ["econnreset", "connection-aborted"],
        ),
        (
            "ChunkedEncodingError: ('Connection broken: IncompleteRead(5 bytes read, 95 more expected)')",
            ["incomplete-read", "chunked-encoding-error"],
        ),
        ("aiohttp.client_exceptions.ClientOSError: [Errno 104] Connection reset by peer",
         ["econnreset", "aiohttp-client-os-error"]),
        ("Error: socket hang up\n    at Socket.socketOnEnd {\n  code: 'ECONNRESET'\n}",
         ["socket-hang-up", "econnreset"]),
        ("Error: read ECONNRESET\n  errno: -104,\n  code: 'ECONNRESET',\n  syscall: 'read'",
         ["read-econnreset"]),
        ("TypeError: fetch failed [cause]: SocketError: other side closed { code: 'UND_ERR_SOCKET' }",
         ["undici"]),
        ('Post "http://10.0.0.2/orders": EOF', ["go-eof"]),
        ('Get "http://a/": read tcp 10.0.0.1:40000->10.0.0.2:80: read: connection reset by peer',
         ["go-reset"]),
        ("curl: (52) Empty reply from server", ["curl-52"]),
        ("curl: (56) Recv failure: Connection reset by peer", ["curl-56"]),
        ("curl: (18) transfer closed with 95 bytes remaining to read", ["curl-18"]),
        ("Caused by: java.net.SocketException: Connection reset\n\tat java.base/sun.nio.ch.X",
         ["java-connection-reset"]),
        ("java.io.IOException: HTTP/1.1 header parser received no bytes", ["jdk-no-bytes"]),
        ("org.apache.http.NoHttpResponseException: api.example:443 failed to respond",
         ["no-http-response"]),
        (
            "2026/11/22 08:55:58 [error] 31740#31740: *1 upstream prematurely closed connection while "
            'reading response header from upstream, client: 127.0.0.1, request: "GET /502 HTTP/1.1"',
            ["nginx-prematurely-closed"],
        ),
        (
            "[error] 7#7: *3 recv() failed (104: Connection reset by peer) while reading response header "
            "from upstream, client: 127.0.0.1",
            ["nginx-recv-failed"],
        ),
        ("SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of "
         "protocol (_ssl.c:1006)'))", ["ssl-eof"]),
        ("56", ["curl-56"]),
        ("  CURL   52\n", ["curl-52"]),
        ("econnRESET", ["econnreset"]),
    ],
)  # fmt: skip
def test_pasted_lines_find_the_root_first(line, slugs):
    assert found(line) == slugs


def test_a_bare_number_within_a_line_means_nothing():
    with pytest.raises(UsageProblem):
        look_up("took 502 ms, 56 rows")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("sokcet hang up", "socket hang up"), ("RemoteDisconect", "RemoteDisconnected"), ("EPIP", "EPIPE")],
)
def test_what_is_close_is_suggested(typed, meant):
    with pytest.raises(UsageProblem) as raised:
        look_up(typed)
    assert meant in raised.value.hint


def test_an_unknown_word_is_usage_and_says_where_the_list_is(capsys):
    code, out, err = explain(capsys, "qqqq")
    assert (code, out) == (2, "")
    assert 'No word is known in "qqqq".' in err
    assert "econnlab explain lists them all" in err


def test_a_wrong_file_is_named_with_its_key():
    with pytest.raises(UsageProblem, match=r"x\.toml: aliases: expected a list"):
        read_word('title = "x"\naliases = "y"', "x.toml")
    with pytest.raises(UsageProblem, match=r"x\.toml is not TOML"):
        read_word("title", "x.toml")


def test_the_page_says_it_all(capsys):
    code, out, _ = explain(capsys, "RemoteDisconnected")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "RemoteDisconnected"
    headings = [line for line in lines if line in HEADINGS]
    assert headings == HEADINGS
    assert "  econnlab run keepalive-race" in lines
    assert any(line.startswith("  keepalive_race: the server closed the idle connection") for line in lines)
    assert any(line.startswith("  1. ") for line in lines)
    assert "CPython 3.11 Lib/http/client.py" in out


HEADINGS = ["on the wire", "likely causes", "see it", "what to do", "sources"]


@pytest.mark.parametrize("columns", [30, 60, 200])
def test_no_line_is_wider_than_the_terminal_or_trails_blanks(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in ([], *([word.title] for word in words().values())):
        code, out, _ = explain(capsys, *arguments)
        assert code == 0
        assert max(map(len, out.splitlines())) <= columns
        assert all(line == line.rstrip() for line in out.splitlines())


def test_without_a_word_all_are_listed(capsys):
    code, out, _ = explain(capsys)
    assert code == 0
    assert {word.title for word in words().values()} <= set(out.splitlines())


def test_a_line_is_read_from_stdin(capsys, monkeypatch):
    class Stdin:
        class buffer:
            @staticmethod
            def read():
                return b"\xff curl: (52) Empty reply from server\n"

    monkeypatch.setattr(sys, "stdin", Stdin)
    code, out, _ = explain(capsys, "-")
    assert code == 0
    assert out.startswith("curl: (52) Empty reply from server\n")


def test_control_characters_of_the_word_never_reach_the_terminal(capsys):
    for text in ("\x1b[31mboo\x07", "\x1b]0;t\x07 ECONNRESET", "[red]x[/red]\x9b2J"):
        _, out, err = explain(capsys, text)
        assert all(character.isprintable() or character == "\n" for character in out + err)


def test_control_characters_of_a_file_are_spelled_out():
    from rich.console import Console

    console = Console(width=60, force_terminal=False)
    evil = Word("t\x1b[2J", ("t",), "s", "w [red]", ("crash",), ("x",), ("do",), ("src",))
    with console.capture() as capture:
        console.print(page(evil))
    assert "\x1b" not in capture.get()
    assert "[red]" in capture.get()


@given(st.one_of(st.text(), st.sampled_from(["eof", "read ", "curl: (52)", "("]).flatmap(
    lambda piece: st.text().map(lambda rest: f"{rest} {piece} {rest}"))))  # fmt: skip
def test_any_text_is_found_or_refused(text):
    try:
        assert look_up(text)
    except UsageProblem as problem:
        assert problem.message.isprintable()
        assert problem.hint.isprintable()


def test_explaining_loads_no_client_and_no_loop():
    loaded = modules_loaded_by("from econnlab.cli.main import run; run(['explain', 'ECONNRESET'])")
    assert not loaded & {"requests", "urllib3", "asyncio", "h11"}
    loaded = modules_loaded_by("import econnlab.commands.explain.glossary")
    assert not loaded & {"socket", "_socket", "select", "asyncio", "subprocess", "threading"}
