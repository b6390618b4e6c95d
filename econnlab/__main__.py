"""The way in, for ``python -m econnlab`` and for the console script alike.

Until a command takes Ctrl-C over, it ends the process at once: nothing is there yet to clean up, and a
KeyboardInterrupt in the middle of an import can come out as any other error.
"""

# Nothing may come before this, an import least of all. And _signal, as signal's own import builds enums for a
# millisecond, in which an interrupt comes out as "Error calling __set_name__".
try:
    import _signal  # type: ignore[import-not-found]  # typeshed knows signal alone
    import os
    import sys

    _signal.signal(_signal.SIGINT, lambda *_: os._exit(130))
except KeyboardInterrupt:
    raise SystemExit(130) from None


def main() -> None:
    """Run the command line and exit."""
    _open_standard_streams()
    from econnlab.cli.main import run

    sys.exit(run())


def _open_standard_streams() -> None:
    """Let 0, 1 and 2 be what they are meant to be, as under a daemon that has closed them.

    Else the first socket or file of ours would get such a number, and a child would take it for its own.
    """
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            setattr(sys, name, open(fd, mode, closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main()
