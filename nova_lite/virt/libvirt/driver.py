"""The libvirt driver: says who does what, and does nothing itself."""

from __future__ import annotations

import logging
import os
import pathlib
import shutil
import time
from collections.abc import Callable
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Instance, Vif
from nova_lite.virt import driver, images
from nova_lite.virt.event import LifecycleEvent
from nova_lite.virt.libvirt import consolelog, events
from nova_lite.virt.libvirt.build import properties
from nova_lite.virt.libvirt.connection import Connection, Event
from nova_lite.virt.libvirt.disks import Disks
from nova_lite.virt.libvirt.guest import Guest, Sight
from nova_lite.virt.libvirt.host import Host
from nova_lite.virt.libvirt.imagecache import ImageCache, ImageDoor
from nova_lite.virt.libvirt.launcher import Launcher
from nova_lite.virt.libvirt.options import MIB, Options, from_conf
from nova_lite.virt.libvirt.xml.domain import QuarantineNote

LOG = logging.getLogger(__name__)

SOFT_REBOOT_S = 60
TRIM_EVERY_S = 30

ACTIVE = (PowerState.RUNNING, PowerState.PAUSED, PowerState.SUSPENDED)  # there is a process; SUSPENDED is ACPI S3

Listener = Callable[[LifecycleEvent], None]


class LibvirtDriver(
    driver.ComputeDriver, driver.QuarantineDriver, driver.PowerDriver, driver.PauseDriver, driver.SuspendDriver,
    driver.ConsoleDriver,
):  # fmt: skip
    """:param image_api: the image service's door: ``get(ctxt, id)``, ``download(ctxt, id, path)``."""

    capabilities = frozenset({"quarantine", "power", "pause", "suspend", "console"})

    def __init__(self, options: Options, image_api: ImageDoor) -> None:
        self._options = options
        self._image_api = image_api
        self._connection = Connection(options, self._on_event, self._on_reconnect)
        self._host = Host(self._connection, options)
        self._prepare(readable_by_others=False)
        self._listeners: list[Listener] = []
        self._closed = concurrency.Event()

    def _prepare(self, readable_by_others: bool) -> None:
        cache = ImageCache(self._options, self._image_api, readable_by_others)
        self._disks = Disks(self._options, cache, readable_by_others)
        self._launcher = Launcher(self._host, self._disks, self._options)

    # -- host -----------------------------------------------------------------------------------------

    def connect(self, wait_s: float) -> None:
        """:raises HypervisorUnavailable: no connection within so many seconds; says why, for the log."""
        self._connection.connect(wait_s)

    def init_host(self) -> None:
        """Connect and prepare.

        :raises ConfigInvalid: the instances directory cannot be used.
        :raises HypervisorUnavailable: no connection.
        """
        self.connect(self._options.reconnect_wait_s)
        others = self._host.qemu_is_another_user()
        self._prepare(others)
        path = self._options.instances_path
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
            os.chmod(path, 0o711 if others else 0o700)
        except OSError as error:
            raise exception.ConfigInvalid(detail=f"[libvirt] instances_path cannot be used: {error}") from error
        concurrency.spawn(self._keep_logs_short)
        LOG.info("guests of this host run under %s, in %s", self._host.virt_type, path)

    def close(self) -> None:
        self._closed.set()
        self._connection.close()

    def inventory(self) -> driver.Inventory:
        return self._host.inventory(concurrency.run_blocking(self._disks.overcommitted_bytes))

    def list_guests(self) -> tuple[driver.Guest, ...]:
        return tuple(_described(sight) for sight in self._host.guests())

    def find_guest(self, uuid: str) -> driver.Guest | None:
        sight = self._host.guest(uuid).look()
        return None if sight is None else _described(sight)

    def list_disks(self) -> frozenset[str]:
        return self._disks.servers()

    def state_directory(self) -> pathlib.Path:
        return pathlib.Path(self._options.instances_path)

    def register_event_listener(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def check_health(self) -> str | None:
        return self._connection.check()

    # -- build ----------------------------------------------------------------------------------------

    def create_disks(self, ctxt: Any, instance: Instance) -> None:
        properties.read(instance.image)  # refused before anything is fetched
        self._disks.create(ctxt, instance)

    def delete_disks(self, instance: Instance) -> None:
        """Refused while the guest runs: its files are in use."""
        sight = self._host.guest(instance.uuid).look()
        if sight is not None and sight.state in ACTIVE:
            raise exception.NovaLiteError(f"the guest of {instance.uuid} still runs: its disks are not deleted")
        self._disks.delete(instance.uuid)

    def spawn(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        guest, sight = self._find(instance)
        if sight is not None and sight.state in ACTIVE:
            if sight.mark is not None and sight.mark.generation == instance.generation:
                guest.unpause()  # a kill may have come between its creation and its first instruction
                return
            LOG.warning("instance %s: replacing a guest of an older generation", instance.uuid)
            guest.destroy()
        self._launcher.launch(instance, vifs)

    def destroy(self, instance: Instance) -> None:
        guest, sight = self._find(instance)
        if sight is not None:
            guest.destroy()
            guest.undefine()

    def power_state(self, instance: Instance) -> int:
        sight = self._host.guest(instance.uuid).look()
        return PowerState.NOSTATE if sight is None else sight.state

    # -- quarantine -----------------------------------------------------------------------------------

    def quarantine(self, uuid: str, note: driver.Quarantine) -> None:
        guest = self._host.guest(uuid)
        sight = guest.look()
        if sight is None:
            raise exception.GuestNotFound(instance_uuid=uuid)
        guest.set_apart(sight.note or QuarantineNote(since=note.since, reason=note.reason))

    def release(self, uuid: str) -> None:
        self._host.guest(uuid).take_back()

    def discard(self, uuid: str) -> None:
        guest = self._host.guest(uuid)
        sight = guest.look()
        if sight is None or sight.note is None:
            raise exception.GuestNotFound(instance_uuid=uuid)
        guest.destroy()
        guest.undefine()
        self._disks.delete(uuid)

    # -- power ----------------------------------------------------------------------------------------

    def power_on(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        _, sight = self._find(instance)
        if sight is None or sight.state not in ACTIVE:
            self._launcher.launch(instance, vifs)

    def power_off(self, instance: Instance, timeout_s: int = 60) -> None:
        guest, sight = self._find(instance)
        if sight is not None:
            guest.power_off(timeout_s)

    def reboot(self, instance: Instance, vifs: tuple[Vif, ...], hard: bool) -> None:
        guest, sight = self._find(instance)
        if sight is not None and (hard or sight.state not in ACTIVE or not guest.shut_down(SOFT_REBOOT_S)):
            guest.destroy()
            guest.forget_saved_memory()
        self._launcher.launch(instance, vifs)

    def pause(self, instance: Instance) -> None:
        self._must_find(instance).pause()

    def unpause(self, instance: Instance) -> None:
        self._must_find(instance).unpause()

    def suspend(self, instance: Instance) -> None:
        self._must_find(instance).save()

    def resume(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        """Restores the saved memory; where that was lost, the server boots."""
        guest, sight = self._find(instance)
        if sight is None or sight.state not in ACTIVE:
            self._launcher.launch(instance, vifs)
        else:
            guest.unpause()

    # -- console --------------------------------------------------------------------------------------

    def console_output(self, instance: Instance, limit_bytes: int) -> bytes:
        path = self._disks.paths(instance.uuid).console_log
        return bytes(concurrency.run_blocking(consolelog.tail, path, limit_bytes))

    def _keep_logs_short(self) -> None:
        while not self._closed.wait(TRIM_EVERY_S):
            try:
                limit = self._options.console_log_max_mb * MIB
                concurrency.run_blocking(consolelog.trim_all, self._options.instances_path, limit)
            except OSError:
                LOG.exception("console logs cannot be trimmed")

    # -- events ---------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        uuid, number, detail, at = event
        transition = events.transition(number, detail)
        if transition is not None:
            self._tell(LifecycleEvent(uuid, transition, at))

    def _on_reconnect(self) -> None:
        """Say of every guest how it stands: what happened while nobody listened is in it."""
        try:
            guests = self.list_guests()
        except exception.NovaLiteError as error:
            LOG.warning("guests cannot be looked at after the reconnection: %s", error)
            return
        for guest in guests:
            transition = events.standing(PowerState(guest.power_state))
            if transition is not None:
                self._tell(LifecycleEvent(guest.uuid, transition, time.monotonic()))

    def _tell(self, event: LifecycleEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # one listener's fault is not another's
                LOG.exception("listener failed on %s", event)

    # -- guests ---------------------------------------------------------------------------------------

    def _find(self, instance: Instance) -> tuple[Guest, Sight | None]:
        """The server's guest, and how it is; None where there is none.

        :raises StaleWrite: the guest is of a later generation than the one this host was asked to act on.
        """
        guest = self._host.guest(instance.uuid)
        sight = guest.look()
        if sight is not None and sight.mark is not None and sight.mark.generation > instance.generation:
            raise exception.StaleWrite(what=f"the domain of instance {instance.uuid}")
        return guest, sight

    def _must_find(self, instance: Instance) -> Guest:
        guest, sight = self._find(instance)
        if sight is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        return guest


def _described(sight: Sight) -> driver.Guest:
    note = driver.Quarantine(sight.note.reason, sight.note.since) if sight.note else None
    generation = sight.mark.generation if sight.mark else None
    return driver.Guest(sight.uuid, sight.name, sight.state, generation, quarantine=note)


def load(conf: Any, host: str, image_api: ImageDoor) -> LibvirtDriver:
    """The driver as the configuration says, connected.

    :raises ConfigInvalid: a program is missing.
    :raises HypervisorUnavailable: libvirtd does not answer now.
    """
    missing = [program for program in images.PROGRAMS if shutil.which(program) is None]
    if missing:
        raise exception.ConfigInvalid(
            detail=f"the libvirt driver needs {' and '.join(missing)}: install qemu-utils and util-linux"
        )
    made = LibvirtDriver(from_conf(conf, host), image_api)
    try:
        made.connect(wait_s=0)
    except exception.HypervisorUnavailable:
        made.close()
        raise
    return made
