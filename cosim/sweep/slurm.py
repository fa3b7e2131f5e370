"""The batch script of a sweep; it is written, never submitted."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from cosim import zoo
from cosim.errors import CosimError
from cosim.sweep.run import Options, locked, planned

SCRIPT = "sweep.slurm"
#: jobs of an array, or ranks, unless told otherwise
MOST = 64


def script(name: str | Path, given: Mapping[str, Any], options: Options, kind: Literal["array", "mpi"]) -> Path:
    """Prepare the sweep's directory and write ``sweep.slurm`` into it: `options.workers` jobs of an array, or ranks.

    Returns its path. Raises UserError where the sweep cannot be run.
    """
    found, _, store = planned(name, given, options)
    with locked(found, store, options):
        store.prepare(found, force=options.force)
    count = min(options.workers or MOST, len(found.runs))
    out = store.path.resolve()
    words = [str(found.sweep.document.path.resolve()), "--out", str(out), *_words(given, options)]
    text = _template(kind)
    text = _header(text, "job-name", f"cosim-{found.sweep.spec.name}")
    if kind == "array":
        text = _header(text, "array", f"1-{count}")
    else:
        text = _header(text, "ntasks", str(count * (options.ranks_per_run or found.sweep.spec.ranks_per_run)))
    lines = [
        f"#SBATCH --output={out}/slurm-%{'A_%a' if kind == 'array' else 'j'}.log",
        "set -euo pipefail",
        f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH",
        f"cd {shlex.quote(str(Path.cwd()))}",
        f"set -- {shlex.join(words)}",
    ]
    text = text.replace("set -euo pipefail", "\n".join(lines), 1)
    file = out / SCRIPT
    file.write_text(text, encoding="utf-8")
    return file


def _words(given: Mapping[str, Any], options: Options) -> list[str]:
    """The options of the command, without those that the script gives itself."""
    words = [word for path, value in given.items() for word in ("--set", f"{path}={value}")]
    words += ["--backend", options.backend] if options.backend != "auto" else []
    words += ["--ranks-per-run", str(options.ranks_per_run)] if options.ranks_per_run else []
    words += ["--failed"] if options.failed else []
    words += ["--yes"] if options.unlimited else []
    return [*words, "--retries", str(options.retries)]


def _template(kind: str) -> str:
    for root in zoo.roots():
        file = root / "run" / "cluster" / f"sweep_{kind}.slurm"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise CosimError(f"the script run/cluster/sweep_{kind}.slurm is missing from this installation")


def _header(text: str, key: str, value: str) -> str:
    return re.sub(rf"(?m)^#SBATCH --{key}=.*$", f"#SBATCH --{key}={value}", text, count=1)
