"""One domain, on libvirt's own test hypervisor: it lives in this process and does no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

libvirt = pytest.importorskip("libvirt", reason="no libvirt binding")

from nova_lite import exception  # noqa: E402
from nova_lite.compute.power_states import PowerState  # noqa: E402
from nova_lite.virt.libvirt.connection import Connection, LibvirtError  # noqa: E402
from nova_lite.virt.libvirt.guest import Guest  # noqa: E402
from nova_lite.virt.libvirt.host import Host  # noqa: E402
from nova_lite.virt.libvirt.options import Options  # noqa: E402
from nova_lite.virt.libvirt.xml.domain import Domain, Mark, Memory, Os  # noqa: E402
from nova_lite.virt.libvirt.xml.element import to_xml  # noqa: E402
from tests.unit.virt.libvirt.build.requests import UUID  # noqa: E402

DOMAIN = Domain(type="test", uuid=UUID, name="guest", mark=Mark(UUID, 3), memory=Memory(16), os=Os())


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection(Options(instances_path="/nowhere", uri="test:///default", host="h1"))
    yield made
    made.close()


@pytest.fixture
def host(connection: Connection) -> Host:
    return Host(connection, Options(instances_path="/", uri="test:///default", host="h1"))


@pytest.fixture
def guest(host: Host) -> Guest:
    return host.define(to_xml(DOMAIN))


def test_facts(host: Host, guest: Guest) -> None:
    assert (guest.uuid, guest.name) == (UUID, "guest")
    assert guest.mark() == Mark(UUID, 3)
    assert guest.power_state() == PowerState.SHUTDOWN
    assert {each.name for each in host.guests()} == {"guest", "test"}
    assert [each.mark() for each in host.guests() if each.name == "test"] == [None]


def test_find(host: Host, guest: Guest) -> None:
    found = host.find(UUID)
    assert found is not None
    assert found.name == "guest"
    assert host.find(UUID.replace("5f", "6f")) is None


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


def test_power_off(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    domain, pressed = guest._domain, []

    def press(flags: int) -> None:  # the test hypervisor's shutdown knows no flags
        pressed.append(flags)
        domain.shutdown()

    monkeypatch.setattr(guest, "_domain", _With(domain, shutdownFlags=press))
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


class Refuses:
    """A domain whose verb fails with libvirt's error of a number."""

    def __init__(self, code: int, times: int, then: Any) -> None:
        self.code, self.times, self.then = code, times, then
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        if self.calls <= self.times:
            raise LibvirtError("refused", code=self.code)
        return self.then(*args)


@pytest.mark.parametrize(("times", "dies"), [(2, True), (3, False)])
def test_a_guest_that_does_not_die_at_once(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, times: int, dies: bool
) -> None:
    guest.start()
    verb = Refuses(libvirt.VIR_ERR_SYSTEM_ERROR, times, guest._domain.destroy)
    monkeypatch.setattr(guest, "_domain", _With(guest._domain, destroy=verb))
    if dies:
        guest.destroy()
        assert not guest.is_active()
    else:
        with pytest.raises(LibvirtError):
            guest.destroy()
        assert guest.is_active()


def test_a_refusal_because_it_is_already_so_is_none(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else starts it between the look and the call."""

    def start_behind_our_back(*args: Any) -> None:
        domain.create()
        raise LibvirtError("already running", code=libvirt.VIR_ERR_OPERATION_INVALID)

    domain = guest._domain
    monkeypatch.setattr(guest, "_domain", _With(domain, create=start_behind_our_back))
    guest.start()
    assert guest.is_active()


class _With:
    """The domain, with one method of ours."""

    def __init__(self, domain: Any, **methods: Any) -> None:
        self._inner, self._methods = domain, methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._inner, name)


def test_a_guest_that_is_gone(host: Host, guest: Guest) -> None:
    guest._domain.undefine()
    for verb in ("start", "pause", "save", "power_state", "mark"):
        with pytest.raises(exception.GuestNotFound):
            getattr(guest, verb)()
    guest.destroy()
    monkey = Refuses(0, 0, lambda *args: guest._domain.undefine())
    guest._domain = _With(guest._domain, undefineFlags=monkey)  # the test hypervisor knows no flags
    guest.undefine()
    assert monkey.calls == 1


def test_a_verb_goes_on_when_libvirtd_comes_back(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The domain's object belongs to the dead connection: it is looked up again on the new one."""
    calls = []

    def gone() -> None:
        calls.append("create")
        raise exception.HypervisorUnavailable(host="h1")

    monkeypatch.setattr(guest, "_domain", _With(guest._domain, create=gone))
    guest.start()
    assert calls == ["create"]
    assert guest.power_state() == PowerState.RUNNING
