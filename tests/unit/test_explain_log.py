"""``explain --log``: what is in a log, by the command line; formats, gzip, damage, control characters."""

import csv
import fcntl
import gzip
import io
import json
import resource
import signal
import subprocess
import termios
from array import array
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import DEADLINE_S, wait_until
from tests.support.logs import NGINX_FORMAT, application_lines, error_lines, nginx_lines
from tests.support.schemas import schema
from tests.unit.test_reports import golden

SCHEMA = schema("explain", "log.schema.json")
ALB = (
    "http 2026-11-28T0{hour}:00:37.123456Z app/shop/50dc6c 203.0.113.9:2817 10.0.0.1:80 {times} "
    '34 366 "GET http://shop.example:80/ HTTP/1.1" "curl/8.1" - - arn:aws:x "Root=1" "-" "-" 0 '
    '2026-11-28T02:00:37.364000Z "forward" "-" "-" "10.0.0.1:80" "-" "-" "-"'
)
HAPROXY = (
    "Nov 28 12:14:{s:02} lb haproxy[7]: 203.0.113.9:4711 [28/Nov/2026:12:14:{s:02}.655] web shop/app1 "
    '10/0/30/{wait}/109 {status} 2750 - - {flags} 1/1/1/1/0 0/0 "GET / HTTP/1.1"'
)
ENVOY = (
    '[2026-11-28T12:14:{s:02}.655Z] "GET /a HTTP/1.1" {flags} 0 95 1 - "203.0.113.9" "curl/8.1" "id" "shop" '
    '"10.0.0.1:8080"'
)
TRACE = """2026-11-28T02:00:01Z ERROR order failed
Traceback (most recent call last):
  File "/app/orders.py", line 7, in place
    session.post(url)
  File "/usr/lib/python3/dist-packages/requests/adapters.py", line 501, in send
    raise ConnectionError(err, request=request)
requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed'))
2026-11-28T02:00:02Z INFO order placed
"""


def write(cli, name, lines):
    path = cli.folder / name
    text = lines if isinstance(lines, str) else "".join(f"{line}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return name


def summary(cli, name, *more):
    done = cli.run("explain", "--log", name, "--json", *more)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    return document


def test_the_page_is_the_golden_one(cli):
    write(cli, "access.log", nginx_lines())
    done = cli.run("explain", "--log", "access.log", "--format", NGINX_FORMAT)
    assert done.returncode == 0
    golden("explain-log.txt", done.stdout)


def test_lost_requests_at_one_idle_time_name_the_default_they_match(cli):
    write(cli, "access.log", nginx_lines())
    document = summary(cli, "access.log", "--format", f"log_format timed '{NGINX_FORMAT}';")
    (finding,) = document["idle"]
    assert (finding["within"], finding["lost"], finding["timeout_s"]) == (41, 44, 60)
    assert (finding["from_s"], finding["until_s"]) == (59, 61)
    assert document["failures"] == 44
    (group,) = document["groups"]
    assert group["targets"] == {"10.0.0.7:3000": 44}
    assert sum(group["hours"].values()) == 44 and len(group["examples"]) == 5


def test_losses_spread_over_all_idle_times_match_nothing(cli):
    write(cli, "access.log", nginx_lines(of_the_timer=0))
    assert summary(cli, "access.log", "--format", NGINX_FORMAT)["idle"] == []


def test_an_albs_log_packed(cli):
    lost, well = "0.000 0.001 -1 502 -", "0.000 0.012 0.000 200 200"
    write(cli, "alb.log.gz", [ALB.format(hour=n % 3, times=well if n % 5 else lost) for n in range(60)])
    document = summary(cli, "alb.log.gz")
    assert (document["format"], document["failures"], document["lost"]) == ("alb", 12, 12)
    assert [group["word"] for group in document["groups"]] == ["alb/target-closed"]
    assert list(document["hours"]) == [f"2026-11-28 0{hour}:00" for hour in range(3)]


def test_haproxys_flags_tell_groups_apart(cli):
    lines = [HAPROXY.format(s=n, wait=20, status=200, flags="----") for n in range(40)]
    lines += [HAPROXY.format(s=n, wait=-1, status=502, flags="SH--") for n in range(40, 46)]
    lines += [HAPROXY.format(s=n, wait=-1, status=504, flags="sH--") for n in range(46, 48)]
    write(cli, "haproxy.log", lines)
    document = summary(cli, "haproxy.log")
    assert (document["format"], document["lost"]) == ("haproxy", 6)
    assert [group["count"] for group in document["groups"]] == [6, 2]


@pytest.mark.parametrize("istio", [False, True])
def test_envoys_flags(cli, istio):
    details = ' upstream_reset_before_response_started{connection_termination} - "-"' if istio else ""
    well = ' via_upstream - "-"' if istio else ""
    lines = [ENVOY.format(s=n, flags=f"200 -{well}" if n % 6 else f"503 UC{details}") for n in range(60)]
    write(cli, "envoy.log", lines)
    document = summary(cli, "envoy.log")
    assert (document["format"], document["lost"]) == ("envoy", 10)
    assert [group["word"] for group in document["groups"]] == ["envoy/uc"]


def test_envoys_own_format_string(cli):
    write(cli, "envoy.log", [f"2026-11-28T12:14:{n:02}Z 503 UC 5 10.0.0.1:80" for n in range(9)])
    string = "%START_TIME% %RESPONSE_CODE% %RESPONSE_FLAGS% %DURATION% %UPSTREAM_HOST%"
    document = summary(cli, "envoy.log", "--format", string)
    assert (document["failures"], document["groups"][0]["word"]) == (9, "envoy/uc")


def test_a_retried_request_counts_for_the_upstream_that_lost_it(cli):
    line = "200 10.0.0.1:80, 10.0.0.2:80 502, 200 0.004 1795831200.{}"
    write(cli, "retried.log", [line.format(n) for n in range(9)])
    document = summary(
        cli, "retried.log", "--format", "$status $upstream_addr $upstream_status $request_time $msec"
    )
    assert document["lost"] == 9
    assert document["groups"][0]["targets"] == {"10.0.0.1:80": 9}


def test_a_trace_is_one_entry(cli):
    write(cli, "app.log", TRACE * 3)
    document = summary(cli, "app.log")
    assert (document["entries"], document["failures"]) == (6, 3)
    assert [group["word"] for group in document["groups"]] == ["python/remote-disconnected"]
    assert document["groups"][0]["first"] == "2026-11-28 02:00:01"


def test_a_trace_that_a_collector_prefixed_is_one_entry(cli):
    prefixed = "".join(f"2026-11-28T02:00:01.5Z stderr F {line}\n" for line in TRACE.splitlines()[1:7])
    write(cli, "pod.log", prefixed * 4)
    document = summary(cli, "pod.log")
    assert (document["entries"], document["failures"]) == (4, 4)


def test_a_healthy_log_has_no_failures(cli):
    write(cli, "fine.log", ["2026-11-28T02:00:02Z INFO order placed in 12 ms"] * 50)
    done = cli.run("explain", "--log", "fine.log")
    assert done.returncode == 0 and "50 lines read as text, 0 failures of connections" in done.stdout


def test_nothing_of_a_log_reaches_the_terminal_as_a_control_character(cli):
    evil = "\x1b]0;owned\x07\x9b31m\u202e"
    lines = [f"2026-11-28T02:00:0{n}Z ERROR {evil} Error: socket hang up" for n in range(3)]
    write(cli, "evil.log", lines)
    targets = f"502 10.0.0.1{evil.replace(' ', '')}:80 502 0.004 1795831200.1"
    write(cli, "targets.log", [targets] * 9)
    string = "$status $upstream_addr $upstream_status $request_time $msec"
    for arguments in (("evil.log",), ("targets.log", "--format", string)):
        for how in ((), ("--json",), ("--csv",)):
            done = cli.run("explain", "--log", *arguments, *how)
            text = done.stdout.replace("\n", "")
            assert done.returncode == 0 and text.isprintable(), ascii(text)


@pytest.mark.parametrize("cut", [True, False])
def test_damaged_gzip_is_said_after_what_it_held(cli, cut):
    packed = bytearray(gzip.compress("".join(f"{line}\n" for line in error_lines(20_000)).encode()))
    half = len(packed) // 2
    if cut:
        del packed[half:]
    else:
        packed[half : half + 50] = bytes(50)
    (cli.folder / "broken.gz").write_bytes(packed)
    done = cli.run("explain", "--log", "broken.gz")
    assert done.returncode == 2
    assert "gzip" in done.stderr and "nginx" in done.stdout


def test_members_of_gzip_one_after_another(cli):
    parts = [gzip.compress(f"{line}\n".encode()) for line in error_lines(5)]
    (cli.folder / "rotated.gz").write_bytes(b"".join(parts))
    assert summary(cli, "rotated.gz")["failures"] == 5


def test_a_line_without_end_stays_bounded(cli):
    (cli.folder / "long.log").write_bytes(b"x" * 5_000_000 + b"\nError: socket hang up\n")
    document = summary(cli, "long.log")
    assert document["lines"] <= 4


def test_csv_has_a_row_for_each_group_and_hour(cli):
    write(cli, "errors.log", error_lines(200))
    done = cli.run("explain", "--log", "errors.log", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["word"], row["hour"], row["count"]) for row in rows] == [
        ("nginx/prematurely-closed", "2026-11-28 02:00", "200")
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--log", "nowhere.log"), "No such file"),
        (("--log", ".",), "Is a directory"),
        (("--log", "fine.log", "--format", "albb"), "Did you mean alb"),
        (("--log", "fine.log", "--format", "$msec"), "no $status"),
        (("--log", "fine.log", "--json", "--csv"), "Only one output"),
        (("--log", "fine.log", "reset"), "takes no WORD"),
        (("--csv", "reset"), "are for --log"),
    ],
)  # fmt: skip
def test_bad_input(cli, arguments, said):
    write(cli, "fine.log", ["fine"])
    done = cli.run("explain", *arguments)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert done.stdout == ""


def test_an_interrupt_prints_what_it_had(cli):
    process = cli.start("explain", "--log", "-", "--json", stdin=subprocess.PIPE)
    process.stdin.write("".join(f"{line}\n" for line in error_lines(500)))
    process.stdin.flush()
    wait_until_read(process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=DEADLINE_S)
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    assert process.returncode == 130 and document["interrupted"]
    assert document["failures"] >= 499, "the last line may be unfinished"


def wait_until_read(process):
    """Until it waits for more: its handlers are set, the pipe is empty, and it sleeps."""

    def waits():
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        left = array("i", [0])
        fcntl.ioctl(process.stdin, termios.FIONREAD, left)
        return caught & 1 << signal.SIGTERM - 1 and "State:\tS" in status and not left[0]

    wait_until(waits, "the log to be read")


@pytest.mark.parametrize("made", [error_lines, application_lines])
def test_a_line_takes_microseconds_and_memory_stays(cli, made):
    """The figure is 15 s and 200 MB for a million (make acceptance); here ten times that a line, for load."""
    lines = 20_000
    write(cli, "big.log", made(lines))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = cli.run_alone("explain", "--log", "big.log", "--csv")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert took < 3 + lines * 150e-6
