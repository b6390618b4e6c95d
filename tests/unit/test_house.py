"""The house: which room may import which, what stays pure, and what ``econnlab --help`` may load."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import econnlab

PACKAGE = Path(econnlab.__file__).parent
#: docs/architecture.md, the rooms. A room imports from lower floors only, and never from its own floor.
FLOORS = {
    "commands": 9, "cli": 8, "lab": 7,
    "attribution": 6, "advice": 6, "client": 6, "server": 6, "link": 6, "peers": 6,
    "record": 5, "packets": 4, "scenario": 4, "system": 3,
}  # fmt: skip
#: Small modules at the top that every room may import.
COMMON = {"econnlab", "econnlab.errors", "econnlab.naming", "econnlab.discovery", "econnlab.plaintext"}
#: The ways in, for the command line and for pytest, stand above all rooms.
DOORS = {"econnlab.__main__", "econnlab.pytest_plugin", "econnlab.pytest_report", "econnlab.pytest_link"}
MOST_ARROWS = 80
PURE = """
    econnlab.scenario.model econnlab.scenario.durations econnlab.scenario.links econnlab.scenario.codec
    econnlab.scenario.treatment econnlab.scenario.orders econnlab.scenario.places
    econnlab.commands.link.tally econnlab.commands.link.api_requests
    econnlab.record.jsonl econnlab.record.ledger econnlab.attribution.summary econnlab.attribution.notes
    econnlab.commands.check.result
    econnlab.lab.schedule econnlab.link.delays econnlab.link.tun.packets
    econnlab.client.retrying
    econnlab.commands.probe.seen econnlab.commands.probe.spec econnlab.commands.probe.judging.conclusion
    econnlab.commands.probe.judging.search
    econnlab.packets.reading econnlab.packets.writing econnlab.packets.live.filter
    econnlab.commands.experiments.report.comments
""".split()
HEAVY = set("requests urllib3 rich asyncio h11 json socket subprocess decimal dataclasses".split())


def _name(path):
    parts = ["econnlab", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports_of(name):
    """The modules of ours that the module ``name`` imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in MODULES else node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return {module for module in found if module.partition(".")[0] == "econnlab"} - {name}


def room_of(name):
    """The room of a module: a folder of the package, or one command's folder; None for the top."""
    parts = name.split(".")[1:]
    if not parts or parts[0] not in FLOORS:
        return None
    return "/".join(parts[:2]) if parts[0] == "commands" and len(parts) > 1 else parts[0]


def floor_of(room):
    return FLOORS[room.partition("/")[0]]


def circles(arrows):
    """The groups of modules that import each other, directly or through others (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in arrows[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in arrows:
        if node not in index:
            visit(node)
    return found


def modules_loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("name", sorted(set(MODULES) - DOORS))
def test_a_room_imports_only_from_lower_floors(name):
    here = room_of(name)
    for module in imports_of(name):
        there = room_of(module)
        if there == here or module in COMMON:
            continue
        assert here is not None, f"{name} belongs to no room and imports {module}"
        assert there is not None, f"{name} imports {module}, which belongs to no room"
        assert floor_of(here) > floor_of(there), f"{here} imports {module}"


def test_the_rooms_have_few_arrows_between_them():
    arrows = {(room_of(name), room_of(module)) for name in MODULES for module in imports_of(name)}
    between = {(here, there) for here, there in arrows if here != there and None not in (here, there)}
    assert len(between) <= MOST_ARROWS


def test_no_modules_import_each_other():
    assert circles({name: imports_of(name) & set(MODULES) for name in MODULES}) == []


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


@pytest.mark.parametrize("module", PURE)
def test_the_pure_parts_load_no_socket(module):
    loaded = modules_loaded_by(f"import {module}")
    assert not loaded & {"socket", "_socket", "select", "asyncio", "subprocess", "threading"}


def test_every_rule_and_format_is_pure_as_well():
    loaded = modules_loaded_by(
        "from econnlab.discovery import parts;"
        "parts('econnlab.attribution.causes'); parts('econnlab.commands.experiments.formats'); "
        "parts('econnlab.client.policies'); parts('econnlab.commands.probe.formats')"
    )
    assert not loaded & {"socket", "_socket", "select", "asyncio", "subprocess"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nonsense"]])
def test_the_way_in_loads_click_and_little_else(arguments):
    before = modules_loaded_by("import click")
    loaded = modules_loaded_by(f"from econnlab.cli.main import run; run({arguments!r})") - before
    if arguments != ["--version"]:  # which reads the installed version, by importlib.metadata
        assert not {name.partition(".")[0] for name in loaded} & HEAVY
    assert not loaded & {"requests", "urllib3", "rich", "asyncio", "h11"}


def test_pytest_runs_of_others_load_next_to_nothing_for_the_plugin():
    before = modules_loaded_by("import pytest")
    loaded = modules_loaded_by("import econnlab.pytest_plugin") - before
    assert loaded == {"econnlab", "econnlab.pytest_plugin"}
