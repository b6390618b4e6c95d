"""What a client peer tells of its attempts (docs/client-protocol.md), as attempts of the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from econnlab.plaintext import harmless
from econnlab.record.attempts import BY_ERRNO, Attempt, Outcome
from econnlab.scenario.codec import decode_known

#: An error's message is cut to this many characters.
LONGEST_MESSAGE = 120
#: From this status on an answer is an error.
FIRST_ERROR_STATUS = 400
_MOST_LINKS = 8


@dataclass(frozen=True)
class Error:
    """An error as the client names it. Node says ``code`` and ``syscall``; libuv's ``errno`` is negative."""

    name: str
    message: str = ""
    code: str | None = None
    syscall: str | None = None
    errno: int | None = None
    cause: Error | None = None

    def chain(self) -> Iterator[Error]:
        """This error, and each that it names as the cause."""
        link: Error | None = self
        for _ in range(_MOST_LINKS):
            if link is None:
                return
            yield link
            link = link.cause

    @property
    def named(self) -> str:
        """In one line, as its user would look for it."""
        last = list(self.chain())[-1]
        if last.code is not None and last.code.startswith("UND_ERR"):
            return harmless(f"{last.code}: {last.message}")[:LONGEST_MESSAGE]
        if last.code is not None or last.name.startswith("curl:"):
            lead = f"{last.name} " if last.name.startswith("curl:") else ""
            return harmless(f"{lead}{last.message}")[:LONGEST_MESSAGE]
        return harmless(last.name)[:LONGEST_MESSAGE]


@dataclass(frozen=True)
class Told:
    """One line of a client peer. Times are seconds on the monotonic clock."""

    session: int
    request: int
    id: str
    attempt: int
    due: float
    began: float
    ended: float
    last: bool = True
    sent: float | None = None
    first_byte: float | None = None
    local: str | None = None
    reused: bool = False
    status: int | None = None
    error: Error | None = None


class Hearing:
    """Turns the lines of one run's client peer into attempts; ``words`` are those of its kind."""

    def __init__(self, method: str, rows: Mapping[int, int], words: Mapping[str, Outcome]) -> None:
        self._method = method
        self._rows = rows
        self._words = words
        #: By the client's address: the connection's number, and when its last response had ended.
        self._connections: dict[str, int] = {}
        self._idle_since: dict[str, float] = {}

    def attempt(self, line: Mapping[str, Any]) -> tuple[Attempt, bool]:
        """The attempt in ``line``, and whether it is the request's last. Raises UsageProblem."""
        told = decode_known(Told, dict(line), "attempt")
        local = told.local
        idle_since = self._idle_since.pop(local, None) if told.reused and local is not None else None
        if local is not None and not told.reused:
            self._connections[local] = len(self._connections) + 1
        outcome = self._outcome(told)
        if local is not None and outcome in (Outcome.OK, Outcome.HTTP_ERROR):
            self._idle_since[local] = told.ended
        return self._made(told, outcome, idle_since), told.last

    def _made(self, told: Told, outcome: Outcome, idle_since: float | None) -> Attempt:
        chain = [] if told.error is None else list(told.error.chain())
        return Attempt(
            row=self._rows[told.session],
            session=told.session,
            request=told.request,
            number=told.attempt,
            request_id=told.id,
            method=self._method,
            planned=told.due if told.attempt == 1 else None,
            began=told.began,
            sent=told.sent,
            first_byte=told.first_byte,
            ended=told.ended,
            connection=self._connections.get(told.local or ""),
            local=told.local,
            reused=told.reused,
            idle_s=None if idle_since is None or told.sent is None else told.sent - idle_since,
            outcome=outcome,
            status=told.status,
            bytes_read=0,
            error=" < ".join(harmless(link.name) for link in chain),
            errno=next((link.code for link in reversed(chain) if link.code and link.errno is not None), None)
            or _symbol(chain),
            send_errno=None,
            keep_alive=None,
            connection_header=None,
            named=None if told.error is None else told.error.named,
        )

    def _outcome(self, told: Told) -> Outcome:
        if told.status is not None and told.status >= FIRST_ERROR_STATUS:
            return Outcome.HTTP_ERROR
        if told.error is None:
            return Outcome.OK
        outcome = self._meant(told.error)
        return Outcome.TRUNCATED if outcome is Outcome.CLOSED and told.first_byte is not None else outcome

    def _meant(self, error: Error) -> Outcome:
        for link in reversed(list(error.chain())):
            if link.errno is not None and abs(link.errno) in BY_ERRNO:
                return BY_ERRNO[abs(link.errno)]
        for link in error.chain():
            for word, outcome in self._words.items():
                if word in (link.name, link.code) or word in link.message:
                    return outcome
        return Outcome.OTHER


def _symbol(chain: list[Error]) -> str | None:
    import errno

    numbers = (abs(link.errno) for link in reversed(chain) if link.errno is not None)
    return next((errno.errorcode[number] for number in numbers if number in errno.errorcode), None)
