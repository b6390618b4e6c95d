"""``sweep -- COMMAND``: the user's own program, judged by the ledgers of link and server alone."""

from __future__ import annotations

import json
import sys

import pytest

#: A program as users have one: it knows nothing of the lab but three variables.
CLIENT = """
import http.client, os, time, urllib.parse
url = urllib.parse.urlsplit(os.environ["ECONNLAB_URL"])
connection, due = None, time.monotonic()
for number in range(int(os.environ["ECONNLAB_REQUESTS"])):
    while time.monotonic() < due:
        time.sleep(max(0.0, due - time.monotonic()))
    connection = connection or http.client.HTTPConnection(url.hostname, url.port)
    try:
        connection.request("PUT", PATH, b"an order")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        connection = None
    due = time.monotonic() + float(os.environ["ECONNLAB_INTERVAL_MS"]) / 1000
"""


def sweep(cli, path, *words):
    (cli.folder / "client.py").write_text(CLIENT.replace("PATH", path))
    return cli.run("sweep", *words, "--json", "-", "--", sys.executable, "-S", "client.py")


def test_the_ledgers_make_the_table_of_a_program(cli):
    done = sweep(
        cli, "url.path + 'orders'", "100,960", "--keepalive-timeout", "1s", "--link", "40ms",
        "--sessions", "3", "--requests", "3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    calm, racing = found["rows"]
    # lab_late: the machine held the lab itself up.
    assert (calm["success"] + calm.get("lab_late", 0), calm["failure"]) == (9, 0)
    # 960 ms over 40 ms each way is in the middle of the window. A client that is held up past its end sends
    # into a connection that the link has closed as well: no ledger sees that.
    late = racing.get("lab_late", 0)
    assert racing["success"] + late >= 6
    assert 1 <= racing["failure"] + late <= 3 + late
    failures = [each for each in found["failures"] if each["row"] == 1]
    assert {each["cause"] for each in failures} == {"keepalive_race"}
    assert {each["certainty"] for each in failures} == {"certain"}
    assert {each["processed"] for each in failures} == {0}
    assert {each["method"] for each in failures} == {""}, "the server never read it"


def test_a_program_that_asks_for_other_paths_is_told(cli):
    done = sweep(cli, "'/elsewhere'", "50", "--sessions", "1", "--requests", "2", "--link", "1ms")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"][0]["requests"] == 0
    assert "2 attempts were on connections whose requests did not start with the path of" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--"], 2, "There is no command behind --."),
        (["--link", "none", "--", "true"], 2, "known by the ledgers of the link and the lab server alone"),
        (["--idle-limit", "1s", "--", "true"], 2, "the lab's own clients have it, program does not"),
        (["--", "no-such-program"], 3, "The program no-such-program cannot be started: No such file"),
    ],
)
def test_what_cannot_be_run_is_said(cli, words, code, said):
    done = cli.run("sweep", "50", "--requests", "1", *words)
    assert done.returncode == code
    assert said in done.stderr
