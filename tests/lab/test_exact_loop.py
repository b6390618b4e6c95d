"""The prober's loop and its connections' clocks: order, news, cleaning up, and the kernel's own stamps."""

import socket
import sys
import time

import pytest

from econnlab.commands.probe.asking.arrivals import Arrivals
from econnlab.commands.probe.asking.loop import ExactLoop, Wait, Woken
from econnlab.system.clock import now
from tests.conftest import until, wait_until


def run(*tasks, loop=None):
    with loop or ExactLoop() as running:
        for task in tasks:
            running.start(task)
        running.run()


def test_sends_go_out_in_the_order_in_which_they_are_due_and_never_early():
    begun, sent = now() + 0.02, []

    def send(due):
        yield Wait(until=due, exact=True)
        sent.append((due, now()))

    run(*(send(begun + place / 500) for place in (3, 0, 2, 1)))
    assert [due for due, _ in sent] == sorted(due for due, _ in sent)
    assert all(at >= due for due, at in sent)


def test_a_socket_that_is_ready_wakes_its_task_before_its_moment():
    ours, theirs = socket.socketpair()
    woken = []

    def wait():
        woken.append((yield Wait(ours, until=now() + 60)))

    theirs.sendall(b"x")
    run(wait())
    assert woken[0].ready
    ours.close()
    theirs.close()


def test_what_comes_in_the_spin_is_seen_before_the_send():
    ours, theirs = socket.socketpair()
    seen = []

    def watch():
        seen.append(("readable", (yield Wait(ours)).ready))

    def send():
        yield Wait(until=now() + 0.01)
        theirs.sendall(b"x")
        yield Wait(until=now() + 0.02, exact=True)
        seen.append(("sent", True))

    run(watch(), send())
    assert seen == [("readable", True), ("sent", True)]
    ours.close()
    theirs.close()


def test_news_wakes_those_who_wait_for_it():
    heard = []
    loop = ExactLoop()

    def wait():
        heard.append((yield Wait(news=True)).ready)

    def tell():
        yield Wait(until=now() + 0.01)
        loop.announce()
        yield Wait(until=now() + 0.1)

    run(wait(), wait(), tell(), loop=loop)
    assert heard == [False, False]


def test_a_stopped_loop_closes_what_it_ran():
    ours, theirs = socket.socketpair()
    closed = []
    loop = ExactLoop()

    def wait():
        try:
            yield Wait(ours)
        finally:
            closed.append(True)

    def stop():
        yield Wait(until=now() + 0.01)
        loop.stop()

    run(wait(), stop(), loop=loop)
    assert closed == [True]
    ours.close()
    theirs.close()


def test_an_error_in_a_task_ends_the_loop_and_the_others():
    closed = []

    def wait():
        try:
            yield Wait(until=now() + 60)
        finally:
            closed.append(True)

    def fail():
        yield Wait(until=now() + 0.01)
        raise ValueError("of the test")

    with pytest.raises(ValueError, match="of the test"):
        run(wait(), fail())
    assert closed == [True]


def test_a_descriptor_that_is_used_again_is_watched_again():
    """A task closes its socket and opens another, which gets the same number."""
    woken = []

    def twice():
        for _ in range(2):
            ours, theirs = socket.socketpair()
            theirs.sendall(b"x")
            woken.append((yield Wait(ours, until=now() + 10)).ready)
            ours.close()
            theirs.close()

    run(twice())
    assert woken == [True, True]


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not stamp what TCP received")
def test_the_kernel_says_when_bytes_came_however_late_they_are_read(monkeypatch):
    clock = time.clock_gettime_ns

    def interrupted(which):
        at = clock(which)
        if which == time.CLOCK_REALTIME:
            until(now() + 0.05)
        return at

    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    arrivals = Arrivals(client)

    def stamped():
        """Linux begins to stamp a moment after it was asked to (netstamp_work in net/core/dev.c)."""
        before = now()
        server.sendall(b"hello")
        after = now()
        until(after + 0.05)
        data, woken = arrivals.read(100, Woken(True, now(), 1.0))
        assert data == b"hello"
        return (before, woken, after) if woken.slack < 1.0 else None

    before, woken, after = wait_until(stamped, "a stamp")
    # Its clock and ours are read one after the other: what lies between is far below what is waited here.
    assert before - 0.01 < woken.at < after + 0.02
    assert woken.slack < 0.02
    server.sendall(b"again")
    until(now() + 0.01)
    sent = now()
    with monkeypatch.context() as patch:
        patch.setattr(time, "clock_gettime_ns", interrupted)
        _, woken = arrivals.read(100, Woken(True, now(), 1.0))
    assert 0.05 <= woken.slack < 1.0, "an interruption between the two clocks is reckoned with"
    assert woken.at - woken.slack < sent
    server.close()
    late = Woken(True, now(), 1.0)
    assert arrivals.read(100, late) == (b"", late)  # a FIN has no stamp
    client.close()
