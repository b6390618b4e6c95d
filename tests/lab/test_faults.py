"""Faults that end: they strike so many times, or only some requests, and say so in the ledger."""

import pytest

from econnlab.record.events import Kind
from econnlab.scenario.server import Ending, Fault, Stage
from tests.support.raw import Raw


def ask(server, method="GET", times=1):
    """What becomes of requests on one connection: statuses, up to how it ended if it did."""
    with Raw(server.address) as client:
        seen = []
        for _ in range(times):
            try:
                client.send(method)
                seen.append(client.response(method)[0].status_code)
            except ConnectionError as error:
                return [*seen, type(error).__name__]
            except Exception as error:  # h11's, of an answer that is none
                return [*seen, str(error)]
        return seen


def test_a_fault_strikes_as_often_as_it_is_told_to(start_server):
    server = start_server(fault=Fault(Stage.PROCESSED, Ending.RST, times=2))
    assert [ask(server) for _ in range(4)] == [
        ["ConnectionResetError"],
        ["ConnectionResetError"],
        [200],
        [200],
    ]
    assert [(each.reason, each.how) for each in server.events(Kind.FAULT)] == [("processed", "rst")] * 2
    assert len(server.events(Kind.PROCESSED)) == 4


def test_it_can_spare_requests_that_may_be_repeated(start_server):
    server = start_server(fault=Fault(Stage.PROCESSED, Ending.RST, request=2, times=1, writes=True))
    assert ask(server, "GET", 3) == [200, 200, 200]
    assert ask(server, "POST", 3) == [200, "ConnectionResetError"]
    assert ask(server, "POST", 3) == [200, 200, 200]


@pytest.mark.parametrize("stage", [Stage.UNREAD, Stage.READ, Stage.PROCESSED, Stage.HALF_BODY])
def test_a_connection_can_fall_silent_while_others_are_served(start_server, stage):
    server = start_server(fault=Fault(stage, Ending.NOTHING, times=1))
    with Raw(server.address) as silent:
        silent.send()
        server.wait_for(Kind.FAULT)
        assert ask(server) == [200]
        silent.sock.setblocking(False)
        if stage is Stage.HALF_BODY:
            assert silent.sock.recv(4096).startswith(b"HTTP/1.1 200 ")
        with pytest.raises(BlockingIOError):
            silent.sock.recv(4096)
    assert len(server.events(Kind.CLOSED)) == 1


@pytest.mark.parametrize("manner", ["close", "reset", "503"])
def test_the_first_connections_are_refused_in_the_manner_of_a_full_server(start_server, manner):
    server = start_server(refuse_first=2, when_full=manner)
    first, second = ask(server), ask(server)
    assert ask(server) == [200]
    if manner == "503":
        assert first == second == [503]
    else:
        assert 200 not in (*first, *second)
    assert [each.reason for each in server.events(Kind.DROPPED)] == [manner] * 2


def test_a_fin_behind_an_answer_comes_with_it(start_server):
    """Whoever has read the answer finds the end there already: what comes next is no matter of luck."""
    server = start_server(fault=Fault(Stage.ANSWERED, Ending.FIN))
    for _ in range(20):
        with Raw(server.address) as client:
            client.send()
            assert client.response()[1] == b"ok\n"
            client.sock.setblocking(False)
            assert client.sock.recv(1) == b""
