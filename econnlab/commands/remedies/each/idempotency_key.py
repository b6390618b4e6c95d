"""Retries that the server can tell from new requests."""

from __future__ import annotations

from econnlab.commands.remedies import adjust
from econnlab.scenario.model import Scenario

NAME = "idempotency-key"
HELP = "retry any failed attempt (axios-retry's rule) with an Idempotency-Key that the server honours"
PRICE = "the server must remember what it has carried out"
#: It retries any method; the key makes that safe.
RETRY = "axios-retry-3"


def apply(scenario: Scenario) -> Scenario | None:
    """On both sides, because one side alone changes nothing."""
    honouring = adjust.server(scenario, idempotency_keys=True)
    if honouring is None:
        return None
    return adjust.client(honouring, idempotency_key=True, retry=RETRY, retries=0)
