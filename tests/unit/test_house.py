"""The house: who may import whom, what stays pure, and what ``econnlab --help`` may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import econnlab

PACKAGE = Path(econnlab.__file__).parent
#: DESIGN: the house. A room imports from its own floor downwards; rooms of one floor only as listed.
FLOORS = {
    "cli": 5, "lab": 4, "report": 4,
    "client": 3, "peers": 3, "server": 3, "link": 3, "explain": 3,
    "record": 2, "wire": 2, "scenario": 1,
}  # fmt: skip
PURE = """
    econnlab.scenario.model econnlab.scenario.durations econnlab.scenario.links econnlab.scenario.codec
    econnlab.scenario.treatment econnlab.scenario.orders econnlab.scenario.places
    econnlab.record.tally econnlab.lab.api_requests
    econnlab.record.jsonl econnlab.record.ledger econnlab.explain.summary econnlab.explain.notes
    econnlab.explain.checking.result
    econnlab.lab.schedule econnlab.link.delays econnlab.link.tun.packets
    econnlab.client.retrying
    econnlab.record.probing econnlab.scenario.probing econnlab.explain.probing.conclusion
    econnlab.explain.probing.search
    econnlab.wire.reading econnlab.wire.writing econnlab.wire.live.filter econnlab.report.comments
""".split()
HEAVY = set("requests urllib3 rich asyncio h11 json socket subprocess decimal dataclasses".split())
#: The ways in, for the command line and for pytest, stand above all rooms.
DOORS = {PACKAGE / "__main__.py", PACKAGE / "pytest_plugin.py"}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path not in DOORS)


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(module):
    parts = module.split(".")
    return parts[1] if parts[0] == "econnlab" and len(parts) > 1 and parts[1] in FLOORS else None


def modules_loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_imports_upwards_or_across(path):
    here = room_of(".".join(["econnlab", *path.relative_to(PACKAGE).with_suffix("").parts]))
    for module in imports_of(path):
        there = room_of(module)
        if there is None or here == there:
            continue
        assert here is not None, f"{path.name} belongs to no room and imports {module}"
        assert FLOORS[here] > FLOORS[there], f"{here} imports {module}"


@pytest.mark.parametrize("module", PURE)
def test_the_pure_parts_load_no_socket(module):
    loaded = modules_loaded_by(f"import {module}")
    assert not loaded & {"socket", "_socket", "select", "asyncio", "subprocess", "threading"}


def test_every_rule_and_format_is_pure_as_well():
    loaded = modules_loaded_by(
        "from econnlab.discovery import parts;"
        "parts('econnlab.explain.causes'); parts('econnlab.report.formats'); "
        "parts('econnlab.client.policies'); parts('econnlab.report.probes')"
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
