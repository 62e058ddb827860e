"""Many calls that begin together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def at_once(number: int, call: Callable[[int], T], timeout_s: float = 60.0) -> list[T]:
    """The answers of call(0) .. call(number - 1), in order: each in a thread, none begun before all are there.

    The first error of a call is raised here.

    :raises TimeoutError: a call has not ended after so many seconds.
    """
    barrier = threading.Barrier(number)
    answers: dict[int, T] = {}
    errors: list[BaseException] = []

    def run(index: int) -> None:
        try:
            barrier.wait(timeout_s)
            answers[index] = call(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout_s)
    if errors:
        raise errors[0]
    if len(answers) < number:
        raise TimeoutError(f"{number - len(answers)} of {number} calls have not ended after {timeout_s} s")
    return [answers[index] for index in range(number)]
