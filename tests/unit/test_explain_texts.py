"""``explain`` on texts as people paste them: public reports, and texts that are no network errors."""

import re
from pathlib import Path

import pytest

from econnlab.commands.explain.answer import NotUnderstood
from econnlab.commands.explain.explaining import explain

TEXTS = Path(__file__).parent.parent / "support" / "texts"
PUBLIC = [line.split("\t") for line in (TEXTS / "public.tsv").read_text(encoding="utf-8").splitlines()]
OTHERS = (TEXTS / "no_network.txt").read_text(encoding="utf-8").rstrip("\n").split("\n----\n")


def unescaped(text):
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)


@pytest.mark.parametrize(
    ("seen", "product", "cause", "text"), [row[1:] for row in PUBLIC], ids=[r[0] for r in PUBLIC]
)
def test_a_public_report_is_read_as_what_it_is(seen, product, cause, text):
    answers = explain(unescaped(text))
    assert seen
    assert not isinstance(answers, NotUnderstood)
    first = answers[0]
    assert re.search(product, first.product, re.IGNORECASE)
    assert cause == "-" or any(re.search(cause, each) for each in first.causes[:2])
    assert first.because or first.reading.form == "name of a word"


def test_texts_that_are_no_network_errors_get_no_article():
    answered = [text for text in OTHERS if not isinstance(explain(text), NotUnderstood)]
    assert len(OTHERS) >= 300
    assert len(answered) <= len(OTHERS) // 100, answered
