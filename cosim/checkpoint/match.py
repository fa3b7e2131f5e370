"""Whether a checkpoint is one of this run, made by this software."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cosim.errors import UserError

#: a difference in one of these may be one in the bits
PACKAGES = ("cosim", "brian2", "pybullet", "numpy")


def check(path: object, saved: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare what a checkpoint says of its run with what the run is now: both have `content_hash`, `connectomes`,
    `seed` and `versions`. (All backends give the same bits.) Raises UserError with every reason against going on.
    """
    reasons = []
    if saved["content_hash"] != now["content_hash"]:
        reasons.append(
            f"its documents are not those of the run (content hash {saved['content_hash'][:12]} in the checkpoint, "
            f"{now['content_hash'][:12]} now)"
        )
    reasons += [
        f"the data of {name} are not those of the run"
        for name, files in now["connectomes"].items()
        if files != saved["connectomes"].get(name)
    ]
    if saved["seed"] != now["seed"]:
        reasons.append(f"its seed is {saved['seed']}, that of the run {now['seed']}")
    for name in PACKAGES:
        old, new = saved["versions"].get(name), now["versions"].get(name)
        if old != new:
            reasons.append(f"it was made with {name} {old or '(none)'}, here is {new or 'none'}")
    if reasons:
        raise UserError(f"{path} cannot be resumed here: {'; '.join(reasons)}")
