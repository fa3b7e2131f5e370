"""What a tick costs and where, of networks without a body and of whole experiments, beside other ways to do the same.

Between machines, and on a busy one, only ratios are worth comparing: blocks of ticks alternate between the sides, round
after round, and ratios are taken within a round.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from typing import Any

from cosim.bench import models, networks
from cosim.bench.page import load_average, page, wanted
from cosim.bench.sides import Say
from cosim.manifest import host, versions
from cosim.neural.limits import check_machine

NAMES = (*networks.SIZES, "salamander_swim", "stretch_reflex")
QUICK_NAMES = ("1k", "10k", "salamander_swim", "stretch_reflex")
ROUNDS, QUICK_ROUNDS = 5, 2


def run(
    names: Sequence[str] = (), rounds: int | None = None, *, quick: bool = False, say: Say | None = None
) -> dict[str, Any]:
    """Measure networks (1k, 10k, 100k, fly) and experiments by name; without any, NAMES.

    `quick`: cosim's compiled backend alone, in few rounds. Returns machine, versions, and for every name sizes, ratios,
    microseconds per tick and rates. Raises UserError for an unknown name, an experiment without a network, and where
    there is no C++ compiler. NEST is left out where it is not installed, which `skipped` says.
    """
    say = say or (lambda text: None)
    check_machine()
    names = names or (QUICK_NAMES if quick else NAMES)
    rounds = rounds or (QUICK_ROUNDS if quick else ROUNDS)
    experiments = {name: models.load(name) for name in names if name not in (*networks.SIZES, networks.FLY)}
    has_nest = importlib.util.find_spec("nest") is not None
    begin = load_average()
    found: dict[str, Any] = {}
    for name in names:
        if name in experiments:
            found[name] = models.measure(name, experiments[name], rounds, not quick, say)
        else:
            found[name] = networks.measure(name, rounds, not quick, has_nest, say)
        gc.collect()
    return {
        "machine": host(),
        "versions": _versions(),
        "command": _command(names, rounds, quick),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "load": [begin, load_average()],
        "rounds": rounds,
        "skipped": _skipped(quick, has_nest),
        "measured": found,
        "wanted": wanted(found),
    }


def table(result: dict[str, Any]) -> str:
    """The result as a page in Markdown."""
    return page(result)


def _versions() -> dict[str, str]:
    found = versions()
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["nest"] = importlib.metadata.version("nest-simulator")
    return found


def _command(names: Sequence[str], rounds: int, quick: bool) -> str:
    usual_names, usual_rounds = (QUICK_NAMES, QUICK_ROUNDS) if quick else (NAMES, ROUNDS)
    words = ["cosim bench lockstep", *(() if tuple(names) == usual_names else names)]
    words += [] if rounds == usual_rounds else [f"--repeats {rounds}"]
    return " ".join([*words, *(["--quick"] if quick else [])])


def _skipped(quick: bool, has_nest: bool) -> list[str]:
    if quick:
        return ["Brian2 and NEST are left out: --quick."]
    return [] if has_nest else ["NEST is left out, it is not installed: pip install 'cosim-neuro[bench]'."]
