
import json
import socket
import struct
import sys
import time

WAIT = 3.0


def parse(line):
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def method(line):
    return parse(line).get("method")


def pairs(line):
    """The paths of the functions in a line, and their ids."""
    found = parse(line).get("callbacks")
    found = found.items() if isinstance(found, dict) else ()
    return [(path, number) for number, path in found if isinstance(path, list)]


def callbacks(line):
    return sorted((json.dumps(path), number) for path, number in pairs(line))


def is_id(text):
    return text.isdigit() and str(int(text)) == text


def rename(line, ids):
    """A line with these other ids. Only a line that declares functions may differ in its text."""
    if not callbacks(line):
        return line.strip()
    message = parse(line)
    message["callbacks"] = sorted((path, ids.get(number, number)) for path, number in callbacks(line))
    return json.dumps(message, sort_keys=True)


class Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), WAIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.ids, self.closed, self.lines = b"", {}, False, []
        # The lines of the finding that have not come yet, and the ids of the finding by those of today.
        self.expected, self.today = list(RECEIVED), {}

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def line(self, deadline):
        """Returns the next line, or None at the deadline or at the end of the connection."""
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or self.closed:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, socket.timeout):
                return None
            except OSError:
                data = b""
            self.closed = data == b""
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        self.learn(line)
        return line

    def learn(self, line):
        """Looks for the line in the finding. The peer may choose other ids for its functions today."""
        came = callbacks(line)
        for same_text in (True, False):
            for expected in self.expected:
                was = callbacks(expected)
                if len(came) != len(was) or [path for path, _ in came] != [path for path, _ in was]:
                    continue
                today = dict(self.today)
                for (_, new), (_, old) in zip(came, was):
                    if new not in today and old not in today.values() and is_id(new) and is_id(old):
                        today[new] = old
                if same_text and rename(line, today) != rename(expected, {}):
                    continue
                if not same_text and method(line) != method(expected):
                    continue
                self.today = today
                self.expected.remove(expected)
                if not same_text:
                    self.lines.append(line)
                return
        self.lines.append(line)

    def greet(self):
        """Sends our object and learns the ids of the peer's methods."""
        self.send(HELLO)
        deadline = time.monotonic() + WAIT
        while GREETS and not self.ids:
            line = self.line(deadline)
            if line is None:
                return False
            if method(line) == "methods":
                self.ids = {path[1]: number for path, number in pairs(line) if len(path) == 2}
                break
        return True

    def wait(self, count, ids):
        """Waits for this many lines of the finding, and for these ids of the peer."""
        deadline = time.monotonic() + 1.0
        while len(RECEIVED) - len(self.expected) < count or any(it not in self.today.values() for it in ids):
            if self.line(deadline) is None:
                return

    def fill(self, pieces):
        def one(piece):
            if isinstance(piece, bytes):
                return piece
            if piece[0] == "id":
                return next((new for new, old in self.today.items() if old == piece[1]), piece[1]).encode()
            number = self.ids.get(piece[1])
            return (json.dumps(piece[1]) if number is None else str(number)).encode()
        return b"".join(map(one, pieces))

    def answers(self, number=7777777):
        """Whether the peer answers the known-good call; None if there is no such call."""
        if not PING:
            return None
        self.send(self.fill(PING).replace(b"%d", str(number).encode()))
        deadline = time.monotonic() + WAIT
        while True:
            line = self.line(deadline)
            if line is None:
                return False
            if method(line) == number:
                return True


def serves_new_connection(host, port):
    # A process that exits may still accept a connection for a moment.
    time.sleep(0.3)
    try:
        connection = Connection(host, port)
        return connection.greet() and connection.answers() is not False
    except OSError:
        return False


def send_all(connection):
    for number, (count, pieces, cuts) in enumerate(SENT):
        connection.wait(count, [piece[1] for piece in pieces if not isinstance(piece, bytes) and piece[0] == "id"])
        data = connection.fill(pieces)
        if JOINED and number + 1 < len(SENT) and SENT[number + 1][0] == count:
            SENT[number + 1][1].insert(0, data)
            continue
        starts = [0] + [cut for cut in cuts if 0 < cut < len(data)] + [len(data)]
        for start, end in zip(starts, starts[1:]):
            connection.send(data[start:end])
            if end < len(data):
                time.sleep(0.02)


def compare(connection):
    """Receives lines until the peer is silent, and compares them with those of the finding."""
    if END == "half-close":
        connection.socket.shutdown(socket.SHUT_WR)
    while connection.expected and connection.line(time.monotonic() + 1.0) is not None:
        pass
    while connection.line(time.monotonic() + 0.5) is not None:
        pass
    print("not in the finding:", *connection.lines, sep="\n  ")
    print("missing today:", *connection.expected, sep="\n  ")
    same = not connection.lines and not connection.expected
    print("reproduced: the same lines as in the finding" if same else "not reproduced: other lines than in the finding")
    return 1 if same else 0


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    try:
        other = Connection(host, port)
        if not other.greet() or other.answers() is False:
            print("the peer does not work correctly before the lines are sent")
            return 2
        connection = Connection(host, port)
        connection.greet()
    except OSError as error:
        print("the peer cannot be reached:", error)
        return 2
    print("sending", len(SENT), "lines")
    send_all(connection)
    if ORACLE == "clause":
        return compare(connection)
    if END == "reset":
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()
        connection.closed, answered = True, None
    elif END == "half-close":
        connection.socket.shutdown(socket.SHUT_WR)
        answered = None
    else:
        started = time.monotonic()
        answered = connection.answers(7777778)
        # A peer that answers only after one more call is slow, not deaf.
        if answered is False and not connection.closed:
            answered = connection.answers(7777779)
        print("it took %.2f s" % (time.monotonic() - started))
    served = serves_new_connection(host, port)
    older_works = other.answers(7777780)
    deaf = answered is False and not connection.closed
    print("this connection:", "gets no answer" if deaf else "is answered or closed")
    print("a new connection:", "is served" if served else "is not served")
    print("an older connection:", "gets no answer" if older_works is False else "still works")
    return 1 if deaf or not served or older_works is False else 0


if __name__ == "__main__":
    sys.exit(main())
