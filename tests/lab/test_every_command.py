"""Each command once, as a user starts it. ``make lowest`` runs this on the oldest libraries allowed too."""

import signal
import subprocess
import sys

import click
import pytest

from econnlab.cli.main import cli as command_line
from econnlab.packets.live.door import CannotCapture, open_door
from tests.conftest import wait_until
from tests.support.captures import pcap_bytes
from tests.support.talk import Talk, captured

PLAIN = 'title = "nothing happens"\n[plan]\nintervals = "20ms"\nrequests = 2\n'
CLIENT = "import os, requests; requests.get(os.environ['ECONNLAB_URL']).raise_for_status()"
#: By command: what may follow it, and what its output has. ``{url}`` is a server of the test's.
COMMANDS = {
    "check": (["--scenario", "plain.toml", "--", sys.executable, "-c", CLIENT], "survived"),
    "diagnose": (["trace.pcap", "--json", "-"], '"failures"'),
    "explain": (["socket", "hang", "up"], "ECONNRESET"),
    "keepalive": (["--interval", "20", "--requests", "2", "--save", "run.jsonl"], "Success"),
    "maxconn": (["--csv", "-"], "clients,max_connections"),
    "peers": (["list"], "gunicorn"),
    "probe": (["{url}", "--requests-per-connection", "0", "--connections", "5"], "closes"),
    "remedies": (["keepalive", "--requests", "2", "--remedy", "small-pool"], "small-pool"),
    "report": (["run.jsonl", "--csv", "-"], "interval_ms,requests,success"),
    "run": (["plain.toml"], "2 ok, 0 failed"),
    "scenarios": ([], "keepalive-race"),
    "sweep": (["20,40", "--requests", "2", "--json", "-"], '"rows"'),
    "timeouts": (["nginx"], "keepalive_timeout"),
}
#: Those that stand until Ctrl-C, and the line by which they have begun.
STANDING = {
    "link": (["--listen", "0", "--to", "{address}"], "listening on"),
    "serve": (["--port", "0"], "listening on"),
    "watch": (["-i", "lo", "--every", "100ms"], "the capture dropped 0 packets"),
}


@pytest.fixture
def fill_in(cli, start_server):
    """Make the files that the words name, and put a server's address where they have braces."""

    def fill(words):
        (cli.folder / "plain.toml").write_text(PLAIN)
        talk = Talk().open().talk(0.01).fin(5.015).ask(5.016).arrives(at="client").no_socket(5.017)
        (cli.folder / "trace.pcap").write_bytes(pcap_bytes(captured(talk)))
        if "run.jsonl" in words and "--save" not in words:
            cli.run("keepalive", *COMMANDS["keepalive"][0])
        if not any("{" in word for word in words):
            return words
        server = start_server(keepalive_timeout_ms=200)
        return [word.format(url=server.url, address="{}:{}".format(*server.address)) for word in words]

    return fill


def test_none_is_left_out():
    """A new command goes into COMMANDS, or into STANDING."""
    assert {*COMMANDS, *STANDING} == set(command_line.list_commands(click.Context(command_line)))


@pytest.mark.parametrize("name", COMMANDS)
def test_it_does_its_work(cli, fill_in, name):
    words, shown = COMMANDS[name]
    done = cli.run_alone(name, *fill_in(words))
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", STANDING)
def test_it_stands_until_ctrl_c(cli, fill_in, name):
    words, shown = STANDING[name]
    if name == "watch":
        try:
            open_door().close()
        except CannotCapture as problem:
            pytest.skip(problem.message)
    process = cli.start(name, *fill_in(words), stdin=subprocess.PIPE)
    wait_until(lambda: shown in process.stdout.readline(), "its first line")
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in complaints


@pytest.mark.parametrize("name", ["", *COMMANDS, *STANDING])
def test_it_has_help(cli, name):
    done = cli.run(*filter(None, [name]), "--help")
    assert done.returncode == 0
    assert f"Usage: econnlab {name}".rstrip() in done.stdout
