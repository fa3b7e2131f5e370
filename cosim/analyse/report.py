"""The report of one or several results: pictures and one self-contained HTML page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosim.analyse import page
from cosim.analyse.agreement import pearson, relative_error, rmse
from cosim.analyse.catalogue import describe
from cosim.analyse.comparison import comparison
from cosim.analyse.measures import measure
from cosim.analyse.overview import overview
from cosim.analyse.reference import Reference, of_a_run, read_references
from cosim.analyse.tables import (
    Line,
    flat,
    flat_reference,
    group_labels,
    lines,
    number,
    percent,
    root_mean_square_error,
    summarise,
)
from cosim.errors import CosimError, UserError
from cosim.record.result import Result


@dataclass(frozen=True)
class Assessed:
    """A result with its metrics, reference and what a reader should be warned of.

    ``elsewhere`` counts the references (lesions, curves over a varied path) that only a sweep can be compared with.
    """

    result: Result
    metrics: Mapping[str, Any]
    reference: Mapping[str, Reference]
    lines: Sequence[Line]
    warnings: Sequence[str]
    elsewhere: int = 0

    @property
    def transient(self) -> float:
        return float(self.result.manifest.get("transient") or 0.0)


def assess(result: Result) -> Assessed:
    """Metrics of a result (stored, or measured now as its manifest's ``measure`` asks) beside its reference.

    The reference is ``reference.csv`` in the result directory, or the file that the manifest's ``reference`` names.
    """
    warnings: list[str] = []
    if not result.complete:
        reason = result.manifest.get("message")
        state = {"running": "still running, or killed"}.get(result.status, result.status)
        warnings.append(
            f"Incomplete: {state}. Everything below rests on the first {result.duration:g} s."
            + (f" Message: {reason}" if reason else "")
        )
    metrics: Mapping[str, Any] = result.metrics
    if not metrics and result.manifest.get("measure"):
        try:
            metrics = measure(result, result.manifest["measure"], float(result.manifest.get("transient") or 0.0))
        except CosimError as error:
            warnings.append(f"Not measured: {error}")
    everything: list[Reference] = []
    copied = result.path / "reference.csv"
    named = result.manifest.get("reference")
    if copied.is_file():
        everything = read_references(copied)
    elif isinstance(named, str) and named and Path(named).is_file():
        everything = read_references(named)
    elif named:
        warnings.append(f"The reference {named} is not there; the metrics stand alone.")
    reference: Mapping[str, Reference] = of_a_run(everything)
    try:
        table = lines(metrics, reference)
    except UserError as error:
        warnings.append(f"Not compared with the reference: {error}")
        reference = {}
        table = lines(metrics, reference)
    return Assessed(result, metrics, reference, table, warnings, sum(not one.of_a_run for one in everything))


def report(result_dirs: Sequence[Path | str], out: Path | None = None) -> Path:
    """Write the report of the results: overview.png (or comparison.png) and report.html, which holds the pictures.

    ``out`` is the folder (default: the result's own; for several results the first one's parent). Returns the page.
    Raises UserError without results, and for directories that are none.
    """
    if not result_dirs:
        raise UserError("no result directory was given")
    assessed = [assess(Result(path)) for path in result_dirs]
    folder = out or (Path(result_dirs[0]) if len(assessed) == 1 else Path(result_dirs[0]).resolve().parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if len(assessed) == 1:
            html = _single(assessed[0], folder)
        else:
            html = _several(assessed, folder)
        target = folder / "report.html"
        target.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder}: cannot write the report: {error.strerror or error}") from error
    return target


def _single(one: Assessed, folder: Path) -> str:
    picture = overview(one.result, one.lines, one.transient, folder / "overview.png")
    manifest = one.result.manifest
    title = str(manifest.get("title") or manifest.get("name") or one.result.path.name)
    sections = [*map(page.warning, one.warnings), page.image(picture, "Overview"), metrics_table(one)]
    shown = {key: value for key, value in manifest.items() if key not in _LONG}
    sections.append(page.facts("Run", shown))
    for key, heading in (("overrides", "Overrides"), ("timings", "Timings (s)"), ("hashes", "Hashes (SHA-256)")):
        if manifest.get(key):
            sections.append(page.facts(heading, manifest[key]))
    return page.document(title, sections)


#: entries of the manifest that have a table of their own or are too long to read
_LONG = {"metrics", "geometry", "hashes", "timings", "overrides", "measure", "spec", "perturb"}


def metrics_table(one: Assessed) -> str:
    """The metrics beside the reference, as HTML."""
    if not one.lines:
        return "<h2>Metrics</h2><p>Nothing was measured.</p>"
    head = ["metric", "unit", "measured", "reference", "relative error", "SDs", "r", "RMSE", "NRMSE", "bias", "source"]
    rows = [
        [line.title, line.unit, line.measured, line.reference, line.error, line.distance, line.r, line.rmse,
         line.nrmse, line.bias, line.source]
        for line in one.lines
    ]  # fmt: skip
    note = (
        "Reference: mean ± standard deviation (number of animals). Relative error: (measured − reference)/reference; "
        "SDs: the same difference in standard deviations of the reference. For a list the relative error is the mean "
        "of the absolute ones, r is Pearson's, RMSE the root mean square error over its values, NRMSE the RMSE over "
        "the range of the reference, bias the mean difference."
    )
    if one.elsewhere:
        note += f" The reference also holds {one.elsewhere} entries for lesions or varied values: `cosim sweep report`."
    return page.table("Metrics", head, rows, note if one.reference or one.elsewhere else "")


def _several(assessed: Sequence[Assessed], folder: Path) -> str:
    labels = group_labels([one.result.manifest for one in assessed])
    runs = {label: labels.count(label) for label in labels}
    groups: dict[str, dict[str, list[float]]] = {label: {} for label in runs}
    for label, one in zip(labels, assessed, strict=True):
        for name, value in flat(one.metrics).items():
            groups[label].setdefault(name, []).append(value)
    references: dict[str, Reference] = {}
    for one in assessed:
        references.update(one.reference)
    reference = flat_reference(references)
    names = list(dict.fromkeys(name for metrics in groups.values() for name in metrics))
    units = {name: known.unit for name in names if (known := describe(name.partition("[")[0]))}
    picture = comparison(groups, reference, units, folder / "comparison.png")
    head = ["metric", "unit", "reference", *(f"{label} (n = {n})" for label, n in runs.items())]
    rows = []
    for name in names:
        wanted = reference.get(name)
        cells = [_cell(groups[label].get(name, []), n, wanted) for label, n in runs.items()]
        rows.append([name, units.get(name, ""), "" if wanted is None else number(wanted), *cells])
    for name, wanted_list in references.items():
        if len(wanted_list.values) > 1:
            rows.append(
                [f"{name}, mean of the runs", "", "", *(_profile(groups[label], wanted_list) for label in runs)]
            )
    warnings = [f"{one.result.path}: {text}" for one in assessed for text in one.warnings]
    note = (
        "Mean ± standard deviation over the runs of a group (in brackets: relative error of the mean and root mean "
        "square error of the runs). Groups are what differs between the runs apart from the seed."
    )
    sections = [*map(page.warning, warnings), page.table("Comparison", head, rows, note)]
    if picture is not None:
        sections.insert(
            len(warnings), page.image(picture, "Every run a dot, the mean of a group a bar, the reference dashed")
        )
    listing = [
        [
            str(one.result.path),
            label,
            str(one.result.manifest.get("seed", "")),
            one.result.status,
            f"{one.result.duration:g}",
        ]
        for label, one in zip(labels, assessed, strict=True)
    ]
    sections.append(page.table("Runs", ["result", "group", "seed", "status", "seconds"], listing, ""))
    return page.document(f"Comparison of {len(assessed)} runs", sections)


def _cell(values: Sequence[float], runs: int, wanted: float | None) -> str:
    """Mean and deviation of a group's values, beside the reference where there is one."""
    summary = summarise(values)
    text = str(summary) if summary.n == runs else f"{summary} (in {summary.n})"
    if wanted is None or not summary.n:
        return text
    error = percent(relative_error(summary.mean, wanted))
    return f"{text} [{error}; RMSE {number(root_mean_square_error(values, wanted))}]"


def _profile(metrics: Mapping[str, Sequence[float]], reference: Reference) -> str:
    """How the mean of a group's lists goes with a list of reference values."""
    mean = [summarise(metrics.get(f"{reference.metric}[{i}]", [])).mean for i in range(1, len(reference.values) + 1)]
    if not all(map(math.isfinite, mean)):
        return "–"
    return f"r = {pearson(mean, reference.values):.3f}; RMSE {number(rmse(mean, reference.values))}"
