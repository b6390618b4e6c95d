"""The property: whatever the file, a reader comes to its end, or says in one line where it is damaged."""

import contextlib
import io
import json
import re
import signal
import tracemalloc
from types import SimpleNamespace
from unittest import mock

from econnlab.cli.outputs import Files
from econnlab.commands.diagnose.screen import DiagnoseOptions, diagnose_capture
from econnlab.packets.frames import MalformedCapture
from econnlab.packets.reading import read_capture

#: Seconds of this process, not of the clock on the wall: a busy machine is no hang.
LONGEST_S = 5
#: The chunks of a stream, of a gzip and of a block, and what joins them.
MOST_BYTES = 4_000_000
_OFFSET = re.compile(r"[Oo]ffset \d+")


class Hang(BaseException):
    """It took too long; no ``except Exception`` is to catch it."""


def read_to_its_end(stream):
    """The function under test where there is no other: every frame, and where the file was cut."""
    reader = read_capture(stream)
    for at_ns, link_type, data, length, comment in reader:
        assert isinstance(at_ns, int) and isinstance(link_type, int) and isinstance(length, int)
        assert isinstance(data, bytes) and isinstance(comment, str)
    return "a whole file" if reader.cut_at is None else "a file that was cut"


def diagnose_in_process(stream):
    """The whole command: read, judged, printed, and written as JSON, all of it harmless to a terminal."""
    files = Files("econnlab.commands.diagnose.formats", {"json": "-"})
    unfiltered = dict.fromkeys("host port since until".split())
    options = DiagnoseOptions(capture="-", every=True, timeline=False, files=files, **unfiltered)
    screen, page = io.StringIO(), io.StringIO()
    with (
        mock.patch("sys.stdin", SimpleNamespace(buffer=stream)),
        contextlib.redirect_stdout(page),
        contextlib.redirect_stderr(screen),
    ):
        assert diagnose_capture(options) == 0
    json.loads(page.getvalue())
    control = set(re.findall(r"[^\n\x20-\x7e\xa0-\U0010ffff]", screen.getvalue()))
    assert not control, f"the terminal gets {control!r}"
    return "a diagnosis"


#: What may be tried, and the memory that it may need for a small file.
FUNCTIONS = {"read": (read_to_its_end, MOST_BYTES), "diagnose": (diagnose_in_process, 4 * MOST_BYTES)}


def check(data, function=read_to_its_end, most_bytes=MOST_BYTES):
    """How ``function`` of a stream of ``data`` ends. AssertionError where it may not end like that."""
    with within(LONGEST_S):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        try:
            ending = str(function(io.BytesIO(data)))
        except MalformedCapture as error:
            ending = str(error)
            assert "\n" not in ending and ending.isprintable(), f"no line of text: {ending!r}"
            assert _OFFSET.search(ending), f"names no offset: {ending!r}"
        peak = tracemalloc.get_traced_memory()[1] - before
    assert peak < most_bytes, f"{peak} bytes of memory"
    return ending


@contextlib.contextmanager
def traced():
    """Within, memory is counted."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


@contextlib.contextmanager
def within(seconds):
    """Raise Hang after so many seconds of this process."""

    def too_long(number, frame):
        raise Hang(f"it has not ended within {seconds} s of processor time")

    before = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
