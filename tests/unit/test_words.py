"""The glossary: its files, their index, what they name, and the commands that they print."""

import json
import shlex

import pytest

from econnlab.cli.main import cli
from econnlab.commands.explain.causes import about
from econnlab.commands.explain.explaining import explain
from econnlab.commands.explain.glossary import FOLDER, beyond, concerns, read_word, shows, slugs, word
from econnlab.commands.explain.index import FILE, build, plain, written
from econnlab.commands.explain.reading.places import places
from econnlab.commands.explain.refining import filled
from econnlab.discovery import parts
from econnlab.errors import UsageProblem
from econnlab.scenario.catalogue import PEERS, load, names

LAB_CAUSES = set(parts("econnlab.attribution.causes"))
#: A phrase that is nothing but this says nothing of its product.
EVERYDAY = set("terminated eof reset closed broken timeout failed aborted error disconnected refused".split())
#: Programs of others that answers may name, beside econnlab.
PROGRAMS = set(
    "sudo openssl curl getent psql pg_isready mysql mysqladmin redis-cli mongosh rabbitmqctl tnsping kubectl "
    "rabbitmq-diagnostics dmesg journalctl sysctl ss ssh nstat ip ls git GIT_CURL_VERBOSE=1".split()
)
FOUND = places("https://shop.example:8443/cart")


@pytest.mark.parametrize("slug", slugs())
def test_every_word_is_complete(slug):
    told = word(slug)
    assert all([told.title, told.product, told.says, told.causes, told.do, told.next, told.sources])
    assert told.match or told.typed
    assert all(line.endswith(".") for line in (told.wire, told.says, *told.do))
    for texts in (told.causes, told.scenarios, told.do, told.next, told.sources, told.typed):
        assert len(set(texts)) == len(texts)
    states = [text for state in told.state for text in (state.reading, *state.do, *state.excluded.values())]
    shown = (told.title, told.product, told.says, told.wire, *told.do, *told.next, *told.sources, *states)
    assert all(text.isprintable() for text in shown)
    assert len(told.next) <= 3


def test_the_index_is_that_of_the_words():
    assert FILE.read_text(encoding="utf-8") == written(build()), (
        "run python -m econnlab.commands.explain.index"
    )


def test_no_two_words_are_typed_alike():
    owners = {}
    for slug, entry in build()["words"].items():
        for typed in entry["typed"]:
            assert typed not in owners, f"{slug} and {owners[typed]} both claim {typed}"
            owners[typed] = slug


def test_every_cause_named_is_the_labs_or_declared():
    named = {cause for slug in slugs() for cause in causes_of(word(slug))}
    assert named <= LAB_CAUSES | set(beyond())
    assert not LAB_CAUSES & set(beyond())
    assert set(beyond()) <= named
    assert all(what == what.strip() and not what.endswith(".") for what in beyond().values())


def test_the_sentence_about_a_cause_is_that_of_its_rule():
    for cause, rule in parts("econnlab.attribution.causes").items():
        assert about(cause) == rule.HELP


def causes_of(told):
    yield from told.causes
    for state in told.state:
        yield from (*state.causes, *state.also, *state.excluded)


def test_every_scenario_named_exists_and_shows_the_cause_it_stands_for():
    known = {*names(), *names(PEERS)}
    assert {name for slug in slugs() for name in word(slug).scenarios} <= known
    assert set(concerns().values()) <= LAB_CAUSES
    for name, cause in shows().items():
        if name in names():
            assert cause in load(name).expect.causes, name


def test_an_everyday_word_never_decides_alone():
    for slug, entry in build()["words"].items():
        for rule in entry["match"]:
            for said in rule.get("said", ()):
                alone = said.strip(" .:'\"") in EVERYDAY
                assert not alone or rule.get("near") or rule.get("tags"), f"{slug}: {said}"


@pytest.mark.parametrize("slug", slugs())
def test_a_word_is_found_by_its_names(slug):
    told = word(slug)
    for typed in (told.title.upper(), *told.typed):
        assert [answer.slug for answer in explain(f"  {typed}\n")] == [slug]


# -- the commands ---------------------------------------------------------------------------------


def commands():
    """Every command that an answer may print, filled from a text with an address and from one without."""
    lines = {line for slug in slugs() for line in word(slug).next}
    lines |= {line for slug in slugs() for state in word(slug).state for line in state.next}
    return sorted({filled(line, where) for line in lines for where in (FOUND, places(""))})


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("econnlab ")])
def test_a_command_of_ours_is_one_that_runs(line):
    arguments = [FOUND["url"] if word == "URL" else word for word in shlex.split(line)[1:]]
    context = cli.make_context("econnlab", arguments[:1])
    room = cli.get_command(context, arguments[0])
    assert room is not None, line
    parsed = room.make_context(arguments[0], arguments[1:], parent=context)
    inner = getattr(room, "commands", {}).get(arguments[1]) if arguments[0] == "timeouts" else None
    if inner is not None:
        inner.make_context(arguments[1], arguments[2:], parent=parsed)
    if arguments[0] == "run":
        assert set(arguments[1:]) <= {*names(), *names(PEERS)}


@pytest.mark.parametrize("line", [line for line in commands() if not line.startswith("econnlab ")])
def test_a_command_of_others_is_whole(line):
    assert shlex.split(line)[0] in PROGRAMS
    assert "{" not in line.replace("{time_connect}", "").replace("{time_starttransfer}", "")


def test_commands_that_only_read_run(capsys):
    from econnlab.cli.main import run

    for line in commands():
        arguments = shlex.split(line)[1:]
        if line.startswith(("econnlab timeouts", "econnlab remedies --show")):
            assert run(arguments) in (0, 1), line
    assert "Error" not in capsys.readouterr().err


def test_addresses_come_from_the_text_and_nothing_else_does():
    assert places("Get https://api.example:8443/v1?q=;rm: EOF")["url"] == "https://api.example:8443/"
    assert places("read tcp 10.0.0.1:40000->10.0.0.2:80: read: reset")["host"] == "10.0.0.2"
    assert places("at TLSSocket.socketOnEnd (_http_client.js:453:23)")["url"] == "URL"
    assert places("http://$(reboot)/ http://a`b`/ http://-x;y")["url"] == "URL"
    assert places("http://a.example:99999/")["url"] == "URL"


# -- files that are wrong -------------------------------------------------------------------------

SMALLEST = (
    """title = "t"\nproduct = "p"\nsays = "s"\nwire = "w"\ncauses = []\ndo = []\nnext = []\nsources = []\n"""
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('title = "x"\nproduct = 1', r"x\.toml.*product.*expected"),
        ("title", r"x\.toml is not TOML"),
        (SMALLEST + 'level = "high"', r"x\.toml: level: expected one of"),
        (SMALLEST.replace("do = []", 'do = ["@nothing"]'), r"nothing is shared as '@nothing'"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(text, said):
    with pytest.raises(UsageProblem, match=said):
        read_word(text, "x.toml")


def test_the_folder_holds_words_in_families_only():
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {"index.json", "shared.toml"}
    assert json.loads(FILE.read_text(encoding="utf-8"))["forms"]
    assert plain("  Socket\n Hang  UP ") == "socket hang up"
