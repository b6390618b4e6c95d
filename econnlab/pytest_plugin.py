"""Fixtures for tests of any HTTP client: the lab's server and link, failing as asked. See docs/pytest.md.

Every pytest run on a machine with econnlab installed imports this file, so it imports nothing itself, and
pytest need not rewrite its asserts: PYTEST_DONT_REWRITE.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from os import PathLike
    from pathlib import Path

    from econnlab.lab.stage import Stage
    from econnlab.lab.warm import Warm
    from econnlab.pytest_link import UserLink
    from econnlab.scenario.model import Scenario

MARKER = "econnlab"
_STAGE = "econnlab_stage"
_MARK_IT = f'Mark the test with @pytest.mark.{MARKER}("SCENARIO", ...); `econnlab scenarios` lists them.'
#: In the stash of the run: what starts stages.
_STARTER: pytest.StashKey[Warm] = pytest.StashKey()
#: In the stash of a test: its stages.
_GIVEN: pytest.StashKey[list[Stage]] = pytest.StashKey()
#: In the stash of a test: its links in front of services of its own.
_LINKS: pytest.StashKey[list[UserLink]] = pytest.StashKey()


# -- fixtures -------------------------------------------------------------------------------------


@pytest.fixture
def econnlab_server(request: pytest.FixtureRequest) -> Iterator[Callable[..., Stage]]:
    """Start a server that behaves as asked: ``econnlab_server(keepalive_timeout="200ms")``.

    It takes every key of a scenario's [server] table (numbers are ms; ``fault`` and ``restart`` are tables),
    ``link="40ms"`` and ``middlebox={...}``. It returns a Stage: ``url``, ``ledger``, ``trusted``.
    """
    with _starting(request) as start:

        def econnlab_server(*, link: Any = None, middlebox: Any = None, **server: Any) -> Stage:
            __tracebackhide__ = True
            table = {"server": {key: value for key, value in server.items() if value is not None}}
            if link is not None:
                table["link"] = str(link)  # type: ignore[assignment]
            if middlebox is not None:
                table["middlebox"] = middlebox
            stage = start(lambda: _server(table, request.node.name))
            if "advertise" not in server:
                _warn(stage)
            return stage

        yield econnlab_server


@pytest.fixture
def econnlab_link(request: pytest.FixtureRequest) -> Iterator[Callable[..., UserLink]]:
    """Start a bad link in front of your own service: ``econnlab_link(to=url, delay="40ms")``.

    ``to`` is a URL or HOST:PORT; the settings are those of ``econnlab link``: ``delay``, ``idle_drop``,
    ``reset_after``, ``limit``, ``fail_first``. It returns a UserLink: ``url``, ``change``, ``reset``...
    """
    from econnlab.errors import EconnlabError
    from econnlab.pytest_link import UserLink

    given = request.node.stash.setdefault(_LINKS, [])
    with contextlib.ExitStack() as stack:

        def econnlab_link(to: str, *, seed: int = 1, **settings: Any) -> UserLink:
            __tracebackhide__ = True
            try:
                link = stack.enter_context(UserLink(to, settings, seed))
            except EconnlabError as error:
                raise error.with_traceback(None) from None
            given.append(link)
            return link

        yield econnlab_link


@pytest.fixture
def econnlab_scenario(request: pytest.FixtureRequest) -> Iterator[Callable[[str | PathLike[str]], Stage]]:
    """Start server and link of a scenario, by name or file: ``econnlab_scenario("reset-after-processing")``.

    It returns a Stage: ``url``, ``ledger``, ``trusted``. Your client takes the place of the scenario's.
    """
    with _starting(request) as start:

        def econnlab_scenario(name: str | PathLike[str]) -> Stage:
            __tracebackhide__ = True
            return start(lambda: _scenario(name, request.path.parent))

        yield econnlab_scenario


@pytest.fixture
def econnlab_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Server and link of each scenario that the test's ``@pytest.mark.econnlab("NAME", ...)`` names."""
    if not hasattr(request, "param"):
        pytest.fail(f"{_STAGE}: {_MARK_IT}", pytrace=False)
    with _starting(request) as start:
        yield start(lambda: _scenario(request.param, request.path.parent))


@contextlib.contextmanager
def _starting(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], Scenario]], Stage]]:
    """A function that starts stages; all of them end with this context."""
    from econnlab.errors import EconnlabError
    from econnlab.lab.stage import Stage
    from econnlab.lab.warm import Warm

    warm = request.config.stash.setdefault(_STARTER, Warm())
    given = request.node.stash.setdefault(_GIVEN, [])
    with contextlib.ExitStack() as stack:

        def start(scenario: Callable[[], Scenario]) -> Stage:
            __tracebackhide__ = True
            try:
                stage = stack.enter_context(Stage(scenario(), start=warm))
            except EconnlabError as error:
                raise error.with_traceback(None) from None  # the message is enough
            given.append(stage)
            return stage

        yield start


def _warn(stage: Stage) -> None:
    """Warn the test of a server with which some clients reuse no connection."""
    import warnings

    from econnlab.scenario.server import reuse_warning

    spec = stage.scenario.server
    if spec is not None and (said := reuse_warning(spec, "pass advertise=False")):
        warnings.warn(said, stacklevel=3)


def _server(table: dict[str, Any], name: str) -> Scenario:
    from econnlab.scenario.toml import make_scenario

    return make_scenario(table, name, "econnlab_server")


def _scenario(name: str | PathLike[str], folder: Path) -> Scenario:
    """The scenario ``name`` of the catalogue, or of a file beside the test or in the current folder."""
    from econnlab.lab.stage import ensure_stageable
    from econnlab.scenario.catalogue import load, read_file

    if isinstance(name, str) and not name.endswith(".toml"):
        scenario = load(name)
    else:
        beside = folder / name
        scenario = read_file(beside if beside.exists() else beside.__class__(name))
    ensure_stageable(scenario)
    return scenario


# -- the marker -----------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(*scenarios): run the test once under each of these scenarios of econnlab, by name or "
        f"file; it takes {_STAGE}.",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test for each marked scenario. A wrong mark is an error of collection."""
    marks = list(metafunc.definition.iter_markers(MARKER))
    if not marks:
        return
    if _STAGE not in metafunc.fixturenames:
        if any(mark.name == MARKER for mark in metafunc.definition.own_markers):
            _refuse(metafunc, f"the test is marked but does not take {_STAGE}, which has the url.")
        return  # its class or file is marked
    names = [name for mark in reversed(marks) for name in mark.args]
    if not names or any(mark.kwargs for mark in marks):
        _refuse(metafunc, "it takes the names of scenarios and nothing else.")
    if (problem := _unknown(names, metafunc.definition.path.parent)) is not None:
        _refuse(metafunc, problem)
    unique = list(dict.fromkeys(names))
    metafunc.parametrize(_STAGE, unique, indirect=True, ids=[_short(name) for name in unique])


def _unknown(names: Sequence[str | PathLike[str]], folder: Path) -> str | None:
    from econnlab.errors import UsageProblem

    for name in names:
        try:
            _scenario(name, folder)
        except UsageProblem as problem:
            return str(problem)
    return None


def _short(name: str | PathLike[str]) -> str:
    return str(name).rpartition("/")[2].removesuffix(".toml")


def _refuse(metafunc: pytest.Metafunc, said: str) -> None:
    pytest.fail(f"@pytest.mark.{MARKER} of {metafunc.definition.name}: {said}", pytrace=False)


# -- what a failure shows -------------------------------------------------------------------------


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a failed ``assert ledger.processed("order-1") == 1``: what happened to that request."""
    served = sys.modules.get("econnlab.record.served")
    if served is None:
        return None
    times = next((each for each in (left, right) if isinstance(each, served.Times)), None)
    if times is None:
        return None
    from econnlab.pytest_report import lines_of_request

    return [f"{left!r} {op} {right!r}", *lines_of_request(times.ledger, times.request_id)]


# An old-style wrapper, which every version of pytest knows.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Add the ledgers to the report of a failed test."""
    outcome = yield
    given = item.stash.get(_GIVEN, None)
    if given and outcome.excinfo is None and outcome.get_result().failed:
        outcome.get_result().sections += [_section(stage) for stage in given]
    links = item.stash.get(_LINKS, None)
    if links and outcome.excinfo is None and outcome.get_result().failed:
        outcome.get_result().sections += [
            (f"econnlab: what passed {link.url}", "\n".join(link.lines())) for link in links
        ]


def _section(stage: Stage) -> tuple[str, str]:
    from econnlab.errors import EconnlabError
    from econnlab.pytest_report import timeline

    try:
        lines = timeline(stage.events())
    except EconnlabError as error:
        lines = [str(error)]
    return f"econnlab: what came to {stage.url}", "\n".join(lines)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the warm process."""
    warm = config.stash.get(_STARTER, None)
    if warm is not None:
        warm.close()
