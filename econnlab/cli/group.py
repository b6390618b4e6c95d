"""The commands, each found by its name and imported only when it is asked for."""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any

import click

from econnlab.discovery import module_names, room_names

ROOMS = "econnlab.commands"
WIDEST_HELP = 100


@cache
def command_modules() -> dict[str, str]:
    """The module of each command: ``ROOM/command.py``, or a file of ``ROOM/commands/``."""
    found = {}
    for room in room_names(ROOMS):
        package = f"{ROOMS}.{room}"
        names = module_names(package)
        if "command" in names:
            found[room] = f"{package}.command"
        else:
            found |= {name: f"{package}.commands.{name}" for name in module_names(f"{package}.commands")}
    return dict(sorted(found.items()))


class CommandFolder(click.Group):
    """Adding a room adds its commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(command_modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The ``command`` of that name; its module is imported here."""
        if cmd_name not in command_modules():
            return None
        command: click.Command = importlib.import_module(command_modules()[cmd_name]).command
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
