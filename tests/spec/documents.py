"""Small valid documents that tests break in one place."""

from __future__ import annotations

from pathlib import Path

CIRCUIT = """\
cosim: circuit/1
name: reflex
parameters:
  strength: 2
  tau: 10 ms
models:
  lif:
    equations: |
      dv/dt = (E_L - v + R*I_ext)/tau_m : volt (unless refractory)
      I_ext : amp
    threshold: v > V_th
    reset: v = E_L
    refractory: 2 ms
    method: exact
    parameters: {E_L: -65 mV, V_th: -50 mV, R: 100 Mohm, tau_m: tau}
populations:
  Ia: {model: lif, n: 6, sides: [flexor, extensor]}
  MN:
    model: lif
    n: 8
    sides: [flexor, extensor]
projections:
  Ia_MN:
    from: Ia
    to: MN
    side: same
    connect: {indegree: 2}
    on_spike: v += w
    parameters: {w: 1 mV}
    gain: strength
    delay: 2 ms
"""

BODY = """\
cosim: body/1
name: arm
parameters: {beta: 0.2 N*m/rad, strength_of_arm: 1}
links:
  base: {fixed: true, shape: {sphere: {radius: 1 cm}}}
  rod:
    shape: {capsule: {length: 0.3 m, radius: 1 cm, along: x}}
    at: [0.15 m, 0, 0]
    mass: 0.2 kg
joints:
  elbow:
    parent: base
    child: rod
    kind: hinge
    axis: [0, 0, 1]
    limits: [-90 deg, 90 deg]
    damping: 0.01 N*m*s/rad
muscles:
  flexor: {joint: elbow, pulls: positive, alpha: 0.4 N*m, beta: beta}
  extensor: {joint: elbow, pulls: negative, alpha: 0.4 N*m, beta: beta}
"""

EXPERIMENT = """\
cosim: experiment/1
name: tap
circuit: reflex
body: arm
parameters:
  peak: 100 pA
duration: 2 s
transient: 0.5 s
dt: 0.1 ms
tick: 1 ms
seed: 1
drives:
  tonic: {to: MN, constant: peak}
wires:
  spindle:
    read: {joint_angle: elbow}
    encode: {current: 100 pA*x}
    to: Ia
    delay: 30 ms
  motor:
    from: MN
    decode: {rate: {window: 20 ms, gain: 0.01 s}}
    write: {activation: [flexor, extensor]}
    delay: 20 ms
record: {spikes: all}
"""

TEXTS = {"circuit": CIRCUIT, "body": BODY, "experiment": EXPERIMENT}


def zoo(root: Path, circuit: str = CIRCUIT, body: str = BODY, experiment: str = EXPERIMENT) -> Path:
    """Write a zoo with one document of each kind below `root`; returns `root`."""
    for file, text in (
        ("circuits/reflex/circuit.yaml", circuit),
        ("bodies/arm/body.yaml", body),
        ("run/tap.yaml", experiment),
    ):
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def changed(text: str, old: str, new: str) -> str:
    """`text` with its only `old` replaced; a test that changes nothing would prove nothing."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the document"
    return text.replace(old, new)


def line_of(text: str, part: str) -> int:
    """The line, from 1, of the first occurrence of `part`."""
    assert part in text
    return text[: text.index(part)].count("\n") + 1
