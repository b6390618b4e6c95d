"""A word refined by the state in the text: order of causes, what is excluded, commands filled in. Pure."""

from __future__ import annotations

from econnlab.commands.explain.answer import Answer
from econnlab.commands.explain.glossary import State, Word, concerns, shows
from econnlab.commands.explain.index import plain
from econnlab.commands.explain.matching import Hit, holds
from econnlab.commands.explain.reading.found import Reading
from econnlab.commands.explain.reading.libraries import through
from econnlab.commands.explain.reading.places import places

_MOST_COMMANDS = 3


def refine(slug: str, word: Word, reading: Reading, hit: Hit | None, inner: list[Word]) -> Answer:
    """The answer of ``word`` for ``reading``; ``inner`` are words of a lower level in it."""
    states = [state for state in word.state if _holds(state, reading)]
    excluded = {cause: why for state in states for cause, why in state.excluded.items()}
    causes = [cause for cause in _causes(word, states, inner) if cause not in excluded]
    commands = dict.fromkeys(
        line for lines in (*(state.next for state in states), word.next) for line in lines
    )
    where = places(reading.text)
    return Answer(
        slug,
        word,
        reading,
        through(word.product, reading.lower) if hit is not None else word.product,
        tuple(_because(states, reading, hit)),
        tuple(causes),
        tuple(excluded.items()),
        tuple(_do(word, states, inner, causes)),
        tuple(name for name in word.scenarios if shows().get(name, causes[0]) in causes),
        tuple(filled(line, where) for line in commands)[:_MOST_COMMANDS],
    )


def filled(command: str, where: dict[str, str]) -> str:
    """``command`` with the addresses of ``where``."""
    for name, value in where.items():
        command = command.replace(f"{{{name}}}", value)
    return command


def _holds(state: State, reading: Reading) -> bool:
    text = plain(reading.text)
    return (
        all(tag in reading.tags for tag in state.tags)
        and (not state.near or any(holds(_lower(each), text, reading) for each in state.near))
        and not any(holds(_lower(each), text, reading) for each in state.unless)
    )


def _lower(text: str) -> str:
    return text if text.startswith("#") else text.lower()


def _causes(word: Word, states: list[State], inner: list[Word]) -> list[str]:
    """A state's order, else the word's own; a wrapper has those of what it wraps."""
    ordered = next((state.causes for state in states if state.causes), None)
    if ordered is None and word.level == "wrapper" and inner:
        ordered = inner[0].causes
    causes = list(ordered or word.causes)
    also = [cause for state in states for cause in state.also]
    return list(dict.fromkeys([*causes[:1], *also, *causes[1:]]))


def _do(word: Word, states: list[State], inner: list[Word], causes: list[str]) -> list[str]:
    """What to do, without the sentences about a cause that is not among ``causes``."""
    lines = dict.fromkeys([*(line for state in states for line in state.do), *_lines(word, inner)])
    return [line for line in lines if concerns().get(line, causes[0]) in causes]


def _lines(word: Word, inner: list[Word]) -> tuple[str, ...]:
    return word.do if word.level != "wrapper" or not inner else tuple(dict.fromkeys([*inner[0].do, *word.do]))


def _because(states: list[State], reading: Reading, hit: Hit | None) -> list[str]:
    if hit is None:
        return []
    said = [f'it says "{hit.said}"'] if hit.said else []
    wanted = {tag for state in states for tag in state.tags}
    shown = [why for tag, why in reading.tags.items() if why and (tag in wanted or not hit.said)]
    read = [state.reading for state in states if state.reading]
    return list(dict.fromkeys([*said, *reading.why, *shown, *read]))
