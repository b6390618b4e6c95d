"""The header of a run: every setting that affects the result."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from econnlab.discovery import parts
from econnlab.plaintext import harmless
from econnlab.scenario.client import NO_RETRY, PROGRAM, ClientSpec
from econnlab.scenario.durations import format_ms
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import server_words


def header(scenario: Scenario) -> Text:
    """A few lines that say what will run."""
    spec = scenario.server
    server = ", ".join(server_words(spec)) if spec is not None else harmless(scenario.url or "")
    lines = [
        f"{harmless(scenario.name)}: {_plan(scenario)} (seed {scenario.seed})",
        f"  server  {server}",
        f"  link    {_path(scenario)}",
        f"  client  {', '.join(_client(scenario))}",
    ]
    if scenario.proxy is not None:
        idle = format_ms(scenario.proxy.idle_timeout_ms)
        kept = f"keeps idle connections to the server for {idle} ms"
        lines.insert(2, f"  proxy   {harmless(scenario.proxy.kind)}, in front of the link, {kept}")
    if scenario.kernel is not None:
        settings = [f"{name} = {value}" for name, value in scenario.kernel.settings.items()]
        lines.append(f"  kernel  a network namespace of the run's own, {', '.join(map(harmless, settings))}")
    return Text("\n".join(lines) + "\n")


def _plan(scenario: Scenario) -> str:
    plan = scenario.plan
    if plan.together:
        if plan.wave is not None and plan.wave < plan.sessions:
            gap = format_ms(plan.wave_gap_ms)
            return f"{plan.sessions} clients, {plan.wave} at the same moment, others {gap} ms later"
        return f"{plan.sessions} clients at the same moment"
    sessions = f"{plan.sessions} session{'s' if plan.sessions > 1 else ''}"
    intervals = [format_ms(interval) for interval in plan.intervals_ms]
    apart = f"{intervals[0]} ms apart"
    if len(intervals) > 1:
        apart = f"at each of {len(intervals)} intervals from {intervals[0]} to {intervals[-1]} ms"
    requests = f"{plan.requests} request{'s' if plan.requests > 1 else ''}"
    return f"{sessions} of {requests} {apart}; about {estimate_s(scenario):.0f} s"


def estimate_s(scenario: Scenario) -> float:
    """How many seconds the run takes if nothing is slow."""
    plan = scenario.plan
    if plan.together:
        return 0.0
    longest = float(max(plan.intervals_ms)) / 1000
    spread = longest if plan.total_sessions > 1 else 0.0
    return spread + (plan.requests - 1) * (longest + scenario.link.round_trip_ms / 1000)


def _path(scenario: Scenario) -> str:
    path = str(scenario.link)
    if scenario.kernel is not None and scenario.kernel.packet_delay_ms:
        path = f"{format_ms(scenario.kernel.packet_delay_ms)} ms each way for every packet"
    if scenario.middlebox is not None:
        answer = "answers with RST" if scenario.middlebox.rst else "says nothing"
        idle = format_ms(scenario.middlebox.idle_timeout_ms)
        path += f"; a middlebox forgets connections idle for {idle} ms and {answer}"
    return path


def _client(scenario: Scenario) -> Iterator[str]:
    client = scenario.client
    if client.kind == PROGRAM:
        yield harmless(" ".join(client.program))
        return
    yield harmless(client.kind)
    yield harmless(client.method) + (f" with {client.body_size} bytes" if client.body_size > 10 else "")
    if client.kind in parts("econnlab.client.kinds"):  # a real client does what it does
        yield "stale check on" if client.stale_check else "no stale check"
    yield from _remedies(client)
    if client.blocked_ms:
        yield f"blocked for {format_ms(client.blocked_ms)} ms before it writes"
    if client.frozen_ms:
        yield f"stopped for {format_ms(client.frozen_ms)} ms after its first response"


def _remedies(client: ClientSpec) -> Iterator[str]:
    named = f" of {harmless(client.retry)}" if client.retry not in (None, NO_RETRY) else ""
    if client.policy == NO_RETRY:
        yield "no retries"
    else:
        yield f"{client.retries} retries{named}" if client.retries else f"retries{named}"
    if client.idle_limit_ms is not None:
        yield f"idle limit {format_ms(client.idle_limit_ms)} ms"
    if client.honour_keep_alive_ms is not None:
        yield f"honours Keep-Alive: timeout, less {format_ms(client.honour_keep_alive_ms)} ms"
    if client.connection_close:
        yield "sends Connection: close"
    if client.ping:
        yield "pings before reuse"
    if client.tcp_keepalive_ms is not None:
        yield f"TCP keep-alive probes each {format_ms(client.tcp_keepalive_ms)} ms"
    if client.idempotency_key:
        yield "sends Idempotency-Key"
    if client.pool_size > 1:
        yield f"a pool of {client.pool_size} connections, {client.pool_order.value.upper()}"
