"""A worker: does the runs that the master sends, one at a time.

As a process of its own it is started by the master (``python -m cosim.sweep.worker FD``) and talks through the socket
FD. It ends when the master says so, or is gone.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from cosim.errors import CosimError
from cosim.sweep.messages import Line, Message

Receive = Callable[[], Message | None]


def serve(line: Line | None, receive: Receive, *, grouped: bool = False) -> bool:
    """Do what comes until the master says stop, or is gone; the first message is the job.

    The ranks of a group (`grouped`) receive the same and call this together; only the first one has a line, and what
    one of them alone runs into ends all. Returns False where it ended otherwise: rows cannot be written any more.
    """
    from cosim.sweep.job import Hand, Stop
    from cosim.sweep.task import Job, Task

    def say(**message: Any) -> None:
        if line is not None:
            line.send(message)

    first = receive()
    if first is None or "job" not in first:
        return True
    hand = Hand(Job(**first["job"]), lambda text: say(say=text), writes=line is not None)
    say(ready=True)
    while (message := receive()) is not None and "task" in message:
        task = Task(**message["task"])
        name = task.identity["run"]
        try:
            say(done=name, status=hand.do(task))
        except Stop as error:
            say(stop=str(error))
            return False
        except Exception as error:
            if grouped or os.environ.get("COSIM_DEBUG"):
                raise
            say(trouble=name, reason=_reason(error))
    return True


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no message"
    return text if isinstance(error, CosimError) else f"{type(error).__name__}: {text}"


def watched(line: Line) -> Receive:
    """`line.receive`, while a thread waits for the end of the line: with the master this process ends, in mid-run
    too."""
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def listen() -> None:
        while (message := line.receive()) is not None:
            messages.put(message)
        os._exit(1)

    threading.Thread(target=listen, name="cosim-sweep-line", daemon=True).start()
    return messages.get


def main() -> None:
    """The process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they are the master's to answer
        signal.signal(number, signal.SIG_IGN)
    line = Line(socket.socket(fileno=int(sys.argv[1])))
    serve(line, watched(line))
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
