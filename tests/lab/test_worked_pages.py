"""docs/contributing/: each worked example, applied to a copy of the repository, does what its page says.

A code block whose opening line names a file is that file. A ``diff`` block changes the file that it names.
The commands of a ``console`` block print what the page shows: ``...`` is any text, a number is any number.
"""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.support.pages import PAGES, ROOT, WORKED, blocks, changed

COPIED = "econnlab scenarios docs tests README.md CONTRIBUTING.md CHANGELOG.md pyproject.toml".split()
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PROGRAMS = {"econnlab": [sys.executable, "-m", "econnlab"], "python": [sys.executable]}


@pytest.fixture
def copy(tmp_path):
    """A copy of the repository. Compiled modules come along: compiling them takes longer than all else."""
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, tmp_path / name)
    return tmp_path


def run(command, folder):
    program, *arguments = shlex.split(command)
    done = subprocess.run(
        [*PROGRAMS[program], *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=50,
    )
    return done.returncode, done.stdout


def plain(text):
    return re.sub(r"\d+(\.\d+)?", "1", text)


def check(shown, folder, codes=(0,)):
    """Run each command of a console block and compare what it prints."""
    for part in re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        code, printed = run(command, folder)
        like = doctest.OutputChecker().check_output(plain(expected), plain(printed), LIKE)
        assert like and code in codes, f"$ {command}\n{printed}\nexit code {code}"


@pytest.mark.parametrize("page", WORKED, ids=lambda page: page.stem)
def test_the_worked_example_works(page, copy):
    for language, path, text in blocks(page):
        if language == "console":
            check(text, copy)
        elif language == "diff":
            target = copy / path
            target.write_text(changed(target.read_text("utf-8"), text), "utf-8")
        elif path:
            assert not (copy / path).exists(), f"{path} exists already"
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_text(text, "utf-8")


SHOWN = [page for page in PAGES if page not in WORKED and any(each[0] == "console" for each in blocks(page))]


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.stem)
def test_a_command_prints_what_its_page_shows(page):
    for language, _, text in blocks(page):
        if language == "console":
            check(text, ROOT, codes=(0, 1))
