"""Downloads from a server of the test's own: whole, cut off, gone on with, wrong; and files that the user has."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cosim.cli import main
from cosim.connectome import load_connectome
from tests.connectome.conftest import CELLS, EDGES, Make

CONTENT = {"cells.csv": CELLS.encode(), "edges.csv": EDGES.encode()}


@dataclass
class Server:
    """What it has, how many bytes of an answer it sends before it hangs up, and what it was asked."""

    files: dict[str, bytes]
    address: str = ""
    cut: dict[str, int] = field(default_factory=dict)
    ranges: bool = True
    tag: str | None = '"one"'
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(dict(CONTENT))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, wanted = self.path.lstrip("/"), self.headers.get("Range")
            state.asked.append((name, wanted))
            content = state.files.get(name)
            if content is None:
                self.send_error(404, "Not Found")
                return
            first = 0
            if state.ranges and wanted is not None and self.headers.get("If-Range", state.tag) == state.tag:
                first = int(wanted.removeprefix("bytes=").rstrip("-"))
                if first >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.end_headers()
                    return
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(content) - first))
            if state.tag is not None:
                self.send_header("ETag", state.tag)
            self.end_headers()
            self.wfile.write(content[first : first + state.cut.get(name, len(content))])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    running.shutdown()
    running.server_close()
    thread.join()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def remote(make: Make, server: Server) -> Server:
    """The data set ``toy``, whose files are to be downloaded; the edges' SHA-256 is not known."""
    files = {"cells.csv": {"url": server.url("cells.csv"), "sha256": sha256(CONTENT["cells.csv"])}}
    make(contents={}, files={**files, "edges.csv": {"url": server.url("edges.csv")}})
    return server


def fetch(*more: str) -> int:
    return main(["fetch", "toy", *more])


def left(here: Path) -> list[str]:
    return sorted(path.name for path in (here / "data/toy").iterdir())


def test_a_download_is_verified_and_read(remote: Server, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch() == 0
    said = capsys.readouterr()
    assert said.err == "licence: none needed\n"
    unverified = f"unverified: the descriptor has no sha256 (it is {sha256(CONTENT['edges.csv'])})"
    assert said.out.splitlines() == [
        "cells.csv  0.1 kB  downloaded  verified",
        f"edges.csv  0.1 kB  downloaded  {unverified}",
        "toy: 4 cells, 6 connections, in data/toy",
    ]
    assert left(here) == ["cells.csv", "edges.csv"]
    assert len(load_connectome("toy")) == 6
    asked = list(remote.asked)
    assert fetch("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(f["name"], f["how"], f["verified"]) for f in found["files"]] == [
        ("cells.csv", "was there", True), ("edges.csv", "was there", False),
    ]  # fmt: skip
    assert remote.asked == asked  # nothing is asked for twice


def test_a_download_goes_on_where_it_ended(remote: Server, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Made to fail by dropping the Range header, or by opening the part for writing."""
    remote.cut["edges.csv"] = 40
    assert fetch() == 2
    ended = "the connection ended after 40 bytes of 129 bytes; what came is kept, the same command goes on from there"
    assert capsys.readouterr().err.splitlines()[1:] == [f"edges.csv: {ended}"]
    assert left(here) == ["cells.csv", "edges.csv.part", "edges.csv.part.etag"]
    assert fetch() == 2
    assert remote.asked[-1] == ("edges.csv", "bytes=40-")
    remote.cut.clear()
    assert fetch() == 0
    assert remote.asked[-1] == ("edges.csv", "bytes=80-")
    assert left(here) == ["cells.csv", "edges.csv"]
    assert (here / "data/toy/edges.csv").read_bytes() == CONTENT["edges.csv"]


@pytest.mark.parametrize("why", ["the file is another one", "the server knows no ranges"])
def test_a_part_that_cannot_be_gone_on_from_is_dropped(remote: Server, here: Path, why: str) -> None:
    remote.cut["edges.csv"] = 40
    assert fetch() == 2
    remote.cut.clear()
    if why == "the file is another one":
        remote.files["edges.csv"], remote.tag = EDGES.replace("A,B,3", "A,B,9").encode(), '"two"'
    else:
        remote.ranges = False
    assert fetch() == 0
    assert (here / "data/toy/edges.csv").read_bytes() == remote.files["edges.csv"]


def test_a_part_that_is_whole_is_taken(remote: Server, here: Path) -> None:
    (here / "data/toy").mkdir(parents=True)
    (here / "data/toy/edges.csv.part").write_bytes(CONTENT["edges.csv"])
    assert fetch() == 0
    assert left(here) == ["cells.csv", "edges.csv"]


def test_a_wrong_file_is_not_kept(remote: Server, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = CONTENT["cells.csv"].replace(b"sensory", b"sensor")
    remote.files["cells.csv"] = wrong
    assert fetch() == 2
    hashes = f"expected SHA-256 {sha256(CONTENT['cells.csv'])}, got {sha256(wrong)}"
    said = f"cells.csv: {hashes}: the file is damaged or another version; it was not kept"
    assert capsys.readouterr().err.splitlines()[1:] == [said]
    assert left(here) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("gone", "{url}/cells.csv: the server answers 404 Not Found"),
        ("down", "cells.csv cannot be downloaded from {url}/cells.csv: Connection refused"),
    ],
)
def test_a_server_that_does_not_have_it(
    make: Make, server: Server, change: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.address if change == "gone" else "http://127.0.0.1:9"
    server.files.clear()
    make(contents={}, files={name: {"url": f"{url}/{name}"} for name in CONTENT})
    assert fetch() == 2
    assert capsys.readouterr().err.splitlines()[1:] == [message.format(url=url)]


def test_files_that_the_user_has(remote: Server, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = here / "own"
    own.mkdir()
    for name, content in CONTENT.items():
        (own / name).write_bytes(content)
    assert fetch("--from", "own/cells.csv", "own/edges.csv") == 0
    assert "cells.csv  0.1 kB  copied  verified" in capsys.readouterr().out
    assert remote.asked == []
    assert left(here) == ["cells.csv", "edges.csv"]
    (own / "cells.csv").write_text("cell\n")
    assert fetch("--from", "own/cells.csv") == 2
    assert "own/cells.csv: expected SHA-256" in capsys.readouterr().err
    assert (here / "data/toy/cells.csv").read_bytes() == CONTENT["cells.csv"]
    (own / "cell.csv").write_text("cell\n")
    assert fetch("--from", "own/cell.csv") == 2
    assert capsys.readouterr().err.endswith("own/cell.csv: toy has no file of this name, did you mean 'cells.csv'?\n")
    assert fetch("--from", "own/none.csv") == 2
    assert capsys.readouterr().err.endswith("own/none.csv: no such file\n")


def test_without_an_address_it_is_said_where_the_data_are_from(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(contents={"cells.csv": CELLS}, files={"cells.csv": {}, "edges.csv": {}}, source="Mary's shelf")
    assert fetch() == 2
    assert "no address is known for edges.csv: get it where the data are from (Mary's shelf)" in capsys.readouterr().err


def test_one_file_needs_no_name(make: Make, here: Path) -> None:
    make(contents={"cells.csv": CELLS}, files={"cells.csv": {}, "edges.csv": {}})
    (here / "downloaded (1)").write_text(EDGES)
    assert fetch("--from", "downloaded (1)") == 0
    assert left(here) == ["edges.csv"]


def test_new_files_are_read_anew(remote: Server, here: Path) -> None:
    assert fetch() == 0
    assert load_connectome("toy").synapses() == 16
    (here / "edges.csv").write_text(EDGES.replace("A,B,3", "A,B,9"))
    assert fetch("--from", "edges.csv") == 0
    assert load_connectome("toy").synapses() == 22
