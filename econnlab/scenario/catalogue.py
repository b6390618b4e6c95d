"""The scenarios that come with the lab: one TOML file each, found by its name.

Those in the folder itself show a cause. ``peers/`` has those that need a real server or proxy, ``commands/``
the defaults of keepalive, sweep and maxconn, ``check/`` faults that end, so that a client can survive them.
"""

from functools import cache
from pathlib import Path

from econnlab.errors import UsageProblem, did_you_mean
from econnlab.scenario.model import Scenario
from econnlab.scenario.toml import read_scenario

_PACKAGE = Path(__file__).parent.parent
PEERS = "peers"
COMMANDS = "commands"
CHECK = "check"
#: A scenario needs some hundred characters, unless it holds a response body.
_LONGEST = 10_000_000


def folder() -> Path:
    """Inside the installed package; beside it in a checkout."""
    shipped = _PACKAGE / "scenarios"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "scenarios"


def names(group: str = "") -> list[str]:
    """The scenarios that show a cause, or those of the folder ``group``."""
    return sorted(path.stem for path in (folder() / group).glob("*.toml"))


@cache
def load(name: str) -> Scenario:
    """The scenario ``name``, of any folder. Raises UsageProblem if there is none, or its file is wrong."""
    for group in ("", PEERS, COMMANDS, CHECK):
        if name in names(group):
            return read_file(folder() / group / f"{name}.toml")
    known = [*names(), *names(PEERS), *names(CHECK)]
    raise UsageProblem(f"There is no scenario {name!r}.", did_you_mean(name, known))


def read_file(path: Path) -> Scenario:
    """The scenario in the file ``path``, named after it. Raises UsageProblem if it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
    except OSError as error:
        raise UsageProblem(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageProblem(f"{str(path)!r} is not text in UTF-8.") from error
    if len(text) > _LONGEST:
        raise UsageProblem(f"{str(path)!r} is longer than {_LONGEST} characters: it is not a scenario.")
    return read_scenario(text, path.stem, str(path))
