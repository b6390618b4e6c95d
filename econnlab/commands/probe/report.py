"""A probe on a terminal: what the server says and does, the race window, and what to set."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from econnlab.cli.bar import BAR_WIDTH, bar
from econnlab.cli.columns import Column, Grid
from econnlab.commands.probe.judging.conclusion import Conclusion, Ends, IdleTime
from econnlab.commands.probe.judging.window import Band, Edge, Window
from econnlab.commands.probe.seen import Crowd, Framing, Series
from econnlab.plaintext import harmless
from econnlab.record.attempts import Outcome

#: Of what a server says, no more than this is repeated.
_LONGEST = 120
_REDIRECTS = range(300, 400)
#: Bodies of which a hundred are a load for somebody's server.
_HEAVY = 100_000
#: Idle times within this of each other are one timer's.
_CONSTANT_MS = 5.0
#: What rounding cannot explain: Keep-Alive says whole seconds.
_WHOLE_SECOND_MS = 980.0


def page(found: Conclusion, console: Console) -> RenderableType:
    """The whole answer."""
    parts: list[RenderableType] = [headline(found), Text(""), _facts(found)]
    if found.window is not None:
        parts += [Text("\nThe race window", "bold"), *_window(found, found.window, console)]
    if found.limit_ms is not None:
        parts += [Text("\nWhat to set", "bold"), *_advice(found, console)]
    parts += [Text(f"not known: {each}", "yellow") for each in found.unknown]
    return Group(
        *parts, *(Text(line, "dim") for line in _foot(found)), Text(f"\n{conclusion(found)}", "bold")
    )


def announcement(url: str, method: str, budget: int, connections: int, max_connections: int | None) -> str:
    """What is about to be done to somebody's server."""
    crowd = (
        f", then up to {max_connections} to count how many it takes" if max_connections is not None else ""
    )
    return (
        f"probing {harmless(url)}: at most {budget} {method} requests, on at most {connections} connections "
        f"at a time{crowd}"
    )


def headline(found: Conclusion) -> Text:
    """Who answered, and how."""
    probed, head = found.probed, found.probed.head
    by = f", {harmless(head.server[:_LONGEST])}" if head.server else ""
    security = probed.security
    over = f" over {security.version}" if security is not None else ""
    return Text(
        f"{harmless(probed.url)} at {probed.address}: HTTP/{head.http_version}{over}, "
        f"{head.status} to {probed.method}{by}",
        "bold",
    )


def conclusion(found: Conclusion) -> str:
    """One sentence."""
    if found.ends is Ends.NOT_KEPT:
        return "No connection is kept after a response: there is nothing to race."
    if found.ends is Ends.AT_ONCE:
        return "It closes behind each response without saying so: whoever reuses a connection loses."
    if found.ends is Ends.KEPT:
        return f"Within {found.probed.max_wait_s:g} s it closes no idle connection."
    if found.ends is Ends.UNKNOWN:
        return "How it ends idle connections was not seen."
    if found.limit_ms is None and found.ends is Ends.SILENT and not found.survived_ms:
        return "After what silence its idle connections die was not found."
    if found.limit_ms is None:
        return "Its idle connections last too short a time to be reused."
    return f"Let clients keep idle connections for at most {_duration(found.limit_ms)}."


# -- the facts ------------------------------------------------------------------------------------


def _facts(found: Conclusion) -> Table:
    table = Table.grid(padding=(0, 2, 0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _lines(found):
        table.add_row(Text(label, "cyan"), text)
    return table


def _lines(found: Conclusion) -> Iterator[tuple[str, str]]:
    probed, head = found.probed, found.probed.head
    yield "says", _says(found)
    for text in _does(found):
        yield "does", text
    if probed.series is not None and head.persistent:
        yield "requests", _series(probed.series, found.advertised_max)
    if probed.crowd is not None:
        yield "connections", _crowd(probed.crowd)
    if probed.visits:
        yield (
            "round trip",
            f"{_ms(found.connect_ms)} to connect, {_ms(found.round_trip_ms)} to the first byte of an answer",
        )
    yield "response", _response(found)
    if probed.security is not None:
        yield "tls", _security(found)


def _says(found: Conclusion) -> str:
    head = found.probed.head
    said = [
        f"{name}: {harmless(value[:_LONGEST])}"
        for name, value in (("Keep-Alive", head.keep_alive), ("Connection", head.connection))
        if value is not None
    ]
    if said:
        return "; ".join(said)
    kept = "HTTP/1.1 keeps a connection unless told otherwise" if head.persistent else "it is not kept"
    return f"nothing of how long a connection is kept ({kept})"


def _does(found: Conclusion) -> Iterator[str]:
    probed, idle = found.probed, found.idle
    if found.ends is Ends.NOT_KEPT:
        yield _not_kept(found)
    elif idle is not None:
        yield _closes(idle, at_once=found.ends is Ends.AT_ONCE)
        yield from _remarks(found, idle)
    elif found.ends is Ends.SILENT and found.silent_ms is not None:
        how = ", ".join(f"{each.value} {times}" for each, times in found.silent_outcomes.most_common())
        answered = f"after {_duration(found.survived_ms)} of silence a request was answered, "
        yield (
            f"lets idle connections die without a packet: {answered if found.survived_ms else ''}"
            f"after {_duration(found.silent_ms)} it was lost ({how})"
        )
    elif found.ends is Ends.KEPT:
        yield f"keeps an idle connection for {probed.max_wait_s:g} s (--max-wait) and longer"
    else:
        yield "was not watched for long enough"


def _not_kept(found: Conclusion) -> str:
    head, closing = found.probed.head, found.probed.closing
    if head.framing is Framing.UNTIL_CLOSE:
        why = "the response has no length: it ends where the connection does"
    elif head.http_version == "1.0":
        why = "HTTP/1.0"
    else:
        why = "as announced"
    if closing is None:
        return f"is not to be asked again on a connection ({why})" + (
            "" if head.framing is Framing.UNTIL_CLOSE else ", but leaves it open for half a second and longer"
        )
    return f"closes behind each response, with {closing.packet or closing.said} ({why})"


def _closes(idle: IdleTime, *, at_once: bool) -> str:
    packets = " or ".join(f"{packet} ({times})" for packet, times in idle.packets.most_common())
    packets = next(iter(idle.packets)) if len(idle.packets) == 1 else packets
    said = "".join(f", after {word}" for word in idle.said)
    spread = f"median of {idle.seen}: {_duration(idle.low_ms)} to {_duration(idle.high_ms)}"
    what = (
        "closes right behind its response"
        if at_once
        else f"closes an idle connection after {_duration(idle.median_ms)}"
    )
    return f"{what}, with {packets or 'no packet of its own'}{harmless(said)} ({spread})"


def _remarks(found: Conclusion, idle: IdleTime) -> Iterator[str]:
    yield from _later(found)
    if idle.scan_ms is not None:
        yield (
            f"it looks for idle connections every {_duration(idle.scan_ms)}, and closes up to that much "
            f"after their time (the earliest after {_duration(found.earliest_ms or idle.low_ms)})"
        )
    elif idle.swept:
        yield (
            "all at the same moment: it looks for idle ones from time to time, so the true time varies "
            f"(the earliest close seen came after {_duration(found.earliest_ms or idle.low_ms)})"
        )
    elif idle.high_ms - idle.low_ms > max(_CONSTANT_MS * 4, 0.02 * idle.median_ms):
        yield f"no two alike: its timer is {_duration(idle.high_ms - idle.low_ms)} coarse, or it is busy"


def _later(found: Conclusion) -> Iterator[str]:
    later = found.later_ms
    if later is None:
        return
    if later < 0:
        yield f"that is {_duration(-later)} EARLIER than it says: who believes it loses requests"
    elif later < _WHOLE_SECOND_MS:
        yield f"that is {_duration(later)} later than it says, which it can in whole seconds only"
    else:
        yield f"that is {_duration(later)} later than it says: it hides a buffer (Node since PR #54863: 1 s)"


def _series(series: Series, advertised: int | None) -> str:
    said = f"; it says max={advertised}" if advertised is not None else ""
    if series.announced:
        return f"{series.requests} on a connection, the last with Connection: close{said}"
    if series.outcome is not None:
        return f"{series.requests} on a connection, then without a word {series.outcome.value}{said}"
    return f"{series.requests} on a connection and more (no more were tried){said}"


def _crowd(crowd: Crowd) -> str:
    if not crowd.refused:
        return f"{crowd.held} at a time and more (no more were tried)"
    how = sorted({_refusal(each.outcome, each.connected, each.status) for each in crowd.refused})
    return f"{crowd.held} at a time; one more is {' or '.join(how)}"


def _refusal(outcome: Outcome, connected: bool, status: int | None) -> str:
    if status is not None:
        return f"answered {status}"
    if outcome is Outcome.TIMEOUT:
        return "queued without an answer" if connected else "not taken, and not refused"
    if not connected:
        return "refused" if outcome is Outcome.REFUSED else f"not taken ({outcome.value})"
    packet = {Outcome.CLOSED: "FIN", Outcome.RESET: "RST", Outcome.BROKEN_PIPE: "RST"}.get(outcome)
    return f"closed with {packet} once accepted" if packet else f"accepted, then {outcome.value}"


def _response(found: Conclusion) -> str:
    head = found.probed.head
    text = f"{head.body_bytes} bytes, {head.framing.value}"
    if head.body_bytes > _HEAVY and found.probed.method == "GET":
        text += " each time (--method HEAD is gentler)"
    if head.interim:
        text += f", after {', '.join(map(str, head.interim))}"
    if head.location is not None and head.status in _REDIRECTS:
        where = harmless(head.location[:_LONGEST])
        text += f"; it points to {where}, which was not followed: probe that URL by itself"
    return text


def _security(found: Conclusion) -> str:
    security = found.probed.security
    assert security is not None
    text = f"{security.version}, {security.cipher}, ALPN {security.protocol or 'not spoken'}"
    if security.complaint:
        text += f"; certificate NOT trusted ({harmless(security.complaint)}), gone on with --insecure"
    return text


# -- the window -----------------------------------------------------------------------------------


def _window(found: Conclusion, window: Window, console: Console) -> Iterator[RenderableType]:
    yield Grid(_columns(window.bands, ascii_only=console.options.ascii_only))
    outcomes = ", ".join(f"{each.value} {times}" for each, times in window.outcomes.most_common())
    yield Text(
        f"Written blindly, 5 % are lost from {_edge(window.first)} on and 95 % from {_edge(window.last)} on, "
        f"and all later ones: {outcomes} in {window.trials} trials."
    )
    if window.visible_ms is not None:
        first_ms, width_ms = window.first.at_ms, max(0.0, window.visible_ms - window.first.at_ms)
        yield Text(
            "A client that looks before it writes (urllib3, httpx) loses only what meets the close on its "
            f"way: {window.unseen} of these, between {first_ms:.2f} and {window.visible_ms:.2f} ms, "
            f"{_ms(width_ms)} beside a round trip of {_ms(found.round_trip_ms)}."
        )


def _columns(bands: tuple[Band, ...], *, ascii_only: bool) -> list[Column]:
    looking = ["" if not band.tried else str(band.unseen) for band in bands]
    return [
        Column("sent after", [f"{band.from_ms:.2f} - {band.to_ms:.2f} ms" for band in bands]),
        Column("tried", [str(band.tried) for band in bands], 4),
        Column("lost", [str(band.lost) for band in bands], 6),
        Column("rate", [f"{band.rate:.0%}" if band.tried else "" for band in bands], 7),
        Column("95 % interval", [_interval(band) for band in bands], 2),
        Column("", [_bar(band.rate, ascii_only=ascii_only) for band in bands], 8, right=False),
        Column("looking", looking, 5),
        Column("", [_bar(band.unseen_rate, ascii_only=ascii_only) for band in bands], 3, right=False),
    ]


def _bar(rate: float, *, ascii_only: bool) -> str:
    return bar(rate, ascii_only=ascii_only).ljust(BAR_WIDTH)


def _interval(band: Band) -> str:
    low, high = band.interval95
    return f"{low:.0%} - {high:.0%}" if band.tried else ""


def _edge(edge: Edge) -> str:
    return f"{edge.at_ms:.2f} ms ({edge.low_ms:.2f} - {edge.high_ms:.2f})"


# -- what to set ----------------------------------------------------------------------------------


def _advice(found: Conclusion, console: Console) -> Iterator[RenderableType]:
    assert found.limit_ms is not None
    yield Text(
        f"Clients are to let go of an idle connection after at most {_duration(found.limit_ms)} (the first "
        "loss less a round trip and a margin), or the server is to keep it longer than any client does."
    )
    table = Table.grid(padding=(0, 2, 0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in found.settings:
        line = Text(each.line)
        if each.remark:
            line.append(f"{'  ' if each.line else ''}{each.remark}", "dim")
        table.add_row(Text(each.client, "cyan"), line)
    yield table


def _foot(found: Conclusion) -> Iterator[str]:
    probed = found.probed
    used = f"{probed.requests} of {probed.budget} requests in {probed.took_s:.1f} s"
    precision = probed.precision
    if precision is None:
        yield used
        return
    yield (
        f"{used}; {precision.sends} timed sends, late by {precision.median_s * 1000:.3f} ms at the median, "
        f"{precision.p99_s * 1000:.3f} ms at p99; {precision.discarded} too late, discarded and repeated"
    )


def _duration(ms: float) -> str:
    """``6.003 s``, ``300.4 ms``."""
    return f"{ms / 1000:.4g} s" if ms >= 1000 else _ms(ms)


def _ms(ms: float) -> str:
    return f"{ms:.4g} ms" if ms >= 1 else f"{ms:.2g} ms"
