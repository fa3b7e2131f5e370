"""Make the files of this folder from the published recordings (sources and licence: README.md).

    python derive.py FOLDER

FOLDER holds what README.md lists under "sources": ``walking_210902_pr_fly1.npz``, ``spotlight_clip_20250613.npz``,
``walking_fly{1,2,3}_contact.npz`` and ``walking_fly{1,2,3}_fictrac.csv.gz``. Angles are rounded to 1e-4 rad (0.006
degrees) and keypoints to 1e-3 mm, which is far below their error; nothing else is changed.
"""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FLIES = (1, 2, 3)
FRAME = 0.01  # s, of contacts and ball (100 frames a second)
FIRST = 300  # the frame of fly 1's contact record at which its clip of joint angles begins
BALL_RADIUS = 4.98  # mm
FICTRAC_COLUMNS, SPEED = 25, 18  # the last 25 columns; angle turned in a frame (rad) about the axis of walking
KEYPOINT_EVERY = 5  # frames


def rounded(values: np.ndarray, unit: float) -> np.ndarray:
    """Whole numbers of `unit`, which take half of the room."""
    found = np.round(values.astype(np.float64) / unit)
    assert np.abs(found).max() < 2**15
    return found.astype(np.int16)


def walking(folder: Path) -> None:
    """Fly 1, tethered above a ball: 42 angles, 1 s at 2 kHz."""
    source = np.load(folder / "walking_210902_pr_fly1.npz")
    np.savez_compressed(HERE / "walking_fly1.npz", angles=rounded(source["angles_rad"], 1e-4), columns=source["joints"])


def spotlight(folder: Path) -> None:
    """A fly that walks freely: angles as published (330 Hz), and every fifth frame of the keypoints of its legs."""
    source = np.load(folder / "spotlight_clip_20250613.npz")
    angles = source["joint_angles_rad"]
    columns = [f"{leg}.{name}" for leg in source["legs"] for name in source["dofs"]]
    np.savez_compressed(
        HERE / "spotlight.npz", angles=rounded(angles.reshape(len(angles), -1), 1e-4), columns=np.array(columns)
    )
    points = source["fwdkin_egoxyz"][::KEYPOINT_EVERY].reshape(-1, len(source["legs"]), 5, 3)
    np.savez_compressed(
        HERE / "spotlight_keypoints.npz",
        points=rounded(points, 1e-3),
        legs=np.array([str(leg).upper() for leg in source["legs"]]),
        time=np.arange(len(points)) * KEYPOINT_EVERY / float(source["fps"]),
    )


def contacts(folder: Path, fly: int) -> None:
    """Which legs touch the ball, frame by frame; time 0 is where the clip of fly 1's joint angles begins."""
    source = np.load(folder / f"walking_fly{fly}_contact.npz")
    first = FIRST if fly == 1 else 0
    with (HERE / f"contacts_fly{fly}.csv").open("w", encoding="ascii", newline="\n") as file:
        file.write(f"# measured leg contacts of fly {fly} on a ball (1: the leg touches it); see README.md\n")
        file.write(",".join(["time [ms]", *source["legs"]]) + "\n")
        for frame, row in enumerate(source["contact"]):
            file.write(",".join(map(str, [round((frame - first) * FRAME * 1e3), *row])) + "\n")


def speed(folder: Path, fly: int) -> tuple[float, float, int]:
    """Mean and standard deviation (mm/s) of the ball's speed in the direction of walking, and how many frames."""
    with gzip.open(folder / f"walking_fly{fly}_fictrac.csv.gz", "rt", encoding="ascii") as file:
        rows = [row[-FICTRAC_COLUMNS:] for row in csv.reader(file) if len(row) >= FICTRAC_COLUMNS and row[0].strip()]
    turned = np.array([float(row[SPEED]) for row in rows])
    found = turned * BALL_RADIUS / FRAME
    return float(found.mean()), float(found.std(ddof=1)), len(found)


def main(folder: Path) -> None:
    walking(folder)
    spotlight(folder)
    for fly in FLIES:
        contacts(folder, fly)
    with (HERE / "speeds.csv").open("w", encoding="ascii", newline="\n") as file:
        file.write("# forward speed over the ball (FicTrac): mean and standard deviation over the frames of a record\n")
        file.write("fly,mean [mm/s],sd [mm/s],frames\n")
        for fly in FLIES:
            mean, deviation, frames = speed(folder, fly)
            file.write(f"{fly},{mean:.3f},{deviation:.3f},{frames}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
