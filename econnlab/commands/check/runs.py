"""Runs the user's command under each scenario, and judges how it survives."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from econnlab.commands.check.asked import asked_of
from econnlab.commands.check.calm import Baseline, aimed, baseline, right_under
from econnlab.commands.check.command_end import CommandEnd
from econnlab.commands.check.result import Check, Checked
from econnlab.commands.check.survival import Survival
from econnlab.commands.check.trouble import met
from econnlab.commands.check.user_command import UserCommands, ensure_command
from econnlab.commands.check.verdict import judge
from econnlab.errors import EconnlabError
from econnlab.lab.freezing import Freezer
from econnlab.lab.stage import Stage, ensure_stageable
from econnlab.lab.warm import Warm
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.scenario.durations import seconds
from econnlab.scenario.model import Scenario

URL = "ECONNLAB_URL"
SCENARIO = "ECONNLAB_SCENARIO"
AUTHORITY = "ECONNLAB_CA"
PLACEHOLDER = "{url}"
#: The healthy server of the calm runs.
CALM = Scenario("calm")
#: What is equal in this many calm runs is taken to be always equal.
CALM_RUNS = 2
#: In these variables OpenSSL, curl, requests and Node look for certificate authorities.
_TRUST = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_NO_PROXY = ("NO_PROXY", "no_proxy")


class Checking:
    """Runs ``command`` calm, and then under each of ``scenarios``, at most ``jobs`` at a time.

    ``calm`` is the server of the calm runs. ``expected`` has verdicts by the name of a scenario, in place of
    the usual ones; ``timeout_s`` is the limit of each run. A context manager: after it no run goes on.

    Raises UsageProblem if the command cannot be started, or a scenario is not for clients from outside.
    """

    def __init__(
        self,
        command: Sequence[str],
        scenarios: Sequence[Scenario],
        expected: Mapping[str, frozenset[Survival]],
        timeout_s: float,
        jobs: int,
        calm: Scenario = CALM,
        also_right: frozenset[Survival] = frozenset(),
    ) -> None:
        ensure_command(command)
        for scenario in scenarios:
            ensure_stageable(scenario)
        self._command = tuple(command)
        self._scenarios = scenarios
        self._expected = expected
        self._also_right = also_right
        self._timeout_s = timeout_s
        self._commands = UserCommands()
        self._pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="econnlab-check")
        self._calm_scenario = calm
        self._calm: Baseline | None = None
        self._checked: dict[str, Checked] = {}
        self._warm = Warm()

    def __enter__(self) -> Checking:
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        self._pool.shutdown(cancel_futures=True)
        self._warm.close()

    def interrupt(self) -> None:
        """End the running commands, and begin no more. A signal handler may call this."""
        self._commands.interrupt()

    def runs(self, tick_s: float | None = None) -> Iterator[Checked | None]:
        """Each scenario as it ends, and None after each ``tick_s`` seconds in which none did.

        Raises EnvironmentProblem if the command does not work even without trouble.
        """
        calm: set[Future[tuple[CommandEnd, list[ConnectionEvent]]]] = {
            self._pool.submit(self._run, self._calm_scenario) for _ in range(CALM_RUNS)
        }
        while wait(calm, timeout=tick_s).not_done:
            yield None
        if self._stopped():
            return
        ended_calm = [future.result() for future in calm]
        self._calm = baseline([(end, asked_of(events, self._calm_scenario)) for end, events in ended_calm])
        yield None
        waiting = {self._pool.submit(self._check, scenario) for scenario in self._scenarios}
        while waiting:
            ended, waiting = wait(waiting, timeout=tick_s, return_when=FIRST_COMPLETED)
            for future in ended:
                if (checked := future.result()) is not None:
                    self._checked[checked.scenario.name] = checked
                    yield checked
            if not ended:
                yield None

    @property
    def result(self) -> Check | None:
        """The results up to now in the order of the scenarios; None before the calm runs have ended."""
        if self._calm is None:
            return None
        in_order = [self._checked[each.name] for each in self._scenarios if each.name in self._checked]
        return Check(self._command, self._calm, tuple(in_order), len(self._scenarios))

    def _stopped(self) -> bool:
        return self._commands.interrupted

    def _check(self, scenario: Scenario) -> Checked | None:
        if self._stopped():
            return None
        assert self._calm is not None
        scenario = aimed(scenario, self._calm)
        blank = Checked(scenario, self._expected.get(scenario.name, right_under(scenario) | self._also_right))
        try:
            end, events = self._run(scenario)
        except EconnlabError as error:
            return None if self._stopped() else replace(blank, error=error)
        if self._stopped():
            return None  # we have ended it
        met_it = met(events, scenario, self._calm)
        verdict = judge(self._calm, end, asked_of(events, scenario), met=met_it)
        return replace(blank, end=end, verdict=verdict)

    def _run(self, scenario: Scenario) -> tuple[CommandEnd, list[ConnectionEvent]]:
        freezer = Freezer(seconds(scenario.client.frozen_ms))
        with Stage(scenario, start=self._warm) as stage, contextlib.closing(freezer):
            words = [word.replace(PLACEHOLDER, stage.url) for word in self._command]
            environment = _environment(scenario.name, stage.url, stage.trusted)

            def freeze(group: int) -> None:
                if scenario.client.frozen_ms:
                    freezer.freeze(group, lambda: stage.wait_for(Kind.REQUEST, freezer.over))

            end = self._commands.run(words, environment, self._timeout_s, freeze)
            freezer.close()
            return end, [*stage.events(), *freezer.take_events()]


def _environment(name: str, url: str, trusted: Path | None) -> dict[str, str]:
    """Our environment, and what the command needs to reach the server."""
    environment = {**os.environ, URL: url, SCENARIO: name}
    for variable in _NO_PROXY:  # otherwise it would ask the user's proxy
        others = os.environ.get(variable)
        environment[variable] = f"{others},127.0.0.1,localhost" if others else "127.0.0.1,localhost"
    if trusted is not None:
        environment[AUTHORITY] = str(trusted)
        environment.update(dict.fromkeys(_TRUST, str(trusted)))
    return environment
