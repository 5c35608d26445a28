"""The Python example with one harm, which a line that is not JSON causes. For the tests of the oracles.

Usage: harmful.py PORT HARM"""

import asyncio
import sys
import time
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
            harm(self)


def waiting():
    """The number of connections that wait to be accepted."""
    listening = f"0100007F:{int(sys.argv[1]):04X} 00000000:0000 0A"
    row = next(row for row in Path("/proc/net/tcp").read_text().splitlines() if listening in row)
    return int(row.split()[4].split(":")[1], 16)


def harm(session):
    if HARM == "disturbed":
        for other in sessions:
            other.deaf = other is not session
    elif HARM == "hang":
        # The first health check fails, and the second succeeds.
        while waiting() < 2:
            time.sleep(0.01)
    elif HARM == "slow":
        # Far more than 50 times an answer on a busy machine, and less than the longest deadline.
        time.sleep(2.4)
    elif HARM == "memory":
        kept.append(b"x" * (16 << 20))
    elif HARM == "amplified":
        session.send({"method": 64, "arguments": ["x" * (2 << 20)], "callbacks": {}, "links": []})


dnode.Session = Session
asyncio.run(dnode.listen(server.probe, int(sys.argv[1])))
