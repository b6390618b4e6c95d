"""How late the lab was, what is not late but asked for, and that a broken expectation says so."""

from dataclasses import replace
from decimal import Decimal

import pytest

from econnlab.attribution.punctuality import worst_lateness_ms
from econnlab.attribution.summary import summarize
from econnlab.commands.experiments.outcomes import ScenarioResult
from econnlab.commands.experiments.report.batch import result_line
from econnlab.record.events import Kind
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.expect import Count, Expect
from econnlab.scenario.links import Delay, LinkSpec
from econnlab.scenario.server import ServerSpec
from tests.support.making import attempt, link, run, server

SENT_LATE = attempt(planned=99.9, sent=99.98)
TIMER = [server(Kind.IDLE_TIMEOUT, 100.07, due=100.0, idle_s=5.07)]
PASSED_ON = [link(Kind.FIN, 100.19, side="server", began=100.0)]


def over_a_link(jitter):
    made = run(SENT_LATE, events=TIMER + PASSED_ON)
    to_client = Delay(Decimal(100), Decimal(jitter))
    made.scenario = replace(made.scenario, link=LinkSpec("custom", Delay(Decimal(5), Decimal(0)), to_client))
    return made


def test_the_latest_of_sends_timers_and_link_counts():
    assert worst_lateness_ms(run()) == 0
    assert worst_lateness_ms(run(events=TIMER)) == pytest.approx(70)
    assert worst_lateness_ms(run(SENT_LATE, events=TIMER)) == pytest.approx(80)
    assert worst_lateness_ms(over_a_link(jitter=0)) == pytest.approx(90)


def test_what_is_asked_for_is_not_late():
    assert worst_lateness_ms(run(SENT_LATE, client=ClientSpec(blocked_ms=Decimal(70)))) == 0
    busy = ServerSpec(busy_for_ms=Decimal(70), busy_every_ms=Decimal(100))
    assert worst_lateness_ms(run(events=TIMER, server=busy)) == 0
    assert worst_lateness_ms(over_a_link(jitter=1)) == pytest.approx(80)


@pytest.mark.parametrize(("sent", "said"), [(99.98, True), (99.94, False)])
def test_a_broken_expectation_says_that_the_lab_was_late(sent, said):
    summary = summarize(run(attempt(planned=99.9, began=99.9, sent=sent)))
    scenario = replace(summary.run.scenario, expect=Expect(success=Count(2, 2)))
    line = result_line(ScenarioResult(scenario, summary, None, 1.0)).plain
    assert "BROKEN" in line and "success: expected 2, found 1" in line
    assert ("the lab itself was up to 80 ms late" in line) is said
