"""Keyed random numbers: functions of their ids, with the right distribution."""

import math

import numpy as np

from cosim.graph.random import exact_log, normal_quantile, normals, stream, uniforms


def test_a_draw_depends_on_its_own_ids_only() -> None:
    key = stream(3, "population/EX/tau_m")
    whole = uniforms(key, np.arange(1000))
    assert np.array_equal(uniforms(key, np.arange(500, 700)), whole[500:700])
    assert np.array_equal(uniforms(key, np.array([999, 0])), whole[[999, 0]])


def test_seed_and_purpose_change_every_draw() -> None:
    ids = np.arange(1000)
    base = uniforms(stream(1, "a"), ids)
    assert not (uniforms(stream(2, "a"), ids) == base).any()
    assert not (uniforms(stream(1, "b"), ids) == base).any()


def test_uniforms_fill_the_interval_evenly() -> None:
    u = uniforms(stream(1, "u"), np.arange(200_000), np.arange(200_000) % 7)
    counts = np.histogram(u, 100, (0, 1))[0]
    chi2 = ((counts - 2000.0) ** 2 / 2000.0).sum()
    assert chi2 < 149  # the 99.9 % quantile of chi^2 with 99 degrees of freedom
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 3.3 / math.sqrt(len(u))


def test_normal_quantile_at_known_points() -> None:
    # Abramowitz & Stegun, tables 26.5 and 26.6
    for p, z in ((0.5, 0.0), (0.975, 1.959963984540054), (0.99, 2.3263478740408408), (1e-10, -6.361340902404056)):
        assert math.isclose(normal_quantile(np.array([p]))[0], z, rel_tol=1e-13, abs_tol=1e-15)


def test_normals_have_unit_variance_and_normal_kurtosis() -> None:
    z = normals(stream(1, "z"), np.arange(100_000))
    assert abs(z.mean()) < 3.3 / math.sqrt(len(z))
    assert abs(z.var() - 1) < 3.3 * math.sqrt(2 / len(z))
    assert abs((z**4).mean() - 3) < 3.3 * math.sqrt(96 / len(z))


def test_exact_log_against_the_library() -> None:
    x = np.concatenate([np.logspace(-300, 0, 4001), np.linspace(1e-3, 1, 4001)])
    assert np.abs(exact_log(x) - np.log(x)).max() <= 4e-16 * 700
