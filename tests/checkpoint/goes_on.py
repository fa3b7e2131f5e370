"""Resume the results named as arguments, in this process; run by test_resume.py in a fresh one."""

import sys
from pathlib import Path

from cosim.checkpoint.resume import resume

for path in sys.argv[1:]:
    resume(Path(path), say=lambda text: print(text))
