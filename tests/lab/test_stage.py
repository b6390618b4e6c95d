"""The stage: server and link for anybody's client, over real sockets."""

import signal
import ssl
import subprocess
import urllib.request
from decimal import Decimal
from pathlib import Path

import pytest

from econnlab.errors import UsageProblem
from econnlab.lab.stage import Stage
from econnlab.record.events import Kind
from econnlab.scenario.catalogue import load
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Middlebox, Scenario
from econnlab.scenario.server import Ending, Fault, Restart, ServerSpec
from econnlab.scenario.server import Stage as At
from tests.conftest import children_of, is_running, wait_until
from tests.support import warm
from tests.support.raw import Raw


def kinds(stage, source="server"):
    return [event.kind for event in stage.events() if event.source == source]


def test_a_client_that_dials_the_url_reaches_the_server_and_the_ledger_is_up_to_date():
    with Stage(Scenario("plain")) as stage:
        assert urllib.request.urlopen(stage.url, timeout=10).read() == b"ok\n"
        assert Kind.RESPONSE in kinds(stage)
    assert kinds(stage)[-1] == Kind.STOPPED


def test_with_a_link_the_url_is_the_links():
    with Stage(Scenario("slow", link=parse_link("30ms"))) as stage:
        with Raw(stage.address) as client:
            client.ask()
        sent = next(event for event in stage.events() if event.kind == Kind.BYTES)
        assert sent.source == "link"
        assert sent.at - sent.began >= 0.03
        listening = {event.local for event in stage.events() if event.kind == Kind.LISTENING}
        assert len(listening) == 2 and stage.url.split("/")[2] in listening


def test_a_middlebox_alone_stands_between_as_well():
    with Stage(Scenario("nat", middlebox=Middlebox(Decimal(50)))) as stage, Raw(stage.address) as client:
        client.ask()
        assert Kind.CONNECTED in kinds(stage, "link")


@pytest.mark.parametrize("link", ["none", "1ms"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_with_tls_the_certificate_fits_the_url(link, host):
    scenario = Scenario("tls", server=ServerSpec(tls=True, host=host), link=parse_link(link))
    with Stage(scenario) as stage:
        context = ssl.create_default_context(cafile=stage.trusted)
        assert stage.url.startswith("https://")
        assert urllib.request.urlopen(stage.url, timeout=10, context=context).read() == b"ok\n"
        authority = stage.trusted
    assert not authority.exists()


def test_a_server_that_is_killed_by_its_scenario_leaves_its_ledger():
    fault = Fault(At.PROCESSED, Ending.KILL)
    with Stage(Scenario("crash", server=ServerSpec(fault=fault))) as stage:
        with Raw(stage.address) as client:
            client.send()
            assert client.ending() in ("fin", "rst")
        wait_until(lambda: Kind.DIED in kinds(stage, "lab"), "the server's end")
        assert kinds(stage)[-2:] == [Kind.PROCESSED, Kind.FAULT]


def test_a_restart_counts_from_the_first_connection():
    restart = Restart(Decimal(150))
    with Stage(Scenario("restart", server=ServerSpec(restart=restart))) as stage:
        with Raw(stage.address) as client:
            client.ask()
            assert client.ending() == "fin"
        events = stage.events()
        arrived = next(event.at for event in events if event.kind == Kind.ACCEPTED)
        assert next(event.at for event in events if event.kind == Kind.RETIRING) - arrived >= 0.15
        with Raw(stage.address) as client:
            assert client.ask()[0] == 200


def test_a_stage_to_which_nobody_comes_ends_at_once():
    with Stage(Scenario("restart", server=ServerSpec(restart=Restart(Decimal(60_000))))) as stage:
        pass
    assert Kind.RETIRING not in kinds(stage)


def test_a_port_where_nobody_listens_is_a_stage_too():
    with Stage(load("not-listening")) as stage, pytest.raises(ConnectionRefusedError):
        Raw(stage.address)
    assert stage.events() == []


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        (load("port-exhaustion"), "network of its own"),
        (Scenario("theirs", server=None, url="http://127.0.0.1:1/"), "lab's own server"),
    ],
    ids=["kernel", "url"],
)
def test_what_only_the_labs_clients_can_meet_is_refused(scenario, said):
    with pytest.raises(UsageProblem, match=said) as raised:
        Stage(scenario)
    assert raised.value.hint


HELD = """
from econnlab.lab.stage import Stage
from econnlab.scenario.links import parse_link
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec
with Stage(Scenario("held", server=ServerSpec(tls=True), link=parse_link("1ms"))) as stage:
    print(stage.trusted, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["kill", "interrupt"])
def test_nothing_is_left_when_its_owner_is_killed_or_interrupted(end):
    owner = subprocess.Popen(
        warm.python(HELD),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        authority = Path(owner.stdout.readline().strip())
        children = children_of(owner.pid)
        assert len(children) == 2 and authority.exists()
        owner.kill() if end == "kill" else owner.send_signal(signal.SIGINT)
        wait_until(lambda: not any(map(is_running, children)), "the children's end")
        wait_until(lambda: not authority.exists(), "the certificate's end")
    finally:
        owner.kill()
        owner.communicate()
