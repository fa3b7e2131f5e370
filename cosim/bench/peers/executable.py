"""Brian2's own executable with its default options, but for the number of threads, timed around its last ``run``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from brian2 import Network, SpikeMonitor, prefs, second, set_device
from brian2.devices.device import get_device

from cosim.bench.peers.serve import Timed

_DECLARE = "struct timespec bench_begin, bench_end;"
_BEGIN = "clock_gettime(CLOCK_MONOTONIC, &bench_begin);"
# written at each run, so the last one stays
_END = """clock_gettime(CLOCK_MONOTONIC, &bench_end);
{
    std::ofstream bench_wall("wall.txt");
    bench_wall.precision(12);
    bench_wall << (bench_end.tv_sec - bench_begin.tv_sec) + 1e-9*(bench_end.tv_nsec - bench_begin.tv_nsec) << "\\n";
    std::ifstream bench_status("/proc/self/status");
    std::string bench_line;
    while (std::getline(bench_status, bench_line))
        if (bench_line.compare(0, 6, "VmHWM:") == 0)
            bench_wall << std::stod(bench_line.substr(6))*1024 << "\\n";
}"""


class Executable:
    """Make it before the network's objects: they belong to Brian2's device of that moment."""

    def __init__(self, project: Path, threads: int = 1) -> None:
        self._project = project
        project.mkdir()
        if threads > 1:
            prefs.devices.cpp_standalone.openmp_threads = threads
        set_device("cpp_standalone", directory=str(project), build_on_run=False)
        self._device = get_device()
        self._device.insert_code("before_start", _DECLARE)
        self._device.insert_code("before_network_run", _BEGIN)
        self._device.insert_code("after_network_run", _END)

    def build(
        self, network: Network, spikes: Sequence[SpikeMonitor], warm: float, measured: float, ticks: int
    ) -> Callable[[int], int]:
        """An action that goes through `warm` seconds and then `measured` ones, of `ticks` ticks, which alone count."""
        for monitor in spikes:
            monitor.active = False
        network.run(warm * second, namespace={})
        for monitor in spikes:
            monitor.active = True
        network.run(measured * second, namespace={})
        project, device = self._project, self._device
        device.build(directory=str(project), compile=True, run=False, with_output=False)

        def alone(wanted: int) -> int:
            if wanted != ticks:
                raise ValueError(f"the executable was built for {ticks} ticks")
            device.run(with_output=False)
            wall, peak = map(float, (project / "wall.txt").read_text(encoding="ascii").split())
            return Timed(sum(int(monitor.num_spikes) for monitor in spikes), wall, peak)

        return alone
