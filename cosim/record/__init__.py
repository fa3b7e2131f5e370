"""Recording a run and reading it back: zarr store, manifest, hashes."""

from cosim.record.layout import (
    Axis,
    PopulationLayout,
    RecordLayout,
    SeriesLayout,
    body_series,
    command_series,
    state_series,
    wire_series,
)
from cosim.record.manifest import prepare_directory, read_manifest, update_manifest
from cosim.record.recorder import Recorder, verify
from cosim.record.result import Result, Trace
from cosim.record.series import Series

__all__ = [
    "Axis",
    "PopulationLayout",
    "RecordLayout",
    "Recorder",
    "Result",
    "Series",
    "SeriesLayout",
    "Trace",
    "body_series",
    "command_series",
    "prepare_directory",
    "read_manifest",
    "state_series",
    "update_manifest",
    "verify",
    "wire_series",
]
