"""Default timeouts and judged chains on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from econnlab.advice.idle import OFF, UNLIMITED, said
from econnlab.advice.product import Advertises, Drops, Kind, Product, Release
from econnlab.cli.columns import Column, Grid
from econnlab.cli.pages import Paragraph, section, title
from econnlab.commands.timeouts.chain import Chain
from econnlab.commands.timeouts.judging import Judgement, Safety

_STYLES = {Safety.SAFE: "green", Safety.TIGHT: "yellow", Safety.UNSAFE: "red"}
_WIDEST_WORD = max(len(safety.value) for safety in Safety)

Table = Sequence[tuple[Product, tuple[Release, ...]]]


# -- what is known --------------------------------------------------------------------------------


def table(entries: Table) -> RenderableType:
    """A row per product and range of versions, by kind."""
    rows = [(product, release) for product, releases in entries for release in releases]
    columns = [
        Column("name", [product.name for product, _ in rows], right=False),
        Column("versions", [release.versions for _, release in rows], 4, right=False),
        Column("kind", [product.kind.value for product, _ in rows], 3, right=False),
        Column("closes idle after", [_closes(product, release) for product, release in rows], right=False),
        Column("reuses idle for", [_idle(release.reuses) for _, release in rows], right=False),
        Column("Keep-Alive: timeout", [_header(release) for _, release in rows], 2, right=False),
    ]
    last = "econnlab timeouts NAME tells more, with sources and how to set it."
    return Group(Grid(columns), Paragraph(last, lead=""))


def page(product: Product, releases: tuple[Release, ...]) -> RenderableType:
    """Everything known of ``product``, of these versions."""
    return Group(*_page(product, releases))


def _page(product: Product, releases: tuple[Release, ...]) -> Iterator[RenderableType]:
    yield title(product.title)
    yield Paragraph(f"{product.kind.value}, by the name of {', '.join(product.aliases)}")
    for release in releases:
        of = f"versions {release.versions}" if release.versions else "by default"
        yield from section(of, _sentences(product, release))
    yield from section("beyond the numbers", product.about)
    yield from section("set it (N seconds, MS milliseconds)", _settings(product))
    yield from section("sources", product.sources)


def _sentences(product: Product, release: Release) -> Iterator[str]:
    if release.closes is not None and product.kind is Kind.NAT:
        fate = _FORGOTTEN[release.drops]
        yield f"It forgets a connection that was idle for {said(release.closes)}: {fate}."
    elif release.closes is not None:
        yield _closing(release)
        yield _ADVERTISING[release.advertises]
    if release.reuses is not None:
        yield _reusing(release)
    if product.kind is Kind.CLIENT or release.honours_less_ms is not None:
        yield _following(release)


def _closing(release: Release) -> str:
    if release.closes == OFF:
        return "It closes after each response."
    if release.closes == UNLIMITED:
        return "It does not close idle connections of its clients on its own."
    assert release.closes is not None
    really = f", really after {said(release.closes + release.later_ms)}" if release.later_ms else ""
    scan = f", or up to {said(release.scan_ms)} later" if release.scan_ms else ""
    return f"It closes an idle connection of its clients after {said(release.closes)}{really}{scan}."


def _reusing(release: Release) -> str:
    if release.reuses == OFF:
        return "It opens a new connection for each request."
    if release.reuses == UNLIMITED:
        return "It reuses a connection however long it was idle."
    assert release.reuses is not None
    return f"It reuses a connection that was idle for up to {said(release.reuses)}."


def _following(release: Release) -> str:
    if release.honours_less_ms is None:
        return "It ignores Keep-Alive: timeout."
    less = f" less {said(release.honours_less_ms)}" if release.honours_less_ms else ", to the dot"
    when = "also where that is longer" if release.hint_replaces else "where that is shorter"
    return f"It keeps to Keep-Alive: timeout{less}, {when}."


_ADVERTISING = {
    Advertises.NO: "It sends no Keep-Alive: timeout.",
    Advertises.YES: "It sends Keep-Alive: timeout.",
    Advertises.ASKED: "It sends Keep-Alive: timeout to those who ask with Connection: keep-alive.",
}
_FORGOTTEN = {
    Drops.RST: "whoever sends on it then gets an RST",
    Drops.SILENTLY: "what is sent on it then vanishes",
    Drops.UNKNOWN: "what is sent on it then is lost",
}


def _settings(product: Product) -> Iterator[str]:
    for template, side in ((product.set_closes, "its clients"), (product.set_reuses, "its upstream")):
        if template:
            yield f"towards {side}: {template.format(s='N', ms='MS', time='Ns')}"
    if product.instead:
        yield product.instead


def _closes(product: Product, release: Release) -> str:
    if release.closes is None:
        return ""
    later = f" + {said(release.later_ms)}" if release.later_ms else ""
    scan = f" .. {said(release.closes + release.scan_ms)}" if release.scan_ms else ""
    forgets = " (forgets)" if product.kind is Kind.NAT else ""
    return f"{said(release.closes)}{later}{scan}{forgets}"


def _idle(milliseconds: Decimal | None) -> str:
    return "" if milliseconds is None else said(milliseconds)


def _header(release: Release) -> str:
    if release.honours_less_ms is not None:
        return f"kept to, less {said(release.honours_less_ms)}" if release.honours_less_ms else "kept to"
    return {Advertises.NO: "", Advertises.YES: "sent", Advertises.ASKED: "sent when asked"}[
        release.advertises
    ]


# -- what was judged ------------------------------------------------------------------------------


def judgements(found: Iterable[Judgement]) -> Iterator[RenderableType]:
    """Each pair with its verdict, the reason and what to change."""
    for each in found:
        word = each.safety.value.ljust(_WIDEST_WORD)
        yield Text.assemble(
            (word, _STYLES[each.safety]), (f"  {each.asker.label} -> {each.closer.label}", "bold")
        )
        lead = " " * (_WIDEST_WORD + 2)
        yield Paragraph(each.reason, lead=lead)
        for number, change in enumerate(each.changes):
            yield Paragraph(change, lead=f"{lead}{'or ' if number else 'change '}")


def remarks(chain: Chain) -> Iterator[str]:
    """What was taken for granted."""
    if chain.rearranged:
        yield f"a client stands first and a server last, so this was read by kind: {chain.spelled}"
    for hop in chain.hops:
        if hop.ambiguous:
            named, taken = hop.choice.version, hop.choice.release.versions
            whole = f"{hop.choice.product.name}@{named}.N"
            yield f"{hop.label} is taken as {taken}; others of {named} differ: give all of it, as {whole}"
        if hop.guessed:
            name, versions = hop.choice.product.name, hop.choice.release.versions
            yield f"{name} is taken as {versions}, the newest known: give a version, as {name}@N, for another"


def conclusion(found: Sequence[Judgement]) -> str:
    """One sentence."""
    counts = {safety: sum(each.safety is safety for each in found) for safety in Safety}
    for safety in (Safety.UNSAFE, Safety.TIGHT):
        if counts[safety]:
            return (
                f"{counts[safety]} of {len(found)} {'is' if counts[safety] == 1 else 'are'} {safety.value}."
            )
    return "Every pair is safe." if len(found) > 1 else "It is safe."
