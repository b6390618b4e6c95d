"""Runs scenarios side by side, each in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from econnlab.errors import EconnlabError, EnvironmentProblem, ExitCode
from econnlab.lab.capturing import Capturing
from econnlab.lab.worker import FOLDER, Assignment, FailedRun
from econnlab.record.jsonl import read_run
from econnlab.record.run import Run
from econnlab.scenario.codec import decode, encode
from econnlab.scenario.model import Scenario
from econnlab.system.clock import now
from econnlab.system.process import Process, start_python

_ATTEMPT = b'{"attempt"'


@dataclass(frozen=True)
class Done:
    """What became of a scenario: its run, if it began, and the error that ended it, if one did."""

    scenario: Scenario
    run: Run | None
    error: EconnlabError | None
    took_s: float


class Workers:
    """Runs ``scenarios``, at most ``jobs`` at a time. A context manager: after it none of them runs.

    ``captures`` says where the packets of a scenario go, by its name; other scenarios are not captured.
    """

    def __init__(
        self, scenarios: Sequence[Scenario], jobs: int, captures: Mapping[str, Capturing] | None = None
    ) -> None:
        self._captures = captures or {}
        self._scenarios = scenarios
        self._pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="econnlab-worker")
        self._lock = threading.Lock()
        self._running: set[Process] = set()
        #: Attempts that have ended, in all scenarios together.
        self.attempts = 0
        self._stopped = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        self._pool.shutdown(cancel_futures=True)

    def results(self, tick_s: float | None = None) -> Iterator[Done | None]:
        """Each scenario as it ends, and None after each ``tick_s`` seconds in which none did.

        An interrupt leaves out the scenarios that have not begun.
        """
        waiting: set[Future[Done | None]] = {
            self._pool.submit(self._perform, scenario) for scenario in self._scenarios
        }
        while waiting:
            ended, waiting = wait(waiting, timeout=tick_s, return_when=FIRST_COMPLETED)
            yield from (done for future in ended if (done := future.result()) is not None)
            if not ended:
                yield None

    def interrupt(self) -> None:
        """Begin no more scenarios, and end the running ones early. A signal handler may call this."""
        self._stopped = True
        for process in list(self._running):
            process.tell_to_end()

    def _perform(self, scenario: Scenario) -> Done | None:
        if self._stopped:
            return None
        began = now()
        # Both this process and the worker remove the folder, whichever is left.
        folder = tempfile.mkdtemp(prefix="econnlab-")
        try:
            process = self._start(scenario, folder, self._captures.get(scenario.name))
        except EnvironmentProblem as problem:
            shutil.rmtree(folder, ignore_errors=True)
            return Done(scenario, None, problem, 0.0)
        try:
            return self._follow(process, scenario, began)
        finally:
            with self._lock:
                self._running.discard(process)
            process.stop()
            process.close()
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, scenario: Scenario, folder: str, capture: Capturing | None) -> Process:
        handed = [] if capture is None else [capture.into]
        environment = {**os.environ, "TMPDIR": folder, FOLDER: folder}
        process = Process(
            f"The worker of {scenario.name}",
            lambda errors: start_python("econnlab.lab.worker", errors, handed, environment=environment),
        )
        with self._lock:
            self._running.add(process)
        return process

    def _follow(self, process: Process, scenario: Scenario, began: float) -> Done | None:
        capture = self._captures.get(scenario.name)
        does = (
            Assignment(scenario) if capture is None else Assignment(scenario, capture.private, capture.into)
        )
        ordered = process.say(json.dumps(encode(does)).encode() + b"\n")
        if self._stopped:
            process.tell_to_end()
        record = self._read(process)
        process.running.wait()
        if self._stopped and not ordered:
            return None
        return self._done(scenario, record, process, now() - began)

    def _read(self, process: Process) -> list[bytes]:
        assert process.running.stdout is not None
        lines = []
        with os.fdopen(os.dup(process.running.stdout.fileno()), "rb") as record:
            for line in record:
                lines.append(line)
                if line.startswith(_ATTEMPT):
                    with self._lock:
                        self.attempts += 1
        return lines

    def _done(self, scenario: Scenario, record: list[bytes], process: Process, took_s: float) -> Done | None:
        lines = [line.decode() for line in record]
        error: EconnlabError | None = None
        if lines and lines[-1].startswith('{"failed"'):
            error = _error_of(decode(FailedRun, json.loads(lines.pop())["failed"]))
        elif process.running.returncode:
            error = process.death()
        if not lines:
            return None if error is None and self._stopped else Done(scenario, None, error, took_s)
        return Done(scenario, read_run(lines, scenario.name), error, took_s)


def _error_of(failed: FailedRun) -> EconnlabError:
    error = EnvironmentProblem(failed.message, failed.hint)
    error.exit_code = ExitCode(failed.exit_code)
    return error
