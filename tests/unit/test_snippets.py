"""What users paste: every remedy has some, each says what it does, and the page gives them as they are."""

import re
from pathlib import Path

import pytest

import econnlab.advice.snippets
from econnlab.advice.product import Kind, products
from econnlab.advice.snippet import page_of, remedies_with_snippets
from econnlab.commands.remedies.pasting import lines_to_paste
from econnlab.discovery import parts
from econnlab.errors import UsageProblem

#: In the order of every page: clients by language, then servers, then what stands in between.
STACKS = """
    requests urllib3 requests-plain urllib3-plain httpx aiohttp node axios undici got go
    dotnet java apache4 apache5 okhttp curl uvicorn gunicorn nginx haproxy envoy alb kubernetes
    postgres mysql redis
""".split()
COMMENTS = {"python": "# ", "javascript": "// ", "go": "// ", "nginx": "# ", "sh": "# ", "yaml": "# ",
    "csharp": "// ", "java": "// ", "haproxy": "# "}  # fmt: skip
#: It makes things worse, to show what the look is worth.
NO_REMEDY = {"no-stale-check"}
EVERY = [(remedy, snippet) for remedy in remedies_with_snippets() for snippet in page_of(remedy).snippets]
every_snippet = pytest.mark.parametrize(
    ("remedy", "snippet"), EVERY, ids=[f"{remedy}-{snippet.stack}" for remedy, snippet in EVERY]
)


def test_every_remedy_has_something_to_paste():
    remedies = set(parts("econnlab.commands.remedies.each")) - NO_REMEDY
    assert set(remedies_with_snippets()) == remedies | {"retry"}


@pytest.mark.parametrize("remedy", remedies_with_snippets())
def test_a_page_is_read_whole(remedy):
    page = page_of(remedy)
    assert page.title.startswith(f"{remedy}: ")
    text = (Path(econnlab.advice.snippets.__path__[0]) / f"{remedy}.md").read_text()
    assert len(page.snippets) == len(re.findall(r"^## ", text, re.MULTILINE)) > 0
    assert len(page.snippets) == text.count("```") / 2
    stacks = [each.stack for each in page.snippets]
    assert stacks == sorted(set(stacks), key=STACKS.index), "each once, in the order of every page"


def test_every_client_and_server_asked_for_has_some():
    assert {snippet.stack for _, snippet in EVERY} == set(STACKS)


@every_snippet
def test_a_snippet_is_short_and_says_what_it_does(remedy, snippet):
    lines = snippet.text.splitlines()
    assert lines[0].startswith(COMMENTS[snippet.language]), lines[0]
    assert 2 <= len(lines) <= (30 if snippet.stack.endswith("-plain") else 24)
    assert max(map(len, lines)) <= 120
    assert "\t" not in snippet.text
    if snippet.language == "python":
        compile(snippet.text, f"{remedy}/{snippet.stack}", "exec")


def test_one_block_alone_is_printed_as_it_is():
    page = page_of("retry")
    (wanted,) = (each for each in page.snippets if each.stack == "axios")
    assert lines_to_paste(page, "retry", "axios").plain + "\n" == wanted.text
    with pytest.raises(UsageProblem, match="no lines for 'perl'"):
        lines_to_paste(page, "retry", "perl")


@pytest.mark.parametrize(("name", "stack"), [
    ("express", "node"), ("fetch", "undici"), ("node20", "node"), ("axios", "axios"),
    ("httpclient", "dotnet"),
    ("java21", "java"), ("hc5", "apache5"), ("go-client", "go"), ("alb", "alb"), ("postgresql", "postgres"),
])  # fmt: skip
def test_for_takes_the_names_that_timeouts_knows(cli, name, stack):
    done = cli.run("remedies", "--show", "idle-limit", "--for", name)
    (wanted,) = (each for each in page_of("idle-limit").snippets if each.stack == stack)
    assert done.stdout == wanted.text


def test_every_name_gets_lines_or_what_to_do_instead():
    for product in products().values():
        for name in product.aliases:
            page = "server-timeout" if product.kind is Kind.SERVER else "idle-limit"
            try:
                assert lines_to_paste(page_of(page), page, name).plain
            except UsageProblem as problem:
                assert product.title in problem.message and problem.hint


def test_the_whole_page_names_each_block():
    text = lines_to_paste(page_of("idle-limit"), "idle-limit", None).plain
    for snippet in page_of("idle-limit").snippets:
        assert f"--- {snippet.stack} ---" in text
        assert snippet.text.strip() in text


@pytest.mark.parametrize("colour", ["NO_COLOR", "FORCE_COLOR"])
@every_snippet
def test_what_the_command_prints_of_one_is_its_bytes(cli, monkeypatch, remedy, snippet, colour):
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv(colour, "1")
    monkeypatch.setenv("COLUMNS", "40")  # narrower than most lines: none is broken
    shown = cli.run("remedies", "--show", remedy, "--for", snippet.stack)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, snippet.text, "")


def test_a_page_into_a_pipe_has_nothing_but_its_text(cli):
    for remedy in remedies_with_snippets():
        shown = cli.run("remedies", "--show", remedy).stdout
        assert shown.isprintable() or set(shown) - {"\n"} == {c for c in shown if c.isprintable()}
        assert all(snippet.text.rstrip() in shown for snippet in page_of(remedy).snippets)
