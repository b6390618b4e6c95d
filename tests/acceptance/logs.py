"""``explain --log`` on logs of a million lines: seconds of a processor, and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.support.logs import NGINX_FORMAT, application_lines, error_lines, nginx_lines

LINES = int(os.environ.get("ECONNLAB_LINES", "1000000"))
_SECONDS = 15
_MEGABYTES = 200
#: A child of its own, as its peak of memory is that of its children too.
_MEASURED = """
import resource, subprocess, sys
command = [sys.executable, "-m", "econnlab", "explain", *sys.argv[1:]]
subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


def measure() -> Iterator[Figure]:
    """Each kind of log once."""
    kinds: dict[str, tuple[Callable[[int], Iterator[str]], list[str]]] = {
        "nginx access log": (nginx_lines, ["--format", NGINX_FORMAT]),
        "nginx error log": (error_lines, []),
        "application's log": (application_lines, []),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (made, options) in kinds.items():
            log = Path(folder, "log")
            with log.open("w") as file:
                file.writelines(f"{line}\n" for line in made(LINES))
            command = [sys.executable, "-c", _MEASURED, "--log", str(log), *options]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, kilobytes = map(float, done.stdout.split())
            yield Figure(f"{name}, {LINES} lines: processor", seconds, " s", at_most=_SECONDS)
            yield Figure(f"{name}, {LINES} lines: memory", kilobytes / 1024, " MB", at_most=_MEGABYTES)
