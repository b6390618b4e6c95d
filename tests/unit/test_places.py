"""HOST:PORT as people write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.errors import UsageProblem
from econnlab.scenario.places import Place, parse_listen, parse_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:5432", Place("127.0.0.1", 5432)),
        ("db.internal:80", Place("db.internal", 80)),
        ("[::1]:6379", Place("::1", 6379)),
        ("[fe80::1%eth0]:1", Place("fe80::1%eth0", 1)),
    ],
)
def test_places(text, place):
    assert parse_place(text) == place
    assert parse_listen(text) == place
    assert parse_place(str(place)) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0", Place("127.0.0.1", 0)),
        ("8080", Place("127.0.0.1", 8080)),
        ("0.0.0.0:0", Place("0.0.0.0", 0)),
        ("[::]:0", Place("::", 0)),
    ],
)
def test_where_to_listen(text, place):
    assert parse_listen(text) == place


@pytest.mark.parametrize(
    "text",
    ["", ":", "80", "host", "host:", ":80", "host:0", "host:65536", "host:٣", "::1:80", "[::1]", "[]:80",
     "a b:80", "http://x:80", "x:80/", "user@x:80", "x\n:80", "host:+80", "host:000080"],
)  # fmt: skip
def test_what_is_no_place(text):
    with pytest.raises(UsageProblem):
        parse_place(text)


@given(st.text(max_size=30))
def test_any_text_is_a_place_or_a_problem(text):
    for parse in (parse_place, parse_listen):
        try:
            place = parse(text)
        except UsageProblem:
            continue
        assert 0 <= place.port <= 65535
        assert place.host
