"""The fake hypervisor's hot plugs."""

from __future__ import annotations

from nova_lite.objects import Instance, Vif
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase


class FakeInterfaces(FakeBase, driver.InterfacesDriver):
    """Group ``interfaces``."""

    def attach_interface(self, instance: Instance, vif: Vif) -> None:
        self.plan.strike("attach_interface", instance.uuid)
        guest = self._guest(instance)
        if vif.id not in guest.plugged:
            guest.plugged.append(vif.id)
        if guest.cards is not None and vif.id not in guest.cards:
            guest.cards.append(vif.id)
        self._keep(guest)

    def detach_interface(self, instance: Instance, vif: Vif) -> None:
        self.plan.strike("detach_interface", instance.uuid)
        guest = self._guest(instance)
        if vif.id in guest.plugged:
            guest.plugged.remove(vif.id)
        if guest.cards is not None and vif.id in guest.cards:
            guest.cards.remove(vif.id)
        self._keep(guest)
