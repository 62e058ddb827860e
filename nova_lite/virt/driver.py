"""The hypervisor's interface, in capability groups: verbs of a hypervisor, no HTTP, no database, no messages.

Every method is idempotent: called again after a crash it completes what is missing and changes nothing else. A guest is
found by the server's uuid. A driver lists its groups in ``capabilities``; the API's 501 and the docs derive from it.
"""

from __future__ import annotations

import abc
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from nova_lite.objects import BlockDevice, ConsoleType, Diagnostics, Flavor, ImageMeta, Instance, Vif
from nova_lite.virt.event import LifecycleEvent


@dataclass(frozen=True)
class Quarantine:
    """Why a guest was stopped and set apart, and since when (ISO 8601, UTC)."""

    reason: str
    since: str


@dataclass(frozen=True)
class Guest:
    """A domain found on this host. ``generation`` is None where the domain carries no mark of ours.

    ``rescued`` (it boots from a rescue image), ``volumes`` and ``interfaces`` (ids) are None where the driver does not
    look.
    """

    uuid: str
    name: str
    power_state: int
    generation: int | None = None
    rescued: bool | None = None
    volumes: tuple[str, ...] | None = None
    interfaces: tuple[str, ...] | None = None
    quarantine: Quarantine | None = None


@dataclass(frozen=True)
class Inventory:
    """What the hypervisor has in all, and how it is used as the hypervisor sees it. MiB and GiB."""

    hypervisor_hostname: str
    hypervisor_type: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    local_gb: int
    cpu_info: dict[str, Any]
    supported_instances: tuple[tuple[str, str, str], ...]
    disk_available_least: int | None = None
    host_ip: str | None = None
    running_vms: int = 0


@dataclass(frozen=True)
class ConsoleEndpoint:
    """Where a proxy finds one guest's console."""

    host: str
    port: int
    tls_port: int | None = None
    internal_access_path: str | None = None


class ComputeDriver(abc.ABC):
    """What every driver can do: say what the host has, build and destroy guests, report on them."""

    capabilities: frozenset[str] = frozenset()

    # -- host -------------------------------------------------------------------------------------

    @abc.abstractmethod
    def init_host(self) -> None:
        """Connect and prepare. :raises HypervisorUnavailable: no connection."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of connections and threads; guests live on."""

    @abc.abstractmethod
    def inventory(self) -> Inventory: ...

    @abc.abstractmethod
    def list_guests(self) -> tuple[Guest, ...]:
        """Every domain on this host that carries our mark or a server's uuid."""

    @abc.abstractmethod
    def find_guest(self, uuid: str) -> Guest | None:
        """One domain of :meth:`list_guests`; None where there is none."""

    @abc.abstractmethod
    def list_disks(self) -> frozenset[str]:
        """Uuids of the servers that have local disks here, with or without a guest."""

    def list_incoming(self) -> frozenset[str]:
        """Uuids of the servers that something here waits for and that no domain stands for yet."""
        return frozenset()

    def list_set_aside(self) -> frozenset[str]:
        """Uuids of the servers of which a cold move has set disks aside here: see :class:`MigrateDriver`."""
        return frozenset()

    def state_directory(self) -> pathlib.Path | None:
        """Where what outlives the daemon lies on this host; None where nothing does. Known after :meth:`init_host`."""
        return None

    @abc.abstractmethod
    def register_event_listener(self, listener: Callable[[LifecycleEvent], None]) -> None: ...

    def check_health(self) -> str | None:
        """None when well, else a sentence saying what is wrong."""
        return None

    # -- build ------------------------------------------------------------------------------------

    @abc.abstractmethod
    def create_disks(self, ctxt: Any, instance: Instance) -> None:
        """Fetch the image if it is not cached, prove it harmless, lay the server's disks.

        Disks that are whole are kept as they are: who does not want them calls :meth:`delete_disks` before.

        :raises ImageUnacceptable: the image must not be used; another host would refuse it too.
        """

    @abc.abstractmethod
    def delete_disks(self, instance: Instance) -> None:
        """Remove the server's local disks and logs; missing ones are no error."""

    @abc.abstractmethod
    def spawn(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        """Define and start the guest, marked with uuid and generation; one already running is left alone."""

    @abc.abstractmethod
    def destroy(self, instance: Instance) -> None:
        """Stop and undefine the guest; a missing one is no error. Disks stay: see :meth:`delete_disks`."""

    @abc.abstractmethod
    def power_state(self, instance: Instance) -> int:
        """A number of PowerState; NOSTATE where there is no guest."""


class QuarantineDriver(abc.ABC):
    """Group ``quarantine``: guests that may be nobody's are stopped and kept, until somebody decides."""

    @abc.abstractmethod
    def quarantine(self, uuid: str, note: Quarantine) -> None:
        """Cut the guest's power, keep it from starting with the host, and write the note into its definition.

        An older note stays. Definition and disks stay, whatever happens. :raises GuestNotFound: there is none.
        """

    @abc.abstractmethod
    def release(self, uuid: str) -> None:
        """Forget the note; the guest stays off. :raises GuestNotFound: there is none."""

    @abc.abstractmethod
    def discard(self, uuid: str) -> None:
        """Remove a guest in quarantine with its disks. :raises GuestNotFound: there is none in quarantine."""


class PowerDriver(abc.ABC):
    """Group ``power``."""

    @abc.abstractmethod
    def power_on(self, instance: Instance, vifs: tuple[Vif, ...]) -> None: ...

    @abc.abstractmethod
    def power_off(self, instance: Instance, timeout_s: int = 60) -> None:
        """Ask the guest to shut down, for at most ``timeout_s``; then cut the power. 0 cuts at once."""

    @abc.abstractmethod
    def reboot(self, instance: Instance, vifs: tuple[Vif, ...], hard: bool) -> None:
        """Soft: ask the guest; falls back to hard. Hard: a fresh definition, also from stopped, paused, suspended."""


class PauseDriver(abc.ABC):
    """Group ``pause``."""

    @abc.abstractmethod
    def pause(self, instance: Instance) -> None: ...

    @abc.abstractmethod
    def unpause(self, instance: Instance) -> None: ...


class SuspendDriver(abc.ABC):
    """Group ``suspend``: the guest's memory goes to disk and the power off."""

    @abc.abstractmethod
    def suspend(self, instance: Instance) -> None: ...

    @abc.abstractmethod
    def resume(self, instance: Instance, vifs: tuple[Vif, ...]) -> None: ...


class ConsoleDriver(abc.ABC):
    """Group ``console``."""

    @abc.abstractmethod
    def console_output(self, instance: Instance, limit_bytes: int) -> bytes:
        """The last ``limit_bytes`` of the serial console's log; empty where nothing was written."""


class RemoteConsoleDriver(abc.ABC):
    """Group ``remote_console``."""

    @abc.abstractmethod
    def console_endpoint(self, instance: Instance, console_type: ConsoleType) -> ConsoleEndpoint:
        """Where the guest's console of that type listens.

        :raises GuestNotFound: there is no guest; :raises ConsoleTypeUnavailable: the guest has no such console.
        """


class SnapshotDriver(abc.ABC):
    """Group ``snapshot``."""

    @abc.abstractmethod
    def snapshot(self, instance: Instance, keep: Callable[[IO[bytes], str], None]) -> None:
        """Copy the root disk as it is now into one file, and hand it with its disk format to ``keep``.

        The guest goes on as it was; after the call nothing of the copy is left here, whatever ``keep`` raised.
        """


class RescueDriver(abc.ABC):
    """Group ``rescue``: the guest boots from another image and finds its own root disk beside it."""

    @abc.abstractmethod
    def rescue(self, ctxt: Any, instance: Instance, vifs: tuple[Vif, ...], image: ImageMeta) -> None:
        """Stop the guest and boot it from a disk of ``image``; one that was booted so already is left alone.

        :raises ImageUnacceptable: the image must not be used.
        """

    @abc.abstractmethod
    def unrescue(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        """Boot the guest from its own disk again and remove the disk of the rescue; one that does so is left alone."""


class LiveMigrationDriver(abc.ABC):
    """Group ``live_migration``: a running guest goes to another host, with memory and local disks.

    The ``instance`` of the destination's methods has the generation that the guest gets there.
    """

    @abc.abstractmethod
    def check_can_live_migrate_destination(
        self, instance: Instance, block_migration: bool | None, disk_over_commit: bool
    ) -> dict[str, Any]:
        """On the destination: facts that the source needs (JSON). ``block_migration`` None: as it has to be.

        :raises MigrationPreCheckError: the guest cannot live here.
        """

    @abc.abstractmethod
    def pre_live_migration(self, instance: Instance, vifs: tuple[Vif, ...], facts: dict[str, Any]) -> None:
        """On the destination: make ready what the guest will stand on; no guest runs here yet."""

    @abc.abstractmethod
    def live_migrate(
        self, instance: Instance, dest: str, facts: dict[str, Any], report: Callable[[dict[str, int]], None]
    ) -> None:
        """On the source: send the guest to host ``dest``; when this returns it is there, and not here any more.

        Called again after it went: returns at once. ``report`` gets ``memory_total_bytes`` and the like now and then;
        an error of it ends the migration. After any error the guest is here as it was, unless nobody can know.

        :raises LiveMigrationAborted: somebody called :meth:`abort_live_migration`.
        """

    @abc.abstractmethod
    def post_live_migration(self, instance: Instance) -> None:
        """On the source: remove what the guest that went left behind."""

    @abc.abstractmethod
    def rollback_live_migration(self, instance: Instance) -> bool:
        """On the destination: take back what was made ready, if anything was. False, and nothing done: it has arrived.

        True: the guest will not come by that migration any more, whatever its source does.
        """

    @abc.abstractmethod
    def abort_live_migration(self, instance: Instance) -> None:
        """On the source, while it migrates: stop; too late is no error."""

    @abc.abstractmethod
    def force_complete_live_migration(self, instance: Instance) -> None:
        """On the source, while it migrates: make the guest stand still, so that its memory can follow."""


class MigrateDriver(abc.ABC):
    """Group ``migrate``: a guest moves, or changes its flavor, while it is off.

    The source sets the guest's disks aside until the move is confirmed or reverted; source and destination may be one
    host. A driver's ``list_disks`` has what is set aside, too, and its ``delete_disks`` removes it.

    Disks that the guest has are newer than what is set aside, always: that may be left of a move that was given up.
    """

    @abc.abstractmethod
    def migrate_disk_and_power_off(
        self, instance: Instance, dest: str, dest_ip: str | None, flavor: Flavor
    ) -> dict[str, Any]:
        """On the source: stop the guest, set its disks aside, and send a copy for ``flavor`` to ``dest``.

        Disks in place are set aside anew, whatever was before; where there are none, what is set aside is sent again.
        Answers what the destination must know of the disks, in JSON's types.
        """

    @abc.abstractmethod
    def finish_migration(
        self, instance: Instance, vifs: tuple[Vif, ...], disks: dict[str, Any], power_on: bool
    ) -> None:
        """On the destination: define the guest on the disks that came, and start it if ``power_on``."""

    @abc.abstractmethod
    def confirm_migration(self, instance: Instance) -> None:
        """On the source: remove what was set aside; nothing there is no error."""

    @abc.abstractmethod
    def revert_migration(self, instance: Instance) -> None:
        """On the destination: remove guest and disks; what is set aside stays, nothing there is no error."""

    @abc.abstractmethod
    def finish_revert_migration(self, instance: Instance, vifs: tuple[Vif, ...], power_on: bool) -> None:
        """On the source: the guest is on the disks in place, or, where there are none, on what was set aside.

        Nothing is set aside afterwards. Whoever wants what a move made here gone calls :meth:`revert_migration` before.
        """


class PasswordDriver(abc.ABC):
    """Group ``password``: something inside the guest obeys."""

    @abc.abstractmethod
    def set_admin_password(self, instance: Instance, new_password: str) -> None: ...


class NmiDriver(abc.ABC):
    """Group ``nmi``."""

    @abc.abstractmethod
    def inject_nmi(self, instance: Instance) -> None:
        """A non-maskable interrupt: the guest's kernel dumps itself, if it is set up so."""


class DiagnosticsDriver(abc.ABC):
    """Group ``diagnostics``."""

    @abc.abstractmethod
    def diagnostics(self, instance: Instance) -> Diagnostics:
        """What the hypervisor counts of a running guest."""


class VolumesDriver(abc.ABC):
    """Group ``volumes``: such a driver's ``spawn`` and ``power_on`` give the guest what ``block_devices`` connect."""

    @abc.abstractmethod
    def attach_volume(self, instance: Instance, device: BlockDevice) -> None:
        """Give the guest, running or not, the disk that ``device.connection`` reaches; one it has is left alone."""

    @abc.abstractmethod
    def detach_volume(self, instance: Instance, device: BlockDevice) -> None:
        """Take the disk away; one that is not there, or a guest that is not, is no error."""

    @abc.abstractmethod
    def swap_volume(self, instance: Instance, old: BlockDevice, new: BlockDevice) -> None:
        """Copy the data of ``old`` into ``new`` while the guest runs, then let it use ``new`` only.

        A guest that uses ``new`` only is left alone.
        """

    @abc.abstractmethod
    def extend_volume(self, instance: Instance, device: BlockDevice) -> None:
        """The volume has ``device.volume_size`` GiB by now: a guest that runs sees it at once. No guest is no error."""


class InterfacesDriver(abc.ABC):
    """Group ``interfaces``: a guest's network cards come and go while it lives, or lies."""

    @abc.abstractmethod
    def attach_interface(self, instance: Instance, vif: Vif) -> None:
        """Plug it in; one that is in already is left alone."""

    @abc.abstractmethod
    def detach_interface(self, instance: Instance, vif: Vif) -> None:
        """Pull it out; one that is out already is no error."""
