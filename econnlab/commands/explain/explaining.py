"""A text explained: its entries read, the words in them found, one answer for each failure. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from econnlab.commands.explain.answer import Answer, NotUnderstood
from econnlab.commands.explain.glossary import LEVELS, Word, word
from econnlab.commands.explain.index import index, plain
from econnlab.commands.explain.matching import Hit, best, find, hits
from econnlab.commands.explain.reading.entries import entries
from econnlab.commands.explain.reading.found import Reading
from econnlab.commands.explain.reading.reader import read
from econnlab.commands.explain.refining import refine

_MOST_ANSWERS = 3
#: A bare phrase: what is said is nearly all of the text.
_SHARE = 0.6


def explain(text: str) -> list[Answer] | NotUnderstood:
    """The answers to ``text``, the weightiest first, or what was understood of it."""
    named = _typed(text)
    if named is not None:
        return [named]
    readings = _readings(text)
    answers = _answers(readings)
    if answers:
        return answers[:_MOST_ANSWERS]
    return _readings_of_a_phrase(readings) or _not_understood(text, readings)


def failures(text: str) -> list[Answer]:
    """The answers to ``text`` that need no guess; none if it reports no failure that is known."""
    return _answers(_readings(text))


def _readings(text: str) -> list[Reading]:
    return [read(entry, index()["forms"]) for entry in entries(text)]


def _answers(readings: list[Reading]) -> list[Answer]:
    found = (_answer(reading, readings) for reading in readings)
    return _merged(answer for answer in found if answer is not None)


def _typed(text: str) -> Answer | None:
    """The word that was typed by its name."""
    wanted = plain(text)
    exact = " ".join(text.split())  # HAProxy's sH and SH differ
    slug = _names().get(exact) or _names().get(wanted)
    if slug is None:
        return None
    reading = Reading(text, wanted, "name of a word", "", {}, {}, ())
    return refine(slug, word(slug), reading, None, [])


@cache
def _names() -> dict[str, str]:
    """The word of each name, as it is written and in lower case."""
    found = {typed: slug for slug, entry in index()["words"].items() for typed in entry["typed"]}
    return {**{typed.lower(): slug for typed, slug in found.items()}, **found}


def _answer(reading: Reading, all_readings: list[Reading]) -> Answer | None:
    """What the entry says; what the entries before it show of the language counts where its own is silent."""
    if reading.healthy:
        return None
    found = hits(reading)
    if not found and len(all_readings) > 1:
        shown = {tag: why for each in all_readings for tag, why in each.tags.items() if ":" not in tag}
        reading = replace(reading, tags={**shown, **reading.tags})
        found = hits(reading)
    chosen = best(found)
    return None if chosen is None else _of(chosen, found, reading)


def _of(chosen: Hit, found: list[Hit], reading: Reading) -> Answer:
    behind = [hit for hit in found if hit is not chosen]
    inner = best([hit for hit in behind if hit.level < chosen.level])
    return refine(chosen.slug, word(chosen.slug), reading, chosen, [word(inner.slug)] if inner else [])


def _merged(answers: Iterable[Answer]) -> list[Answer]:
    """Equal failures together; the oftenest first, and of equals the last one."""
    found: dict[tuple[str, tuple[str, ...]], Answer] = {}
    for answer in answers:
        key = (answer.slug, answer.causes)
        times = found.pop(key).times + 1 if key in found else 1
        found[key] = replace(answer, times=times)
    latest_first = list(found.values())
    latest_first.reverse()
    return sorted(latest_first, key=lambda answer: (-_weight(answer.word), -answer.times))


def _weight(word: Word) -> int:
    return 1 if LEVELS[word.level] >= LEVELS["message"] else 0


def _readings_of_a_phrase(readings: list[Reading]) -> list[Answer]:
    """The words that a bare phrase may mean, each with what would decide."""
    if len(readings) != 1:
        return []
    reading = readings[0]
    text = plain(reading.text)
    found = [
        Hit(slug, entry["level"], *place, said)
        for slug, entry in index()["words"].items()
        for said in entry["perhaps"]
        if (place := find(said, text)) is not None and len(said) >= _SHARE * len(text)
    ]
    once = {hit.slug: hit for hit in found}.values()
    answers = [refine(hit.slug, word(hit.slug), reading, hit, []) for hit in once]
    return [
        replace(answer, doubt=answer.word.decides or "The library's name or a stack trace in front of it.")
        for answer in answers[:_MOST_ANSWERS]
    ]


def _not_understood(text: str, readings: list[Reading]) -> NotUnderstood:
    known = [reading for reading in readings if reading.product or reading.tags]
    return NotUnderstood(text, known[-1] if known else None)
