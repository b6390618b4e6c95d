"""What will run, with everything that shapes the result."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from econnlab.plaintext import harmless
from econnlab.scenario.client import NO_RETRY, ClientSpec
from econnlab.scenario.durations import format_ms
from econnlab.scenario.model import Scenario
from econnlab.scenario.server import Ending, Fault, ServerSpec, Stage

_STAGES = {
    Stage.HANDSHAKE: "in the TLS handshake",
    Stage.UNREAD: "with the request unread",
    Stage.READ: "when it has read the request",
    Stage.PROCESSED: "when it has carried the request out",
    Stage.HALF_HEAD: "after half of the response's head",
    Stage.HALF_BODY: "after half of the response's body",
    Stage.ANSWERED: "after the response",
}
_ENDINGS = {Ending.FIN: "closes", Ending.RST: "resets", Ending.KILL: "is killed"}


def header(scenario: Scenario) -> Text:
    """Some lines for the top of a run."""
    server = (
        ", ".join(_server(scenario.server)) if scenario.server is not None else harmless(scenario.url or "")
    )
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
    """How long the run will take, if nothing is slow."""
    plan = scenario.plan
    if plan.together:
        return 0.0
    longest = float(max(plan.intervals_ms)) / 1000
    spread = longest if plan.total_sessions > 1 else 0.0
    return spread + (plan.requests - 1) * (longest + scenario.link.round_trip_ms / 1000)


def _server(spec: ServerSpec) -> Iterator[str]:
    if not spec.listens:
        yield "nobody listens"
        return
    yield f"lab server{' with TLS' if spec.tls else ''}"
    yield f"keep-alive timeout {format_ms(spec.keepalive_timeout_ms)} ms"
    if spec.keepalive_buffer_ms:
        yield f"closed {format_ms(spec.keepalive_buffer_ms)} ms after that"
    if spec.max_connections is not None:
        yield f"at most {spec.max_connections} connection{'s' if spec.max_connections > 1 else ''}"
        yield f"when full: {harmless(spec.when_full)}"
    if spec.busy_for_ms:
        yield f"busy for {format_ms(spec.busy_for_ms)} ms every {format_ms(spec.busy_every_ms)} ms"
    if spec.close_with != "fin":
        yield f"closes with {spec.close_with.upper()}"
    yield from _limits(spec)
    if spec.idempotency_keys:
        yield "heeds Idempotency-Key"
    if spec.fault is not None:
        yield _fault(spec.fault)
    if spec.restart is not None:
        yield f"restarted after {format_ms(spec.restart.after_ms)} ms ({spec.restart.manner.value})"


def _limits(spec: ServerSpec) -> Iterator[str]:
    if spec.status != 200:
        first = "" if spec.status_requests is None else f" its first {spec.status_requests} requests"
        later = "" if spec.retry_after_ms is None else f", Retry-After {format_ms(spec.retry_after_ms)} ms"
        yield f"answers{first} with {spec.status}{later}"
    if spec.response_delay_ms:
        yield f"answers after {format_ms(spec.response_delay_ms)} ms"
    if spec.max_requests is not None:
        announced = "announced" if spec.announce_last else "not announced"
        yield f"at most {spec.max_requests} requests a connection, {announced}"
    if spec.max_body is not None:
        lingering = "a" if spec.lingering_close else "no"
        yield f"413 above {spec.max_body} bytes with {lingering} lingering close"
    if spec.header_timeout_ms is not None:
        answered = ", answered with 408" if spec.answer_408 else ""
        yield f"waits {format_ms(spec.header_timeout_ms)} ms for a request's head{answered}"
    if spec.accept_after_ms:
        late = format_ms(spec.accept_after_ms)
        yield f"accepts {late} ms after the first connection came, backlog {spec.backlog}"


def _fault(fault: Fault) -> str:
    when = f" from request {fault.request} on" if fault.request > 1 else ""
    later = f"{format_ms(fault.after_ms)} ms " if fault.after_ms else ""
    return f"{_ENDINGS[fault.by]} {later}{_STAGES[fault.at]}{when}"


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
    yield harmless(client.kind)
    yield harmless(client.method) + (f" with {client.body_size} bytes" if client.body_size > 10 else "")
    yield "stale check on" if client.stale_check else "no stale check"
    yield from _remedies(client)
    if client.blocked_ms:
        yield f"held up for {format_ms(client.blocked_ms)} ms before it writes"


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
        yield "says Connection: close"
    if client.ping:
        yield "pings before reuse"
    if client.tcp_keepalive_ms is not None:
        yield f"TCP keep-alive probes each {format_ms(client.tcp_keepalive_ms)} ms"
    if client.idempotency_key:
        yield "sends Idempotency-Key"
    if client.pool_size > 1:
        yield f"a pool of {client.pool_size} connections, {client.pool_order.value.upper()}"
