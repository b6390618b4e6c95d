"""``timeouts``: the table shown, a chain read, judged and reported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from econnlab.advice.product import Kind, Product, Release, products, releases_of
from econnlab.cli.console import LabConsole, say
from econnlab.cli.files import STDOUT
from econnlab.cli.outputs import Files, Outputs
from econnlab.cli.pages import commands
from econnlab.commands.timeouts import report
from econnlab.commands.timeouts.chain import Chain, parse_chain, read_chain
from econnlab.commands.timeouts.judging import Safety, judge
from econnlab.commands.timeouts.next_steps import after_chain, after_table
from econnlab.errors import ExitCode, UsageProblem

_KINDS = list(Kind)


def show_timeouts(names: Sequence[str], kind: str | None, files: Files) -> int:
    """Print and write the table, or what is known of ``names``. Returns the exit code."""
    entries = _wanted(names, kind)
    with Outputs(files) as outputs:
        screen = outputs.screen
        shown = report.page(*entries[0]) if len(names) == 1 and entries else report.table(entries)
        try:
            screen.print(shown)
            _print(screen, list(commands(after_table([product for product, _ in entries]))))
        finally:
            outputs.write(entries)
    return ExitCode.OK


def _wanted(names: Sequence[str], kind: str | None) -> list[tuple[Product, tuple[Release, ...]]]:
    entries = [releases_of(name) for name in names] or [
        (product, product.releases) for product in products().values()
    ]
    entries = [entry for entry in entries if kind in (None, entry[0].kind.value)]
    if not entries:
        raise UsageProblem(f"None of them is a {kind}.", "Leave out --kind, or name others.")
    # From the client to the server, as a request goes.
    return (
        entries if names else sorted(entries, key=lambda entry: (_KINDS.index(entry[0].kind), entry[0].name))
    )


def check_chain(words: Sequence[str], rtt: str, margin: str, files: Files) -> int:
    """Judge the chain of ``words``, or of the file they name. Returns the exit code."""
    chain = _chain(words, rtt, margin)
    found = judge(chain)
    with Outputs(files, reads=words) as outputs:
        try:
            _print(outputs.screen, list(report.judgements(found)))
            outputs.screen.print(Text(f"\n{report.conclusion(found)}", "bold"))
            _print(outputs.screen, list(commands(after_chain(found))))
            for remark in report.remarks(chain):
                say(f"Note: {remark}.")
        finally:
            outputs.write((chain, found))
    unsafe = any(each.safety is Safety.UNSAFE for each in found)
    return ExitCode.EXPECTATION if unsafe else ExitCode.OK


def _print(screen: LabConsole, parts: Sequence[RenderableType]) -> None:
    for part in parts:
        screen.print(part)


def _chain(words: Sequence[str], rtt: str, margin: str) -> Chain:
    file = next((word for word in words if word == STDOUT or word.endswith(".toml")), None)
    if file is None:
        return parse_chain(words, rtt, margin)
    if len(words) > 1:
        raise UsageProblem(f"{file!r} is a whole chain.", "Give one file, or hops.")
    if rtt or margin:
        raise UsageProblem(
            "--rtt and --margin belong in the file.", 'Write rtt = "1ms" and margin = "500ms" there.'
        )
    return read_chain(_text(file), "stdin" if file == STDOUT else file)


def _text(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == STDOUT else Path(file).read_bytes()
        return content.decode("utf-8")
    except OSError as error:
        raise UsageProblem(
            f"{file!r} cannot be read: {error.strerror}.", "Give the path of a chain."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageProblem(f"{file!r} is not UTF-8 text.", "Give the path of a chain.") from error
