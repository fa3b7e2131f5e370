"""What importing Brian2 does to the process, undone: its log on the terminal, its handler for Ctrl-C.

Brian2's log is for Brian2's developers; what a user has to know, cosim says itself. Its handler turns Ctrl-C into
the end of a time step, and breaks where the interrupt was being ignored (a job in the background of a script).
"""

from __future__ import annotations

import signal
import threading

from brian2.utils.logger import BrianLogger


def restore_interrupt() -> None:
    """Put back the handler of SIGINT that Brian2 replaced; only the main thread may."""
    previous = getattr(signal.getsignal(signal.SIGINT), "previous_handler", None)
    if previous is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, previous)


BrianLogger.log_level_error()
restore_interrupt()
