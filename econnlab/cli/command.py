"""The commands and options of the lab: click's, with examples first, options in groups, and bundled options.

Nothing but click is imported at the top: ``econnlab --help`` imports this.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from econnlab.cli.debugging import debug_option
from econnlab.discovery import module_names, parts

if TYPE_CHECKING:
    from econnlab.cli.outputs import Files

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]

EXPERIMENT, SERVER, LINK, CLIENT, OUTPUT = (
    "Experiment", "Server", "Link", "Client and remedies", "Output",
)  # fmt: skip
#: The heading for options without a group.
OTHERS = "Options"


class LabOption(click.Option):
    """An option that stands under the heading ``group`` in the help, without its ``former`` names."""

    def __init__(
        self, *args: Any, group: str = OTHERS, former: tuple[str, ...] = (), **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.group = group
        self._former = former

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The line in the help."""
        names, self.opts = self.opts, [name for name in self.opts if name not in self._former]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names


class FormatOption(LabOption):
    """The option for one format; the format's module is imported only for the help."""

    def __init__(self, *args: Any, package: str, **attributes: Any) -> None:
        super().__init__(*args, group=OUTPUT, metavar="FILE", **attributes)
        self._package = package

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The line in the help."""
        self.help = f"Write {parts(self._package)[self.name or ''].HELP}; - is stdout."
        return super().get_help_record(ctx)


class LabCommand(click.Command):
    """A command whose help shows the examples before the options, and the options in their groups."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Usage, text, examples, options."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_epilog(ctx, formatter)
        self.format_options(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A list for each group, in the order of its first option."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(parameter, "group", OTHERS), []).append(record)
        last = groups.pop(OTHERS, [])
        for heading, records in [*groups.items(), ("Other options" if groups else OTHERS, last)]:
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class ProgramCommand(LabCommand):
    """A command that may be followed by ``-- COMMAND...``: the user's program, its parameter ``program``."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """click's own, with the program at the end."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What stands behind the first ``--`` is the program."""
        at = args.index("--") if "--" in args else len(args)
        program = tuple(args[at + 1 :])
        if at < len(args) and not program:
            raise click.UsageError("There is no command behind --.", ctx)
        rest = super().parse_args(ctx, args[:at])
        ctx.params["program"] = program or None
        return rest


def lab_command(
    name: str, *, examples: str, summary: str, cls: type[LabCommand] = LabCommand, **attributes: Any
) -> Callable[[F], click.Command]:
    """The command ``name``: ``summary`` is its line in the list of commands."""
    epilog = "\b\nExamples:\n" + examples.strip("\n")

    def decorate(function: F) -> click.Command:
        made = click.command(name, cls=cls, epilog=epilog, short_help=summary, **attributes)
        built: click.Command = made(debug_option(function))
        built.params.append(built.params.pop(0))  # --debug is the last in the help
        return built

    return decorate


def option(*declarations: str, **attributes: Any) -> Decorator:
    """An option; ``group`` is its heading in the help."""
    return click.option(*declarations, cls=LabOption, **attributes)


def bundle(name: str, make: Callable[..., Any], taken: set[str], options: list[Decorator]) -> Decorator:
    """``options``, whose values ``taken`` reach the function as one argument ``name``, made by ``make``."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def bundled(**values: Any) -> Any:
            made = make(**{each: values.pop(each) for each in taken})
            return function(**{name: made}, **values)

        for each in reversed(options):
            bundled = each(bundled)
        return bundled  # type: ignore[return-value]

    return decorate


def formats(*packages: str, more: dict[str, Decorator] | None = None) -> Decorator:
    """An option for each format of ``packages``; the command gets them all as ``files``.

    ``more`` are further fields of Files, each with its option.
    """
    found = {name: package for package in reversed(packages) for name in module_names(package)}
    options = [
        click.option(f"--{name.replace('_', '-')}", name, cls=FormatOption, package=package)
        for name, package in sorted(found.items())
    ]
    others = more or {}

    def make(**values: Any) -> Files:
        from econnlab.cli.outputs import Files

        asked = {name: values.pop(name) for name in found}
        given = {name: where for name, where in asked.items() if where is not None}
        return Files(packages[0], given, **values)

    return bundle("files", make, {*found, *others}, [*options, *others.values()])
