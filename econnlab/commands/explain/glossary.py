"""The glossary: each error as users meet it, what it means on the wire, what to do. Pure.

One TOML file a word under ``words/``, found by its name.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from econnlab.errors import UsageProblem
from econnlab.plaintext import harmless
from econnlab.scenario.codec import decode

FOLDER = Path(__file__).parent / "words"
#: How much of a text without a match is quoted back.
_QUOTED = 60
_SUGGESTIONS = 3


@dataclass(frozen=True)
class Word:
    """One error, or one family of a single meaning."""

    title: str
    aliases: tuple[str, ...]  # the spellings users meet
    says: str  # who says it
    wire: str  # what it means on the wire
    causes: tuple[str, ...]  # names of causes, the likeliest first
    scenarios: tuple[str, ...]  # names of scenarios that show it
    do: tuple[str, ...]  # what to do, the most useful first
    sources: tuple[str, ...]


def read_word(text: str, where: str) -> Word:
    """The word in ``text``, the content of the file ``where``.

    Raises UsageProblem naming the file, the key and what was expected there.
    """
    try:
        return decode(Word, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(f"{where} is not TOML: {error}.") from error
    except UsageProblem as problem:
        raise UsageProblem(f"{where}: {problem.message}", problem.hint) from problem


@cache
def words() -> dict[str, Word]:
    """Every word there is, by the name of its file."""
    return {
        path.stem: read_word(path.read_text(encoding="utf-8"), path.name)
        for path in sorted(FOLDER.glob("*.toml"))
    }


def look_up(text: str) -> list[Word]:
    """The words that ``text`` is, or that stand in it, the innermost error first.

    A pasted line names the root last, so what stands further back comes first. Raises UsageProblem,
    with what is close, where there is none.
    """
    wanted = _plain(text)
    exact = _by_alias().get(wanted)
    found = [exact] if exact is not None else _contained(wanted)
    if not found:
        raise UsageProblem(f"No word is known in {_quoted(text)}.", _hint(wanted))
    return found


def _plain(text: str) -> str:
    """Lower case, runs of blanks as one: a pasted line may be wrapped."""
    return " ".join(text.lower().split())


@cache
def _by_alias() -> dict[str, Word]:
    return {_plain(alias): word for word in words().values() for alias in (word.title, *word.aliases)}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    # \b would fail beside a bracket, as in "[Errno 104]"; a bare number in a line may be anything.
    aliases = [alias for alias in _by_alias() if not alias.isdigit()]
    return [(re.compile(rf"(?<!\w){re.escape(alias)}(?!\w)"), alias) for alias in aliases]


def _contained(wanted: str) -> list[Word]:
    """Every word with an alias in ``wanted`` that lies in no longer one, the innermost first."""
    hits = [(*match.span(), alias) for pattern, alias in _patterns() for match in pattern.finditer(wanted)]
    outermost: list[tuple[int, int, str]] = []
    for start, end, alias in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if not any(first <= start and end <= last for first, last, _ in outermost):
            outermost.append((start, end, alias))
    # Node prints "code: 'ECONNRESET'" behind every "read ECONNRESET": it adds nothing.
    said = {alias for _, _, alias in outermost}
    said = {alias for alias in said if not any(alias != other and alias in other for other in said)}
    ordered = sorted(outermost, key=lambda hit: (_is_attribute(wanted, hit[0]), -hit[0]))
    return list(dict.fromkeys(_by_alias()[alias] for _, _, alias in ordered if alias in said))


def _is_attribute(wanted: str, start: int) -> bool:
    """Whether an error's ``code:`` begins at ``start``: it comes last and is less than the message."""
    return wanted[:start].endswith(("code: '", 'code: "', "code: "))


def _quoted(text: str) -> str:
    shown = harmless(" ".join(text.split()))
    return f'"{shown}"' if len(shown) <= _QUOTED else f'"{shown[:_QUOTED]}..."'


def _hint(wanted: str) -> str:
    # difflib takes quadratic time, and no alias is longer.
    longest = max(map(len, _by_alias()))
    near = difflib.get_close_matches(wanted[: 2 * longest], _by_alias(), n=len(_by_alias()), cutoff=0.6)
    titles = list(dict.fromkeys(_by_alias()[alias].title for alias in near))[:_SUGGESTIONS]
    listed = "econnlab explain lists them all."
    return f"Did you mean {', or '.join(titles)}? {listed}" if titles else f"Nothing is close; {listed}"
