"""What an entry of a log reports: each entry of one wording is read once, so that a million take seconds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from econnlab.commands.explain.answer import Answer
from econnlab.commands.explain.explaining import failures
from econnlab.commands.explain.index import Index, index

#: What varies from line to line: times, addresses, paths, numbers; not the codes of Winsock.
_VARIES = re.compile(r"[\d/](?!00(?:5|6)\d\b)(?:[\w./:%?&=#+~-]{4,}|\d{0,3} ?ms\b)")
_TOKENS = re.compile(r"[A-Za-z0-9_]+")
#: Codes such as HAProxy's sH and Envoy's UC.
_CODE = 4
_STATUS = re.compile(r"[45]\d\d")
_UNITS = frozenset("ms s us ns sec seconds bytes kb mb b".split())
#: They show a log line whose flags decide, not its words.
_HINTS = ("haproxy", "response_flags", "response_code_details", "heroku", "cloudfront")
_MOST_KEPT = 50_000


@dataclass(frozen=True)
class Key:
    """What makes entries one group: what it is, and by what causes."""

    word: str
    causes: tuple[str, ...]


class Classifier:
    """``answer`` for each entry."""

    def __init__(self) -> None:
        self._index = index()
        self._by_shape: dict[str, Answer | None] = {}
        self._by_words: dict[tuple[str, ...], Answer | None] = {}

    def answer(self, entry: str) -> Answer | None:
        """The weightiest failure that ``entry`` reports; None if it reports none that is known."""
        shape = _VARIES.sub("0", entry)
        try:
            return self._by_shape[shape]
        except KeyError:
            found = self._by_wording(entry)
        if len(self._by_shape) >= _MOST_KEPT:
            self._by_shape.clear()
        self._by_shape[shape] = found
        return found

    def _by_wording(self, entry: str) -> Answer | None:
        """By the tokens that a rule can ask for, in their order: the rest of the entry decides nothing."""
        telling = self._telling
        tokens = set(_TOKENS.findall(entry.lower()))
        found = [phrase for token in tokens if token in telling for phrase in telling[token]]
        if not any(needed <= tokens for needed in found):
            return None
        key = tuple(self._deciding(_TOKENS.findall(entry)))
        if key not in self._by_words:
            if len(self._by_words) >= _MOST_KEPT:
                self._by_words.clear()
            self._by_words[key] = next(iter(failures(entry)), None)
        return self._by_words[key]

    def _deciding(self, words: list[str]) -> Iterator[str]:
        """Those of ``words`` that phrases have, codes, statuses, and numbers that stand so in a phrase."""
        known, pairs = self._vocabulary, self._pairs
        before = ""
        for word, after in zip(words, [*words[1:], ""], strict=True):
            lowered = word.lower()
            if not word.isdigit():
                if lowered in known or _is_code(word):
                    yield word
            elif _STATUS.fullmatch(word):
                if after.lower() not in _UNITS:
                    yield word
            elif (before, word) in pairs or (word, after.lower()) in pairs:
                yield word
            before = lowered

    @cached_property
    def _pairs(self) -> frozenset[tuple[str, str]]:
        """Neighbours in a phrase of which one is a number."""
        found = [_TOKENS.findall(phrase) for phrase in _phrases(self._index)]
        pairs = {pair for tokens in found for pair in pairwise(tokens)}
        return frozenset(pair for pair in pairs if pair[0].isdigit() or pair[1].isdigit())

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """Every token of every phrase."""
        return frozenset(token for phrase in _phrases(self._index) for token in _TOKENS.findall(phrase))

    @cached_property
    def _telling(self) -> dict[str, list[frozenset[str]]]:
        """By the rarest token of each phrase: all the tokens that the phrase needs."""
        said = [_TOKENS.findall(phrase.partition("*")[0]) for phrase in _said(self._index)]
        often = Counter(token for tokens in said for token in set(tokens))
        found = {hint: [frozenset((hint,))] for hint in (*_HINTS, *map(str, range(400, 600)))}
        for tokens in filter(None, said):
            rarest = min(tokens, key=lambda token: (often[token], -len(token)))
            found.setdefault(rarest, []).append(frozenset(tokens))
        return found


def _is_code(word: str) -> bool:
    return len(word) <= _CODE and word.isalpha() and word.isupper()


def _said(index: Index) -> Iterator[str]:
    for entry in index["words"].values():
        for rule in entry["match"]:
            yield from rule.get("said", ())


def _phrases(index: Index) -> Iterator[str]:
    for entry in index["words"].values():
        for rule in entry["match"]:
            for phrases in (rule.get("said", ()), rule.get("near", ()), rule.get("unless", ())):
                yield from phrases
