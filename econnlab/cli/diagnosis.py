"""A diagnosis on a terminal: the servers, the causes, the worst failures, and what to do."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator
from types import ModuleType

from rich.console import Console, Group, RenderableType
from rich.text import Text

from econnlab.attribution.packets.advice import Advice
from econnlab.attribution.packets.diagnosis import NOTHING_SAID, Diagnosis
from econnlab.attribution.packets.findings import HARMLESS, Finding, ServerReport
from econnlab.attribution.verdict import Certainty
from econnlab.cli.columns import Column, Grid
from econnlab.discovery import parts
from econnlab.packets.conversation import Protocol, Unjudged
from econnlab.plaintext import harmless
from econnlab.record.attempts import Outcome

#: So many failures are shown where not all are asked for.
WORST = 10
_MOST_SERVERS = 20
_MOST_ADVICE = 12
#: Servers that are named together, until it is "and so many more".
_MOST_NAMED = 3
_MOST_KINDS = 6
_READ = frozenset(protocol.value for protocol in Protocol) | {NOTHING_SAID}
#: Packets of other protocols that stand in every capture: they are counted, and not worth a line.
_BESIDE_TCP = frozenset({"ARP", "UDP", "ICMP", "ICMPv6", "IGMP", "LLDP", "EAPOL"})
#: That a server keeps connections for as long as this goes without saying.
_WORTH_TELLING_S = 0.1


def headline(diagnosis: Diagnosis, where: str) -> Text:
    """What was read."""
    span = max(0.0, diagnosis.ended - diagnosis.began)
    servers = len(diagnosis.servers)
    return Text(
        f"{harmless(where)}: {_count(diagnosis.frames, 'packet')} in {span:.1f} s, "
        f"{_count(diagnosis.connections, 'TCP connection')} to {_count(servers, 'server')}"
    )


def summary(diagnosis: Diagnosis, console: Console) -> RenderableType:
    """A row per server, and each cause that was found."""
    if not diagnosis.servers:
        return Text("No TCP connection was found in it.", "bold")
    shown = diagnosis.servers[:_MOST_SERVERS]
    lines: list[RenderableType] = [Grid(_columns(shown))]
    if len(diagnosis.servers) > len(shown):
        lines.append(Text(f"and {len(diagnosis.servers) - len(shown)} more servers (--json has all)", "dim"))
    return Group(*lines, *_causes(diagnosis))


def _columns(servers: Iterable[ServerReport]) -> list[Column]:
    servers = list(servers)
    return [
        Column("server", [server.address for server in servers], right=False),
        Column("connections", [str(server.connections) for server in servers], 3),
        Column("requests", [str(server.requests) for server in servers], 5),
        Column("lost", [str(server.lost) for server in servers]),
        Column("share", [f"{server.share_lost:.2%}" if server.lost else "" for server in servers], 4),
        Column("RSTs", [str(server.resets) for server in servers], 2),
        Column("closes idle after", [_idle(server) for server in servers], 6, right=False),
        Column("main cause", [_main_cause(server) for server in servers], 7, right=False),
    ]


def _idle(server: ServerReport) -> str:
    timeout = server.idle_timeout
    if timeout is None:
        return f"> {server.survived_s:.3g} s" if server.survived_s > _WORTH_TELLING_S else ""
    if timeout.constant:
        return f"{timeout.median_s:.4g} s ({timeout.seen} seen)"
    return f"{timeout.low_s:.3g} - {timeout.high_s:.3g} s ({timeout.seen} seen)"


def _main_cause(server: ServerReport) -> str:
    found = _by_weight(server.causes)
    return f"{found[0][0]} {found[0][1]}" if found else ""


def _by_weight(causes: Counter[str]) -> list[tuple[str, int]]:
    """Those that cost requests first, the most frequent before."""
    return sorted(causes.items(), key=lambda each: (each[0] in HARMLESS, -each[1], each[0]))


def _causes(diagnosis: Diagnosis) -> Iterator[Text]:
    rules = parts("econnlab.attribution.causes")
    for cause, count in _by_weight(diagnosis.causes):
        meaning = _meaning(rules[cause]) if cause in rules else "no rule fits what the packets show"
        yield Text.assemble((cause, "yellow"), f" {count}: {meaning}")


def _meaning(rule: ModuleType) -> str:
    """What the cause means, and no more than packets can say."""
    return str(getattr(rule, "HELP_FROM_PACKETS", rule.HELP))


def failures(
    diagnosis: Diagnosis, *, every: bool, elsewhere: str = ": --all shows them"
) -> Iterator[RenderableType]:
    """The worst ones, or all of them; ``elsewhere`` says how to see those that are left out."""
    shown = diagnosis.findings if every else diagnosis.findings[:WORST]
    for number, finding in enumerate(shown, 1):
        yield failure(finding, number)
    left = len(diagnosis.findings) - len(shown)
    if left:
        yield Text(f"and {left} more{elsewhere}", "dim")


def failure(finding: Finding, number: int) -> Text:
    """One failure: where and when, the cause, and who ended it."""
    behind = f" (behind it {finding.decided_on[1]})" if finding.decided_on is not None else ""
    asked = harmless(finding.request) or ("TLS" if finding.tls else "")
    reserve = " (likely)" if finding.verdict.certainty is Certainty.LIKELY else ""
    ended = f"; {finding.ended.by} sent {finding.ended.packet} first" if finding.ended is not None else ""
    return Text.assemble(
        (f"{number:3} ", "dim"),
        f"{clock(finding.at)}  {finding.client} -> {finding.server}{behind}  {asked}\n      ",
        (finding.verdict.cause, "yellow"),
        f"{reserve}: {harmless(finding.verdict.evidence)}{ended}",
    )


def advice(diagnosis: Diagnosis) -> Iterator[Text]:
    """What to do, the most frequent cause first; servers with the same need together."""
    same: dict[tuple[str, str], list[Advice]] = {}
    for each in diagnosis.advice:
        same.setdefault((each.cause, each.text), []).append(each)
    for (cause, text), those in list(same.items())[:_MOST_ADVICE]:
        servers = ", ".join(each.server for each in those[:_MOST_NAMED])
        more = f" and {len(those) - _MOST_NAMED} more" if len(those) > _MOST_NAMED else ""
        count = sum(each.failures for each in those)
        yield Text.assemble((f"{servers}{more}, {cause}", "cyan"), f" (at least {count}): {text}")
        yield Text(f"  rests on {_packets(those)}", "dim")
    if len(same) > _MOST_ADVICE:
        yield Text(f"and {len(same) - _MOST_ADVICE} more (--json has all)", "dim")


def _packets(those: Iterable[Advice]) -> str:
    """The first packets that the advice rests on."""
    rests_on = [each for advice in those for each in advice.rests_on]
    shown = [f"{each.packet} {clock(each.at)} {each.client}" for each in rests_on[:_MOST_NAMED]]
    return ", ".join(shown) + (", ..." if len(rests_on) > _MOST_NAMED else "")


def unjudged(diagnosis: Diagnosis) -> Iterator[Text]:
    """Which connections nothing is said of, and why; and which packets are not read."""
    for reason, count in diagnosis.unjudged.most_common():
        those = _unread_protocols(diagnosis) if reason is Unjudged.NOT_READ else ""
        was = "was" if count == 1 else "were"
        yield Text(f"{_count(count, 'connection')} {was} not judged: {reason}{those}")
    left = _unread_kinds(diagnosis)
    if left:
        yield Text(f"{_count(diagnosis.others, 'packet')} without TCP that can be read: {left}")


def _unread_protocols(diagnosis: Diagnosis) -> str:
    names = [name for name, _ in diagnosis.protocols.most_common() if name not in _READ]
    shown = ", ".join(harmless(name) for name in names[:_MOST_NAMED])
    return f" ({shown}{', ...' if len(names) > _MOST_NAMED else ''})" if shown else ""


def _unread_kinds(diagnosis: Diagnosis) -> str:
    """The kinds of packets that are not read; other protocols beside TCP are expected in a capture."""
    kinds = [f"{count:,} {kind}" for kind, count in diagnosis.unread.most_common() if kind not in _BESIDE_TCP]
    return ", ".join(kinds[:_MOST_KINDS])


def spoken(diagnosis: Diagnosis) -> Text | None:
    """What the connections speak, if it is not HTTP/1 alone."""
    named = [(name, count) for name, count in diagnosis.protocols.most_common() if name != NOTHING_SAID]
    if not named or [name for name, _ in named] == [Protocol.HTTP]:
        return None
    shown = [f"{harmless(name)} {count:,}" for name, count in named[:_MOST_KINDS]]
    return Text(f"spoken: {', '.join(shown)}{', ...' if len(named) > _MOST_KINDS else ''}", "dim")


def remarks(diagnosis: Diagnosis, cut_at: int | None, damage: str, wanted: str) -> Iterator[str]:
    """What the reader should know of the capture itself; ``wanted`` is the filter, in words."""
    if damage:
        yield f"{harmless(damage)} What is before it was read."
    if cut_at is not None:
        yield f"the file breaks off in the middle of a packet at offset {cut_at}; what is before it was read"
    if diagnosis.frames and not diagnosis.connections and not diagnosis.findings and wanted:
        yield f"no connection in it fits {wanted}"
    if diagnosis.frames and diagnosis.others == diagnosis.frames:
        yield "none of its packets held a TCP segment that can be read"
    if diagnosis.tls:
        yield (
            f"{_count(diagnosis.tls, 'connection')} spoke TLS, which hides what was asked and answered: they "
            "were judged by records, alerts and TCP"
        )
    if diagnosis.gaps:
        yield (
            f"{_count(diagnosis.gaps, 'time')} packets that were sent are missing (a larger buffer, tcpdump "
            "-B, loses fewer); no cause rests on them"
        )
    if diagnosis.shortened:
        yield f"{_count(diagnosis.shortened, 'packet')} were captured in part (tcpdump -s 0 takes them whole)"
    if diagnosis.doubled:
        yield f"{_count(diagnosis.doubled, 'packet')} were captured twice and count once"


def conclusion(diagnosis: Diagnosis) -> str:
    """One sentence: no more than the packets tell."""
    lost = sum(server.lost for server in diagnosis.servers)
    if lost:
        errors = any(each.attempt.outcome is Outcome.HTTP_ERROR for each in diagnosis.findings)
        what = "got no whole answer, or an error" if errors else "got no whole answer"
        return f"At least {_count(lost, 'request')} {what}; one that was never written is in no capture."
    left = diagnosis.unjudged.total()
    if left and left == diagnosis.connections:
        return "No connection could be judged."
    if not any(server.requests for server in diagnosis.servers):
        return "No request was seen."
    if left:
        return f"No loss was found; {_count(left, 'connection')} could not be judged."
    return "No request was lost" + (
        ", as far as TCP tells." if diagnosis.tls or diagnosis.shortened or diagnosis.gaps else "."
    )


def clock(at: float) -> str:
    """``10:03:12.345`` in local time."""
    try:
        when = datetime.datetime.fromtimestamp(at)
    except (OverflowError, ValueError, OSError):
        return f"{at:.3f}"
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
