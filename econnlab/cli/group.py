"""The commands: each is found by its name and imported only when it is needed."""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any

import click

from econnlab.discovery import module_names, room_names
from econnlab.errors import did_you_mean

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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """click's own; for an unknown command it names those that are near."""
        name = args[0] if args else ""
        if name and name[0] not in "-/" and name not in self.list_commands(ctx):
            ctx.fail(f"There is no command {name!r}. {did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """click's own with the width set: to find it, click would import shutil and all compressors."""
        return super().make_context(*args, **{"terminal_width": _help_width(), **kwargs})


def _help_width() -> int:
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        columns = 80
    return max(50, min(columns, WIDEST_HELP) - 2)
