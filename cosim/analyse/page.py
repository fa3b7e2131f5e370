"""Pieces of a self-contained HTML page: no script, no link to the outside, pictures inlined."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1150px;margin:2em auto;padding:0 1.2em}
h1{font-size:1.6em;margin-bottom:.3em}h2{font-size:1.15em;margin:1.6em 0 .4em}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.22em .8em .22em 0;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
td.n,th.n{text-align:right}img{max-width:100%;height:auto}
.scroll{overflow-x:auto}.warning{background:#fff3cd;border-left:5px solid #d55e00;padding:.6em 1em;margin:.8em 0}
.note{color:#666;font-size:.88em;max-width:60em}code{font-size:.86em;word-break:break-all}
"""


def document(title: str, sections: Sequence[str]) -> str:
    """A whole page."""
    body = "\n".join(sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def warning(text: str) -> str:
    """A box that cannot be overlooked."""
    return f'<p class="warning" role="alert"><strong>Warning.</strong> {escape(text)}</p>'


def image(path: Path, text: str, *, caption: bool = False) -> str:
    """A PNG, inlined; ``text`` says what it shows, to those who cannot see it and, as a caption, to all."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    below = f'<figcaption class="note">{escape(text)}</figcaption>' if caption else ""
    return f'<figure style="margin:1em 0"><img alt="{escape(text)}" src="data:image/png;base64,{data}">{below}</figure>'


def note(text: str) -> str:
    """A paragraph in small print."""
    return f'<p class="note">{escape(text)}</p>'


def listing(heading: str, text: str, below: str) -> str:
    """Commands or other text to be taken as it stands."""
    return f"<h2>{escape(heading)}</h2><pre>{escape(text)}</pre>{note(below)}"


def table(heading: str, head: Sequence[str], rows: Sequence[Sequence[str]], text: str) -> str:
    """A table with a note below; columns of numbers are set to the right."""
    right = {i for i in range(len(head)) if any(_numeric(row[i]) for row in rows)}

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="n">{escape(cell)}</{tag}>' if i in right else f"<{tag}>{escape(cell)}</{tag}>"
            for i, cell in enumerate(row)
        )

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    below = note(text) if text else ""
    return (
        f'<h2>{escape(heading)}</h2><div class="scroll"><table><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{below}"
    )


def facts(heading: str, values: Mapping[str, Any]) -> str:
    """Names and values; anything nested as JSON."""
    rows = "\n".join(
        f"<tr><th>{escape(str(name))}</th><td><code>{escape(_text(value))}</code></td></tr>"
        for name, value in values.items()
    )
    return f'<h2>{escape(heading)}</h2><div class="scroll"><table>{rows}</table></div>'


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _numeric(cell: str) -> bool:
    return cell[:1].isdigit() or (cell[:1] in "+-±–" and cell[1:2].isdigit())
