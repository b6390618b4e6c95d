"""The commands to run after ``timeouts``: what to paste for the pair judged, the server first. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from econnlab.advice.product import Kind, Product
from econnlab.advice.snippet import page_of
from econnlab.advice.stacks import lines_for
from econnlab.commands.timeouts.judging import Judgement, Safety
from econnlab.errors import UsageProblem

_PROBE = "econnlab probe URL"


def after_table(products: Sequence[Product]) -> list[str]:
    """After the table: a chain; after one entry: a chain with it, and the lines that set it."""
    if len(products) != 1:
        return ["econnlab timeouts check requests alb=60s node20=5s", _PROBE]
    (product,) = products
    chains = {
        Kind.CLIENT: f"{product.name} node20=5s",
        Kind.NAT: f"go-client {product.name} node20=65s",
        Kind.SERVER: f"alb=60s {product.name}",
    }
    page = "server-timeout" if product.kind is Kind.SERVER else "idle-limit"
    check = f"econnlab timeouts check {chains.get(product.kind, _between(product))}"
    return [check, *_showing(page, product.name), _PROBE]


def _between(product: Product) -> str:
    """A proxy or balancer in a chain; it stands first if nothing is known of its side towards clients."""
    newest = product.releases[-1]
    reuses = "" if newest.reuses is not None else "/60s"
    before = "" if newest.closes is None else "requests "
    return f"{before}{product.name}{reuses} node20=65s"


def after_chain(found: Sequence[Judgement]) -> list[str]:
    """After ``check``: both ends of the first pair that is unsafe, else tight."""
    order = (Safety.UNSAFE, Safety.TIGHT)
    pairs = sorted(
        (each for each in found if each.safety in order), key=lambda each: order.index(each.safety)
    )
    if not pairs:
        return [_PROBE]
    asker, closer = pairs[0].asker.choice.product.name, pairs[0].closer.choice.product.name
    return [*_showing("server-timeout", closer), *_showing("idle-limit", asker), _PROBE]


def _showing(remedy: str, name: str) -> list[str]:
    """The command that prints the lines of ``remedy`` for a product; none if there are no lines."""
    try:
        lines_for(page_of(remedy), remedy, name)
    except UsageProblem:
        return []
    return [f"econnlab remedies --show {remedy} --for {shlex.quote(name)}"]
