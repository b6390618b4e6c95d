"""What a request to a link's HTTP interface asks for, and who may ask. Pure.

Every page in a browser of this machine can reach it. A page's request has another Host (DNS rebinding), or an
Origin, or cannot have a JSON body without asking first (a "simple request": Fetch standard, CORS protocol).
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
    """A LoneLink."""

    def obey(self, order: Change | Do) -> None:
        """Carry ``order`` out. Raises EconnlabError."""

    def status(self) -> dict[str, Any]:
        """The settings and the connections, as JSON."""


@dataclass(frozen=True)
class ApiRequest:
    """A request; its headers' names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Rejected(Exception):
    """The request is not carried out; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answered(request: ApiRequest, link: Controlled, port: int) -> tuple[int, dict[str, Any]]:
    """Carry out a request. Returns the HTTP status and the link's state as JSON. Raises Rejected."""
    _check_origin(request, port)
    path = request.target.partition("?")[0]
    if path == "/":
        _check_method(request, "GET")
    elif path == "/settings" or path[1:] in tuple(Act):
        _check_method(request, "POST")
        order = _order(path[1:], _json(request))
        try:
            link.obey(order)
        except UsageProblem as problem:  # the connection it names is not open
            raise Rejected(404, problem.message) from problem
        except EconnlabError as error:
            raise Rejected(503, error.message) from error
    else:
        raise Rejected(404, f"There is {_ROUTES}.")
    try:
        return 200, link.status()
    except EconnlabError as error:
        raise Rejected(503, error.message) from error


def _check_origin(request: ApiRequest, port: int) -> None:
    host = request.headers.get("host", "")
    if host.lower() not in [name for local in _LOCAL for name in (local, f"{local}:{port}")]:
        raise Rejected(403, "The Host header must be this machine's own, as 127.0.0.1.")
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") not in (
        "none",
        "same-origin",
    ):
        raise Rejected(403, "Requests of web pages are not answered.")


def _check_method(request: ApiRequest, method: str) -> None:
    if request.method != method:
        raise Rejected(405, f"There is {_ROUTES}.")


def _json(request: ApiRequest) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Rejected(415, "The Content-Type must be application/json.")
    try:
        return json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Rejected(400, "The body is not JSON.") from error


def _order(word: str, document: Any) -> Change | Do:
    try:
        return parse_settings(document) if word == "settings" else _act(Act(word), document)
    except UsageProblem as problem:
        raise Rejected(400, problem.in_one_line) from problem


def _act(act: Act, document: Any) -> Do:
    if not isinstance(document, dict) or set(document) - {"connection"}:
        raise UsageProblem(f'{act} takes {{}} or {{"connection": NUMBER}}.')
    number = document.get("connection")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        raise UsageProblem("connection is the number of an open connection, or null for all.")
    return Do(act, number)
