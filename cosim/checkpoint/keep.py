"""The checkpoints of a run: ``<result>/checkpoints/<tick>.checkpoint``, the last two of them."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self

from numpy.typing import NDArray

from cosim.checkpoint.file import Checkpoint, DamagedError, read, write
from cosim.errors import CosimError, UserError

FOLDER = "checkpoints"
SUFFIX = ".checkpoint"
KEPT = 2


def listed(result: Path) -> list[Path]:
    """The checkpoints of a result, newest first."""
    folder = result / FOLDER
    found = [file for file in folder.glob(f"*{SUFFIX}") if file.stem.isdigit()] if folder.is_dir() else []
    return sorted(found, key=lambda file: int(file.stem), reverse=True)


def newest(
    result: Path, say: Callable[[str], None], accept: Callable[[Checkpoint], None] = lambda checkpoint: None
) -> Checkpoint:
    """The newest checkpoint that is whole and that `accept` does not raise DamagedError for.

    The others are told through `say`. Raises UserError if none is left.
    """
    files = listed(result)
    for file in files:
        try:
            checkpoint = read(file)
            accept(checkpoint)
        except DamagedError as error:
            say(f"{error}; the checkpoint before it is used")
        else:
            return checkpoint
    if files:
        raise UserError(f"{result}: none of its checkpoints can be used; run it again with --force")
    raise UserError(f"{result}: has no checkpoint, so it cannot be resumed; run it again with --force --checkpoint")


class Keeper:
    """Writes checkpoints of one run and deletes the old ones. While it is open, no other process can be the keeper.

    Raises UserError if another process is: the run still goes on.
    """

    #: how many are kept
    kept = KEPT

    def __init__(self, result: Path) -> None:
        self.folder = result / FOLDER
        self._result = result
        self._lock: IO[bytes] | None = None
        #: bytes of the last checkpoint
        self.size = 0
        try:
            self.folder.mkdir(exist_ok=True)
            self._lock = (self.folder / "lock").open("wb")
            # released by the system when the process ends, however it ends
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise UserError(f"{result}: the run still goes on in another process") from None
        except OSError as error:
            self.close()
            raise CosimError(f"{self.folder}: cannot keep checkpoints: {error.strerror or error}") from error

    def save(self, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write the checkpoint of ``meta["tick"]``; only then delete what is too old."""
        self.size = write(self.folder / f"{meta['tick']:09d}{SUFFIX}", meta, arrays)
        for file in [*listed(self._result)[self.kept :], *self._left_over()]:
            file.unlink(missing_ok=True)

    def drop_after(self, tick: int) -> None:
        """Delete checkpoints of later ticks: damaged ones, when the run goes on from an earlier one."""
        for file in listed(self._result):
            if int(file.stem) > tick:
                file.unlink(missing_ok=True)

    def _left_over(self) -> Iterator[Path]:
        """What a process left that was killed while it wrote."""
        return self.folder.glob(f"*{SUFFIX}.partial")

    def close(self) -> None:
        """Let other processes be the keeper."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
