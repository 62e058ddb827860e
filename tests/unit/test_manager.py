from __future__ import annotations

from nova_lite import manager


def test_a_small_manager_is_its_own_endpoint() -> None:
    subject = manager.Manager("host1")
    assert subject.endpoints() == [subject]
    assert subject.periodic_tasks() == []
    assert subject.is_healthy()


def test_life_cycle_names_are_reserved() -> None:
    assert {"init_host", "start", "stop", "pre_stop", "reset", "endpoints", "periodic_tasks"} <= manager.RESERVED


def test_periodic_task_names_itself() -> None:
    assert manager.PeriodicTask(print, 5).label == "print"
    assert manager.PeriodicTask(print, 5, name="tidy").label == "tidy"
