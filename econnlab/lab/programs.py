"""The user's own program as the client of a run: once per session, as it is, judged by the ledgers alone."""

from __future__ import annotations

import os
import queue
import re
import threading
from collections.abc import Callable, Sequence

from econnlab.errors import EconnlabError, EnvironmentProblem
from econnlab.lab.client_peer import PeerSession
from econnlab.lab.dispatcher import Finished
from econnlab.lab.limits import start_thread
from econnlab.record.from_ledgers import Heard
from econnlab.system.clock import now
from econnlab.system.kept import KeptProgram

URL = "ECONNLAB_URL"
INTERVAL = "ECONNLAB_INTERVAL_MS"
REQUESTS = "ECONNLAB_REQUESTS"
#: The first part of a request's path names its session.
_SESSION = re.compile(r"/econnlab-(\d+)(?=[/?]|$)")
_TERM_S = 0.3


def session_of(target: str) -> int | None:
    """The session that a request's target names."""
    found = _SESSION.search(target)
    return None if found is None else int(found[1])


class Programs:
    """Does what a Dispatcher does: runs ``words`` once per session. ``hear`` returns what ledgers tell."""

    def __init__(
        self, words: Sequence[str], url: str, sessions: Sequence[PeerSession], hear: Callable[[], Heard]
    ) -> None:
        self.finished: queue.SimpleQueue[Finished | None] = queue.SimpleQueue()
        self._words = words
        self._url = url
        self._sessions = sessions
        self._hear = hear
        self._running: list[KeptProgram] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._main = threading.Thread(target=self._run, name="econnlab-programs", daemon=True)
        self._begin = 0.0
        #: Attempts on connections whose session the ledgers cannot tell.
        self.unnamed = 0

    def start(self, begin: float) -> None:
        """Start the programs, each at its time from ``begin`` on the monotonic clock."""
        self._begin = begin
        start_thread(self._main)

    def stop(self) -> None:
        """End every program."""
        self._stopped.set()
        with self._lock:
            for kept in self._running:
                kept.tell_to_end()
        if self._main.ident is not None:
            self._main.join()

    def _run(self) -> None:
        threads = [threading.Thread(target=self._one, args=(each,), daemon=True) for each in self._sessions]
        try:
            for thread in threads:
                start_thread(thread)
            for thread in threads:
                thread.join()
            heard = self._hear()
            self.unnamed = heard.unnamed
            for request in heard.requests:
                self.finished.put(Finished(request))
            self.finished.put(None)
        except BaseException as crash:
            self.finished.put(Finished(None, crash))

    def _one(self, session: PeerSession) -> None:
        if self._stopped.wait(max(0.0, self._begin + session.start_s - now())):
            return
        environment = {
            **os.environ,
            URL: f"{self._url}econnlab-{session.session}/",
            INTERVAL: f"{session.interval_ms:g}",
            REQUESTS: str(session.requests),
        }
        try:
            kept = KeptProgram(
                f"The program {self._words[0]}", self._words, environment=environment, term_s=_TERM_S
            )
        except EconnlabError as error:
            self.finished.put(Finished(None, error))
            return
        with self._lock:
            self._running.append(kept)
            if self._stopped.is_set():
                kept.tell_to_end()
        while not kept.ended(3600.0):
            pass
        kept.stop()
        cannot = kept.report.get("cannot")
        kept.close()
        if cannot is not None:
            said = os.strerror(cannot)
            problem = EnvironmentProblem(
                f"The program {self._words[0]} cannot be started: {said}.", "Check its path."
            )
            self.finished.put(Finished(None, problem))
