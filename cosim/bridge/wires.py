"""The two kinds of wire: sensory (body to network) and motor (network to body), each with a delay per channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import BodyLike, Port
from cosim.bridge.channels import Groups, Spread, groups, spread
from cosim.bridge.clock import Clock
from cosim.bridge.decode import Activation, ExponentialFilter, RateWindow, counted
from cosim.bridge.delay import DelayLine
from cosim.bridge.encode import Crossing, preferred
from cosim.bridge.formula import Formula
from cosim.bridge.inputs import Inputs, Slot, Source
from cosim.bridge.outgoing import Outgoing
from cosim.graph.connect import neuron_scope
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import select
from cosim.neural.backend import NeuralBackend
from cosim.spec.common import Located
from cosim.spec.experiment import Labels, Select, WireSpec
from cosim.spec.units import Dim, Scope, UnitError, Value, parse, suggest
from cosim.tape import Tape

F64 = NDArray[np.float64]
HERTZ: Dim = (0, 0, -1, 0, 0, 0, 0)


def port_channels(
    ports: dict[str, Port], wanted: dict[str, Labels], key: str
) -> tuple[Port, NDArray[np.int64], tuple[str, ...]]:
    """The port, the flat indices and the names of the channels that a wire reads or writes.

    A label stands for all its components, or with ``.x``, ``.y``, ``.z`` or ``.w`` for one.

    Raises Located (paths under `key`) for a port or label that the body does not have.
    """
    (name, labels), *_ = wanted.items()
    if name not in ports:
        raise Located(
            [
                (
                    (key, name),
                    f"the body has no {'sensor' if key == 'read' else 'actuator'} '{name}'{suggest(name, ports)}",
                )
            ]
        )
    port = ports[name]
    chosen = list(port.labels) if labels == "all" else list(labels)
    components = "xyzw"[: port.width] if port.width > 1 else ""
    known = [*port.labels, *(f"{label}.{c}" for label in port.labels for c in components)]
    problems: list[tuple[tuple[str | int, ...], str]] = [
        ((key, name, i), f"{name} has no '{label}'{suggest(label, known)}")
        for i, label in enumerate(chosen)
        if label not in known
    ]
    if problems:
        raise Located(problems)
    if not chosen:
        raise Located([((key, name), f"the body has no {name} at all")])
    flat: list[int] = []
    channels: list[str] = []
    for label in chosen:
        own, _, component = label.partition(".")
        first = port.labels.index(own) * port.width
        if not components:
            flat.append(first)
            channels.append(label)
            continue
        for c in component or components:
            flat.append(first + components.index(c))
            channels.append(f"{own}.{c}")
    return port, np.array(flat), tuple(channels)


def delays(spec: WireSpec, n: int, clock: Clock) -> list[int]:
    """The delay of every channel in ticks. Raises Located."""
    given = spec.delay if len(spec.delay) > 1 else spec.delay * n
    if len(given) != n:
        raise Located([(("delay",), f"{len(given)} delays for {n} channels")])
    try:
        return [clock.ticks(seconds, "the delay of") for seconds in given]
    except UnitError as error:
        raise Located([(("delay",), str(error))]) from None


def wire_parameters(spec: WireSpec, n: int, scope: Scope) -> dict[str, Value]:
    """The wire's own parameters, one value a channel: shape (n,). Raises Located."""
    found: dict[str, Value] = {}
    for name, expressions in spec.parameters.items():
        if len(expressions) not in (1, n) and n % len(expressions):
            raise Located([(("parameters", name), f"{len(expressions)} values for {n} channels")])
        try:
            values = [e.evaluate(scope) for e in expressions]
        except UnitError as error:
            raise Located([(("parameters", name), str(error))]) from None
        dims = {v.dim for v in values}
        if len(dims) != 1:
            raise Located([(("parameters", name), "the values have different units")])
        # fewer values than channels repeat: one list of joints serves both sides
        found[name] = Value(np.tile([float(v.value) for v in values], n // len(values)), dims.pop())
    return found


def unit_dim(unit: str) -> Dim:
    """The dimension of a port's unit text."""
    return parse(unit or "1").evaluate().dim


class SensoryWire:
    """Readings, delayed, turned into input of the selected neurons."""

    def __init__(
        self, name: str, spec: WireSpec, network: NetworkIR, inputs: Inputs, body: BodyLike, clock: Clock, scope: Scope
    ) -> None:
        assert spec.read is not None and spec.encode is not None and spec.to is not None
        self.name = name
        port, self._index, self.channels = port_channels(body.sensors, spec.read, "read")
        self.sensor, self.unit = port.name, port.unit
        self._dim = unit_dim(port.unit)
        self._reading = body.readings[port.name].reshape(-1)
        self.sent = self._reading[self._index].copy()
        self._initial = self.sent.copy()
        self._line = DelayLine(delays(spec, len(self.channels), clock), self._initial)
        self.delivered = self._initial.copy()
        self._open = np.ones(1)
        self._crossings: list[tuple[Crossing, Slot, NDArray[np.int64]]] = []
        parameters = wire_parameters(spec, len(self.channels), scope)
        try:
            chosen = select(network, spec.to)
        except UnitError as error:
            raise Located([(("to",), str(error))]) from None
        for population, ids in chosen.items():
            self._connect(spec, network, inputs, population, ids, parameters, scope)

    def _connect(
        self, spec: WireSpec, network: NetworkIR, inputs: Inputs, population: str, ids: NDArray[np.int64],
        parameters: dict[str, Value], scope: Scope,
    ) -> None:  # fmt: skip
        found = network.populations[population]
        try:
            at = spread(found, ids, len(self.channels), spec.interpolate)
        except UnitError as error:
            raise Located([(("to",), str(error))]) from None
        here = {**scope, **neuron_scope(found, ids)}
        here |= {key: Value(at(np.asarray(v.value)), v.dim) for key, v in parameters.items()}
        here["x_0"] = Value(at(self._initial), self._dim)
        here["x"] = here["x_0"]
        encode = spec.encode
        assert encode is not None
        kind = next(k for k in ("current", "poisson", "spikes", "tuning") if getattr(encode, k) is not None)
        variable = spec.variable or {"current": "I_ext", "spikes": "fire"}.get(kind, "rate")
        try:
            dim = inputs.dimension(population, variable)
        except UnitError as error:
            raise Located([(("variable",) if spec.variable else ("to",), str(error))]) from None
        try:
            if kind == "spikes":
                assert encode.spikes is not None
                crossing = Crossing(encode.spikes.threshold, here, at, self._initial, self._dim)
                self._crossings.append((crossing, inputs.slot(population, variable), ids.astype(np.int64)))
                return
            expression = encode.current or encode.poisson
            function: Callable[[Tape, F64], F64]
            if encode.tuning is not None:
                function = preferred(encode.tuning, found, ids, here, self._dim)
            else:
                assert expression is not None
                function = Formula(expression, here, ("x",), dim).on
        except UnitError as error:
            raise Located([(("encode", kind), str(error))]) from None
        inputs.add(population, variable, ids, self._source(function, at))

    def _source(self, function: Callable[[Tape, F64], F64], at: Spread) -> Source:
        return lambda tape: tape.gate(function(tape, at.on(tape, self.delivered)), self._open)

    @property
    def cut(self) -> bool:
        """Whether the nerve is cut: nothing arrives."""
        return not self._open[0]

    @cut.setter
    def cut(self, cut: bool) -> None:
        self._open[0] = not cut

    def memory(self) -> dict[str, F64]:
        """What the wire holds from tick to tick: the arrays themselves."""
        found = {"sent": self.sent, "delivered": self.delivered, **self._line.memory()}
        return found | {f"before/{i}": crossing.before for i, (crossing, _, _) in enumerate(self._crossings)}

    def push(self, tape: Tape) -> None:
        """Take a tick's readings and what is due from the delay line."""
        tape.take(self._reading, self._index, self.sent)
        self._line.store(tape, self.sent)
        self._line.take(tape, self.delivered)

    def fire(self, tape: Tape) -> None:
        """Set the spikes of spike encoders (currents and rates go through Inputs)."""
        for crossing, slot, ids in self._crossings:
            now = tape.gate(crossing.on(tape, self.delivered), self._open)
            with tape.written(slot.view) as view:
                tape.mark(now, ids, view)


class MotorWire(Outgoing):
    """Spikes or a state variable, decoded, delayed, written to the body's commands."""

    def __init__(
        self,
        name: str,
        spec: WireSpec,
        network: NetworkIR,
        backend: NeuralBackend,
        body: BodyLike,
        clock: Clock,
        scope: Scope,
    ) -> None:
        super().__init__(name)
        assert spec.write is not None and spec.decode is not None and spec.source is not None
        port, self._index, self.channels = port_channels(body.actuators, spec.write, "write")
        self.actuator, self.unit = port.name, port.unit
        self._dim = unit_dim(port.unit)
        self._command = body.commands[port.name].reshape(-1)
        n = len(self.channels)
        population, ids, self._groups = _groups(spec.source, network, n)
        self._first = network.populations[population].first
        self.population = population
        self._soft_start = round(spec.soft_start / clock.tick) if spec.soft_start else 0
        parameters = {**scope, **wire_parameters(spec, n, scope)}
        self._decode, dim = self._decoder(spec, backend, network, population, clock, parameters)
        self._activation = None
        if spec.decode.dynamics is not None:
            dynamics = spec.decode.dynamics
            self._activation = Activation(dynamics.tau_act, dynamics.tau_deact, clock.tick, n)
        self._map = self._mapping(spec, dim, parameters, n)
        self._limits = None
        if spec.clip is not None:
            self._limits = [float(e.evaluate(scope).value) for e in spec.clip]
        self.sent = np.empty(n)
        start = Tape()
        self._send(start, np.zeros(n))
        start.play(0)
        self.delivered = self.sent.copy()
        self._line = DelayLine(delays(spec, n, clock), self.sent)
        self._command[self._index] = self.sent

    def _send(self, tape: Tape, x: F64) -> None:
        """Map what was decoded, clip it, and put it into `sent`."""
        values = self._map(tape, x)
        if self._limits is None:
            tape.compute("copy", values, out=self.sent)
        else:
            tape.compute("clip", values, *self._limits, out=self.sent)

    def _decoder(
        self, spec: WireSpec, backend: NeuralBackend, network: NetworkIR, population: str, clock: Clock, scope: Scope
    ) -> tuple[Callable[[Tape], F64], Dim]:
        decode = spec.decode
        assert decode is not None
        g: Groups = self._groups
        n = len(g.sizes)
        if decode.state is not None:
            from cosim.neural.equations import variable_units

            units = variable_units(network.models[network.populations[population].model])
            if decode.state not in units:
                message = f"population '{population}' has no variable '{decode.state}'{suggest(decode.state, units)}"
                raise Located([(("decode", "state"), message)])
            values = backend.watch(population, decode.state)
            alive = np.ones(len(values))
            self._alive = alive
            members = np.flatnonzero(g.channel_of >= 0)
            channel = g.channel_of[members]

            def state(tape: Tape) -> F64:
                mine = tape.take(tape.read(values), members), tape.take(alive, members)
                return tape.compute("div", tape.sum_at(tape.compute("mul", *mine), channel, n), g.sizes)

            if (g.sizes == 1).all():
                single = members[np.argsort(channel)]

                def state(tape: Tape) -> F64:
                    mine = tape.take(tape.read(values), single), tape.take(alive, single)
                    return tape.compute("mul", *mine)

            return state, units[decode.state]
        rate = decode.rate or decode.filter
        assert rate is not None
        kind = "rate" if decode.rate is not None else "filter"
        if network.models[network.populations[population].model].threshold is None:
            raise Located([(("decode", kind), f"population '{population}' does not spike; use `state`")])
        try:
            gain = rate.gain.evaluate(scope)
            values_of_gain = np.broadcast_to(np.asarray(gain.value, dtype=np.float64), (n,)).copy()
        except UnitError as error:
            raise Located([(("decode", kind, "gain"), str(error))]) from None
        dim: Dim = tuple(a + b for a, b in zip(gain.dim, HERTZ, strict=True))
        decoder: RateWindow | ExponentialFilter
        if decode.rate is not None:
            try:
                window = clock.ticks(decode.rate.window, "the window of")
            except UnitError as error:
                raise Located([(("decode", "rate", "window"), str(error))]) from None
            decoder = RateWindow(max(window, 1), clock.tick, g.sizes, values_of_gain)
        else:
            assert decode.filter is not None
            decoder = ExponentialFilter(decode.filter.tau, clock.tick, g.sizes, values_of_gain)
        self._filter = decoder
        return (lambda tape: decoder.on(tape, counted(tape, self._first, g.channel_of, n))), dim

    def _mapping(self, spec: WireSpec, dim: Dim, scope: Scope, n: int) -> Callable[[Tape, F64], F64]:
        zeros = Value(np.zeros(n), dim)
        expression = spec.expression or parse("x")
        where = ("expression",) if spec.expression is not None else ("decode",)
        try:
            formula = Formula(expression, {**scope, "x": zeros, "x_opposite": zeros}, ("x", "x_opposite"), self._dim)
        except UnitError as error:
            raise Located([(where, str(error))]) from None
        opposite = self._groups.opposite.astype(np.int64)

        def mapped(tape: Tape, x: F64) -> F64:
            return formula.on(tape, x, tape.take(x, opposite) if "x_opposite" in formula.used else x)

        return mapped

    _filter: RateWindow | ExponentialFilter | None = None

    def memory(self) -> dict[str, F64]:
        found = {"sent": self.sent, "delivered": self.delivered, **self._line.memory()}
        for part in (self._filter, self._activation):
            if part is not None:
                found |= {f"decoder/{key}": value for key, value in part.memory().items()}
        return found

    def push(self, tape: Tape) -> None:
        x = tape.gate(self._decode(tape), self._open)
        if self._activation is not None:
            x = self._activation.on(tape, x)
        if self._soft_start:
            x = tape.ramp(x, self._soft_start)
        self._send(tape, x)
        self._line.store(tape, self.sent)

    def apply(self, tape: Tape) -> None:
        self._line.take(tape, self.delivered)
        tape.put(self.delivered, self._index, self._command)


def _groups(wanted: Select, network: NetworkIR, n: int) -> tuple[str, NDArray[np.int64], Groups]:
    try:
        chosen = select(network, wanted)
        if len(chosen) != 1:
            raise UnitError(f"a motor wire reads one population, the tag '{wanted.tag}' stands for {len(chosen)}")
        ((population, ids),) = chosen.items()
        return population, ids, groups(network.populations[population], ids, n, by_segment=wanted.segments is not None)
    except UnitError as error:
        raise Located([(("from",), str(error))]) from None
