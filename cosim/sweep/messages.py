"""Messages between master and workers: JSON objects, one a line, over a socket."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
from typing import Any

from cosim.errors import CosimError

Message = dict[str, Any]
#: s in which a worker of another process or machine must have called
PATIENCE = 60.0


class Line:
    """One end of a line. What the other end does not read is lost with it."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._rest = b""

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Send; nothing happens where the other end is gone (which `receive` tells)."""
        with contextlib.suppress(OSError):
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> Message | None:
        """The next message, waiting for it; None where the other end is gone."""
        while b"\n" not in self._rest:
            if not self._read():
                return None
        return self._next()

    def pending(self) -> tuple[list[Message], bool]:
        """What has come, after `select` told that something has; and whether the other end is still there."""
        there = self._read()
        found = []
        while b"\n" in self._rest:
            found.append(self._next())
        return found, there

    def _read(self) -> bool:
        try:
            data = self._socket.recv(1 << 16)
        except OSError:
            data = b""
        self._rest += data
        return bool(data)

    def _next(self) -> Message:
        text, _, self._rest = self._rest.partition(b"\n")
        found: Message = json.loads(text)
        return found

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def pair() -> tuple[Line, socket.socket]:
    """A line within this machine: the end kept here, and the other as a socket."""
    here, there = socket.socketpair()
    return Line(here), there


class Server:
    """Where workers on other machines call; those that know the token are let in."""

    def __init__(self) -> None:
        self._server = socket.create_server(("", 0), backlog=1024)
        self._server.settimeout(PATIENCE)
        self._token = secrets.token_hex(16)
        #: what a worker needs to call
        self.address = [socket.gethostname(), self._server.getsockname()[1], self._token]

    def accept(self, count: int) -> list[Line]:
        """Wait for so many workers. Raises CosimError where they do not come."""
        found: list[Line] = []
        while len(found) < count:
            try:
                end, _ = self._server.accept()
            except TimeoutError:
                raise CosimError(f"not all workers could reach rank 0 within {PATIENCE:g} s") from None
            end.settimeout(PATIENCE)
            line = Line(end)
            hello = line.receive() or {}
            if hello.get("token") == self._token:
                end.settimeout(None)
                found.append(line)
            else:
                line.close()
        self._server.close()
        return found


def call(address: list[Any]) -> Line:
    """Call a server."""
    host, port, token = address
    end = socket.create_connection(("127.0.0.1" if host == socket.gethostname() else host, port), timeout=PATIENCE)
    end.settimeout(None)
    line = Line(end)
    line.send({"token": token})
    return line
