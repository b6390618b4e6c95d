"""What ``make lowest`` installs and runs: each library at the lowest version that pyproject.toml allows.

Without arguments it prints pip's constraints. With --check it compares them with what is installed. With
--files it prints the tests to run: each command once, and the tests that lean on the libraries most.
"""

import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

FILES = """
    tests/lab/test_every_command.py tests/lab/test_clients.py tests/lab/test_idle_adapter.py
    tests/lab/test_idle_limit.py tests/lab/test_trying.py tests/lab/test_server.py tests/unit/test_words.py
""".split()


def lowest():
    """The lowest version by library."""
    root = Path(__file__).parent.parent
    needed = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    return dict(each.split(">=") for each in needed)


def main(words):
    if words == ["--files"]:
        print(*FILES)
    elif words == ["--check"]:
        for name, wanted in lowest().items():
            print(f"{name} {version(name)}, lowest {wanted}")
            if not f"{version(name)}.".startswith(f"{wanted}."):
                return 1
    else:
        print(*(f"{name}=={wanted}" for name, wanted in lowest().items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
