"""The largest errors of the elementary functions at very many arguments, in units in the last place.

python -m tests.studies.exact_errors 100000        # two minutes
"""

from __future__ import annotations

import sys

from tests.exact.test_accuracy import FUNCTIONS_WITH_ERRORS, errors


def main(n: int) -> None:
    """Print a line per function."""
    for name in FUNCTIONS_WITH_ERRORS:
        found = errors(name, n, 1)
        print(f"{name:8s} {found.max():.3f} at {len(found)} arguments; not nearest: {(found > 0.5).mean():.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
