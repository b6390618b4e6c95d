"""The entry point of ``python -m econnlab`` and of the console script.

Until a command handles Ctrl-C, it ends the process at once: there is nothing to clean up yet, and a
KeyboardInterrupt during an import can turn into any other error.
"""

# This comes before every import. It uses _signal because importing signal builds enums for a millisecond, in
# which an interrupt turns into "Error calling __set_name__".
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
    """Open 0, 1 and 2 if they are closed, as by a daemon.

    Otherwise our first socket or file would get such a number, and a child would use it as its own stream.
    """
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this one
            setattr(sys, name, open(fd, mode, closefd=False))  # noqa: SIM115


if __name__ == "__main__":
    main()
