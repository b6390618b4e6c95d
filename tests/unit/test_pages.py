"""README and docs/: every command line works, every link has a target, and tables agree with the code."""

import re

import click
import pytest

from econnlab.attribution.order import rules
from econnlab.cli.group import command_modules
from econnlab.cli.main import cli, run
from econnlab.discovery import parts
from econnlab.errors import ExitCode
from econnlab.record.attempts import Outcome
from econnlab.scenario.catalogue import names
from tests.support.pages import (
    PAGES,
    ROOT,
    WORKED,
    assert_tables,
    blocks,
    changed,
    command_lines,
    commands_in,
    headings,
    name_of,
    prose,
)
from tests.unit.test_house import FLOORS, MODULES

DOCS = ROOT / "docs"
LONGEST_README = 180
LINES = [
    (name_of(page), " ".join(words), words)
    for page in PAGES
    if page not in WORKED
    for words in command_lines(page)
]
EXAMPLES = [
    (f"{name} --help", line.strip(), words)
    for name in command_modules()
    for line in (cli.get_command(None, name).epilog or "").splitlines()
    for words in commands_in(re.sub(r"(?<=\S) {2,}.*", "", line.strip()))
]
#: Files that command lines read; made empty.
INPUTS = """
    run.jsonl trace.pcap trace.pcapng.gz right.toml order.json chain.toml mine.toml
    app.log error.log access.log access.log.gz
"""


def made_context(words):
    """click's context of the command line ``words``, of its subcommand if it has one. Raises UsageError."""
    command, context = cli, cli.make_context("econnlab", list(words))
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            break
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in INPUTS.split():
        (tmp_path / name).write_text("")
    (tmp_path / "FOLDER").mkdir()
    (tmp_path / "FOLDER/idle-limit.jsonl").write_text("")


@pytest.mark.parametrize(
    ("page", "line", "words"), LINES + EXAMPLES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_line_parses(page, line, words, inputs):
    try:
        made_context(words)
    except click.exceptions.Exit as left:  # --help, --version
        assert left.exit_code == 0
    except click.ClickException as error:
        pytest.fail(f"{page}: econnlab {line}: {error.format_message()}")


def cheap(words):
    """``words`` so that they run nothing; None if that is not possible."""
    name, rest = words[0], words[1:]
    if name in ("keepalive", "sweep", "maxconn"):
        return [*words, "--show-scenario"] if "--show-scenario" not in words else words
    if name == "run" and "mine.toml" not in words:
        return [*words, "--dry-run"]
    if name in ("scenarios", "explain", "timeouts") and not {"-", "chain.toml"} & set(rest):
        return words
    if name == "remedies" and {"--list", "--show"} & set(rest):
        return words
    return None


CHEAP = [(page, line, run_so) for page, line, words in LINES + EXAMPLES if words and (run_so := cheap(words))]


@pytest.mark.parametrize(
    ("page", "line", "words"), CHEAP, ids=lambda value: value if isinstance(value, str) else ""
)
def test_command_lines_that_can_be_had_cheaply_do_what_they_ask_for(page, line, words, inputs, capsys):
    code = run(words)
    assert code == (ExitCode.EXPECTATION if "alb=60s" in words else ExitCode.OK), capsys.readouterr().err


def test_pages_have_command_lines_for_every_command():
    assert {words[0] for _, _, words in LINES if words} >= set(command_modules())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_has_a_target(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{name_of(page)} links to {target}"
        assert not anchor or anchor in headings(linked), f"{name_of(page)} links to {target}"


def test_pages_that_the_code_names_exist():
    heading = r"(?:, (?P<heading>[A-Z][\w -]+\w))?"
    for name, path in MODULES.items():
        text = " ".join(
            re.sub(r"^\s*#:? ?", "", line).strip() for line in path.read_text("utf-8").splitlines()
        )
        assert "DESIGN" not in text, f"{name} names a page that is not in this repository"
        for found in re.finditer(r"docs/(?P<page>[\w-]+\.md)" + heading, text):
            page = DOCS / found["page"]
            assert page.exists(), f"{name} names {page.name}"
            anchor = (found["heading"] or "").lower().replace(" ", "-")
            assert not anchor or anchor in headings(page), f"{name} names {found[0]}"


def test_readme_is_short_and_the_index_has_every_page():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= LONGEST_README
    index = (DOCS / "README.md").read_text("utf-8")
    missing = [
        page.name for page in DOCS.glob("*.md") if f"({page.name})" not in index and page.name != "README.md"
    ]
    assert not missing
    assert not [name for name in command_modules() if f"`{name}`" not in index]


def rows_of(page, first):
    """The cells of the rows of the table of ``page`` whose first heading is ``first``."""
    lines = iter((DOCS / page).read_text("utf-8").splitlines())
    next(line for line in lines if re.match(rf"\| *{first} *\|", line))
    next(lines)
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_the_rooms_are_those_that_the_house_knows():
    rooms = {room.strip("`/"): int(floor) for floor, room, _ in rows_of("architecture.md", "floor")}
    assert rooms == FLOORS


def test_the_exit_codes_and_outcomes_are_all_described():
    assert {int(code) for code, _ in rows_of("output.md", "code")} == set(ExitCode)
    words = dict(rows_of("architecture.md", "word"))
    assert set(re.findall(r"`(\w+)`", words["outcome"])) == set(Outcome)


def test_the_csv_columns_are_all_described():
    golden = (ROOT / "tests/unit/golden/keepalive.csv").read_text().splitlines()[0].split(",")
    described = [cell for cell, _ in rows_of("output.md", "column")]
    causes = {*parts("econnlab.attribution.causes"), "unknown"}
    named = {name for cell in described for name in re.findall(r"[a-z_]\w+", cell)}
    assert set(golden) - causes <= named
    assert named <= {*golden}


def causes():
    """The table of docs/causes.md, from the files of the causes."""
    from econnlab.scenario.catalogue import PEERS, load

    shown_by = {}
    for name in (*names(), *names(PEERS)):
        expected = load(name).expect
        for cause in (expected and expected.causes) or ():
            shown_by.setdefault(cause, []).append(f"`{name}`")
    yield ["cause", "meaning", "evidence", "scenarios"]
    for name, rule in rules():
        evidence = " ".join(rule.explain.__doc__.split("\n\n")[0].split()).rstrip(".")
        where = "*captures*" if getattr(rule, "OF_CAPTURES", False) else ", ".join(shown_by.get(name, []))
        yield [f"`{name}`", rule.HELP, evidence, where]


def test_the_table_of_causes_is_made_from_their_files():
    assert_tables(DOCS / "causes.md", {"causes": causes()})


@pytest.mark.parametrize("page", WORKED, ids=name_of)
def test_a_worked_example_fits_the_code_and_its_files_are_counted(page):
    """tests/lab/test_worked_pages.py runs it; this one tells whoever moves what it changes."""
    files = {}
    for language, path, text in blocks(page):
        if path and language == "diff":
            files[path] = changed(files.get(path) or (ROOT / path).read_text("utf-8"), text)
        elif path:
            assert not (ROOT / path).exists(), f"{path} exists already"
            files[path] = text
    assert f"**Files: {len(files)}" in page.read_text("utf-8")
