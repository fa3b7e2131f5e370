"""How a process that is one of several ranks ends when something went wrong: all end, and one says why."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType
from typing import NoReturn

from cosim.errors import UserError
from cosim.mpi.world import World

#: s in which news of a dead rank arrive that MPI's own error came before; a launcher's signal comes .25 s after the
#: rank's death, and .25 s before it kills
NEWS = 0.2


def listen(world: World) -> None:
    """Let signals end all ranks together: rank 0 stops as at Ctrl-C, and the others wait for it to say so."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt if world.root else signal.SIG_IGN)


def cause(world: World, error: BaseException) -> BaseException:
    """What is behind an error on rank 0: the failure of another rank, where there is one."""
    if world.root and world.alarm.failure is None and not isinstance(error, UserError | KeyboardInterrupt):
        time.sleep(NEWS)
    return world.alarm.failure or error


def end(world: World, text: str, code: int) -> NoReturn:
    """End this process, and with it all ranks; rank 0 prints `text`, what another rank has to say goes to rank 0.

    Without the clean-up of Python and MPI, which would wait for ranks that are gone.
    """
    alarm = world.alarm
    if world.root:
        alarm.claim()
        # a mistake of the user's is found by all ranks, and needs no rank's name
        failure = alarm.failure if code != 2 else None
        alarm.tell(str(failure or text))
        code = failure.exit_code if failure is not None else code
        alarm.stop(code)
    else:
        alarm.report(text, code)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
