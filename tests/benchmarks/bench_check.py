"""``econnlab check``, ROUNDS times for each of six clients: wrong verdicts, and how long a check takes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from econnlab.commands.check.runs import Checking
from econnlab.commands.check.screen import DEFAULT_JOBS
from econnlab.scenario.catalogue import CHECK, load, names
from tests.benchmarks.figures import Figure
from tests.support.checked import SHOP

ROUNDS = int(os.environ.get("ECONNLAB_ROUNDS", "20"))
TIMEOUT_S = 20.0
#: The clients' own timeouts decide what a silent server makes of them: one that is soon over.
QUICK_SHOP = SHOP.replace("timeout=5", "timeout=1")
NODE_CLIENT = str(Path(__file__).parent.parent / "peers" / "checked.cjs")
_ORDERS = ("-d", "one", "{url}orders", "-d", "two", "{url}orders")

_CUT = dict.fromkeys(("body-cut-fin", "body-cut-rst", "chunked-cut"), "failed")
_DONE = ("done-closed", "done-reset", "done-silent")
_NEW = ("first-closed", "first-reset", "first-silent", "full-503", "full-close", "full-reset")
_REUSED = ("reused-closed", "reused-reset", "reused-silent")
#: A head that is cut passes for a whole answer with http.client and with curl 7.88: lost. Node says so.
_HEAD = {"head-cut": "lost"}


def _each(scenarios: tuple[str, ...], verdict: str) -> dict[str, str]:
    return dict.fromkeys(scenarios, verdict)


#: What is right, from what each client is known to do (docs/check.md), not from what check said.
RIGHT = {
    "requests": {
        "frozen": "survived",
        **_CUT, **_HEAD, **_each(_DONE, "failed"), **_each(_NEW, "failed"), **_each(_REUSED, "failed"),
        "closed-after-answer": "survived", "reset-after-answer": "survived", "reused-done-reset": "failed",
    },
    # a GET is tried again, also after 503 with Retry-After; a POST is not
    "requests, Retry(3)": {
        "frozen": "survived",
        **_CUT, **_HEAD, **_each(_DONE, "failed"), **_each(_NEW, "survived"), **_each(_REUSED, "failed"),
        "closed-after-answer": "survived", "reset-after-answer": "survived", "reused-done-reset": "failed",
    },
    "requests, Retry(3, allowed_methods=None)": {
        "frozen": "survived",
        **_CUT, **_HEAD, **_each(_DONE, "duplicated"),
        **_each(_NEW, "survived"), **_each(_REUSED, "survived"),
        "closed-after-answer": "survived", "reset-after-answer": "survived",
        "reused-done-reset": "duplicated",
    },
    # it does not look at a connection before it writes: the FIN behind the answer comes too late for it
    "node, keep-alive": {
        "frozen": "failed",
        **_CUT, "head-cut": "failed", **_each(_DONE, "failed"), **_each(_NEW, "failed"),
        **_each(_REUSED, "failed"), "closed-after-answer": "failed", "reset-after-answer": "failed",
        "reused-done-reset": "failed",
    },
    "node, no keep-alive": {
        "frozen": "not_met",
        **_CUT, "head-cut": "failed", **_each(_DONE, "failed"), **_each(_NEW, "failed"),
        **_each(_REUSED, "not_met"), "closed-after-answer": "not_met", "reset-after-answer": "not_met",
        "reused-done-reset": "not_met",
    },
    # whatever dies on a reused connection is sent again, POST as well
    "curl": {
        "frozen": "survived",
        **_CUT, **_HEAD, **_each(_DONE, "failed"), **_each(_NEW, "failed"),
        "reused-closed": "survived", "reused-reset": "survived", "reused-silent": "failed",
        "closed-after-answer": "survived", "reset-after-answer": "survived",
        "reused-done-reset": "duplicated",
    },
}  # fmt: skip


def commands(shop: str) -> dict[str, tuple[str, ...]]:
    """The clients whose programs are installed."""
    found: dict[str, tuple[str, ...]] = {
        "requests": (sys.executable, shop, "none"),
        "requests, Retry(3)": (sys.executable, shop, "usual"),
        "requests, Retry(3, allowed_methods=None)": (sys.executable, shop, "any"),
    }
    if node := shutil.which("node"):
        found["node, keep-alive"] = (node, NODE_CLIENT, "keep")
        found["node, no keep-alive"] = (node, NODE_CLIENT, "close")
    if curl := shutil.which("curl"):
        found["curl"] = (curl, "-sSf", "--fail-early", "-m", "2", *_ORDERS)
    return found


def measure() -> Iterator[Figure]:
    """Per client: verdicts given, those that were wrong, the median time of a check of all scenarios."""
    scenarios = [load(name) for name in names(CHECK)]
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop.py"
        shop.write_text(QUICK_SHOP)
        for client, words in commands(str(shop)).items():
            assert RIGHT[client].keys() == {scenario.name for scenario in scenarios}
            wrong: Counter[str] = Counter()
            given = 0
            took = []
            for _ in range(ROUNDS):
                began = time.monotonic()
                with Checking(words, scenarios, {}, TIMEOUT_S, DEFAULT_JOBS) as checking:
                    for checked in filter(None, checking.runs()):
                        found = "error" if checked.verdict is None else checked.verdict.survival.value
                        given += 1
                        if found != RIGHT[client][checked.scenario.name]:
                            wrong[f"{checked.scenario.name}: {found}"] += 1
                took.append(time.monotonic() - began)
            for said, count in wrong.most_common():
                sys.stderr.write(f"{client}: wrong {count} of {ROUNDS}: {said}\n")
            yield Figure(f"{client}: verdicts in {ROUNDS} checks", given)
            yield Figure("  wrong", wrong.total(), at_most=0)
            yield Figure("  a check, median", sorted(took)[len(took) // 2], " s")
