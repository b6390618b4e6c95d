"""Errors as users meet them: every word's file, and which word a pasted line speaks of."""

import io
from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given
from rich.console import Console

from econnlab.discovery import parts
from econnlab.errors import UsageProblem
from econnlab.explain.glossary import find, words
from econnlab.report.glossary import word_list, word_page
from econnlab.scenario.catalogue import PEERS, names

WORDS = words()
BY_TITLE = {word.title: word for word in WORDS}


def named(text):
    """The first spelling of each word found."""
    return [word.aliases[0] for word in find(text)]


@pytest.mark.parametrize("title", BY_TITLE)
def test_every_word_names_causes_and_scenarios_that_exist(title):
    word = BY_TITLE[title]
    assert set(word.causes) <= set(parts("econnlab.explain.causes"))
    assert set(word.scenarios) <= {*names(), *names(PEERS)}
    assert word.causes and word.scenarios and word.do and word.sources and word.aliases
    assert word.wire.endswith(".") and word.says.endswith(".")


def test_no_two_words_share_a_spelling():
    spellings = Counter(alias.casefold() for word in WORDS for alias in word.aliases)
    assert [alias for alias, count in spellings.items() if count > 1] == []


def test_every_cause_that_a_user_can_meet_has_a_word():
    told = {cause for word in WORDS for cause in word.causes}
    assert set(parts("econnlab.explain.causes")) - told <= {"tls_untrusted"}


@pytest.mark.parametrize("alias", [alias for word in WORDS for alias in word.aliases])
def test_every_spelling_finds_its_word(alias):
    assert find(alias)[0] == find(alias.upper())[0]
    assert any(alias in word.aliases for word in find(alias))


@pytest.mark.parametrize(
    ("line", "first"),
    [
        (
            "requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end "
            "closed connection without response'))",
            "RemoteDisconnected",
        ),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", "ECONNRESET"),
        ("Error: socket hang up\n    at connResetException (node:internal/errors:720:14)", "socket hang up"),
        ("TypeError: fetch failed\n  [cause]: SocketError: other side closed", "UND_ERR_SOCKET"),
        ("curl: (52) Empty reply from server", "curl: (52)"),
        ("52", "curl: (52)"),
        ('Post "http://a/b": http: server closed idle connection', "http: server closed idle connection"),
        ('Get "http://a/b": EOF', "http: server closed idle connection"),
        (
            "2026/11/23 [error] 7#7: *1 upstream prematurely closed connection while reading response header",
            "upstream prematurely closed connection",
        ),
        (
            "recv() failed (104: Connection reset by peer) while reading response header from upstream",
            "recv() failed (104: Connection reset by peer)",
        ),
        (
            "org.apache.http.NoHttpResponseException: blah.com:80 failed to respond",
            "NoHttpResponseException",
        ),
        ("503 UC upstream_reset_before_response_started{connection_termination}", "UC"),
        ("ssl.SSLEOFError: [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation", "SSLEOFError"),
        ('at=error code=H13 desc="Connection closed without response" method=GET', "H13"),
    ],
)
def test_a_pasted_line_finds_what_it_is_about(line, first):
    assert named(line)[0] == first


def test_the_most_specific_comes_first_and_what_it_contains_is_left_out():
    assert named("read ECONNRESET") == ["ECONNRESET"]
    both = named(
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"
    )
    assert both == ["RemoteDisconnected", "Connection aborted"]


@pytest.mark.parametrize(
    ("text", "near"), [("ECONRESET", "ECONNRESET"), ("RemoteDisconected", "RemoteDisconnected")]
)
def test_a_slip_is_met_with_what_comes_near(text, near):
    with pytest.raises(UsageProblem) as raised:
        find(text)
    assert near in raised.value.hint


def test_a_number_inside_a_line_means_nothing():
    with pytest.raises(UsageProblem):
        find("took 502 ms")


@given(st.text(max_size=200))
def test_any_text_is_explained_or_refused(text):
    try:
        assert find(text)
    except UsageProblem as problem:
        assert "No word here fits" in problem.message


@pytest.mark.parametrize("width", [50, 120])
def test_every_page_fits_the_terminal(width):
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
    console.print(word_list(WORDS))
    for word in WORDS:
        console.print(word_page(word))
    assert max(map(len, stream.getvalue().splitlines())) <= width
