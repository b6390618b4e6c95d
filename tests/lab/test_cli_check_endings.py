"""``econnlab check`` when it cannot judge, is told to stop, or its command leaves things behind."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.conftest import DEADLINE_S, wait_until
from tests.support.checked import CLIENT, Client, indented, named

#: What commands of these tests sleep for, in seconds: found by it, and by no other run of this suite.
LEFT, WAITING = f"4712.{os.getpid()}", f"4713.{os.getpid()}"


@pytest.fixture
def client(cli):
    return Client(cli)


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "No command is given"),
        (["--", "nonexistent"], 2, "There is no command 'nonexistent'."),
        (["--", "./none"], 2, "There is no command './none': no such file."),
        (["--", "./plain"], 2, "'./plain' cannot be started: it is not executable."),
        (["--", "plain"], 2, "Write ./plain"),
        (["--", "./folder"], 2, "it is a folder"),
        (["--", "./text"], 2, "it is not a program, and has no #! line"),
        (["--", "./lost"], 2, "what its #! line names does not exist"),
        (["--", "true"], 3, "The command ignored the URL"),
        (["--", "sh", "-c", "echo oh no >&2; exit 7"], 3, "exit code 7, and no request came"),
        (["--timeout", "300ms", "--", "sleep", "60"], 3, "does not end within 300 ms without trouble"),
        (["--timeout", "0", "--", "true"], 2, "Give a --timeout above 0"),
        (["--scenario", "moonphase", "--", "true"], 2, "There is no scenario 'moonphase'"),
        (["--scenario", "backlog-overflow", "--", "true"], 2, "in a network of its own"),
        (["--expect", "first-reset", "--", "true"], 2, "names no verdict"),
        (["--expect", "first-reset=well", "--", "true"], 2, "'well' is not a verdict. There are duplicated"),
        (["--expect", "moonphase=hung", "--", "true"], 2, "'moonphase' is not one of the scenarios"),
        (["--expectations", "none.toml", "--", "true"], 2, "'none.toml' cannot be read"),
        (["--expectations", "wrong.toml", "--", "true"], 2, "wrong.toml: 'moonphase' is not a scenario"),
        (["--answer", "none.json", "--", "true"], 2, "'none.json' cannot be read"),
        (["--answer", "empty.json", "--", "true"], 2, "'empty.json' is empty"),
        (["--answer", "bytes.json", "--", "true"], 2, "'bytes.json' is not text in UTF-8"),
        (["--junit", "none/x.xml", "--", "true"], 3, "cannot be written"),
    ],
)  # fmt: skip
def test_bad_input_gets_its_own_sentence(cli, words, code, said):
    (cli.folder / "plain").write_text("no program")
    (cli.folder / "folder").mkdir()
    (cli.folder / "wrong.toml").write_text("moonphase = 'hung'")
    (cli.folder / "empty.json").touch()
    (cli.folder / "bytes.json").write_bytes(b"\xff\xfe")
    for name, text in (("text", "no program"), ("lost", "#!/nowhere/at/all\n")):
        (cli.folder / name).write_text(text)
        (cli.folder / name).chmod(0o755)
    done = cli.run("check", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_what_it_said_last_is_shown_harmless(cli):
    done = cli.run("check", "--", "sh", "-c", r"printf '\033[2Jno such module\n'; exit 1")
    assert r"It said: \x1b[2Jno such module" in " ".join(done.stderr.split())


def test_a_flood_of_output_and_children_left_behind(client, cli):
    """Five megabytes are read and the end of them kept; what still runs is ended and told."""
    flood = "import subprocess\nprint('x' * 5_000_000, flush=True)\nprint('the end', flush=True)\n"
    left = f"subprocess.Popen(['sleep', '{LEFT}'])\n"
    (cli.folder / "client.py").write_text(flood + left + CLIENT)
    done, verdicts = client.check(["healthy.toml"], *client.python())
    assert verdicts == {"healthy": "survived"}
    (told,) = client.document()["scenarios"]
    assert told["output_bytes"] == 5_000_009
    assert len(told["output"]) == 65536 and told["output"].endswith("\nthe end\n")
    assert told["left_behind"] == 1
    assert "it left a process behind, which check ended" in done.stdout
    assert "it wrote 5.0 MB, of which the last 64 KB were kept" in done.stdout
    assert not named("sleep", LEFT)


# -- ends -----------------------------------------------------------------------------------------

#: Calm it is quick, and in trouble it waits for good; what it leaves is found by its name.
WAITS = """
import os, time
try:
{}
except OSError:
    os.execlp("sleep", "sleep", "{}")
"""


@pytest.fixture
def waiting(client, cli):
    """A check with one scenario that survives, and one whose client waits for good."""
    (cli.folder / "client.py").write_text(WAITS.format(indented(CLIENT), WAITING))
    words = [
        "--scenario",
        "healthy.toml",
        "--scenario",
        "first-reset",
        "--timeout",
        "60s",
        "--jobs",
        "1",
    ]

    def start(*options):
        process = cli.start("check", *words, *options, "--", *client.python())
        wait_until(lambda: named("sleep", WAITING), "the client that waits")
        return process

    yield start
    for pid in named("sleep", WAITING):
        os.kill(pid, signal.SIGKILL)


def test_ctrl_c_prints_and_writes_what_there_was(waiting, cli):
    process = waiting("--json", "check.json")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, err
    assert "1 of 2 as expected, 1 not run to an end" in out
    assert json.loads((cli.folder / "check.json").read_text())["interrupted"]
    assert not named("sleep", WAITING)


def test_a_sigkill_leaves_no_process(waiting):
    process = waiting()
    process.kill()
    process.communicate()
    wait_until(lambda: not named("sleep", WAITING), "the client's end")


def test_a_keeper_that_is_killed_takes_the_command_with_it(waiting):
    process = waiting()
    (client,) = named("sleep", WAITING)
    keeper = int(Path(f"/proc/{client}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: not named("sleep", WAITING), "the client's end")
    out, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 3
    assert "The process that keeps the command has ended" in " ".join(out.split())


def test_a_reader_that_goes_ends_it_quietly(client, cli):
    words = ["check", "--scenario", "healthy.toml", "--", *client.python()]
    read, write = os.pipe()
    os.close(read)
    process = cli.start(*words, stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (141, "")
