"""Who does which run: order, what becomes of a run whose worker dies, and when a sweep gives up."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from cosim.errors import CosimError
from cosim.sweep.master import Count, Master
from cosim.sweep.messages import Line, Message, pair
from cosim.sweep.queue import Queue
from cosim.sweep.task import Job, Task

JOB = Job("x.yaml", "out", "auto", [], False, {})


def tasks(groups: str) -> list[tuple[str, Task]]:
    """A task a letter, in the group of that letter; named by letter and number."""
    return [(key, Task({"run": f"{key}{i}"}, [])) for i, key in enumerate(groups)]


def test_a_worker_stays_in_its_group_and_then_begins_one_that_nobody_has() -> None:
    queue = Queue(tasks("aabbb"))
    taken = [queue.take(worker) for worker in (1, 2, 1, 1, 1)]
    assert [one[1].identity["run"] for one in taken if one] == ["a0", "b2", "a1", "b4", "b3"]
    assert queue.take(2) is None
    assert len(queue) == 0


def test_what_is_given_back_comes_next() -> None:
    queue = Queue(tasks("ab"))
    key, task = queue.take(1) or (None, None)
    assert task is not None
    queue.give_back(key, task)
    assert queue.take(1) == (key, task)


class Fake:
    """A worker that answers as it is told: by task, "complete", "failed", "trouble" or "die"; a thread of this
    process."""

    killed = True

    def __init__(self, answer: Callable[[Message], str], log: list[str]) -> None:
        self.line, there = pair()
        self._answer, self._log, self._end = answer, log, Line(there)
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        self._end.receive()
        self._end.send({"ready": True})
        while (message := self._end.receive()) is not None and "task" in message:
            name = message["task"]["identity"]["run"]
            answer = self._answer(message["task"])
            self._log.append(f"{name} {answer}")
            if answer == "die":
                break
            if answer == "stop":
                self._end.send({"stop": "no room"})
            elif answer == "trouble":
                self._end.send({"trouble": name, "reason": "it is the machine"})
            else:
                self._end.send({"done": name, "status": answer})
        self._end.close()

    def ended(self) -> str:
        return "the worker was killed by signal 9 (Killed)"


class Bench:
    """A master with fake workers, and what came of it."""

    def __init__(self, answer: Callable[[Message], str], *, retries: int = 2, replace: bool = True) -> None:
        self.log: list[str] = []
        self.given_up: list[tuple[str, int, str]] = []
        self.answer = answer
        self._retries, self._replace = retries, replace

    def run(self, groups: str, workers: int = 2) -> Count:
        master = Master(
            JOB, tasks(groups), retries=self._retries,
            give_up=lambda task, reason: self.given_up.append((task.identity["run"], task.attempt, reason)),
            another=self._one if self._replace else None, progress=lambda _: None, say=lambda _: None,
        )  # fmt: skip
        return master.run([self._one() for _ in range(workers)])

    def _one(self) -> Fake:
        return Fake(self.answer, self.log)


def test_all_runs_are_done_once() -> None:
    bench = Bench(lambda task: "failed" if task["identity"]["run"] == "b3" else "complete")
    count = bench.run("aaabbbcc")
    assert (count.done, count.failed) == (8, 1)
    assert sorted(bench.log) == sorted(
        f"{key}{i} {'failed' if i == 3 else 'complete'}" for i, key in enumerate("aaabbbcc")
    )


@pytest.mark.parametrize("how", ["die", "trouble"])
def test_a_run_that_loses_its_worker_is_tried_again(how: str) -> None:
    bench = Bench(lambda task: how if task["identity"]["run"] == "a1" and task["attempt"] < 3 else "complete")
    count = bench.run("aab")
    assert (count.done, count.failed) == (3, 0)
    assert [line for line in bench.log if line.startswith("a1")] == [f"a1 {how}", f"a1 {how}", "a1 complete"]
    assert bench.given_up == []


@pytest.mark.parametrize(("how", "reason"), [("die", "killed by signal 9 (Killed)"), ("trouble", "it is the machine")])
def test_and_after_the_limit_it_is_a_row_with_its_reason(how: str, reason: str) -> None:
    bench = Bench(lambda task: how if task["identity"]["run"] == "a1" else "complete")
    count = bench.run("aabb")
    assert (count.done, count.failed) == (4, 1)
    ((run, attempt, said),) = bench.given_up
    assert (run, attempt) == ("a1", 3)
    assert said.endswith(f"{reason} (3 attempts)")


def test_one_worker_is_enough_where_no_other_can_be_had() -> None:
    bench = Bench(
        lambda task: "die" if task["identity"]["run"] == "a0" and task["attempt"] == 1 else "complete", replace=False
    )
    count = bench.run("aaaa")
    assert (count.done, count.failed) == (4, 0)


def test_without_workers_it_ends() -> None:
    bench = Bench(lambda _: "die", replace=False)
    with pytest.raises(CosimError, match="all workers were lost"):
        bench.run("aaaaaaaa")


def test_what_a_worker_cannot_write_ends_the_sweep() -> None:
    bench = Bench(lambda task: "stop" if task["identity"]["run"] == "a1" else "complete")
    with pytest.raises(CosimError, match="no room"):
        bench.run("aaaa")


def test_a_worker_that_cannot_start_ends_the_sweep() -> None:
    class Stillborn(Fake):
        killed = False

        def _work(self) -> None:
            self._end.close()

        def ended(self) -> str:
            return "the worker ended with code 1: ImportError: no numpy"

    master = Master(
        JOB, tasks("aa"), retries=2, give_up=lambda *_: None, another=None, progress=lambda _: None, say=lambda _: None
    )
    with pytest.raises(CosimError, match="could not start: .* ImportError: no numpy"):
        master.run([Stillborn(lambda _: "", [])])
