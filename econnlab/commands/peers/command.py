"""``econnlab peers``: which real servers and clients there are, and which are here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from econnlab.cli.command import formats, lab_command

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

LIST = """
  econnlab peers                              every peer, its version here, and its default timeout
  econnlab peers install axios@0.22.0 node@14.18.0 axios-retry@3.2.0
  econnlab peers measure uvicorn node         start each and measure its default idle timeout
"""


class _ListedByDefault(click.Group):
    """``peers --json -`` means ``peers list --json -``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """click's own, with ``list`` in front if no command is named."""
        named = bool(args) and args[0] in (*self.list_commands(ctx), *ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Usage, text, examples, options, commands."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_epilog(ctx, formatter)
        self.format_options(ctx, formatter)


@click.group(
    "peers",
    cls=_ListedByDefault,
    epilog=f"\b\nExamples:\n{LIST.strip(chr(10))}",
    short_help="The real servers and clients that --server and --client can name.",
)
def command() -> None:
    """Real servers and clients, each run as itself: --server NAME[@VERSION], --client NAME[@VERSION]."""


@lab_command("list", examples=LIST, summary="Every peer, its version here, its default timeout.")
@formats("econnlab.commands.peers.formats")
def _list(*, files: Files) -> int:
    """List every peer, with its version on this machine or the line that installs it."""
    from econnlab.commands.peers.screen import list_peers

    return list_peers(files)


@lab_command(
    "install",
    examples="  econnlab peers install axios@0.22.0 node@14.18.0\n  econnlab peers install uvicorn hypercorn",
    summary="Install peers from npm and PyPI into a folder of yours.",
)
@click.argument("names", nargs=-1, required=True, metavar="NAME[@VERSION]...")
def _install(*, names: tuple[str, ...]) -> int:
    """Install peers from npm and PyPI, without root.

    They go into $ECONNLAB_PEERS, by default ~/.local/share/econnlab/peers.
    """
    from econnlab.commands.peers.screen import install_peers

    return install_peers(names)


@lab_command(
    "measure",
    examples="  econnlab peers measure\n  econnlab peers measure node uvicorn",
    summary="Measure the default idle timeout of server peers.",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def _measure(*, names: tuple[str, ...]) -> int:
    """Start each server peer as it comes, and measure how long it keeps an idle connection.

    Without NAME all that are here are measured, side by side, in at most 130 s. `econnlab peers` shows the
    result beside the documented timeout.
    """
    from econnlab.commands.peers.screen import measure_peers

    return measure_peers(names)


@lab_command(
    "check",
    examples="  econnlab peers check ./my-client\n  econnlab peers check axios",
    summary="Check that a client speaks the client protocol.",
)
@click.argument("client", metavar="CLIENT")
def _check(*, client: str) -> int:
    """Run CLIENT, and hold what it says of its attempts against the server's ledger.

    CLIENT is a program (./my-client) or a client of `econnlab peers`. docs/client-protocol.md describes what
    it must say. Exit code 1 means that a rule is broken.
    """
    from econnlab.commands.peers.screen import check_protocol

    return check_protocol(client)


for _each in (_list, _install, _measure, _check):
    command.add_command(_each)
