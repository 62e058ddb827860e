"""The fake hypervisor's quarantine."""

from __future__ import annotations

from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeGuest
from nova_lite.virt.fake.migrate import FakeMigrate


class FakeQuarantine(FakeMigrate, driver.QuarantineDriver):
    """Group ``quarantine``; what is discarded may have been set aside by a move, too."""

    def quarantine(self, uuid: str, note: driver.Quarantine) -> None:
        self.plan.strike("quarantine", uuid)
        guest = self._any(uuid)
        guest.quarantine = guest.quarantine or (note.reason, note.since)
        if guest.power_state != PowerState.CRASHED:
            guest.power_state = PowerState.SHUTDOWN
        self._keep(guest)

    def release(self, uuid: str) -> None:
        self.plan.strike("release", uuid)
        guest = self._any(uuid)
        guest.quarantine = None
        self._keep(guest)

    def discard(self, uuid: str) -> None:
        self.plan.strike("discard", uuid)
        if self._any(uuid).quarantine is None:
            raise exception.GuestNotFound(instance_uuid=uuid)
        del self.guests[uuid]
        self.disks.discard(uuid)
        self.roots.pop(uuid, None)
        self.kept.pop(uuid, None)
        for path in self._directory.glob(f"{uuid}.*") if self._directory is not None else ():
            path.unlink(missing_ok=True)

    def _any(self, uuid: str) -> FakeGuest:
        try:
            return self.guests[uuid]
        except KeyError:
            raise exception.GuestNotFound(instance_uuid=uuid) from None
