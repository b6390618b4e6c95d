"""``econnlab check`` with clients as users have them: small scripts, in processes of their own."""

import json
import os
import signal
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import DEADLINE_S, is_running, wait_until
from tests.unit.test_checking import SCHEMA

#: GETs, then POSTs, over one connection; without the standard library's slow half.
CLIENT = """
import http.client, os, sys
host = os.environ["ECONNLAB_URL"].split("/")[2]
made = http.client.HTTPConnection(host, timeout=float(sys.argv[1]) or None)
for method, path, body in (("GET", "/items", None), ("POST", "/orders", "order")):
    made.request(method, path, body)
    answer = made.getresponse()
    answer.read()
    if answer.status != 200:
        sys.exit(f"status {answer.status}")
"""
HEALTHY = 'title = "nothing happens"\n'
#: The session of a shop: its retries are the question.
SHOP = """
import os, sys
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
session = requests.Session()
retries = {"none": 0, "usual": Retry(3), "any": Retry(3, allowed_methods=None)}[sys.argv[1]]
session.mount("http://", HTTPAdapter(max_retries=retries))
url = os.environ["ECONNLAB_URL"]
session.get(url + "items", timeout=5).raise_for_status()
session.post(url + "orders", data="order", timeout=5).raise_for_status()
"""


class Client:
    """A script, checked."""

    def __init__(self, cli):
        self._cli = cli
        (cli.folder / "client.py").write_text(CLIENT)
        (cli.folder / "shop.py").write_text(SHOP)
        (cli.folder / "healthy.toml").write_text(HEALTHY)

    def check(self, scenarios, *words, options=()):
        """The command line's end, and the verdicts."""
        named = [word for name in scenarios for word in ("--scenario", name)]
        done = self._cli.run("check", *named, "--json", "check.json", *options, "--", *words)
        document = self.document()
        return done, {each["scenario"]: each["verdict"] for each in document.get("scenarios", ())}

    def document(self):
        written = self._cli.folder / "check.json"
        if not written.exists():
            return {}
        document = json.loads(written.read_text())
        jsonschema.validate(document, SCHEMA)
        return document

    def python(self, timeout=5):
        return (sys.executable, "-S", "client.py", str(timeout))


@pytest.fixture
def client(cli):
    return Client(cli)


# -- verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retries", "first", "reused", "done", "code"),
    [
        ("none", "failed", "failed", "failed", 1),
        ("usual", "survived", "failed", "failed", 1),
        ("any", "survived", "survived", "duplicated", 1),
    ],
)
def test_the_retries_of_requests_are_told_apart(client, retries, first, reused, done, code):
    """Retry(3) repeats no POST; with allowed_methods=None it does, also one that was carried out."""
    names = ["first-reset", "reused-closed", "done-reset"]
    ended, verdicts = client.check(names, sys.executable, "shop.py", retries)
    assert verdicts == dict(zip(names, (first, reused, done), strict=True))
    assert ended.returncode == code
    if done == "duplicated":
        assert "POST /orders was carried out twice, not once; it claims success" in ended.stdout


def test_a_client_without_a_timeout_hangs_and_all_of_it_is_ended(client, cli):
    """It ignores SIGTERM, and its child has left its session: the child's pipe closes when it ends."""
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    child = "import os\nif os.fork() == 0:\n os.setsid(); os.execlp('sleep', 'sleep', '4711')\n"
    (cli.folder / "client.py").write_text(stubborn + child + CLIENT)
    done, verdicts = client.check(
        ["first-silent"], *client.python(0), options=["--timeout", "2s", "--expect", "first-silent=hung"]
    )
    assert (done.returncode, verdicts) == (0, {"first-silent": "hung"})
    assert not _named("sleep", "4711")


def test_success_claimed_for_what_was_lost_is_the_verdict(client, cli):
    careless = CLIENT.replace("sys.exit", "print")
    (cli.folder / "client.py").write_text(careless)
    done, verdicts = client.check(["full-503"], *client.python())
    assert (done.returncode, verdicts) == (1, {"full-503": "lost"})
    assert "it claims success, yet GET /items was carried out not at all, not once" in done.stdout


def test_one_request_a_connection_never_meets_what_happens_to_the_second(client, cli):
    script = CLIENT.replace("    made.request", "    made.close()\n    made.request")
    (cli.folder / "client.py").write_text(script)
    done, verdicts = client.check(["reused-reset"], *client.python())
    assert (done.returncode, verdicts) == (0, {"reused-reset": "not_met"})
    assert "1 of 1 as expected (1 not met)" in done.stdout


def test_an_idempotency_key_makes_a_retry_safe(client, cli):
    shop = SHOP.replace('data="order"', 'data="order", headers={"Idempotency-Key": "k1"}')
    (cli.folder / "shop.py").write_text(shop)
    done, verdicts = client.check(["done-reset"], sys.executable, "shop.py", "any")
    assert (done.returncode, verdicts) == (0, {"done-reset": "survived"})
    assert "carried out again under the same Idempotency-Key" in done.stdout


def test_a_client_that_dies_by_a_signal_has_failed(client, cli):
    (cli.folder / "client.py").write_text(
        f"import os\ntry:\n{_indented(CLIENT)}\nexcept OSError:\n os.kill(os.getpid(), 11)\n"
    )
    done, verdicts = client.check(["first-reset"], *client.python())
    assert (done.returncode, verdicts) == (1, {"first-reset": "failed"})
    assert "killed by SIGSEGV" in done.stdout


def test_a_scenario_of_ones_own_and_the_url_among_the_words(client, cli):
    (cli.folder / "mine.toml").write_text(
        'title = "mine"\nlink = "5ms"\n[server]\n[server.fault]\nat = "read"\ntimes = 1\n'
    )
    (cli.folder / "client.py").write_text(
        "import sys, urllib.request\nprint('asks', sys.argv[1])\nurllib.request.urlopen(sys.argv[1]).read()\n"
    )
    done, verdicts = client.check(["mine.toml"], sys.executable, "client.py", "{url}things")
    assert (done.returncode, verdicts) == (1, {"mine": "failed"})
    assert "1 GET /things" in done.stdout
    assert "http.client.RemoteDisconnected" in done.stdout


def test_with_tls_the_client_is_told_whom_to_trust(client, cli):
    """Python's default context, as OpenSSL, looks at SSL_CERT_FILE."""
    (cli.folder / "mine.toml").write_text(
        '[server]\ntls = true\n[server.fault]\nat = "processed"\ntimes = 1\n'
    )
    (cli.folder / "client.py").write_text(
        "import os, urllib.request as u\n"
        "for _ in 'ab':\n"
        " try: u.urlopen(os.environ['ECONNLAB_URL']).read(); break\n"
        " except ConnectionError: pass\n"
    )
    done, verdicts = client.check(["mine.toml"], sys.executable, "client.py")
    assert (done.returncode, verdicts) == (0, {"mine": "survived"})
    assert "GET / was carried out twice, which is no harm" in done.stdout


# -- expectations and files -----------------------------------------------------------------------


def test_expectations_come_from_options_and_from_a_file(client, cli):
    (cli.folder / "right.toml").write_text("first-reset = 'survived'\nfirst-closed = ['lost', 'failed']\n")
    options = ["--expectations", "right.toml", "--expect", "first-reset=failed,hung"]
    done, verdicts = client.check(["first-reset", "first-closed"], *client.python(), options=options)
    assert (done.returncode, set(verdicts.values())) == (0, {"failed"})
    assert "2 of 2 as expected" in done.stdout


def test_the_files_and_the_annotations_of_a_job(client, cli, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (cli.folder / "client.py").write_text(f"print('::error::a trap')\n{CLIENT}")
    options = ["--junit", "check.xml", "--markdown", "check.md"]
    done, _ = client.check(["first-reset", "healthy.toml"], *client.python(), options=options)
    assert done.returncode == 1
    suite = ElementTree.parse(cli.folder / "check.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "**failed**, expected survived or not met" in (cli.folder / "check.md").read_text()
    orders = [line for line in done.stdout.splitlines() if line.strip().startswith("::")]
    assert orders == [
        "::error title=econnlab check%3A first-reset::failed, expected survived or not met: exit code 1"
    ]


def test_json_on_stdout_moves_the_matrix_to_stderr(cli, client):
    done = cli.run("check", "--scenario", "healthy.toml", "--json", "-", "--", *client.python())
    jsonschema.validate(json.loads(done.stdout), SCHEMA)
    assert "as expected" in done.stderr


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
        (["--", "./text"], 2, "it is no program, and has no #! line"),
        (["--", "./lost"], 2, "what its #! line names does not exist"),
        (["--", "true"], 3, "The command ignored the URL"),
        (["--", "sh", "-c", "echo oh no >&2; exit 7"], 3, "exit code 7, and no request came"),
        (["--", "sh", "-c", "kill -SEGV $$"], 3, "killed by SIGSEGV"),
        (["--timeout", "300ms", "--", "sleep", "60"], 3, "does not end against a healthy server"),
        (["--timeout", "0", "--", "true"], 2, "Give a --timeout above 0"),
        (["--scenario", "moonphase", "--", "true"], 2, "There is no scenario 'moonphase'"),
        (["--scenario", "backlog-overflow", "--", "true"], 2, "in a network of its own"),
        (["--expect", "first-reset", "--", "true"], 2, "names no verdict"),
        (["--expect", "first-reset=well", "--", "true"], 2, "'well' is no verdict. There are duplicated"),
        (["--expect", "moonphase=hung", "--", "true"], 2, "'moonphase' is not among the scenarios"),
        (["--expectations", "none.toml", "--", "true"], 2, "'none.toml' cannot be read"),
        (["--expectations", "wrong.toml", "--", "true"], 2, "wrong.toml: 'moonphase' is no scenario"),
        (["--junit", "none/x.xml", "--", "true"], 3, "cannot be written"),
    ],
)  # fmt: skip
def test_bad_input_gets_its_own_sentence(cli, words, code, said):
    (cli.folder / "plain").write_text("no program")
    (cli.folder / "folder").mkdir()
    (cli.folder / "wrong.toml").write_text("moonphase = 'hung'")
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
    left = "subprocess.Popen(['sleep', '4712'])\n"
    (cli.folder / "client.py").write_text(flood + left + CLIENT)
    done, verdicts = client.check(["healthy.toml"], *client.python())
    assert verdicts == {"healthy": "survived"}
    (told,) = client.document()["scenarios"]
    assert told["output_bytes"] == 5_000_009
    assert len(told["output"]) == 65536 and told["output"].endswith("\nthe end\n")
    assert told["left_behind"] == 1
    assert "it left a process behind, which the lab ended" in done.stdout
    assert not _named("sleep", "4712")


# -- ends -----------------------------------------------------------------------------------------

#: Calm it is quick, and in trouble it waits for good; what it leaves is found by its name.
WAITS = """
import os, time
try:
{}
except OSError:
    os.execlp("sleep", "sleep", "4713")
"""


@pytest.fixture
def waiting(client, cli):
    """A check with one scenario that survives, and one whose client waits for good."""
    (cli.folder / "client.py").write_text(WAITS.format(_indented(CLIENT)))
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
        process = cli.start("check", *words, *options, "--", *client.python(), preexec_fn=_default_signals)
        wait_until(lambda: _named("sleep", "4713"), "the client that waits")
        return process

    yield start
    for pid in _named("sleep", "4713"):
        os.kill(pid, signal.SIGKILL)


def test_ctrl_c_prints_and_writes_what_there_was(waiting, cli):
    process = waiting("--json", "check.json")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, err
    assert "1 of 2 as expected, 1 not run to an end" in out
    assert json.loads((cli.folder / "check.json").read_text())["interrupted"]
    assert not _named("sleep", "4713")


def test_a_sigkill_leaves_no_process(waiting):
    process = waiting()
    process.kill()
    process.communicate()
    wait_until(lambda: not _named("sleep", "4713"), "the client's end")


def test_a_reader_that_goes_ends_it_quietly(client, cli):
    words = ["check", "--scenario", "healthy.toml", "--", *client.python()]
    read, write = os.pipe()
    os.close(read)
    process = cli.start(*words, stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, err) == (141, "")


def _default_signals():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _indented(script):
    return "".join(f"    {line}\n" for line in script.splitlines())


def _named(*words):
    """The processes with these words for a command line (Linux)."""
    wanted = b"".join(word.encode() + b"\0" for word in words)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes() == wanted and is_running(int(process.name)):
                found.append(int(process.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
