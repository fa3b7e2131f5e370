"""The reader of a result directory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cosim.errors import UserError
from cosim.record.layout import LABELS, PopulationLayout
from cosim.record.manifest import STORE, read_manifest, update_manifest

if TYPE_CHECKING:
    import xarray
    import zarr


@dataclass(frozen=True)
class Trace:
    """A recorded series: ``time`` (n,) in seconds, ``values`` (n, ...) and the labels of each dimension after time."""

    name: str
    time: npt.NDArray[np.float64]
    values: npt.NDArray[Any]
    dims: tuple[str, ...]
    labels: tuple[tuple[Any, ...], ...]
    unit: str

    @property
    def dt(self) -> float:
        """Sampling interval in seconds; NaN with fewer than two samples."""
        if len(self.time) < 2:
            return float("nan")
        return float(self.time[-1] - self.time[0]) / (len(self.time) - 1)

    def after(self, start: float) -> Trace:
        """The part at and after ``start`` seconds; half a sample of slack against rounding."""
        if len(self.time) < 2:
            return self
        kept = self.time >= start - 0.5 * self.dt
        return Trace(self.name, self.time[kept], self.values[kept], self.dims, self.labels, self.unit)


class Result:
    """A result directory: ``manifest``, ``metrics``, spikes and traces.

    A run that was killed, failed or still goes on can be read up to its last flush; ``complete`` tells. Raises
    UserError if ``path`` is not a result.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.manifest = read_manifest(self.path)
        # a run is recorded without it, and starts a fifth of a second earlier
        import zarr
        from zarr.errors import GroupNotFoundError

        try:
            self._root = zarr.open_group(self.path / STORE, mode="r", zarr_format=3)
        except (GroupNotFoundError, FileNotFoundError, ValueError) as error:
            raise UserError(f"{self.path}: the result has no readable {STORE}") from error
        attributes = dict(self._root.attrs)
        if "tick" not in attributes or "network_dt" not in attributes:
            raise UserError(f"{self.path / STORE}: not written by cosim (no tick in its attributes)")
        #: length of a tick and of a step of the network, in seconds
        self.tick = float(attributes["tick"])  # type: ignore[arg-type]
        self.network_dt = float(attributes["network_dt"])  # type: ignore[arg-type]
        rows: Any = attributes.get("rows", {})
        #: rows of every array that belong together: those of the last whole flush
        self._rows: dict[str, int] = {str(name): int(n) for name, n in rows.items()}
        stored: Any = attributes.get("spikes_of", [])
        #: names of the populations whose spikes were stored
        self.spikes_of: list[str] = [str(name) for name in stored]
        end: Any = attributes.get("end_tick", 0)
        self.end_tick = int(end)

    def __repr__(self) -> str:
        return f"Result({str(self.path)!r}, {self.status}, {self.duration:g} s)"

    @property
    def status(self) -> str:
        """complete, failed, interrupted, or running (also of a run that was killed)."""
        return str(self.manifest.get("status", "running"))

    @property
    def complete(self) -> bool:
        return self.status == "complete"

    @property
    def duration(self) -> float:
        """Biological time in the store, in seconds."""
        return self.end_tick * self.tick

    @property
    def metrics(self) -> dict[str, Any]:
        """Metrics that were measured at the end of the run (empty if none); NaN where one does not exist."""
        stored: dict[str, Any] = self.manifest.get("metrics") or {}
        return {name: _number(value) for name, value in stored.items()}

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """Write metrics into the manifest, in place of the earlier ones."""
        self.manifest = update_manifest(self.path, metrics=metrics)

    @cached_property
    def populations(self) -> dict[str, PopulationLayout]:
        """The populations by name, in order of their global neuron numbers."""
        if "network" not in self._root:
            return {}
        network = self._root["network"]
        table: Any = network.attrs.get("populations", [])
        found: dict[str, PopulationLayout] = {}
        for row in table:
            columns = {key: np.asarray(array[:]) for key, array in self._group(f"network/{row['name']}").arrays()}
            side, cell = (
                None if labels is None else tuple(str(label) for label in labels)
                for labels in (columns.pop(key, None) for key in LABELS)
            )
            found[row["name"]] = PopulationLayout(
                row["name"], row["first"], row["n"], side, columns, row["spiking"], cell
            )
        return found

    def population(self, name: str) -> PopulationLayout:
        """The population ``name``; UserError with the known names if there is none."""
        populations = self.populations
        if name not in populations:
            raise UserError(f"{self.path}: no population {name}; there are {', '.join(populations) or 'none'}")
        return populations[name]

    def spikes(self, population: str | None = None) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Times (s) and neuron numbers of the spikes: numbers within ``population``, or global without one."""
        steps, ids = self._all_spikes()
        if population is not None:
            one = self.population(population)
            if population not in self.spikes_of:
                known = ", ".join(self.spikes_of) or "none"
                raise UserError(f"{self.path}: the spikes of {population} were not recorded; there are {known}")
            mine = (ids >= one.first) & (ids < one.first + one.n)
            steps, ids = steps[mine], ids[mine] - one.first
        times: npt.NDArray[np.float64] = np.multiply(steps, self.network_dt)
        return times, ids

    def _all_spikes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Network steps and global numbers of all spikes that were stored."""
        if "spikes/step" not in self._root:
            raise UserError(f"{self.path}: no spikes were recorded")
        return self._read("spikes/step"), self._read("spikes/id").astype(np.int64)

    @cached_property
    def series(self) -> list[str]:
        """Names of the recorded series, such as body/joint_angle."""
        return [name for name in self._rows if not self._is_coordinate(name) and not name.startswith("spikes/")]

    def trace(self, name: str) -> Trace:
        """The series ``name``; UserError with the recorded names if there is none."""
        if name not in self.series:
            raise UserError(f"{self.path}: {name} was not recorded; there are {', '.join(self.series) or 'no series'}")
        array = self._array(name)
        group = name.rpartition("/")[0]
        dims = self._dims(array)
        time = self._read(f"{group}/{dims[0]}")
        values = self._read(name)
        n = min(len(time), len(values))
        labels = tuple(tuple(np.asarray(self._array(f"{group}/{dim}")[:]).tolist()) for dim in dims[1:])
        return Trace(name, time[:n], values[:n], dims, labels, str(array.attrs.get("units", "")))

    def state(self, population: str, variable: str) -> Trace:
        """The recorded state variable of a population, (time, neuron)."""
        return self.trace(f"state/{population}/{variable}")

    def wire(self, name: str, side: str = "delivered") -> Trace:
        """What wire ``name`` "sent" (before its delay) or "delivered" (after it), (time, channel)."""
        return self.trace(f"wires/{name}/{side}")

    @property
    def body(self) -> xarray.Dataset:
        """The readings of the body as an xarray Dataset."""
        return self.to_xarray("body")

    def to_xarray(self, group: str = "body") -> xarray.Dataset:
        """A group ("body", "state/MC", "wires/motor", "spikes") as an xarray Dataset, up to the last whole flush.

        Raises UserError where xarray is not installed or the group was not recorded.
        """
        from cosim.record.views import dataset

        return dataset(self, group)

    def report(self, path: Path | str | None = None) -> Path:
        """Write the report with its pictures (into the result directory if ``path`` is not given); returns the page."""
        from cosim.analyse.report import report

        return report([self.path], None if path is None else Path(path))

    def _group(self, name: str) -> zarr.Group:
        import zarr

        found = self._root.get(name)
        if not isinstance(found, zarr.Group):
            raise UserError(f"{self.path}: nothing was recorded in {name}")
        return found

    def _array(self, name: str) -> zarr.Array[Any]:
        import zarr

        found = self._root[name]
        if not isinstance(found, zarr.Array):
            raise UserError(f"{self.path}: {name} is a group, not a series")
        return found

    def _dims(self, array: zarr.Array[Any]) -> tuple[str, ...]:
        return tuple(str(dim) for dim in array.metadata.dimension_names)  # type: ignore[union-attr]

    def _is_coordinate(self, name: str) -> bool:
        return self._dims(self._array(name)) == (name.rpartition("/")[2],)

    def _read(self, name: str) -> npt.NDArray[Any]:
        array = self._array(name)
        return np.asarray(array[: self._rows.get(name, array.shape[0])])


def _number(value: Any) -> Any:
    """JSON has no NaN: null in the manifest."""
    if isinstance(value, list):
        return [_number(item) for item in value]
    return float("nan") if value is None else value
