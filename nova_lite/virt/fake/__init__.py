"""The fake hypervisor."""

from nova_lite.virt.fake.driver import FakeDriver

__all__ = ["FakeDriver"]
