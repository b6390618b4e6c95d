"""What each command says to run next: at most three commands, and every one of them parses."""

import shlex
from collections import Counter
from types import SimpleNamespace

import pytest

from econnlab.advice.product import products
from econnlab.commands.check.next_steps import after_check
from econnlab.commands.diagnose.next_steps import after_diagnosis
from econnlab.commands.probe.next_steps import after_probe
from econnlab.commands.remedies.catalogue import catalogue
from econnlab.commands.remedies.next_steps import after_remedies
from econnlab.commands.timeouts.chain import parse_chain
from econnlab.commands.timeouts.judging import judge
from econnlab.commands.timeouts.next_steps import after_chain, after_table
from econnlab.scenario.catalogue import names
from tests.unit.test_pages import made_context

CHAINS = (
    "httpx uvicorn",
    "alb node20=60s",
    "requests natgw go",
    "requests go",
    "gcp apache",
    "botocore alb puma",
)


def seen(idle_s, lost=3, tls=False):
    """A diagnosis of one server, as far as the next step needs it."""
    timeout = None if idle_s is None else SimpleNamespace(median_s=idle_s)
    server = SimpleNamespace(address="10.0.0.1:80", lost=lost, idle_timeout=timeout, causes=Counter())
    return SimpleNamespace(servers=[server], findings=[SimpleNamespace(server="10.0.0.1:80", tls=tls)])


CASES = {
    "timeouts": after_table(list(products().values())),
    **{f"timeouts {product.name}": after_table([product]) for product in products().values()},
    **{f"timeouts check {chain}": after_chain(judge(parse_chain(chain.split()))) for chain in CHAINS},
    "probe": after_probe("http://localhost:8080/?a=1&b=2", None),
    "probe, limited": after_probe("http://localhost:8080/", 4000.0),
    **{f"remedies {name}": after_remedies(name, "keepalive-race") for name in catalogue()},
    "remedies, a file": after_remedies(None, "mine; rm -rf"),
    "check": after_check([]),
    **{f"check {name}": after_check([name]) for name in names()},
    "diagnose": after_diagnosis(seen(5.0)),
    "diagnose, TLS": after_diagnosis(seen(None, tls=True)),
}


@pytest.mark.parametrize("commands", CASES.values(), ids=CASES)
def test_every_command_to_run_next_parses(commands):
    assert 1 <= len(commands) <= 3
    for command in commands:
        lab, *words = shlex.split(command.replace("URL", "http://localhost:8080/"))
        assert lab == "econnlab"
        made_context(words)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("timeouts")])
def test_what_timeouts_says_to_run_runs(cli, name):
    for command in CASES[name]:
        words = shlex.split(command)[1:]
        if words[0] != "probe":
            assert cli.run(*words).returncode in (0, 1), command


def test_nothing_lost_needs_no_next_step():
    assert after_diagnosis(seen(5.0, lost=0)) == []


def test_the_first_unsafe_pair_is_the_one_to_cure():
    found = judge(parse_chain("alb=60s nginx=75s/60s node20=5s".split()))
    assert after_chain(found) == [
        "econnlab remedies --show server-timeout --for node",
        "econnlab remedies --show idle-limit --for nginx",
        "econnlab probe URL",
    ]


def test_the_commands_stand_at_the_end_of_the_page(cli):
    done = cli.run("timeouts", "check", "httpx", "uvicorn")
    assert done.stdout.endswith(
        "\n\nrun now\n  econnlab remedies --show server-timeout --for uvicorn\n"
        "  econnlab remedies --show idle-limit --for httpx\n  econnlab probe URL\n"
    )
