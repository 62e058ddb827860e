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
        while thread.is_alive() and locks._locks["a"][1] < 2:
            pass
        order.append(("first leaves", False))
    thread.join(5)
    assert order == [("first", False), ("first leaves", False), ("second", True)]
    assert locks._locks == {}


def test_other_servers_do_not_wait() -> None:
    locks = ServerLocks()
    with locks.hold("a"), locks.hold("b") as waited:
        assert waited is False


def test_who_had_it_meanwhile_is_told() -> None:
    locks = ServerLocks()
    begun = locks.left
    with locks.hold("a", begun) as changed:
        assert not changed
    for uuid, since, expected in (("a", begun, True), ("b", begun, False), ("a", locks.left + 2, False)):
        with locks.hold(uuid, since) as changed:
            assert changed is expected, (uuid, since)


def test_what_is_forgotten_may_have_changed() -> None:
    locks = ServerLocks()
    for number in range(300):
        with locks.hold(f"s{number}"):
            pass
    with locks.hold("a", 0) as changed:
        assert changed is True
    assert len(locks._left) == 256
