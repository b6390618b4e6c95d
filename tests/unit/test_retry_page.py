"""docs/retry-policies.md: its tables are what the rules say. ECONNLAB_UPDATE_GOLDEN=1 writes them anew."""

import random
import re
from pathlib import Path

from econnlab.client.retrying import FailedAttempt, repeats_unsafe
from econnlab.discovery import parts
from econnlab.record.attempts import Outcome
from tests.support.pages import assert_tables

PAGE = Path(__file__).parents[2] / "docs/retry-policies.md"
POLICIES = parts("econnlab.client.policies")
METHODS = ("GET", "PUT", "POST")
ERROR = {"outcome": Outcome.HTTP_ERROR, "status": 503, "response_began": True}
FAULTS = {
    "reset": {"outcome": Outcome.RESET},
    "closed": {"outcome": Outcome.CLOSED},
    "refused": {"outcome": Outcome.REFUSED, "sent": False, "connected": False},
    "truncated": {"outcome": Outcome.TRUNCATED, "status": 200, "response_began": True},
    "timeout": {"outcome": Outcome.TIMEOUT},
    "503": ERROR,
    "503 and Retry-After": {**ERROR, "retry_after_s": 7.0},
}


class Extreme(random.Random):
    """Jitter at one of its ends."""

    def __init__(self, end):
        super().__init__()
        self._end = end

    def random(self):
        return self._end


def asked(module, end=0.0, attempts=1, **told):
    """The answers to a request that fails so again and again, up to the first None."""
    policy, answers = module.policy(max(module.RETRIES, attempts), Extreme(end)), []
    for attempt in range(1, attempts + 1):
        answer = policy.after(
            FailedAttempt(**{"method": "GET", "reused": True, "sent": True, **told}, attempt=attempt)
        )
        if answer is None:
            break
        answers.append(answer)
    return answers


def methods(module, reused, told):
    again = [method for method in METHODS if asked(module, method=method, reused=reused, **told)]
    return "all" if len(again) == len(METHODS) else " ".join(again) or "–"


def decision(module, told):
    new = methods(module, False, told)
    reused = methods(module, told.get("connected", True), told)
    return new if new == reused else f"{reused}, reused only"


def seconds(low, high):
    low, high = f"{low:g}", f"{high:g}"
    return low if low == high else f"{low}–{high}"


def waits(module, told):
    most = min(max(module.RETRIES, 1), 5)
    ends = [[answer.delay_s for answer in asked(module, end, most, **told)] for end in (0.0, 1.0)]
    found = [seconds(*both) for both in zip(*ends, strict=True)]
    return found[0] if len(set(found)) == 1 else ", ".join(found) or "–"


def next_timeout(module):
    """What the next attempt is given of 10 s, after one that took 3 s."""
    (answer,) = asked(module, outcome=Outcome.RESET, elapsed_s=3.0, timeout_s=10.0) or [None]
    return "–" if answer is None else f"{answer.timeout_s or 10.0:g}"


def decisions():
    yield ["policy", *FAULTS, "may carry a POST out twice"]
    for name, module in POLICIES.items():
        cells = [decision(module, told) for told in FAULTS.values()]
        yield [f"`{name}`", *cells, "**yes**" if repeats_unsafe(module) else "no"]


def timing():
    yield [
        "policy",
        "is",
        "tries more",
        "waits after a reset, s",
        "with Retry-After: 7, s",
        "of 10 s, after 3 s",
    ]
    for name, module in POLICIES.items():
        reset, busy = waits(module, FAULTS["reset"]), waits(module, FAULTS["503 and Retry-After"])
        yield [f"`{name}`", f"a {module.KIND}", str(module.RETRIES), reset, busy, next_timeout(module)]


def sources():
    yield ["policy", "in a line", "source"]
    for name, module in POLICIES.items():
        yield [f"`{name}`", module.HELP, module.SOURCE]


def test_the_pages_tables_are_what_the_rules_say():
    assert_tables(PAGE, {"decisions": decisions(), "timing": timing(), "sources": sources()})


def test_the_page_names_axios_retrys_conditions_and_their_counterparts():
    from econnlab.client.policies import _axios

    page = PAGE.read_text("utf-8")
    for theirs in ("isNetworkError", "isRetryAllowed", "isRetryableError", "isIdempotentRequestError"):
        ours = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", theirs)
        assert callable(getattr(_axios, ours))
        assert f"| `{theirs}` | `{ours}` |" in page
