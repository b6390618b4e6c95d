"""Scenario files: those that come with the lab, and what is said of a wrong one."""

import re
from dataclasses import fields
from decimal import Decimal

import click
import pytest

from econnlab.attribution.summary import summarize
from econnlab.cli import options
from econnlab.cli.group import CommandFolder
from econnlab.errors import UsageProblem
from econnlab.scenario.catalogue import load, names
from econnlab.scenario.links import PROFILES
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import ServerSpec, reuse_warning
from econnlab.scenario.toml import read_scenario
from tests.support.making import run

ARTICLE = [4900, 4950, 4980, 4985, 4990, 4995, 5000]


@pytest.mark.parametrize("name", names())
def test_every_scenario_reads_and_tells_its_story(name):
    scenario = load(name)
    assert scenario.name == name
    assert scenario.title
    assert len(scenario.story) > 100
    assert summarize(run(plan=scenario.plan)).rows


def test_the_articles_experiments_are_the_articles():
    keepalive, sweep, maxconn = load("keepalive"), load("sweep"), load("maxconn")
    assert keepalive.server.keepalive_timeout_ms == sweep.server.keepalive_timeout_ms == 5000
    assert (keepalive.plan.intervals_ms, keepalive.plan.requests) == ((Decimal(5000),), 10)
    assert list(sweep.plan.intervals_ms) == ARTICLE
    assert (maxconn.server.max_connections, maxconn.plan.sessions, maxconn.plan.requests) == (1, 2, 1)
    assert {each.link for each in (keepalive, sweep, maxconn)} == {PROFILES["article"]}


def test_an_unknown_scenario_is_refused_with_those_there_are():
    with pytest.raises(UsageProblem) as raised:
        load("moonphase")
    assert "busy-server, " in raised.value.hint


def test_a_file_of_the_users_may_set_everything():
    scenario = read_scenario(
        """
        title = "mine"
        link = "2ms~0.5/40ms"
        seed = 7
        [server]
        keepalive_timeout = 250
        busy_for = "5ms"
        busy_every = "1s"
        max_connections = 3
        [client]
        kind = "urllib3"
        stale_check = false
        timeout = "2s"
        [plan]
        intervals = "240..250:5,1s"
        sessions = 2
        """,
        "mine",
        "mine.toml",
    )
    assert scenario.name == "mine"
    assert scenario.link.to_client.median_ms == 40
    assert scenario.server.keepalive_timeout_ms == 250
    assert scenario.server.busy_every_ms == 1000
    assert scenario.client.timeout_ms == 2000
    assert scenario.plan.intervals_ms == (240, 245, 250, 1000)
    assert scenario.seed == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", r"mine\.toml is not TOML"),
        ("name = 'other'", r"mine\.toml: name: a scenario is called after its file"),
        ("colour = 'red'", r"mine\.toml: colour: there is no such key"),
        ("[server]\ncolour = 'red'", r"mine\.toml: server\.colour: there is no such key"),
        ("[server]\nkeepalive_timeout_ms = '5'", r"server\.keepalive_timeout_ms: there is no such key"),
        (
            "[server]\nkeepalive_timeout = '5 parsecs'",
            r"server\.keepalive_timeout: '5 parsecs' has the unknown unit",
        ),
        ("[server]\nkeepalive_timeout = true", r"server\.keepalive_timeout: expected a duration"),
        (
            "[server]\nmax_connections = 'one'",
            r"server\.max_connections: expected a whole number, found 'one'",
        ),
        ("[server]\nmax_connections = 0", r"allows no connection"),
        ("[plan]\nintervals = '5..1:1'", r"plan\.intervals: '5\.\.1:1' is empty"),
        ("[plan]\nintervals = [1, 2]", r"plan\.intervals: expected text"),
        ("[plan]\nsessions = 0", r"nothing to run"),
        ("plan = 5", r"plan: expected a table"),
        ("link = 'moon'", r"link: 'moon' is not a link"),
        ("link = 5", r"link: expected text"),
        ("url = 'http://127.0.0.1/'\n[server]\nport = 1", r"needs either the lab server or a URL"),
        ("[server.fault]\nat = 'noon'", r"server\.fault\.at: expected one of handshake, unread, read"),
        ("[server.fault]\nby = 'fin'", r"server\.fault\.at: it is missing"),
        ("[server.fault]\nat = 'read'\nafter = '5 parsecs'", r"server\.fault\.after: .* unknown unit"),
        (
            "[server.restart]\nafter = 5\nmanner = 'rude'",
            r"server\.restart\.manner: expected one of graceful",
        ),
        ("[expect]\nsuccess = '9..1'", r"expect\.success: '9\.\.1' ends before it begins"),
        ("[expect]\ncauses = { crash = 'some' }", r"expect\.causes\.crash: 'some' is not a count"),
        ("[expect]\ncauses = { crash = true }", r"expect\.causes\.crash: expected a count"),
        ("[expect.processed]\ntwice = 1", r"expect\.processed\.twice: there is no such key"),
        ("[kernel]\nsettings = 5", r"kernel\.settings: expected a table"),
        ("[server]\nresponse_size = -1", r"server: response_size: expected 0 or more, found -1"),
        ('[server]\ncontent_type = "a\\r\\nb"', r"server: content_type: .* is not a media type"),
        ("[server]\nstatus = 302", r"server: status: expected 200, or an error from 400 to 599, found 302"),
        ("[server]\nstatus_requests = 0", r"server: status_requests: expected 1 or more"),
        ("[server]\nrefuse_first = 1\nwhen_full = 'queue'", r"server: refuse_first: .* never refused"),
        ("[server.fault]\nat = 'read'\ntimes = 0", r"server\.fault: times: expected 1 or more"),
        ("[server.fault]\nat = 'unread'\nwrites = true", r"server\.fault: writes: at the stage unread"),
        ("[server]\nbacklog = 0", r"server: backlog: expected 1 or more"),
        ("[server.fault]\nat = 'read'\nrequest = 0", r"server\.fault: request: expected 1 or more"),
        ("[server.fault]\nat = 'handshake'", r"server: fault\.at: without TLS"),
        ("[server]\nlistens = false\n[server.restart]\nafter = 5", r"server: listens: .* neither fail nor"),
        (
            "[server.fault]\nat = 'read'\nby = 'kill'\n[server.restart]\nafter = 5",
            r"server: .* cannot retire",
        ),
        ("[client]\nretries = -1", r"client: retries: expected 0 or more"),
        ("url = 'http://127.0.0.1/'\n[proxy]\nkind = 'nginx'", r"a url replaces"),
        ("[proxy]\nkind = 'nginx'\n[server]\ntls = true", r"speak plain HTTP"),
        ("[plan]\nwave = 3", r"plan: Waves are"),
        (f"seed = {'9' * 5000}", r"mine\.toml is not TOML: .*digits"),
        (f"seed = {'[' * 5000}{']' * 5000}", r"mine\.toml: its arrays or tables are nested too deeply"),
    ],
)
def test_a_wrong_file_is_named_with_the_key_and_what_was_expected(text, said):
    with pytest.raises(UsageProblem, match=said):
        read_scenario(text, "mine", "mine.toml")


# -- the commands -----------------------------------------------------------------------------------


def command(name):
    group = CommandFolder()
    return group.get_command(click.Context(group), name)


def parsed(name, *arguments):
    context = command(name).make_context(name, list(arguments))
    return context.params


def built(name, *arguments):
    values = parsed(name, *arguments)
    if "interval" in values:
        values["intervals"] = None if values["interval"] is None else (values["interval"],)
    return options.scenario_of(name, values)


@pytest.mark.parametrize("name", ["keepalive", "sweep", "maxconn"])
def test_without_options_a_command_runs_its_scenario(name):
    assert built(name) == load(name)


@pytest.mark.parametrize("name", ["keepalive", "sweep", "maxconn"])
def test_the_defaults_in_the_help_are_the_scenarios(name):
    """Giving every option the default that its help shows changes nothing."""
    arguments = []
    for parameter in command(name).params:
        shown = re.search(r"\[default: (.+)\]", getattr(parameter, "help", None) or "")
        if shown is not None:
            arguments += [f"--{shown[1]}"] if parameter.is_flag else [parameter.opts[0], shown[1]]
    assert len(arguments) > 10
    assert built(name, *arguments) == load(name)


@pytest.mark.parametrize("name", ["keepalive", "sweep", "maxconn"])
def test_every_option_changes_the_scenario_or_an_output(name):
    nine = "--max-connections --clients --requests --sessions --keepalive-timeout --retries --timeout --seed"
    given = dict.fromkeys(nine.split(), "9") | {
        "--interval": "1",
        "--when-full": "503",
        "--server-busy": "1ms/9ms",
        "--url": "http://127.0.0.1:9/",
        "--server": "uvicorn",
        "--link": "wan",
        "--client": "urllib3",
        "--retry": "curl",
        "--idle-limit": "4s",
        "--honour-keep-alive": "1s",
        "--connection-close": None,
        "--ping": None,
        "--tcp-keepalive": "1s",
        "--idempotency-key": None,
        "--pool": "9",
        "--pool-order": "fifo",
        "--method": "POST",
        "--no-stale-check": None,
        "--tls": None,
    }
    outputs = {"--csv", "--json", "--save", "--capture", "--timeline", "--show-scenario", "--debug"}
    for parameter in command(name).params:
        words = {*parameter.opts, *parameter.secondary_opts}
        if words & outputs or "--help" in words or isinstance(parameter, click.Argument):
            continue
        (option,) = words & given.keys()
        arguments = [option] if given[option] is None else [option, given[option]]
        assert built(name, *arguments) != load(name), option


def test_an_earlier_name_of_an_option_works_and_the_help_does_not_show_it():
    assert built("keepalive", "--heed-keep-alive", "1s") == built("keepalive", "--honour-keep-alive", "1s")
    shown = command("keepalive").get_help(click.Context(command("keepalive")))
    assert "--honour-keep-alive" in shown
    assert "--heed-keep-alive" not in shown


@pytest.mark.parametrize(
    ("spec", "warned"),
    [({"keepalive_timeout_ms": Decimal(999)}, True), ({"keepalive_timeout_ms": Decimal(1000)}, False),
     ({"keepalive_timeout_ms": Decimal(500), "advertise": False}, False)],
)  # fmt: skip
def test_an_advertised_timeout_of_0_is_warned_of_with_the_way_out(spec, warned):
    assert ("or do so." in reuse_warning(ServerSpec(**spec), "do so")) is warned


def test_a_url_takes_the_servers_place():
    scenario = built("keepalive", "--url", "http://127.0.0.1:9/")
    assert (scenario.server, scenario.url) == (None, "http://127.0.0.1:9/")
    changed = [
        f.name for f in fields(Scenario) if getattr(scenario, f.name) != getattr(load("keepalive"), f.name)
    ]
    assert changed == ["server", "url"]
