"""``econnlab watch`` through the door a user takes: real losses in a network of the test's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from econnlab.packets.reading import read_capture
from tests.conftest import DEADLINE_S

ROOT = Path(__file__).parents[2]
#: Losses of this kind come by chance: 36 % of 40 requests; none at all in fewer than one of ten million runs.
RACE = [
    "keepalive", "--keepalive-timeout", "100", "--interval", "100", "--sessions", "8", "--requests", "5",
    "--link", "20ms~0.3",
]  # fmt: skip
QUIET = ["keepalive", "--keepalive-timeout", "5000", "--interval", "20", "--requests", "5", "--link", "none"]
METRICS = 9464
#: Each test starts some ten processes.
pytestmark = pytest.mark.timeout(DEADLINE_S * 8)


def watched(**asked):
    if os.geteuid():
        pytest.skip("what the test starts takes another program: exec(2) drops the right to capture")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.watched"],
        input=json.dumps(asked), capture_output=True, text=True, timeout=DEADLINE_S * 6, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    if "cannot" in found:
        pytest.skip(found["cannot"])
    return found


@pytest.fixture(scope="module")
def lossy(tmp_path_factory):
    """A watch with everything asked for, beside a lossy run; and the folder of its saved failures."""
    folder = tmp_path_factory.mktemp("watch") / "losses"
    pytest.importorskip("prometheus_client")
    options = ["--every", "300ms", "--save-failures", str(folder), "--metrics", str(METRICS)]
    found = watched(watch=options, traffic=RACE, until="keepalive_race (", metrics=METRICS)
    return found, folder


def test_losses_are_told_with_their_cause_while_it_runs(lossy):
    found, _ = lossy
    live = found["out"].partition("TCP connection")[0]
    assert "keepalive_race (" in live
    assert "ms idle" in live
    assert " packets, " in live
    assert "the capture dropped 0 packets" in live


def test_ctrl_c_ends_it_with_the_summary_and_130(lossy):
    found, _ = lossy
    assert found["code"] == 130, found["err"]
    assert "At least" in found["out"]
    assert "closes idle after" in found["out"]
    assert "What to do" in found["out"]
    assert not found["left"]


def test_each_lost_request_has_a_file_with_its_packets_and_the_verdict(lossy):
    found, folder = lossy
    files = sorted(folder.iterdir())
    assert f"{len(files)} failures saved" in found["err"]
    assert files
    for path in files:
        with path.open("rb") as stream:
            frames = list(read_capture(stream))
        (said,) = [frame.comment for frame in frames if frame.comment]
        cause = path.name.split("-")[3]
        assert said.startswith("econnlab: ")
        assert cause in said
        assert any(b"GET / HTTP/1.1" in frame.data for frame in frames)
        assert [frame.at_ns for frame in frames] == sorted(frame.at_ns for frame in frames)


def test_a_saved_failure_is_diagnosed_like_the_live_one(lossy, cli):
    _, folder = lossy
    path = next(path for path in sorted(folder.iterdir()) if "keepalive_race" in path.name)
    done = cli.run("diagnose", str(path))
    assert "keepalive_race" in done.stdout


def test_prometheus_reads_the_totals(lossy):
    found, _ = lossy
    lines = found["metrics"].splitlines()
    assert "econnlab_dropped_packets_total 0.0" in lines
    assert any(line.startswith("econnlab_requests_total{server=") for line in lines)
    assert any('cause="keepalive_race"' in line for line in lines)


def test_until_failure_ends_at_the_first_loss_with_its_page():
    found = watched(watch=["--until-failure"], traffic=RACE, itself=True)
    assert found["code"] == 0, found["err"]
    assert "The first" in found["out"]
    assert "GET / HTTP/1.1" in found["out"]
    assert "client" in found["out"]
    assert "keepalive_race" in found["out"]


def test_a_terminal_shows_the_last_failures_and_the_ladder_of_one_on_a_key():
    keys = [("The last failures", "1"), ("Esc: back", "\x1b"), ("The last failures", "q")]
    found = watched(watch=[], traffic=RACE, keys=keys, itself=True)
    assert found["code"] == 0, found["err"]
    assert "1-9: packets of a failure" in found["out"]
    assert "SYN ACK" in found["out"]
    assert "At least" in found["out"]  # the summary, behind the screen


def test_healthy_traffic_loses_nothing():
    found = watched(watch=["-i", "lo", "--every", "200ms"], traffic=QUIET, until="5 requests")
    assert found["code"] == 130, found["err"]
    assert "No request was lost" in found["out"]


# -- what it says when it cannot ---------------------------------------------------------------------


def run(*arguments, code="from econnlab.cli.main import run"):
    return subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; sys.exit(run(sys.argv[1:]))", *arguments],
        capture_output=True, text=True, timeout=DEADLINE_S, cwd=ROOT, stdin=subprocess.DEVNULL,
    )  # fmt: skip


#: As the kernel refuses it to whoever has no CAP_NET_RAW: packet(7).
REFUSED = """
import errno, socket
from econnlab.cli.main import run
class Refused(socket.socket):
    def __init__(self, family=-1, *rest, **more):
        if family == socket.AF_PACKET:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        super().__init__(family, *rest, **more)
socket.socket = Refused
"""


def test_who_may_not_capture_is_told_how_to_get_the_right():
    done = run("watch", code=f"exec({REFUSED!r})")
    assert done.returncode == 3
    assert "this user has no right to (CAP_NET_RAW)" in done.stderr
    assert "sudo setcap cap_net_raw+ep" in " ".join(done.stderr.split())


def test_metrics_without_its_library_names_the_extra():
    code = "sys.modules['prometheus_client'] = None; from econnlab.cli.main import run"
    done = run("watch", "--metrics", "9464", code=code)
    assert done.returncode == 3
    assert "pip install 'econnlab[metrics]'" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--metrics", "here"], "is not a port for --metrics"),
        (["--host", "shop.example"], "is not an IP address"),
        (["-i", "nosuch0"], "There is no interface"),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_what_makes_no_sense_is_named(cli, words, said):
    pytest.importorskip("prometheus_client")
    done = cli.run("watch", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_folder_that_cannot_be_made_is_named(cli, tmp_path):
    (tmp_path / "file").touch()
    done = cli.run("watch", "--save-failures", str(tmp_path / "file" / "losses"))
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
