"""The fake hypervisor's volumes: of each guest, which volumes it has and where their data are."""

from __future__ import annotations

from nova_lite.objects import BlockDevice, Instance
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase, place_of


class FakeVolumes(FakeBase, driver.VolumesDriver):
    """Group ``volumes``."""

    def attach_volume(self, instance: Instance, device: BlockDevice) -> None:
        self.plan.strike("attach_volume", instance.uuid)
        guest = self._guest(instance)
        guest.volumes[str(device.volume_id)] = place_of(device)
        self._keep(guest)

    def detach_volume(self, instance: Instance, device: BlockDevice) -> None:
        self.plan.strike("detach_volume", instance.uuid)
        guest = self.guests.get(instance.uuid)
        if guest is not None:
            guest.volumes.pop(str(device.volume_id), None)
            self._keep(guest)

    def swap_volume(self, instance: Instance, old: BlockDevice, new: BlockDevice) -> None:
        self.plan.strike("swap_volume", instance.uuid)
        guest = self._guest(instance)
        guest.volumes.pop(str(old.volume_id), None)
        guest.volumes[str(new.volume_id)] = place_of(new)
        self._keep(guest)

    def extend_volume(self, instance: Instance, device: BlockDevice) -> None:
        self.plan.strike("extend_volume", instance.uuid)
