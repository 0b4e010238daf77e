"""Where do lines come from: standard input, or connections on this computer?

Threads read and put what they read into a queue; nobody else waits for a byte. A connection from elsewhere can't be: the socket is bound to the
loopback address.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from klero.cli.live_lines import lines_of
from klero.errors import Fault, InputError, quoted

__all__ = ["Lines", "address_of", "from_connections", "from_input", "port_told"]

_MOST = 64  # connections at a time
_WAITING = 10_000  # lines that wait; then who sends them does


@dataclass(frozen=True, slots=True)
class Line:
    """A line, whether the stream stopped before it ended, or None when all streams are over."""

    data: bytes | None
    whole: bool = True


class Lines:
    """The queue between those who read and the one who adds."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Line] = queue.Queue(_WAITING)

    def put(self, line: Line) -> None:
        """Another line; waits where too many wait."""
        self._queue.put(line)

    def take(self, most: int, timeout: float) -> list[Line]:
        """Lines that are there, at most so many; waits for the first."""
        found: list[Line] = []
        try:
            found.append(self._queue.get(timeout=timeout))
            while len(found) < most:
                found.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return found


def address_of(text: str) -> tuple[str, int]:
    """Host and port; only of this computer.

    Raises:
        InputError: it is none, or of another computer.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    known = "127.0.0.1" if host == "localhost" else host
    try:
        number, loopback = int(port), ipaddress.ip_address(known).is_loopback
    except ValueError:
        message = (
            f"{quoted(text)} is no address. Give one of this computer with a port, such as 127.0.0.1:7007."
        )
        raise InputError([Fault("live-address", message, "")]) from None
    if not loopback or not 0 <= number <= 65535:
        message = (
            f"{quoted(text)} can be reached from other computers, and what people say in a room is not for them. Listen on 127.0.0.1; "
            "let a program on this computer pass on what comes from elsewhere."
        )
        raise InputError([Fault("live-address", message, "")])
    return known, number


@contextmanager
def port_told(option: str, port: int) -> Iterator[None]:
    """Says of a port that can't be had which one it is, and what to do.

    Raises:
        InputError: another program has it, or it is not for everybody.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = (
                "another program has it already, perhaps a klero live that still runs. End that one, or give"
            )
        elif error.errno == errno.EACCES:
            why = "only administrators may use it. Give"
        else:
            raise
        number = "another port, or --page without one: any free port is taken then"
        message = (
            f"{option}: port {port} can't be used: {why} {number if option == '--page' else 'another port'}."
        )
        raise InputError([Fault("live-port", message, "")]) from None


def from_input(lines: Lines) -> None:
    """Reads standard input in a thread of its own until it ends."""

    def read() -> None:
        _pump(lambda: os.read(sys.stdin.fileno(), 1 << 16), lines)
        lines.put(Line(None))

    threading.Thread(target=read, name="klero-live-input", daemon=True).start()


def from_connections(lines: Lines, address: tuple[str, int]) -> tuple[socket.socket, int]:
    """Accepts connections in threads of their own; the socket, and its port."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    server = socket.create_server(address, family=family)
    room = threading.Semaphore(_MOST)

    def serve(connection: socket.socket) -> None:
        with connection:
            _pump(lambda: connection.recv(1 << 16), lines)
        room.release()

    def accept() -> None:
        while True:
            room.acquire()
            try:
                connection, _ = server.accept()
            except OSError:  # closed
                return
            threading.Thread(target=serve, args=(connection,), name="klero-live-peer", daemon=True).start()

    threading.Thread(target=accept, name="klero-live-listen", daemon=True).start()
    return server, int(server.getsockname()[1])


def _pump(read: Callable[[], bytes], lines: Lines) -> None:
    """Passes on lines until the stream ends, and what stood after the last line break."""
    buffer = bytearray()
    while True:
        try:
            more = read()
        except OSError:  # a connection that broke is one that ended
            more = b""
        for line in lines_of(buffer, more):
            lines.put(Line(line))
        if not more:
            if buffer:
                lines.put(Line(bytes(buffer), whole=False))
            return
