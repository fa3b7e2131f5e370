"""The two kinds of wire: sensory (body to network) and motor (network to body), each with a delay per channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import BodyLike, Port
from cosim.bridge.channels import Groups, groups, spread
from cosim.bridge.clock import Clock
from cosim.bridge.decode import Activation, Counter, ExponentialFilter, RateWindow
from cosim.bridge.delay import DelayLine
from cosim.bridge.encode import Crossing, preferred
from cosim.bridge.inputs import Inputs
from cosim.graph.connect import neuron_scope
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import select
from cosim.neural.backend import NeuralBackend
from cosim.spec.common import Located
from cosim.spec.compiled import compiled
from cosim.spec.experiment import Labels, Select, WireSpec
from cosim.spec.units import Dim, Expression, Scope, UnitError, Value, parse, suggest

F64 = NDArray[np.float64]
HERTZ: Dim = (0, 0, -1, 0, 0, 0, 0)


def port_channels(
    ports: dict[str, Port], wanted: dict[str, Labels], key: str
) -> tuple[Port, NDArray[np.int64], tuple[str, ...]]:
    """The port, the flat indices and the names of the channels that a wire reads or writes.

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
    problems: list[tuple[tuple[str | int, ...], str]] = [
        ((key, name, i), f"{name} has no '{label}'{suggest(label, port.labels)}")
        for i, label in enumerate(chosen)
        if label not in port.labels
    ]
    if problems:
        raise Located(problems)
    if not chosen:
        raise Located([((key, name), f"the body has no {name} at all")])
    rows = np.array([port.labels.index(label) for label in chosen])
    if port.width == 1:
        return port, rows, tuple(chosen)
    suffix = "xyzw"[: port.width]
    flat = (rows[:, None] * port.width + np.arange(port.width)).ravel()
    return port, flat, tuple(f"{label}.{c}" for label in chosen for c in suffix)


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
        self.cut = False
        self._crossings: list[tuple[Crossing, F64, NDArray[np.int64] | None]] = []
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
        here |= {key: Value(at(np.asarray(v.value)).copy(), v.dim) for key, v in parameters.items()}
        here["x_0"] = Value(at(self._initial).copy(), self._dim)
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
                slot = inputs.slot(population, variable)
                self._spikes(slot.view, ids, at, encode.spikes.threshold, here)
                return
            expression = encode.current or encode.poisson
            if encode.tuning is not None:
                function = preferred(encode.tuning, found, ids, here, self._dim)
            else:
                assert expression is not None
                function = compiled(expression, here, ("x",), dim)
        except UnitError as error:
            raise Located([(("encode", kind), str(error))]) from None
        inputs.add(population, variable, ids, self._source(function, at))

    def _source(self, function: Callable[[F64], F64], at: Callable[[F64], F64]) -> Callable[[int], F64 | float]:
        def source(tick: int) -> F64 | float:
            return 0.0 if self.cut else function(at(self.delivered))

        return source

    def _spikes(
        self, view: F64, ids: NDArray[np.int64], at: Callable[[F64], F64], threshold: Expression, scope: Scope
    ) -> None:
        everyone = len(ids) == len(view)
        crossing = Crossing(threshold, scope, at, self._initial, self._dim)
        self._crossings.append((crossing, view, None if everyone else ids))

    def memory(self) -> dict[str, F64]:
        """What the wire holds from tick to tick: the arrays themselves."""
        found = {"sent": self.sent, "delivered": self.delivered, **self._line.memory()}
        return found | {f"before/{i}": crossing.before for i, (crossing, _, _) in enumerate(self._crossings)}

    def push(self, tick: int) -> None:
        """Take this tick's readings and what is due from the delay line."""
        self._reading.take(self._index, out=self.sent, mode="clip")  # the mode without a buffer; all places are valid
        self._line.push(tick, self.sent)
        self._line.take(tick, self.delivered)

    def fire(self, tick: int) -> None:
        """Set the spikes of spike encoders (currents and rates go through Inputs)."""
        for crossing, view, ids in self._crossings:
            now = crossing(self.delivered)
            if not self.cut:
                view[ids[now] if ids is not None else now] = 1.0


class MotorWire:
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
        assert spec.write is not None and spec.decode is not None and spec.source is not None
        self.name = name
        port, self._index, self.channels = port_channels(body.actuators, spec.write, "write")
        self.actuator, self.unit = port.name, port.unit
        self._dim = unit_dim(port.unit)
        self._command = body.commands[port.name].reshape(-1)
        n = len(self.channels)
        population, ids, self._groups = _groups(spec.source, network, n)
        self._first = network.populations[population].first
        self.population = population
        self.cut = False
        self._soft_start = round(spec.soft_start / clock.tick) if spec.soft_start else 0
        parameters = {**scope, **wire_parameters(spec, n, scope)}
        self._decode, dim = self._decoder(spec, backend, network, population, clock, parameters)
        self._activation = None
        if spec.decode.dynamics is not None:
            dynamics = spec.decode.dynamics
            self._activation = Activation(dynamics.tau_act, dynamics.tau_deact, clock.tick, n)
        self._map = self._mapping(spec, dim, parameters, n)
        self._low, self._high = np.array(-np.inf), np.array(np.inf)
        if spec.clip is not None:
            self._low, self._high = (np.array(float(e.evaluate(scope).value)) for e in spec.clip)
        self._limited = spec.clip is not None
        self.sent = np.empty(n)
        self._send(self._map(np.zeros(n)))
        self.delivered = self.sent.copy()
        self._line = DelayLine(delays(spec, n, clock), self.sent)
        self._command[self._index] = self.sent

    def _send(self, values: F64 | float) -> None:
        """Put `values`, clipped, into `sent`: in place, because the record holds the array."""
        self.sent[:] = values
        if self._limited:
            self.sent.clip(self._low, self._high, out=self.sent)

    def _decoder(
        self, spec: WireSpec, backend: NeuralBackend, network: NetworkIR, population: str, clock: Clock, scope: Scope
    ) -> tuple[Callable[[int, NDArray[np.int32]], F64], Dim]:
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
            alive = self._alive = np.ones(len(values))
            members = np.flatnonzero(g.channel_of >= 0)
            channel = g.channel_of[members]

            def state(tick: int, ids: NDArray[np.int32]) -> F64:
                return np.bincount(channel, values[members] * alive[members], n) / g.sizes

            if (g.sizes == 1).all():
                single = members[np.argsort(channel)]
                out = np.empty(n)

                def state(tick: int, ids: NDArray[np.int32]) -> F64:
                    values.take(single, out=out, mode="clip")
                    return out * alive[single] if self._silenced else out

            return state, units[decode.state]
        rate = decode.rate or decode.filter
        assert rate is not None
        kind = "rate" if decode.rate is not None else "filter"
        if network.models[network.populations[population].model].threshold is None:
            raise Located([(("decode", kind), f"population '{population}' does not spike; use `state`")])
        counter = Counter(self._first, g.channel_of, n)
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
        return (lambda tick, ids: decoder.update(tick, counter.count(ids))), dim

    def _mapping(self, spec: WireSpec, dim: Dim, scope: Scope, n: int) -> Callable[[F64], F64]:
        zeros = Value(np.zeros(n), dim)
        expression = spec.expression or parse("x")
        where = ("expression",) if spec.expression is not None else ("decode",)
        try:
            call = compiled(expression, {**scope, "x": zeros, "x_opposite": zeros}, ("x", "x_opposite"), self._dim)
        except UnitError as error:
            raise Located([(where, str(error))]) from None
        if spec.expression is None:
            return lambda x: x
        if "x_opposite" not in expression.names:
            return lambda x: call(x, x)
        opposite, across = self._groups.opposite, np.empty(n)

        def mapped(x: F64) -> F64:
            x.take(opposite, out=across, mode="clip")
            result: F64 = call(x, across)
            return result

        return mapped

    _alive: F64 | None = None
    _silenced = False
    _filter: RateWindow | ExponentialFilter | None = None

    @property
    def shortest_delay(self) -> int:
        """The least delay of a channel, ticks."""
        return int(self._line.delays.min())

    def memory(self) -> dict[str, F64]:
        """What the wire holds from tick to tick: the arrays themselves. (`cut` and silenced neurons are lesions.)"""
        found = {"sent": self.sent, "delivered": self.delivered, **self._line.memory()}
        for part in (self._filter, self._activation):
            if part is not None:
                found |= {f"decoder/{key}": value for key, value in part.memory().items()}
        return found

    def silence(self, ids: NDArray[np.int64]) -> None:
        """A silenced graded neuron reads 0."""
        if self._alive is not None:
            self._alive[ids] = 0.0
            self._silenced = True

    def push(self, tick: int, ids: NDArray[np.int32]) -> None:
        """Decode the spikes of the last tick and put the commands on their way."""
        x = self._decode(tick, ids)
        if self.cut:
            x = np.zeros_like(x)
        if self._activation is not None:
            x = self._activation.update(x)
        if tick < self._soft_start:
            x = x * (tick / self._soft_start)
        self._send(self._map(x))
        self._line.push(tick, self.sent)

    def apply(self, tick: int) -> None:
        """Give the body the commands that are due."""
        self._line.take(tick, self.delivered)
        self._command[self._index] = self.delivered


def _groups(wanted: Select, network: NetworkIR, n: int) -> tuple[str, NDArray[np.int64], Groups]:
    try:
        chosen = select(network, wanted)
        if len(chosen) != 1:
            raise UnitError(f"a motor wire reads one population, the tag '{wanted.tag}' stands for {len(chosen)}")
        ((population, ids),) = chosen.items()
        return population, ids, groups(network.populations[population], ids, n, by_segment=wanted.segments is not None)
    except UnitError as error:
        raise Located([(("from",), str(error))]) from None
