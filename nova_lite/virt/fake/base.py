"""What every part of the fake hypervisor stands on: its guests and disks, and how they outlive the process as files."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import BlockDevice, Instance, Vif
from nova_lite.virt import driver
from nova_lite.virt.event import LifecycleEvent, Transition
from nova_lite.virt.fault_plan import FaultPlan

_TRANSITIONS = {
    PowerState.RUNNING: Transition.STARTED,
    PowerState.SHUTDOWN: Transition.STOPPED,
    PowerState.CRASHED: Transition.STOPPED,
    PowerState.PAUSED: Transition.PAUSED,
    PowerState.SUSPENDED: Transition.SUSPENDED,
}

LOG = logging.getLogger(__name__)

# What somebody was writing when he died.
_SCRATCH = ("*.tmp", "*.snapshot")


@dataclass
class FakeGuest:
    uuid: str
    name: str
    power_state: int
    generation: int
    console: str = ""
    saved: bool = False
    rescue_image: str | None = None
    admin_password: str = ""
    # Reason and since, of a guest that was set apart.
    quarantine: tuple[str, str] | None = None
    nmis: int = 0
    # Ids of interfaces that came while it lived.
    plugged: list[str] = field(default_factory=list)
    # Ids of all its interfaces; None: it was made by a release that did not count them.
    cards: list[str] | None = None
    # Volume ids and where the data are.
    volumes: dict[str, str] = field(default_factory=dict)


def place_of(device: BlockDevice) -> str:
    """Where a connected volume's data are, as its connection says."""
    data = device.connection["data"]
    return str(data["device_path"]) if isinstance(data, dict) and "device_path" in data else ""


class FakeBase(driver.ComputeDriver):
    """``directory`` None keeps everything in memory; else one small file a guest, read back at the start."""

    def __init__(
        self, hostname: str, plan: FaultPlan, sizes: tuple[int, int, int], directory: pathlib.Path | None = None
    ) -> None:
        self.hostname = hostname
        self.plan = plan
        self.sizes = sizes
        self.guests: dict[str, FakeGuest] = {}
        self.disks: set[str] = set()
        # Of each server the image that its root disk was made of.
        self.roots: dict[str, str] = {}
        self._directory = directory
        self._listeners: list[Callable[[LifecycleEvent], None]] = []

    # -- host -------------------------------------------------------------------------------------

    def init_host(self) -> None:
        self.plan.strike("init_host", None)
        if self._directory is None:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for pattern in _SCRATCH:
            for path in self._directory.glob(pattern):
                path.unlink(missing_ok=True)
        for path in self._directory.glob("*.guest"):
            try:
                guest = FakeGuest(**json.loads(path.read_text()))
            except (ValueError, TypeError, OSError):
                # One guest that is lost costs its server only.
                LOG.exception("%s cannot be read: its guest is no more", path.name)
                continue
            self.guests[guest.uuid] = guest
        self.roots = {path.stem: path.read_text() for path in self._directory.glob("*.disk")}
        self.disks = set(self.roots)

    def close(self) -> None:
        self._listeners.clear()

    def inventory(self) -> driver.Inventory:
        vcpus, memory_mb, local_gb = self.sizes
        return driver.Inventory(
            hypervisor_hostname=self.hostname,
            hypervisor_type="fake",
            hypervisor_version=1000,
            vcpus=vcpus,
            memory_mb=memory_mb,
            local_gb=local_gb,
            cpu_info={
                "arch": "x86_64",
                "model": "Nehalem",
                "vendor": "Intel",
                "features": ["pge", "clflush"],
                "topology": {"cores": 1, "threads": 1, "sockets": 4},
            },
            supported_instances=(("x86_64", "fake", "hvm"), ("i686", "fake", "hvm")),
            host_ip="127.0.0.1",
            running_vms=sum(guest.power_state == PowerState.RUNNING for guest in self.guests.values()),
        )

    def list_guests(self) -> tuple[driver.Guest, ...]:
        return tuple(
            driver.Guest(
                guest.uuid, guest.name, guest.power_state, guest.generation,
                rescued=bool(guest.rescue_image), volumes=tuple(sorted([*guest.volumes])),
                interfaces=None if guest.cards is None else tuple(guest.cards),
                quarantine=driver.Quarantine(*guest.quarantine) if guest.quarantine else None,
            )
            for guest in list(self.guests.values())
        )

    def find_guest(self, uuid: str) -> driver.Guest | None:
        return next((guest for guest in self.list_guests() if guest.uuid == uuid), None)

    def list_disks(self) -> frozenset[str]:
        return frozenset(self.disks)

    def state_directory(self) -> pathlib.Path | None:
        return self._directory

    def register_event_listener(self, listener: Callable[[LifecycleEvent], None]) -> None:
        self._listeners.append(listener)

    # -- build ------------------------------------------------------------------------------------

    def create_disks(self, ctxt: Any, instance: Instance) -> None:
        self.plan.strike("create_disks", instance.uuid)
        if instance.uuid in self.disks:
            return
        root = instance.image.id if instance.image else ""
        if self._directory is not None:
            self._write(self._directory / f"{instance.uuid}.disk", root)
        self.disks.add(instance.uuid)
        self.roots[instance.uuid] = root

    def delete_disks(self, instance: Instance) -> None:
        self.plan.strike("delete_disks", instance.uuid)
        if self._directory is not None:
            (self._directory / f"{instance.uuid}.disk").unlink(missing_ok=True)
        self.disks.discard(instance.uuid)
        self.roots.pop(instance.uuid, None)

    def spawn(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        self.plan.strike("spawn", instance.uuid)
        self._boot(instance, vifs)

    def destroy(self, instance: Instance) -> None:
        self.plan.strike("destroy", instance.uuid)
        if self._directory is not None:
            (self._directory / f"{instance.uuid}.guest").unlink(missing_ok=True)
        self.guests.pop(instance.uuid, None)

    def power_state(self, instance: Instance) -> int:
        guest = self.guests.get(instance.uuid)
        return guest.power_state if guest else PowerState.NOSTATE

    # -- what a test does behind the cloud's back -------------------------------------------------

    def happens(self, uuid: str, power_state: PowerState) -> None:
        """The guest changes by itself; listeners hear of it."""
        guest = self.guests[uuid]
        guest.power_state = power_state
        self._keep(guest)
        event = LifecycleEvent(uuid, _TRANSITIONS[power_state], time.monotonic())
        for listener in list(self._listeners):
            listener(event)

    # -- inside -----------------------------------------------------------------------------------

    def _guest(self, instance: Instance) -> FakeGuest:
        try:
            return self.guests[instance.uuid]
        except KeyError:
            raise exception.GuestNotFound(instance_uuid=instance.uuid) from None

    def _set(self, instance: Instance, power_state: PowerState) -> None:
        guest = self._guest(instance)
        guest.power_state = power_state
        self._keep(guest)

    def _boot(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        if instance.uuid not in self.disks:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        guest = self.guests.get(instance.uuid) or FakeGuest(
            instance.uuid, instance.display_name, PowerState.RUNNING, instance.generation
        )
        guest.power_state, guest.generation, guest.saved = PowerState.RUNNING, instance.generation, False
        guest.rescue_image = None
        guest.quarantine = None
        guest.cards = [vif.id for vif in vifs]
        guest.volumes = {
            str(device.volume_id): place_of(device) for device in instance.block_devices if device.connection
        }
        guest.console = f"FAKE CONSOLE OUTPUT\n{instance.display_name} login: \n"
        self.guests[instance.uuid] = guest
        self._keep(guest)

    def _keep(self, guest: FakeGuest) -> None:
        """What the guest is now. :raises OSError: it cannot be written: it is what it was before, or is not at all."""
        if self._directory is None:
            return
        path = self._directory / f"{guest.uuid}.guest"
        try:
            self._write(path, json.dumps(dataclasses.asdict(guest)))
        except OSError:
            if path.exists():
                vars(guest).update(json.loads(path.read_text()))
            else:
                self.guests.pop(guest.uuid, None)
            raise

    def _write(self, path: pathlib.Path, text: str) -> None:
        scratch = path.with_suffix(".tmp")
        try:
            scratch.write_text(text)
            os.replace(scratch, path)
        except OSError:
            scratch.unlink(missing_ok=True)
            raise
