"""Which lines to paste are for a product, by any of its names. Pure."""

from __future__ import annotations

from decimal import Decimal

from econnlab.advice.product import Product, choose, setting
from econnlab.advice.snippet import Page, Snippet
from econnlab.errors import UsageProblem

#: By name or alias; whoever is not here has lines of its own name, or one setting.
_STACKS = {
    "axios": "axios",
    "node": "node", "fastify": "node",
    "node-agent": "node", "node-agent-own": "node", "agentkeepalive": "node",
    "go-client": "go", "go-server": "go",
    "gunicorn-sync": "gunicorn",
    "kestrel": "dotnet",
    "jdk-httpclient": "java", "httpclient4": "apache4", "httpclient5": "apache5",
}  # fmt: skip
#: What the lines of a page set, where a product has one setting only.
_LIMITS = {"idle-limit": Decimal(4000), "server-timeout": Decimal(65_000)}


def lines_for(page: Page, remedy: str, name: str) -> str:
    """The lines of ``page`` for ``name``: a stack, or whatever ``econnlab timeouts`` knows.

    Raises UsageProblem, which says what else to do, if there are none.
    """
    snippets = {snippet.stack: snippet for snippet in page.snippets}
    if name in snippets:
        return snippets[name].text
    known = f"There are lines for {', '.join(snippets)}."
    try:
        product = choose(name).product
    except UsageProblem as problem:
        raise UsageProblem(f"There are no lines for {name!r} here.", known) from problem
    found = _of_product(snippets, product, name)
    line = found.text if found else _setting(product, remedy)
    if line:
        return line
    raise UsageProblem(f"There are no lines for {product.title} here.", product.instead or known)


def _of_product(snippets: dict[str, Snippet], product: Product, name: str) -> Snippet | None:
    stack = _STACKS.get(name.lower(), _STACKS.get(product.name, product.name))
    return snippets.get(stack)


def _setting(product: Product, remedy: str) -> str:
    template = {"idle-limit": product.set_reuses, "server-timeout": product.set_closes}.get(remedy, "")
    return f"{setting(template, _LIMITS[remedy])}\n" if template else ""
