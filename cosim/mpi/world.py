"""Whether this process is one of several ranks, found out without importing MPI where it is not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from cosim.errors import UserError

if TYPE_CHECKING:
    from cosim.mpi.alarm import Alarm

T = TypeVar("T")

#: by which launchers tell a process how many ranks there are: Open MPI, MPICH and Intel MPI, MVAPICH
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")


class World:
    """The ranks of this run: the communicator, this process's number, and the alarm that ends all of them together."""

    def __init__(self, comm: Any) -> None:
        from cosim.mpi.alarm import Alarm

        self.comm = comm
        self.rank: int = comm.Get_rank()
        self.size: int = comm.Get_size()
        self.alarm: Alarm = Alarm(comm)
        #: whether the ranks go on together after a run that blew up, so that all of them must come to know of it
        self.collective = False

    @property
    def root(self) -> bool:
        """Whether this rank owns the body, writes the record and talks to the user."""
        return self.rank == 0

    def from_root(self, find: Callable[[], T], send: Callable[[T], T]) -> T:
        """What `find` gives on rank 0, and what `send` makes of it for the others. All ranks call this together.

        A UserError on rank 0 is raised on all.
        """
        if not self.root:
            found, problems = self.comm.bcast(None, root=0)
            if problems is not None:
                raise UserError(problems)
            return found  # type: ignore[no-any-return]
        try:
            mine = find()
        except UserError as error:
            self.comm.bcast((None, error.problems), root=0)
            raise
        self.comm.bcast((send(mine), None), root=0)
        return mine


def launched(environment: Mapping[str, str] = os.environ) -> int:
    """How many ranks a launcher (mpirun, srun) has started, by its environment variables; 1 where there is none."""
    for name in _SIZES:
        if environment.get(name, "").isdigit():
            return int(environment[name])
    if "PMIX_RANK" in environment and environment.get("SLURM_NTASKS", "").isdigit():
        return int(environment["SLURM_NTASKS"])
    return 1


def rank_by_launcher(environment: Mapping[str, str] = os.environ) -> int:
    """The number of this process among the ranks, by the same variables; 0 where there is one."""
    for name in ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "PMIX_RANK"):
        if environment.get(name, "").isdigit():
            return int(environment[name])
    return 0


#: what `world` gives instead of the ranks that were started, innermost last
_used: list[World | None] = []


@contextmanager
def use(shared: World | None) -> Iterator[None]:
    """Within, `world` gives these ranks, or None: what is run then is of a part of the ranks, or of this process."""
    _used.append(shared)
    try:
        yield
    finally:
        _used.pop()


def world() -> World | None:
    """The ranks that this process is one of; None for a process of its own.

    Raises UserError where there are ranks and MPI cannot be loaded.
    """
    return _used[-1] if _used else _started()


@lru_cache(maxsize=1)
def _started() -> World | None:
    if launched() == 1:
        return None
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{launched()} ranks were started, and MPI cannot be used from Python ({reason}): "
            "pip install 'cosim-neuro[mpi]', or mpi4py built upon this machine's MPI"
        ) from None
    return World(MPI.COMM_WORLD) if MPI.COMM_WORLD.Get_size() > 1 else None
