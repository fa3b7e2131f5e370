"""One rank fails, all end: a line from every rank to rank 0 beside MPI, where a dead or stuck rank blocks the others.

Every rank keeps a TCP connection to rank 0. A rank that fails says why; one that is killed is noticed because its
connection ends. Rank 0 then gives its main thread a moment to stop by itself (``check`` raises there between two
ticks); a main thread that waits in MPI for somebody who never comes cannot, so the thread here closes the record,
tells the user and ends the process. The other ranks end when rank 0 tells them to, or is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cosim.errors import CosimError

#: s that the main thread gets to stop by itself when another rank failed, which waits meanwhile
GRACE = 1.0
#: s for the same when a rank was lost: Open MPI kills the others half a second later, the record must be closed by then
LOST_GRACE = 0.15
#: s for a mistake of the user's, which rank 0 is about to find itself
USER_GRACE = 5.0
#: s that a failing rank waits for rank 0 to close the record
PATIENCE = 5.0

#: exit code of a run that lost a rank: the simulation went wrong
LOST = 3


class Failure(CosimError):
    """Another rank failed (`lost` false), or was killed: then the run may be resumed."""

    def __init__(self, text: str, code: int, *, lost: bool) -> None:
        super().__init__(text)
        self.exit_code = code
        self.lost = lost


class Alarm:
    """The line between this rank and rank 0. Made by all ranks together."""

    def __init__(self, comm: Any) -> None:
        self._rank, self._size = comm.Get_rank(), comm.Get_size()
        #: what rank 0 does if its main thread cannot: close the record
        self.emergency: Callable[[Failure], None] | None = None
        #: on rank 0: what happened on another rank
        self.failure: Failure | None = None
        self._lock = threading.Lock()
        self._ended = self._claimed = self._told = False
        self._peers: dict[int, socket.socket] = {}
        token = comm.bcast(secrets.token_hex(16), root=0)
        if self._rank == 0:
            server = socket.create_server(("", 0), backlog=self._size)
            comm.bcast((socket.gethostname(), server.getsockname()[1]), root=0)
            self._accept(server, token)
            for rank, peer in self._peers.items():
                self._thread(self._listen, rank, peer)
        else:
            host, port = comm.bcast(None, root=0)
            here = host == socket.gethostname()
            self._line = socket.create_connection(("127.0.0.1" if here else host, port), timeout=60)
            self._line.settimeout(None)
            self._send(self._line, {"token": token, "rank": self._rank})
            self._thread(self._obey)
        comm.Barrier()

    # ------------------------------------------------------------ rank 0

    def _accept(self, server: socket.socket, token: str) -> None:
        server.settimeout(60)
        while len(self._peers) < self._size - 1:
            try:
                peer, _ = server.accept()
                peer.settimeout(60)
                hello = self._read(peer.makefile("rb"))
            except TimeoutError:
                raise CosimError("not all ranks could reach rank 0 over the network within 60 s") from None
            if hello.get("token") == token:
                peer.settimeout(None)
                self._peers[int(hello["rank"])] = peer
            else:
                peer.close()
        server.close()

    def _listen(self, rank: int, peer: socket.socket) -> None:
        """Wait for what a rank has to say: it is done, it failed, or it is gone."""
        try:
            message = self._read(peer.makefile("rb"))
        except OSError:
            message = {}
        if message.get("done") or self._ended:
            return
        who = f"rank {rank} of {self._size}"
        if "code" in message:
            failure = Failure(f"{who}: {message['text']}", int(message["code"]), lost=False)
        else:
            failure = Failure(f"{who} was lost: it was killed, or its machine is gone", LOST, lost=True)
        with self._lock:
            if self.failure is not None:
                return
            self.failure = failure
        if failure.lost:  # nothing that is found out later can come before this, and the launcher is about to kill
            self.tell(str(failure))
        time.sleep(LOST_GRACE if failure.lost else USER_GRACE if failure.exit_code == 2 else GRACE)
        if not self.claim():
            return  # the main thread is on its way out
        if self.emergency is not None:
            self.emergency(failure)
        self.tell(str(failure))
        self.stop(failure.exit_code)
        os._exit(failure.exit_code)

    def tell(self, text: str) -> None:
        """Print why the run ends, unless that was said before (rank 0)."""
        with self._lock:
            told, self._told = self._told, True
        if not told:
            print(text, file=sys.stderr, flush=True)

    def claim(self) -> bool:
        """Whether the caller is the first of rank 0's threads to see to the end of the run, which it then must."""
        with self._lock:
            claimed, self._claimed = self._claimed, True
        return not claimed

    def check(self) -> None:
        """Raise Failure if another rank has failed: called by rank 0 between two ticks."""
        if self.failure is not None:
            if not self.claim():
                time.sleep(60)  # the other thread is ending this process
            raise self.failure

    def stop(self, code: int) -> None:
        """Tell all ranks to end with this exit code (rank 0)."""
        self._ended = True
        for peer in self._peers.values():
            self._send(peer, {"stop": code})

    # ------------------------------------------------------------ the other ranks

    def _obey(self) -> None:
        """Wait until rank 0 says that it is over, or is gone."""
        try:
            message = self._read(self._line.makefile("rb"))
        except OSError:
            message = {}
        if self._ended:
            return
        if not message and self._rank == 1:
            print(f"rank 0 of {self._size} was lost: it was killed or its machine is gone", file=sys.stderr, flush=True)
        os._exit(int(message.get("stop", LOST)))

    def report(self, text: str, code: int) -> None:
        """Tell rank 0 that this rank failed; returns when rank 0 has had its time."""
        self._send(self._line, {"text": text, "code": code})
        time.sleep(PATIENCE + (USER_GRACE if code == 2 else 0.0))

    def done(self) -> None:
        """This rank ends as it should: nobody need worry when its connection ends. Called by all ranks."""
        self._ended = True
        if self._rank:
            self._send(self._line, {"done": True})

    # ------------------------------------------------------------ the line

    def _thread(self, target: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=target, args=arguments, name="cosim-alarm", daemon=True).start()

    @staticmethod
    def _send(line: socket.socket, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # whoever is gone need not be told
            line.sendall(json.dumps(message).encode() + b"\n")

    @staticmethod
    def _read(file: Any) -> dict[str, Any]:
        text = file.readline()
        found: dict[str, Any] = json.loads(text) if text.endswith(b"\n") else {}
        return found
