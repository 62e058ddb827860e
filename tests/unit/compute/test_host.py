"""Locks of servers: one at a time, forgotten when nobody wants them."""

from __future__ import annotations

import threading

from nova_lite.compute.host import ServerLocks


def test_the_second_waits_and_is_told_so() -> None:
    locks, order, entered = ServerLocks(), [], threading.Event()

    def second() -> None:
        entered.set()
        with locks.hold("a") as waited:
            order.append(("second", waited))

    with locks.hold("a") as waited:
        order.append(("first", waited))
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait(5)
        while locks._locks["a"][1] < 2:
            pass
        order.append(("first leaves", False))
    thread.join(5)
    assert order == [("first", False), ("first leaves", False), ("second", True)]
    assert locks._locks == {}


def test_other_servers_do_not_wait() -> None:
    locks = ServerLocks()
    with locks.hold("a"), locks.hold("b") as waited:
        assert waited is False
