"""From a result to metrics: a registry of kinds of measurement.

A measurement is a function ``(result, options, transient) -> metrics``: floats or lists of floats by name, NaN where
the quantity does not exist in this run (no rhythm, no progress).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from cosim.analyse import gait, neural, signals
from cosim.analyse.facts import Anatomy, anatomy, axis_length, axis_segments, perturbation_onset
from cosim.analyse.options import (
    OPTIONS,
    LatencyOptions,
    LockingOptions,
    NeuronsOptions,
    RatesOptions,
    ResponseOptions,
    RhythmOptions,
    SwimOptions,
)
from cosim.analyse.oscillation import oscillation
from cosim.analyse.replay import replay
from cosim.analyse.walking import walk
from cosim.errors import Problem, UserError
from cosim.record.layout import PopulationLayout
from cosim.record.result import Result, Trace
from cosim.spec.common import Spec
from cosim.spec.units import suggest

Metrics = dict[str, float | list[float]]


def columns(trace: Trace, labels: list[str] | None) -> signals.Array:
    """The columns of a (time, label) series named by ``labels`` (all without); UserError for unknown ones."""
    known = [str(label) for label in trace.labels[0]]
    if labels is None:
        return trace.values.astype(np.float64)
    missing = [label for label in labels if label not in known]
    if missing:
        raise UserError(f"{trace.name} has no {', '.join(missing)}; it has {', '.join(known)}")
    return trace.values[:, [known.index(label) for label in labels]].astype(np.float64)


def swim(result: Result, options: SwimOptions, transient: float) -> Metrics:
    """frequency (Hz), wave_number (cycles), speed (body lengths/s), tail_beat (body lengths), joint_amplitude (deg, a
    list), cost_of_transport (J/(kg m)).

    The frequency is common to the joints, the wave number the lag of the last behind the first joint. See
    ``cosim.analyse.gait`` and ``signals`` for the definitions. Needs the sensors joint_angle and link_position, and for
    the cost of transport those of ``facts.joint_power``.
    """
    angles = result.trace("body/joint_angle").after(transient)
    joints = columns(angles, options.joints)
    f = signals.frequency(joints, angles.dt, options.band)
    metrics: Metrics = {
        "frequency": f,
        "wave_number": signals.total_lag(joints, angles.dt, f) if joints.shape[1] > 1 else float("nan"),
        "joint_amplitude": [float(a) for a in np.degrees(signals.amplitudes(joints, angles.dt, f))],
    }
    body = anatomy(result, transient, axis=options.axis, length=options.length, tip=options.tip)
    dt = body.dt
    metrics["speed"] = gait.forward_speed(body.com, body.head, body.tail, dt, f) / body.length
    metrics["tail_beat"] = gait.tail_beat(body.com, body.head, body.tail, body.tip, dt, f) / body.length
    metrics["cost_of_transport"] = _cost(body, f)
    return metrics


def _cost(body: Anatomy, f: float) -> float:
    if body.power is None or not np.isfinite(f):
        return float("nan")
    whole = signals.cycles(len(body.power), body.power_dt, f)
    if not whole:
        return float("nan")
    distance = gait.path_length(body.com, body.dt, f)
    return gait.cost_of_transport(body.power[: whole[-1].stop], body.power_dt, body.mass, distance)


def sides_of(population: PopulationLayout, wanted: tuple[str, str] | None) -> list[str]:
    """The sides of a population in the order in which they first appear; or the wanted ones, which must exist."""
    known = list(dict.fromkeys(population.side or ()))
    if wanted is None:
        return known[:2]
    missing = [side for side in wanted if side not in known]
    if missing:
        raise UserError(f"population {population.name} has no side {missing[0]}; it has {', '.join(known) or 'none'}")
    return list(wanted)


def channel_numbers(population: PopulationLayout, sides: list[str], bins: int, length: float) -> npt.NDArray[np.int64]:
    """The channel of every neuron: ``bins`` along the body for the first side, then for the second; -1 for other sides.

    Bins divide [0, length) equally. Populations without positions have one bin, those without sides one side.
    """
    segment = np.zeros(population.n, dtype=np.int64)
    y = population.positions.get("y")
    if y is not None and bins > 1:
        segment = np.clip(np.floor(y / length * bins + 1e-9).astype(np.int64), 0, bins - 1)
    if not sides:
        return segment
    side = np.array([sides.index(one) if one in sides else -1 for one in population.side or ()])
    return np.where(side < 0, -1, side * bins + segment)


def rhythm(result: Result, options: RhythmOptions, transient: float) -> Metrics:
    """neural_frequency (Hz; also as frequency unless the body's is measured), ptcc, left_right_phase (cycles within [0,
    1)) and neural_wave_number (cycles per body length, head to tail positive) of a population's smoothed rates.

    The wave number is the lag between the first and the last bin that hold neurons, mean of the sides, over the
    distance of the bins' centres in body lengths.
    """
    population = result.population(options.population)
    sides = sides_of(population, options.sides)
    length = options.length or axis_length(result, population)
    bins = (options.bins or axis_segments(result)) if "y" in population.positions else 1
    channel = channel_numbers(population, sides, bins, length)
    times, ids = result.spikes(options.population)
    rates = neural.population_rate(times, ids, channel, transient, result.duration, options.bin, options.smooth)
    width = max(len(sides), 1) * bins
    rates = np.pad(rates, ((0, 0), (0, width - rates.shape[1])))
    by_side = rates.reshape(len(rates), -1, bins)
    filled = np.unique(channel[channel >= 0] % bins)
    f = signals.frequency(by_side[:, :, filled].reshape(len(rates), -1), options.bin, options.band)
    metrics: Metrics = {
        "frequency": f,
        "neural_frequency": f,
        "ptcc": signals.ptcc(by_side[:, :, filled].reshape(len(rates), -1)),
    }
    metrics["left_right_phase"] = float("nan")
    if len(sides) == 2:
        crossed = by_side[:, :, filled].mean(axis=2) if len(filled) == 1 else by_side[:, :, filled]
        metrics["left_right_phase"] = _across(crossed, options.bin, f)
    metrics["neural_wave_number"] = float("nan")
    if len(filled) > 1:
        lags = [signals.total_lag(by_side[:, s, filled], options.bin, f) for s in range(by_side.shape[1])]
        metrics["neural_wave_number"] = float(np.mean(lags) * bins / (filled[-1] - filled[0]))
    return metrics


def _across(rates: signals.Array, dt: float, f: float) -> float:
    """Circular mean over the bins of the phase of the second side behind the first; rates (n, 2, bins) or (n, 2)."""
    rates = rates.reshape(len(rates), 2, -1)
    phases = np.array([signals.relative_phase(rates[:, 0, k], rates[:, 1, k], dt, f) for k in range(rates.shape[2])])
    phases = phases[np.isfinite(phases)]
    if not len(phases):
        return float("nan")
    return float(np.angle(np.exp(2j * np.pi * phases).mean()) / (2 * np.pi) % 1.0)


def rates(result: Result, options: RatesOptions, transient: float) -> Metrics:
    """rate_<population>, and rate_<name> of the neurons that have one: mean firing rate (Hz) after the transient.

    active_<population>: how many neurons spike after the transient.
    """
    names = options.populations
    if names is None:
        names = [name for name, one in result.populations.items() if one.spiking and name in result.spikes_of]
    metrics: Metrics = {}
    for name in names:
        times, ids = result.spikes(name)
        metrics[f"rate_{name}"] = neural.mean_rate(times, result.population(name).n, transient, result.duration)
        if options.active:
            metrics[f"active_{name}"] = float(len(np.unique(ids[times >= transient - 1e-9])))
    for name, wanted in options.of.items():
        times, ids = result.spikes(wanted.population)
        chosen = chosen_neurons(result.population(wanted.population), wanted)
        own = times[np.isin(ids, chosen)]
        metrics[f"rate_{name}"] = neural.mean_rate(own, len(chosen), transient, result.duration)
    return metrics


def chosen_neurons(population: PopulationLayout, wanted: NeuronsOptions) -> npt.NDArray[np.int64]:
    """The numbers of some neurons within their population; UserError for one that there is not."""
    if wanted.cells is not None:
        ids = [str(one) for one in wanted.cells]
        known = {cell: number for number, cell in enumerate(population.cell or ())}
        absent = [one for one in ids if one not in known]
        if absent:
            raise UserError(f"population {population.name} has no cell {absent[0]}{suggest(absent[0], known)}")
        return np.unique([known[one] for one in ids])
    assert wanted.neurons is not None
    wrong = [number for number in wanted.neurons if not 0 <= number < population.n]
    if wrong:
        raise UserError(f"population {population.name} has no neuron {wrong[0]}, expected 0 to {population.n - 1}")
    return np.unique(wanted.neurons)


def latency(result: Result, options: LatencyOptions, transient: float) -> Metrics:
    """latency (s), or with several channels latency_<channel>; the baseline begins at the transient.

    A reading of the body stands at the end of the tick in which it came about, so a deviation there counts from that
    tick's start.
    """
    onset = options.at if options.at is not None else perturbation_onset(result, str(options.perturbation))
    metrics: Metrics = {}
    for name in options.channel:
        trace = result.trace(name).after(transient)
        values = columns(trace, options.labels)
        key = "latency" if len(options.channel) == 1 else f"latency_{name.replace('/', '_')}"
        began = trace.time - trace.dt if name.startswith("body/") else trace.time
        metrics[key] = neural.latency(began, values, onset, options.threshold, options.sds)
    return metrics


def locking(result: Result, options: LockingOptions, transient: float) -> Metrics:
    """locked (1 or 0), locking_resultant, locking_drift (Hz, trunk minus tail), locking_phase (cycles, tail behind
    trunk)."""
    trace = result.trace(options.channel).after(transient)
    pair = columns(trace, [options.trunk, options.tail])
    f = signals.frequency(pair, trace.dt, options.band)
    found = signals.locking(pair[:, 0], pair[:, 1], trace.dt, f, options.resultant, options.slip)
    return {
        "locked": float(found.locked),
        "locking_resultant": found.resultant,
        "locking_drift": found.drift,
        "locking_phase": found.phase,
    }


def response(result: Result, options: ResponseOptions, transient: float) -> Metrics:
    """amplitude_<name> (SI unit of the variable) and latency_<name> (s); see ResponseOptions."""
    metrics: Metrics = {}
    for name, wanted in options.of.items():
        trace = result.trace(f"state/{wanted.population}/{options.variable}").after(transient)
        chosen = chosen_neurons(result.population(wanted.population), wanted)
        values = columns(trace, [str(number) for number in chosen]).mean(axis=1)
        end = np.inf if options.window is None else options.at + options.window
        amplitude, latency = neural.response(trace.time, values, options.at, end)
        metrics[f"amplitude_{name}"], metrics[f"latency_{name}"] = amplitude, latency
    return metrics


MEASURES: dict[str, Callable[[Result, Any, float], Metrics]] = {
    "swim": swim,
    "rhythm": rhythm,
    "rates": rates,
    "latency": latency,
    "locking": locking,
    "response": response,
    "oscillation": oscillation,
    "walk": walk,
    "replay": replay,
}


def options_of(kind: str, raw: Spec | Mapping[str, Any] | None) -> Spec:
    """The validated options of a kind; UserError for an unknown kind or a wrong option.

    A number with a unit is text as in a document ("20 ms"), or a float in SI units (as a manifest holds it).
    """
    if kind not in OPTIONS:
        raise UserError(f"no measurement {kind}; there are {', '.join(OPTIONS)}")
    if isinstance(raw, Spec):
        return raw
    try:
        return OPTIONS[kind].model_validate(dict(raw or {}), context={"si": True})
    except ValidationError as error:
        raise UserError(
            [
                Problem(
                    "",
                    0,
                    0,
                    ".".join(("measure", kind, *map(str, one["loc"]))),
                    one["msg"].removeprefix("Value error, "),
                )
                for one in error.errors()
            ]
        ) from error


def measure(result: Result, kinds: Mapping[str, Any], transient: float = 0.0) -> Metrics:
    """All metrics asked for: kind -> options (a mapping, an options object, or None for the defaults).

    Kinds are measured in the order of ``MEASURES``; where two give a metric of the same name, the first one's counts
    (the frequency of the body before that of the network). Raises UserError if something needed was not recorded.
    """
    chosen = {kind: options_of(kind, raw) for kind, raw in kinds.items()}
    if chosen and not transient < result.duration:
        raise UserError(
            f"{result.path}: nothing to measure: {result.duration:g} s were recorded, the transient is {transient:g} s"
        )
    metrics: Metrics = {}
    for kind, function in MEASURES.items():
        if kind in chosen:
            for name, value in function(result, chosen[kind], transient).items():
                metrics.setdefault(name, value)
    return metrics
