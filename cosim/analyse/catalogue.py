"""Names, units and short titles of the metrics, for tables and to check the units of reference values."""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """``unit`` as printed; empty for pure numbers. ``circular``: a phase in cycles, 0 and 1 are the same."""

    unit: str
    title: str
    circular: bool = False


METRICS: dict[str, Metric] = {
    "frequency": Metric("Hz", "frequency"),
    "wave_number": Metric("cycles", "wave number (lag over the joint span)"),
    "speed": Metric("BL/s", "forward speed"),
    "tail_beat": Metric("BL", "tail-beat amplitude"),
    "joint_amplitude": Metric("deg", "joint amplitude"),
    "cost_of_transport": Metric("J/(kg m)", "mechanical cost of transport"),
    "neural_frequency": Metric("Hz", "neural frequency"),
    "ptcc": Metric("", "peak-to-trough correlation"),
    "left_right_phase": Metric("cycles", "left-right phase", circular=True),
    "neural_wave_number": Metric("cycles/BL", "neural wave number"),
    "latency": Metric("s", "latency"),
    "locked": Metric("", "trunk and tail locked"),
    "locking_resultant": Metric("", "locking: resultant length"),
    "locking_drift": Metric("Hz", "locking: drift"),
    "locking_phase": Metric("cycles", "locking: phase", circular=True),
    "oscillation_frequency": Metric("Hz", "frequency of the neurons with a rhythm"),
    "oscillation_sd": Metric("Hz", "their standard deviation"),
    "oscillating": Metric("", "share of neurons with a rhythm"),
    "tracking_rmse_mean": Metric("deg", "joint error of the replay (mean of the joints)"),
    "tracking_rmse_worst": Metric("deg", "joint error of the replay (worst joint)"),
    "vertical_force_over_weight": Metric("", "vertical force / weight"),
    "ground_speed": Metric("mm/s", "speed over the ground"),
    "torque_rms": Metric("uN mm", "joint torque (root mean square)"),
    "positive_power": Metric("nW", "positive joint power"),
    "contact_balanced_accuracy": Metric("", "contacts: balanced accuracy"),
    "contact_r": Metric("", "contacts: correlation"),
    "contact_balanced_accuracy_shifted": Metric("", "contacts: accuracy, best shift of the record"),
    "contact_r_shifted": Metric("", "contacts: correlation, best shift of the record"),
    "step_frequency": Metric("Hz", "frequency of the steps"),
    "tripod_order": Metric("", "order of the tripod gait"),
    "walking_speed": Metric("mm/s", "walking speed along the path"),
    "walking_distance": Metric("mm", "distance walked, straight"),
    "turning": Metric("deg/s", "turning, left positive"),
    "fallen": Metric("", "fallen"),
    "speed_after_push": Metric("", "speed after the push, over that before"),
    "survival": Metric("", "rate of survival of the rhythm"),
}

_FAMILIES = {
    "rate_": Metric("Hz", "mean rate"),
    "active_": Metric("", "neurons that spike"),
    "latency_": Metric("s", "latency"),
    "amplitude_": Metric("SI", "largest deviation"),
}


def describe(name: str) -> Metric | None:
    """Unit and title of a metric; None for a name that no measurement gives."""
    if name in METRICS:
        return METRICS[name]
    for prefix, metric in _FAMILIES.items():
        if name.startswith(prefix):
            return Metric(metric.unit, f"{metric.title}, {name.removeprefix(prefix)}")
    return None
