"""The examples of docs/idle-limit.md run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

from econnlab.record.events import Kind

PAGE = Path(__file__).parents[2] / "docs" / "idle-limit.md"


def test_every_example_runs(start_server):
    server = start_server()
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    code = "\n".join(examples).replace("127.0.0.1:8080", f"127.0.0.1:{server.address[1]}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    asking = code.count("print(")
    assert len(server.events(Kind.REQUEST)) == asking == len(examples) - 1
    assert sorted(done.stdout.split()) == [r"b'ok\n'"] + ["ok"] * (asking - 1)
