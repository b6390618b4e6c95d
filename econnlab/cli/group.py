"""The commands of a folder, imported only when they are asked for."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from econnlab.discovery import module_names

FOLDER = "econnlab.cli.commands"
WIDEST_HELP = 100


class CommandFolder(click.Group):
    """Each module of the folder holds one ``command``; adding a file adds a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the modules."""
        return module_names(FOLDER)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The ``command`` of the module of that name."""
        if cmd_name not in module_names(FOLDER):
            return None
        command: click.Command = importlib.import_module(f"{FOLDER}.{cmd_name}").command
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """click's own, told the width: to find it out click imports shutil and all its compressors."""
        return super().make_context(*args, **{"terminal_width": _help_width(), **kwargs})


def _help_width() -> int:
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        columns = 80
    return max(50, min(columns, WIDEST_HELP) - 2)
