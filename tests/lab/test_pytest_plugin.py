"""The fixtures, used as a user's test would: each test here runs a pytest of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points

import pytest
import requests  # noqa: F401 - and the next ones: what a pytest in this process imports is forgotten after it
import trustme  # noqa: F401

import econnlab.lab.stage
import econnlab.lab.warm
import econnlab.pytest_report  # noqa: F401
from tests.conftest import DEADLINE_S, is_running, wait_until

pytest_plugins = ["pytester"]

#: A client that retries whatever fails, also what must not be repeated.
STUBBORN = """
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

def stubborn():
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(3, allowed_methods=None)))
    return session
"""
RESET = 'fault={"at": "processed", "by": "rst"}'


#: This plugin and no other: loading them all takes much longer than the tests.
ONLY_OURS = ("-p", "econnlab.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest here over a file of this text."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(text, *arguments):
        pytester.makepyfile(test_it=STUBBORN + textwrap.dedent(text))
        return pytester.runpytest_inprocess(*ONLY_OURS, "-W", "error", *arguments)

    return run


# -- econnlab_server ------------------------------------------------------------------------------


def test_a_server_as_asked_for_has_a_url_and_a_ledger(run):
    run(
        """
        def test_it(econnlab_server):
            server = econnlab_server(
                keepalive_timeout="200ms", advertise=False, response_size=5, max_requests=2
            )
            with requests.Session() as session:
                for number in range(3):
                    answer = session.post(f"{server.url}orders", headers={"Idempotency-Key": f"o-{number}"})
                    assert len(answer.content) == 5
            assert [server.ledger.processed(f"o-{number}") for number in range(3)] == [1, 1, 1]
            assert {(each.method, each.target) for each in server.ledger.requests} == {("POST", "/orders")}
            assert [each.requests for each in server.ledger.connections] == [2, 1]
            assert server.scenario.server.keepalive_timeout_ms == 200
        """
    ).assert_outcomes(passed=1)


def test_a_timeout_that_is_advertised_as_0_is_warned_of(run):
    run(
        """
        import pytest

        def test_it(econnlab_server):
            with pytest.warns(UserWarning, match="500 ms is advertised as timeout=0.*pass advertise=False"):
                econnlab_server(keepalive_timeout=500)
            econnlab_server(keepalive_timeout=1000)
        """
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("given", "check"),
    [
        ("keepalive_timeout=250, advertise=True", "stage.scenario.server.keepalive_timeout_ms == 250"),
        ("response_delay=0.5", "str(stage.scenario.server.response_delay_ms) == '0.5'"),
        ("max_connections=None", "stage.scenario.server.max_connections is None"),
        ("link='40ms'", "stage.scenario.link.round_trip_ms == 80"),
        ("link=40", "stage.scenario.link.round_trip_ms == 80"),
        ("middlebox={'idle_timeout': '50ms', 'rst': False}", "not stage.scenario.middlebox.rst"),
        ("restart={'after': '1m', 'manner': 'drain'}", "stage.scenario.server.restart.after_ms == 60000"),
        ("tls=True", "requests.get(stage.url, verify=stage.trusted).ok"),
        ("tls=True, link='1ms'", "requests.get(stage.url, verify=stage.trusted).ok"),
    ],
)
def test_every_key_of_a_scenario_is_taken_by_its_name(run, given, check):
    run(
        f"""
        def test_it(econnlab_server):
            stage = econnlab_server({given})
            assert {check}
        """
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "keepalive_timout=5",
            ["*server.keepalive_timout: there is no such key.", "*Did you mean keepalive_timeout*"],
        ),
        ("keepalive_timeout='soon'", ["*server.keepalive_timeout: 'soon' is not a duration.*"]),
        ("fault={'at': 'lunch'}", ["*server.fault.at: expected one of*half_body*"]),
        ("link='far'", ["*'far' is not a link*"]),
        ("max_connections=0", ["*A server that allows no connection cannot answer.*"]),
    ],
)
def test_a_wrong_key_or_value_is_named_at_the_line_that_gave_it(run, given, said):
    result = run(f"def test_it(econnlab_server):\n    econnlab_server({given})")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f">*econnlab_server({given})", *said])
    assert "make_scenario" not in result.stdout.str()


# -- what a failure shows -------------------------------------------------------------------------


def test_a_failed_assert_tells_what_happened_to_that_request(run):
    result = run(
        f"""
        def test_it(econnlab_server):
            server = econnlab_server({RESET})
            with stubborn() as session:
                try:
                    session.post(server.url + "orders", data="x", headers={{"Idempotency-Key": "o-1"}})
                except requests.ConnectionError:
                    pass
            assert server.ledger.processed("o-1") == 1
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * assert 4 == 1",
            "E * The server has carried out 'o-1' 4 times:",
            "E * #1 0.0 ms: carried out, no answer: closed with RST: aborted",
            "E * #4 *.* ms: carried out, no answer: closed with RST: aborted",
        ]
    )
    assert "truncated" not in result.stdout.str()


def test_of_a_request_that_never_came_it_tells_which_did(run):
    result = run(
        """
        def test_it(econnlab_server):
            server = econnlab_server()
            requests.get(server.url, headers={"X-Request-Id": "theirs"})
            assert server.ledger.processed("mine") == 1
        """
    )
    result.stdout.fnmatch_lines(
        ["E * The server has read no request called 'mine', only 'theirs'.", "E * #1: 1 request read, *"]
    )


def test_duplicates_show_as_what_they_are(run):
    result = run(
        f"""
        def test_it(econnlab_server):
            server = econnlab_server({RESET})
            with stubborn() as session:
                try:
                    session.post(server.url + "orders")
                except requests.ConnectionError:
                    pass
            assert not server.ledger.duplicates()
        """
    )
    result.stdout.fnmatch_lines(["E * assert not (<POST /orders carried out 4x, came on #1, #2, #3, #4>,)"])


def test_any_failure_shows_what_came_to_each_server(run):
    result = run(
        """
        def test_it(econnlab_server, econnlab_scenario):
            slow = econnlab_server(link="5ms")
            requests.get(slow.url)
            requests.get(econnlab_scenario("reset-after-processing").url)
        """
    )
    result.stdout.fnmatch_lines(
        [
            "*econnlab: what came to http://127.0.0.1:*",
            "* #1 * link: the client's * bytes passed on after *",
            "* #1 *answered with 200",
            "*econnlab: what came to http://127.0.0.1:*",
            "* #1 *carried out",
            "* #1 *closed with RST: aborted",
        ]
    )


def test_a_test_that_passes_shows_nothing(run):
    result = run("def test_it(econnlab_server):\n    econnlab_server()", "-rA")
    assert "what came to" not in result.stdout.str()


# -- scenarios ------------------------------------------------------------------------------------


def test_a_scenario_is_found_by_name_and_a_file_beside_the_test(run, pytester):
    pytester.path.joinpath("own.toml").write_text('link = "7ms"\n')
    run(
        """
        from pathlib import Path
        def test_it(econnlab_scenario, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            assert econnlab_scenario("keepalive-race").scenario.link.round_trip_ms == 200
            assert econnlab_scenario("own.toml").scenario.link.round_trip_ms == 14
            assert econnlab_scenario(Path("own.toml")).scenario.name == "own"
            Path("other.toml").write_text("")
            assert requests.get(econnlab_scenario("other.toml").url).ok
        """
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("keepalive-rac", "*Did you mean keepalive-race*"),
        ("nowhere.toml", "*'nowhere.toml' cannot be read: No such file or directory.*"),
        ("port-exhaustion", "*changes the kernel in a network of its own*"),
    ],
)
def test_a_scenario_that_cannot_be_had_says_why(run, name, said):
    run(f"def test_it(econnlab_scenario):\n    econnlab_scenario('{name}')").stdout.fnmatch_lines([said])
    marked = run(f"import pytest\n@pytest.mark.econnlab('{name}')\ndef test_it(econnlab_stage): pass")
    marked.assert_outcomes(errors=1)
    marked.stdout.fnmatch_lines([said])
    assert "catalogue.py" not in marked.stdout.str()
    assert "During handling" not in marked.stdout.str()
    marked.stdout.fnmatch_lines(["*@pytest.mark.econnlab of test_it: *"])


def test_a_marked_test_runs_once_under_each_scenario(run):
    result = run(
        """
        import pytest

        @pytest.mark.econnlab("max-requests", "own-name")
        class TestEach:
            @pytest.mark.econnlab("reset-after-processing", "max-requests")
            def test_it(self, econnlab_stage):
                print("under", econnlab_stage.scenario.name)

            def test_that_needs_none(self):
                pass
        """.replace('"own-name"', '"keepalive-race"'),
        "-v",
        "-s",
    )
    result.assert_outcomes(passed=4)
    names = re.findall(r"test_it\[(.*?)\] .*under (\S+)", result.stdout.str())
    assert names == [(name, name) for name in ("max-requests", "keepalive-race", "reset-after-processing")]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("@pytest.mark.econnlab('max-requests')\ndef test_it(): pass", "*does not take econnlab_stage*"),
        ("@pytest.mark.econnlab()\ndef test_it(econnlab_stage): pass", "*takes the names of scenarios*"),
        (
            "@pytest.mark.econnlab(name='x')\ndef test_it(econnlab_stage): pass",
            "*takes the names of scenarios*",
        ),
        ("def test_it(econnlab_stage): pass", "*Mark the test with @pytest.mark.econnlab(*"),
    ],
)
def test_a_mark_without_its_fixture_or_the_other_way_round_is_an_error(run, test, said):
    result = run(f"import pytest\n{test}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])


# -- as a guest of pytest -------------------------------------------------------------------------


def test_it_is_there_once_econnlab_is_installed_and_can_be_left_out(pytester):
    assert [each.value for each in entry_points(group="pytest11", name="econnlab")] == [
        "econnlab.pytest_plugin"
    ]
    shown = pytester.runpytest_inprocess("--fixtures", "--markers").stdout.str()
    assert "@pytest.mark.econnlab(*scenarios)" in shown
    pytester.makepyfile("def test_it(econnlab_server): pass")
    left_out = pytester.runpytest_inprocess("-p", "no:econnlab", "-p", "no:xdist")
    left_out.stdout.fnmatch_lines(["*fixture 'econnlab_server' not found*"])


def test_workers_of_xdist_have_each_their_own(pytester):
    pytester.makepyfile(
        """
        import os, pathlib, pytest, urllib.request
        from tests.conftest import children_of

        @pytest.mark.parametrize("number", range(10))
        def test_it(econnlab_server, number):
            server = econnlab_server()
            assert urllib.request.urlopen(server.url).read()
            (warm,) = children_of(os.getpid())
            pathlib.Path(f"{number}").write_text(f"{os.getpid()} {warm}")
        """
    )
    done = alone(pytester, "-p", "xdist", "-n", "2")
    done.communicate(timeout=DEADLINE_S * 2)
    assert done.returncode == 0
    pairs = {tuple(pytester.path.joinpath(str(n)).read_text().split()) for n in range(10)}
    workers, warm = zip(*pairs, strict=True)
    assert len(set(workers)) == len(set(warm)) == len(pairs) == 2
    assert not any(is_running(int(pid)) for pid in warm)


def alone(pytester, *arguments):
    """A pytest in a process of its own, which puts its temporary files where they can be counted."""
    folder = pytester.path / "temporary"
    folder.mkdir()
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "econnlab.pytest_plugin",
            "-p",
            "no:cacheprovider",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(pytest.importorskip("tests").__path__[0] + "/.."),
            "TMPDIR": str(folder),
        },
    )


HELD = """
import json, os, pathlib, threading
from tests.conftest import children_of

def test_it(econnlab_server):
    server = econnlab_server(tls=True, link="1ms")
    (warm,) = children_of(os.getpid())
    told = {"pid": os.getpid(), "left": [warm, *children_of(warm)]}
    pathlib.Path("half").write_text(json.dumps(told))
    os.rename("half", "told")
    END
"""


@pytest.mark.parametrize(
    ("worker", "end", "by", "code"),
    [
        (False, "assert False", None, 1),
        (False, "threading.Event().wait(60)", signal.SIGINT, 2),
        (False, "threading.Event().wait(60)", signal.SIGKILL, -9),
        (True, "threading.Event().wait(60)", signal.SIGINT, 2),
        (True, "threading.Event().wait(60)", signal.SIGKILL, 1),
    ],
    ids=["fails", "interrupted", "killed", "worker interrupted", "worker killed"],
)
def test_nothing_is_left(pytester, worker, end, by, code):
    pytester.makepyfile(HELD.replace("END", end))
    process = alone(pytester, *(["-p", "xdist", "-n", "1"] if worker else []))
    try:
        told = pytester.path / "told"
        wait_until(told.exists, "the test")
        held = json.loads(told.read_text())
        assert len(held["left"]) == 3
        if by is not None:
            if by == signal.SIGINT:
                os.killpg(process.pid, by)  # as Ctrl-C does in a terminal: workers get it as well
            else:
                os.kill(held["pid"], by)
        said, _ = process.communicate(timeout=DEADLINE_S * 2)
        assert process.returncode == code, said
        wait_until(lambda: not any(map(is_running, held["left"])), "the processes' end")
        left = lambda: [
            each for each in (pytester.path / "temporary").iterdir() if "pytest-of" not in each.name
        ]
        wait_until(lambda: not left(), "the temporary files' end")
    finally:
        process.kill()
        process.communicate()
