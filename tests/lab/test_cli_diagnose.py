"""``diagnose`` and ``--timeline`` on what has just happened, and on a pipe that Ctrl-C ends."""

import fcntl
import io
import re
import signal
import struct
import subprocess
import termios

import pytest

from econnlab.packets.frames import ETHERNET
from econnlab.packets.writing import PcapngWriter
from tests.conftest import DEADLINE_S, wait_until
from tests.support.talk import Talk, captured


@pytest.fixture
def raced(cli):
    """A run with ten races, drawn, and its capture; skips where nobody may capture."""
    done = cli.run_alone("run", "keepalive-race", "--timeline", "--capture", "run.pcapng")
    assert done.returncode == 0, done.stderr
    if not (cli.folder / "run.pcapng").exists():
        pytest.skip(done.stderr)
    return done.stdout


def test_a_timeline_shows_the_crossing_and_says_the_verdict_under_it(raced):
    ladder = raced[raced.index("ms  client") :]
    assert re.match(r"ms  client +link +server", ladder)
    # What does not fit beside a packet goes below it, between the rails.
    steps = [line for line in ladder.splitlines() if re.match(r" *[0-9]+\.[0-9]{3}  | {11}│", line)]
    assert "SYN" in steps[0]
    fin = next(number for number, step in enumerate(steps) if " FIN " in step)
    late = next(number for number, step in enumerate(steps) if re.search(r"ms after the (FIN|RST)", step))
    assert fin < late
    assert "GET / HTTP/1.1" in steps[late] + steps[late - 1]
    assert re.search(r"^Error   .*keepalive_race: server closed this connection", ladder, re.MULTILINE)


def test_the_capture_of_a_run_is_diagnosed_as_the_run_was(cli, raced):
    done = cli.run("diagnose", "run.pcapng")
    assert done.returncode == 0, done.stderr
    assert "keepalive_race 10: " in done.stdout
    assert "At least 10 requests got no whole answer;" in done.stdout


def test_ctrl_c_ends_a_pipeline_with_a_report(cli):
    """The capture's end does not come, Ctrl-C does: what has come is told."""
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface("eth0", ETHERNET)
    for number in range(3):
        talk = Talk(port=40000 + number).open().talk(0.01).fin(5.015).ask(5.016).arrives(at="client")
        for frame in captured(talk.no_socket(5.017)):
            writer.packet(0, frame.at_ns, frame.data, frame.length)
    process = cli.start("diagnose", "-", stdin=subprocess.PIPE, text=False)
    process.stdin.write(stream.getvalue())
    process.stdin.flush()
    wait_until(lambda: unread(process.stdin) == 0, "the capture to be read")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert b"keepalive_race 3" in out
    assert process.returncode == 130


def unread(pipe):
    """Bytes that nobody has taken out of it yet (ioctl_pipe: FIONREAD)."""
    return struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, b"\0" * 4))[0]


def test_ctrl_c_ends_a_pipeline_that_goes_on(cli):
    """The other end keeps the pipe open: the first Ctrl-C is enough all the same."""
    process = cli.start("diagnose", "-", stdin=subprocess.PIPE, text=False)
    talk = Talk().open().talk(0.01).ask(1.0).arrives(at="server").fin(1.5)
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface("eth0", ETHERNET)
    for frame in captured(talk):
        writer.packet(0, frame.at_ns, frame.data, frame.length)
    process.stdin.write(stream.getvalue())
    process.stdin.flush()
    wait_until(lambda: unread(process.stdin) == 0, "the capture to be read")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=DEADLINE_S) == 130
    assert b"reset_after_processing" in process.stdout.read()
    process.communicate()
