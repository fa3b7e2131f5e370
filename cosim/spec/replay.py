"""The section `replay:` of an experiment: what `cosim replay` does beside the run itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo

from cosim.spec.common import NonEmpty, Spec
from cosim.spec.units import Force, Time


def located(raw: Any, info: ValidationInfo) -> Any:
    """A file name as an absolute path: it starts from the document's folder (none in a manifest, where it is one)."""
    folder = (info.context or {}).get("directory")
    return str(Path(folder) / Path(raw).expanduser()) if folder is not None and isinstance(raw, str) else raw


DataFile = Annotated[str, BeforeValidator(located)]
Values = Annotated[list[Any], NonEmpty]


class FitSpec(Spec):
    """What may be fitted to the record of contacts before `until`, to be scored after it.

    ``vary`` maps paths of the experiment or its body to values, all combinations of which are run; for each, all
    `thresholds` are tried. The best has the largest sum of balanced accuracy and r.
    """

    until: Time
    vary: dict[str, Values] = Field(default_factory=dict)
    thresholds: Annotated[list[Force], NonEmpty] = Field(default_factory=lambda: [3e-7])


class KeypointsSpec(Spec):
    """Measured points of the legs: ``file`` is an npz archive with `points` (frames, legs, points, 3) in um in a frame
    fixed to the trunk, `legs`, and `time` (s) of the frames. ``points`` are the links or sites of the body on which
    they lie, from the trunk outwards, with ``{leg}`` for the leg."""

    file: DataFile
    points: Annotated[list[str], NonEmpty]


class ReplaySpec(Spec):
    """``vary`` maps paths of the experiment or its body to values, one of which is changed at a time: how far torques
    and forces go apart is drawn as a band, the uncertainty that these values leave. ``fit`` is for `--fit`.

    To compare with: ``speeds``, a CSV file ``fly,mean [mm/s],sd [mm/s]``; ``records``, CSV files of contacts of other
    animals; ``keypoints``.
    """

    vary: dict[str, Values] = Field(default_factory=dict)
    fit: FitSpec | None = None
    speeds: DataFile | None = None
    records: list[DataFile] = Field(default_factory=list)
    keypoints: KeypointsSpec | None = None
