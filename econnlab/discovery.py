"""Parts found by name: every module of a package is one part, its ``NAME`` or file name the word for it."""

import importlib
import os
from functools import cache
from types import ModuleType


@cache
def parts(package: str) -> dict[str, ModuleType]:
    """Import every module directly inside ``package``; keyed by ``NAME``, in order of file name."""
    modules = [importlib.import_module(f"{package}.{name}") for name in module_names(package)]
    return {str(getattr(module, "NAME", module.__name__.rpartition(".")[2])): module for module in modules}


@cache
def module_names(package: str) -> list[str]:
    """The names of the modules directly inside ``package``, importing only the package itself.

    Read from the folder: pkgutil would cost ``econnlab --help`` a tenth of its time.
    """
    folder = importlib.import_module(package).__path__[0]
    return sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py") and name[0] != "_")


@cache
def room_names(package: str) -> list[str]:
    """The names of the packages directly inside ``package``, importing only the package itself."""
    folder = importlib.import_module(package).__path__[0]
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != "_")
