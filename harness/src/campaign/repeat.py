
import json
import socket
import struct
import sys
import time

WAIT = 3.0


class Connection:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), WAIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.ids, self.closed, self.lines = b"", {}, False, []

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def line(self, deadline):
        """The next line; None at the deadline or the end."""
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
        return line

    def greet(self):
        """Sends our object and learns the ids of the peer's methods."""
        self.send(HELLO)
        deadline = time.monotonic() + WAIT
        while GREETS and not self.ids:
            line = self.line(deadline)
            if line is None:
                return False
            try:
                message = json.loads(line)
                if message.get("method") == "methods":
                    for number, path in message.get("callbacks", {}).items():
                        if len(path) == 2:
                            self.ids[path[1]] = number
                    break
            except (ValueError, AttributeError):
                pass
        return True

    def fill(self, pieces):
        def one(piece):
            if isinstance(piece, bytes):
                return piece
            number = self.ids.get(piece[1])
            return (json.dumps(piece[1]) if number is None else str(number)).encode()
        return b"".join(map(one, pieces))

    def answers(self, number=7777777):
        """Whether the known-good call is answered; None where there is none to make."""
        if not PING:
            return None
        self.send(self.fill(PING).replace(b"%d", str(number).encode()))
        deadline = time.monotonic() + WAIT
        while True:
            line = self.line(deadline)
            if line is None:
                return False
            try:
                if json.loads(line).get("method") == number:
                    return True
            except (ValueError, AttributeError):
                pass
            self.lines.append(line)


def fresh_is_served(host, port):
    # A process that ends may hold its port for a moment.
    time.sleep(0.3)
    try:
        connection = Connection(host, port)
        return connection.greet() and connection.answers() is not False
    except OSError:
        return False


def heard(connection):
    """What comes until nothing does."""
    while True:
        line = connection.line(time.monotonic() + 0.5)
        if line is None:
            return
        connection.lines.append(line)


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    try:
        other = Connection(host, port)
        if not other.greet() or other.answers() is False:
            print("the peer is not served as it should be before anything is sent")
            return 2
        connection = Connection(host, port)
        connection.greet()
    except OSError as error:
        print("the peer cannot be reached:", error)
        return 2
    print("sending", len(SENT), "lines")
    for pieces in SENT:
        connection.send(connection.fill(pieces))
        if ORACLE == "clause":
            # What was sent in pieces came in pieces, and answers came between.
            time.sleep(0.05)
    if ORACLE == "clause":
        heard(connection)
        came = [line.strip() for line in RECEIVED]
        same = all(line in came for line in connection.lines) and bool(came) >= bool(connection.lines)
        print("the peer said" if connection.lines else "the peer said nothing", *connection.lines, sep="\n  ")
        print("as when it was found" if same else "which is something else than when it was found")
        return 1 if same else 0
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
        # Who answers only when one more call has come is slow to notice, not deaf.
        if answered is False and not connection.closed:
            answered = connection.answers(7777779)
        print("it took %.2f s" % (time.monotonic() - started))
    served = fresh_is_served(host, port)
    undisturbed = other.answers(7777780)
    deaf = answered is False and not connection.closed
    print("this connection:", "is deaf" if deaf else "answers or is closed")
    print("a fresh connection:", "is served" if served else "is not served")
    print("another connection:", "is disturbed" if undisturbed is False else "goes on")
    return 1 if deaf or not served or undisturbed is False else 0


if __name__ == "__main__":
    sys.exit(main())
