"""From files to joint angles: signs, units, orders of rotation, the filter, and every mistake in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cosim.errors import UserError
from cosim.replay.kinematics import read_kinematics
from cosim.replay.rotations import compose, decompose, reorder
from cosim.replay.smooth import savitzky_golay

SHIPPED = Path(__file__).parents[2] / "bodies/fly/kinematics"
ORDERS = ("xyz", "xzy", "yxz", "yzx", "zxy", "zyx")


def document(folder: Path, text: str) -> Path:
    path = folder / "movement.yaml"
    path.write_text(f"cosim: kinematics/1\nname: movement\n{text}", encoding="utf-8")
    return path


def table(folder: Path, text: str) -> None:
    (folder / "angles.csv").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("order", ORDERS)
def test_angles_of_a_rotation_are_found_again_in_every_order(order: str) -> None:
    angles = np.random.default_rng(1).uniform(-1.4, 1.4, (50, 3))
    assert decompose(order, compose(order, angles)) == pytest.approx(angles, abs=1e-12)


@pytest.mark.parametrize("to", ORDERS)
def test_another_order_is_the_same_rotation(to: str) -> None:
    angles = np.random.default_rng(2).uniform(-1.4, 1.4, (50, 3))
    found = reorder(angles, "yxz", to)
    columns = ["yxz".index(axis) for axis in to]
    assert compose(to, found[:, columns]) == pytest.approx(compose("yxz", angles), abs=1e-12)


def test_the_front_legs_formula() -> None:
    """R = Ry(pitch) Rx(yaw) Rz(roll) as Rz Rx Ry: yaw = asin R21, pitch = atan2(-R20, R22), roll = atan2(-R01, R11)."""
    pitch, yaw, roll = angles = np.array([[0.3, -0.4, 0.9]]).T
    r = compose("yxz", angles.T)
    assert np.allclose(r[0], _y(pitch[0]) @ _x(yaw[0]) @ _z(roll[0]))
    expected = [
        np.arctan2(-r[:, 2, 0], r[:, 2, 2]),
        np.arcsin(r[:, 2, 1]),
        np.arctan2(-r[:, 0, 1], r[:, 1, 1]),
    ]
    assert pytest.approx(np.array(expected)) == reorder(angles.T, "yxz", "zxy").T


def _x(a: float) -> np.ndarray:
    return np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])


def _y(a: float) -> np.ndarray:
    return np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])


def _z(a: float) -> np.ndarray:
    return np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])


def test_an_angle_that_passes_pi_is_continuous() -> None:
    turn = np.linspace(0, 3 * np.pi, 200)
    found = reorder(np.stack([turn, 0 * turn, 0 * turn], axis=1), "zxy", "yxz")
    assert found[:, 0] == pytest.approx(turn)


def test_the_filter_keeps_polynomials_of_its_order_and_lessens_noise() -> None:
    t = np.linspace(-1, 1, 41)[:, None]
    cubic = np.hstack([t**3 - t, 2 * t**2 + 1])
    assert savitzky_golay(cubic, 9, 3) == pytest.approx(cubic, abs=1e-12)
    noise = np.random.default_rng(3).normal(size=(4000, 1))
    # variance of the middle value of a fitted cubic: 3 (3 m^2 + 3 m - 1) / ((2m-1)(2m+1)(2m+3)), m = 4
    assert savitzky_golay(noise, 9, 3).var() == pytest.approx(3 * 59 / (7 * 9 * 11), rel=0.05)


def test_signs_offsets_units_and_times_of_a_table(tmp_path: Path) -> None:
    table(tmp_path, "# a comment\ntime [ms],a,b [rad]\n0,10,1\n20,30,2\n")
    path = document(
        tmp_path, "file: angles.csv\nunit: 1 deg\njoints: {hip: {column: a, sign: -1, offset: 5 deg}, knee: b}\n"
    )
    found = read_kinematics(path, ["hip", "knee", "toe"])
    assert found.joints == ("hip", "knee")
    assert found.time == pytest.approx([0, 0.02])
    assert np.degrees(found.angles[:, 0]) == pytest.approx([-5, -25])
    assert found.angles[:, 1] == pytest.approx([1, 2])
    assert found.at(0.015) == pytest.approx([np.radians(-20), 1.75])
    assert found.at(np.array([-1.0, 1.0]))[:, 1] == pytest.approx([1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("joints: {hpi: a, knee: b}", "movement.yaml:5:10: joints.hpi: 'hpi' is no joint of the body"),
        ("joints: {hip: aa, knee: b}", "movement.yaml:5:10: joints.hip: no column 'aa' in angles.csv"),
        ("joints: {hip: a}", "movement.yaml:5:1: joints: no column is mapped to the joint 'knee'"),
        ("joints: same", "file: the column 'a' of angles.csv is no joint of the body"),
        ("joints: {hip: a, knee: b}\nsmooth: {window: 9, order: 3}", "smooth.window: the window is longer than the 2"),
        ("joints: {hip: a, knee: b}\nsmooth: {window: 8, order: 3}", "smooth.window: expected an odd number"),
        ("joints: {hip: {column: a, sign: 2}}", "joints.hip.sign: expected"),
        ("rotations: [{joints: [hip, knee, toe], axes: xyz, to: zyx}]\njoints: {hip: a, knee: b}",
         "rotations.0.joints.2: 'toe' is not mapped"),
        ("rotations: [{joints: [hip, knee, toe], axes: xyy, to: zyx}]\njoints: {hip: a, knee: b}",
         "rotations.0.axes: expected the letters x, y and z in an order"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    table(tmp_path, "time [ms],a,b\n0,10,1\n20,30,2\n")
    path = document(tmp_path, f"file: angles.csv\nunit: 1 deg\n{text}\n")
    with pytest.raises(UserError) as caught:
        read_kinematics(path, ["hip", "knee"], ["hip", "knee"])
    lines = str(caught.value).splitlines()
    assert any(message in line for line in lines), lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time [s],hip\n0,1\n1,2,3\n", "angles.csv:3:1: expected 2 values, got 3"),
        ("hip\n0\n1\n", "must begin with a column 'time [s]'"),
        ("time [s],hip\n1,0\n0,1\n", "needs at least two rows, and times that rise"),
        ("time [s],hip [mm]\n0,0\n1,1\n", "column 'hip' of angles.csv: expected an angle"),
        ("time [s],hip\n0,0\n1,nan\n", "'hip' in row 2 is not a number"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    table(tmp_path, text)
    with pytest.raises(UserError, match="^[^\n]*$") as caught:
        read_kinematics(document(tmp_path, "file: angles.csv\n"), ["hip"])
    assert message in str(caught.value)


def archive(folder: Path, columns: int, text: str = "values: v\ncolumns: [legs, parts]") -> Path:
    np.savez(folder / "angles.npz", v=np.zeros((5, 2, columns)), legs=["l", "r"], parts=["hip", "knee"])
    return document(folder, f"file: angles.npz\nrate: 10 Hz\n{text}\n")


def test_columns_of_several_dimensions_are_joined(tmp_path: Path) -> None:
    found = read_kinematics(archive(tmp_path, 2))
    assert found.joints == ("l.hip", "l.knee", "r.hip", "r.knee")
    assert found.time[-1] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("values: v\ncolumns: [legs, parts]", 3, "'v' of angles.npz has 2 x 3 columns, but legs and parts name 2 x 2"),
        ("values: w\ncolumns: legs", 2, "values: no array 'w' in angles.npz"),
        ("values: v", 2, "columns: an npz archive needs columns"),
    ],
)
def test_a_wrong_archive_is_one_line(tmp_path: Path, text: str, columns: int, message: str) -> None:
    path = archive(tmp_path, columns, text)
    with pytest.raises(UserError, match="^[^\n]*$") as caught:
        read_kinematics(path)
    assert message in str(caught.value)


def test_the_shipped_movements() -> None:
    walking, spotlight = (read_kinematics(SHIPPED / f"{name}.yaml") for name in ("walking_fly1", "spotlight"))
    assert walking.angles.shape == (2000, 42)
    assert spotlight.angles.shape == (660, 42)
    assert set(walking.joints) == set(spotlight.joints)
    assert walking.time[-1] == pytest.approx(0.9995)
