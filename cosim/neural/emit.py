"""Program -> Brian2 objects, for all backends: the only place that makes them.

One NeuronGroup per model (its populations side by side) and one Synapses object per rule between two models: the number
of objects, which decides the cost of a step, does not grow with the number of populations and projections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from brian2 import Clock, Network, NeuronGroup, Synapses, prefs, second
from brian2.devices.device import RuntimeDevice, get_device
from numpy.typing import NDArray

import cosim.neural.quiet  # noqa: F401
from cosim.neural.arrays import Arrays, SynapsesArrays
from cosim.neural.draws import functions
from cosim.neural.languages import CODE_OBJECTS
from cosim.neural.program import GroupText, Program, SummedText, SynapsesText


@dataclass(frozen=True)
class Emitted:
    """The Brian2 objects: network, the one clock of all of them, groups by model name, synapses by their own name.

    `heard`: by name of a Synapses object whose spikes come from elsewhere, the group that stands for their sources.
    """

    network: Network
    clock: Clock
    groups: dict[str, NeuronGroup]
    synapses: dict[str, Synapses]
    heard: dict[str, NeuronGroup]


def emit(
    program: Program, sizes: Mapping[str, int] | Arrays, dt: float, heard: Mapping[str, int] | None = None
) -> Emitted:
    """The objects of a program, groups with `sizes[model]` neurons; without edges and values. `dt` is in seconds.

    `heard`: numbers of sources of the objects whose spikes come from elsewhere.
    """
    # a clock of its own: several networks may be open in one process
    clock = Clock(dt * second)
    extra = functions()
    # the C++ device has one class of its own
    target = {"codeobj_class": CODE_OBJECTS[prefs.codegen.target]} if isinstance(get_device(), RuntimeDevice) else {}
    if isinstance(sizes, Arrays):
        # Brian2 has no group of no neurons: one takes its place that never runs
        sizes = {model: max(group.n, 1) for model, group in sizes.groups.items()}
    groups = {}
    for text in program.groups:
        options = {"threshold": text.threshold, "reset": text.reset, "refractory": text.refractory}
        groups[text.model] = NeuronGroup(
            sizes[text.model], text.equations, method=text.method, name=text.name, namespace=dict(extra),
            dtype={"draw_key": np.int64} if text.draws else None, clock=clock, **target,
            **{key: value for key, value in options.items() if value is not None},
        )  # fmt: skip
    sources = {
        name: NeuronGroup(max(n, 1), "", threshold="False", name=f"h_{name}", clock=clock)
        for name, n in (heard or {}).items()
    }
    synapses = {}
    for one in program.joined:
        synapses[one.name] = Synapses(
            sources.get(one.name, groups[one.source]), groups[one.target], one.equations, name=one.name,
            namespace={}, clock=clock,
            **target, **_options(one),
        )  # fmt: skip
    network = Network(*groups.values(), *sources.values(), *synapses.values())
    return Emitted(network, clock, groups, synapses, sources)


def _options(text: SynapsesText | SummedText) -> dict[str, str]:
    if isinstance(text, SummedText):
        return {}
    options = {"on_pre": text.on_pre, "on_post": text.on_post, "method": text.method}
    return {key: value for key, value in options.items() if value is not None}


def fill(
    emitted: Emitted, program: Program, arrays: Arrays, dt: float, heard: Mapping[str, SynapsesArrays], lag: int
) -> None:
    """Give the objects of a runtime network their edges and values.

    `heard` are the edges of objects whose spikes come `lag` steps late: their delays are shorter by as much.
    """
    for text in program.groups:
        group = emitted.groups[text.model]
        _fill_group(group, text, arrays)
        group.variables["i"].get_value()[: arrays.groups[text.model].n] = arrays.groups[text.model].index
        group.active = arrays.groups[text.model].n > 0
    for one in program.joined:
        late = lag if one.name in heard else 0
        _fill_synapses(emitted.synapses[one.name], heard[one.name] if late else arrays.synapses(one), late, dt)


def _fill_group(group: NeuronGroup, text: GroupText, arrays: Arrays) -> None:
    for name, values in arrays.groups[text.model].values.items():
        array = group.variables[name].get_value()
        array[:] = values[: len(array)] if isinstance(values, np.ndarray) else values


def _fill_synapses(synapses: Synapses, arrays: SynapsesArrays, lag: int, dt: float) -> None:
    if not len(arrays):
        synapses.active = False
        return
    connect(synapses, arrays.pre, arrays.post)
    if hasattr(synapses, "pre") and "delay" in synapses.pre.variables:
        synapses.pre.variables["delay"].set_value((arrays.delay - lag) * dt)
    for name, values in arrays.values.items():
        synapses.variables[name].set_value(values)
    if "intact" in synapses.variables:
        synapses.variables["intact"].set_value(np.ones(len(arrays)))


def connect(synapses: Synapses, pre: NDArray[np.int32], post: NDArray[np.int32]) -> None:
    """Create the synapses with numpy code: it is run once, so compiling it would cost more than it saves."""
    usual = prefs.codegen.target, synapses.codeobj_class
    prefs.codegen.target, synapses.codeobj_class = "numpy", None
    try:
        synapses.connect(i=pre, j=post)
    finally:
        prefs.codegen.target, synapses.codeobj_class = usual
