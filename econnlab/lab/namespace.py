"""A network namespace for a run, so that it can change kernel settings without changing the machine's.

Most of net.ipv4 exists once per network namespace (network_namespaces(7)). A process that has entered a new
one, and all that it starts afterwards, has its own loopback, ports, counters and settings, which disappear
with the last of these processes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from econnlab.errors import EconnlabError, EnvironmentProblem, UsageProblem
from econnlab.system.devices import bring_up

# linux/sched.h, linux/capability.h
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
_CAP_NET_ADMIN = 12
_CAP_SYS_ADMIN = 21

_SHORT_NAME = re.compile(r"[a-z0-9_]+")
_FULL_NAME = re.compile(r"net(?:\.[A-Za-z0-9_-]+)+")

#: Returns the text of a file, or None if it cannot be read.
Read = Callable[[str], str | None]

_AS_ROOT = "or run it as root."


def enter(settings: Mapping[str, str]) -> None:
    """Move this process, which must have one thread only, into a network of its own with ``settings``.

    Names are those of sysctl(8); ``tcp_abort_on_overflow`` is short for ``net.ipv4.tcp_abort_on_overflow``.
    Loopback is up. The process keeps the capabilities to add interfaces. Programs that it starts with exec(2)
    have them only if it was root, so it must open such descriptors itself and pass them on.

    With CAP_SYS_ADMIN and CAP_NET_ADMIN it enters a network namespace; without them also a user namespace.
    Root enters no user namespace, because only one id can be mapped from inside: ``sudo econnlab`` could no
    longer read its own code in the home of another user. Other users are mapped to themselves, not to 0, so
    that files, ``~``, and servers that treat root differently (nginx, PostgreSQL) behave as outside.

    Raises UsageProblem for an unknown setting or a value that it does not accept, EnvironmentProblem if the
    system forbids it. After an error the process may be half moved: end it.
    """
    paths = {name: setting_path(name) for name in settings}
    if sys.platform != "linux":
        raise EnvironmentProblem(
            "Kernel settings for one run need Linux: this system has no network namespaces.",
            "Run it on Linux, or in a Linux virtual machine.",
        )
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:  # unshare(2) moves one thread, and CLONE_NEWUSER fails with more
        raise RuntimeError(f"the process has {threads} threads and would be moved in part")
    privileged = is_privileged(_read("/proc/self/status") or "")
    try:
        _move(privileged)
    except OSError as error:
        raise refusal(error, privileged, _read) from error
    for name, value in settings.items():
        _set(name, paths[name], value)


def _move(privileged: bool) -> None:
    if privileged:
        _unshare(CLONE_NEWNET)
    else:
        uid, gid = os.geteuid(), os.getegid()  # in the new namespace both are 65534 until they are mapped
        _unshare(CLONE_NEWUSER | CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny")  # before gid_map: user_namespaces(7)
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    bring_up("lo")


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # os.unshare came with Python 3.12
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def is_privileged(status: str) -> bool:
    """Whether /proc/self/status (proc(5)) shows CAP_SYS_ADMIN and CAP_NET_ADMIN as effective."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    needed = 1 << _CAP_SYS_ADMIN | 1 << _CAP_NET_ADMIN
    return found is not None and int(found[1], 16) & needed == needed


# -- settings -------------------------------------------------------------------------------------


def setting_path(name: str) -> str:
    """The file of the setting ``name``. Raises UsageProblem if it is not below /proc/sys/net."""
    if _SHORT_NAME.fullmatch(name):
        return f"/proc/sys/net/ipv4/{name}"
    if _FULL_NAME.fullmatch(name):
        return f"/proc/sys/{name.replace('.', '/')}"
    raise UsageProblem(
        f"{name!r} is not the name of a network setting.",
        "Give one of net.ipv4, as tcp_abort_on_overflow, or a whole name, as net.core.somaxconn.",
    )


def _set(name: str, path: str, value: str) -> None:
    if not value.strip() or not (value.isascii() and value.isprintable()):
        raise _bad_value(name, value, "it must be printable ASCII.")
    try:
        fd = os.open(path, os.O_WRONLY)
    except OSError as error:
        raise _cannot_set(name, error) from error
    try:
        os.write(fd, value.encode())
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise _cannot_set(name, error) from error
        raise _bad_value(name, value, f"{error.strerror}.") from error
    finally:
        os.close(fd)
    became = _read(path)  # None for the few that can only be written
    if became is not None and became.split() != value.split():  # do_proc_dointvec() drops what is left over
        raise _bad_value(name, value, f"it became {became.strip()!r}.")


def _bad_value(name: str, value: str, why: str) -> UsageProblem:
    return UsageProblem(f"{name} cannot be {value!r}: {why}", "See ip-sysctl.rst of the kernel, or tcp(7).")


def _cannot_set(name: str, error: OSError) -> EconnlabError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
        return UsageProblem(
            f"{name} is not a setting that a network of its own has on this kernel.",
            "Check the name; some settings, as net.ipv4.tcp_mem, exist for the whole machine alone.",
        )
    if error.errno == errno.EROFS:
        return EnvironmentProblem(
            f"{name} cannot be set: /proc/sys is mounted read-only, as containers have it.",
            "Start the container with --privileged, or run it outside.",
        )
    return EnvironmentProblem(
        f"{name} cannot be set: {error.strerror}.",
        "It may be read-only, or belong to the whole machine: ls -l /proc/sys/net tells.",
    )


# -- why not --------------------------------------------------------------------------------------


def refusal(error: OSError, privileged: bool, read: Read) -> EnvironmentProblem:
    """Why the system refuses a network namespace, from the files that ``read`` reads. Pure."""
    why, what = _reason(error, privileged, read)
    return EnvironmentProblem(f"This system gives no network of its own to the run: {why}.", what)


def _reason(error: OSError, privileged: bool, read: Read) -> tuple[str, str]:
    for kind in ("net",) if privileged else ("net", "user"):
        name = f"user.max_{kind}_namespaces"
        limit = (read(f"/proc/sys/user/max_{kind}_namespaces") or "").strip()
        if limit == "0":
            return f"{name} is 0", f"Allow some: sudo sysctl {name}=1000."
    if error.errno in (errno.EINVAL, errno.ENOSYS):  # built without CONFIG_NET_NS or CONFIG_USER_NS
        what = "network" if privileged else "network or user"
        return f"its kernel has no {what} namespaces", "Use a kernel that has them, as distributions' do."
    if error.errno == errno.ENOSPC:
        return (
            "this user has as many namespaces as the system allows, or they are nested too deeply",
            "End what holds them (lsns -t net), or raise user.max_net_namespaces.",
        )
    if not privileged:
        for setting, forbids, allow in (
            ("kernel.unprivileged_userns_clone", "0", "1"),  # Debian
            ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),  # Ubuntu 23.10
        ):
            if (read(f"/proc/sys/{setting.replace('.', '/')}") or "").strip() == forbids:
                return f"{setting} is {forbids}", f"Allow it (sudo sysctl {setting}={allow}), {_AS_ROOT}"
    if re.search(r"^Seccomp:\s*2$", read("/proc/self/status") or "", re.MULTILINE):
        return (
            f"a seccomp filter is in force, as in containers ({error.strerror})",
            "Start the container with --privileged, or run it outside.",
        )
    return f"{error.strerror}", f"See what forbids it: unshare --user --net true, {_AS_ROOT}"


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text()
    except OSError:
        return None
