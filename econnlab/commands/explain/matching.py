"""The words that an entry holds, by the rules of the index. Pure: substrings, no regular expressions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from econnlab.commands.explain.index import Rule, index, plain
from econnlab.commands.explain.reading.found import Reading

_GAP = 200


@dataclass(frozen=True)
class Hit:
    """A word found in an entry: where, and by what."""

    slug: str
    level: int
    start: int
    end: int
    said: str  # the phrase; empty where tags alone decide


def hits(reading: Reading) -> list[Hit]:
    """Every word with a rule that fits ``reading``, each once, by its longest phrase at its last place."""
    text = plain(reading.text)
    found: dict[str, Hit] = {}
    for head, said, slug, rule in _phrases():
        # A substring test costs a hundredth of the rest, and nearly always fails.
        if head in text and (place := find(said, text)) is not None and fits(rule, text, reading):
            hit = Hit(slug, _level(slug), *place, said)
            if slug not in found or (len(said), hit.start) > (len(found[slug].said), found[slug].start):
                found[slug] = hit
    for slug, rule in _by_tags():
        if slug not in found and fits(rule, text, reading):
            found[slug] = Hit(slug, _level(slug), 0, len(text), "")
    return list(found.values())


@cache
def _phrases() -> list[tuple[str, str, str, Rule]]:
    """Each phrase: what stands in front of its first ``*``, the phrase, its word, its rule."""
    return [
        (said.partition("*")[0], said, slug, rule)
        for slug, entry in index()["words"].items()
        for rule in entry["match"]
        for said in rule.get("said", ())
    ]


@cache
def _by_tags() -> list[tuple[str, Rule]]:
    """The rules without a phrase."""
    rules = ((slug, rule) for slug, entry in index()["words"].items() for rule in entry["match"])
    return [(slug, rule) for slug, rule in rules if "said" not in rule]


def _level(slug: str) -> int:
    return index()["words"][slug]["level"]


def fits(rule: Rule, text: str, reading: Reading) -> bool:
    """Whether everything about ``rule`` but its phrase holds."""
    return (
        all(tag in reading.tags for tag in rule.get("tags", ()))
        and (not rule.get("near") or any(holds(each, text, reading) for each in rule["near"]))
        and not any(holds(each, text, reading) for each in rule.get("unless", ()))
    )


def holds(wanted: str, text: str, reading: Reading) -> bool:
    """Whether a literal stands in the text, or a tag (``#node``) among those read."""
    return wanted[1:] in reading.tags if wanted[:1] == "#" else wanted in text


def find(said: str, text: str) -> tuple[int, int] | None:
    """The last place of ``said`` in ``text`` as whole words; ``*`` spans up to 200 characters."""
    head, star, rest = said.partition("*")
    start = text.rfind(head)
    while start >= 0:
        end = start + len(head)
        if _apart(head, text, start, end):
            if not star:
                return start, end
            tail = _follows(rest, text, end)
            if tail is not None:
                return start, tail
        start = text.rfind(head, 0, end - 1) if end > 1 else -1
    return None


def _follows(rest: str, text: str, since: int) -> int | None:
    for piece in rest.split("*"):
        at = text.find(piece, since, since + _GAP + len(piece))
        if at < 0:
            return None
        since = at + len(piece)
    return since


def _apart(said: str, text: str, start: int, end: int) -> bool:
    """Whether no word goes on beyond the place. Not by ``\\b``: "[Errno 104]" begins with a bracket."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_is_word(before) and _is_word(said[:1])) and not (_is_word(after) and _is_word(said[-1:]))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def best(found: list[Hit]) -> Hit | None:
    """The one that answers: the highest level, not part of a longer phrase, the innermost of a chain."""
    if not found:
        return None
    top = max(hit.level for hit in found)
    level = [hit for hit in found if hit.level == top]
    outer = [hit for hit in level if not any(_inside(hit, other) for other in level)]
    return max(outer, key=lambda hit: (hit.start, len(hit.said)))


def _inside(hit: Hit, other: Hit) -> bool:
    """A phrase within a longer phrase; a word that tags alone decide holds all of its line."""
    if hit is other or not other.said or not hit.said:
        return False
    return other.start <= hit.start < other.end and len(other.said) > len(hit.said)
