"""One domain, on libvirt's own test hypervisor: it lives in this process and does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

libvirt = pytest.importorskip("libvirt", reason="no libvirt binding")

from nova_lite import exception  # noqa: E402
from nova_lite.compute.power_states import PowerState  # noqa: E402
from nova_lite.virt.libvirt.connection import Connection, LibvirtError  # noqa: E402
from nova_lite.virt.libvirt.guest import Guest, Sight  # noqa: E402
from nova_lite.virt.libvirt.host import Host  # noqa: E402
from nova_lite.virt.libvirt.options import Options  # noqa: E402
from nova_lite.virt.libvirt.xml.domain import Domain, Mark, Memory, Os  # noqa: E402
from nova_lite.virt.libvirt.xml.element import to_xml  # noqa: E402
from tests.unit.virt.libvirt.build.requests import UUID  # noqa: E402

DOMAIN = Domain(type="test", uuid=UUID, name="guest", mark=Mark(UUID, 3), memory=Memory(16), os=Os())


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection(Options(instances_path="/nowhere", uri="test:///default", host="h1"))
    made.connect(5)  # whose listener keeps the hypervisor in being between two calls
    yield made
    made.close()


@pytest.fixture
def host(connection: Connection) -> Host:
    return Host(connection, Options(instances_path="/", uri="test:///default", host="h1"))


@pytest.fixture
def guest(host: Host) -> Guest:
    # The test hypervisor lives as long as any connection to it: one that is still closing keeps the last test's domain.
    host.guest(UUID).destroy()
    host.define(to_xml(DOMAIN))
    return host.guest(UUID)


class Override:
    """Methods of the domain replaced by ours; the others go to libvirt."""

    def __init__(self, connection: Connection, monkeypatch: pytest.MonkeyPatch, **methods: Any) -> None:
        self.calls: list[str] = []
        self._methods = methods
        self._inner = connection.on_domain
        monkeypatch.setattr(connection, "on_domain", self._call)

    def _call(self, uuid: str, method: str, *args: Any) -> Any:
        self.calls.append(method)
        ours = self._methods.get(method)
        return ours(*args) if ours else self._inner(uuid, method, *args)


def test_look(host: Host, guest: Guest) -> None:
    expected = Sight(UUID, "guest", PowerState.SHUTDOWN, Mark(UUID, 3))
    assert guest.look() == expected
    assert expected in host.guests()
    assert [(each.name, each.mark) for each in host.guests() if each != expected] == [("test", None)]
    assert host.guest(UUID.replace("5f", "6f")).look() is None


def test_a_mark_that_is_not_ours_is_none(host: Host) -> None:
    foreign = to_xml(DOMAIN).replace('generation="3"', 'generation="three"')
    host.define(foreign)
    sight = host.guest(UUID).look()
    assert sight is not None
    assert sight.mark is None


# verb -> (what leads to it, the state it ends in); each is done twice
VERBS: dict[str, tuple[tuple[str, ...], PowerState]] = {
    "start": ((), PowerState.RUNNING),
    "pause": (("start",), PowerState.PAUSED),
    "unpause": (("start", "pause"), PowerState.RUNNING),
    "save": (("start",), PowerState.SHUTDOWN),
    "destroy": (("start",), PowerState.SHUTDOWN),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_may_be_called_again(guest: Guest, verb: str) -> None:
    before, state = VERBS[verb]
    for each in (*before, verb, verb):
        getattr(guest, each)()
    assert guest.power_state() == state


def test_saved_memory_is_restored_or_forgotten(guest: Guest) -> None:
    guest.start()
    guest.save()
    assert guest.has_saved_memory()
    guest.start()
    assert guest.power_state() == PowerState.RUNNING
    assert not guest.has_saved_memory()
    guest.save()
    guest.forget_saved_memory()
    guest.forget_saved_memory()
    assert not guest.has_saved_memory()


def test_what_cannot_be_done_is_an_error(guest: Guest) -> None:
    for verb in ("pause", "unpause", "save"):
        with pytest.raises(LibvirtError):
            getattr(guest, verb)()


def test_power_off(connection: Connection, guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    inner, pressed = connection.on_domain, []

    def press(flags: int) -> None:  # the test hypervisor's shutdown knows no flags
        pressed.append(flags)
        inner(UUID, "shutdown")

    Override(connection, monkeypatch, shutdownFlags=press)
    guest.start()
    guest.power_off(5)
    guest.power_off(5)
    assert guest.power_state() == PowerState.SHUTDOWN
    assert pressed == [libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN]


class Deaf:
    """A guest that hears no power button; counts how often it was pressed."""

    def __init__(self, guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pressed = 0
        monkeypatch.setattr(guest, "_press_power_button", self._press)
        monkeypatch.setattr("nova_lite.virt.libvirt.guest.ASK_AGAIN_S", 0.02)
        monkeypatch.setattr("nova_lite.virt.libvirt.guest.LOOK_S", 0.005)

    def _press(self) -> None:
        self.pressed += 1


def test_a_deaf_guest_is_asked_again_and_then_cut(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Deaf(guest, monkeypatch)
    guest.start()
    guest.power_off(0.1)
    assert deaf.pressed >= 3
    assert guest.power_state() == PowerState.SHUTDOWN


def test_no_time_cuts_at_once(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Deaf(guest, monkeypatch)
    guest.start()
    guest.power_off(0)
    assert deaf.pressed == 0
    assert guest.power_state() == PowerState.SHUTDOWN


def test_a_paused_guest_is_not_asked(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Deaf(guest, monkeypatch)
    guest.start()
    guest.pause()
    guest.power_off(5)
    assert deaf.pressed == 0
    assert guest.power_state() == PowerState.SHUTDOWN


@pytest.mark.parametrize(("times", "dies"), [(2, True), (3, False)])
def test_a_guest_that_does_not_die_at_once(
    connection: Connection, guest: Guest, monkeypatch: pytest.MonkeyPatch, times: int, dies: bool
) -> None:
    inner, tried = connection.on_domain, []

    def destroy() -> None:
        tried.append(1)
        if len(tried) <= times:
            raise LibvirtError("device busy", code=libvirt.VIR_ERR_SYSTEM_ERROR)
        inner(UUID, "destroy")

    guest.start()
    Override(connection, monkeypatch, destroy=destroy)
    if dies:
        guest.destroy()
    else:
        with pytest.raises(LibvirtError):
            guest.destroy()
    assert len(tried) == 3
    assert guest.is_active() is not dies


def test_a_refusal_because_it_is_already_so_is_none(
    connection: Connection, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else starts it between the look and the call."""
    inner = connection.on_domain

    def start_behind_our_back() -> None:
        inner(UUID, "create")
        raise LibvirtError("already running", code=libvirt.VIR_ERR_OPERATION_INVALID)

    Override(connection, monkeypatch, create=start_behind_our_back)
    guest.start()
    assert guest.is_active()


def test_a_guest_that_is_gone(connection: Connection, guest: Guest) -> None:
    connection.on_domain(UUID, "undefine")
    for verb in ("start", "pause", "save", "power_state"):
        with pytest.raises(exception.GuestNotFound):
            getattr(guest, verb)()
    guest.destroy()
    guest.undefine()
    assert guest.look() is None


def test_undefine_takes_saved_memory_and_variables_along(
    connection: Connection, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    Override(connection, monkeypatch, undefineFlags=asked.append)  # the test hypervisor knows less
    guest.undefine()
    assert asked[0] & libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    assert asked[0] & libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
