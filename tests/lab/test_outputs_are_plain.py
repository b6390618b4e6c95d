"""Text from outside passes one place: no escape and no password in any output of any command."""

import contextlib
import signal
import socket
import struct

import pytest

from tests.conftest import DEADLINE_S, wait_until
from tests.support.packets import packet_of

ESCAPE, SECRET = "\x1b]0;owned\x07", "s3cret"
ANSWER = (
    f"HTTP/1.1 200 OK\r\nServer: a{ESCAPE}b\r\nKeep-Alive: timeout=5, x={ESCAPE}\r\n"
    "Connection: keep-alive\r\nContent-Length: 3\r\n\r\nok\n"
).encode("latin-1")


def hostile(connection):
    """Answers each request with escapes in its headers."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            connection.sendall(ANSWER)


def everything(done, *files):
    texts = [done.stdout, done.stderr, *(file.read_text() for file in files if file.exists())]
    return "\n".join(texts)


def assert_plain(text):
    assert SECRET not in text
    assert "\x1b" not in text and "\x07" not in text


@pytest.mark.parametrize(
    "command",
    [
        ["keepalive", "--interval", "10", "--requests", "3"],
        ["sweep", "10,20", "--requests", "2"],
        ["maxconn", "--clients", "2"],
        ["probe", "--budget", "3"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_ask_a_server_of_the_users(command, cli, scripted, tmp_path):
    named = "" if command[0] == "probe" else f"bob:{SECRET}@"  # probe refuses credentials
    url = f"http://{named}127.0.0.1:{scripted(hostile)[1]}/"
    target = [url] if command[0] == "probe" else ["--url", url]
    files = {"--json": tmp_path / "out.json"}
    if command[0] != "probe":
        files |= {"--csv": tmp_path / "out.csv", "--save": tmp_path / "out.jsonl"}
    outputs = [word for option, file in files.items() for word in (option, str(file))]
    done = cli.run(*command, *target, *outputs)
    assert done.returncode in (0, 3), done.stderr
    assert_plain(everything(done, *files.values()))
    if command[0] == "probe":
        return
    assert "bob:***@" in files["--json"].read_text() and "bob:***@" in files["--save"].read_text()
    shown = cli.run(*command, *target, "--show-scenario")
    assert_plain(everything(shown))
    rendered = cli.run("report", str(files["--save"]), "--json", "-")
    assert rendered.returncode == 0
    assert_plain(everything(rendered))


@pytest.mark.parametrize("command", [["keepalive", "--url"], ["probe"]], ids=lambda words: words[0])
@pytest.mark.parametrize("port", ["1", "99999"])
def test_errors_name_no_password(command, port, cli):
    done = cli.run(*command, f"http://bob:{SECRET}@127.0.0.1:{port}/")
    assert done.returncode in (2, 3)
    assert_plain(everything(done))


def test_a_scenario_of_a_file(cli, scripted, tmp_path):
    file = tmp_path / "mine.toml"
    url = f"http://bob:{SECRET}@127.0.0.1:{scripted(hostile)[1]}/"
    file.write_text(f'title = "a\\u001bb"\nurl = "{url}"\n[plan]\nrequests = 2\nintervals = "10"\n')
    assert_plain(everything(cli.run("run", str(file), "--dry-run")))
    assert_plain(everything(cli.run("scenarios", str(file))))
    assert_plain(everything(cli.run("run", str(file), "--json", "-")))


@pytest.mark.parametrize("command", [["explain", "-"], ["timeouts", "check"]], ids=lambda words: words[0])
def test_commands_that_read_text(command, cli):
    words = command[:-1] if command[-1] == "-" else command
    done = cli.run(*words, f"nginx{ESCAPE} http://bob:{SECRET}@db/")
    assert_plain(everything(done))


def test_serve_and_link_show_what_clients_send(cli, tmp_path):
    for command in (["serve", "--port", "0"], ["link", "--listen", "0", "--to", "127.0.0.1:9"]):
        ledger = tmp_path / f"{command[0]}.jsonl"
        process = cli.start(*command, "--jsonl", str(ledger))
        port = int(process.stdout.readline().split("127.0.0.1:")[1].split(",")[0].strip("/"))
        with socket.create_connection(("127.0.0.1", port)) as sock:
            target = f"/a{ESCAPE}"
            sock.sendall(
                f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {ESCAPE}\r\n\r\n".encode("latin-1")
            )
            with contextlib.suppress(OSError):
                sock.recv(65536)
        wait_until(lambda ledger=ledger: "closed" in ledger.read_text(), "the connection's end")
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=DEADLINE_S)
        assert_plain(said + complaints + ledger.read_text())


def packet(at, *, asks, flags, payload=b"", sequence=1):
    """A pcap record (LINKTYPE_RAW) between 127.0.0.1:40001 and 127.0.0.1:8080."""
    home = socket.inet_aton("127.0.0.1")
    ports = (40001, 8080) if asks else (8080, 40001)
    data = packet_of(home, home, *ports, sequence, flags, payload)
    return struct.pack("<IIII", 1_700_000_000 + at, 0, len(data), len(data)) + data


def test_diagnose_shows_what_a_capture_holds(cli, tmp_path):
    asked = f"GET /a{ESCAPE}http://bob:{SECRET}@db/ HTTP/1.1\r\nHost: h{ESCAPE}\r\n\r\n".encode("latin-1")
    answer = f"HTTP/1.1 200 OK\r\nServer: s{ESCAPE}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    file = tmp_path / "c.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    file.write_bytes(
        head
        + packet(0, asks=True, flags=0x18, payload=asked)
        + packet(1, asks=False, flags=0x18, payload=answer)
        + packet(6, asks=True, flags=0x18, payload=asked, sequence=1 + len(asked))
        + packet(7, asks=False, flags=0x04, sequence=1 + len(answer))
    )
    files = [tmp_path / "d.csv", tmp_path / "d.json"]
    done = cli.run("diagnose", str(file), "--csv", str(files[0]), "--json", str(files[1]), "--timeline")
    assert done.returncode == 0, done.stderr
    assert all(each.exists() for each in files)
    assert_plain(everything(done, *files))
    assert "/a" in everything(done, *files)
