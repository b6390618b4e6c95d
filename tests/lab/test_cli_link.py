"""``econnlab link``: the link alone, in front of real sockets of the test, told what to do while it runs."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import threading

import pytest

from econnlab.lab.children import Child
from econnlab.lab.listeners import bind
from econnlab.link.settings import LinkSettings
from econnlab.record.events import Kind
from econnlab.scenario.places import Place
from econnlab.scenario.treatment import Treatment
from econnlab.system.clock import now
from tests.conftest import DEADLINE_S, Cli, children_of, is_running, until, wait_until
from tests.support.raw import Raw
from tests.support.standing import Standing, echo, echo_server, read_all

AS_IT_COMES = {"delay": "0ms", "idle-drop": None, "reset-after": None, "limit": None, "fail-first": 0}


def quiet(connection):
    """Reads, and says nothing."""
    with contextlib.suppress(ConnectionError):
        read_all(connection)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


@pytest.fixture
def standing(cli):
    return lambda upstream, *options, **settings: Standing(cli, upstream, *options, **settings)


@pytest.fixture(scope="module")
def long_standing(tmp_path_factory):
    """One link for all tests that only say something to it: starting one takes longer than they do."""
    cli = Cli(tmp_path_factory.mktemp("link"))
    with echo_server() as upstream:
        # pytest imports readline, which sets COLUMNS.
        unset = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        yield Standing(cli, upstream, "--api", "0", env=unset)
        cli.close()


@pytest.fixture
def shared(long_standing):
    """It, passing everything on as it comes, with no connection."""
    long_standing.post("resume", {})
    long_standing.post("settings", AS_IT_COMES)
    assert long_standing.post("reset", {}).json()["connections"] == []
    long_standing.say("status", "0 connections open")  # printed after the lines of all that was before
    long_standing.forget_lines()
    return long_standing


def echoed(client, data=b"hello"):
    client.sock.sendall(data)
    back = b""
    while len(back) < len(data):
        back += client.sock.recv(len(data))
    return back == data


def comes_not(client, within_s=0.15):
    client.sock.settimeout(within_s)
    with pytest.raises(TimeoutError):
        client.sock.recv(1)
    client.sock.settimeout(DEADLINE_S)
    return True


# -- what it passes on ------------------------------------------------------------------------------


def test_it_passes_everything_on_and_sums_up(standing, scripted):
    link = standing(scripted(echo))
    children = children_of(link.process.pid)
    with link.connect() as client:
        client.sock.sendall(b"x" * 100)
        client.sock.shutdown(socket.SHUT_WR)
        assert read_all(client.sock) == b"x" * 100
    link.wait_for("#1 .*ended, 100 bytes to the server, 100 to the client")
    assert link.seen("#1 .*FIN from the client") and link.seen("#1 .*FIN from the server")
    assert link.end(signal.SIGINT) == 130
    assert link.seen(r"^1 connection \(at most 1 at a time\), 100 bytes to the server, 100 to the client$")
    assert link.seen("^resets and drops: none$")
    assert not any(map(is_running, children))
    assert link.complaints == []


def test_the_ledger_on_stdout_has_the_plan_and_the_end_of_each_connection(standing, scripted):
    link = standing(scripted(echo), "--jsonl", "-", "--link", "1ms~0.3/0ms", "--reset-after", "5")
    with link.connect() as client:
        client.sock.sendall(b"0123456789")
        assert client.sock.recv(10) == b"01234"
        assert client.ending() == "rst"
    link.wait_for("#1 .*ended, 10 bytes to the server, 5 to the client")
    link.end(signal.SIGTERM)
    assert "resets and drops: reset after so many bytes 1" in link.complaints
    events = [json.loads(line) for line in link.lines]
    of_one = {event["kind"]: event for event in events if event.get("connection") == 1}
    assert list(of_one)[:2] == ["accepted", "connected"]
    assert of_one["accepted"]["plan"] == {
        "delay": "1ms~0.3/0ms", "idle-drop": None, "reset-after": "5 to-client", "limit": None,
        "fail-first": False,
    }  # fmt: skip
    assert of_one["reset"]["reason"] == "reset_after"
    assert (of_one["closed"]["to_server"], of_one["closed"]["to_client"]) == (10, 5)


@pytest.mark.parametrize("delay", ["0ms", "1ms~0.5"])
def test_megabytes_arrive_unharmed_both_ways_at_once(shared, delay):
    data = os.urandom(1 << 20) * 6
    shared.say(f"delay {delay}")
    with shared.connect() as client:
        sender = threading.Thread(
            target=lambda: (client.sock.sendall(data), client.sock.shutdown(socket.SHUT_WR))
        )
        sender.start()
        back = read_all(client.sock)
        sender.join()
    assert hashlib.sha256(back).digest() == hashlib.sha256(data).digest()
    shared.wait_for(f"ended, {len(data):,} bytes to the server, {len(data):,} to the client")


def test_a_side_that_is_not_read_holds_up_the_other(standing, scripted):
    release = threading.Event()
    link = standing(scripted(lambda connection: (release.wait(DEADLINE_S), quiet(connection))))
    with link.connect() as client:
        client.sock.settimeout(0.3)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 200_000_000:
                sent += client.sock.send(b"x" * 1_000_000)
        assert sent < 50_000_000
        release.set()
        client.sock.settimeout(DEADLINE_S)
        client.sock.sendall(b"x" * 10_000_000)


def test_an_rst_of_either_end_is_an_rst_with_all_that_came_before_it(standing, scripted):
    ends = []

    def serve(connection):
        if connection.recv(1) == b"r":
            connection.sendall(b"answer")
            reset(connection)
            return
        try:
            ends.append(connection.recv(1))
        except ConnectionResetError:
            ends.append("rst")

    link = standing(scripted(serve))
    with link.connect() as client:
        client.sock.sendall(b"r")
        assert client.sock.recv(100) == b"answer"
        assert client.ending() == "rst"
    client = link.connect()
    client.sock.sendall(b"x")
    link.wait_for("#1 .*ended")
    client.reset()
    wait_until(lambda: ends, "the server's end")
    assert ends == ["rst"]
    link.wait_for("#2 .*ended")
    assert not link.seen("FIN from")


def test_hundreds_of_connections_at_once(shared):
    clients = [shared.connect() for _ in range(300)]
    assert all(echoed(client, b"%d" % number) for number, client in enumerate(clients))
    assert len(shared.status()["connections"]) == 300
    for client in clients:
        client.sock.close()
    wait_until(lambda: not shared.status()["connections"], "their ends")


# -- the upstream -----------------------------------------------------------------------------------


def test_an_ipv6_address_in_brackets(standing):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as upstream:
        link = standing(f"[::1]:{upstream.getsockname()[1]}")
        with link.connect() as client:
            served, _ = upstream.accept()
            with served:
                served.sendall(b"hello")
                assert client.sock.recv(5) == b"hello"


def test_a_name_is_tried_at_each_of_its_addresses(scripted):
    """As localhost where ::1 comes first and the server listens on 127.0.0.1."""
    upstreams = tuple(Place(*each) for each in [("::1", 1), ("127.0.0.1", 1), scripted(echo)])
    settings = LinkSettings(treatment=Treatment(), seed=1, upstreams=upstreams)
    child = Child("econnlab.link", bind("127.0.0.1", 0), settings)
    try:
        child.wait_until_listening()
        for _ in range(2):
            with Raw(("127.0.0.1", child.port)) as client:
                assert echoed(client)
    finally:
        child.stop()
    kinds = [event.kind for event in child.take_events()]
    assert (kinds.count(Kind.CONNECTED), kinds.count(Kind.CONNECT_FAILED)) == (2, 0)


def test_an_upstream_that_goes_and_comes_back(standing):
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        place = upstream.getsockname()
        link = standing(place)
        client = link.connect()
        served, _ = upstream.accept()
        reset(served)
        assert client.ending() == "rst"
        client.sock.close()
    with link.connect() as first:  # it has been accepted before the link could know
        assert first.ending() == "rst"
    link.wait_for("the upstream cannot be reached: Connection refused")
    with pytest.raises(ConnectionRefusedError):
        link.connect()
    with socket.create_server(place) as upstream:

        def answered():
            with contextlib.suppress(ConnectionRefusedError):
                return link.connect()

        with wait_until(answered, "the link to listen again") as client:
            client.sock.sendall(b"x")
            came = b""
            while not came:  # the link looked first, with a connection of its own
                served, _ = upstream.accept()
                with served:
                    came = served.recv(1)


# -- what it does to connections ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["silent", "rst"])
def test_idle_connections_are_forgotten(shared, how):
    shared.say(f"idle-drop 150ms {how}")
    with shared.connect() as client:
        assert echoed(client)
        until(now() + 0.2)
        client.sock.sendall(b"hello")
        assert client.ending() == "rst" if how == "rst" else comes_not(client)
        shared.wait_for("forgotten: .* ms idle")
        shared.wait_for(
            "5 bytes from the client: " + ("answered with RST" if how == "rst" else "dropped silently")
        )
    with shared.connect() as another:
        assert echoed(another)


@pytest.mark.parametrize(
    ("size", "counted", "to_server", "to_client"),
    [
        (1000, "to-client", 4000, 1000),
        (1000, "to-server", 1000, None),
        (3_000_000, "to-client", None, 3_000_000),
    ],
)
def test_reset_after_so_many_bytes_lets_exactly_those_through(shared, size, counted, to_server, to_client):
    shared.say(f"reset-after {size} {counted}")
    data = b"x" * max(4000, 2 * size)
    came = 0
    told = []  # the kernel tells of an RST once (sk->sk_err): in whichever call meets it
    with shared.connect() as client:

        def send():
            try:
                client.sock.sendall(data)
            except ConnectionError as error:
                told.append(type(error))

        sender = threading.Thread(target=send)
        sender.start()
        try:
            while chunk := client.sock.recv(4096):
                came += len(chunk)
        except ConnectionError as error:
            told.append(type(error))
        sender.join()
    assert told.count(ConnectionResetError) == 1
    end = shared.wait_for(r"ended, (\S+) bytes to the server, (\S+) to the client")
    passed = [int(figure.replace(",", "")) for figure in end.groups()]
    assert to_server in (None, passed[0])
    assert to_client in (None, passed[1])
    assert came == passed[1]


@pytest.mark.parametrize("when_full", ["close", "reset"])
def test_one_connection_too_many(shared, when_full):
    shared.say(f"limit 1 {when_full}")
    with shared.connect() as first:
        assert echoed(first)
        with shared.connect() as second:
            assert second.ending() == {"close": "fin", "reset": "rst"}[when_full]
        assert echoed(first)
    wait_until(lambda: not shared.status()["connections"], "the first one's end")
    with shared.connect() as third:
        assert echoed(third)


def test_one_connection_too_many_waits_its_turn(shared):
    shared.say("limit 1 queue")
    with shared.connect() as first, shared.connect() as second:
        assert echoed(first)
        second.sock.sendall(b"hello")
        assert comes_not(second)
        first.sock.close()
        assert second.sock.recv(5) == b"hello"


def test_the_first_ones_fail_and_then_all_is_well(shared):
    assert "the next 2 connections are reset" in shared.say("fail-first 2")
    for _ in range(2):
        with shared.connect() as client:
            assert client.ending() == "rst"
    for _ in range(2):
        with shared.connect() as client:
            assert echoed(client)
    assert shared.status()["settings"]["fail-first"] == 0


def test_every_option_says_what_an_order_says(standing):
    link = standing(
        "127.0.0.1:1", "--api", "0", "--link", "wan", "--idle-drop", "2s", "--idle-drop-with", "rst",
        "--reset-after", "1000", "--reset-counts", "both", "--max-connections", "5", "--when-full", "queue",
        "--fail-first", "3",
    )  # fmt: skip
    assert link.status()["settings"] == {
        "delay": "wan", "idle-drop": "2s rst", "reset-after": "1000 both", "limit": "5 queue", "fail-first": 3
    }  # fmt: skip


# -- what one may say to it ---------------------------------------------------------------------------


def test_lines_on_stdin_change_it_and_their_end_does_not_end_it(standing, scripted):
    link = standing(scripted(echo))
    with link.connect() as client, link.connect() as other:
        assert echoed(client) and echoed(other)
        link.say("delay 60ms/0ms")  # holds for what is open already
        began = now()
        assert echoed(client)
        assert now() - began >= 0.06
        link.say("delay off")
        link.say("pause", "paused")
        client.sock.sendall(b"held")
        assert comes_not(client)
        assert "paused" in link.say("status", "->")
        link.say("resume", "resumed")
        assert client.sock.recv(4) == b"held"
        link.say("reset 1", "#1     reset, as asked")
        assert client.ending() == "rst"
        assert echoed(other)
        assert link.say("reset 1", "Connection 1") == "Connection 1 is not open."
        link.say("frobnicate", "'frobnicate' is not one of delay, idle-drop")
        link.say("delay soon", "not a link")
        link.say("help", "fail-first N")
        link.close_stdin()
        assert echoed(other)
    link.wait_for("#2 .*ended")
    assert link.process.poll() is None


def test_a_new_connection_waits_while_all_is_paused(shared):
    shared.say("pause", "paused")
    with shared.connect() as client:
        client.sock.sendall(b"hello")
        assert comes_not(client)
        shared.say("resume", "resumed")
        assert client.sock.recv(5) == b"hello"


def test_an_rst_that_comes_while_it_is_paused_is_passed_on_afterwards(standing, scripted):
    ends = []

    def serve(connection):
        connection.sendall(b"!")
        try:
            ends.append(connection.recv(1))
        except ConnectionResetError:
            ends.append("rst")

    link = standing(scripted(serve))
    client = link.connect()
    assert client.sock.recv(1) == b"!"
    link.say("pause 1", "paused")
    client.reset()
    until(now() + 0.1)
    assert ends == []
    link.say("resume 1", "resumed")
    wait_until(lambda: ends, "the server's end")
    assert ends == ["rst"]


def test_the_http_interface(shared):
    with shared.connect() as client:
        assert echoed(client)
        (row,) = shared.status()["connections"]
        assert (row["peer"], row["state"], row["to_server"], row["to_client"]) == (client.local, "open", 5, 5)

        answer = shared.post("settings", {"idle-drop": "1h rst", "limit": 7})
        assert answer.json()["settings"] == {**AS_IT_COMES, "idle-drop": "3600s rst", "limit": "7 close"}
        answer = shared.post("settings", {"limit": None, "delay": "yesterday"})
        assert answer.status_code == 400 and "yesterday" in answer.json()["error"]
        assert shared.status()["settings"]["limit"] == "7 close"  # all of it, or none

        assert shared.post("reset", {"connection": 1_000_000}).status_code == 404
        assert shared.post("pause", {}).json()["paused"]
        assert not shared.post("resume", {}).json()["paused"]
        assert shared.post("reset", {"connection": row["connection"]}).json()["connections"] == []
        assert client.ending() == "rst"


def test_the_http_interface_is_not_for_web_pages(shared):
    change = {"delay": "1s"}
    assert shared.post("settings", change, Host="evil.example").status_code == 403
    assert shared.post("settings", change, Origin="http://evil.example").status_code == 403
    assert shared.post("settings", change, **{"Content-Type": "text/plain"}).status_code == 415
    assert shared.post("settings", {"x": "y" * 100_000}).status_code == 413
    host, port = shared.api.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as sock:
        sock.sendall(b"nonsense\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400")
    assert shared.status()["settings"] == AS_IT_COMES


# -- its end --------------------------------------------------------------------------------------------


def test_a_link_that_dies_is_reported_as_such(standing, scripted):
    link = standing(scripted(echo))
    (child,) = children_of(link.process.pid)
    os.kill(child, signal.SIGKILL)
    assert link.process.wait(DEADLINE_S) == 3
    link.wait_for("The lab's link process was killed by SIGKILL")


def test_a_killed_command_leaves_nothing_behind(standing, scripted):
    link = standing(scripted(echo))
    (child,) = children_of(link.process.pid)
    link.end(signal.SIGKILL)
    wait_until(lambda: not is_running(child), "the link's end")


def test_a_reader_that_leaves_ends_it_quietly(cli, scripted):
    process = cli.start("link", "--listen", "0", "--to", "{}:{}".format(*scripted(echo)))
    host, _, port = process.stdout.readline().split()[2].rstrip(",").partition(":")
    process.stdout.close()
    with contextlib.suppress(ConnectionError), socket.create_connection((host, int(port))) as sock:
        sock.recv(1)
    assert process.wait(DEADLINE_S) == 141
    assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--listen", "0", "--to", "5432"], 2, "does not name a host and a port"),
        (["--listen", "0", "--to", "http://localhost:80/"], 2, "is a URL"),
        (["--listen", "0", "--to", "::1:80"], 2, "without brackets"),
        (["--listen", "70000", "--to", "localhost:80"], 2, "is not a port"),
        (["--listen", "0", "--to", "localhost:80", "--idle-drop", "0"], 2, "0 ms"),
        (["--listen", "0", "--to", "no-such-host.invalid:80"], 3, "cannot be resolved"),
        (["--listen", "203.0.113.1:0", "--to", "localhost:80"], 3, "Cannot listen on 203.0.113.1"),
        (["--listen", "0", "--to", "localhost:80", "--jsonl", "no/such/file"], 3, "cannot be written"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(cli, arguments, code, said):
    done = cli.run("link", *arguments)
    assert done.returncode == code
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_and_a_link_to_itself(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = cli.run("link", "--listen", port, "--to", "127.0.0.1:1")
        assert (done.returncode, "--listen 0" in done.stderr) == (3, True)
    done = cli.run("link", "--listen", port, "--to", f"127.0.0.1:{port}")
    assert (done.returncode, "itself" in done.stderr) == (2, True)
