"""The search for the race window, its edges and the advice, against servers that exist on paper only."""

from __future__ import annotations

import io
import itertools
import math
import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econnlab.attribution.statistics import quantile
from econnlab.cli.console import LabConsole
from econnlab.commands.probe import report
from econnlab.commands.probe.judging.advice import limit_s
from econnlab.commands.probe.judging.advice import settings as lines
from econnlab.commands.probe.judging.conclusion import Ends, conclude
from econnlab.commands.probe.judging.gaps import gaps_in
from econnlab.commands.probe.judging.search import COARSE, FEWEST, MOST, Search
from econnlab.commands.probe.judging.thresholds import Span, estimate, resampled, spans, warm
from econnlab.commands.probe.judging.window import window_of
from econnlab.commands.probe.seen import Closing, Framing, Head, Precision, Probed, ProbeVisit, Series
from econnlab.record.attempts import Outcome

RTT_S = 0.0001
HEAD = Head("1.1", 200, "timeout=1", "keep-alive", None, None, Framing.LENGTH, 3, (), True)


@dataclass
class PaperServer:
    """Closes each connection ``earliest_s`` after its response, or up to ``spread_s`` later.

    A request is lost when it is written after the close less a round trip; the close is seen when it is.
    """

    earliest_s: float = 1.0
    spread_s: float = 0.001
    round_trip_s: float = RTT_S
    seed: int = 1

    def __post_init__(self):
        self._random = random.Random(self.seed)

    def visit(self, idle_s=None, slack_s=0.0):
        """One connection, asked again after ``idle_s`` or not at all."""
        closes_s = self.earliest_s + self._random.uniform(0, self.spread_s)
        answer_s = self.round_trip_s * self._random.uniform(1.0, 1.5)
        visit = ProbeVisit(0.0, self.round_trip_s, answer_s, answer_s, slack_s)
        seen = Closing(closes_s, "FIN", 0.0)
        if idle_s is None:
            return replace(visit, closing=seen)
        lost = idle_s > closes_s - self.round_trip_s
        return replace(
            visit,
            closing=seen if idle_s >= closes_s else None,
            idle_s=idle_s,
            outcome=Outcome.CLOSED if lost else Outcome.OK,
        )

    def searched(self, watchers=10):
        """A whole search."""
        search = Search(self.seed)
        for _ in range(watchers):
            search.add(self.visit())
        search.refresh()
        while (idle_s := search.next(0.0)) is not None:
            search.add(self.visit(idle_s))
            if search.trials % 4 == 0:  # as in a probe, where there is not always time for it
                search.refresh()
        return search


def edges(search):
    """The 5 % and 95 % edges, ms."""
    found = estimate(spans(search.visits, search.round_trip_s))
    return found.quantile(0.05) * 1000, found.quantile(0.95) * 1000


# -- the search ---------------------------------------------------------------------------------------


def test_nothing_is_asked_before_closes_have_been_seen():
    search, server = Search(), PaperServer()
    assert search.next(0.0) is None
    assert math.isinf(search.decided_s)
    for _ in range(3):
        search.add(server.visit())
        assert not search.refresh()
    search.add(server.visit())
    assert search.refresh()  # for the first time
    search.add(server.visit())
    assert not search.refresh()
    assert 0.9 < search.decided_s < 1.0
    assert 0.99 < search.next(0.0) < 1.01


def test_it_begins_across_the_window_and_then_goes_to_the_edges():
    search = PaperServer().searched()
    sent = [visit.idle_s for visit in search.visits if visit.asked]
    first, last = (edge / 1000 for edge in edges(search))
    coarse = sorted(sent[:COARSE])
    steps = [after - before for before, after in itertools.pairwise(coarse)]
    assert max(steps) < 1.01 * min(steps)
    assert coarse[0] < first and coarse[-1] > last
    aimed = sent[COARSE:]
    wide = last - first
    assert sum(min(abs(each - first), abs(each - last)) < 0.2 * wide for each in aimed) > len(aimed) / 4


def test_it_ends_by_itself():
    search = PaperServer().searched()
    assert FEWEST <= search.trials <= MOST
    assert search.enough


def test_it_can_be_told_to_give_up():
    search = Search()
    search.give_up()
    assert search.decided_s == 0.0
    assert search.next(0.0) is None


def test_what_is_decided_late_is_sent_late():
    server, search = PaperServer(), Search()
    for _ in range(4):
        search.add(server.visit())
    search.refresh()
    assert search.next(2.0) == 2.0


def test_inexact_trials_are_not_counted():
    search, server = Search(), PaperServer()
    search.add(replace(server.visit(1.0), late_s=0.001))
    assert search.trials == 0
    search.add(server.visit(1.0))
    assert search.trials == 1


@pytest.mark.parametrize("spread_s", [0.00005, 0.0005, 0.001, 0.002])
def test_two_probes_agree_about_the_edges(spread_s):
    """And with the truth. Of 12 probes of each server none is off by more than 0.5 ms."""
    for seed in range(12):
        server = PaperServer(spread_s=spread_s, seed=seed)
        first, last = edges(server.searched())
        begins = (server.earliest_s - RTT_S) * 1000
        assert first == pytest.approx(begins + 0.05 * spread_s * 1000, abs=0.5)
        assert last == pytest.approx(begins + 0.95 * spread_s * 1000, abs=0.5)


def test_behind_a_round_trip_the_edges_lie_that_much_before_the_close():
    """Closes tell 20 ms and no more then: it is the trials that find the edges."""
    first, last = edges(PaperServer(round_trip_s=0.02).searched())
    assert 979 < first <= last < 982


def test_a_window_of_a_second_is_found_as_well():
    """gunicorn's gthread: closes between 1 and 2 s."""
    first, last = edges(PaperServer(spread_s=1.0).searched())
    assert 1000 <= first < 1200
    assert 1800 < last <= 2000


def test_the_intervals_hold_the_truth_mostly():
    """Of 8 probes at least 6 per edge. Nothing here is left to chance but by the seeds."""
    held = [0, 0]
    for seed in range(8):
        server = PaperServer(seed=seed)
        search = server.searched()
        window = window_of(search.visits, search.round_trip_s)
        for place, (edge, share) in enumerate(((window.first, 0.05), (window.last, 0.95))):
            truth = (server.earliest_s - RTT_S + share * server.spread_s) * 1000
            held[place] += edge.low_ms <= truth <= edge.high_ms
    assert min(held) >= 6


# -- thresholds -----------------------------------------------------------------------------------------


def test_what_each_visit_says_of_its_threshold():
    base = ProbeVisit(0.0, 0.01, 0.01, 0.01, 0.0)
    seen = Closing(1.0, "FIN", 0.0)
    answered = replace(base, idle_s=0.9, outcome=Outcome.OK)
    watched = replace(base, closing=seen)
    late = replace(base, closing=seen, idle_s=1.1, outcome=Outcome.CLOSED)
    unseen = replace(base, idle_s=0.995, outcome=Outcome.RESET)
    found = spans([answered, watched, late, unseen], 0.01)
    assert found[0] == Span(0.9, math.inf)
    assert found[1] == found[2] == Span(pytest.approx(0.9899), 1.0)
    assert found[3].high == 0.995
    assert 0.98 < found[3].low < 0.99


def test_the_close_of_the_connection_that_became_idle_first_is_left_out():
    """By a server that has slept for seconds; with few others it counts."""
    visits = [replace(PaperServer().visit(), began=float(place)) for place in range(10)]
    assert warm(visits) == visits[1:]
    assert warm(visits[:3]) == visits[:3]
    asked = replace(visits[0], idle_s=1.0, outcome=Outcome.OK)
    assert warm([asked, *visits[1:]]) == [asked, *visits[1:]]


def test_a_server_that_answers_after_its_fin_is_judged_by_trials_alone():
    base = ProbeVisit(0.0, 0.01, 0.01, 0.01, 0.0)
    seen = Closing(1.0, "FIN", 0.0)
    answered = replace(base, closing=seen, idle_s=1.2, outcome=Outcome.OK)
    lost = replace(base, closing=seen, idle_s=1.4, outcome=Outcome.CLOSED)
    assert spans([replace(base, closing=seen), answered, lost], 0.01) == [Span(1.2, math.inf), Span(0.0, 1.4)]


def test_where_nothing_was_lost_nothing_is_estimated():
    assert estimate([]) is None
    assert estimate([Span(1.0, math.inf)]) is None
    assert window_of([], 0.0) is None


def test_exact_values_give_their_own_distribution():
    found = estimate([Span(value - 1e-6, value) for value in (1.0, 2.0, 3.0, 4.0)])
    assert [round(found.quantile(share), 3) for share in (0.2, 0.5, 0.7, 1.0)] == [1.0, 2.0, 3.0, 4.0]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.one_of(st.none(), st.integers(1, 20))), min_size=1, max_size=40)
)
@settings(max_examples=150, deadline=None)
def test_an_estimate_is_a_distribution_within_what_was_seen(values):
    found = [Span(low, math.inf if wide is None else low + wide) for low, wide in values]
    distribution = estimate(found)
    if all(math.isinf(span.high) for span in found):
        assert distribution is None
        return
    assert sum(distribution.shares) == pytest.approx(1.0)
    assert min(distribution.shares) >= 0
    quantiles = [distribution.quantile(share / 20) for share in range(21)]
    assert quantiles == sorted(quantiles)
    assert min(span.low for span in found) <= quantiles[0]
    assert (
        quantiles[-1]
        <= max(max(span.low, span.high if math.isfinite(span.high) else 0) for span in found) + 1
    )


@given(st.lists(st.tuples(st.floats(0.5, 1.5), st.booleans()), min_size=5, max_size=30))
@settings(max_examples=15, deadline=None)
def test_trials_in_any_order_give_a_window_or_none(trials):
    visits = [
        ProbeVisit(0.0, 0.001, 0.001, 0.001, 0.0, None, idle_s, 0.0, Outcome.RESET if lost else Outcome.OK)
        for idle_s, lost in trials
    ]
    window = window_of(visits, 0.001)
    assert (window is None) == (not any(lost for _, lost in trials))
    if window is not None:
        assert window.first.at_ms <= window.middle.at_ms <= window.last.at_ms
        assert sum(band.tried for band in window.bands) == window.trials == len(trials)
        assert sum(band.lost for band in window.bands) == window.lost


def test_the_interval_narrows_with_the_number_of_connections():
    draw = random.Random(3)

    def width(connections):
        values = [draw.uniform(1, 2) for _ in range(connections)]
        ((low, high),) = resampled([Span(value - 1e-4, value) for value in values], [0.05])
        return high - low

    assert width(200) < width(20)


# -- the conclusion -------------------------------------------------------------------------------------


def probed(visits=(), **changes):
    """A probe that saw these visits."""
    whole = Probed(
        "http://127.0.0.1:1/", "GET", "127.0.0.1:1", "econnlab-probe/0", 500, 100, 32, 2.0, 3.0, HEAD, None,
        None, tuple(visits), (), None, None, Precision(10, 0.0, 0.0001, 0), False, False, False,
    )  # fmt: skip
    return replace(whole, **changes)


def test_a_server_that_closes_as_it_says():
    search = PaperServer(earliest_s=1.0).searched()
    found = conclude(probed(search.visits))
    assert found.ends is Ends.CLOSED
    assert found.later_ms is None
    assert found.idle.median_ms == pytest.approx(1000.5, abs=0.5)
    assert found.limit_ms == 800
    assert list(gaps_in(found)) == []


def test_a_hidden_second():
    found = conclude(probed(PaperServer(earliest_s=2.0).searched().visits))
    assert found.later_ms == pytest.approx(1000, abs=2)
    assert found.limit_ms == 1600


def test_a_server_that_closes_before_it_says():
    found = conclude(probed([PaperServer(earliest_s=0.5).visit() for _ in range(10)]))
    assert found.later_ms == pytest.approx(-500, abs=2)
    assert found.limit_ms == 400
    assert any("race window" in each for each in gaps_in(found))


def test_a_silent_end():
    base = ProbeVisit(0.0, 0.001, 0.001, 0.001, 0.0)
    visits = [
        replace(base, idle_s=1.0, outcome=Outcome.OK),
        replace(base, idle_s=1.2, outcome=Outcome.TIMEOUT),
        replace(base, idle_s=2.0, outcome=Outcome.RESET),
    ]
    found = conclude(probed(visits))
    assert found.ends is Ends.SILENT
    assert (found.survived_ms, found.silent_ms) == (1000, 1200)
    assert set(found.silent_outcomes) == {Outcome.TIMEOUT, Outcome.RESET}
    assert found.limit_ms < 1000


def test_a_silent_end_that_was_not_narrowed_down_gives_no_limit_beyond_what_was_answered():
    """Not even where a later request was answered: it was luck."""
    base = ProbeVisit(0.0, 0.001, 0.001, 0.001, 0.0)
    visits = [
        replace(base, idle_s=0.5, outcome=Outcome.OK),
        replace(base, idle_s=2.0, outcome=Outcome.TIMEOUT),
        replace(base, idle_s=3.0, outcome=Outcome.OK),
    ]
    found = conclude(probed(visits))
    assert (found.survived_ms, found.silent_ms, found.limit_ms) == (500, 2000, 400)
    assert any("between 0.5 and 2 s idle connections die" in each for each in gaps_in(found))
    found = conclude(probed(visits[1:2]))
    assert found.limit_ms is None
    assert report.conclusion(found) == "The probe did not find after what silence idle connections die."


def test_one_that_never_closes_has_no_limit():
    kept = replace(ProbeVisit(0.0, 0.001, 0.001, 0.001, 0.0), idle_s=2.0, outcome=Outcome.OK)
    found = conclude(probed([kept]))
    assert (found.ends, found.limit_ms, found.settings) == (Ends.KEPT, None, ())


def test_one_that_closes_at_once_has_no_limit_either():
    server = PaperServer(earliest_s=0.0002, spread_s=0.0)
    found = conclude(probed([server.visit() for _ in range(10)]))
    assert (found.ends, found.limit_ms) == (Ends.AT_ONCE, None)


def test_a_sweep_is_told_from_a_timer():
    """Connections that became idle 20 ms apart, all closed at the same moment."""
    base = ProbeVisit(0.0, 0.001, 0.001, 0.001, 0.0)
    swept = [replace(base, began=at / 50, closing=Closing(5 - at / 50, "FIN", 0.0)) for at in range(10)]
    timed = [replace(base, began=at / 50, closing=Closing(5.0, "FIN", 0.0)) for at in range(10)]
    assert conclude(probed(swept)).idle.swept
    assert not conclude(probed(timed)).idle.swept


def test_uneven_closes_are_named_and_advised_by_the_earliest_of_all():
    """lighttpd counts whole seconds: with 2 s configured it closes after 1.6 to 2.9 s, 2.4 at the median."""
    base = ProbeVisit(0.0, 0.001, 0.001, 0.001, 0.0)
    times = [1.9, 2.1, 2.25, 2.4, 2.43, 2.5, 2.61, 2.7, 2.82, 2.9]
    visits = [replace(base, began=at * 1.7, closing=Closing(t, "FIN", 0.0)) for at, t in enumerate(times)]
    trial = replace(base, closing=Closing(1.6, "FIN", 0.0), idle_s=1.61, outcome=Outcome.CLOSED)
    found = conclude(probed([*visits, trial]))
    assert found.earliest_ms == 1600
    assert found.limit_ms < 1600
    assert "closes idle connections after 1.6 s at the earliest" in " ".join(paged(found).split())


@pytest.mark.parametrize("of_a_period", [1.0, 0.6, 0.4, 0.35])
@pytest.mark.parametrize("period_s", [0.1, 0.7, 30.0])
def test_how_often_a_server_looks_for_idle_connections_is_found(period_s, of_a_period):
    """Also where the connections were opened in one part of each period: it is no half of it."""
    draw = random.Random(5)
    visits = []
    for _ in range(60):
        began = (draw.randrange(8) + draw.uniform(0.3, 0.3 + of_a_period)) * period_s
        look = math.ceil((began + 2 * period_s) / period_s) * period_s + draw.uniform(0, 0.002)
        visits.append(ProbeVisit(began, RTT_S, RTT_S, RTT_S, 0.0, Closing(look - began, "FIN", 0.0)))
    found = conclude(probed(visits))
    assert found.idle.scan_ms == pytest.approx(period_s * 1000, rel=0.02)
    assert "it looks for idle connections every" in paged(found)


def test_a_timer_for_each_connection_is_no_look_from_time_to_time():
    """Opened at a pace of 20 ms, or 60, they are closed at that pace, but each after the same time."""
    draw = random.Random(6)
    for pace_s, spread_s in itertools.product((0.02, 0.06), (0.0, 0.001, 0.01)):
        visits = [
            ProbeVisit(
                at * pace_s, RTT_S, RTT_S, RTT_S, 0.0, Closing(1 + draw.uniform(0, spread_s), "FIN", 0.0)
            )
            for at in range(40)
        ]
        assert conclude(probed(visits)).idle.scan_ms is None


def test_rounds_of_visits_are_no_beat_of_the_server():
    """Ten connections at once, and ten more when all are closed, each after a time of its own."""
    draw = random.Random(8)
    for spread_s in (0.04, 0.1, 0.3):
        visits = [
            ProbeVisit(
                number * (1 + spread_s),
                RTT_S,
                RTT_S,
                RTT_S,
                0.0,
                Closing(draw.uniform(1, 1 + spread_s), "FIN", 0.0),
            )
            for number in range(8)
            for _ in range(10)
        ]
        assert conclude(probed(visits)).idle.scan_ms is None


def test_closes_without_a_beat_have_no_period():
    draw = random.Random(7)
    visits = [
        ProbeVisit(draw.uniform(0, 5), RTT_S, RTT_S, RTT_S, 0.0, Closing(1 + draw.uniform(0, 1), "FIN", 0.0))
        for _ in range(40)
    ]
    assert conclude(probed(visits)).idle.scan_ms is None


def test_a_loss_long_before_the_window_is_told_apart_from_it():
    server = PaperServer(earliest_s=1.0)
    visits = [*server.searched().visits, replace(server.visit(0.095), outcome=Outcome.RESET)]
    found = conclude(probed(visits))
    assert found.window.first.at_ms == pytest.approx(1000, abs=1)
    (said,) = gaps_in(found)
    assert said.startswith("why 1 of the requests before the window were lost, the first after 0.095 s")


def test_what_is_not_known_is_said():
    found = conclude(
        probed([], out_of_budget=True, interrupted=True, throttled=True, series=Series(3, 110),
               failures=(Outcome.CLOSED, Outcome.RESET))
    )  # fmt: skip
    said = " ".join(gaps_in(found))
    for words in (
        "interrupted",
        "429",
        "budget of 500",
        "more than 3 requests",
        "closed 1, reset 1",
        "none was",
    ):
        assert words in said


# -- the page ---------------------------------------------------------------------------------------------


def paged(found, encoding="utf-8", width=120):
    """The page as it stands on a terminal that writes ``encoding``."""
    written = io.TextIOWrapper(io.BytesIO(), encoding)
    screen = LabConsole(file=written, width=width, highlight=False, markup=False, emoji=False)
    screen.print(report.page(found, screen))
    written.flush()
    return written.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (2.0, "1 s later than it says: a hidden buffer"),
        (1.5, "500 ms later than it says; the header has whole seconds only"),
        (0.5, "500 ms EARLIER than it says"),
    ],
)
def test_it_is_said_when_a_server_closes_at_another_time_than_it_says(later, told):
    visits = [PaperServer(earliest_s=later, spread_s=0.0).visit() for _ in range(10)]
    assert told in paged(conclude(probed(visits)))


def test_the_picture_is_of_blocks_or_of_ascii():
    found = conclude(probed(PaperServer().searched().visits))
    blocks, plain = paged(found), paged(found, "ascii")
    assert "██████████" in blocks
    assert "##########" in plain
    assert blocks.count("\n") == plain.count("\n")


def test_a_narrow_terminal_leaves_columns_out_but_no_digits():
    found = conclude(probed(PaperServer().searched().visits))
    page = paged(found, width=60)
    assert max(map(len, page.splitlines())) <= 60
    assert "sent after" in page and "rate" in page


def test_what_a_server_says_is_made_harmless():
    head = replace(HEAD, server="\x1b[2Jnginx", keep_alive="timeout=1\x07", status=302, location="/\x1b]0;")
    page = paged(conclude(probed([PaperServer().visit() for _ in range(4)], head=head)))
    assert "\x1b" not in page and "\x07" not in page
    assert r"\x1b[2Jnginx" in page


def test_every_kind_of_end_has_its_sentence():
    """And each is its own."""
    base = ProbeVisit(0.0, 0.001, 0.001, 0.001, 0.0)
    kept = replace(base, idle_s=2.0, outcome=Outcome.OK)
    silent = replace(base, idle_s=2.0, outcome=Outcome.TIMEOUT)
    closed = [PaperServer().visit() for _ in range(4)]
    at_once = [PaperServer(earliest_s=0.0, spread_s=0.0001).visit() for _ in range(4)]
    not_kept = replace(HEAD, persistent=False, http_version="1.0")
    said = {
        report.conclusion(conclude(each))
        for each in (probed([kept]), probed([silent]), probed(closed), probed(at_once), probed(),
                     probed(head=not_kept))
    }  # fmt: skip
    assert len(said) == 6


# -- advice -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_loss", "limit"),
    [
        (None, None),
        (0.001, None),
        (0.3, 0.24),
        (0.9995, 0.8),
        (1.0, 0.8),
        (5.0, 4.0),
        (6.0, 5.0),
        (75.0, 74.0),
    ],
)
def test_the_limit_is_the_first_loss_less_a_margin(first_loss, limit):
    assert limit_s(first_loss) == limit


@given(st.floats(0.003, 5000))
def test_the_limit_is_below_the_first_loss_by_most_of_the_margin(first_loss):
    limit = limit_s(first_loss)
    assert limit is None or 0 < limit <= first_loss - 0.9 * min(1.0, 0.2 * first_loss)


def test_each_line_names_the_limit_in_its_own_unit():
    texts = {each.client: each.line for each in lines(4.0)}
    assert "idle_limit=4)" in texts["requests"]
    assert "4000 * time.Millisecond" in texts["Go"]
    assert "keepalive_timeout 4000ms;" in texts["nginx upstream"]
    assert "{ idle_timeout: 4s }" in texts["Envoy cluster"]
    assert texts["AWS ALB"].endswith("=4")
    assert next(each for each in lines(0.5) if each.client == "AWS ALB").line == ""


def test_quantiles_of_watchers_are_their_own():
    server = PaperServer(spread_s=0.0)
    search = server.searched()
    assert quantile(search.closes_s, 0.5) == pytest.approx(1.0)
