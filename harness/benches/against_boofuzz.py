#!/usr/bin/env python3
"""Compares the speed of boofuzz (cases per second) with generated sessions and a campaign (sessions per second).

The peer is npm dnode. All figures come from one run.

    python3 -m venv target/boofuzz && target/boofuzz/bin/pip install boofuzz
    cargo build --release && (cd fixtures/peers/npm-dnode && npm ci)
    target/boofuzz/bin/python harness/benches/against_boofuzz.py [SECONDS]

boofuzz fuzzes one call with its defaults, and once more without logs and waits. The campaign is the second one in its folders,
like a nightly campaign. The campaign and boofuzz use the peer with error listeners, which crashes less often. The measurements
run one after another, so only their ratios are meaningful.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from boofuzz import (Block, Delim, FuzzLoggerText, Request, Session, Static, String, Target,
                     TCPSocketConnection)

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = ROOT / "fixtures/peers/npm-dnode/server.js"
PROGRAM = ROOT / "target/release/dnode-conform"


class Peer(threading.Thread):
    """npm dnode, restarted whenever it ends. boofuzz itself would need a monitor for that."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ends, self.stopped = port, 0, False

    def run(self):
        while not self.stopped:
            self.process = subprocess.Popen(["node", str(SERVER), str(self.port), "--error-listeners"], stderr=subprocess.DEVNULL)
            self.process.wait()
            self.ends += 1

    def wait(self):
        for _ in range(500):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.02)

    def stop(self):
        self.stopped = True
        self.process.kill()


def request():
    return Request("call", children=(Block("message", children=(
        Static("open", '{"method":"'), String("method", "echo"), Static("arguments", '","arguments":['),
        String("argument", "1"), Delim("comma", ","), Static("callback", '"[Function]"],"callbacks":{"'),
        String("id", "0"), Static("path", '":["'), String("place", "1"), Static("close", '"]},"links":[]}\n'))),))


def boofuzz(port, seconds, quick):
    options = {}
    if quick:
        options = {"fuzz_loggers": [FuzzLoggerText(file_handle=open(os.devnull, "w"))], "receive_data_after_fuzz": False}
    connection = TCPSocketConnection("127.0.0.1", port, **({"recv_timeout": 0.01} if quick else {}))
    session = Session(target=Target(connection=connection), sleep_time=0.0, web_port=None, crash_threshold_request=10**9,
                      crash_threshold_element=10**9, restart_sleep_time=0, **options)
    session.connect(request())
    started = time.monotonic()
    cases = 0
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        for _ in [session.fuzz()]:
            pass
        cases = session.num_cases_actually_fuzzed
    return cases / (time.monotonic() - started)


def limited(seconds, quick):
    """Runs boofuzz for a limited time. boofuzz has no time limit, so it runs in its own process that counts cases and exits."""
    port = free_port()
    peer = Peer(port)
    peer.start()
    peer.wait()
    child = subprocess.Popen([sys.executable, __file__, "--boofuzz", str(port), str(seconds), "quick" if quick else "defaults"],
                             stdout=subprocess.PIPE, text=True, cwd=tempfile.mkdtemp())
    out, _ = child.communicate()
    peer.stop()
    return float(out.strip().splitlines()[-1]), peer.ends


def child(port, seconds, quick):
    from boofuzz import Session as Base

    started = time.monotonic()
    real = sys.stdout
    count = [0]
    original = Base._fuzz_current_case

    def counted(self, *arguments, **keywords):
        count[0] += 1
        if time.monotonic() - started > seconds:
            real.write("%f\n" % (count[0] / (time.monotonic() - started)))
            real.flush()
            os._exit(0)
        return original(self, *arguments, **keywords)

    Base._fuzz_current_case = counted
    boofuzz(port, seconds, quick)
    real.write("%f\n" % (count[0] / (time.monotonic() - started)))


def campaign(seconds):
    folder = tempfile.mkdtemp()
    command = [str(PROGRAM), "fuzz", "--exec", "exec node %s {port} --error-listeners" % SERVER, "--seed", "1",
               "--corpus", folder + "/corpus", "--findings", folder + "/findings"]
    subprocess.run(command + ["--time", "5m"], stdout=subprocess.DEVNULL)
    out = subprocess.run(command + ["--time", "%ds" % seconds], stdout=subprocess.PIPE, text=True).stdout
    return float(re.search(r"\((\d+)/s\)", out).group(1))


def generated(count):
    """Whole sessions, each on its own connection, with every line judged. Includes the start of the peer and its findings."""
    started = time.monotonic()
    subprocess.run([str(PROGRAM), "run", "--exec", "exec node %s {port}" % SERVER, "--generate", str(count), "--seed", "1"],
                   stdout=subprocess.DEVNULL)
    return count / (time.monotonic() - started)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main():
    if sys.argv[1:2] == ["--boofuzz"]:
        return child(int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "quick")
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    defaults, ended = limited(seconds, False)
    print("boofuzz, its defaults:          %6.0f cases/s (the peer ended %d times)" % (defaults, ended), flush=True)
    quick, ended = limited(seconds, True)
    print("boofuzz, no logs, no waits:     %6.0f cases/s (the peer ended %d times)" % (quick, ended), flush=True)
    sessions = generated(5000)
    print("generated sessions:             %6.0f sessions/s, %.1f times boofuzz's defaults" % (sessions, sessions / defaults), flush=True)
    sessions = campaign(seconds)
    print("a campaign:                     %6.0f sessions/s, %.1f times boofuzz's defaults" % (sessions, sessions / defaults))


if __name__ == "__main__":
    main()
