"""The page on pytest: each of its examples is run as it stands, and shows what it says."""

import itertools
import re
from pathlib import Path

import aiohttp  # noqa: F401 - and the next two: what a pytest in this process imports is forgotten after it
import httpx  # noqa: F401
import pytest
import requests  # noqa: F401

import econnlab.lab.stage
import econnlab.lab.warm
import econnlab.pytest_report  # noqa: F401

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parent.parent.parent / "docs" / "pytest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [text for kind, text in BLOCKS if kind == "python"]
#: An example that is to fail is followed by what it then shows.
SHOWN = {before[1]: text for before, (kind, text) in itertools.pairwise(BLOCKS) if kind == "text"}


def without_figures(text):
    return re.sub(r"\d+\.\d ms", "N ms", text)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_does_what_the_page_says(pytester, monkeypatch, example):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(test_example=example)
    result = pytester.runpytest_inprocess(
        "-p", "econnlab.pytest_plugin", "-p", "no:cacheprovider", "-W", "error"
    )
    outcomes = result.parseoutcomes()
    if example in SHOWN:
        assert outcomes == {"failed": 1}
        assert without_figures(SHOWN[example]) in without_figures(result.stdout.str())
    else:
        assert outcomes.keys() == {"passed"}
        assert outcomes["passed"] >= example.count("def test_")


def test_the_page_has_examples_for_each_client_and_one_that_fails():
    assert len(EXAMPLES) == 5
    assert len(SHOWN) == 1
    for client in ("requests", "httpx", "aiohttp"):
        assert any(f"import {client}\n" in example for example in EXAMPLES)
