"""Remedies as scenarios, and what is said of one beside another."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal

import jsonschema
import pytest
from rich.console import Console

from econnlab.attribution.summary import summarize
from econnlab.commands.remedies import adjust
from econnlab.commands.remedies.comparison import Comparison, Unable, ranked
from econnlab.commands.remedies.figures import Figures, figures_of
from econnlab.commands.remedies.judging import Effect, Remedy, judge, without_remedy
from econnlab.commands.remedies.report import page
from econnlab.discovery import parts
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from econnlab.scenario.catalogue import COMMANDS, PEERS, load, names
from econnlab.scenario.client import ClientSpec, PoolOrder
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import IDEMPOTENT
from econnlab.scenario.toml import read_scenario, write_scenario
from tests.support.making import attempt, lost, run, server
from tests.support.schemas import schema

REMEDIES = parts("econnlab.commands.remedies.each")
EVERY = [*names(), *names(PEERS), *names(COMMANDS)]
SCHEMA = schema("remedies")


# -- remedies as scenarios ------------------------------------------------------------------------


@pytest.mark.parametrize("remedy", REMEDIES.values(), ids=REMEDIES)
def test_every_remedy_says_what_it_is_and_what_it_costs(remedy):
    assert remedy.__name__.rpartition(".")[2].replace("_", "-") == remedy.NAME
    assert remedy.HELP
    assert remedy.PRICE


@pytest.mark.parametrize("remedy", REMEDIES.values(), ids=REMEDIES)
def test_a_remedy_changes_a_scenario_that_can_be_written_down_or_nothing(remedy):
    changed = 0
    for name in EVERY:
        scenario = load(name)
        remedied = remedy.apply(scenario)
        if remedied is None:
            continue
        changed += 1
        assert remedied != scenario
        assert (remedied.plan, remedied.seed, remedied.link) == (scenario.plan, scenario.seed, scenario.link)
        assert read_scenario(write_scenario(remedied), name, "f") == remedied
        assert remedy.apply(remedied) is None, "applied twice it is still the same"
    assert changed, "there is a scenario in which it can be tried"


def test_an_idle_limit_stays_a_round_trip_and_a_margin_below_the_shortest_timeout():
    limits = {name: adjust.idle_limit_below(load(name)) for name in ("keepalive-race", "keepalive")}
    assert limits == {"keepalive-race": Decimal(200), "keepalive": Decimal(3997)}
    box = load("idle-drop-rst")
    assert adjust.idle_limit_below(box) < box.middlebox.idle_timeout_ms < box.server.keepalive_timeout_ms


def test_what_holds_client_or_server_up_counts_as_idle_time():
    blocked = load("client-loop-blocked")
    assert adjust.idle_limit_below(blocked) == Decimal("0.8") * 300 - 200
    assert adjust.longest_pause(blocked) == 200 + 200
    assert adjust.longest_pause(load("busy-server")) == 50 + 200


def test_a_client_without_a_pool_is_given_nothing_that_only_pools_have():
    plain = replace(load("keepalive"), client=ClientSpec("http.client", stale_check=False))
    able = {name for name, remedy in REMEDIES.items() if remedy.apply(plain) is not None}
    assert able == {"stale-check", "connection-close", "tcp-keepalive", "server-timeout", "idempotency-key"}


def test_a_rotating_pool_is_idle_for_all_of_its_turns():
    assert adjust.longest_pause(load("rotating-pool")) == 4 * 55 + 3 * 300
    assert load("rotating-pool").client.pool_order is PoolOrder.FIFO


# -- figures --------------------------------------------------------------------------------------


def test_figures_count_what_the_ledger_says():
    tries = (
        lost(Outcome.RESET, number=1, planned=100.0, began=100.0, ended=100.010),
        attempt(request=2, request_id="1-2", number=2, connection=2, planned=None, ended=100.050),
    )
    events = [
        server(Kind.REQUEST, 100.0, request_id="1-1"),
        server(Kind.PROCESSED, 100.0, request_id="1-1"),
        *(server(kind, 100.0, request_id="1-2") for kind in (Kind.REQUEST, Kind.PROCESSED) * 3),
        server(Kind.REQUEST, 100.0),
    ]
    first = attempt(planned=100.0, ended=100.004)
    figures = figures_of(summarize(run(first, tries, events=events)))
    assert (figures.requests, figures.failures, figures.attempts, figures.connections) == (2, 0, 3, 2)
    assert (figures.lost, figures.once, figures.more, figures.extra, figures.served) == (0, 1, 1, 2, 5)
    assert (round(figures.median_ms), round(figures.p99_ms)) == (4, 50)


def test_a_connection_that_never_came_about_is_not_opened():
    refused = lost(Outcome.REFUSED, number=1, sent=None)
    again = attempt(number=2, connection=2, planned=None)
    assert figures_of(summarize(run((refused, again)))).connections == 1


def test_of_a_users_server_only_the_clients_side_is_known():
    figures = figures_of(summarize(run(attempt(), server=None, url="http://127.0.0.1:1/")))
    assert (figures.lost, figures.more, figures.extra, figures.served) == (None, None, None, None)


# -- verdicts -------------------------------------------------------------------------------------


def figures(failures=0, requests=20, more=0, **given):
    values = {
        "requests": requests, "failures": failures, "answered": 0,
        "lost": failures, "once": requests - failures, "more": more, "extra": more,
        "attempts": requests, "connections": 10, "served": requests, "median_ms": 4.0, "p99_ms": 9.0,
    }  # fmt: skip
    return Figures(**{**values, **given})


BASE = figures(10)
PLAIN = Remedy("plain", "help", "price")
RISKY = Remedy("risky", "help", "price", repeats=True)


@pytest.mark.parametrize(
    ("after", "effect", "said"),
    [
        (figures(0), Effect.CURED, "cures it"),
        (figures(0, connections=20), Effect.CURED, "cures it, 10 connections more"),
        (figures(0, connections=11), Effect.CURED, "cures it, 1 connection more"),
        (figures(0, p99_ms=209.0, connections=20), Effect.CURED, "cures it, 200 ms later at p99"),
        (figures(0, served=40), Effect.CURED, "cures it, 2.0 requests for each"),
        (figures(1, 100), Effect.HELPED, "helps: 50.0% become 1.0%"),
        (figures(9), Effect.SAME, "does not help"),
        (figures(2), Effect.SAME, "too few requests to be sure: fewer failed"),
        (figures(17), Effect.SAME, "too few requests to be sure: more failed"),
        (figures(20), Effect.WORSE, "makes it worse: 50.0% become 100.0%"),
    ],
)
def test_an_effect_is_one_where_the_intervals_part(after, effect, said):
    result = judge(PLAIN, after, BASE, "POST")
    assert (result.effect, result.words, result.unsafe) == (effect, said, False)
    assert result.recommended == (effect in (Effect.CURED, Effect.HELPED))


def test_an_error_that_can_be_read_is_better_than_a_reset():
    result = judge(PLAIN, figures(20, answered=20), figures(20), "POST")
    assert (result.effect, result.recommended) == (Effect.HELPED, True)
    assert result.words == "helps: the client reads the error, in place of a reset"
    assert judge(PLAIN, figures(20), figures(20, answered=20), "POST").effect is Effect.SAME


def test_an_error_that_was_read_counts_for_something_where_it_proves_nothing():
    result = judge(PLAIN, figures(3, 3, answered=3), figures(3, 3), "POST")
    assert (result.effect, result.hopeful) == (Effect.SAME, True)
    assert result.words == "too few requests to be sure: the client read the error, in place of a reset"


@pytest.mark.parametrize(
    ("after", "hopeful"),
    [
        (figures(2), True),
        (figures(9), False),
        (figures(10), False),
        (figures(17), False),
        (figures(0), False),
    ],
)
def test_what_may_be_better_or_not_is_hopeful(after, hopeful):
    assert judge(PLAIN, after, BASE, "GET").hopeful == hopeful


def test_a_planned_fault_that_was_never_met_was_not_cured():
    result = judge(PLAIN, figures(0, struck=0), figures(10, struck=1), "GET")
    assert (result.effect, result.recommended, result.hopeful) == (Effect.SAME, False, False)
    assert result.words.startswith("cannot be told: the planned fault goes by the count")
    helped = judge(PLAIN, figures(1, 100, struck=1), figures(10, struck=1), "GET")
    assert ranked([result, helped])[0] is helped, "what was shown to help stands first"
    met = judge(PLAIN, figures(0, struck=1), figures(10, struck=1), "GET")
    assert met.effect is Effect.CURED


@pytest.mark.parametrize(
    ("stage", "how", "struck"),
    [
        ("read", "kill", 1),  # a crash
        ("unread", "kill", 1),
        ("processed", "rst", 1),
        ("half_body", "fin", 1),
        ("unread", "rst", 0),  # as an idle connection's end meets a request
        ("read", "fin", 0),
        ("answered", "fin", 0),
    ],
)
def test_faults_that_no_reuse_brings_about_are_counted(stage, how, struck):
    event = server(Kind.FAULT, 100.0, reason=stage, how=how)
    assert figures_of(summarize(run(attempt(), events=[event]))).struck == struck


def test_a_fault_that_only_met_a_ping_met_no_request():
    order, ping = (server(Kind.REQUEST, 100.0, request_id=name) for name in ("1-1", None))
    fault = server(Kind.FAULT, 100.0, reason="processed", how="rst")
    assert figures_of(summarize(run(attempt(), events=[order, fault]))).struck == 1
    assert figures_of(summarize(run(attempt(), events=[order, ping, fault]))).struck == 0


def test_two_requests_prove_nothing():
    result = judge(PLAIN, figures(0, 2), figures(1, 2), "GET")
    assert result.effect is Effect.SAME
    assert "too few requests to tell" in result.words


def test_half_as_many_of_a_few_are_not_called_no_help():
    result = judge(PLAIN, figures(2, 5), figures(4, 5), "GET")
    assert (result.effect, result.hopeful) == (Effect.SAME, True)
    assert result.words == "too few requests to tell: half as many failed or fewer, and by chance they might"


@pytest.mark.parametrize(("now", "before"), [(False, True), (True, False)])
def test_a_run_cut_short_is_not_judged(now, before):
    """What it has are the first requests of its sessions, which open their connections and meet no timer."""
    result = judge(PLAIN, figures(0, whole=now), figures(10, whole=before), "POST")
    assert (result.effect, result.recommended, result.hopeful) == (Effect.SAME, False, False)
    assert result.words == "interrupted before the end: too soon to tell"
    unsafe = judge(PLAIN, figures(0, more=1, whole=now), figures(10, whole=before), "POST")
    assert unsafe.unsafe, "what was carried out twice was so all the same"
    made = replace(run(attempt()), interrupted=True)
    assert [figures_of(summarize(each)).whole for each in (made, run(attempt()))] == [False, True]


def test_where_nothing_fails_there_is_nothing_to_cure():
    assert judge(PLAIN, figures(0), figures(0), "GET").words == "nothing fails without it"
    one = judge(PLAIN, figures(1), figures(0), "GET")
    assert one.effect is Effect.SAME
    assert one.words == "too few requests to tell: some failed, and none without it"
    assert judge(PLAIN, figures(10), figures(0), "GET").effect is Effect.WORSE


def test_a_run_cut_short_does_not_stand_first_for_its_few_requests():
    whole, cut = (judge(Remedy(name, "", ""), after, BASE, "GET") for name, after in (
        ("whole", figures(2)), ("cut", figures(1, 2)),
    ))  # fmt: skip
    assert [each.remedy.name for each in ranked([cut, whole])] == ["whole", "cut"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_was_carried_out_twice_is_unsafe_and_so_is_what_may_be(method):
    seen = judge(PLAIN, figures(0, more=3), BASE, method)
    may = judge(RISKY, figures(0), BASE, method)
    assert seen.unsafe
    assert may.unsafe
    assert not seen.recommended
    assert not may.recommended
    assert "UNSAFE: 3 of 20 carried out more than once" in seen.words
    assert f"UNSAFE for {method}" in may.words


def test_of_a_users_server_nobody_says_that_nothing_was_carried_out_twice():
    unknown = judge(RISKY, figures(0, more=None), BASE, "POST")
    assert unknown.words.endswith("UNSAFE for POST: it may repeat what was carried out")
    known = judge(RISKY, figures(0), BASE, "POST")
    assert known.words.endswith("it may repeat what was carried out, though it did not here")


@pytest.mark.parametrize("method", sorted(IDEMPOTENT))
def test_an_idempotent_method_may_be_carried_out_twice_and_that_is_said(method):
    result = judge(RISKY, figures(0, more=3), BASE, method)
    assert not result.unsafe
    assert f"3 of 20 carried out more than once, which {method} allows" in result.words


def test_the_best_safe_one_stands_first():
    def named(name, after, *, repeats=False):
        return judge(Remedy(name, "", "", repeats), after, BASE, "POST")

    results = ranked(
        [
            named("repeats and cures", figures(0), repeats=True),
            named("does nothing", figures(10)),
            named("cures, slowly", figures(0, median_ms=204.0)),
            named("cures, with connections", figures(0, connections=20)),
            named("cures", figures(0)),
            named("duplicates", figures(0, more=1)),
        ]
    )
    assert [each.remedy.name for each in results] == [
        "cures", "cures, with connections", "cures, slowly", "does nothing", "repeats and cures",
        "duplicates",
    ]  # fmt: skip
    comparison = Comparison(run(attempt()), without_remedy(BASE), results)
    assert comparison.best.remedy.name == "cures"
    assert Comparison(run(attempt()), without_remedy(BASE), results[3:]).best is None


# -- reports --------------------------------------------------------------------------------------


def a_comparison(method="POST"):
    results = ranked(
        [
            judge(Remedy("idle-limit", "the client replaces", "connections"), figures(0), BASE, method),
            judge(Remedy("retry-curl", "as curl", "load", repeats=True), figures(0, more=2), BASE, method),
            judge(Remedy("tcp-keepalive", "probes", "nothing"), figures(11), BASE, method),
        ]
    )
    made = run(attempt(), client=ClientSpec(method=method), name="any")
    unable = (Unable(Remedy("ping", "", ""), "a [bold]reason\x1b"),)
    return Comparison(made, without_remedy(BASE), results, unable, ("lifo-pool",))


def shown(comparison, width=140):
    screen = Console(width=width, file=io.StringIO(), highlight=False, markup=False)
    screen.print(page(comparison, screen))
    return screen.file.getvalue()


def test_the_page_recommends_the_safe_one_and_marks_the_other():
    text = shown(a_comparison())
    lines = text.splitlines()
    order = [
        next(i for i, line in enumerate(lines) if name in line)
        for name in ("idle-limit", "tcp-", "retry-curl")
    ]
    assert order == sorted(order)
    assert lines[order[2]].lstrip().startswith("!")
    assert "Take idle-limit: the client replaces." in text
    assert "Its price: connections." in text
    assert "Not for POST: retry-curl." in text
    assert "econnlab remedies --show idle-limit" in text
    assert "change nothing here: lifo-pool" in text
    assert "\x1b" not in text


def concluded(*given, base=BASE, **changes):
    results = ranked([judge(Remedy(name, "", ""), after, base, "GET") for name, after in given])
    plan = replace(run(attempt()).scenario.plan, sessions=5, **changes)
    made = replace(run(attempt()), scenario=replace(run(attempt()).scenario, plan=plan))
    return " ".join(shown(Comparison(made, without_remedy(base), results)).split())


def test_too_few_requests_are_not_taken_for_no_help():
    five_of_ten = figures(5, 10)
    text = concluded(
        ("ping", figures(0, 10)), ("idle-limit", figures(0, 10, connections=1)), base=five_of_ten
    )
    assert "Too few requests to recommend one: fewer failed with idle-limit and 1 more" in text
    assert "--sessions 10 would tell." in text
    assert judge(PLAIN, figures(0, 20), figures(10, 20), "GET").effect is Effect.CURED, "twice as many do"
    assert "Nothing" not in text
    at_once = concluded(("ping", figures(0, 10)), base=five_of_ten, together=True)
    assert "with ping, which may be chance" in at_once
    assert "--sessions" not in at_once


def test_the_page_says_when_p99_is_the_slowest():
    assert "p99 is the slowest" in concluded(("ping", figures(0, 100)))
    many = concluded(("ping", figures(0, 200)), base=figures(100, 200))
    assert "p99" in many
    assert "the slowest" not in many


def test_where_nothing_went_better_nothing_helps():
    assert "Nothing that is safe for GET helps here." in concluded(("ping", figures(10)))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_the_page_fits(width):
    text = shown(a_comparison(), width)
    table = text.split("could not be tried")[0].splitlines()
    assert all(len(line) <= width for line in table)
    for name in ("idle-limit", "retry-curl", "tcp-keepalive"):
        assert name in text


def test_no_verdict_is_cut_on_a_narrow_terminal():
    results = (judge(Remedy("idle-limit", "", ""), figures(0, connections=20), BASE, "GET"),)
    text = shown(Comparison(run(attempt()), without_remedy(BASE), results), 60)
    assert "connections" in text


def test_the_page_says_what_a_relay_leaves_out_of_the_latencies():
    wan = replace(a_comparison(), run=run(attempt(), link="wan"))
    more = (replace(wan.results[0], figures=figures(0, connections=20)),)
    assert "each new connection takes 80 ms more" in shown(replace(wan, results=more), 200)
    assert "new connection" not in shown(wan, 200)
    assert "new connection" not in shown(replace(a_comparison(), results=more), 200)


def test_the_page_says_that_it_was_interrupted():
    whole = a_comparison()
    assert "Interrupted" in shown(replace(whole, run=replace(whole.run, interrupted=True)))
    assert "Interrupted" not in shown(whole)
    nothing = replace(whole, results=(), run=replace(whole.run, interrupted=True))
    assert "Interrupted before a remedy was seen to help." in shown(nothing)
    assert "Nothing that is safe" not in shown(nothing)


def test_the_json_follows_its_schema():
    document = json.loads(parts("econnlab.commands.remedies.formats")["json"].render(a_comparison()))
    jsonschema.validate(document, SCHEMA)
    assert document["best"] == "idle-limit"
    assert [(row["remedy"], row["unsafe"]) for row in document["remedies"]][-1] == ("retry-curl", True)
    assert document["unable"][0]["remedy"] == "ping"


def test_the_csv_has_the_baseline_first_and_the_json_s_keys():
    rows = list(
        csv.DictReader(io.StringIO(parts("econnlab.commands.remedies.formats")["csv"].render(a_comparison())))
    )
    assert [row["remedy"] for row in rows] == ["none", "idle-limit", "tcp-keepalive", "retry-curl"]
    assert set(rows[0]) == set(SCHEMA["$defs"]["row"]["properties"])


def test_the_markdown_is_a_table():
    text = parts("econnlab.commands.remedies.formats")["markdown"].render(a_comparison())
    widths = {line.count("|") for line in text.splitlines()}
    assert len(widths) == 1
    assert "| `idle-limit` | 0/20 |" in text


def test_a_scenario_says_what_its_client_does_against_losses():
    scenario = Scenario("any", client=ClientSpec(retry="curl", idle_limit_ms=Decimal(4000), ping=True))
    text = write_scenario(scenario)
    assert 'retry = "curl"' in text
    assert 'idle_limit = "4s"' in text
    assert read_scenario(text, "any", "f") == scenario
