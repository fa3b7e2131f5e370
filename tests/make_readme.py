"""Write the generated parts of the READMEs: listings, the table of models, the tables of the studies.

python -m tests.make_readme
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.studies import salamander_sweeps
from tests.studies.salamander import EFFECTS_CSV, SEEDS_CSV, markdown

ROOT = Path(__file__).resolve().parents[1]


def _between(text: str, name: str, content: str) -> str:
    """Replace what stands between ``<!-- name -->`` and ``<!-- end -->``, adding the end mark the first time."""
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(text):
        return text.replace(f"<!-- {name} -->\n", f"<!-- {name} -->\n{content}\n<!-- end -->\n")
    return pattern.sub(lambda m: f"{m[1]}{content}\n{m[2]}", text)


def _models() -> str:
    lines = ["| experiment | what | circuit | body |", "| --- | --- | --- | --- |"]
    for file in sorted((ROOT / "run").glob("*.yaml")):
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not tree["cosim"].startswith("experiment/"):
            continue
        base = tree
        while "extends" in base:
            base = yaml.safe_load((ROOT / "run" / f"{base['extends']}.yaml").read_text(encoding="utf-8")) | base
            base.pop("extends", None)
        circuit, body = base.get("circuit"), base.get("body")
        links = [f"[{n}]({d}/{n}/README.md)" if n else "" for n, d in ((circuit, "circuits"), (body, "bodies"))]
        lines.append(f"| `{tree['name']}` | {tree['title']} | {links[0]} | {links[1]} |")
    return "\n".join(lines)


def render() -> dict[Path, str]:
    """The READMEs as they should be."""
    main, cord = ROOT / "README.md", ROOT / "circuits/salamander_cord/README.md"
    text = main.read_text(encoding="utf-8")
    for name in re.findall(r"<!-- include (\S+) -->", text):
        content = (ROOT / name).read_text(encoding="utf-8")
        text = _between(text, f"include {name}", f"```yaml\n{content}```")
    text = _between(text, "models", _models())
    study = cord.read_text(encoding="utf-8")
    study = _between(study, "seeds", markdown(SEEDS_CSV))
    study = _between(study, "effects", markdown(EFFECTS_CSV))
    for name in salamander_sweeps.SWEEPS:
        study = _between(study, f"sweep {name}", salamander_sweeps.markdown(name))
    return {main: text, cord: study}


def main() -> None:
    """Write them."""
    for path, text in render().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
