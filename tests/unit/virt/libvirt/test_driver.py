"""What the driver decides: by state and generation of the guest it finds. Host, disks and launcher are recorders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("libvirt", reason="no libvirt binding")

from nova_lite import exception  # noqa: E402
from nova_lite.compute.power_states import PowerState  # noqa: E402
from nova_lite.objects import ImageMeta  # noqa: E402
from nova_lite.virt import images  # noqa: E402
from nova_lite.virt.driver import Guest as Listed  # noqa: E402
from nova_lite.virt.event import LifecycleEvent, Transition  # noqa: E402
from nova_lite.virt.libvirt import driver as module  # noqa: E402
from nova_lite.virt.libvirt.driver import LibvirtDriver  # noqa: E402
from nova_lite.virt.libvirt.guest import Sight  # noqa: E402
from nova_lite.virt.libvirt.options import Options  # noqa: E402
from nova_lite.virt.libvirt.xml.domain import Mark  # noqa: E402
from tests.unit.virt.libvirt.build.requests import INSTANCE, USER, UUID  # noqa: E402

SERVER = INSTANCE.replace(generation=5, image=ImageMeta(id="i", disk_format="raw"))
RUNNING, PAUSED, OFF = PowerState.RUNNING, PowerState.PAUSED, PowerState.SHUTDOWN


class Guest:
    """Remembers what was asked of it; ``hears`` the power button."""

    def __init__(self, state: PowerState = RUNNING, generation: int | None = 5, hears: bool = True) -> None:
        self.uuid, self.name = UUID, f"instance-{UUID}"
        self.state, self.generation, self.hears = state, generation, hears
        self.asked: list[str] = []

    def look(self) -> Sight | None:
        mark = None if self.generation is None else Mark(UUID, self.generation)
        return None if self.state == PowerState.NOSTATE else Sight(UUID, self.name, self.state, mark)

    def shut_down(self, timeout_s: float) -> bool:
        self.asked.append(f"shut_down {timeout_s}")
        self.state = OFF if self.hears else self.state
        return self.hears

    def destroy(self) -> None:
        self.asked.append("destroy")
        self.state = OFF

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.asked.append(" ".join([name, *map(str, args)]))


class Host:
    def __init__(self) -> None:
        self.found = Guest(PowerState.NOSTATE)

    def guest(self, uuid: str) -> Guest:
        return self.found

    def guests(self) -> tuple[Sight, ...]:
        sight = self.found.look()
        return (sight,) if sight else ()


class Recorder:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append(name)


@pytest.fixture
def driver() -> Iterator[LibvirtDriver]:
    made = LibvirtDriver(Options(instances_path="/nowhere", uri="test:///default"), Recorder())  # type: ignore[arg-type]
    made._host, made._disks, made._launcher = Host(), Recorder(), Recorder()  # type: ignore[assignment]
    yield made
    made.close()


def do(driver: LibvirtDriver, verb: str, *args: Any, guest: Guest | None) -> tuple[list[str], list[str]]:
    """What was asked of the guest, and of the launcher."""
    driver._host.found = guest or Guest(PowerState.NOSTATE)  # type: ignore[attr-defined]
    getattr(driver, verb)(SERVER, *args)
    return (guest.asked if guest else []), driver._launcher.calls  # type: ignore[attr-defined]


LAUNCH = ["launch"]
VIFS = (USER,)
SOFT, HARD = (VIFS, False), (VIFS, True)
ASK = [f"shut_down {module.SOFT_REBOOT_S}"]
CUT = ["destroy", "forget_saved_memory"]

# verb, arguments, the guest that is there, what is asked of it, whether a guest is launched
TABLE: list[tuple[str, tuple[Any, ...], Any, list[str], list[str]]] = [
    ("spawn", (VIFS,), lambda: None, [], LAUNCH),
    ("spawn", (VIFS,), lambda: Guest(OFF), [], LAUNCH),
    ("spawn", (VIFS,), lambda: Guest(RUNNING), ["unpause"], []),
    ("spawn", (VIFS,), lambda: Guest(PAUSED), ["unpause"], []),
    ("spawn", (VIFS,), lambda: Guest(RUNNING, generation=4), ["destroy"], LAUNCH),
    ("spawn", (VIFS,), lambda: Guest(RUNNING, generation=None), ["destroy"], LAUNCH),
    ("destroy", (), lambda: None, [], []),
    ("destroy", (), lambda: Guest(RUNNING), ["destroy", "undefine"], []),
    ("destroy", (), lambda: Guest(OFF, generation=4), ["destroy", "undefine"], []),
    ("power_on", (VIFS,), lambda: None, [], LAUNCH),
    ("power_on", (VIFS,), lambda: Guest(OFF), [], LAUNCH),
    ("power_on", (VIFS,), lambda: Guest(RUNNING), [], []),
    ("power_off", (7,), lambda: None, [], []),
    ("power_off", (7,), lambda: Guest(RUNNING), ["power_off 7"], []),
    ("reboot", SOFT, lambda: None, [], LAUNCH),
    ("reboot", SOFT, lambda: Guest(RUNNING), ASK, LAUNCH),
    ("reboot", SOFT, lambda: Guest(RUNNING, hears=False), ASK + CUT, LAUNCH),
    ("reboot", SOFT, lambda: Guest(OFF), CUT, LAUNCH),
    ("reboot", HARD, lambda: None, [], LAUNCH),
    ("reboot", HARD, lambda: Guest(RUNNING), CUT, LAUNCH),
    ("reboot", HARD, lambda: Guest(PAUSED), CUT, LAUNCH),
    ("reboot", HARD, lambda: Guest(OFF), CUT, LAUNCH),
    ("pause", (), lambda: Guest(RUNNING), ["pause"], []),
    ("unpause", (), lambda: Guest(PAUSED), ["unpause"], []),
    ("suspend", (), lambda: Guest(RUNNING), ["save"], []),
    ("resume", (VIFS,), lambda: Guest(OFF), [], LAUNCH),
    ("resume", (VIFS,), lambda: None, [], LAUNCH),
    ("resume", (VIFS,), lambda: Guest(PAUSED), ["unpause"], []),
]


@pytest.mark.parametrize(("verb", "args", "make", "asked", "launched"), TABLE)
def test_decisions(
    driver: LibvirtDriver, verb: str, args: tuple[Any, ...], make: Any, asked: list[str], launched: list[str]
) -> None:
    assert do(driver, verb, *args, guest=make()) == (asked, launched)


@pytest.mark.parametrize(("verb", "args"), sorted({(verb, args) for verb, args, *_ in TABLE}, key=str))
def test_a_guest_of_a_later_generation_is_not_touched(driver: LibvirtDriver, verb: str, args: tuple[Any, ...]) -> None:
    guest = Guest(RUNNING, generation=6)
    with pytest.raises(exception.StaleWrite):
        do(driver, verb, *args, guest=guest)
    assert guest.asked == []
    assert driver._launcher.calls == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", ["pause", "unpause", "suspend"])
def test_what_needs_a_guest(driver: LibvirtDriver, verb: str) -> None:
    with pytest.raises(exception.GuestNotFound, match=UUID):
        do(driver, verb, guest=None)


def test_power_state(driver: LibvirtDriver) -> None:
    assert driver.power_state(SERVER) == PowerState.NOSTATE
    driver._host.found = Guest(PAUSED)  # type: ignore[attr-defined]
    assert driver.power_state(SERVER) == PAUSED


def test_guests(driver: LibvirtDriver) -> None:
    assert driver.list_guests() == ()
    assert driver.find_guest(UUID) is None
    for generation in (None, 4):
        driver._host.found = Guest(OFF, generation=generation)  # type: ignore[attr-defined]
        assert driver.list_guests() == (Listed(UUID, f"instance-{UUID}", OFF, generation),)
        assert driver.find_guest(UUID) == Listed(UUID, f"instance-{UUID}", OFF, generation)


@pytest.mark.parametrize(("guest", "deleted"), [(None, True), (Guest(OFF), True), (Guest(RUNNING), False)])
def test_disks_of_a_running_guest_stay(driver: LibvirtDriver, guest: Guest | None, deleted: bool) -> None:
    if deleted:
        do(driver, "delete_disks", guest=guest)
    else:
        with pytest.raises(exception.NovaLiteError, match="still runs"):
            do(driver, "delete_disks", guest=guest)
    assert driver._disks.calls == (["delete"] if deleted else [])  # type: ignore[attr-defined]


def test_a_property_is_refused_before_anything_is_fetched(driver: LibvirtDriver) -> None:
    hostile = SERVER.replace(image=ImageMeta(id="i", properties={"hw_machine_type": "a b"}))
    with pytest.raises(exception.ImageUnacceptable):
        driver.create_disks(None, hostile)
    assert driver._disks.calls == []  # type: ignore[attr-defined]


# -- events -----------------------------------------------------------------------------------------------------------


def test_events_reach_every_listener(driver: LibvirtDriver) -> None:
    heard: list[LifecycleEvent] = []

    def broken(event: LifecycleEvent) -> None:
        raise RuntimeError("a listener's own fault")

    driver.register_event_listener(broken)
    driver.register_event_listener(heard.append)
    driver._on_event((UUID, 2, 0, 1.5))
    driver._on_event((UUID, 0, 0, 1.6))  # defined: changes nothing a server shows
    driver._on_event((UUID, 5, 4, 1.7))
    assert heard == [
        LifecycleEvent(UUID, Transition.STARTED, 1.5),
        LifecycleEvent(UUID, Transition.SUSPENDED, 1.7),
    ]


@pytest.mark.parametrize(("state", "transition"), [(RUNNING, Transition.STARTED), (OFF, Transition.STOPPED)])
def test_after_a_reconnection_every_guest_is_reported(
    driver: LibvirtDriver, state: PowerState, transition: Transition
) -> None:
    heard: list[LifecycleEvent] = []
    driver.register_event_listener(heard.append)
    driver._host.found = Guest(state)  # type: ignore[attr-defined]
    driver._on_reconnect()
    assert [(event.uuid, event.transition) for event in heard] == [(UUID, transition)]


def test_a_reconnection_that_breaks_again_is_no_crash(driver: LibvirtDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Any:
        raise exception.HypervisorUnavailable(host="h")

    monkeypatch.setattr(driver._host, "guests", gone)
    driver._on_reconnect()


# -- loading ----------------------------------------------------------------------------------------------------------


class Conf:
    """The [libvirt] group with its defaults."""

    def __init__(self, tmp_path: Any, uri: str) -> None:
        values = {**vars(Options(instances_path=str(tmp_path / "instances"))), "uri": uri}
        self.libvirt = type("Group", (), values)


def test_load_connects(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PROGRAMS", ("sh",))
    made = module.load(Conf(tmp_path, "test:///default"), "h1", Recorder())  # type: ignore[arg-type]
    try:
        made.init_host()
        assert (tmp_path / "instances").stat().st_mode & 0o777 == 0o700
        assert made.check_health() is None
        assert made.inventory().hypervisor_hostname == "h1"
    finally:
        made.close()


def test_load_says_that_nobody_answers(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PROGRAMS", ("sh",))
    with pytest.raises(exception.HypervisorUnavailable, match="h1: .*/none.*No such file"):
        module.load(Conf(tmp_path, f"qemu:///system?socket={tmp_path}/none"), "h1", Recorder())  # type: ignore[arg-type]


def test_load_says_what_is_missing(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PROGRAMS", ("no-such-program", "sh"))
    with pytest.raises(exception.ConfigInvalid, match="needs no-such-program: install"):
        module.load(Conf(tmp_path, "test:///default"), "h1", Recorder())  # type: ignore[arg-type]


def test_an_unusable_instances_directory_is_a_clear_error(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PROGRAMS", ("sh",))
    (tmp_path / "instances").write_text("a file")
    made = module.load(Conf(tmp_path, "test:///default"), "h1", Recorder())  # type: ignore[arg-type]
    try:
        with pytest.raises(exception.ConfigInvalid, match="instances_path"):
            made.init_host()
    finally:
        made.close()
