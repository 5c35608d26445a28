#!/usr/bin/env python3
"""Long runs that must not grow memory: the recorder in front of npm dnode, and campaigns on two peers that have no defects.

    cargo build --release && cargo build --release --example probe -p dnode && (cd fixtures/peers/npm-dnode && npm ci)
    python3 harness/benches/soak.py recorder            # 1,000 connections, a million messages
    python3 harness/benches/soak.py campaign [MINUTES]  # 30 minutes on the reference peer and, at the same time, on the Rust port

Prints the memory of the program after a tenth of the run and at its end, in MiB, and its last line.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target/release/dnode-conform"
RUST_PORT = ROOT / "target/release/examples/probe"
NPM = ROOT / "fixtures/peers/npm-dnode/server.js"

CONNECTIONS, CALLS, AT_ONCE = 1000, 500, 8


def memory(process):
    """The resident memory of a process, in MiB; None if it has ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)


def converse(port):
    """One connection: calls echo CALLS times, ten calls at once, and reads each answer."""
    with wait_for(port) as connection:
        lines = connection.makefile("rb")
        methods = json.loads(lines.readline())
        echo = next(int(id) for id, path in methods["callbacks"].items() if path[-1] == "echo")
        for start in range(0, CALLS, 10):
            calls = [{"method": echo, "arguments": [n, "[Function]"], "callbacks": {n: ["1"]}, "links": []}
                     for n in range(start, start + 10)]
            connection.sendall(b"".join(json.dumps(call).encode() + b"\n" for call in calls))
            for _ in calls:
                assert lines.readline(), "the recorder closed the connection"


def recorder():
    server_port, port = free_port(), free_port()
    server = subprocess.Popen(["node", str(NPM), str(server_port)])
    wait_for(server_port).close()
    recorder = subprocess.Popen([PROGRAM, "record", "--listen", f"127.0.0.1:{port}", "--to", f"127.0.0.1:{server_port}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(port).close()
    left = iter(range(CONNECTIONS))
    samples = []

    def work():
        for n in left:
            converse(port)
            if n % 100 == 99:
                samples.append((n + 1, memory(recorder)))

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connections, size in sorted(samples):
        print(f"{connections} connections, {connections * CALLS * 2} messages: {size:.0f} MiB", flush=True)
    recorder.send_signal(2)
    recorder.communicate()
    server.kill()


def campaign(minutes):
    peers = {"the reference peer": [], "the Rust port": ["--exec", f"exec '{RUST_PORT}' 127.0.0.1:{{port}}"]}
    with tempfile.TemporaryDirectory() as folder:
        runs = {}
        for name, arguments in peers.items():
            place = Path(folder) / name.replace(" ", "-")
            runs[name] = subprocess.Popen([PROGRAM, "fuzz", *arguments, "--time", f"{minutes}m", "--jobs", "2", "--corpus", place / "corpus",
                                           "--findings", place / "findings"], stdout=subprocess.PIPE, text=True)
        time.sleep(minutes * 6)
        early = {name: memory(process) for name, process in runs.items()}
        late = dict(early)
        while any(process.poll() is None for process in runs.values()):
            late.update({name: memory(process) or late[name] for name, process in runs.items()})
            time.sleep(1)
        for name, process in runs.items():
            lines = [line for line in process.stdout.read().splitlines() if line]
            sessions = next(line for line in lines if " sessions (" in line)
            print(f"{name}: {early[name]:.0f} MiB after a tenth, {late[name]:.0f} MiB at the end; {sessions}; {lines[-1]}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["recorder"]:
        recorder()
    elif sys.argv[1:2] == ["campaign"]:
        campaign(float((sys.argv[2:] or ["30"])[0]))
    else:
        sys.exit(__doc__)
