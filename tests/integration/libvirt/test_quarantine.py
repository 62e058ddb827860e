"""Guests that are set apart, redefined or undefined behind our back, against a real libvirtd and QEMU."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any, cast

import pytest

from nova_lite import exception
from nova_lite.compute import custody, reconcile
from nova_lite.compute.custody import Place, Power
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Instance, Presence, Vif
from nova_lite.virt.driver import Quarantine
from tests.harness import hypervisor
from tests.harness.hypervisor import Hypervisor, wait_for_login

if TYPE_CHECKING:
    from nova_lite.virt.libvirt.driver import LibvirtDriver

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(hypervisor.impossible()), reason=f"no hypervisor: {hypervisor.impossible()}"),
]
NOTE = Quarantine("nobody knows it & <more>", "2026-01-02T03:04:05")


def virsh(hv: Hypervisor, *words: str) -> str:
    done = subprocess.run(["virsh", "-c", hv.uri, *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Books:
    """A conductor that knows no servers."""

    def __init__(self) -> None:
        self.found: list[Presence] = []

    def judge_guests(self, ctxt: Any, host: str, found: list[Presence]) -> dict[str, Any]:
        self.found = found
        rulings = {}
        for each in found:
            power = Power.DISKS if not each.has_guest else (
                Power.RUNNING if each.power_state == PowerState.RUNNING else Power.OFF
            )  # fmt: skip
            rule = custody.judge(Place.ABSENT, custody.mark_of(each.generation, None, each.has_guest), power)
            rulings[each.uuid] = {"verdict": rule.verdict, "place": Place.ABSENT, "power": power, "why": rule.why}
        return {"rulings": rulings, "servers": [], "evacuated": []}


def _clean(driver: LibvirtDriver) -> Books:
    books = Books()
    nobody = cast(Any, None)
    reconcile.clean(ComputeHost("hv1", driver, cast(Any, books), nobody, nobody, nobody), nobody)
    return books


def test_a_guest_is_set_apart_kept_and_started_anew(
    hv: Hypervisor, driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...]
) -> None:
    virsh(hv, "autostart", running.uuid)
    driver.quarantine(running.uuid, NOTE)
    driver.quarantine(running.uuid, Quarantine("later", "2027-01-01T00:00:00"))
    (guest,) = driver.list_guests()
    assert (guest.power_state, guest.generation, guest.quarantine) == (PowerState.SHUTDOWN, 1, NOTE)
    assert running.uuid in driver.list_disks()
    assert "disable" in next(line for line in virsh(hv, "dominfo", running.uuid).splitlines() if "Autostart" in line)
    virsh(hv, "start", running.uuid)  # by hand: the note stays, and it is set apart again
    started = driver.find_guest(running.uuid)
    assert started is not None and (started.power_state, started.quarantine) == (PowerState.RUNNING, NOTE)
    driver.quarantine(running.uuid, NOTE)
    driver.power_on(running, vifs)
    wait_for_login(driver, running, 2)
    again = driver.find_guest(running.uuid)
    assert again is not None and (again.generation, again.quarantine) == (1, None)


def test_release_and_discard(driver: LibvirtDriver, running: Instance) -> None:
    with pytest.raises(exception.GuestNotFound):
        driver.discard(running.uuid)
    driver.quarantine(running.uuid, NOTE)
    driver.release(running.uuid)
    driver.release(running.uuid)
    (guest,) = driver.list_guests()
    assert (guest.power_state, guest.quarantine) == (PowerState.SHUTDOWN, None)
    with pytest.raises(exception.GuestNotFound):
        driver.discard(running.uuid)
    driver.quarantine(running.uuid, NOTE)
    driver.discard(running.uuid)
    assert driver.list_guests() == () and running.uuid not in driver.list_disks()
    with pytest.raises(exception.GuestNotFound):
        driver.quarantine(running.uuid, NOTE)


def test_a_running_guest_that_was_undefined_is_defined_again_before_its_power_is_cut(
    hv: Hypervisor, driver: LibvirtDriver, running: Instance
) -> None:
    virsh(hv, "undefine", running.uuid)
    books = _clean(driver)
    assert [(each.uuid, each.generation) for each in books.found] == [(running.uuid, 1)]
    (guest,) = driver.list_guests()
    assert guest.power_state == PowerState.SHUTDOWN and guest.quarantine is not None
    assert guest.quarantine.reason == "the database does not know the server"
    assert running.uuid in driver.list_disks()


def test_a_guest_without_our_mark_is_left_alone(hv: Hypervisor, driver: LibvirtDriver, running: Instance) -> None:
    """Redefined by hand, or somebody else's: the mark is gone."""
    for flag in ("--config", "--live"):
        virsh(hv, "metadata", running.uuid, "urn:nova-lite:libvirt:domain:1", "--remove", flag)
    _clean(driver)
    (guest,) = driver.list_guests()
    assert (guest.power_state, guest.generation, guest.quarantine) == (PowerState.RUNNING, None, None)


def test_the_identity_of_a_host_lies_beside_its_guests(driver: LibvirtDriver, running: Instance) -> None:
    from nova_lite.identity_file import IdentityFile

    made = IdentityFile("hv1", driver.state_directory()).load()
    assert made is not None and driver.list_disks() == {running.uuid}
    with pytest.raises(exception.HostRefused, match="those of host 'hv1'"):
        IdentityFile("renamed", driver.state_directory()).load()
