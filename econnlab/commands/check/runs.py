"""A command of the user's under one scenario after another: staged, run, judged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from econnlab.commands.check.asked import Asked, asked_of
from econnlab.commands.check.calm import Baseline, aimed, baseline, right_under
from econnlab.commands.check.ended import CommandEnd
from econnlab.commands.check.process import Commands, ensure_command
from econnlab.commands.check.result import Check, Checked
from econnlab.commands.check.survival import Survival
from econnlab.commands.check.verdict import judge, met
from econnlab.errors import EconnlabError
from econnlab.lab.stage import Stage, ensure_stageable
from econnlab.lab.warm import Warm
from econnlab.scenario.model import Scenario

URL = "ECONNLAB_URL"
SCENARIO = "ECONNLAB_SCENARIO"
AUTHORITY = "ECONNLAB_CA"
PLACEHOLDER = "{url}"
#: A healthy server; what the calm runs meet.
CALM = Scenario("calm")
#: So many calm runs show what of a command is the same each time.
CALM_RUNS = 2
#: Where OpenSSL, curl, requests and Node look for certificate authorities.
_TRUST = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_NO_PROXY = ("NO_PROXY", "no_proxy")


class Checking:
    """Runs ``command`` calm, and then under each of ``scenarios``, at most ``jobs`` at a time.

    The calm runs meet the server of ``calm``. ``expected`` holds the verdicts that are right under a
    scenario, by its name, where the usual ones are not; ``timeout_s`` is in seconds, for each run. A context
    manager: after it nothing of the command runs.

    Raises UsageProblem where the command is none, or a scenario is not for clients from outside.
    """

    def __init__(
        self,
        command: Sequence[str],
        scenarios: Sequence[Scenario],
        expected: Mapping[str, frozenset[Survival]],
        timeout_s: float,
        jobs: int,
        calm: Scenario = CALM,
    ) -> None:
        ensure_command(command)
        for scenario in scenarios:
            ensure_stageable(scenario)
        self._command = tuple(command)
        self._scenarios = scenarios
        self._expected = expected
        self._timeout_s = timeout_s
        self._commands = Commands()
        self._pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="econnlab-check")
        self._calm_scenario = calm
        self._calm: Baseline | None = None
        self._checked: dict[str, Checked] = {}

    def __enter__(self) -> Checking:
        self._warm = Warm()
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        self._pool.shutdown(cancel_futures=True)
        self._warm.close()

    def interrupt(self) -> None:
        """End what runs and begin no more; may be called from a signal handler."""
        self._commands.interrupt()

    def runs(self, tick_s: float | None = None) -> Iterator[Checked | None]:
        """Each scenario as it ends, and None each ``tick_s`` seconds in which none did.

        Raises EnvironmentProblem where the command does not work even without trouble.
        """
        calm: set[Future[tuple[CommandEnd, list[Asked], bool]]] = {
            self._pool.submit(self._run, self._calm_scenario) for _ in range(CALM_RUNS)
        }
        while wait(calm, timeout=tick_s).not_done:
            yield None
        if self._stopped():
            return
        self._calm = baseline([future.result()[:2] for future in calm])
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
        """What there is up to now, in the order of the scenarios; None before the calm runs have ended."""
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
        blank = Checked(scenario, self._expected.get(scenario.name, right_under(scenario)))
        try:
            end, asked, struck = self._run(scenario)
        except EconnlabError as error:
            return None if self._stopped() else replace(blank, error=error)
        if self._stopped():
            return None  # how it ended was our doing
        return replace(blank, end=end, judgement=judge(self._calm, end, asked, met=struck))

    def _run(self, scenario: Scenario) -> tuple[CommandEnd, list[Asked], bool]:
        with Stage(scenario, start=self._warm) as stage:
            words = [word.replace(PLACEHOLDER, stage.url) for word in self._command]
            environment = _environment(scenario.name, stage.url, stage.trusted)
            end = self._commands.run(words, environment, self._timeout_s)
            events = stage.events()
        return end, asked_of(events, scenario), met(events, scenario)


def _environment(name: str, url: str, trusted: Path | None) -> dict[str, str]:
    """What the command finds in its environment beside what is there."""
    environment = {**os.environ, URL: url, SCENARIO: name}
    for variable in _NO_PROXY:  # else the user's proxy would be asked for this machine
        others = os.environ.get(variable)
        environment[variable] = f"{others},127.0.0.1,localhost" if others else "127.0.0.1,localhost"
    if trusted is not None:
        environment[AUTHORITY] = str(trusted)
        environment.update(dict.fromkeys(_TRUST, str(trusted)))  # in place of the user's own, for this run
    return environment
