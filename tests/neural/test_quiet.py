"""Brian2 leaves the process as it found it."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("handler", ["SIG_IGN", "default_int_handler"])
def test_the_handler_of_interrupts_is_the_one_that_was_there(handler: str) -> None:
    # Brian2's own handler calls an ignored signal as if it were a function
    code = f"import signal; signal.signal(signal.SIGINT, signal.{handler}); import cosim.neural.emit; "
    code += f"assert signal.getsignal(signal.SIGINT) == signal.{handler}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
