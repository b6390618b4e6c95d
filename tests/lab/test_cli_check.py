"""``econnlab check`` with clients as users have them: what is said of each, and where it is written."""

import json
import os
import sys
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest

from econnlab.scenario.catalogue import CHECK, names
from tests.support.checked import CLIENT, SCHEMA, SHOP, Client, indented, named


@pytest.fixture
def client(cli):
    return Client(cli)


# -- verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retries", "first", "reused", "done", "code"),
    [
        ("none", "failed", "failed", "failed", 1),
        ("usual", "survived", "failed", "failed", 1),
        ("any", "survived", "survived", "duplicated", 1),
    ],
)
def test_the_retries_of_requests_are_told_apart(client, retries, first, reused, done, code):
    """Retry(3) repeats no POST; with allowed_methods=None it does, also one that was carried out."""
    names = ["first-reset", "reused-closed", "done-reset"]
    ended, verdicts = client.check(names, sys.executable, "shop.py", retries)
    assert verdicts == dict(zip(names, (first, reused, done), strict=True))
    assert ended.returncode == code
    if done == "duplicated":
        assert "POST /orders was carried out twice, not once; it claims success" in ended.stdout


def test_a_client_without_a_timeout_hangs_and_all_of_it_is_ended(client, cli):
    """It ignores SIGTERM, and its child has left its session: the child's pipe closes when it ends."""
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    seconds = f"4711.{os.getpid()}"  # found by it, and by no other run of this suite
    child = f"import os\nif os.fork() == 0:\n os.setsid(); os.execlp('sleep', 'sleep', '{seconds}')\n"
    (cli.folder / "client.py").write_text(stubborn + child + CLIENT)
    done, verdicts = client.check(
        ["first-silent"], *client.python(0), options=["--timeout", "1500ms", "--expect", "first-silent=hung"]
    )
    assert (done.returncode, verdicts) == (0, {"first-silent": "hung"})
    assert not named("sleep", seconds)


def test_success_claimed_for_what_was_lost_is_the_verdict(client, cli):
    careless = CLIENT.replace("sys.exit", "print")
    (cli.folder / "client.py").write_text(careless)
    done, verdicts = client.check(["full-503"], *client.python())
    assert (done.returncode, verdicts) == (1, {"full-503": "lost"})
    assert "it claims success, yet GET /items was carried out not at all, not once" in done.stdout


def test_one_request_a_connection_never_meets_what_happens_to_the_second(client, cli):
    script = CLIENT.replace("    made.request", "    made.close()\n    made.request")
    (cli.folder / "client.py").write_text(script)
    done, verdicts = client.check(["reused-reset"], *client.python())
    assert (done.returncode, verdicts) == (1, {"reused-reset": "not_met"})
    assert "0 of 1 as expected (1 not met)" in done.stdout


def test_an_idempotency_key_makes_a_retry_safe(client, cli):
    shop = SHOP.replace('data="order"', 'data="order", headers={"Idempotency-Key": "k1"}')
    (cli.folder / "shop.py").write_text(shop)
    done, verdicts = client.check(["done-reset"], sys.executable, "shop.py", "any")
    assert (done.returncode, verdicts) == (0, {"done-reset": "survived"})
    assert "carried out again under the same Idempotency-Key" in done.stdout


def test_a_client_that_dies_by_a_signal_has_failed(client, cli):
    (cli.folder / "client.py").write_text(
        f"import os\ntry:\n{indented(CLIENT)}\nexcept OSError:\n os.kill(os.getpid(), 11)\n"
    )
    done, verdicts = client.check(["first-reset"], *client.python())
    assert (done.returncode, verdicts) == (1, {"first-reset": "failed"})
    assert "killed by SIGSEGV" in done.stdout


def test_a_scenario_of_ones_own_and_the_url_among_the_words(client, cli):
    (cli.folder / "mine.toml").write_text(
        'title = "mine"\nlink = "5ms"\n[server]\n[server.fault]\nat = "read"\ntimes = 1\n'
    )
    (cli.folder / "client.py").write_text(
        "import sys, urllib.request\nprint('asks', sys.argv[1])\nurllib.request.urlopen(sys.argv[1]).read()\n"
    )
    done, verdicts = client.check(["mine.toml"], sys.executable, "client.py", "{url}things")
    assert (done.returncode, verdicts) == (1, {"mine": "failed"})
    assert "1 GET /things" in done.stdout
    assert "http.client.RemoteDisconnected" in done.stdout


def test_with_tls_the_client_is_told_whom_to_trust(client, cli):
    """Python's default context, as OpenSSL, looks at SSL_CERT_FILE."""
    (cli.folder / "mine.toml").write_text(
        '[server]\ntls = true\n[server.fault]\nat = "processed"\ntimes = 1\n'
    )
    (cli.folder / "client.py").write_text(
        "import os, urllib.request as u\n"
        "for _ in 'ab':\n"
        " try: u.urlopen(os.environ['ECONNLAB_URL']).read(); break\n"
        " except ConnectionError: pass\n"
    )
    done, verdicts = client.check(["mine.toml"], sys.executable, "client.py")
    assert (done.returncode, verdicts) == (0, {"mine": "survived"})
    assert "GET / was carried out twice, no harm: it is idempotent" in done.stdout


def test_a_client_that_wants_json_back_gets_it_and_minds_half_of_it(client, cli):
    (cli.folder / "order.json").write_text('{"order": "größer"}')
    (cli.folder / "client.py").write_text(
        "import json, os, urllib.request as u\n"
        "answer = u.urlopen(os.environ['ECONNLAB_URL'])\n"
        "assert answer.headers['Content-Type'] == 'application/json'\n"
        "assert json.load(answer)['order'] == 'größer'\n"
    )
    names = ["healthy.toml", "body-cut-fin"]
    _, verdicts = client.check(names, sys.executable, "client.py", options=["--answer", "order.json"])
    assert verdicts == {"healthy": "survived", "body-cut-fin": "failed"}


# -- expectations and files -----------------------------------------------------------------------


def test_expectations_come_from_options_and_from_a_file(client, cli):
    (cli.folder / "right.toml").write_text("first-reset = 'survived'\nfirst-closed = ['lost', 'failed']\n")
    options = ["--expectations", "right.toml", "--expect", "first-reset=failed,hung"]
    done, verdicts = client.check(["first-reset", "first-closed"], *client.python(), options=options)
    assert (done.returncode, set(verdicts.values())) == (0, {"failed"})
    assert "2 of 2 as expected" in done.stdout


def test_the_files_and_the_annotations_of_a_job(client, cli, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (cli.folder / "client.py").write_text(f"print('::error::a trap')\n{CLIENT}")
    options = ["--junit", "check.xml", "--markdown", "check.md"]
    done, _ = client.check(["first-reset", "healthy.toml"], *client.python(), options=options)
    assert done.returncode == 1
    suite = ElementTree.parse(cli.folder / "check.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "**failed**, expected survived" in (cli.folder / "check.md").read_text()
    orders = [line for line in done.stdout.splitlines() if line.strip().startswith("::")]
    assert orders == ["::error title=econnlab check%3A first-reset::failed, expected survived: exit code 1"]


def test_json_on_stdout_moves_the_matrix_to_stderr(cli, client):
    done = cli.run("check", "--scenario", "healthy.toml", "--json", "-", "--", *client.python())
    jsonschema.validate(json.loads(done.stdout), SCHEMA)
    assert "as expected" in done.stderr


# -- a trouble that was not met -------------------------------------------------------------------

#: One request on a connection that it would keep.
ONCE = """
import http.client, os
made = http.client.HTTPConnection(os.environ["ECONNLAB_URL"].split("/")[2], timeout=2)
made.request("GET", "/")
answer = made.getresponse()
answer.read()
assert answer.status == 200
"""
#: Three requests on one connection, with pauses as long as its argument, and a look before each.
PAUSES = """
import os, sys, time
import urllib3
pool = urllib3.PoolManager(maxsize=1, retries=3)
for pause in (0.0, *map(float, sys.argv[1:])):
    time.sleep(pause)
    pool.request("GET", os.environ["ECONNLAB_URL"], timeout=5)
"""
#: These strike between two requests on one connection, or at the second.
OF_THE_SECOND = """
    busy-server client-loop-blocked close-after-response keepalive-race max-requests max-requests-announced
    no-stale-check node-buffer rotating-pool crash-half-answered crash-read crash-unread
    idle-drop-rst idle-drop-silent closed-after-answer
    reused-closed reused-done-reset reused-reset reused-silent frozen
""".split()


def test_one_request_is_no_pass_where_the_trouble_is_the_second_s(client, cli):
    (cli.folder / "client.py").write_text(ONCE)
    done, verdicts = client.check(OF_THE_SECOND, sys.executable, "client.py")
    assert verdicts == dict.fromkeys(OF_THE_SECOND, "not_met")
    assert done.returncode == 1
    assert f"0 of {len(OF_THE_SECOND)} as expected" in done.stdout


def test_one_request_meets_what_strikes_the_first(client, cli):
    (cli.folder / "client.py").write_text(ONCE)
    others = [name for name in names(CHECK) if name not in OF_THE_SECOND]
    _, verdicts = client.check(others, sys.executable, "client.py")
    assert set(verdicts) == set(others)
    assert "not_met" not in verdicts.values()


def test_a_second_request_after_a_pause_meets_the_idle_timer(client, cli):
    (cli.folder / "client.py").write_text(PAUSES)
    timed = ["keepalive-race", "no-stale-check", "client-loop-blocked", "busy-server", "max-requests"]
    done, verdicts = client.check(timed, sys.executable, "client.py", "0.8", "0.8")
    assert verdicts == dict.fromkeys(timed, "survived"), done.stdout
    assert done.returncode == 0


def test_a_frozen_client_that_looks_before_it_writes_survives(client, cli):
    done, verdicts = client.check(["frozen"], sys.executable, "shop.py", "none")
    assert verdicts == {"frozen": "survived"}, done.stdout


def test_a_client_in_the_labs_own_process_is_not_frozen(cli):
    done = cli.run("run", "frozen")
    assert done.returncode == 2
    assert "client.frozen: requests has no single process of its own" in done.stdout


def test_not_met_passes_only_where_that_is_said(client, cli):
    (cli.folder / "client.py").write_text(ONCE)
    command = [sys.executable, "client.py"]
    for options, code in (
        ([], 1),
        (["--allow-not-met"], 0),
        (["--expect", "reused-reset=not-met"], 0),
        (["--allow-not-met", "--expect", "reused-reset=survived"], 1),
    ):
        done, verdicts = client.check(["reused-reset"], *command, options=options)
        assert (done.returncode, verdicts) == (code, {"reused-reset": "not_met"}), options


def test_today_s_verdicts_can_be_written_down_and_hold_tomorrow(client, cli):
    both = ["first-reset", "reused-reset"]
    done, verdicts = client.check(both, *client.python(), options=["--write-expectations", "right.toml"])
    assert done.returncode == 0, "what is written down is right"
    assert verdicts == {"first-reset": "failed", "reused-reset": "failed"}
    assert (
        cli.folder / "right.toml"
    ).read_text() == '"first-reset" = ["failed"]\n"reused-reset" = ["failed"]\n'
    done, _ = client.check(both, *client.python(), options=["--expectations", "right.toml"])
    assert done.returncode == 0
    done, _ = client.check([*both, "full-503"], *client.python(), options=["--fail-over", "99%"])
    assert done.returncode == 1, "all three are not as expected"
    done, _ = client.check(
        [*both, "healthy.toml"],
        *client.python(),
        options=["--fail-over", "70%", "--expectations", "right.toml"],
    )
    assert done.returncode == 0


def test_a_share_of_unexpected_verdicts_can_be_let_pass(client, cli):
    both = ["first-reset", "healthy.toml"]
    for share, code in (("49.9%", 1), ("50%", 0), ("50", 0)):
        done, _ = client.check(both, *client.python(), options=["--fail-over", share])
        assert done.returncode == code, share
    refused = cli.run("check", "--fail-over", "much", "--", "true")
    assert (refused.returncode, "'much' is not a percentage" in refused.stderr) == (2, True)


def test_options_behind_the_command_are_refused_unless_it_stands_behind_dashes(cli):
    refused = cli.run("check", "curl", "{url}", "--timeout", "5s")
    assert refused.returncode == 2
    assert "--timeout stands behind the command curl" in refused.stderr
    assert "econnlab check -- curl ... --timeout" in refused.stderr
    passed = cli.run("check", "--scenario", "none-such", "--", "curl", "{url}", "--timeout", "5s")
    assert "none-such" in passed.stderr


def test_a_timeout_without_a_unit_is_told_to_be_milliseconds(client, cli):
    done, _ = client.check(["first-reset"], *client.python(), options=["--timeout", "1"])
    assert done.returncode == 3
    assert " ms without trouble" in done.stderr
    assert "a number without a unit is milliseconds" in done.stderr
