"""Which run comes next: runs whose network is constructed alike go to one worker, one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Queue(Generic[T]):
    """Items in groups. A worker that asks again gets an item of its last group, as long as there is one; then one of a
    group that nobody has begun; then one from the end of the group that has most left."""

    def __init__(self, items: Iterable[tuple[Hashable, T]]) -> None:
        self._groups: dict[Hashable, deque[T]] = {}
        for key, item in items:
            self._groups.setdefault(key, deque()).append(item)
        self._fresh = deque(self._groups)
        self._last: dict[Hashable, Hashable] = {}

    def __len__(self) -> int:
        return sum(len(group) for group in self._groups.values())

    def take(self, worker: Hashable) -> tuple[Hashable, T] | None:
        """The next item for a worker and its group; None where nothing is left."""
        key = self._last.get(worker)
        if key is None or not self._groups.get(key):
            while self._fresh and not self._groups.get(self._fresh[0]):
                self._fresh.popleft()
            if self._fresh:
                key = self._fresh.popleft()
            else:
                key = max(self._groups, key=lambda one: len(self._groups[one]), default=None)
                if key is None:
                    return None
                self._last[worker] = key
                return key, self._pop(key, last=True)
            self._last[worker] = key
        return key, self._pop(key, last=False)

    def give_back(self, key: Hashable, item: T) -> None:
        """Put an item first in its group again."""
        self._groups.setdefault(key, deque()).appendleft(item)

    def _pop(self, key: Hashable, *, last: bool) -> T:
        group = self._groups[key]
        item = group.pop() if last else group.popleft()
        if not group:
            del self._groups[key]
        return item
