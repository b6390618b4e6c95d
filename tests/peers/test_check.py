"""``econnlab check`` with Node and curl as themselves: what each does with a connection that dies."""

from pathlib import Path

import pytest

from tests.support.checked import Client

CLIENT = str(Path(__file__).parent / "checked.cjs")
ORDERS = ("-d", "one", "{url}orders", "-d", "two", "{url}orders")


@pytest.fixture
def client(cli):
    return Client(cli)


@pytest.mark.parametrize(("manner", "reused"), [("keep", "failed"), ("close", "not_met")])
def test_node_with_and_without_keep_alive(client, node, manner, reused):
    """node:http repeats nothing: to do nothing twice it fails wherever a connection dies."""
    names = ["first-closed", "reused-reset", "done-reset", "frozen"]
    done, verdicts = client.check(names, node, CLIENT, manner)
    assert verdicts == {
        "first-closed": "failed", "reused-reset": reused, "done-reset": "failed", "frozen": reused,
    }  # fmt: skip
    assert done.returncode == 1
    assert "1 GET /items, 2 POST /orders" in done.stdout
    assert "socket hang up" in done.stdout


def test_curl_repeats_a_post_on_a_reused_connection_also_when_it_was_carried_out(client, curl):
    """lib/url.c, Curl_retry_request: reused, no byte of an answer, any method that can be rewound."""
    names = ["first-reset", "reused-reset", "reused-done-reset"]
    done, verdicts = client.check(names, curl, "-sSf", "--fail-early", "-m", "5", *ORDERS)
    assert verdicts == {
        "first-reset": "failed",
        "reused-reset": "survived",
        "reused-done-reset": "duplicated",
    }
    assert done.returncode == 1
    assert "POST /orders was carried out 3 times, not twice; it claims success" in done.stdout


def test_curl_claims_success_when_its_last_url_went_well(client, curl):
    """Without --fail-early the exit code is the last transfer's (curl's manual page)."""
    done, verdicts = client.check(["first-reset", "done-reset"], curl, "-sSf", "-m", "5", *ORDERS)
    assert verdicts == {"first-reset": "lost", "done-reset": "lost"}
    assert done.returncode == 1


def test_curls_retries_repeat_a_post(client, curl):
    names = ["first-reset", "done-silent"]
    words = [
        "-sSf",
        "-m",
        "1",
        "--retry",
        "3",
        "--retry-all-errors",
        "--retry-delay",
        "0",
        "-d",
        "one",
        "{url}orders",
    ]
    _, verdicts = client.check(names, curl, *words)
    assert verdicts == {"first-reset": "survived", "done-silent": "duplicated"}
