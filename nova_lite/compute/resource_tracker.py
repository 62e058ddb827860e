"""What this host offers: the driver's inventory with the configured ratios and reserves."""

from __future__ import annotations

import uuid
from typing import Any

from nova_lite.objects import ComputeNode
from nova_lite.virt.driver import ComputeDriver

# Names a node for ever by host and hypervisor, so that a host that lost its state is still the same node.
_NODES = uuid.UUID("6e6f7661-6c69-4465-8e6f-646573000000")


class ResourceTracker:
    """Claims are not kept here: they are rows, counted by the database in the transaction that makes them."""

    def __init__(self, host: str, driver: ComputeDriver, options: Any) -> None:
        self._host = host
        self._driver = driver
        self._options = options

    def node(self) -> ComputeNode:
        """The node as it is now."""
        found, options = self._driver.inventory(), self._options
        return ComputeNode(
            uuid=str(uuid.uuid5(_NODES, f"{self._host}/{found.hypervisor_hostname}")),
            host=self._host,
            hypervisor_hostname=found.hypervisor_hostname,
            hypervisor_type=found.hypervisor_type,
            hypervisor_version=found.hypervisor_version,
            vcpus=found.vcpus,
            memory_mb=found.memory_mb,
            local_gb=found.local_gb,
            running_vms=found.running_vms,
            cpu_allocation_ratio=options.cpu_allocation_ratio,
            ram_allocation_ratio=options.ram_allocation_ratio,
            disk_allocation_ratio=options.disk_allocation_ratio,
            reserved_host_cpus=options.reserved_host_cpus,
            reserved_host_memory_mb=options.reserved_host_memory_mb,
            reserved_host_disk_mb=options.reserved_host_disk_mb,
            disk_available_least=found.disk_available_least,
            host_ip=found.host_ip,
            cpu_info=found.cpu_info,
            supported_instances=found.supported_instances,
        )
