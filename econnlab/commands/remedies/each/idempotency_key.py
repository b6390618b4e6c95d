"""A retry that the server can tell from a new request."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "idempotency-key"
HELP = "any failed attempt is tried again (axios-retry's rule) with an Idempotency-Key that the server heeds"
PRICE = "the server must remember what it has carried out"
#: Retries whatever the method: the key makes it safe.
RETRY = "axios-retry-3"


def apply(scenario: Scenario) -> Scenario | None:
    """On both sides, for one alone does nothing."""
    heeding = adjust.server(scenario, idempotency_keys=True)
    if heeding is None:
        return None
    return adjust.client(heeding, idempotency_key=True, retry=RETRY, retries=0)
