"""Arguments to try the functions at: over their whole range, where they are hard, and at the ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

ENDS = np.array(
    [0.0, 1.0, 2.0, 0.5, 3.0, 1.5, 0.25, 1e308, 5e-324, 2.3e-308, 2.2250738585072014e-308, 1e-300, 22.0, 40.0, 700.0,
     706.9, 707.1, 709.7, 709.9, 710.4, 710.5, 716.0, 717.5, 750.0, 1e4, 2.1e8, 2.2e8, 2.0**53, 1e19, np.inf, np.nan]
)  # fmt: skip
ENDS = np.concatenate([ENDS, -ENDS])


def arguments(name: str, n: int, seed: int = 0) -> tuple[Real, ...]:
    """n arguments of a function, within its range."""
    chance = np.random.default_rng(seed)

    def even(low: float, high: float) -> Real:
        return chance.uniform(low, high, n)

    def scales(low: float, high: float) -> Real:
        return np.exp(chance.uniform(np.log(low), np.log(high), n)) * chance.choice([-1, 1], n)

    def mixed(*parts: Real) -> Real:
        return np.concatenate([part[: n // len(parts)] for part in parts])

    tiny = scales(1e-300, 1)
    known: dict[str, tuple[Real, ...]] = {
        "exp": (mixed(even(-707, 709.7), even(-1, 1), tiny),),
        "expm1": (mixed(even(-45, 709.7), even(-1, 1), even(-2.5, 2.5), tiny),),
        "exprel": (mixed(even(-45, 716.2), even(-1, 1), tiny),),
        "sinh": (mixed(even(-710.4, 710.4), even(-1, 1), even(-2.5, 2.5), tiny),),
        "cosh": (mixed(even(-710.4, 710.4), even(-1, 1), even(-2.5, 2.5)),),
        "tanh": (mixed(even(-23, 23), even(-1, 1), even(-2.5, 2.5), tiny),),
        "log": (mixed(abs(scales(1e-300, 1e300)), even(0.5, 2), 1 + scales(1e-15, 0.1)),),
        "log10": (mixed(abs(scales(1e-300, 1e300)), even(0.5, 2), 1 + scales(1e-15, 0.1)),),
        "log1p": (mixed(abs(scales(1e-300, 1e300)), even(-0.999, 2), scales(1e-300, 0.1), scales(1e-17, 0.1)),),
        "power": (
            mixed(abs(scales(1e-3, 1e3)), abs(scales(1e-300, 1e300)), 1 + scales(1e-12, 0.3), even(0.1, 3)),
            mixed(even(-100, 100), even(-1, 1), scales(1, 1000), even(-5, 5)),
        ),
        "arctan": (mixed(even(-10, 10), scales(1e-10, 1e20), even(-0.8, 0.8), tiny),),
        "arcsin": (mixed(even(-1, 1), even(-0.6, 0.6), tiny),),
        "arccos": (mixed(even(-1, 1), even(-0.6, 0.6), tiny, 1 - abs(scales(1e-16, 1))),),
    }
    near = np.round(scales(1, 1.3e8)) * (np.pi / 2)
    angles = mixed(even(-10, 10), scales(1, 2.1e8), even(-0.8, 0.8), tiny, near)
    return known.get(name, (angles,))
