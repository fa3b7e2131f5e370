"""Small sweeps of the stretch reflex: fifty milliseconds of some hundred neurons."""

from __future__ import annotations

from pathlib import Path

#: 2 delays, 2 strengths (other networks), 3 arms and a control, 2 seeds
SWEEP = """\
cosim: sweep/1
name: tiny
title: A sweep for tests
experiment: stretch_reflex
set:
  duration: 50 ms
  transient: 0 s
  perturb.tap.at: 10 ms
  circuit.populations.MN.n: 40
  circuit.populations.IN.n: 20
  record.state: {}
vary:
  wires.motor.delay: [5 ms, 10 ms]
  circuit.projections.Ia_MN.gain: [1, 2]
ablate:
  Ia: {silence: Ia, fraction: [0.5]}
  late: [{cut: Ia_MN, at: 25 ms}, {cut: wires.spindle_static}]
control: {shuffle: degree_preserving, arms: intact}
repeat: 2
measure: [rate_MN, rate_Ia, latency]
"""


def write(folder: Path, text: str = SWEEP, name: str = "tiny") -> Path:
    """A sweep's document below `folder`."""
    file = folder / "run" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file
