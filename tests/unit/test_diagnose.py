"""``econnlab diagnose`` through the door that users take, on captures of conversations built by hand."""

import csv
import gzip
import io
import json
import os
from pathlib import Path

import jsonschema
import pytest

from econnlab.packets.frames import ETHERNET
from econnlab.packets.writing import PcapngWriter
from tests.support.schemas import schema
from tests.support.talk import BEGAN, GET, Talk, captured

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = schema("diagnose")


@pytest.fixture(autouse=True)
def one_clock(monkeypatch):
    """Local time is UTC, whatever the machine's."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def races(count, *, begin=0.0, server="10.0.0.2"):
    talks = []
    for number in range(count):
        at = begin + number * 10
        talk = Talk(client="10.0.0.1", port=40000 + number, server=server).open(at).talk(at + 0.01)
        talks.append(talk.fin(at + 5.015).ask(at + 5.016).arrives(at="client").no_socket(at + 5.017))
    return talks


def proxied():
    asked = GET[:-2] + b"X-Request-Id: abc\r\n\r\n"
    front = Talk(client="10.0.0.9", port=50000, listens=80).open(20.0).ask(20.1, asked)
    behind = Talk(client="10.0.0.2", port=45000, server="10.0.0.3", listens=9000).open(20.0).talk(20.01)
    behind.fin(20.1001).arrives(at="client").ask(20.1002, asked).no_socket(20.1003)
    front.answer(20.101, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    return [front, behind]


def everything():
    quiet = Talk(port=39000).open().talk(0.01, 2.0).fin(7.005).fin(7.1, "client")
    aborted = Talk(client="10.0.0.7", port=39001).open(30.0).talk(30.1).rst(31.0, "client")
    return [quiet, *races(3), *proxied(), aborted, Talk(port=39002, listens=9999).refuse(40.0)]


def written(folder, *talks, name="trace.pcapng"):
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    writer.interface("eth0", ETHERNET)
    for frame in captured(*talks):
        writer.packet(0, frame.at_ns, frame.data, frame.length)
    path = folder / name
    path.write_bytes(gzip.compress(stream.getvalue()) if name.endswith(".gz") else stream.getvalue())
    return path


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("ECONNLAB_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def document_of(cli, *arguments):
    done = cli.run("diagnose", "trace.pcapng", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA, format_checker=jsonschema.FormatChecker())
    return document


def test_the_page_is_as_it_was(cli):
    written(cli.folder, *everything())
    done = cli.run("diagnose", "trace.pcapng")
    assert (done.returncode, done.stderr) == (0, "")
    golden("diagnosis.txt", done.stdout)


def test_the_json_is_as_it_was_and_fits_its_schema(cli):
    written(cli.folder, *everything())
    golden("diagnosis.json", json.dumps(document_of(cli), indent=2) + "\n")


def test_the_csv_has_a_row_per_failure(cli):
    written(cli.folder, *everything())
    assert cli.run("diagnose", "trace.pcapng", "--csv", "out.csv").returncode == 0
    rows = list(csv.DictReader(io.StringIO((cli.folder / "out.csv").read_text())))
    assert [row["cause"] for row in rows] == ["keepalive_race"] * 4 + ["harmless_reset", "not_listening"]
    assert rows[0]["time"] == "2009-02-13T23:31:35.016000Z"


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_timeline_is_as_it_was(cli, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    written(cli.folder, *races(1), *proxied())
    done = cli.run("diagnose", "trace.pcapng", "--timeline")
    assert (done.returncode, done.stderr) == (0, "")
    golden(f"timeline{width}.txt", done.stdout)


def test_gzip_and_stdin_give_the_same(cli):
    plain = written(cli.folder, *everything())
    expected = cli.run("diagnose", "trace.pcapng").stdout
    written(cli.folder, *everything(), name="trace.pcapng.gz")
    assert cli.run("diagnose", "trace.pcapng.gz").stdout == expected.replace(".pcapng:", ".pcapng.gz:")
    with plain.open("rb") as stdin:
        assert (
            cli.run_alone("diagnose", "-", stdin=stdin).stdout.splitlines()[1:] == expected.splitlines()[1:]
        )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--host", "10.0.0.7"], ["harmless_reset"]),
        (["--host", "10.0.0.3"], []),
        (["--port", "9999"], ["not_listening"]),
        (["--port", "80"], ["keepalive_race"]),
        (["--since", "23:32:05"], ["not_listening"]),
        (["--until", "2009-02-13T23:31:36"], ["keepalive_race"]),
        (["--since", str(BEGAN + 14), "--until", str(BEGAN + 16)], ["keepalive_race"]),
        (["--since", "2030-01-01"], []),
    ],
)
def test_filters(cli, filters, expected):
    written(cli.folder, *everything())
    assert [failure["cause"] for failure in document_of(cli, *filters)["failures"]] == expected


def test_only_the_worst_ten_are_shown_unless_all_are_asked_for(cli):
    written(cli.folder, *races(25))
    failures = cli.run("diagnose", "trace.pcapng").stdout.partition("What to do")[0]
    assert failures.count("10.0.0.1:40") == 10
    assert "and 15 more" in cli.run("diagnose", "trace.pcapng").stdout
    every = cli.run("diagnose", "trace.pcapng", "--all").stdout.partition("What to do")[0]
    assert every.count("10.0.0.1:40") == 25


def test_advice_names_the_timeout_that_was_seen(cli):
    written(cli.folder, *races(3))
    (advice,) = document_of(cli)["advice"]
    assert "closes idle connections after 5 s" in advice["text"]
    assert "at most 4 s" in advice["text"]


def test_the_idle_timeout_comes_with_its_spread(cli):
    talks = [Talk(port=40000 + n).open(n).talk(n + 0.1).fin(n + 5.105 + n / 1000) for n in range(5)]
    written(cli.folder, *talks)
    (server,) = document_of(cli)["servers"]
    assert server["idle_timeout_ms"] == {
        "seen": 5, "median": 5002.0, "p5": pytest.approx(5000, abs=1), "p95": pytest.approx(5004, abs=1),
        "constant": True,
    }  # fmt: skip


def test_text_from_a_capture_is_harmless(cli):
    evil = b"GET /\x1b[31m\x9b[bold]%s HTTP/1.1\r\n\r\n"
    written(cli.folder, Talk().open().talk(0.01).fin(5.0).ask(5.1, evil).arrives(at="client").no_socket(5.2))
    for arguments in ([], ["--timeline"]):
        shown = cli.run("diagnose", "trace.pcapng", *arguments).stdout
        assert "\x1b" not in shown and "\x9b" not in shown
    assert "[bold]%s" in cli.run("diagnose", "trace.pcapng").stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"hello, this is text", "offset 0 holds 68 65 6c 6c"),
        (b"\x1f\x8b\x08\x00broken", "gzip"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
    ],
)
def test_what_is_no_capture_is_said_in_a_line(cli, content, said):
    (cli.folder / "x").write_bytes(content)
    done = cli.run("diagnose", "x")
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_capture_that_breaks_off_is_read_up_to_there(cli):
    path = written(cli.folder, *races(2))
    path.write_bytes(path.read_bytes()[:-30])
    done = cli.run("diagnose", "trace.pcapng")
    assert done.returncode == 0
    assert "breaks off in the middle of a packet at offset" in done.stderr


def test_a_capture_that_is_damaged_in_the_middle_is_read_up_to_there(cli):
    path = written(cli.folder, *races(3))
    path.write_bytes(path.read_bytes() + b"\xff" * 64)
    done = cli.run("diagnose", "trace.pcapng", "--timeline")
    assert done.returncode == 0
    assert "keepalive_race 3" in done.stdout
    assert "at offset" in done.stderr and "What is before it was read" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.pcap"], "No such file"),
        (["."], "Is a directory"),
        (["-", "--timeline"], "twice"),
        (["trace.pcapng", "--host", "example.com"], "not an IP address"),
        (["trace.pcapng", "--since", "yesterday"], "not a time"),
        (["trace.pcapng", "--port", "70000"], "--port"),
        (["trace.pcapng", "--json", "-", "--csv", "-"], "Only one output"),
    ],
)
def test_bad_input(cli, arguments, said):
    written(cli.folder, *races(1))
    done = cli.run("diagnose", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_nothing_in_it(cli):
    written(cli.folder)
    done = cli.run("diagnose", "trace.pcapng")
    assert done.returncode == 0
    assert "No TCP connection" in done.stdout


def test_nothing_wrong_in_it(cli):
    written(cli.folder, Talk().open().talk(0.1, 1.0).fin(2.0, "client").arrives(at="server").fin(2.1))
    done = cli.run("diagnose", "trace.pcapng")
    assert "No request was lost." in done.stdout
    assert "What to do" not in done.stdout
