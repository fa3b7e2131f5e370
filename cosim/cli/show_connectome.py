"""What `cosim show` says of a connectome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cosim.cli.output import shown, size_text, table

if TYPE_CHECKING:
    from cosim.spec.load import Document

_MOST = 12  # words of a column that are listed


def content_of(document: Document) -> dict[str, Any]:
    """Source, licence, files, and what the tables hold where they are on this machine. Raises UserError."""
    from cosim.connectome.facts import facts
    from cosim.connectome.store import absent, files_of, load_connectome, spec_of

    spec = spec_of(document)
    files = [
        {
            "name": name,
            "path": path,
            "url": spec.files[name].url,
            "sha256": spec.files[name].sha256,
            "optional": spec.files[name].optional,
            "bytes": path.stat().st_size if path is not None else spec.files[name].bytes,
        }
        for name, path in files_of(document).items()
    ]
    found: dict[str, Any] = {"source": spec.source, "licence": spec.licence, "family": spec.family, "files": files}
    found["data"] = None if absent(document) else facts(load_connectome(document.path))
    return found


def lines_of(content: dict[str, Any]) -> list[str]:
    """The same for a reader."""
    lines = [f"  source: {content['source']}", f"  licence: {content['licence']}"]
    lines.append("files")
    rows = []
    for file in content["files"]:
        size = size_text(file["bytes"]) if file["bytes"] else "size not known"
        checked = "SHA-256 known" if file["sha256"] else "no SHA-256 known"
        checked += ", optional" if file["optional"] else ""
        place = shown(file["path"]) if file["path"] else f"absent ({file['url'] or 'no address known'})"
        rows.append((file["name"], size, checked, place))
    lines += table(rows)
    data = content["data"]
    if data is None:
        name = content["documents"][0]["name"]
        return [*lines, f"the data are not on this machine: cosim fetch {name}"]
    lines.append(
        f"{data['cells']} cells ({data['connected']} with connections), {data['connections']} connections, "
        f"{data['synapses']} synapses"
    )
    spreads = [("degrees", *(key for key in data["indegree"]))]
    for name, title in (
        ("indegree", "connections onto a cell"),
        ("outdegree", "from a cell"),
        ("count", "synapses each"),
    ):
        spreads.append(
            (title, *(f"{value:.3g}" if key == "mean" else f"{value:g}" for key, value in data[name].items()))
        )
    lines += table(spreads)
    for key, title in (("cell_columns", "columns of cells"), ("connection_columns", "columns of connections")):
        if data[key]:
            lines.append(title)
            lines += table([(name, _column(column)) for name, column in data[key].items()])
    if data["expected"]:
        lines.append("expected by the descriptor, and found")
        lines += table([(_what(one), str(one["expected"]), str(one["found"])) for one in data["expected"]])
    return lines


def _column(column: dict[str, Any]) -> str:
    if "words" not in column:
        unit = f" {column['unit']}" if column.get("unit", "1") != "1" else ""
        return f"{column['low']:.4g} to {column['high']:.4g}{unit} ({column['known']})" if column["known"] else "empty"
    words = [f"{word or '(none)'} {number}" for word, number in column["words"].items()]
    more = f", ... ({len(words)} in all)" if len(words) > _MOST else ""
    return ", ".join(words[:_MOST]) + more


def _what(one: dict[str, Any]) -> str:
    where = ", ".join(f"{key}: {value}" for key, value in one["where"].items())
    return f"{one['what']} where {where}" if where else str(one["what"])
