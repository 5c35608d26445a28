"""The Python example, which ends at an invalid line if it has served many connections before. For the tests of starts.

Usage: worn.py PORT LOG. Each start is a line of the file LOG."""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "fixtures/peers/python-start"))

import dnode  # noqa: E402
from probe import probe  # noqa: E402

# The preflight, or a case by itself, needs fewer connections.
MANY = 25
served = 0


class Reader:
    def __init__(self, reader):
        self.reader = reader

    async def read(self, size):
        data = await self.reader.read(size)
        if data.startswith(b"hello, world") and served > MANY:
            os._exit(1)
        return data


async def serve(reader, writer):
    global served
    served += 1
    await dnode.serve(probe, Reader(reader), writer)


async def listen():
    await (await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))).serve_forever()


with open(sys.argv[2], "a") as log:
    log.write("start\n")
asyncio.run(listen())
