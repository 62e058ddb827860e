"""The runner of steps: all done and recorded, or all begun undone in reverse."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.compute.steps import NotNow, Step, run


class Log(list[str]):
    def step(
        self, name: str, fails: BaseException | None = None, undo_fails: bool = False, lasts: bool = False
    ) -> Step:
        def do() -> dict[str, object]:
            self.append(f"do {name}")
            if fails:
                raise fails
            return {"from": name}

        def undo() -> None:
            self.append(f"undo {name}")
            if undo_fails:
                raise RuntimeError(name)

        return Step(name, do, undo, lasts)

    def record(self, name: str, values: dict[str, object]) -> None:
        self.append(f"record {name} {values}")


def test_steps_are_done_and_recorded_in_order() -> None:
    log = Log()
    run([log.step("a"), log.step("b")], log.record, "test")
    assert log == ["do a", "record a {'from': 'a'}", "do b", "record b {'from': 'b'}"]


def test_a_failure_undoes_what_was_begun_in_reverse_and_is_raised() -> None:
    log = Log()
    with pytest.raises(ValueError, match="broken"):
        run([log.step("a"), log.step("b", ValueError("broken")), log.step("c")], log.record, "test")
    assert log[-3:] == ["do b", "undo b", "undo a"]


def test_a_refused_record_undoes_too() -> None:
    log = Log()

    def refuse(name: str, values: dict[str, object]) -> None:
        raise exception.StaleWrite(what="it")

    with pytest.raises(exception.StaleWrite):
        run([log.step("a")], refuse, "test")
    assert log == ["do a", "undo a"]


def test_an_undo_that_fails_does_not_stop_the_others() -> None:
    log = Log()
    with pytest.raises(ValueError):
        run([log.step("a"), log.step("b", undo_fails=True), log.step("c", ValueError())], log.record, "test")
    assert log[-3:] == ["undo c", "undo b", "undo a"]


def test_what_lasts_and_cannot_be_undone_is_said() -> None:
    log = Log()
    with pytest.raises(NotNow) as caught:
        run([log.step("a", undo_fails=True, lasts=True), log.step("b", ValueError("broken"))], log.record, "test")
    assert str(caught.value.__cause__) == "broken" and log[-1] == "undo a"


def test_who_was_overtaken_hears_that_whatever_is_left() -> None:
    log = Log()
    with pytest.raises(exception.StaleWrite):
        run([log.step("a", exception.StaleWrite(what="it"), undo_fails=True, lasts=True)], log.record, "test")


def test_a_service_that_stops_undoes_nothing() -> None:
    log = Log()
    with pytest.raises(exception.ServiceStopping):
        run([log.step("a"), log.step("b", exception.ServiceStopping())], log.record, "test")
    assert not [line for line in log if line.startswith("undo")]
