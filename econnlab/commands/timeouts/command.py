"""``econnlab timeouts``: idle timeouts of products, and whether a chain of them is safe."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  econnlab timeouts                              the whole table
  econnlab timeouts nginx                        one entry whole: how to set it, what is known from where
  econnlab timeouts node20 puma alb httpx        some of it
  econnlab timeouts --kind client --csv -
  econnlab timeouts check alb=60s nginx=75s node20=5s
  econnlab timeouts check chain.toml
"""


class _ShownByDefault(click.Group):
    """``timeouts nginx`` means ``timeouts show nginx``. The commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Both of them."""
        return ["check", "show"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name in ``subcommands.py``."""
        if cmd_name not in self.list_commands(ctx):
            return None
        from econnlab.commands.timeouts import subcommands as timeouts_commands

        command: click.Command = getattr(timeouts_commands, cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """click's own, with ``show`` in front if no command is named."""
        named = bool(args) and args[0] in (*self.list_commands(ctx), *ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["show", *args])


@click.group(
    "timeouts",
    cls=_ShownByDefault,
    epilog=EPILOG,
    short_help="Default idle timeouts, and whether a chain of them is safe.",
    options_metavar="",
    subcommand_metavar="[NAME]... | check HOP HOP...",
)
def command() -> None:
    """How long servers, proxies, balancers, NATs and clients keep or reuse idle connections, by version.

    Each entry names the source that was read or the measurement that was made. See timeouts show --help and
    timeouts check --help for the options.
    """
