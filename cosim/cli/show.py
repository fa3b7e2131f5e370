"""Show what an experiment, circuit or body consists of (populations, projections, channels, parameters), or what a
connectome holds."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from cosim.cli import show_connectome, show_ranks
from cosim.cli.output import add_json, add_set, engines_quiet, print_json, shown, table
from cosim.errors import UserError

if TYPE_CHECKING:
    from cosim.spec.load import Document

HELP = "what an experiment, circuit, body or connectome consists of, and what can be set"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument(
        "name", metavar="NAME", help="the name of an experiment, circuit, body or connectome, or its file"
    )
    verb.add_argument(
        "--kind", choices=("experiment", "circuit", "body", "connectome"), help="where several have the same name"
    )
    verb.add_argument(
        "--ranks", type=int, metavar="K", help="also how the neurons are dealt to K ranks (of an experiment or circuit)"
    )
    add_set(verb)
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Show it."""
    with engines_quiet():
        from cosim.spec import overrides

        content = describe(given.name, given.kind, overrides.from_arguments(given.set), given.ranks)
    if given.json:
        print_json(content)
    else:
        print("\n".join(_lines(content)))
    return 0


def describe(name: str, kind: str | None, changes: dict[str, str], ranks: int | None = None) -> dict[str, Any]:
    """Everything that is shown, as plain data; with `ranks`, how these share the network. Raises UserError."""
    from cosim.spec.inspect import kind_of
    from cosim.spec.load import load_document, load_experiment, locate

    path = locate(name, kind)
    kind = kind or kind_of(path)
    content: dict[str, Any] = {"kind": kind, "documents": [], "parameters": []}
    if kind == "experiment":
        loaded = load_experiment(path, changes, check=False)
        spec = loaded.spec
        content |= {"duration": spec.duration, "tick": spec.tick, "dt": spec.dt, "seed": spec.seed}
        documents = loaded.documents
        content["wires"] = [
            {"name": one, "direction": "body to network" if wire.sensory else "network to body", "delay": wire.delay}
            for one, wire in spec.wires.items()
        ]
    else:
        documents = {kind: load_document(path, kind, changes)}
    for one, document in documents.items():
        content["documents"].append(_document(document))
        content["parameters"] += _parameters(document, "" if one == kind else f"{one}.")
    step = content.get("dt", 1e-4)
    if "circuit" in documents:
        content |= _network(documents["circuit"], step, content.get("seed", 0), ranks)
    elif ranks is not None:
        raise UserError(f"--ranks: there is no network in {shown(path)}")
    if "body" in documents:
        content |= _body(documents["body"])
    if "connectome" in documents:
        content |= show_connectome.content_of(documents["connectome"])
    return content


def _document(document: Document) -> dict[str, Any]:
    tree = document.tree
    return {
        "kind": document.kind,
        "name": document.name,
        "title": tree.get("title", ""),
        "description": tree.get("description", ""),
        "cite": tree.get("cite", []),
        "path": document.path,
    }


def _parameters(document: Document, prefix: str) -> list[dict[str, Any]]:
    """Declared parameters; `value` is what the document says, `si` the number."""
    from cosim.spec.units import unit_text

    raw = document.tree.get("parameters") or {}
    return [
        {
            "path": f"{prefix}parameters.{name}",
            "name": name,
            "value": raw[name],
            "si": value.value,
            "unit": unit_text(value.dim),
        }
        for name, value in document.parameters.items()
    ]


def _network(document: Document, dt: float, seed: int, ranks: int | None) -> dict[str, Any]:
    from cosim.graph.build import build
    from cosim.spec.circuit import CircuitSpec
    from cosim.spec.common import Located

    spec = document.spec
    assert isinstance(spec, CircuitSpec)
    try:
        network = build(spec, seed=seed, dt=dt, parameters=document.parameters, folder=document.folder)
    except Located as error:
        raise UserError([document.problem(path, message) for path, message in error.problems]) from None
    populations = [
        {
            "name": p.name,
            "model": p.model,
            "n": p.n,
            "sides": list(p.sides),
            "pools": list(p.pools),
            "tags": list(p.tags),
        }
        for p in network.populations.values()
    ]
    joined = [(name, "spikes", p.source, p.target) for name, p in network.projections.items()]
    joined += [(name, "continuous", c.source, c.target) for name, c in network.continuous.items()]
    projections = [{"name": n, "kind": k, "from": source, "to": target} for n, k, source, target in joined]
    found = {"neurons": network.n, "populations": populations, "projections": projections}
    return found if ranks is None else found | {"shared": show_ranks.content_of(network, ranks)}


def _body(document: Document) -> dict[str, Any]:
    from cosim.body import build
    from cosim.spec.body import BodySpec, WorldSpec

    spec = document.spec
    assert isinstance(spec, BodySpec)
    body = build(spec, WorldSpec(), 1e-6, 1)
    try:
        return {
            "mass": body.total_mass,
            "sensors": [_port(port) for port in body.sensors.values()],
            "actuators": [_port(port) for port in body.actuators.values()],
        }
    finally:
        body.close()


def _port(port: Any) -> dict[str, Any]:
    return {"name": port.name, "unit": port.unit, "width": port.width, "labels": list(port.labels)}


def _lines(content: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for one in content["documents"]:
        lines.append(f"{one['kind']} {one['name']}" + (f": {one['title']}" if one["title"] else ""))
        lines += [f"  {text}" for text in (one["description"].strip().splitlines() or [])]
        lines += [f"  cite: {text}" for text in one["cite"]]
        lines.append(f"  file: {shown(one['path'])}")
    if content["kind"] == "connectome":
        return lines + show_connectome.lines_of(content)
    if "duration" in content:
        lines.append(f"{content['duration']:g} s in ticks of {1e3 * content['tick']:g} ms, seed {content['seed']}")
    if "populations" in content:
        lines.append(f"populations: {content['neurons']} neurons")
        lines += table(
            [(p["name"], str(p["n"]), p["model"], _sides(p), ", ".join(p["tags"])) for p in content["populations"]]
        )
        lines.append(f"projections: {len(content['projections'])}")
        lines += table([(p["name"], f"{p['from']} -> {p['to']}", p["kind"]) for p in content["projections"]])
    if "shared" in content:
        lines += show_ranks.lines(content["shared"])
    for key in ("sensors", "actuators"):
        if content.get(key):
            lines.append(key)
            lines += table([(p["name"], p["unit"], _labels(p)) for p in content[key]])
    if content.get("wires"):
        lines.append("wires")
        lines += table([(w["name"], w["direction"], "delay " + _delays(w["delay"])) for w in content["wires"]])
    if content["parameters"]:
        lines.append("parameters (--set NAME=VALUE; any other value of a document by its path)")
        lines += table([(p["name"], str(p["value"]), p["path"]) for p in content["parameters"]])
    return lines


def _sides(population: dict[str, Any]) -> str:
    return "/".join(population["sides"]) or "-"


def _labels(port: dict[str, Any]) -> str:
    labels = port["labels"]
    text = ", ".join(labels) if len(labels) <= 8 else f"{', '.join(labels[:3])}, ... {labels[-1]} ({len(labels)})"
    return text + (f", {port['width']} values each" if port["width"] > 1 else "")


def _delays(delays: list[float]) -> str:
    return ", ".join(dict.fromkeys(f"{1e3 * delay:g} ms" for delay in delays))
