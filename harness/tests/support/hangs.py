"""The Python example, which serves no new connection after the first call of `nest`. For the tests of deadlines.

Usage: hangs.py PORT LOG. Each connection that is not served is a line of the file LOG."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "fixtures/peers/python-start"))

import dnode  # noqa: E402
from probe import probe  # noqa: E402

hangs = False


def nest(*_):
    global hangs
    hangs = True


async def serve(reader, writer):
    if hangs:
        with open(sys.argv[2], "a") as log:
            log.write("not served\n")
        await reader.read()
        await asyncio.Event().wait()
    await dnode.serve(lambda *arguments: {**probe(*arguments), "nest": nest}, reader, writer)


async def listen():
    await (await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))).serve_forever()


asyncio.run(listen())
