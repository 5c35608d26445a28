"""The Python example with one harm, which a line that is not JSON causes. For the tests of the oracles.

Usage: harmful.py PORT HARM CLOCK"""

import asyncio
import os
import sys
import time
import traceback
import weakref
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "fixtures/peers/python-start"))

import dnode  # noqa: E402
import server  # noqa: E402

HARM = sys.argv[2]
sessions = weakref.WeakSet()
kept = []


class Session(dnode.Session):
    deaf = False

    def __init__(self, *arguments):
        sessions.add(self)
        super().__init__(*arguments)

    def receive(self, line):
        if self.deaf:
            return
        try:
            super().receive(line)
        except ValueError:
            harm(self, line)


def shown_clock():
    """The seconds of the suite's clock."""
    return float(Path(sys.argv[3]).read_text())


def waiting():
    """The number of connections that wait to be accepted."""
    listening = f"0100007F:{int(sys.argv[1]):04X} 00000000:0000 0A"
    row = next(row for row in Path("/proc/net/tcp").read_text().splitlines() if listening in row)
    return int(row.split()[4].split(":")[1], 16)


def end_after_long_line():
    raise KeyError("long") from None


def end_after_short_line():
    raise KeyError("short") from None


def harm(session, line):
    if HARM == "disturbed":
        for other in sessions:
            other.deaf = other is not session
    elif HARM == "hang":
        # The first health check fails, and the second succeeds.
        while waiting() < 2:
            time.sleep(0.01)
    elif HARM == "slow":
        begun = shown_clock()
        while shown_clock() < begun + 1.5:
            time.sleep(0.02)
    elif HARM == "memory":
        kept.append(b"x" * (16 << 20))
    elif HARM == "ends":
        try:
            end_after_long_line() if len(line) > 20 else end_after_short_line()
        except KeyError:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    elif HARM == "amplified":
        session.send({"method": 64, "arguments": ["x" * (2 << 20)], "callbacks": {}, "links": []})


dnode.Session = Session
asyncio.run(dnode.listen(server.probe, int(sys.argv[1])))
