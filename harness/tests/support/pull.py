"""A client that pulls its tasks, with at most one fault. Usage: python3 pull.py HOST PORT [FAULT]"""
import json
import re
import socket
import sys

FAULT = sys.argv[3] if len(sys.argv) > 3 else ""


class Client:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, int(port)))
        self.rest = b""
        self.last = 41
        self.answers = [None]
        self.send({"method": "methods", "arguments": [{}]})
        self.line()

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def line(self):
        while b"\n" not in self.rest:
            got = self.socket.recv(1 << 16)
            if not got:
                sys.exit(0)
            if FAULT == "a segment is a line":
                return got
            if FAULT == "a segment is text":
                got = got.decode("utf-8", "replace").encode()
            self.rest += got
            if FAULT == "short lines" and len(self.rest) > 100_000:
                sys.exit(1)
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def message(self):
        line = self.line()
        if FAULT == "looks for the method" and not re.search(rb'"method":(\d+|"methods")', line):
            sys.exit(1)
        if FAULT == "wants the method first" and not line.startswith(b'{"method"'):
            sys.exit(1)
        if FAULT == "takes no escapes":
            line = re.sub(rb"\\u....", b"?", line)
        message = json.loads(line)
        if FAULT == "wants all fields" and not {"callbacks", "links"} <= message.keys():
            sys.exit(1)
        if FAULT == "wants no empty fields" and message.get("callbacks") == {}:
            sys.exit(1)
        if FAULT == "wants known fields" and message.keys() - {"method", "arguments", "callbacks", "links"}:
            sys.exit(1)
        if FAULT == "wants no functions" and message["method"] != "methods" and message.get("callbacks"):
            sys.exit(1)
        if FAULT != "ignores links":
            for link in message.get("links") or []:
                follow(message["arguments"], link)
        return message

    def call(self, method, *arguments):
        self.last += 1
        place = {} if FAULT == "declares nothing" else {self.last: [len(arguments)]}
        self.send({"method": method, "arguments": [*arguments, "[Function]"], "callbacks": place})
        while True:
            message = self.message()
            if message["method"] == self.last or FAULT == "takes any line":
                break
            if FAULT == "dies of names" and isinstance(message["method"], str):
                sys.exit(1)
            if FAULT == "dies of ids" and isinstance(message["method"], int):
                sys.exit(1)
        self.answers.append(message.get("arguments") or [])
        return self.answers[-2] if FAULT == "late" and method == "task" else self.answers[-1]


def follow(root, link):
    def reach(path):
        value = root
        for key in path[:-1]:
            value = value[key]
        return value, path[-1]

    (source, name), (target, place) = reach(link["from"]), reach(link["to"])
    target[place] = source[name]


def changed(value):
    """The value as a client with this fault reports it."""
    if FAULT == "ASCII" and isinstance(value, str):
        return value.encode("ascii", "replace").decode()
    if FAULT == "no control characters" and isinstance(value, str):
        return re.sub("[\x00-\x1f]", "", value)
    if FAULT == "small numbers" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value if abs(value) < 2**31 else 0
    if FAULT == "no empty keys" and isinstance(value, dict):
        return {key: member for key, member in value.items() if key}
    if FAULT == "flat" and isinstance(value, list) and len(str(value)) > 40 and value[0]:
        return []
    return value


client = Client(sys.argv[1], sys.argv[2])
while (due := client.call("next")[0]) is not None:
    answer = client.call(due["call"], *due["arguments"])
    if FAULT == "the first argument only":
        answer = answer[:1]
    if FAULT == "always an argument" and not answer:
        answer = [None]
    client.call("report", [changed(value) for value in answer])
