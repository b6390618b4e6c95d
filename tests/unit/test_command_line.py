"""What all commands share: options, help, files, tables, hints."""

import dataclasses
import io
import json

import click
import pytest
from rich.console import Console
from rich.text import Text

from econnlab.cli.columns import Column, Grid
from econnlab.cli.command import OUTPUT, formats, lab_command, option
from econnlab.cli.console import Hanging
from econnlab.cli.files import Appended
from econnlab.cli.group import CommandFolder
from econnlab.cli.main import cli as root
from econnlab.cli.main import run
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.writing import csv_text, json_text, markdown_escaped
from econnlab.commands.check.screen import CheckOptions
from econnlab.commands.diagnose.screen import DiagnoseOptions
from econnlab.commands.experiments.batch import RunOptions
from econnlab.commands.link.screen import LinkOptions
from econnlab.commands.probe.spec import ProbeSpec
from econnlab.commands.remedies.screen import RemediesOptions
from econnlab.discovery import parts
from econnlab.errors import EnvironmentProblem, UsageProblem, did_you_mean

RUNS = "econnlab.commands.experiments.formats"
GROUP = CommandFolder()
COMMANDS = {name: GROUP.get_command(click.Context(GROUP), name) for name in GROUP.list_commands(None)}


def drawn(renderable, width):
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(renderable)
    return stream.getvalue()


# -- options ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("check", CheckOptions),
        ("diagnose", DiagnoseOptions),
        ("run", RunOptions),
        ("link", LinkOptions),
        ("probe", ProbeSpec),
        ("remedies", RemediesOptions),
    ],
)
def test_the_options_of_a_command_are_the_fields_of_its_values(name, kind):
    """mypy checks how the fields are used; this, that click fills each of them."""
    made = {parameter.name for parameter in COMMANDS[name].params if parameter.expose_value}
    outputs = {each.name for each in COMMANDS[name].params if getattr(each, "group", "") == OUTPUT}
    expected = {field.name for field in dataclasses.fields(kind)} - {"files"}
    assert made - outputs == expected - outputs


def test_a_format_is_an_option_and_none_is_left_out():
    given = {}

    @lab_command("show", examples="", summary="")
    @option("--other")
    @formats(RUNS, more={"save": option("--save")})
    def command(files, other):
        given.update(files=files, other=other)

    for name in parts(RUNS):
        command.main([f"--{name}", "x", "--save", "y", "--other", "z"], standalone_mode=False)
        assert given == {"files": Files(RUNS, {name: "x"}, save="y"), "other": "z"}


def test_every_format_has_a_help_and_renders():
    packages = """
        experiments.formats experiments.batch_formats experiments.catalogue_formats check.formats
        diagnose.formats probe.formats remedies.formats timeouts.table_formats timeouts.chain_formats
    """
    for package in packages.split():
        for module in parts(f"econnlab.commands.{package}").values():
            assert module.HELP and callable(module.render)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "timeouts"])
def test_examples_come_before_the_options(name, capsys):
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Examples:") < shown.index("--help")


@pytest.mark.parametrize("name", ["keepalive", "sweep", "maxconn"])
def test_the_long_commands_show_their_options_in_groups(name, capsys):
    run([name, "--help"])
    headings = [line for line in capsys.readouterr().out.splitlines() if line and line[0] != " "][1:]
    assert headings == [
        "Experiment:",
        "Server:",
        "Link:",
        "Client and remedies:",
        "Output:",
        "Other options:",
    ]


# -- hints --------------------------------------------------------------------------------------------


def test_a_hint_names_what_is_near_or_all_there_is():
    assert did_you_mean("keepalve", ["keepalive", "sweep"]) == "Did you mean keepalive?"
    assert did_you_mean("axios", ["axios-retry-3", "go"]) == "Did you mean axios-retry-3?"
    assert did_you_mean("moon", ["a", "b"]) == "There are a, b."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["kepalive"], "Did you mean keepalive?"),
        (["keepalive", "--retry", "axios"], "Did you mean axios-retry-3 or axios-retry-4 or axios-retry?"),
        (["keepalive", "--intervl", "5"], "--interval"),
        (["sweep", "5000..4900:5"], "Did you mean 4900..5000:5?"),
        (["run", "keepalive-rac"], "Did you mean keepalive-race"),
    ],
)
def test_a_slip_gets_a_suggestion(arguments, said, capsys):
    assert run(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_suggested_range_is_accepted(capsys):
    run(["sweep", "5000..4900:50"])
    suggested = capsys.readouterr().err.split("Did you mean ")[1].split("?")[0]
    assert run(["sweep", suggested, "--show-scenario"]) == 0


# -- errors that nobody expected ------------------------------------------------------------------------


@pytest.fixture
def broken(monkeypatch, tmp_path):
    """A command with a defect."""

    @click.command("broken")
    def command():
        raise IndexError("tuple index out of range")

    monkeypatch.setattr(root, "get_command", lambda ctx, name: command)
    monkeypatch.setattr(root, "list_commands", lambda ctx: ["broken"])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_defect_is_one_line_and_70_and_its_trace_in_a_file(broken, capsys):
    assert run(["broken"]) == 70
    said = capsys.readouterr().err
    (trace,) = broken.iterdir()
    assert said.count("\n") == 1 and "IndexError: tuple index out of range" in said and str(trace) in said
    assert "Traceback" in trace.read_text()


def test_debug_prints_the_trace(broken, capsys):
    assert run(["--debug", "broken"]) == 70
    assert "Traceback" in capsys.readouterr().err
    assert not list(broken.iterdir())


def test_debug_may_stand_behind_the_command(capsys):
    assert run(["scenarios", "--debug"]) == 0


# -- files ----------------------------------------------------------------------------------------------


def test_numbers_that_json_does_not_know_become_null():
    assert json.loads(json_text(1, {"a": [float("inf"), float("nan"), 1.5]})) == {
        "version": 1, "a": [None, None, 1.5],
    }  # fmt: skip


def test_csv_and_markdown_show_control_characters_and_markup_as_text():
    assert csv_text([{"a": "x\x1b[2J", "b": 1}]) == "a,b\nx\\x1b[2J,1\n"
    assert markdown_escaped("a|b\n<c>") == "a&#124;b &#60;c&#62;"


def test_a_command_does_not_write_what_it_reads(tmp_path):
    (tmp_path / "run").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    for where in ("run", "link"):
        with pytest.raises(UsageProblem, match="would be overwritten"):
            Outputs(Files(RUNS, {"json": str(tmp_path / where)}), reads=[str(tmp_path / "run")])
    assert (tmp_path / "run").read_text() == "precious"


def test_a_record_keeps_its_old_content_until_the_run_begins(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("old\n")
    with Appended(str(path)):
        pass
    assert path.read_text() == "old\n"
    with Appended(str(path)) as record:
        record.begin()
        record.write("new\n")
    assert path.read_text() == "new\n"


def test_a_second_writer_of_a_record_is_refused(tmp_path):
    path = str(tmp_path / "run.jsonl")
    with Appended(path) as record:
        record.begin()
        record.write("mine\n")
        with pytest.raises(EnvironmentProblem, match="Another command is writing"):
            Appended(path)
    assert (tmp_path / "run.jsonl").read_text() == "mine\n"


# -- tables and text --------------------------------------------------------------------------------------

COLUMNS = [
    Column("name", ["node", "nginx"], right=False),
    Column("versions", ["..18 and 20.18..20, 22.9..26", ""], 2, right=False),
    Column("rate", ["1.0%", "20.0%"], 1),
    Column("lost", ["1", "20"]),
]


@pytest.mark.parametrize("width", range(12, 100))
def test_a_table_of_any_width_holds_every_word(width):
    text = drawn(Grid(COLUMNS), width)
    for word in "node nginx ..18 and 20.18..20, 22.9..26 1.0% 20.0% 20 versions rate lost".split():
        assert word in text, width
    if width > 30:
        assert max(map(len, text.splitlines())) <= width


def test_a_table_wraps_before_columns_go_below():
    assert "rate  lost" in drawn(Grid(COLUMNS), 40)
    assert "    rate 1.0%\n" in drawn(Grid(COLUMNS), 30)


def test_lines_wrap_between_words_and_keep_their_indentation():
    text = drawn(Hanging(Text("  server  keeps idle connections\nend")), 20)
    assert text == "  server  keeps idle\n  connections\nend\n"
