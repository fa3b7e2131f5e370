"""Write bodies/salamander/animal_swimming.csv: the animal's joint angles over a cycle, as Fourier series.

    python tests/body/make_animal_swimming.py swimming_spine_reduced.csv bodies/salamander/animal_swimming.csv

The input is data/kinematics/swimming_spine_reduced.csv of github.com/AlexPazzaglia/SalamandraSNN (MIT licence, (c) 2024
Alessandro Pazzaglia): 20 samples of the mean cycle of Karakasiliotis et al. 2016 (J R Soc Interface 13:20151089) by
8 joints, in degrees, without a header.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HARMONICS = 3
HEADER = """\
# Joint angles of swimming Pleurodeles waltl over one cycle (3.17 Hz), as Fourier coefficients in degrees:
#   angle(t) = mean + sum over k of cos_k cos(2 pi k f t) + sin_k sin(2 pi k f t)
# From swimming_spine_reduced.csv of github.com/AlexPazzaglia/SalamandraSNN (MIT licence, (c) 2024 Alessandro
# Pazzaglia), the mean cycle of Karakasiliotis et al. 2016, J R Soc Interface 13:20151089. Three harmonics hold the
# 20 samples to {rms:.2f} degrees rms. Made by tests/body/make_animal_swimming.py.
"""


def coefficients(samples: np.ndarray) -> np.ndarray:
    """(joints, 1 + 2 HARMONICS): mean, then cosine and sine coefficient of each harmonic, of samples (n, joints)."""
    spectrum = np.fft.rfft(samples, axis=0) / len(samples)
    rows = [spectrum[0].real]
    for k in range(1, HARMONICS + 1):
        rows += [2 * spectrum[k].real, -2 * spectrum[k].imag]
    return np.array(rows).T


def angles(table: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Angles (len(phase), joints) in the table's unit at `phase` in cycles."""
    basis = [np.ones_like(phase)]
    for k in range(1, table.shape[1] // 2 + 1):
        basis += [np.cos(2 * np.pi * k * phase), np.sin(2 * np.pi * k * phase)]
    return np.array(basis).T @ table.T


def main(source: Path, target: Path) -> None:
    """Read the samples, write the table."""
    samples = np.loadtxt(source, delimiter=",")
    table = coefficients(samples)
    rms = float(np.sqrt(((angles(table, np.arange(20) / 20) - samples) ** 2).mean()))
    names = ["joint", "mean", *(f"{f}_{k}" for k in range(1, HARMONICS + 1) for f in ("cos", "sin"))]
    lines = [",".join(names)]
    lines += [",".join([f"joint_{j + 1}", *(f"{v:.3f}" for v in row)]) for j, row in enumerate(table)]
    target.write_text(HEADER.format(rms=rms) + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
