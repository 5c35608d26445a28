"""The Python example, with an `echo` that never returns. For the tests of deadlines.

Usage: stuck.py PORT busy|idle [TOLD]. A call of `echo` opens a connection to the port TOLD."""

import asyncio
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "fixtures/peers/python-start"))

import dnode  # noqa: E402
from probe import probe  # noqa: E402


def stuck(*_):
    for port in sys.argv[3:]:
        socket.create_connection(("127.0.0.1", int(port)))
    while sys.argv[2] == "busy":
        pass
    threading.Event().wait()


def stuck_probe(*arguments):
    return {**probe(*arguments), "echo": stuck}


asyncio.run(dnode.listen(stuck_probe, int(sys.argv[1])))
