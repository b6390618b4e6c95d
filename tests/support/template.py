"""The template: a Python process with econnlab loaded, from which the processes of tests are cloned.

Starting Python and importing econnlab takes 0.15 to 0.4 s of processor time; a clone takes some
milliseconds. ``tests.support.warm`` starts the template and sends it orders over a socket, one a message. A
clone is a child of whoever sent the order, not of the template (CLONE_PARENT, clone(2)). So waiting for it,
its signals and its place in /proc are those of a process that subprocess.Popen started.

The template has one thread, so its clones are whole. It blocks all signals until a clone has set its own
handlers: a signal that comes meanwhile stays pending (signal(7)). It ends when the socket closes.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import platform
import resource
import runpy
import signal
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

# linux/sched.h, linux/prctl.h
CLONE_PARENT = 0x00008000
CLONE_CHILD_CLEARTID = 0x00200000
CLONE_CHILD_SETTID = 0x01000000
CLONE_NEWNET = 0x40000000
PR_GET_TID_ADDRESS = 40
#: The number of clone(2), and where the address of the child's thread id stands among its arguments.
CLONE = {"x86_64": (56, 3), "aarch64": (220, 4)}
#: The name of a template in /proc/PID/comm, and that of its clones.
NAME, CLONES_NAME = "template", "python"
#: Room for the command line of a clone in the template's own (proc(5), cmdline).
ROOM = 16384
HIGH = 200
LONGEST_ORDER = 1 << 18
MOST_DESCRIPTORS = 32
ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
#: Python itself ignores these from its start on.
IGNORED_BY_PYTHON = {signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)}
LIMITS = [value for name, value in sorted(vars(resource).items()) if name.startswith("RLIMIT_")]


def can_clone() -> bool:
    """Whether this system is one that ``clone`` knows."""
    return sys.platform == "linux" and platform.machine() in CLONE and platform.libc_ver()[0] == "glibc"


def main(control: int, path: list[str]) -> None:
    """Load econnlab, and become what each order asks for: returns in clones only."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ALL_SIGNALS)
    load()
    gc.collect()
    gc.freeze()  # a collection in a clone then copies no pages
    be_template(socket.socket(fileno=control), path)


def load() -> None:
    """Import all modules of econnlab but for those of extras that are not installed."""
    import econnlab

    for found in pkgutil.walk_packages(econnlab.__path__, "econnlab."):
        if found.name not in ("econnlab.__main__", "econnlab.pytest_plugin", "econnlab.pytest_report"):
            with contextlib.suppress(ImportError):
                importlib.import_module(found.name)
    with contextlib.suppress(ImportError):
        importlib.import_module("trustme")


def be_template(control: socket.socket, path: list[str]) -> None:
    """Clone as ``control`` orders until it closes; a clone returns when it has done its work."""
    name_process(NAME)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LONGEST_ORDER, MOST_DESCRIPTORS)
        if not message:
            os._exit(0)
        pid = clone()
        if pid == 0:
            break
        for fd in descriptors:
            os.close(fd)
        control.send(str(pid).encode())
    control.detach()
    become(json.loads(message), descriptors, path)


def clone() -> int:
    """Fork, but make the copy a child of this process's parent.

    The result is 0 in the copy, and minus the errno on failure. As glibc's fork does, it has the kernel write
    the copy's thread id to where glibc keeps it.
    """
    number, place = CLONE[platform.machine()]
    kept = ctypes.c_void_p()
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.prctl(PR_GET_TID_ADDRESS, ctypes.byref(kept))
    words = [ctypes.c_long(0)] * 5
    words[0] = ctypes.c_long(CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | signal.SIGCHLD)
    words[place] = ctypes.c_long(kept.value or 0)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int = libc.syscall(ctypes.c_long(number), *words)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    return pid if pid > 0 else -error


# -- in a clone -----------------------------------------------------------------------------------


def become(order: dict[str, Any], descriptors: list[int], path: list[str]) -> None:
    """Be the process that ``order`` asks for, as if it had just started, and do its work."""
    if order["network"]:
        enter_network(descriptors.pop(0))
    take_over(descriptors, order["numbers"])
    name_process(CLONES_NAME)
    show_command_line(order["words"])
    if order["session"]:
        os.setsid()
    os.chdir(order["cwd"])
    set_environment(order["environment"])
    sys.path[:] = path
    work = prepare(order["words"])
    if order["starts_others"] and not install_template(path):
        return
    for limit, values in zip(LIMITS, order["limits"], strict=True):
        if list(resource.getrlimit(limit)) != values:
            resource.setrlimit(limit, values)
    set_signals({number for number in ALL_SIGNALS if number in order["ignored"]})  # glibc has more of its own
    signal.pthread_sigmask(signal.SIG_SETMASK, order["blocked"])
    end_after(work)


def end_after(work: Callable[[], Any]) -> None:
    """Do ``work`` and end as Python does, but do not free its memory, which takes 40 ms.

    An error, and output that cannot be flushed, is left to Python's own end.
    """
    code = 0
    try:
        work()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        code = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as Py_FinalizeEx() does
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except Exception:
        sys.exit(code)
    os._exit(code & 0xFF)


def enter_network(descriptor: int) -> None:
    """Move into the network namespace of whoever sent the order (setns(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(descriptor)


def take_over(descriptors: list[int], numbers: list[int]) -> None:
    """Have ``descriptors`` under ``numbers``, and nothing else open."""
    above = max(*numbers, *descriptors) + 1
    for number in range(above, above + len(descriptors)):
        os.dup2(descriptors[number - above], number)
    os.closerange(0, above)
    for place, number in enumerate(numbers):
        os.dup2(above + place, number)
    os.closerange(above, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    for number, name, mode in ((0, "stdin", "rb"), (1, "stdout", "wb"), (2, "stderr", "wb")):
        open_stream(number, name, mode)


def open_stream(number: int, name: str, mode: str) -> None:
    """Make ``sys.stdin`` and the like anew, as create_stdio() of pylifecycle.c does at the start."""
    old = getattr(sys, f"__{name}__")
    unbuffered = isinstance(old.buffer, io.RawIOBase)  # PYTHONUNBUFFERED
    line_buffering = not unbuffered and (name == "stderr" or os.isatty(number))
    new = io.TextIOWrapper(
        open(number, mode, 0 if unbuffered else -1, closefd=False),  # noqa: SIM115 - open to the end
        encoding=old.encoding,
        errors=old.errors,
        line_buffering=line_buffering,
        write_through=old.write_through,
    )
    (new.buffer if unbuffered else new.buffer.raw).name = f"<{name}>"  # type: ignore[attr-defined]
    new.mode = mode[0]
    setattr(sys, name, new)
    setattr(sys, f"__{name}__", new)


def name_process(name: str) -> None:
    """Have ``name`` in /proc/PID/comm."""
    Path("/proc/self/comm").write_text(name)


def show_command_line(words: list[str]) -> None:
    """Let /proc/PID/cmdline have ``words``, where they fit."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, proc(5)
    text = b"".join(os.fsencode(word) + b"\0" for word in words)
    ctypes.memmove(begin, text[: end - begin].ljust(end - begin, b"\0"), end - begin)


def set_environment(environment: dict[str, str]) -> None:
    """Have ``environment``, and nothing that was derived from the old one."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None


def set_signals(ignored: set[signal.Signals]) -> None:
    """Have the handlers of a Python that was started with ``ignored`` ignored."""
    for number in ALL_SIGNALS:
        if number in ignored | IGNORED_BY_PYTHON:
            wanted: Any = signal.SIG_IGN
        else:
            wanted = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        if signal.getsignal(number) is not wanted:
            signal.signal(number, wanted)


def prepare(words: list[str]) -> Callable[[], Any]:
    """What ``python WORDS`` does, for the two kinds of command lines that tests.support.warm sends."""
    main = types.ModuleType("__main__")
    vars(main)["__annotations__"] = {}
    sys.modules["__main__"] = main
    sys.orig_argv = words
    if words[1] == "-m":
        sys.path.insert(0, os.getcwd())
        sys.argv = words[2:]
        return lambda: runpy._run_module_as_main(words[2])  # type: ignore[attr-defined]
    sys.argv = ["-c", *words[4:]]
    return lambda: exec(compile(words[3], "<string>", "exec"), main.__dict__)


def install_template(path: list[str]) -> bool:
    """Give this clone a template of its own, for what it starts. False in a clone of that template."""
    from tests.support import warm

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    name_process(NAME)  # before the fork, so that no test sees a template under another name
    if os.fork() == 0:
        control = theirs.detach()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.closerange(3, control)
        os.closerange(control + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        ours.detach()
        be_template(socket.socket(fileno=control), path)
        return False
    name_process(CLONES_NAME)
    theirs.close()
    high = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, HIGH)  # out of the way of what the process opens
    ours.close()
    warm.install(warm.Template(socket.socket(fileno=high)))
    return True
