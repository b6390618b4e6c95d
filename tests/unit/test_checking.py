"""Verdicts over a client's command, by value; the matrix and its files against golden files."""

import io
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnlab.commands.check import report as page
from econnlab.commands.check.annotations import annotation, disarmed
from econnlab.commands.check.asked import AskedRequest, asked_of
from econnlab.commands.check.calm import aimed, baseline, right_under
from econnlab.commands.check.command_end import CommandEnd
from econnlab.commands.check.formats import json as json_format
from econnlab.commands.check.formats import junit, markdown
from econnlab.commands.check.result import Check, Checked
from econnlab.commands.check.survival import Survival
from econnlab.commands.check.trouble import met as met_by
from econnlab.commands.check.verdict import judge
from econnlab.errors import EnvironmentProblem
from econnlab.record.events import Kind
from econnlab.scenario.catalogue import CHECK, load, names
from econnlab.scenario.model import Middlebox, Scenario
from econnlab.scenario.server import Ending, Fault, Restart, ServerSpec, Stage
from tests.support.checked import SCHEMA
from tests.support.making import lab, link, server
from tests.unit.test_reports import golden, shown

OK, FAILED, HUNG = (
    CommandEnd(0, took_s=0.25),
    CommandEnd(1, took_s=0.5),
    CommandEnd(None, timed_out=True, took_s=5),
)
KILLED = CommandEnd(None, signal="SIGSEGV")
GET, POST, OTHER = (
    AskedRequest("GET", "/items?page=1"),
    AskedRequest("POST", "/orders", "aa"),
    AskedRequest("POST", "/orders", "bb"),
)
UNREAD = AskedRequest("POST", "/orders", "aa", carried_out=False, answered=False)
UNANSWERED = AskedRequest("POST", "/orders", "aa", answered=False)


def met(events, scenario, *work):
    """By a client that makes two requests on one connection, or ``work``."""
    return met_by(events, scenario, calm(*(work or (GET, GET))))


def calm(*asked):
    return baseline([(OK, asked), (OK, asked)])


def verdict(was, end, *asked, met=True):
    return judge(calm(*was), end, asked, met=met)


# -- one run --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "asked", "found"),
    [
        (OK, [GET, POST], Survival.SURVIVED),
        (OK, [GET, UNREAD, POST], Survival.SURVIVED),
        (OK, [GET, UNANSWERED, POST], Survival.DUPLICATED),
        (OK, [GET, GET, POST], Survival.SURVIVED),
        (OK, [GET, UNREAD], Survival.LOST),
        (OK, [], Survival.LOST),
        (OK, [POST], Survival.LOST),
        (OK, [GET, UNANSWERED], Survival.LOST),
        (FAILED, [GET, UNANSWERED], Survival.FAILED),
        (FAILED, [], Survival.FAILED),
        (FAILED, [GET, POST], Survival.FAILED),
        (KILLED, [GET], Survival.FAILED),
        (HUNG, [GET], Survival.HUNG),
        (HUNG, [], Survival.HUNG),
        # the worst that is true
        (HUNG, [GET, POST, POST], Survival.DUPLICATED),
        (FAILED, [GET, POST, POST], Survival.DUPLICATED),
        (OK, [POST, POST], Survival.DUPLICATED),
    ],
)
def test_the_worst_that_is_true_is_the_verdict(end, asked, found):
    assert verdict([GET, POST], end, *asked).survival is found


def test_what_was_not_met_says_nothing_but_a_failure_does():
    assert verdict([POST], OK, POST, met=False).survival is Survival.NOT_MET
    failed = verdict([POST], FAILED, POST, met=False)
    assert failed.survival is Survival.FAILED
    assert "never met it" in failed.reason


def test_one_lost_beside_one_repeated_is_seen_though_their_number_is_right():
    found = verdict([POST, OTHER], OK, POST, POST)
    assert found.survival is Survival.DUPLICATED
    assert found.reason == "of POST /orders, 1 was carried out too often and 1 not at all; it claims success"


def test_a_repetition_with_another_body_or_another_id_is_one():
    for again in (
        AskedRequest("POST", "/orders", "try-2"),
        AskedRequest("POST", "/orders", "aa", request_id="new"),
    ):
        assert verdict([POST], OK, UNANSWERED, again).survival is Survival.DUPLICATED


def test_ids_that_differ_from_run_to_run_are_no_loss():
    named = [AskedRequest("POST", "/orders", body, request_id=f"first-{body}") for body in "ab"]
    later = [AskedRequest("POST", "/orders", body, request_id=f"second-{body}") for body in "ab"]
    assert verdict(named, OK, *later).survival is Survival.SURVIVED
    assert verdict(named, OK, *later, later[0]).survival is Survival.DUPLICATED
    assert verdict(named, OK, later[0]).survival is Survival.LOST


def test_an_idempotency_key_makes_a_repetition_harmless_and_is_remarked():
    first = AskedRequest("POST", "/orders", "aa", key="k1", answered=False)
    again = AskedRequest("POST", "/orders", "aa", key="k1")
    found = verdict([again], OK, first, again)
    assert found.survival is Survival.SURVIVED
    assert "same Idempotency-Key" in found.remarks[0]
    replayed = AskedRequest("POST", "/orders", "aa", key="k1", carried_out=False)
    assert verdict([again], OK, first, replayed).survival is Survival.SURVIVED
    other = AskedRequest("POST", "/orders", "aa", key="k2")
    assert verdict([again], OK, first, other).survival is Survival.DUPLICATED


def test_what_is_asked_only_in_trouble_is_remarked_not_judged():
    found = verdict([POST], OK, UNREAD, AskedRequest("POST", "/errors"), POST)
    assert found.survival is Survival.SURVIVED
    assert found.remarks == ("POST /errors came, which the calm run did not send",)


def test_a_repeated_get_and_work_done_unknown_to_the_client_are_remarked():
    assert "no harm" in verdict([GET], OK, GET, GET).remarks[0]
    assert verdict([POST], FAILED, UNANSWERED).remarks == ("POST /orders was carried out nevertheless",)


def test_a_flood_of_output_is_remarked():
    assert verdict([GET], CommandEnd(0, output_bytes=65536), GET).remarks == ()
    (said,) = verdict([GET], CommandEnd(0, output_bytes=5_000_000), GET).remarks
    assert said == "it wrote 5.0 MB, of which the last 64 KB were kept"


def test_a_flood_that_does_not_end_is_named_in_the_calm_run_too():
    flood = replace(HUNG, output_bytes=80_000_000)
    with pytest.raises(EnvironmentProblem, match=r"1 request came\. It wrote 80\.0 MB of output\."):
        baseline([(flood, [GET]), (flood, [GET])])


def test_processes_left_behind_are_remarked():
    assert "left 2 processes behind" in verdict([GET], CommandEnd(0, left_behind=2), GET).remarks[0]


@given(st.lists(st.sampled_from([GET, POST, OTHER, UNREAD, UNANSWERED])), st.sampled_from([OK, FAILED, HUNG]))
def test_no_post_is_called_duplicated_unless_one_was_and_none_survives_a_loss(asked, end):
    found = verdict([GET, POST, OTHER], end, *asked)
    posts = [each.digest for each in asked if each.method == "POST" and each.carried_out]
    repeated = any(posts.count(digest) > 1 for digest in posts)
    assert (found.survival is Survival.DUPLICATED) == repeated
    if found.survival is Survival.SURVIVED:
        assert end is OK
        assert sorted(posts) == ["aa", "bb"]
        assert GET in asked


# -- the calm runs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "asked", "said"),
    [
        (HUNG, [], r"does not end within 5\.0 s without trouble\. No request"),
        (HUNG, [GET], r"1 request came\."),
        (FAILED, [GET], r"fails even against a healthy server: exit code 1\."),
        (FAILED, [], r"exit code 1, and no request came"),
        (KILLED, [GET], r"killed by SIGSEGV"),
        (OK, [], r"ignored the URL"),
    ],
)
def test_a_command_that_does_not_work_when_calm_is_not_judged(end, asked, said):
    with pytest.raises(EnvironmentProblem, match=said):
        baseline([(OK, [GET]), (end, asked)])


def test_what_it_said_last_is_told():
    with pytest.raises(EnvironmentProblem) as raised:
        baseline([(CommandEnd(2, output="one\nno such module\n\n"), [])])
    assert raised.value.hint.endswith("It said: no such module")


def test_bodies_and_paths_that_differ_from_run_to_run_are_counted_together():
    bodies = baseline([(OK, [POST, POST]), (OK, [POST, OTHER])])  # a clock of whole seconds in them
    assert judge(bodies, OK, [POST, OTHER], met=True).survival is Survival.SURVIVED
    assert judge(bodies, OK, [POST, OTHER, OTHER], met=True).survival is Survival.DUPLICATED
    paths = baseline([(OK, [AskedRequest("PATCH", "/a1"), GET]), (OK, [AskedRequest("PATCH", "/b2"), GET])])
    assert judge(paths, OK, [AskedRequest("PATCH", "/c3"), GET], met=True).survival is Survival.SURVIVED
    assert judge(paths, OK, [AskedRequest("PATCH", "/c3")] * 2, met=True).survival is Survival.DUPLICATED


def test_a_number_of_requests_that_differs_from_run_to_run_is_no_measure():
    with pytest.raises(EnvironmentProblem, match=r"not ask the same each time: 1 and 2 requests"):
        baseline([(OK, [GET]), (OK, [GET, GET])])


# -- scenarios ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names(CHECK))
def test_every_scenario_for_clients_tells_its_story_and_ends(name):
    scenario = load(name)
    assert scenario.title and len(scenario.story) > 100
    fault = scenario.server.fault
    if not scenario.client.frozen_ms:  # a client is stopped once, whatever the scenario
        assert (fault.times if fault is not None else scenario.server.refuse_first) == 1
    assert not met([server(Kind.REQUEST, 1.0)], scenario)


def test_trouble_is_met_when_a_ledger_tells_it():
    fault = Scenario("a", server=ServerSpec(fault=Fault(Stage.READ)))
    assert not met([], fault)
    assert met([server(Kind.FAULT, 1.0, reason="read", how="fin")], fault)
    full = Scenario("b", server=ServerSpec(refuse_first=1))
    assert met([server(Kind.DROPPED, 1.0, reason="close")], full)
    boxed = Scenario("c", middlebox=Middlebox(1), server=ServerSpec(keepalive_timeout_ms=Decimal(9)))
    assert met([link(Kind.DISCARDED, 1.0)], boxed) and not met([link(Kind.EXPIRED, 1.0)], boxed)
    assert met([], Scenario("d"))


def closed(reason, at=1.0, **more):
    return server(Kind.CLOSED, at, reason=reason, how="fin", **more)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"keepalive_timeout_ms": Decimal(500)}, "idle_timeout"),
        ({"keepalive_timeout_ms": Decimal(100), "busy_for_ms": Decimal(9), "busy_every_ms": Decimal(99)},
         "idle_timeout"),
        ({"max_requests": 1}, "max_requests"),
        ({"fault": Fault(Stage.ANSWERED)}, "aborted"),
    ],
)  # fmt: skip
def test_a_close_between_two_requests_is_met_by_the_second(spec, reason):
    """What came before it, another reason or a connection that was not used again is no occasion."""
    scenario = Scenario("a", server=ServerSpec(**spec))
    first = server(Kind.REQUEST, 0.5)
    assert met([first, closed(reason)], scenario), "the second may be lost without a trace"
    assert met([first, closed(reason), server(Kind.REQUEST, 2.0, 2)], scenario)
    assert not met([first, closed("client_closed"), server(Kind.REQUEST, 2.0)], scenario)
    assert not met([first, server(Kind.REQUEST, 0.7), closed(reason)], scenario), "all was done by then"
    assert met([first, server(Kind.REQUEST, 0.7), closed(reason, unread=50)], scenario)
    alone = [replace(GET, connection=number) for number in (1, 2)]
    assert not met([first, closed(reason), server(Kind.REQUEST, 2.0, 2)], scenario, *alone)


def test_a_frozen_client_is_met_by_a_close_while_it_was_stopped():
    frozen = load("frozen")
    stopped = lab(Kind.FROZEN, 2.0, began=1.0)
    first = server(Kind.REQUEST, 0.9)
    assert met([first, closed("idle_timeout", 1.5), stopped], frozen)
    assert not met([first, closed("idle_timeout", 2.5), stopped], frozen)
    assert not met([first, closed("idle_timeout", 1.5)], frozen)


@pytest.mark.parametrize(
    ("spec", "sign"),
    [
        ({"restart": Restart(Decimal(9))}, closed("retired")),
        ({"header_timeout_ms": Decimal(9)}, closed("header_timeout")),
        ({"max_body": 9}, server(Kind.RESPONSE, 1.0, status=413)),
        ({"status": 503}, server(Kind.RESPONSE, 1.0, status=503)),
        ({"fault": Fault(Stage.ANSWERED, Ending.RST)}, server(Kind.FAULT, 1.0)),
        ({"busy_for_ms": Decimal(9), "busy_every_ms": Decimal(99)}, server(Kind.BUSY, 1.0)),
    ],
)
def test_every_other_trouble_has_its_sign(spec, sign):
    scenario = Scenario("a", server=ServerSpec(**spec))
    assert met([sign], scenario)
    assert not met([server(Kind.REQUEST, 1.0), server(Kind.RESPONSE, 1.0, status=200)], scenario)


def test_a_client_is_seen_to_reuse_connections_or_not():
    one, other = AskedRequest("GET", "/", connection=1), AskedRequest("GET", "/", connection=2)
    assert calm(one, one).reuses
    assert not calm(one, other).reuses


def test_trouble_after_the_work_is_aimed_at_requests_that_must_not_be_repeated():
    done = load("done-reset")
    assert aimed(done, calm(GET, POST)).server.fault.writes
    assert aimed(done, calm(GET)) is done
    assert aimed(load("first-reset"), calm(POST)) == load("first-reset")
    assert Survival.FAILED in right_under(aimed(done, calm(POST)))
    assert Survival.FAILED not in right_under(aimed(done, calm(GET)))


def test_requests_are_read_from_the_ledger():
    events = [
        server(Kind.REQUEST, 1.0, 1, request_id="k", keyed=True, method="POST", target="/o", digest="aa"),
        server(Kind.PROCESSED, 1.0, 1),
        server(Kind.RESPONSE, 1.1, 1, status=200),
        server(Kind.REQUEST, 2.0, 2, request_id="r", method="HEAD", target="/o"),
        server(Kind.PROCESSED, 2.0, 2),
        server(Kind.CLOSED, 2.1, 2, reason="aborted"),
    ]
    posted, headed = asked_of(events, Scenario("a"))
    assert posted == AskedRequest("POST", "/o", "aa", key="k")
    assert headed == AskedRequest("HEAD", "/o", request_id="r", answered=False)
    half = Scenario("a", server=ServerSpec(fault=Fault(Stage.HALF_BODY)))
    assert asked_of(events, half)[1].answered  # an answer to HEAD has no body to cut


# -- what users read ------------------------------------------------------------------------------

USUAL = right_under(load("first-reset"))
SAID = CommandEnd(
    1, took_s=0.5, output="\x1b[2Jone | `two`\n::error::<b>not</b> mine\n##[error]x & y\n", output_bytes=51
)


def checks():
    was = calm(GET, POST)
    cases = [
        ("first-reset", OK, [GET, UNREAD, POST], True),
        ("first-silent", HUNG, [GET], True),
        ("body-cut-fin", SAID, [GET, UNANSWERED], True),
        ("done-reset", OK, [GET, UNANSWERED, POST, GET], True),
        ("reused-reset", OK, [GET, POST], False),
        ("head-cut", CommandEnd(0, took_s=0.2, left_behind=1), [GET, UNANSWERED], True),
    ]
    checked = [
        Checked(load(name), USUAL, end, judge(was, end, asked, met=struck))
        for name, end, asked, struck in cases
    ]
    checked.append(
        Checked(load("full-503"), USUAL, error=EnvironmentProblem("Too many open files.", "Raise it."))
    )
    return {
        "check": Check(("./client", "a b\x1b", "{url}"), was, tuple(checked), len(checked)),
        "check-stopped": Check(("./client",), was, tuple(checked[:1]), 18),
    }


@pytest.mark.parametrize("name", checks())
def test_the_matrix_is_as_it_was(name):
    check = checks()[name]
    text = shown(lambda _: page.headline(check)) + shown(lambda _: page.matrix(check))
    for detail in page.details(check):
        text += shown(lambda _, detail=detail: detail)
    golden(f"{name}.txt", text + shown(lambda _: page.conclusion(check)))


@pytest.mark.parametrize("name", checks())
def test_the_json_is_as_it_was_and_fits_its_schema(name):
    text = json_format.render(checks()[name])
    jsonschema.validate(json.loads(text), SCHEMA)
    golden(f"{name}.json", text)


@pytest.mark.parametrize("name", checks())
def test_the_markdown_is_as_it_was(name):
    golden(f"{name}.md", markdown.render(checks()[name]))


@pytest.mark.parametrize("name", checks())
def test_the_junit_is_as_it_was_and_has_junits_shape(name):
    """The attributes and order of children that the schemas of Jenkins' xunit plugin and of Ant ask for."""
    text = junit.render(checks()[name])
    golden(f"{name}.xml", text)
    suites = ElementTree.parse(io.StringIO(text)).getroot()
    (suite,) = suites
    cases = suite.findall("testcase")
    assert [suites.tag, suite.tag, suite[0].tag] == ["testsuites", "testsuite", "properties"]
    for counted, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(counted)) == len(suite.findall(f"testcase/{tag}"))
    assert int(suite.get("tests")) == len(cases)
    for case in cases:
        assert case.get("name") and case.get("classname") and float(case.get("time")) >= 0
        order = [child.tag for child in case]
        assert order == sorted(order, key=["skipped", "error", "failure", "system-out"].index)


def test_a_narrow_terminal_keeps_everything():
    text = shown(lambda _: page.matrix(checks()["check"]), width=50)
    assert "duplicated" in text and "BROKEN" in text and "what happens" in text


def test_an_annotation_is_one_line_whatever_the_command_is_called():
    check = checks()["check"]
    lines = [annotation(each) for each in (*check.broken, *check.failed)]
    assert all(line.startswith("::error title=econnlab check%3A ") and "\n" not in line for line in lines)
    assert lines[-1].endswith("::Too many open files.%0ARaise it.")


def test_what_a_command_says_gives_the_runner_no_orders():
    said = disarmed("  ::set-output name=a::b\nfine ::x\n##[error]no")
    assert said == "|   ::set-output name=a::b\nfine ::x\n## [error]no"
