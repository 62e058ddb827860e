"""Diagnostics as JSON: free names to 2.47, one form from 2.48."""

from __future__ import annotations

from typing import Any

from nova_lite.objects import Diagnostics


def fixed(found: Diagnostics) -> dict[str, Any]:
    return {
        "state": found.state,
        "driver": found.driver,
        "hypervisor": found.hypervisor,
        "hypervisor_os": found.hypervisor_os,
        "config_drive": found.config_drive,
        "uptime": found.uptime_s,
        "num_cpus": len(found.cpus),
        "num_disks": len(found.disks),
        "num_nics": len(found.nics),
        "memory_details": {"maximum": found.memory_maximum_mb, "used": found.memory_used_mb},
        "cpu_details": [
            {"id": cpu.id, "time": cpu.time_ns, "utilisation": cpu.utilisation} for cpu in found.cpus
        ],
        "disk_details": [
            {
                "read_bytes": disk.read_bytes,
                "read_requests": disk.read_requests,
                "write_bytes": disk.write_bytes,
                "write_requests": disk.write_requests,
                "errors_count": disk.errors_count,
            }
            for disk in found.disks
        ],
        "nic_details": [
            {name: value for name, value in vars(nic).items() if name != "device"} for nic in found.nics
        ],
    }  # fmt: skip


def free(found: Diagnostics) -> dict[str, Any]:
    """As Nova's libvirt driver named them; memory in KiB."""
    view: dict[str, Any] = {f"cpu{cpu.id}_time": cpu.time_ns for cpu in found.cpus}
    view["memory"] = found.memory_maximum_mb * 1024
    for disk in found.disks:
        view[f"{disk.device}_read"] = disk.read_bytes
        view[f"{disk.device}_read_req"] = disk.read_requests
        view[f"{disk.device}_write"] = disk.write_bytes
        view[f"{disk.device}_write_req"] = disk.write_requests
        view[f"{disk.device}_errors"] = disk.errors_count
    for nic in found.nics:
        for way in ("rx", "tx"):
            view[f"{nic.device}_{way}"] = getattr(nic, f"{way}_octets")
            for what in ("drop", "errors", "packets"):
                view[f"{nic.device}_{way}_{what}"] = getattr(nic, f"{way}_{what}")
    return view
