"""Write step.csv, one step of the fly, from the recording that flygym ships.

python circuits/fly_walk/derive.py single_step_untethered.npz

The file: PyPI flygym 1.2.1, data/behavior/single_steps_untethered.pkl (Apache License 2.0), its values as npz with
`joints` (42,), `angles_rad` (45, 42), `dt_s` and `swing_stance_json`. An averaged step of an untethered fly over one
cycle whose last sample is its first. What changes: the closing sample is left out, time becomes phase, the order is the
body's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LEGS = [side + leg for side in "LR" for leg in "FMH"]
HINGES = ["Coxa", "Coxa_roll", "Coxa_yaw", "Femur", "Femur_roll", "Tibia", "Tarsus1"]
HEADER = """\
# One step of an untethered fly, radians by phase (cycles); swing begins at phase 0 and ends at
# {swing}.
# Made by derive.py from NeuroMechFly's data (flygym 1.2.1, data/behavior/single_steps_untethered.pkl, Copyright
# Neuroengineering Laboratory, EPFL, Apache License 2.0: ../../bodies/fly/LICENSE). Changed: phase in place of time, the
# body's order, the last sample (which is the first) left out.
"""


def read(file: Path) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Angles (samples,) by joint, and the phase at which each leg's stance begins."""
    data = np.load(file)
    angles = dict(zip(data["joints"].tolist(), data["angles_rad"].astype(float).T, strict=True))
    period = (len(data["angles_rad"]) - 1) * float(data["dt_s"])
    begin = json.loads(str(data["swing_stance_json"]))["stance"]
    return angles, {leg: float(begin[leg]) / period for leg in LEGS}


def main(file: Path) -> None:
    """Write step.csv."""
    angles, begin = read(file)
    names = [f"joint_{leg}{hinge}" for leg in LEGS for hinge in HINGES]
    table = np.stack([angles[name] for name in names], axis=1)
    if np.abs(table[0] - table[-1]).max() > 1e-6:
        raise SystemExit(f"{file}: the cycle is not closed")
    table = table[:-1]
    swing = ", ".join(f"{value:.3f} ({leg})" for leg, value in begin.items())
    rows = [",".join(["phase [1]", *(f"{name} [rad]" for name in names)])]
    rows += [",".join([f"{k / len(table):.7f}", *(f"{x:.5f}" for x in row)]) for k, row in enumerate(table)]
    (HERE / "step.csv").write_text(HEADER.format(swing=swing) + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
