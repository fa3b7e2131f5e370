"""What each kind of measurement gives, and what has to be recorded for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cosim.analyse.options import (
    LatencyOptions,
    LockingOptions,
    MeasureSpec,
    OscillationOptions,
    RatesOptions,
    ReplayOptions,
    ResponseOptions,
    RhythmOptions,
    WalkOptions,
)
from cosim.spec.common import Spec
from cosim.spec.units import suggest

if TYPE_CHECKING:
    from cosim.graph.ir import NetworkIR
    from cosim.spec.experiment import ExperimentSpec, RecordSpec

_COST = "cost_of_transport"
_SWIM = ("frequency", "wave_number", "joint_amplitude", "speed", "tail_beat", _COST)
_RHYTHM = ("frequency", "neural_frequency", "ptcc", "left_right_phase", "neural_wave_number")
_OSCILLATION = ("oscillation_frequency", "oscillation_sd", "oscillating")
_WALK = ("step_frequency", "tripod_order", "walking_speed", "walking_distance", "turning", "fallen")
_LOCKING = ("locked", "locking_resultant", "locking_drift", "locking_phase")
_REPLAY = (
    "tracking_rmse_mean", "tracking_rmse_worst", "vertical_force_over_weight", "ground_speed", "torque_rms",
    "positive_power",
)  # fmt: skip
_CONTACTS = (
    "contact_balanced_accuracy", "contact_r", "contact_balanced_accuracy_shifted", "contact_r_shifted",
)  # fmt: skip
_REPLAYED = (
    "joint_angle", "contact_force", "foot_force", "com_position", "ball_angle", "ball_velocity", "joint_torque",
    "joint_power",
)  # fmt: skip
#: what `facts.anatomy` reads where it was recorded
_ANATOMY = ("joint_angle", "link_position", "com_position", "site_position")
_POWER = ("joint_torque", "joint_velocity")


def spiking(spec: ExperimentSpec, network: NetworkIR | None) -> list[str]:
    """The populations whose spikes an experiment records."""
    if network is None or spec.record.spikes == "none":
        return []
    wanted = network.populations if spec.record.spikes == "all" else spec.record.spikes
    return [
        name
        for name, one in network.populations.items()
        if name in wanted and network.models[one.model].threshold is not None
    ]


def names(kind: str, options: Spec, recorded: Sequence[str]) -> list[str]:
    """The metrics that a kind of measurement gives; `recorded` are the populations whose spikes are."""
    if isinstance(options, RatesOptions):
        kinds = ("rate", "active") if options.active else ("rate",)
        found = [f"{one}_{name}" for name in _populations(options, recorded) for one in kinds]
        return [*found, *(f"rate_{name}" for name in options.of)]
    if isinstance(options, LatencyOptions):
        several = len(options.channel) > 1
        return [f"latency_{one.replace('/', '_')}" for one in options.channel] if several else ["latency"]
    if isinstance(options, ResponseOptions):
        return [f"{one}_{name}" for name in options.of for one in ("amplitude", "latency")]
    if isinstance(options, WalkOptions):
        return [*_WALK, *(["speed_after_push"] if options.push is not None else [])]
    if isinstance(options, ReplayOptions):
        return [*_REPLAY, *(_CONTACTS if options.contacts is not None else ())]
    return list({"swim": _SWIM, "rhythm": _RHYTHM, "locking": _LOCKING, "oscillation": _OSCILLATION}[kind])


def _populations(options: RatesOptions, recorded: Sequence[str]) -> Sequence[str]:
    return recorded if options.populations is None else options.populations


def owners(chosen: Mapping[str, Spec], recorded: Sequence[str]) -> dict[str, str]:
    """Every metric that an experiment measures, and the kind of measurement that it comes from."""
    found: dict[str, str] = {}
    for kind, options in chosen.items():  # in the order in which they are taken: the first one counts
        for name in names(kind, options, recorded):
            found.setdefault(name, kind)
    return found


def unknown(spec: ExperimentSpec, network: NetworkIR | None, wanted: Sequence[str]) -> list[tuple[int, str]]:
    """Which of the metrics `wanted` an experiment does not measure: their numbers, and what to say."""
    known = owners(spec.measure.chosen(), spiking(spec, network))
    listed = f", it measures {', '.join(known)}" if known else ", it measures nothing"
    return [
        (i, f"the experiment does not measure '{name}'{suggest(name, known) or listed}")
        for i, name in enumerate(wanted)
        if name not in known
    ]


def reduced(
    spec: ExperimentSpec, network: NetworkIR | None, sensors: Collection[str], wanted: Collection[str]
) -> ExperimentSpec:
    """The experiment that measures and records no more than the metrics `wanted` need; `sensors` are the body's."""
    recorded = spiking(spec, network)
    chosen = spec.measure.chosen()
    needed = {kind for name, kind in owners(chosen, recorded).items() if name in wanted}
    kinds = [kind for kind in chosen if kind in needed]
    spikes: set[str] = set()
    series: set[str] = set()
    kept: dict[str, Any] = {kind: chosen[kind] for kind in kinds}
    for kind in kinds:
        options = chosen[kind]
        if isinstance(options, RhythmOptions):
            spikes.add(options.population)
        elif isinstance(options, RatesOptions):
            kept[kind] = rates = _rates(options, recorded, wanted)
            spikes |= {*(rates.populations or ()), *(one.population for one in rates.of.values())}
        elif isinstance(options, LatencyOptions):
            series |= set(options.channel)
        elif isinstance(options, LockingOptions):
            series.add(options.channel)
        elif isinstance(options, OscillationOptions):
            series.add(options.series)
        elif isinstance(options, ReplayOptions):
            series |= {f"body/{sensor}" for sensor in _REPLAYED}
        elif isinstance(options, ResponseOptions | WalkOptions):
            series |= options.series
        else:
            series |= {f"body/{sensor}" for sensor in (*_ANATOMY, *(_POWER if _COST in wanted else ()))}
    record = _record(spec, sensors, [name for name in recorded if name in spikes], series)
    return spec.model_copy(update={"measure": MeasureSpec.model_construct(**kept), "record": record})


def _rates(options: RatesOptions, recorded: Sequence[str], wanted: Collection[str]) -> RatesOptions:
    there = _populations(options, recorded)
    return options.model_copy(
        update={
            "populations": [name for name in there if {f"rate_{name}", f"active_{name}"} & set(wanted)],
            "of": {name: one for name, one in options.of.items() if f"rate_{name}" in wanted},
            "active": options.active and any(f"active_{name}" in wanted for name in there),
        }
    )


def _record(spec: ExperimentSpec, sensors: Collection[str], spikes: list[str], series: set[str]) -> RecordSpec:
    """What is recorded, without all that is neither among `spikes` nor among `series`."""
    record = spec.record
    there = sensors if record.body.sensors == "all" else record.body.sensors
    state = {
        population: {variable: one for variable, one in found.items() if f"state/{population}/{variable}" in series}
        for population, found in record.state.items()
    }
    return record.model_copy(
        update={
            "spikes": spikes or "none",
            "state": {population: found for population, found in state.items() if found},
            "body": record.body.model_copy(update={"sensors": [name for name in there if f"body/{name}" in series]}),
            "wires": record.wires and any(name.startswith("wires/") for name in series),
        }
    )
