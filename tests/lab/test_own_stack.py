"""A bad network before the user's own service, and paths that the lab server answers in their own way."""

import re
import signal

import pytest
import requests

from econnlab.packets.live.door import CannotCapture, open_door
from econnlab.scenario.server import ServerSpec
from econnlab.scenario.toml import read_scenario, write_scenario
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S


def may_capture():
    try:
        open_door().close()
    except CannotCapture:
        return False
    return True


def port_of(process):
    """The port that a command in the foreground says it listens on."""
    return int(re.search(r"listening on (?:https?://)?127\.0\.0\.1:(\d+)", process.stdout.readline())[1])


def end(process):
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, complaints
    return said


# -- --capture ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["serve", "link"])
def test_a_command_in_the_foreground_captures_for_diagnose(cli, start_server, command, tmp_path):
    if not may_capture():
        pytest.skip("this user may not capture")
    file = tmp_path / "packets.pcapng"
    server = start_server(keepalive_timeout_ms=5000)
    given = (
        ["--port", "0"] if command == "serve" else ["--listen", "0", "--to", f"127.0.0.1:{server.address[1]}"]
    )
    process = cli.start(command, *given, "--capture", str(file))
    port = port_of(process)
    with requests.Session() as session:
        for _ in range(3):
            session.get(f"http://127.0.0.1:{port}/orders", timeout=DEADLINE_S)
    assert not file.exists(), "nothing half written"
    end(process)
    found = cli.run("diagnose", str(file), "--json", "-")
    assert found.returncode == 0, found.stderr
    assert (
        "3 requests" in cli.run("diagnose", str(file)).stdout + found.stdout
        or '"requests": 3' in found.stdout
    )


def test_a_capture_that_nobody_may_take_is_refused_before_anything_starts(cli, tmp_path):
    refused = cli.run("link", "--listen", "0", "--to", "127.0.0.1:9", "--capture", "-")
    assert refused.returncode == 2
    assert "A capture is not text" in refused.stderr


# -- routes ---------------------------------------------------------------------------------------


def test_each_path_answers_in_its_own_way(cli):
    routes = [
        "/down status=503",
        "/slow* delay=120ms body=late",
        "/cut fault=half_body",
        '/json type="application/json" body="{}"',
    ]
    process = cli.start("serve", "--port", "0", *(word for route in routes for word in ("--route", route)))
    url = f"http://127.0.0.1:{port_of(process)}"
    with requests.Session() as session:
        assert session.get(f"{url}/").text == "ok\n"
        assert session.get(f"{url}/down?why").status_code == 503
        began = now()
        assert session.get(f"{url}/slow/one").text == "late"
        assert now() - began >= 0.12
        assert session.get(f"{url}/json").json() == {}
        assert session.get(f"{url}/json").headers["content-type"] == "application/json"
        with pytest.raises(requests.exceptions.RequestException):
            session.get(f"{url}/cut")
        assert session.get(f"{url}/").text == "ok\n"
    end(process)


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("orders", "does not begin with a slash"),
        ("/x stauts=503", "Did you mean status?"),
        ("/x status=302", "expected 200, or an error"),
        ("/x fault=unread", "no request's path is known"),
        ("/x fault=later", "is not a fault"),
        ("/x 'body=", "is not a route"),
    ],
)
def test_a_route_that_is_wrong_says_what_is(cli, route, said):
    refused = cli.run("serve", "--port", "0", "--route", route)
    assert refused.returncode == 2
    assert said in " ".join(refused.stderr.split())


def test_a_scenarios_file_has_routes_and_keeps_them():
    text = """
[server]
keepalive_timeout = "5s"

[[server.routes]]
path = "/slow"
delay = "2s"

[[server.routes]]
path = "/orders"
status = 200

[server.routes.fault]
at = "processed"
by = "rst"
"""
    scenario = read_scenario(text, "mine", "mine.toml")
    assert [route.path for route in scenario.server.routes] == ["/slow", "/orders"]
    assert read_scenario(write_scenario(scenario), "mine", "mine.toml") == scenario
    assert ServerSpec().routes == ()


# -- the fixtures ---------------------------------------------------------------------------------

pytest_plugins = ["pytester"]


def test_the_link_fixture_stands_in_front_of_the_users_own_service(pytester, start_server):
    server = start_server(keepalive_timeout_ms=5000)
    pytester.makepyfile(
        test_it=f"""
        import pytest, requests

        def test_it(econnlab_link):
            link = econnlab_link(to="{server.url}orders?a=1", fail_first=1)
            assert link.url == f"http://127.0.0.1:{{link.address[1]}}/orders?a=1"
            with requests.Session() as session:
                with pytest.raises(requests.ConnectionError):
                    session.get(link.url)
                assert session.get(link.url).text == "ok\\n"
                link.change(reset_after=1)
                with pytest.raises(requests.ConnectionError):
                    session.get(link.url)
                link.change(reset_after=None)
                assert session.get(link.url).text == "ok\\n"
                link.reset()
            assert link.status()["totals"]["reset: asked"] == 1

        def test_wrong(econnlab_link):
            econnlab_link(to="127.0.0.1:9", dealy="40ms")

        def test_it_shows_what_passed(econnlab_link):
            with requests.Session() as session:
                session.get(econnlab_link(to="{server.url}").url)
            assert False

        def test_routes(econnlab_server):
            server = econnlab_server(routes=[{{"path": "/down", "status": 503}}])
            assert requests.get(f"{{server.url}}down").status_code == 503
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*dealy*is not one of*"])
    result.stdout.fnmatch_lines(["*econnlab: what passed http://127.0.0.1:*", "*connected from 127.0.0.1*"])
