"""The libvirt driver against a real libvirtd, QEMU and a guest that boots."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from nova_lite import concurrency, exception
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import ImageMeta, Instance, Vif
from nova_lite.virt.event import LifecycleEvent, Transition
from tests.harness import hypervisor
from tests.harness.guest import nano
from tests.harness.hypervisor import Hypervisor, Images, make_server, make_vif, wait_for, wait_for_login

if TYPE_CHECKING:
    from nova_lite.virt.libvirt.driver import LibvirtDriver

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(hypervisor.impossible()), reason=f"no hypervisor: {hypervisor.impossible()}"),
]
TOP = pathlib.Path(__file__).resolve().parents[3]


def transitions(heard: list[LifecycleEvent], server: Instance) -> list[Transition]:
    return [event.transition for event in heard if event.uuid == server.uuid]


# -- a guest's life ---------------------------------------------------------------------------------------------------


def test_boots_to_a_login_prompt(driver: LibvirtDriver, running: Instance) -> None:
    assert b"nano boot 01" in driver.console_output(running, 1000)
    assert driver.console_output(running, len(nano.PROMPT)) == nano.PROMPT
    (guest,) = driver.list_guests()
    assert (guest.uuid, guest.power_state, guest.generation) == (running.uuid, PowerState.RUNNING, 1)
    inventory = driver.inventory()
    assert inventory.running_vms == 1
    assert inventory.hypervisor_type == "QEMU"
    assert ("x86_64", "qemu", "hvm") in inventory.supported_instances
    assert inventory.local_gb > 0
    assert driver.check_health() is None


def test_stop_and_start_keep_the_disk(driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...]) -> None:
    started = time.monotonic()
    driver.power_off(running, 30)
    assert time.monotonic() - started < 20, "the power button was not obeyed"
    assert driver.power_state(running) == PowerState.SHUTDOWN
    assert b"power button" in driver.console_output(running, 1000)
    driver.power_off(running, 30)
    driver.power_on(running, vifs)
    driver.power_on(running, vifs)
    assert b"nano boot 02" in wait_for_login(driver, running, 2)


def test_reboots(driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...]) -> None:
    driver.reboot(running, vifs, hard=False)
    assert b"power button" in wait_for_login(driver, running, 2)
    driver.reboot(running, vifs, hard=True)
    console = wait_for_login(driver, running, 3)
    assert console.count(b"power button") == 1
    assert b"nano boot 03" in console


def test_pause(driver: LibvirtDriver, running: Instance) -> None:
    for verb, state in ((driver.pause, PowerState.PAUSED), (driver.unpause, PowerState.RUNNING)):
        verb(running)
        verb(running)
        assert driver.power_state(running) == state


def test_suspend_keeps_memory(
    driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...], heard: list[LifecycleEvent]
) -> None:
    driver.suspend(running)
    driver.suspend(running)
    assert driver.power_state(running) == PowerState.SHUTDOWN
    wait_for(lambda: Transition.SUSPENDED in transitions(heard, running), "the event")
    driver.resume(running, vifs)
    driver.resume(running, vifs)
    assert driver.power_state(running) == PowerState.RUNNING
    concurrency.sleep(0.5)
    assert driver.console_output(running, 1000).count(nano.PROMPT) == 1, "it booted instead of going on"


@pytest.mark.parametrize("before", ["pause", "suspend", "power_off"])
def test_a_hard_reboot_starts_from_anywhere(
    driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...], before: str
) -> None:
    getattr(driver, before)(running)
    driver.reboot(running, vifs, hard=True)
    wait_for_login(driver, running, 2)
    assert driver.power_state(running) == PowerState.RUNNING


def test_destroy_leaves_nothing(driver: LibvirtDriver, running: Instance, tmp_path: pathlib.Path) -> None:
    with pytest.raises(exception.NovaLiteError, match="still runs"):
        driver.delete_disks(running)
    for _ in range(2):
        driver.destroy(running)
        driver.delete_disks(running)
    assert driver.list_guests() == ()
    assert driver.power_state(running) == PowerState.NOSTATE
    assert os.listdir(tmp_path / "instances") == ["_base"]
    assert driver.console_output(running, 100) == b""


def test_destroy_of_a_suspended_one(driver: LibvirtDriver, running: Instance, hv: Hypervisor) -> None:
    driver.suspend(running)
    saved = hv.directory / "lib" / "qemu" / "save"
    assert list(saved.iterdir())
    driver.destroy(running)
    assert not list(saved.iterdir())


# -- again, after a crash ---------------------------------------------------------------------------------------------


def test_spawn_again_leaves_the_guest_alone(
    driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...], heard: list[LifecycleEvent]
) -> None:
    driver.create_disks(None, running)
    driver.spawn(running, vifs)
    concurrency.sleep(0.3)
    assert transitions(heard, running).count(Transition.STARTED) == 1
    assert driver.console_output(running, 1000).count(nano.PROMPT) == 1


def test_spawn_of_a_later_generation_replaces_it(
    driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...]
) -> None:
    later = running.replace(generation=2)
    driver.spawn(later, vifs)
    wait_for_login(driver, later, 2)
    assert driver.list_guests()[0].generation == 2
    with pytest.raises(exception.StaleWrite):
        driver.destroy(running)
    assert driver.power_state(later) == PowerState.RUNNING
    driver.destroy(later)


def test_another_driver_takes_over(
    driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...], hv: Hypervisor, tmp_path: pathlib.Path
) -> None:
    """The daemon was killed and started again; the killed one said no good-bye."""
    successor = hypervisor.make_driver(hv.uri, tmp_path, Images())
    try:
        assert successor.list_guests()[0].uuid == running.uuid
        successor.reboot(running, vifs, hard=True)
        wait_for_login(successor, running, 2)
        successor.destroy(running)
        successor.delete_disks(running)
    finally:
        successor.close()


def test_many_at_once_fetch_the_image_once(
    driver: LibvirtDriver, image: ImageMeta, images: Images, tmp_path: pathlib.Path
) -> None:
    servers = [make_server(image) for _ in range(4)]

    def build(server: Instance) -> None:
        driver.create_disks(None, server)
        driver.spawn(server, (make_vif(),))

    try:
        for handle in [concurrency.spawn(build, each) for each in servers]:
            handle.wait(60)
        for each in servers:
            wait_for_login(driver, each)
    finally:
        for each in servers:
            driver.destroy(each)
            driver.delete_disks(each)
    assert images.downloads == [image.id]
    assert len(list((tmp_path / "instances" / "_base").iterdir())) == 2


def test_disks_of_every_kind(driver: LibvirtDriver, image: ImageMeta, tmp_path: pathlib.Path) -> None:
    """An unpacked qcow2, blank disks, a config drive; each file with its format, none readable by others."""
    packed = tmp_path / "nano.qcow2"
    raw = nano.build(tmp_path)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", raw, packed], check=True)
    source = driver._image_api.add(packed, "qcow2")  # type: ignore[attr-defined]
    flavor = hypervisor.TINY.replace(root_gb=0, ephemeral_gb=1, swap_mb=16)
    server = make_server(source, flavor=flavor, config_drive=True)
    driver.create_disks(None, server)
    try:
        driver.spawn(server, ())
        assert b"nano boot 01" in wait_for_login(driver, server)
        modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "instances" / server.uuid).iterdir()}
        assert set(modes) == {"console.log", "disk.config", "disk.ephemeral", "disk.root", "disk.swap", "disks.json"}
        assert set(modes.values()) == {0}
    finally:
        driver.destroy(server)
        driver.delete_disks(server)


# -- what happens by itself -------------------------------------------------------------------------------------------


def test_events(driver: LibvirtDriver, running: Instance, hv: Hypervisor, heard: list[LifecycleEvent]) -> None:
    """A guest that goes down by itself, and a QEMU that is killed, are told within moments."""
    wait_for(lambda: Transition.STARTED in transitions(heard, running), "started")
    before = time.monotonic()
    os.kill(hv.qemu_pid(f"instance-{running.uuid}"), signal.SIGKILL)
    wait_for(lambda: Transition.STOPPED in transitions(heard, running), "stopped", 5)
    assert time.monotonic() - before < 3
    (stopped,) = [event for event in heard if event.transition == Transition.STOPPED]
    assert abs(stopped.at - before) < 1.5
    assert driver.power_state(running) in (PowerState.SHUTDOWN, PowerState.CRASHED)


def _descriptors(driver: LibvirtDriver) -> int:
    """Those open, but for the two of each connection that lies ready: there are as many as calls have met."""
    return len(os.listdir("/proc/self/fd")) - 2 * len(driver._connection._idle)


def test_a_killed_libvirtd_comes_back(
    driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...], hv: Hypervisor, heard: list[LifecycleEvent]
) -> None:
    wait_for(lambda: Transition.STARTED in transitions(heard, running), "started")
    before = _descriptors(driver)
    for _ in range(3):
        heard.clear()
        old = hv.pid()
        os.kill(old, signal.SIGKILL)
        assert driver.power_state(running) == PowerState.RUNNING, "a call waits for libvirtd to come back"
        assert hv.pid() != old
        wait_for(lambda: transitions(heard, running), "the standing of every guest is told after the reconnection")
        assert transitions(heard, running)[0] == Transition.STARTED
    assert driver.console_output(running, 1000).count(nano.PROMPT) == 1, "the guest did not live through it"
    driver.pause(running)
    wait_for(lambda: Transition.PAUSED in transitions(heard, running), "events flow again")
    wait_for(lambda: _descriptors(driver) <= before, "what reconnections opened is closed again")


def test_a_libvirtd_that_stays_away_is_said(
    driver: LibvirtDriver, running: Instance, hv: Hypervisor, heard: list[LifecycleEvent]
) -> None:
    hv.verb("stop")
    try:
        assert "hv1" in (driver.check_health() or "")
        with pytest.raises(exception.HypervisorUnavailable):
            driver.power_state(running)
    finally:
        hv.verb("start")
    wait_for(lambda: driver.check_health() is None, "well again")
    assert driver.power_state(running) == PowerState.SHUTDOWN, "stop ends the guests, their definitions stay"
    wait_for(lambda: Transition.STOPPED in transitions(heard, running), "what was missed is told")


def test_console_logs_are_kept_short(driver: LibvirtDriver, running: Instance, vifs: tuple[Vif, ...]) -> None:
    from nova_lite.virt.libvirt import consolelog

    path = driver._disks.paths(running.uuid).console_log
    assert consolelog.trim(path, 10)
    driver.reboot(running, vifs, hard=True)
    console = wait_for_login(driver, running, 1)
    assert b"nano boot 02" in console
    assert b"\0" not in console, "QEMU wrote behind the cut"


# -- the same under both backends, and the script ---------------------------------------------------------------------


@pytest.mark.parametrize("backend", [concurrency.EVENTLET, concurrency.THREADING])
def test_a_whole_life(backend: str, hv: Hypervisor, tmp_path: pathlib.Path) -> None:
    life = [sys.executable, "-m", "tests.harness.libvirt_life", backend, hv.uri, str(tmp_path)]
    done = subprocess.run(life, cwd=TOP, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["states"] == {
        "create_disks": 0, "spawn": 1, "pause": 3, "unpause": 1, "suspend": 4, "resume": 1, "reboot": 1,
        "power_off": 4, "power_on": 1, "destroy": 0, "delete_disks": 0,
    }  # fmt: skip
    for transition in ("started", "paused", "resumed", "suspended", "stopped"):
        assert transition in found["events"]
    assert found["longest_stall_s"] < 0.25, "other work stood still while libvirt was called"


def test_the_script_is_idempotent(hv: Hypervisor) -> None:
    pid = hv.pid()
    assert hv.verb("start") == hv.uri == hv.verb("uri")
    assert hv.pid() == pid
    hv.verb("status")
    hv.verb("stop")
    hv.verb("stop")
    assert not pathlib.Path(f"/proc/{pid}").exists()
    assert subprocess.run([hypervisor.LIBVIRTD, "status", hv.directory]).returncode == 3
    assert hv.verb("start") == hv.uri


def test_a_libvirtd_that_hangs_holds_nobody_for_ever(
    hv: Hypervisor, tmp_path: pathlib.Path, images: Images, running: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP: the socket stays open and nobody answers. The keepalive ends the calls; all is well afterwards."""
    monkeypatch.setattr("nova_lite.virt.libvirt.connection.OPEN_TIMEOUT_S", 3)
    impatient = hypervisor.make_driver(hv.uri, tmp_path, images, keepalive_s=1, reconnect_wait_s=0)
    pid = hv.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        calls = [concurrency.spawn(impatient.power_state, running) for _ in range(4)]
        for call in calls:
            assert isinstance(call.exception(20), exception.HypervisorUnavailable)
        assert impatient.check_health() is not None
    finally:
        os.kill(pid, signal.SIGCONT)
    try:
        wait_for(lambda: impatient.check_health() is None, "well again")
        assert impatient.power_state(running) == PowerState.RUNNING
    finally:
        impatient.close()
