from decimal import Decimal

import pytest

from econnlab.attribution.notes import conclusion, remarks, warnings
from econnlab.attribution.summary import Processed, summarize
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind
from econnlab.scenario.client import ClientSpec
from econnlab.scenario.model import Plan
from tests.support.making import attempt, lab, lost, run, server

RACE = [
    server(Kind.ACCEPTED, 90.0, peer="127.0.0.1:40001"),
    server(Kind.IDLE_TIMEOUT, 99.9987, due=99.9985, idle_s=5.0002),
    server(Kind.CLOSED, 99.9987, reason="idle_timeout", how="fin", unread=0),
]


def test_a_row_counts_requests_by_their_last_attempt():
    rescued = (
        lost(request=3, request_id="1-3"),
        attempt(request=3, request_id="1-3", number=2, planned=None),
    )
    row = summarize(run(attempt(), lost(), rescued, events=RACE)).rows[0]
    assert (row.requests, row.success, row.failure, row.attempts, row.rescued) == (3, 2, 1, 4, 1)
    assert row.outcomes == {Outcome.CLOSED: 1}
    assert row.causes == {"keepalive_race": 1}
    assert row.failure_rate == pytest.approx(1 / 3)


def test_every_failed_attempt_has_its_verdict_also_where_a_retry_rescued_it():
    rescued = (lost(), attempt(request=2, request_id="1-2", number=2, planned=None))
    summary = summarize(run(rescued, events=RACE))
    assert [failure.verdict.cause for failure in summary.failures] == ["keepalive_race"]
    assert summary.rows[0].failure == 0


def test_rows_are_kept_apart():
    plan = Plan((Decimal(4900), Decimal(5000)), 1, 1)
    rows = summarize(run(attempt(row=0), lost(row=1, session=2), plan=plan)).rows
    assert [(row.success, row.failure) for row in rows] == [(1, 0), (0, 1)]


def test_lateness_is_of_the_sends_that_were_due():
    sends = [attempt(request=n, request_id=f"1-{n}", planned=100.0 - n / 1000) for n in range(1, 101)]
    unplanned = attempt(request=101, request_id="1-101", planned=None)
    lateness = summarize(run(*sends, unplanned)).lateness
    assert lateness.sends == 100
    assert lateness.median_ms == pytest.approx(50)
    assert lateness.p99_ms == pytest.approx(99)


def test_a_run_in_which_nothing_happened_has_rows_and_nothing_to_say():
    summary = summarize(run(plan=Plan((Decimal(5000),), 1, 10)))
    assert summary.rows[0].requests == 0
    assert summary.lateness is None
    assert conclusion(summary) == ""


@pytest.mark.parametrize(("late_ms", "warned"), [(2.4, False), (2.6, True)])
def test_lateness_above_half_a_step_is_warned_of(late_ms, warned):
    plan = Plan((Decimal(4990), Decimal(4995)), 1, 1)
    late = [attempt(row=row, planned=100.0 - late_ms / 1000) for row in (0, 1)]
    assert any("run into each other" in text for text in warnings(summarize(run(*late, plan=plan)))) == warned


def test_one_interval_has_no_step_to_blur():
    assert warnings(summarize(run(attempt(planned=99.985)))) == []


def test_a_run_cut_short_says_how_short():
    made = run(attempt(), plan=Plan((Decimal(5000),), 1, 10))
    made.interrupted = True
    assert warnings(summarize(made)) == ["The run ended early: 1 of 10 requests."]


def test_a_server_that_closes_after_each_response_is_named():
    answers = [attempt(request=n, request_id=f"1-{n}", connection_header="close") for n in (1, 2)]
    assert "Connection: close" in warnings(summarize(run(*answers)))[0]


def carried_out(*request_ids):
    """The server's word that it did."""
    return [server(Kind.PROCESSED, 100.001, 9, request_id=each) for each in request_ids]


def test_connections_found_closed_in_time_are_counted():
    anew = [attempt(request=n, request_id=f"1-{n}", connection=n) for n in (1, 2, 3)]
    assert remarks(summarize(run(*anew, events=carried_out("1-1", "1-2", "1-3")))) == [
        "2 of 2 requests after a success found their connection closed and opened a new one"
    ]
    after_a_failure = attempt(request=3, request_id="1-3", connection=2)
    events = [*RACE, *carried_out("1-1", "1-3")]
    assert remarks(summarize(run(attempt(), lost(), after_a_failure, events=events))) == [
        "the server carried out 2 requests once; 1 never reached that point"
    ]


def test_what_a_server_of_the_users_advertises_is_told_and_harmless():
    answer = attempt(keep_alive="timeout=5\x1b[2J")
    made = run(answer, server=None, url="http://127.0.0.1:3000/")
    assert remarks(summarize(made)) == ["the server says Keep-Alive: timeout=5\\x1b[2J"]
    assert remarks(summarize(run(answer, events=carried_out("1-1")))) == []


def test_requests_are_counted_by_how_often_they_were_carried_out():
    twice = (lost(Outcome.RESET), attempt(request=2, request_id="1-2", number=2, planned=None))
    summary = summarize(
        run(attempt(), twice, lost(request_id="1-3"), events=carried_out("1-1", "1-2", "1-2"))
    )
    assert summary.processed == Processed(lost=1, once=1, more=1)
    assert summarize(run(attempt(), server=None, url="http://127.0.0.1:3000/")).processed is None


def test_a_cut_response_that_the_client_took_for_whole_is_told():
    cut = [server(Kind.PARTIAL, 100.001, 9, request_id="1-1", status=200, bytes=60), *carried_out("1-1")]
    assert remarks(summarize(run(attempt(), events=cut))) == [
        "responses cut off that the client took for whole: 1"
    ]


def test_the_conclusion_gives_the_rate_with_its_interval():
    assert conclusion(summarize(run(attempt(), lost(), events=RACE))) == (
        "1 of 2 requests failed: a rate between 9.5% and 90.5% (95 % interval)."
    )


def test_the_conclusion_names_what_a_retry_rescued():
    made = run(
        (lost(), attempt(request=2, request_id="1-2", number=2)), client=ClientSpec(retries=3), events=RACE
    )
    assert conclusion(summarize(made)).endswith("1 failed first and came through by a retry.")


def test_a_sweep_concludes_where_failures_begin():
    plan = Plan((Decimal(4900), Decimal(4990), Decimal(5000)), 1, 1)
    sweep = run(
        attempt(row=0), attempt(row=1, session=2, request_id="2-1"), lost(row=2, session=3), plan=plan
    )
    assert conclusion(summarize(sweep)) == (
        "1 of 3 requests failed. None failed below 5000 ms; the worst interval is 5000 ms, where 100% did."
    )


def test_why_retries_against_a_full_server_rescue_nothing():
    tries = tuple(
        lost(request=1, request_id="2-1", number=number, reused=False, local=f"127.0.0.1:{number}", session=2,
             planned=None, began=100.0 + number / 100, sent=100.0 + number / 100, ended=100.0 + number / 100)
        for number in (1, 2, 3)
    )  # fmt: skip
    dropped = [
        event
        for number in (1, 2, 3)
        for event in (
            server(Kind.ACCEPTED, 100.0, 10 + number, peer=f"127.0.0.1:{number}"),
            server(Kind.DROPPED, 100.0, 10 + number, reason="close"),
        )
    ]
    kept = [server(Kind.REQUEST, 99.9, 1, request_id="1-1")]
    said = "the retries of 1 request were over 20 ms after the first failure"
    (remark,) = (
        each for each in remarks(summarize(run(tries, events=[*kept, *dropped]))) if "retries" in each
    )
    assert remark.startswith(said)
    gone = [*kept, server(Kind.CLOSED, 100.02, 1, reason="client_closed")]
    assert not any("retries" in each for each in remarks(summarize(run(tries, events=[*gone, *dropped]))))


def test_what_a_killed_server_did_with_its_last_requests_is_unknown():
    first = attempt(ended=100.004)
    last = lost(began=100.01, sent=100.01, planned=100.01, ended=100.05)
    told = [
        server(Kind.REQUEST, 100.001, request_id="1-1", began=100.0005),
        server(Kind.PROCESSED, 100.001, request_id="1-1"),
        server(Kind.RESPONSE, 100.0045, request_id="1-1", status=200, bytes=9),
    ]
    summary = summarize(
        run(first, last, events=[*told, lab(Kind.DIED, 100.05, reason="server", how="SIGKILL")])
    )
    assert summary.processed == Processed(0, 1, 0)
    assert remarks(summary) == [
        "the server carried out 1 request once; of 1 that is unknown, because its process was killed"
    ]
    assert summary.failures[0].processed is None


def test_a_server_that_kills_itself_has_told_everything():
    last = lost(began=100.01, sent=100.01, planned=100.01, ended=100.05)
    told = [server(Kind.FAULT, 100.04, reason="read", how="kill")]
    summary = summarize(run(last, events=[*told, lab(Kind.DIED, 100.05, reason="server", how="SIGKILL")]))
    assert summary.processed == Processed(1, 0, 0)
