"""The fake hypervisor's rescue: a guest that remembers from which image it was booted instead of its own disk."""

from __future__ import annotations

from typing import Any

from nova_lite.objects import ImageMeta, Instance, Vif
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase


class FakeRescue(FakeBase, driver.RescueDriver):
    """Group ``rescue``."""

    def rescue(self, ctxt: Any, instance: Instance, vifs: tuple[Vif, ...], image: ImageMeta) -> None:
        self.plan.strike("rescue", instance.uuid)
        self._boot(instance, vifs)
        guest = self._guest(instance)
        guest.rescue_image = image.id
        self._keep(guest)

    def unrescue(self, instance: Instance, vifs: tuple[Vif, ...]) -> None:
        self.plan.strike("unrescue", instance.uuid)
        self._boot(instance, vifs)
