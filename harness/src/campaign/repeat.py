
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
        """Whether the peer answers the known-good call; None if there is no such call."""
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


def serves_new_connection(host, port):
    # A process that exits may still accept a connection for a moment.
    time.sleep(0.3)
    try:
        connection = Connection(host, port)
        return connection.greet() and connection.answers() is not False
    except OSError:
        return False


def receive_rest(connection):
    """Receives lines until the peer is silent."""
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
            print("the peer does not work correctly before the lines are sent")
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
            # The campaign also sent the lines one by one, with answers between them.
            time.sleep(0.05)
    if ORACLE == "clause":
        receive_rest(connection)
        expected = [line.strip() for line in RECEIVED]
        same = all(line in expected for line in connection.lines) and bool(expected) >= bool(connection.lines)
        print("the peer sent" if connection.lines else "the peer sent nothing", *connection.lines, sep="\n  ")
        print("reproduced: the same as in the finding" if same else "not reproduced: not the same as in the finding")
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
