"""The simulated world's own rules: time, chance, death and locks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

from tests.harness.simulator import primitives
from tests.harness.simulator.kernel import Kernel, Life, Stuck


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    before, made = primitives.kernel(), Kernel(1)
    primitives.use(made)
    yield made
    primitives.use(before)


def _steps(kernel: Kernel, name: str, said: list[str], count: int = 5) -> Callable[[], None]:
    def work() -> None:
        for number in range(count):
            said.append(f"{name}{number}")
            kernel.pause()

    return work


def test_an_hour_takes_no_time(kernel: Kernel) -> None:
    woken: list[float] = []
    kernel.spawn(lambda: (kernel.sleep(3600.0), woken.append(kernel.now)), "sleeper")
    kernel.run(7200.0)
    assert woken == [pytest.approx(3600.0, abs=1.0)]
    assert kernel.now == 7200.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_decides_who_goes_next(seed: int) -> None:
    def world(seed: int) -> list[str]:
        kernel, said = Kernel(seed), list[str]()
        for name in "abc":
            kernel.spawn(_steps(kernel, name, said), name)
        kernel.run(1.0)
        return said

    assert world(seed) == world(seed)
    assert world(seed) != world(seed + 10)


def test_who_is_killed_runs_nothing_more_not_even_to_clean_up(kernel: Kernel) -> None:
    life, said = Life("host"), list[str]()

    def work() -> None:
        try:
            kernel.sleep(10.0)
        finally:
            said.append("cleaned up")

    kernel.spawn(work, "work", life=life)
    kernel.spawn(lambda: (kernel.sleep(5.0), kernel.kill(life)), "killer")
    kernel.run(100.0)
    assert (said, life.alive) == ([], False)


def test_who_kills_itself_does_not_return(kernel: Kernel) -> None:
    life, said = Life("host"), list[str]()
    kernel.spawn(lambda: (kernel.kill(life), said.append("went on")), "work", life=life)
    kernel.run(1.0)
    assert said == [] and kernel.crashed == []


def test_a_frozen_life_goes_on_later(kernel: Kernel) -> None:
    life, woken = Life("host"), list[float]()
    kernel.spawn(lambda: (kernel.sleep(1.0), woken.append(kernel.now)), "work", life=life)
    kernel.freeze(life, 60.0)
    kernel.run(100.0)
    assert woken == [pytest.approx(61.0, abs=1.0)]


def test_what_a_task_dies_of_is_told(kernel: Kernel) -> None:
    kernel.spawn(lambda: {}["missing"], "work")
    kernel.run(1.0)
    assert len(kernel.crashed) == 1 and "KeyError" in kernel.crashed[0]


def test_the_simulator_itself_must_not_wait(kernel: Kernel) -> None:
    with pytest.raises(Stuck):
        kernel.block(1.0)


def test_one_at_a_time_holds_a_lock(kernel: Kernel) -> None:
    lock, inside, most = primitives.Semaphore(), list[int](), list[int]()

    def work(number: int) -> None:
        with lock:
            inside.append(number)
            most.append(len(inside))
            kernel.sleep(1.0)
            inside.remove(number)

    for number in range(5):
        kernel.spawn(lambda number=number: work(number), "work")  # type: ignore[misc]
    kernel.run(60.0)
    assert most == [1] * 5


def test_a_local_value_is_its_tasks_own(kernel: Kernel) -> None:
    mine, seen = primitives.Local(), list[tuple[str, str]]()

    def work(name: str) -> None:
        assert not hasattr(mine, "name")
        mine.name = name
        kernel.sleep(1.0)
        seen.append((name, mine.name))

    for name in ("a", "b"):
        kernel.spawn(functools.partial(work, name), name)
    kernel.run(2.0)
    assert sorted(seen) == [("a", "a"), ("b", "b")]
    assert not kernel.crashed


def test_a_wait_ends_with_its_time_or_its_event(kernel: Kernel) -> None:
    event, found = primitives.Event(), list[bool]()
    for patience_s in (1.0, 10.0):
        kernel.spawn(lambda s=patience_s: found.append(event.wait(s)), "waits")  # type: ignore[misc]
    kernel.spawn(lambda: (kernel.sleep(5.0), event.set()), "sets")
    kernel.run(60.0)
    assert found == [False, True]


def test_a_pool_runs_so_many_at_a_time(kernel: Kernel) -> None:
    pool, ends = primitives.Pool(2), list[float]()
    handles = [pool.spawn(lambda: (kernel.sleep(10.0), ends.append(kernel.now))) for _ in range(4)]
    kernel.run(100.0)
    assert [round(end, -1) for end in ends] == [10, 10, 20, 20]
    assert all(handle.done() for handle in handles)
