"""The documents of this repository: their code blocks, command lines, links and generated tables."""

import os
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
#: Their examples need what they add; tests/lab/test_worked_pages.py runs them.
WORKED = sorted((ROOT / "docs/contributing").glob("*.md"))
_FENCED = re.compile(
    r"^```(?P<language>[\w-]*)(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_ENDS_A_COMMAND = {"|", ";", "&&", ">", ">>", "<", "&"}


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page):
    """The fenced code blocks of ``page``: language, rest of the opening line, text."""
    return [
        (each["language"], each["info"].strip(), each["text"])
        for each in _FENCED.finditer(page.read_text("utf-8"))
    ]


def prose(page):
    """The text of ``page`` without its code blocks."""
    return _INDENTED.sub("", _FENCED.sub("", page.read_text("utf-8")))


def command_lines(page):
    """The arguments of every ``econnlab`` command line in the code blocks of ``page``."""
    text = page.read_text("utf-8")
    code = [each["text"] for each in _FENCED.finditer(text)]
    code += [each[0] for each in _INDENTED.finditer(_FENCED.sub("", text))]
    for line in "\n".join(code).replace("\\\n", " ").splitlines():
        yield from commands_in(line)


def commands_in(line):
    """The arguments of each ``econnlab`` that ``line`` starts, alone or in a pipeline."""
    lexer = shlex.shlex(
        re.sub(r"^\s*(\$|- run:)?\s+(sudo )?", "", line), posix=True, punctuation_chars="|;&<>"
    )
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # an apostrophe in a line that the lab prints
        return
    while words:
        end = next((at for at, word in enumerate(words) if word in _ENDS_A_COMMAND), len(words))
        if words[0] == "econnlab" and "..." not in words[:end]:
            yield words[1:end]
        words = words[end + 1 :]


def changed(text, difference):
    """``text`` with the one place that ``difference`` shows changed."""
    lines = difference.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"found {text.count(before)} times:\n{before}"
    return text.replace(before, after)


def headings(page):
    """The anchors of the headings of ``page``, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def table(rows):
    """``rows``, the heading first, as a Markdown table."""
    first, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([first, re.sub(r"[^|]+", "---", first), *rest])


def assert_tables(page, tables):
    """``page`` holds each of ``tables`` between its marks; ECONNLAB_UPDATE_GOLDEN=1 writes them."""
    text = page.read_text("utf-8")
    written = text
    for name, rows in tables.items():
        block = re.compile(f"(?<=<!-- {name} -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
        assert block.search(written), f"{page.name} has no block {name}"
        made = table(rows) + "\n"
        written = block.sub(lambda _, made=made: made, written, count=1)
    if os.environ.get("ECONNLAB_UPDATE_GOLDEN"):
        page.write_text(written, "utf-8")
    else:
        assert text == written, f"{page.name} is out of date: ECONNLAB_UPDATE_GOLDEN=1 writes its tables"
