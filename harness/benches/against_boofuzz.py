#!/usr/bin/env python3
"""Compares boofuzz with generated sessions and a campaign: by speed, and by the causes of death that they find.

The peer is npm dnode. All figures come from one run.

    python3 -m venv target/boofuzz && target/boofuzz/bin/pip install boofuzz
    cargo build --release && (cd fixtures/peers/npm-dnode && npm ci)
    target/boofuzz/bin/python harness/benches/against_boofuzz.py [SECONDS]
    target/boofuzz/bin/python harness/benches/against_boofuzz.py --causes [SECONDS]

boofuzz fuzzes one call with its defaults, and once more without logs and waits. The campaign is the second one in its folders,
like a nightly campaign. The campaign and boofuzz use the peer with error listeners, which crashes less often. The measurements
run one after another, so only their ratios are meaningful.

--causes counts how often the peer ends, and in how many ways: the error and the first frame of its code. Without error listeners,
each reset by boofuzz ends it. The campaign uses that peer.
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

    def __init__(self, port, options=("--error-listeners",)):
        super().__init__(daemon=True)
        self.port, self.options, self.ends, self.causes, self.stopped = port, options, 0, set(), False

    def run(self):
        while not self.stopped:
            command = ["node", str(SERVER), str(self.port), *self.options]
            self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
            _, stderr = self.process.communicate()
            if not self.stopped:
                self.ends += 1
                self.causes.add(cause(stderr))

    def wait(self):
        for _ in range(500):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.02)

    def stop(self):
        self.stopped = True
        self.process.kill()


def cause(stderr):
    """The kind of the error that ended the peer, and the first frame of its own code."""
    error = re.search(r"^(\w*Error)\b", stderr, re.MULTILINE)
    frames = re.findall(r"^    at .*?([^\s(]+:\d+:\d+)\)?$", stderr, re.MULTILINE)
    own = [frame for frame in frames if not frame.startswith("node:")]
    return error.group(1) if error else "", (own or frames or [""])[0].rsplit("/", 1)[-1]


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


def limited(seconds, quick, options=("--error-listeners",)):
    """Runs boofuzz for a limited time. boofuzz has no time limit, so it runs in its own process that counts cases and exits."""
    port = free_port()
    peer = Peer(port, options)
    peer.start()
    peer.wait()
    child = subprocess.Popen([sys.executable, __file__, "--boofuzz", str(port), str(seconds), "quick" if quick else "defaults"],
                             stdout=subprocess.PIPE, text=True, cwd=tempfile.mkdtemp())
    out, _ = child.communicate()
    peer.stop()
    return float(out.strip().splitlines()[-1]), peer


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


def causes(seconds):
    for name, options in [("boofuzz", ()), ("boofuzz, error listeners", ("--error-listeners",))]:
        speed, peer = limited(seconds, False, options)
        print("%-28s %5d cases, the peer ended %d times in %d ways: %s"
              % (name, speed * seconds, peer.ends, len(peer.causes), sorted(peer.causes)), flush=True)
    command = [str(PROGRAM), "fuzz", "--exec", "exec node %s {port}" % SERVER, "--seed", "1", "--time", "%ds" % seconds]
    out = subprocess.run(command + ["--findings", tempfile.mkdtemp()], stdout=subprocess.PIPE, text=True).stdout
    found = [line for line in out.splitlines() if line.startswith("FOUND  died")]
    print("a campaign                   %d ways to end the peer, %d of them shrunk"
          % (len(found), sum("not shrunk" not in line for line in found)))


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
    if sys.argv[1:2] == ["--causes"]:
        return causes(int(sys.argv[2]) if len(sys.argv) > 2 else 60)
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    defaults, peer = limited(seconds, False)
    print("boofuzz, its defaults:          %6.0f cases/s (the peer ended %d times)" % (defaults, peer.ends), flush=True)
    quick, peer = limited(seconds, True)
    print("boofuzz, no logs, no waits:     %6.0f cases/s (the peer ended %d times)" % (quick, peer.ends), flush=True)
    sessions = generated(5000)
    print("generated sessions:             %6.0f sessions/s, %.1f times boofuzz's defaults" % (sessions, sessions / defaults), flush=True)
    sessions = campaign(seconds)
    print("a campaign:                     %6.0f sessions/s, %.1f times boofuzz's defaults" % (sessions, sessions / defaults))


if __name__ == "__main__":
    main()
