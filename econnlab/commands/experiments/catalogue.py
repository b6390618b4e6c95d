"""``scenarios``: which there are, and what each is about."""

from __future__ import annotations

from dataclasses import replace

from econnlab.cli.outputs import Files, Outputs
from econnlab.commands.experiments.report.batch import catalogue, scenario_page
from econnlab.errors import ExitCode
from econnlab.lab.checks import read_scenario
from econnlab.scenario.catalogue import CHECK, PEERS, load, names
from econnlab.scenario.toml import write_scenario

_GROUPS = {"lab": "", PEERS: PEERS, CHECK: CHECK}


def show_scenarios(name: str | None, files: Files) -> int:
    """Print a line per scenario, or the story of the scenario ``name`` and its file."""
    groups = {group: [load(each) for each in names(folder)] for group, folder in _GROUPS.items()}
    if name is None:
        page = catalogue(*groups.values())
    else:
        scenario = read_scenario(name)
        group = next((group for group, known in groups.items() if scenario in known), "file")
        groups = {group: [scenario]}
        page = scenario_page(scenario, write_scenario(replace(scenario, title="", story="")))
    with Outputs(files, reads=[name]) as outputs:
        try:
            outputs.screen.print(page, soft_wrap=True)
        finally:
            outputs.write(groups)
    return ExitCode.OK
