"""What Wireshark makes of a capture: its own reader, tshark, opens it without a complaint."""

import os
import re
import shutil
import subprocess

import pytest

from econnlab.packets.reading import read_capture
from tests.conftest import DEADLINE_S
from tests.lab.test_capture import WIRED
from tests.peers.conftest import program

#: What it says to root, whatever the file.
TO_ROOT = 'Running as user "root" and group "root". This could be dangerous.'


@pytest.fixture
def tshark():
    """Runs it on a file: its lines, after a look that it warned of nothing."""
    path = program("tshark", shutil.which("tshark"))

    def read(file, *words):
        done = subprocess.run(
            [path, "-r", str(file), *words], capture_output=True, text=True, timeout=DEADLINE_S * 2
        )
        assert done.returncode == 0, done.stderr
        assert [line for line in done.stderr.splitlines() if line != TO_ROOT] == []
        return done.stdout.splitlines()

    return read


def captured(cli, *arguments):
    done = cli.run_alone(*arguments, "--capture", "run.pcapng")
    assert done.returncode == 0, done.stdout + done.stderr
    path = cli.folder / "run.pcapng"
    if not path.exists():
        pytest.skip(done.stderr)
    return path


def fields(*names):
    return ["-T", "fields", "-E", "separator=|", *(word for name in names for word in ("-e", name))]


RACE = [
    "keepalive", "--keepalive-timeout", "100", "--interval", "100", "--sessions", "4", "--requests", "4",
    "--link", "20ms~0.3",
]  # fmt: skip


def test_comments_and_nanoseconds_are_as_they_were_written(cli, tshark):
    path = captured(cli, *RACE)
    with path.open("rb") as stream:
        frames = list(read_capture(stream))
    shown = [line.split("|", 1) for line in tshark(path, *fields("frame.time_epoch", "frame.comment"))]
    assert [[int(at.replace(".", "")), comment] for at, comment in shown] == [
        [frame.at_ns, frame.comment] for frame in frames
    ]
    assert sum(comment.startswith("econnlab: request ") for _, comment in shown) == 16
    assert any(comment.startswith("econnlab: this FIN ended ") for _, comment in shown)
    assert any(frame.at_ns % 1000 for frame in frames)


def test_every_packet_is_whole_and_known(cli, tshark):
    path = captured(cli, "maxconn", "--clients", "5", "--link", "none")
    assert {line.partition(":tcp")[0] for line in tshark(path, *fields("frame.protocols"))} == {
        "eth:ethertype:ip"
    }
    assert not tshark(path, "-Y", "_ws.malformed or tcp.analysis.lost_segment or tcp.analysis.retransmission")


def test_packets_of_a_wire_are_known_without_a_link_header(cli, tshark):
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun is missing, or not this user's to open")
    (cli.folder / "wire.toml").write_text(WIRED)
    path = captured(cli, "run", "wire.toml")
    assert {line.partition(":tcp")[0] for line in tshark(path, *fields("frame.protocols"))} == {"raw:ip"}


def test_the_capture_names_its_run(cli, tshark):
    path = captured(cli, "maxconn")
    infos = program("capinfos", shutil.which("capinfos"))
    said = subprocess.run([infos, str(path)], capture_output=True, text=True, timeout=DEADLINE_S * 2)
    assert said.returncode == 0, said.stderr
    assert "econnlab 0.1.0: maxconn" in said.stdout
    assert "nanoseconds (9)" in said.stdout
    assert re.search(r"Strict time order: +True", said.stdout)
