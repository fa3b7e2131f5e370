"""The studies behind the tables of the salamander's README: seeds, locking, feedback and drive.

    python -m tests.studies.salamander [--out DIR] [--jobs N]

runs 91 simulations of 12 s (about a quarter of an hour on two cores), writes ``circuits/salamander_cord/seeds.csv`` and
``effects.csv`` and prints the tables. ``cosim report DIR/w*_d5.7_s*`` then shows the runs side by side. Not
collected by pytest; a test compares the README's tables with the two files.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
from collections.abc import Iterable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SEEDS_CSV = ROOT / "circuits/salamander_cord/seeds.csv"
EFFECTS_CSV = ROOT / "circuits/salamander_cord/effects.csv"
FURTHER_SEEDS = (1, 2, 3, 4, 5, 7, 8, 9, 10, 11)
EFFECT_SEEDS = (1, 2, 3, 4, 5)
STRENGTHS = (0, 1, 2, 3)
JOINTS_TRUNK, JOINTS_TAIL = slice(0, 3), slice(4, 8)

Job = tuple[str, dict[str, Any], int]


def simulate(job: tuple[str, dict[str, Any], int, Path]) -> dict[str, Any]:
    """Run one job and return its metrics with the frequencies of trunk and tail."""
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import cosim
    from cosim.analyse import signals

    name, overrides, seed, out = job
    experiment = cosim.load("salamander_swim", overrides)
    result = _finished(out / name, experiment.loaded.content_hash, seed)
    if result is None:
        result = experiment.run(seed=seed, out=out / name, force=True)
    angles = result.trace("body/joint_angle").after(experiment.spec.transient)
    metrics = dict(result.metrics)
    for key, joints in (("trunk", JOINTS_TRUNK), ("tail", JOINTS_TAIL)):
        metrics[f"frequency_{key}"] = signals.frequency(angles.values[:, joints], angles.dt)
    return metrics


def _finished(path: Path, content_hash: str, seed: int) -> Any:
    """The result of an earlier, broken-off call of this study, if it is of the same documents."""
    import cosim

    if not (path / "manifest.json").is_file():
        return None
    result = cosim.Result(path)
    same = result.manifest.get("content_hash") == content_hash and result.manifest.get("seed") == seed
    return result if result.complete and same and result.metrics else None


def seed_jobs() -> list[Job]:
    """The declared seed and ten further ones; each intact and with its cord cut at the pelvis and no feedback."""
    split = {"ablate": [{"transect": "37.5 mm"}, {"cut": "wires.stretch"}]}
    jobs: list[Job] = []
    for seed in (6, *FURTHER_SEEDS):
        jobs += [(f"seed_{seed}", {}, seed), (f"split_{seed}", split, seed)]
    return jobs


def effect_jobs() -> list[Job]:
    """Feedback strength at the shipped drive and at 4 pA; drive in the open loop and under strong feedback."""
    conditions = [(w, d) for d in (5.7, 4.0) for w in STRENGTHS] + [(w, d) for w in (0, 3) for d in (5.0, 6.4)]
    return [
        (f"w{w}_d{d}_s{seed}", {"feedback_strength": w, "drive": f"{d} pA"}, seed)
        for w, d in conditions
        for seed in EFFECT_SEEDS
    ]


def run_all(jobs: Sequence[Job], out: Path, workers: int) -> dict[str, dict[str, Any]]:
    """Metrics by the name of the run, in fresh processes."""
    with get_context("spawn").Pool(workers, maxtasksperchild=10) as pool:
        found = pool.imap(simulate, [(*job, out) for job in jobs])
        results = {}
        for (name, *_), metrics in zip(jobs, found, strict=False):  # imap has no length
            results[name] = metrics
            print(
                name,
                {k: v for k, v in metrics.items() if k in ("frequency", "wave_number", "speed", "locked")},
                flush=True,
            )
        return results


def number(value: Any) -> float:
    """A metric as float; NaN for what a run does not have."""
    return math.nan if value is None else float(value)


def seed_rows(results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a seed."""
    rows = []
    for seed in (6, *FURTHER_SEEDS):
        whole, split = results[f"seed_{seed}"], results[f"split_{seed}"]
        rows.append(
            {
                "seed": seed,
                "frequency": f"{number(whole['frequency']):.2f}",
                "wave_number": f"{number(whole['wave_number']):.2f}",
                "speed": f"{number(whole['speed']):.3f}",
                "tail_beat": f"{number(whole['tail_beat']):.3f}",
                "locked": "yes" if whole["locked"] else "no",
                "trunk_alone": f"{number(split['frequency_trunk']):.2f}",
                "tail_alone": f"{number(split['frequency_tail']):.2f}",
            }
        )
    return rows


def effect_rows(results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a condition: mean and range over the five seeds."""
    rows = []
    for (w, d), group in _conditions(results):
        row: dict[str, Any] = {"feedback_strength": w, "drive_pA": d}
        for key in ("frequency", "wave_number", "speed", "ptcc"):
            values = np.array([number(m[key]) for m in group])
            good = values[np.isfinite(values)]
            row[key] = f"{good.mean():.2f}" if len(good) else "nan"
            row[f"{key}_min"] = f"{good.min():.2f}" if len(good) else "nan"
            row[f"{key}_max"] = f"{good.max():.2f}" if len(good) else "nan"
        row["locked"] = sum(bool(m["locked"]) for m in group)
        row["seeds"] = len(group)
        rows.append(row)
    return rows


def _conditions(results: dict[str, dict[str, Any]]) -> Iterable[tuple[tuple[str, str], list[dict[str, Any]]]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for name, metrics in results.items():
        if name.startswith("w"):
            w, d, _ = name.split("_")
            groups.setdefault((w[1:], d[1:]), []).append(metrics)
    return groups.items()


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def markdown(path: Path) -> str:
    """A CSV file as a Markdown table, the way it stands in the README."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def main() -> None:
    """Run everything and write the two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/salamander_studies"))
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    results = run_all([*seed_jobs(), *effect_jobs()], arguments.out, arguments.jobs)
    write(SEEDS_CSV, seed_rows(results))
    write(EFFECTS_CSV, effect_rows(results))
    print(markdown(SEEDS_CSV), markdown(EFFECTS_CSV), sep="\n\n")


if __name__ == "__main__":
    main()
