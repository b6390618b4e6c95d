"""What a request to a link's HTTP interface asks for, and who may ask. No sockets.

The interface is on loopback, where every page in a browser of this machine can send requests too. Such a
request names another host (DNS rebinding), says where it comes from (Origin), or cannot say that its body
is JSON without asking first (a "simple request": Fetch standard, CORS protocol).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from econnlab.errors import EconnlabError, UsageProblem
from econnlab.scenario.orders import Act, Change, Do, parse_settings

MOST_BODY = 65536
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_ROUTES = "GET /, POST /settings, POST /reset, POST /pause, POST /resume"


class Controlled(Protocol):
    """What is asked and told: a LoneLink."""

    def obey(self, order: Change | Do) -> None:
        """Carry ``order`` out. Raises EconnlabError."""

    def status(self) -> dict[str, Any]:
        """How it stands."""


@dataclass(frozen=True)
class Asked:
    """A request; its headers' names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Refusal(Exception):
    """It is not done; ``status`` is HTTP's word for why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answered(asked: Asked, link: Controlled, port: int) -> tuple[int, dict[str, Any]]:
    """Do what is asked: HTTP's status and a JSON document, always how the link stands then.

    Raises Refusal.
    """
    _check_origin(asked, port)
    path = asked.target.partition("?")[0]
    if path == "/":
        _check_method(asked, "GET")
    elif path == "/settings" or path[1:] in tuple(Act):
        _check_method(asked, "POST")
        order = _order(path[1:], _json(asked))
        try:
            link.obey(order)
        except UsageProblem as problem:  # the connection it names is not open
            raise Refusal(404, problem.message) from problem
        except EconnlabError as error:
            raise Refusal(503, error.message) from error
    else:
        raise Refusal(404, f"There is {_ROUTES}.")
    try:
        return 200, link.status()
    except EconnlabError as error:
        raise Refusal(503, error.message) from error


def _check_origin(asked: Asked, port: int) -> None:
    host = asked.headers.get("host", "")
    if host.lower() not in [name for local in _LOCAL for name in (local, f"{local}:{port}")]:
        raise Refusal(403, "The Host header must be this machine's own, as 127.0.0.1.")
    if "origin" in asked.headers or asked.headers.get("sec-fetch-site", "none") not in (
        "none",
        "same-origin",
    ):
        raise Refusal(403, "Requests of web pages are not answered.")


def _check_method(asked: Asked, method: str) -> None:
    if asked.method != method:
        raise Refusal(405, f"There is {_ROUTES}.")


def _json(asked: Asked) -> Any:
    kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "The Content-Type must be application/json.")
    try:
        return json.loads(asked.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "The body is not JSON.") from error


def _order(word: str, document: Any) -> Change | Do:
    try:
        return parse_settings(document) if word == "settings" else _act(Act(word), document)
    except UsageProblem as problem:
        raise Refusal(400, f"{problem.message} {problem.hint}".strip()) from problem


def _act(act: Act, document: Any) -> Do:
    if not isinstance(document, dict) or set(document) - {"connection"}:
        raise UsageProblem(f'{act} takes {{}} or {{"connection": NUMBER}}.')
    number = document.get("connection")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        raise UsageProblem("connection is the number of an open connection, or null for all.")
    return Do(act, number)
