"""The tables of connectomes/celegans_cook2019, out of two public packages.

    pip download --no-deps cect==0.3.5 c302==0.12.1 -d DIR
    python -m tests.studies.derive_celegans DIR [--out connectomes/celegans_cook2019]

Both are wheels under the MIT licence; single files are read out of them, nothing of them is installed or imported:

- cect: ``cache/Cook2019HermReader.json``, the adjacency of the corrected hermaphrodite tables (SI 5) of Cook et al.
  2019: a list of cells and a matrix [pre, post] for each class of synapse; ``cache/OpenWormUnifiedReader.json``, the
  same with transmitters as classes; ``data/all_cell_info.csv``, the types of cells.
- c302: ``NeuroML2/NAME.cell.nml``, of which the position of the soma.

Not collected by pytest; the tests state the published numbers on the tables that are shipped.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
MUSCLE = re.compile(r"M[DV][LR]\d\d")
SERIAL = re.compile(r"(AS|DA|DB|DD|VA|VB|VC|VD)(\d+)")
SOMA = re.compile(r'<segment id="0".*?<proximal x="([^"]+)" y="([^"]+)" z="([^"]+)"', re.DOTALL)
#: White et al. 1986 name these as one class, which the rule of `classes` would not
ONE_CLASS = {"SABD": "SAB", "SABV": "SAB"}


def adjacency(wheel: zipfile.ZipFile, name: str) -> tuple[list[str], dict[str, NDArray[np.int64]]]:
    """Cells and, by class of synapse, the number of synapses [pre, post]."""
    content = json.loads(wheel.read(f"cect/cache/{name}.json"))
    return content["nodes"], {
        kind: np.array(matrix).astype(np.int64) for kind, matrix in content["connections"].items()
    }


def cell_types(wheel: zipfile.ZipFile) -> dict[str, str]:
    """The type of every cell, as cect has it."""
    lines = wheel.read("cect/data/all_cell_info.csv").decode("utf-8").splitlines()
    return {row["Cell name"]: row["Type"] for row in csv.DictReader(lines)}


def classes(neurons: Iterable[str]) -> dict[str, str]:
    """The class of every neuron, as White et al. 1986 use the word: what is left of its name without side and number.

    The number of a serial motoneuron (VA12: VA), then L or R where the counterpart exists (AVAL: AVA), then D or V
    where the counterpart exists (RMDDL: RMD) and is named with a side just as this one is (RID and RIVL are not of one
    class).
    """
    names = set(neurons)
    found: dict[str, str] = {}
    sided: dict[str, bool] = {}
    for name in names:
        serial = SERIAL.fullmatch(name)
        mirror = name[:-1] + {"L": "R", "R": "L"}.get(name[-1], "")
        stem = serial[1] if serial else name[:-1] if mirror in names and mirror != name[:-1] else name
        found[name] = stem
        sided[stem] = stem != name and not serial
    for name, stem in list(found.items()):
        mirror = stem[:-1] + {"D": "V", "V": "D"}.get(stem[-1], "")
        if len(stem) > 2 and mirror in sided and mirror != stem[:-1] and sided[mirror] == sided[stem]:
            found[name] = stem[:-1]
        found[name] = ONE_CLASS.get(stem, found[name])
    return found


def side(name: str, names: set[str]) -> str:
    """left, right, or middle for a cell without a counterpart."""
    other = {"L": "R", "R": "L"}.get(name[-1])
    if other is None or name[:-1] + other not in names:
        return "middle"
    return "left" if name[-1] == "L" else "right"


def transmitters(wheel: zipfile.ZipFile) -> dict[str, str]:
    """The transmitter at most synapses of a neuron; nothing for one without chemical synapses."""
    names, matrices = adjacency(wheel, "OpenWormUnifiedReader")
    chemical = sorted(kind for kind in matrices if not kind.startswith("Generic"))
    made = np.array([matrices[kind].sum(axis=1) for kind in chemical])
    best = made.argmax(axis=0)
    return {name: chemical[best[i]] if made[:, i].any() else "" for i, name in enumerate(names)}


def somata(wheel: zipfile.ZipFile, neurons: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """x, y, z of the soma, micrometres; y runs along the body, from the head at negative values."""
    found = {}
    for name in neurons:
        match = SOMA.search(wheel.read(f"c302/NeuroML2/{name}.cell.nml").decode("utf-8"))
        if match is not None:
            found[name] = (match[1], match[2], match[3])
    return found


def tables(cect: zipfile.ZipFile, c302: zipfile.ZipFile) -> dict[str, list[list[Any]]]:
    """Rows of cells.csv, chemical.csv and gap_junctions.csv, each with its header."""
    names, matrices = adjacency(cect, "Cook2019HermReader")
    types, releases = cell_types(cect), transmitters(cect)
    muscles = sorted(name for name in names if MUSCLE.fullmatch(name))
    own = {name[: -len(".cell.nml")].rpartition("/")[2] for name in c302.namelist() if name.endswith(".cell.nml")}
    neurons = sorted(
        (n for n in names if n in own and n not in muscles), key=lambda n: (re.sub(r"\d+$", "", n), _digits(n))
    )
    class_of, place = classes(neurons), somata(c302, neurons)
    cells: list[list[Any]] = [
        ["cell", "kind", "class", "type", "side", "number", "transmitter", "x_um", "y_um", "z_um"]
    ]
    for name in neurons:
        number = _digits(name) if SERIAL.fullmatch(name) else ""
        x, y, z = place[name]
        cells.append(
            [name, "neuron", class_of[name], types[name], side(name, set(neurons)), number, releases[name], x, y, z]
        )
    for name in muscles:
        where = "left" if name[2] == "L" else "right"
        cells.append([name, "muscle", name[:3], types[name], where, int(name[3:]), "", "", "", ""])
    at = {name: i for i, name in enumerate(names)}
    chemical: list[list[Any]] = [["pre", "post", "kind", "count"]]
    for kind, targets in (("chemical", neurons), ("neuromuscular", muscles)):
        for pre in neurons:
            counts = ((post, matrices["Generic_CS"][at[pre], at[post]]) for post in targets)
            chemical += [[pre, post, kind, count] for post, count in counts if count]
    junctions: list[list[Any]] = [["one", "other", "kind", "count"]]
    matrix = matrices["Generic_GJ"]
    chosen = [*neurons, *muscles]
    assert (matrix == matrix.T).all()
    for i, one in enumerate(chosen):
        for other in chosen[i:]:
            if matrix[at[one], at[other]]:
                kind = "gap" if other in class_of else "muscle_gap"
                junctions.append([one, other, kind, matrix[at[one], at[other]]])
    return {"cells.csv": cells, "chemical.csv": chemical, "gap_junctions.csv": junctions}


def _digits(name: str) -> int:
    found = re.search(r"\d+$", name)
    return int(found[0]) if found else 0


def main() -> None:
    """Write the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("wheels", type=Path, help="the folder that holds the two wheels")
    options.add_argument("--out", type=Path, default=ROOT / "connectomes/celegans_cook2019")
    given = options.parse_args()
    cect, c302 = (next(given.wheels.glob(f"{name}-*.whl")) for name in ("cect", "c302"))
    with zipfile.ZipFile(cect) as first, zipfile.ZipFile(c302) as second:
        for name, rows in tables(first, second).items():
            with (given.out / name).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
            print(f"{name}: {len(rows) - 1} rows")


if __name__ == "__main__":
    main()
