"""Scenarios side by side, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import econnlab
from econnlab.errors import EconnlabError, EnvironmentProblem, ExitCode, ProcessDied
from econnlab.lab.capturing import Capturing
from econnlab.lab.worker import FOLDER
from econnlab.record.jsonl import read_run
from econnlab.record.run import Run
from econnlab.scenario.codec import encode
from econnlab.scenario.model import Scenario
from econnlab.system.clock import now

_ROOT = str(Path(econnlab.__file__).parent.parent)
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

    ``captures`` says where the packets of a scenario go, by its name; of others they go nowhere.
    """

    def __init__(
        self, scenarios: Sequence[Scenario], jobs: int, captures: Mapping[str, Capturing] | None = None
    ) -> None:
        self._captures = captures or {}
        self._scenarios = scenarios
        self._pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="econnlab-worker")
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        #: Attempts that have ended, in all scenarios together.
        self.attempts = 0
        self._stopped = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        self._pool.shutdown(cancel_futures=True)

    def results(self, tick_s: float | None = None) -> Iterator[Done | None]:
        """Each scenario as it ends, and None each ``tick_s`` seconds in which none did.

        Those that an interrupt kept from beginning are left out.
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
        """Begin no more, and let those that run end early; may be called from a signal handler."""
        self._stopped = True
        for process in list(self._running):
            assert process.stdin is not None
            with contextlib.suppress(OSError, ValueError):
                process.stdin.close()

    def _perform(self, scenario: Scenario) -> Done | None:
        if self._stopped:
            return None
        began = now()
        # The worker's own, so that nothing is left of it however it ends.
        folder = tempfile.mkdtemp(prefix="econnlab-")
        try:
            return self._run(scenario, folder, began)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, scenario: Scenario, folder: str, began: float) -> Done | None:
        try:
            process = self._start(folder, self._captures.get(scenario.name))
        except OSError as error:  # fork(2): EAGAIN, ENOMEM
            problem = EnvironmentProblem(
                f"A worker process cannot be started: {error.strerror}.", "Run fewer at a time (--jobs)."
            )
            return Done(scenario, None, problem, 0.0)
        with self._lock:
            self._running.add(process)
        try:
            return self._follow(process, scenario, began)
        finally:
            with self._lock:
                self._running.discard(process)

    def _start(self, folder: str, capture: Capturing | None) -> subprocess.Popen[bytes]:
        code = f"import sys; sys.path.append({_ROOT!r}); from econnlab.lab.worker import main; main()"
        return subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[] if capture is None else [capture.into],
            start_new_session=True,  # Ctrl-C in the terminal is the parent's to handle
            env={**os.environ, "TMPDIR": folder, FOLDER: folder},
        )

    def _follow(self, process: subprocess.Popen[bytes], scenario: Scenario, began: float) -> Done | None:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        said: list[bytes] = []
        errors = threading.Thread(target=lambda: said.append(process.stderr.read()), daemon=True)  # type: ignore[union-attr]
        errors.start()
        capture = self._captures.get(scenario.name)
        order = {
            "scenario": encode(scenario),
            "private": capture is not None and capture.private,
            "capture": None if capture is None else capture.into,
        }
        ordered = False
        with contextlib.suppress(OSError, ValueError):  # an interrupt may have closed it already
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
            ordered = True
        if self._stopped:
            self.interrupt()
        record = b""
        for line in process.stdout:
            record += line
            if line.startswith(_ATTEMPT):
                with self._lock:
                    self.attempts += 1
        code = process.wait()
        errors.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                stream.close()
        if self._stopped and not ordered:
            return None  # it ended for want of an order
        return self._done(scenario, record, code, b"".join(said).decode("utf-8", "replace"), now() - began)

    def _done(self, scenario: Scenario, record: bytes, code: int, said: str, took_s: float) -> Done | None:
        lines = record.decode().splitlines(keepends=True)
        error: EconnlabError | None = None
        if lines and lines[-1].startswith('{"failed"'):
            error = _error_in(json.loads(lines.pop())["failed"])
        elif code:
            last = (said.strip().splitlines() or ["It said nothing."])[-1]
            error = ProcessDied(
                f"The process that ran {scenario.name} ended with {code}.", f"It said: {last}"
            )
        if not lines:
            return None if error is None and self._stopped else Done(scenario, None, error, took_s)
        return Done(scenario, read_run(lines, scenario.name), error, took_s)


def _error_in(failed: dict[str, Any]) -> EconnlabError:
    error = EnvironmentProblem(failed["message"], failed["hint"])
    error.exit_code = ExitCode(failed["exit_code"])
    return error
