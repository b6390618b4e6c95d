"""Every scenario that comes with the lab holds what it expects, blindly too, and leaves nothing behind."""

import contextlib
import os
import tempfile

import pytest

from econnlab.attribution.expectations import broken
from econnlab.attribution.punctuality import worst_lateness_ms
from econnlab.attribution.summary import summarize
from econnlab.commands.experiments.batch import DEFAULT_JOBS
from econnlab.errors import EnvironmentProblem
from econnlab.lab.capturing import Capturing, Where, where_to_capture
from econnlab.lab.workers import Workers
from econnlab.packets.flows import follow
from econnlab.packets.reading import read_capture
from econnlab.scenario.catalogue import load, names
from tests.conftest import children_of
from tests.support.agreement import agreement
from tests.support.blind import judge

#: The first test waits for all runs, and for those that a busy machine makes us repeat.
pytestmark = pytest.mark.timeout(240)
#: How often a run is repeated if the machine has held it up.
AGAIN = 2
#: The share of failures that packets and ledgers must name alike.
ENOUGH = 0.99

#: Several files of tests share the processors: from this lateness on a run that disappoints is repeated.
LATE_MS = 5.0


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Where the lab's temporary files go meanwhile."""
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        yield folder


@pytest.fixture(scope="module")
def captures(files):
    """A file for the packets of each scenario; empty where nobody may capture."""
    with contextlib.ExitStack() as stack:
        found = {}
        for name in names():
            place, _ = where_to_capture(load(name))
            if place is not Where.NOWHERE:
                file = stack.enter_context(tempfile.TemporaryFile())
                found[name] = Capturing(file.fileno(), place is Where.PRIVATE)
        yield found


@pytest.fixture(scope="module")
def ended(files, captures):
    """Every scenario, run side by side as `econnlab run --all` does."""
    found = run_side_by_side(names(), captures)
    for _ in range(AGAIN):
        disturbed = [name for name, done in found.items() if was_held_up(done, captures.get(name))]
        for name in disturbed:
            if name in captures:
                os.ftruncate(captures[name].into, 0)
                os.lseek(captures[name].into, 0, os.SEEK_SET)
            found |= run_side_by_side([name], captures)
    return found


def run_side_by_side(chosen, captures):
    with Workers([load(name) for name in chosen], DEFAULT_JOBS, captures) as workers:
        return {done.scenario.name: done for done in workers.results() if done is not None}


def was_held_up(done, capture):
    """Whether a run that disappoints proves nothing: by its own clock, the lab was later than its margins."""
    if done.run is None or worst_lateness_ms(done.run) < LATE_MS:
        return False
    held = not broken(summarize(done.run), done.scenario.expect)
    return not held or (capture is not None and beside_packets(done, capture).share < ENOUGH)


def beside_packets(done, capture):
    """How far packets alone and the ledgers agree about the run."""
    with os.fdopen(os.dup(capture.into), "rb") as stream:
        stream.seek(0)
        return agreement(done.run, follow(read_capture(stream)))


@pytest.mark.parametrize("name", names())
def test_a_scenario_holds_what_it_expects(ended, name):
    done = ended[name]
    if done.run is None and done.scenario.kernel is not None and isinstance(done.error, EnvironmentProblem):
        pytest.skip(str(done.error))  # this system forbids a network of the run's own
    assert done.error is None
    assert broken(summarize(done.run), done.scenario.expect) == []


def test_causes_are_found_blindly(ended):
    """Scenario names and settings removed, runs shuffled: only ledgers and counters are left."""
    score = judge([done.run for done in ended.values() if done.run is not None], seed=3)
    assert not score.wrong_with_certainty
    assert score.right >= 0.99 * score.failures, score.wrong


@pytest.mark.parametrize("name", names())
def test_packets_alone_say_the_same(ended, captures, name):
    """In each scenario; a failure that put no packet on the wire cannot be in a capture."""
    done = ended[name]
    if name not in captures or done.run is None:
        pytest.skip("this system lets nobody capture packets here")
    score = beside_packets(done, captures[name])
    assert score.share >= ENOUGH, score.different
    if name == "port-exhaustion":
        assert score.without_packets == score.failures == 10
    else:  # one may write into a connection that was reset since it looked
        assert score.without_packets <= max(1, 0.1 * score.failures)


def test_nothing_is_left_behind(ended, files):
    assert ended
    assert not children_of(os.getpid())
    assert not list(files.iterdir())
