"""``scenarios``: which there are, and what each is about."""

from __future__ import annotations

from dataclasses import replace

from econnlab.cli.console import console
from econnlab.commands.experiments.report.batch import catalogue, scenario_page
from econnlab.errors import ExitCode
from econnlab.lab.checks import read_scenario
from econnlab.scenario.catalogue import CHECK, PEERS, load, names
from econnlab.scenario.toml import write_scenario


def show_catalogue() -> int:
    """Print a line per scenario."""
    groups = ([load(name) for name in names(group)] for group in ("", PEERS, CHECK))
    console().print(catalogue(*groups), soft_wrap=True)
    return ExitCode.OK


def show_scenario(name: str) -> int:
    """Print the story of the scenario ``name`` and its file."""
    scenario = read_scenario(name)
    toml = write_scenario(replace(scenario, title="", story=""))
    console().print(scenario_page(scenario, toml), soft_wrap=True)
    return ExitCode.OK
