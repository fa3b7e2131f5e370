"""The README stays true: its commands run, its listings are the files, its tables are generated."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cosim.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def text() -> str:
    return README.read_text(encoding="utf-8")


def block(after: str, language: str) -> str:
    match = re.search(rf"<!-- {after}[^>]*-->\s*```{language}\n(.*?)```", text(), re.DOTALL)
    assert match is not None, f"no {language} block after <!-- {after} -->"
    return match[1]


COMMANDS = [line for line in block("commands", "bash").splitlines() if line.strip()]


def test_every_command_of_the_list_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").symlink_to(ROOT / "run")
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        words = shlex.split(command, comments=True)
        assert words[0] == "cosim"
        assert main(words[1:]) == 0, command
    assert (tmp_path / "results/slow/report.html").is_file()


def test_long_runs_are_kept_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run, resume = (shlex.split(line, comments=True) for line in block("long", "bash").splitlines() if line.strip())
    assert main([*run[1:], "--duration", "3 s", "--no-report"]) == 0  # as shown, but for the length
    assert len(list((tmp_path / "results/salamander_swim/checkpoints").glob("*.checkpoint"))) == 2
    capsys.readouterr()
    assert main(resume[1:]) == 0
    assert "complete" in "".join(capsys.readouterr())


def test_movements_and_bodies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As shown, but for the length of the replay and what is varied in it."""
    monkeypatch.chdir(tmp_path)
    robot = (
        '<robot name="robot">\n<link name="base">\n<inertial>\n<mass value="1"/>\n'
        '<inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/>\n</inertial>\n</link>\n</robot>\n'
    )
    (tmp_path / "robot.urdf").write_text(robot)
    replay, imported = (shlex.split(line) for line in block("movement", "bash").splitlines())
    assert main([*replay[1:], "--set", "duration=0.2 s", "--set", "transient=50 ms", "--no-bands"]) == 0
    assert (tmp_path / "results/fly_walking/replay.html").is_file()
    assert main(imported[1:]) == 0
    assert main(["check", "bodies/robot/body.yaml"]) == 0


def test_sweeps_are_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run, report, ranks = (shlex.split(line, comments=True) for line in block("sweeps", "bash").splitlines())
    assert ranks[:4] == ["mpirun", "-n", "256", "cosim"]
    for words in (run, ranks[3:]):
        assert words[:2] == ["cosim", "sweep"]
        assert (ROOT / "run" / f"{words[2]}.yaml").is_file()
    assert main([*run[1:], "--dry-run"]) == 0
    assert "runs" in capsys.readouterr().out
    assert report[1:] == ["sweep", "report", f"results/{run[2]}"]


def test_python_example_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block("python", "python")], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[0]) == pytest.approx(0.073)  # 30 + 2 + 40 + 1 ms


def test_the_mistake_is_told_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    lines = [
        "cosim: experiment/1", "extends: stretch_reflex", "name: wrong", "", "# a delay is no voltage", "wires:",
        "  motor:", "    delay: 20 mV", "",
    ]  # fmt: skip
    (tmp_path / "run/wrong.yaml").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    assert main(["check", "run/wrong.yaml"]) == 2
    shown = capsys.readouterr()
    assert block("mistake", "text").strip() in shown.out + shown.err


@pytest.mark.parametrize("file", re.findall(r"<!-- include (\S+) -->", README.read_text(encoding="utf-8")))
def test_listings_are_the_files(file: str) -> None:
    match = re.search(rf"<!-- include {re.escape(file)} -->\n```yaml\n(.*?)```\n<!-- end -->", text(), re.DOTALL)
    assert match is not None and match[1] == (ROOT / file).read_text(encoding="utf-8"), "run tests/make_readme.py"


def test_other_yaml_is_yaml() -> None:
    for found in re.findall(r"```yaml\n(.*?)```", text(), re.DOTALL):
        assert isinstance(yaml.safe_load(found), dict)


def test_generated_parts_are_up_to_date() -> None:
    from tests.make_readme import render

    for path, wanted in render().items():
        assert path.read_text(encoding="utf-8") == wanted, f"{path.name}: run python -m tests.make_readme"


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text()):
        if "://" not in target:
            assert (ROOT / target).exists(), target
