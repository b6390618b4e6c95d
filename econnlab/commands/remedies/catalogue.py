"""Every remedy by its name: those in each/, and each retry policy."""

from __future__ import annotations

from dataclasses import replace

from econnlab.client.retrying import repeats_unsafe
from econnlab.commands.remedies import adjust
from econnlab.commands.remedies.judging import Remedy
from econnlab.discovery import parts
from econnlab.scenario.client import NO_RETRY
from econnlab.scenario.model import Scenario

REMEDIES = "econnlab.commands.remedies.each"
POLICIES = "econnlab.client.policies"
RETRY = "retry-"


def catalogue() -> dict[str, Remedy]:
    """Every remedy by its name."""
    found = {name: Remedy(name, part.HELP, part.PRICE) for name, part in parts(REMEDIES).items()}
    for name, policy in parts(POLICIES).items():
        if name != NO_RETRY:
            found[RETRY + name] = Remedy(RETRY + name, policy.HELP, _price(policy.RETRIES))
    return found


def _price(retries: int) -> str:
    if not retries:
        return "none, because it never tries again"
    further = "a further attempt" if retries == 1 else f"up to {retries} further attempts"
    return f"{further} per failure; more load when a server is down"


def with_its_danger(remedy: Remedy) -> Remedy:
    """``remedy``, with ``repeats`` as a policy's rule says. Raises EnvironmentProblem without its library."""
    policy = parts(POLICIES).get(remedy.name.removeprefix(RETRY))
    return remedy if policy is None else replace(remedy, repeats=repeats_unsafe(policy))


def with_remedy(scenario: Scenario, name: str) -> Scenario | None:
    """``scenario`` with the remedy ``name`` in it; None if the remedy changes nothing there."""
    if name.startswith(RETRY):
        return adjust.client(scenario, retry=name.removeprefix(RETRY))
    remedied: Scenario | None = parts(REMEDIES)[name].apply(scenario)
    return remedied


def untried(scenario: Scenario, name: str) -> str | None:
    """Why the lab cannot show the effect of the remedy ``name`` there; None if it can."""
    why = getattr(parts(REMEDIES).get(name), "untried", None)
    reason: str | None = None if why is None else why(scenario)
    return reason
