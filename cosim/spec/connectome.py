"""A connectome document: where the tables of a data set come from, what their columns mean, what must be in them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cosim.spec.choice import Conditions
from cosim.spec.common import ListOf, Located, Name, NonEmpty, Spec
from cosim.spec.units import UnitError, parse, suggest

Path_ = tuple[str | int, ...]
Format = Literal["csv", "parquet", "sonata"]

#: how a file is read, by the end of its name (before .gz)
SUFFIXES: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet", ".h5": "sonata",
    ".sonata": "sonata",
}  # fmt: skip
#: columns of the edges that every connectome has
EDGE_NAMES = ("count", "sign", "kind")


def _hex(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise UnitError(f"'{text}' is not a SHA-256: expected 64 characters of 0-9 and a-f")
    return text


def _unit(text: str) -> str:
    parse(text).evaluate()
    return text


def _plain_name(name: str) -> str:
    if not name or name in (".", "..") or "/" in name or "\\" in name:
        raise UnitError(f"'{name}' is not the name of a file: folders are not named here")
    return name


FileName = Annotated[str, AfterValidator(_plain_name)]


class FileSpec(Spec):
    """One file: shipped beside the descriptor, or the user's download.

    Without ``sha256`` a download is not verified, and ``cosim fetch`` says so; without ``url`` it must be given with
    ``--from``. A table of ``nodes.more`` may be ``optional``: it is fetched with ``--all``, and its columns are there
    when it is.
    """

    url: str | None = None
    sha256: Annotated[str, AfterValidator(_hex)] | None = None
    bytes: Annotated[int, Field(ge=1)] | None = None
    optional: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _scheme(self) -> FileSpec:
        if self.url is not None and not self.url.startswith(("https://", "http://")):
            raise Located([(("url",), f"'{self.url}' is not an address that begins with https:// or http://")])
        return self


class ColumnSpec(Spec):
    """A column of a table: its name in the file, the unit of its numbers, other words for its texts.

    Short: the name alone.
    """

    column: str
    unit: Annotated[str, AfterValidator(_unit)] | None = None
    values: dict[str, str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, raw: Any) -> Any:
        return {"column": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _one(self) -> ColumnSpec:
        if self.unit is not None and self.values is not None:
            raise UnitError("unit is for numbers, values is for texts: expected at most one of them")
        return self


class TableSpec(Spec):
    """How a file is read. ``names`` are the columns of a CSV file that has no header."""

    file: FileName
    format: Format | None = None
    delimiter: str | None = None
    names: list[str] | None = None
    population: str | None = None
    columns: dict[Name, ColumnSpec] = Field(default_factory=dict)

    @property
    def reader(self) -> Format:
        """The format, from the file's name where it is not given."""
        if self.format is not None:
            return self.format
        name = self.file.removesuffix(".gz")
        return SUFFIXES["." + name.rpartition(".")[2]]

    @model_validator(mode="after")
    def _read(self) -> TableSpec:
        ending = "." + self.file.removesuffix(".gz").rpartition(".")[2]
        if self.format is None and ending not in SUFFIXES:
            known = ", ".join(SUFFIXES)
            raise Located([(("file",), f"cannot tell the format of '{self.file}': give format, or one of {known}")])
        for key, reader in (("delimiter", "csv"), ("names", "csv"), ("population", "sonata")):
            if getattr(self, key) is not None and self.reader != reader:
                raise Located([((key,), f"{key} is for {reader} files")])
        return self


class MoreSpec(TableSpec):
    """A table with further columns of cells, found by their id; a cell that it does not have gets nothing in them."""

    id: str


class NodesSpec(TableSpec):
    """The table of cells: a row a cell; ``id`` is the column of their names or numbers (``""``: one without header).

    ``more`` are tables that know more of the cells.
    """

    id: str
    more: Annotated[list[MoreSpec], ListOf] = Field(default_factory=list)

    @model_validator(mode="after")
    def _once(self) -> NodesSpec:
        known = set(self.columns)
        for i, table in enumerate(self.more):
            for name in table.columns:
                if name in known:
                    raise Located([(("more", i, "columns", name), f"another table of cells has a column '{name}'")])
            known |= set(table.columns)
        return self


class EdgesSpec(TableSpec):
    """A table of connections: a row an edge.

    ``pre`` and ``post`` are the columns of the two cells, by their id or (``by: index``) their row in the table of
    cells, from 0. ``count`` is the column of the number of synapses, ``signed_count`` the same with the sign of the
    connection; without either every row is one synapse. ``kind`` is a word for all rows of the table, unless there is a
    column of that name. ``mirrored``: a row stands for both directions (gap junctions).
    """

    pre: str
    post: str
    by: Literal["id", "index"] = "id"
    count: str | None = None
    signed_count: str | None = None
    kind: str | None = None
    mirrored: bool = False

    @model_validator(mode="after")
    def _counts(self) -> EdgesSpec:
        if self.count is not None and self.signed_count is not None:
            raise UnitError("expected at most one of count and signed_count")
        if self.kind is not None and "kind" in self.columns:
            raise Located([(("kind",), "kind stands in columns too")])
        for name in ("count", "pre", "post"):
            if name in self.columns:
                raise Located([(("columns", name), f"'{name}' is a key of the table, not one of its columns")])
        return self


class SignSpec(Spec):
    """The sign of a connection: a column of numbers, or of words with a sign for each.

    The column is one of the edges or, if they have none of that name, of the presynaptic cell. ``otherwise`` is the
    sign of words that ``values`` does not name; without it such a word is an error.
    """

    column: Name
    values: dict[str, Literal[-1, 0, 1]] | None = None
    otherwise: Literal[-1, 0, 1] | None = None

    @model_validator(mode="after")
    def _words(self) -> SignSpec:
        if self.otherwise is not None and self.values is None:
            raise Located([(("otherwise",), "otherwise goes with values")])
        return self


class ExpectSpec(Spec):
    """Numbers that the tables must give, checked whenever they are read.

    Either ``nodes`` (cells that meet ``where``; ``connected`` of them have an edge) or ``edges`` and ``synapses`` (of
    edges that meet ``where``).
    """

    nodes: Annotated[int, Field(ge=0)] | None = None
    connected: Annotated[int, Field(ge=0)] | None = None
    edges: Annotated[int, Field(ge=0)] | None = None
    synapses: Annotated[int, Field(ge=0)] | None = None
    where: Conditions = Field(default_factory=dict)

    @model_validator(mode="after")
    def _kind(self) -> ExpectSpec:
        of_nodes = self.nodes is not None or self.connected is not None
        of_edges = self.edges is not None or self.synapses is not None
        if of_nodes == of_edges:
            raise UnitError("expected either nodes, connected (cells) or edges, synapses (connections)")
        return self


class ConnectomeSpec(Spec):
    """A whole connectome document (``cosim: connectome/1``), ``connectomes/NAME/dataset.yaml``.

    Data sets of one ``family`` are releases of each other: an id that this one lacks is looked for in the others.
    ``known_ids`` is a file, shipped beside the descriptor, with ids that are known to be of this release (one a line)
    and are enough to recognise it while its tables are not there.
    """

    cosim: Literal["connectome/1"]
    name: Name
    title: str = ""
    description: str = ""
    cite: Annotated[list[str], ListOf] = Field(default_factory=list)
    source: Annotated[str, NonEmpty]
    licence: Annotated[str, NonEmpty]
    family: Name | None = None
    known_ids: str | None = None
    files: Annotated[dict[FileName, FileSpec], NonEmpty]
    nodes: NodesSpec
    edges: Annotated[list[EdgesSpec], ListOf, NonEmpty]
    sign: SignSpec | None = None
    expect: Annotated[list[ExpectSpec], ListOf] = Field(default_factory=list)

    @model_validator(mode="after")
    def _references(self) -> ConnectomeSpec:
        problems: list[tuple[Path_, str]] = []
        tables: list[tuple[Path_, TableSpec]] = [(("nodes",), self.nodes)]
        tables += [(("nodes", "more", i), table) for i, table in enumerate(self.nodes.more)]
        tables += [(("edges", i), table) for i, table in enumerate(self.edges)]
        for here, table in tables:
            if table.file not in self.files:
                problems.append(((*here, "file"), f"'{table.file}' is not in files{suggest(table.file, self.files)}"))
        used = {table.file for _, table in tables}
        problems += [(("files", name), "no table reads this file") for name in self.files if name not in used]
        problems += [
            (("files", table.file, "optional"), "only a table of nodes.more is optional")
            for here, table in tables
            if len(here) < 3 and table.file in self.files and self.files[table.file].optional
        ]
        edge_columns = self.edge_columns
        for i, edges in enumerate(self.edges):
            problems += [
                (("edges", i, "columns"), f"there is no column '{name}', which another table of edges has")
                for name in edge_columns
                if name not in ("sign", "count", "kind") and name not in edges.columns
            ]
            if ("kind" in edge_columns) and edges.kind is None and "kind" not in edges.columns:
                problems.append((("edges", i), "another table of edges has a kind: give one to this table too"))
        signed = [edges.signed_count is not None for edges in self.edges]
        column = any("sign" in edges.columns for edges in self.edges)
        if any(signed) and (not all(signed) or self.sign is not None or column):
            problems.append((("edges",), "signed_count gives the sign: in all tables of edges, without a sign rule"))
        if column and (self.sign is None or self.sign.column != "sign"):
            problems.append((("edges",), "a column named 'sign' needs the rule sign: {column: sign}"))
        node_columns = self.node_columns(optional=False)
        if self.sign is not None and self.sign.column not in (*edge_columns, *node_columns):
            known = [*edge_columns, *node_columns]
            problems.append((("sign", "column"), f"no column '{self.sign.column}'{suggest(self.sign.column, known)}"))
        for i, expect in enumerate(self.expect):
            of_nodes = expect.nodes is not None or expect.connected is not None
            known = list(node_columns) if of_nodes else edge_columns
            problems += [
                (("expect", i, "where", name), f"no column '{name}'{suggest(name, known)}")
                for name in expect.where
                if name not in known
            ]
        if problems:
            raise Located(problems)
        return self

    def node_columns(self, *, optional: bool) -> dict[str, str]:
        """Columns of the cells, each with the file that has it; with or without those of optional files."""
        tables: list[TableSpec] = [self.nodes, *self.nodes.more]
        return {
            name: table.file
            for table in tables
            if table.file in self.files and (optional or not self.files[table.file].optional)
            for name in table.columns
        }

    @property
    def edge_columns(self) -> list[str]:
        """Names of the edges' columns: count, kind and sign where there are any, then those of the tables."""
        names = ["count"]
        if any(e.kind is not None or "kind" in e.columns for e in self.edges):
            names.append("kind")
        if self.sign is not None or any(e.signed_count is not None for e in self.edges):
            names.append("sign")
        return [*names, *dict.fromkeys(n for e in self.edges for n in e.columns if n not in names)]
