"""A network of a run's own, and the wire in it. Whatever enters one is a process of its own: pytest stays."""

import json
import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from econnlab.errors import EnvironmentProblem, UsageProblem
from econnlab.lab.namespace import is_privileged, refusal, setting_path
from tests.conftest import DEADLINE_S, is_running, wait_until
from tests.support import warm

ROOT = Path(__file__).parents[2]
TUN = "/dev/net/tun"
#: What a test of the wire starts with: a network, a device, a server's listener, and the wire's process.
WIRE = """
    import socket, struct, time
    from decimal import Decimal
    from econnlab.system.clock import now
    from econnlab.lab.children import Child
    from econnlab.link.tun.device import FAR, NEAR, open_device
    from econnlab.record.events import Kind
    from econnlab.link.settings import WireSettings
    from econnlab.scenario.links import Delay, LinkSpec

    class Handed:
        def __init__(self, device, port):
            self.fileno, self.close, self.port = device.fileno, device.close, port
        def getsockname(self):
            return FAR, self.port

    enter(SETTINGS)
    device = open_device()
    listener = socket.create_server((NEAR, 0), backlog=10)
    port = listener.getsockname()[1]
    ways = [Delay(Decimal(ms), Decimal(0)) for ms in DELAYS]
    settings = WireSettings(spec=LinkSpec("custom", *ways), seed=1, port=port)
    wire = Child("econnlab.link.tun", Handed(device, port), settings)
    wire.wait_until_listening()

    def events():
        wire.sync()
        return [[e.kind, e.side, e.connection] for e in wire.take_events() if e.side]

    def connect():
        return socket.create_connection((FAR, port), timeout=DEADLINE_S)
"""


def run(code, **names):
    """What ``code`` gives to ``say``, in a process that has ``enter`` and ``names``."""
    head = f"""
        import json
        from econnlab.errors import EnvironmentProblem, UsageProblem
        from econnlab.lab.namespace import enter
        DEADLINE_S = {DEADLINE_S}
        def say(value): print(json.dumps(value))
    """
    given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    whole = textwrap.dedent(head) + given + textwrap.dedent(code)
    done = subprocess.run(
        warm.python(whole), capture_output=True, text=True, timeout=DEADLINE_S * 2, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_on_wire(code, delays=(20, 20), **settings):
    return run(textwrap.dedent(WIRE) + textwrap.dedent(code), DELAYS=delays, SETTINGS=settings)


@pytest.fixture(scope="module")
def network():
    """Skips, with the reason, where the system itself refuses; anything else that goes wrong is a failure."""
    refused = run("""
        try:
            enter({})
        except EnvironmentProblem as problem:
            say(problem.message)
        else:
            say(None)
    """)
    if refused:
        pytest.skip(refused)


@pytest.fixture(scope="module")
def tun(network):
    """Skips where this user may not open the TUN device."""
    if not os.access(TUN, os.R_OK | os.W_OK):
        pytest.skip(f"{TUN} is missing, or not this user's to open")


def value_outside(name):
    return Path(f"/proc/sys/net/ipv4/{name}").read_text().split()


# -- the network ----------------------------------------------------------------------------------


def test_settings_hold_inside_and_in_what_is_started_there_and_nowhere_else(network):
    before = value_outside("tcp_abort_on_overflow"), value_outside("ip_local_port_range")
    own = os.readlink("/proc/self/ns/net")
    inside = run("""
        import os, subprocess
        enter({"tcp_abort_on_overflow": "1", "net.ipv4.ip_local_port_range": "40000 40009"})
        names = "tcp_abort_on_overflow", "ip_local_port_range"
        files = [f"/proc/sys/net/ipv4/{name}" for name in names]
        child = subprocess.run(["cat", *files], capture_output=True, text=True, check=True)
        say([child.stdout.split(), os.readlink("/proc/self/ns/net")])
    """)
    assert inside[0] == ["1", "40000", "40009"]
    assert inside[1] != own
    assert (value_outside("tcp_abort_on_overflow"), value_outside("ip_local_port_range")) == before


def test_loopback_is_up_and_empty(network):
    assert run("""
        import socket
        enter({})
        with socket.create_server(("127.0.0.1", 8080)) as listener:
            with socket.create_connection(("127.0.0.1", 8080), timeout=DEADLINE_S) as client:
                served, _ = listener.accept()
                served.sendall(b"x")
                say([client.recv(1).decode(), len(open("/proc/net/tcp").readlines())])
    """) == ["x", 4]


def test_the_user_and_the_user_s_files_stay_as_they_are(network, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    secret.chmod(0o600)
    ids = run(
        """
        import os
        enter({})
        with open(PATH) as file:
            assert file.read() == "mine"
        open(PATH + ".new", "w").close()
        say([os.getuid(), os.geteuid(), os.getgid(), os.stat(PATH).st_uid])
        """,
        PATH=str(secret),
    )
    assert ids == [os.getuid(), os.geteuid(), os.getgid(), os.stat(secret).st_uid]
    assert os.stat(f"{secret}.new").st_uid == os.getuid()


def test_ten_local_ports_make_ten_connections(network):
    """connect(2): EADDRNOTAVAIL, as with a busy host's TIME_WAIT sockets."""
    assert (
        run("""
        import errno, socket
        enter({"ip_local_port_range": "40000 40009"})
        listener = socket.create_server(("127.0.0.1", 8080), backlog=20)
        clients, met = [], []
        for _ in range(20):
            clients.append(socket.socket())
            number = clients[-1].connect_ex(("127.0.0.1", 8080))
            met.append(errno.errorcode.get(number, "ok"))
        say(met)
    """)
        == ["ok"] * 10 + ["EADDRNOTAVAIL"] * 10
    )


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"no_such_setting": "1"}, "UsageProblem", "no_such_setting is not a setting"),
        ({"net.ipv4": "1"}, "UsageProblem", "net.ipv4 is not a setting"),
        ({"tcp_abort_on_overflow": "nonsense"}, "UsageProblem", "tcp_abort_on_overflow cannot be 'nonsense'"),
        ({"tcp_abort_on_overflow": "1 2"}, "UsageProblem", "it became '1'"),
        ({"ip_local_port_range": "9 1"}, "UsageProblem", "ip_local_port_range cannot be '9 1'"),
        ({"tcp_abort_on_overflow": ""}, "UsageProblem", "printable"),
        ({"tcp_congestion_control": "nonsense"}, "UsageProblem", "cannot be 'nonsense'"),
        ({"tcp_available_congestion_control": "reno"}, "EnvironmentProblem", "cannot be set"),
    ],
)
def test_a_setting_that_cannot_be_is_named(network, settings, kind, said):
    met = run(
        """
        try:
            enter(SETTINGS)
        except (EnvironmentProblem, UsageProblem) as problem:
            say([type(problem).__name__, problem.message, problem.hint])
        """,
        SETTINGS=settings,
    )
    assert met[0] == kind
    assert said in met[1]
    assert met[2]


def test_a_process_of_several_threads_is_not_moved_in_part(network):
    assert run("""
        import os, threading
        before = os.readlink("/proc/self/ns/net")
        release = threading.Event()
        threading.Thread(target=release.wait).start()
        try:
            enter({})
        except RuntimeError as error:
            say([str(error).split(" and ")[0], os.readlink("/proc/self/ns/net") == before])
        release.set()
    """) == ["the process has 2 threads", True]


# -- what needs no network ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "/etc/passwd", "../core/somaxconn", "tcp/../x", "net/ipv4/tcp_sack"),
        *("net.", "net..ipv4.x", "net.ipv4.../x", "kernel.hostname", "vm.swappiness", "tcp_sack\n", "a\0b"),
    ],
)
def test_a_name_leads_nowhere_but_below_proc_sys_net(name):
    with pytest.raises(UsageProblem, match="not the name of a network setting"):
        setting_path(name)


def test_a_setting_is_found_by_its_short_and_by_its_whole_name():
    assert setting_path("tcp_sack") == setting_path("net.ipv4.tcp_sack") == "/proc/sys/net/ipv4/tcp_sack"
    assert setting_path("net.core.somaxconn") == "/proc/sys/net/core/somaxconn"


@pytest.mark.parametrize(
    ("capabilities", "privileged"),
    [("000001ffffffffff", True), ("0000000000201000", True), ("0000000000200000", False), ("0", False)],
)
def test_privilege_is_two_capabilities_and_not_a_user_id(capabilities, privileged):
    assert is_privileged(f"Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t{capabilities}\n") is privileged


@pytest.mark.parametrize(
    ("number", "files", "said", "hint"),
    [
        (1, {"/proc/sys/kernel/unprivileged_userns_clone": "0\n"}, "unprivileged_userns_clone is 0", "=1"),
        (
            1,
            {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"},
            "apparmor_restrict_unprivileged_userns is 1",
            "=0",
        ),
        (28, {"/proc/sys/user/max_user_namespaces": "0\n"}, "user.max_user_namespaces is 0", "=1000"),
        (28, {"/proc/sys/user/max_net_namespaces": "0\n"}, "user.max_net_namespaces is 0", "=1000"),
        (28, {"/proc/sys/user/max_net_namespaces": "100\n"}, "as many namespaces", "lsns"),
        (1, {"/proc/self/status": "Name:\tx\nSeccomp:\t2\n"}, "seccomp", "--privileged"),
        (22, {}, "no network or user namespaces", "kernel"),
        (1, {}, "Operation not permitted", "root"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(number, files, said, hint):
    problem = refusal(OSError(number, os.strerror(number)), privileged=False, read=files.get)
    assert isinstance(problem, EnvironmentProblem)
    assert said in problem.message
    assert hint in problem.hint


def test_limits_of_ordinary_users_are_no_reason_for_root():
    files = {
        "/proc/sys/kernel/unprivileged_userns_clone": "0\n",
        "/proc/sys/user/max_user_namespaces": "0\n",
    }
    problem = refusal(OSError(1, "Operation not permitted"), privileged=True, read=files.get)
    assert "Operation not permitted" in problem.message


# -- the wire -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("to_server", "to_client"), [(0, 0), (30, 10), (10, 30)])
def test_packets_take_their_time_each_way_the_handshake_s_as_well(tun, to_server, to_client):
    connected, served, answered = run_on_wire(
        """
        began = now()
        client = connect()
        connected = now()
        server, _ = listener.accept()
        sent = now()
        client.sendall(b"question")
        assert server.recv(100) == b"question"
        served = now()
        server.sendall(b"answer")
        assert client.recv(100) == b"answer"
        say([connected - began, served - sent, now() - served])
        wire.stop()
        """,
        delays=(to_server, to_client),
    )
    assert connected >= (to_server + to_client) / 1000
    assert served >= to_server / 1000
    assert answered >= to_client / 1000


def test_many_megabytes_pass_unharmed_both_ways(tun):
    assert run_on_wire(
        """
        import hashlib, threading
        data = bytes(range(256)) * 20_000
        def echo():
            server, _ = listener.accept()
            while chunk := server.recv(65536):
                server.sendall(chunk)
            server.close()
        threading.Thread(target=echo, daemon=True).start()
        client = connect()
        def send():
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        threading.Thread(target=send, daemon=True).start()
        back = b""
        while chunk := client.recv(65536):
            back += chunk
        say(hashlib.sha256(back).digest() == hashlib.sha256(data).digest())
        wire.stop()
        """,
        delays=(1, 1),
    )


def test_the_ledger_tells_who_closed_first(tun):
    """The keep-alive race on the wire: the request crosses the server's FIN and meets an RST."""
    raced, reset = run_on_wire(
        """
        client = connect()
        server, _ = listener.accept()
        server.close()
        client.sendall(b"late")
        assert client.recv(100) == b""
        deadline = now() + DEADLINE_S
        raced = []
        while Kind.RST not in [kind for kind, *_ in raced] and now() < deadline:
            raced += events()
        client.close()

        client = connect()
        server, _ = listener.accept()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()
        try:
            client.recv(100)
        except ConnectionResetError:
            say([raced, events()])
        wire.stop()
        """
    )
    assert [(kind, side) for kind, side, number in raced if number == 1][:5] == [
        ("syn", "client"),
        ("syn", "server"),
        ("fin", "server"),
        ("bytes", "client"),
        ("rst", "server"),
    ]
    assert [(kind, side) for kind, side, number in reset if number == 2] == [
        ("syn", "client"),
        ("syn", "server"),
        ("rst", "server"),
    ]


def test_the_ledger_names_both_addresses_of_a_connection(tun):
    accepted, connected, own, seen = run_on_wire(
        """
        client = connect()
        server, peer = listener.accept()
        wire.sync()
        by_kind = {event.kind: event for event in wire.take_events()}
        say([by_kind["accepted"].peer, by_kind["connected"].local, client.getsockname(), peer])
        wire.stop()
        """
    )
    assert accepted == "{}:{}".format(*own)
    assert connected == "{}:{}".format(*seen)


@pytest.mark.parametrize(("abort", "resets"), [("0", 0), ("1", 2)])
def test_a_full_accept_queue_loses_who_has_connected(tun, abort, resets):
    """tcp_check_req(): the handshake's last packet finds the queue full; tcp_abort_on_overflow decides.

    Three fit into a queue of 2 (sk_acceptq_is_full()). Two come first, then three while one slot is
    free: their SYNs are all answered before the first of them takes it.
    """
    assert run_on_wire(
        """
        import select
        listener.listen(2)
        clients = [connect(), connect()]
        for _ in range(3):
            clients.append(socket.socket())
            clients[-1].setblocking(False)
            clients[-1].connect_ex((FAR, port))
        for client in clients:
            assert select.select([], [client], [], DEADLINE_S)[1]
        def overflows():
            names, values = [line.split() for line in open("/proc/net/netstat").readlines()[:2]]
            return int(values[names.index("ListenOverflows")])
        deadline = now() + DEADLINE_S
        while overflows() < 2 and now() < deadline:
            time.sleep(0.005)
        listener.setblocking(False)
        accepted = []
        try:
            while True:
                accepted.append(listener.accept())
        except BlockingIOError:
            pass
        resets = []
        while len(resets) < RESETS and now() < deadline:
            resets += [side for kind, side, _ in events() if kind == Kind.RST]
        say([len(accepted), resets])
        wire.stop()
        """.replace("RESETS", str(resets)),
        delays=(50, 50),
        tcp_abort_on_overflow=abort,
    ) == [3, ["server"] * resets]


def test_the_wire_ends_with_who_started_it(tun):
    pid = run_on_wire(
        """
        import os
        say(wire.pid)
        sys.stdout.flush()
        os._exit(0)
        """
    )
    wait_until(lambda: not is_running(pid), "the end of the wire's process")


def test_without_a_right_to_the_device_it_says_so(network):
    """None there, none that is one, and a device of another kind: never a bare OSError."""
    said = run("""
        import os
        import econnlab.link.tun.device as device
        enter({})
        met = []
        for path in ("/dev/null/none", "/no/such/device", "/dev/null"):
            device._PATH = path
            try:
                device.open_device()
            except EnvironmentProblem as problem:
                met.append(problem.message + problem.hint)
        say(met)
    """)
    assert len(said) == 3
    assert "modprobe tun" in said[1]
