"""Clients as users have them, for ``econnlab check``: scripts, and how to check them."""

import json
import sys
from pathlib import Path

import jsonschema

from tests.conftest import is_running
from tests.support.schemas import schema

SCHEMA = schema("check")
#: GETs, then POSTs, over one connection; without the standard library's slow half.
CLIENT = """
import http.client, os, sys
host = os.environ["ECONNLAB_URL"].split("/")[2]
made = http.client.HTTPConnection(host, timeout=float(sys.argv[1]) or None)
for method, path, body in (("GET", "/items", None), ("POST", "/orders", "order")):
    made.request(method, path, body)
    answer = made.getresponse()
    answer.read()
    if answer.status != 200:
        sys.exit(f"status {answer.status}")
"""
HEALTHY = 'title = "nothing happens"\n'
#: The session of a shop: its retries are the question.
SHOP = """
import os, sys
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
session = requests.Session()
retries = {"none": 0, "usual": Retry(3), "any": Retry(3, allowed_methods=None)}[sys.argv[1]]
session.mount("http://", HTTPAdapter(max_retries=retries))
url = os.environ["ECONNLAB_URL"]
session.get(url + "items", timeout=5).raise_for_status()
session.post(url + "orders", data="order", timeout=5).raise_for_status()
"""


class Client:
    """A script, checked."""

    def __init__(self, cli):
        self._cli = cli
        (cli.folder / "client.py").write_text(CLIENT)
        (cli.folder / "shop.py").write_text(SHOP)
        (cli.folder / "healthy.toml").write_text(HEALTHY)

    def check(self, scenarios, *words, options=()):
        """The command line's end, and the verdicts."""
        named = [word for name in scenarios for word in ("--scenario", name)]
        done = self._cli.run("check", *named, "--json", "check.json", *options, "--", *words)
        document = self.document()
        return done, {each["scenario"]: each["verdict"] for each in document.get("scenarios", ())}

    def document(self):
        written = self._cli.folder / "check.json"
        if not written.exists():
            return {}
        document = json.loads(written.read_text())
        jsonschema.validate(document, SCHEMA)
        return document

    def python(self, timeout=5):
        return (sys.executable, "-S", "client.py", str(timeout))


def indented(script):
    """``script`` as the body of a block."""
    return "".join(f"    {line}\n" for line in script.splitlines())


def named(*words):
    """The processes with these words for a command line (Linux)."""
    wanted = b"".join(word.encode() + b"\0" for word in words)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes() == wanted and is_running(int(process.name)):
                found.append(int(process.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
