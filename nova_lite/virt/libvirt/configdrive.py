"""The config drive: what a guest is told of itself on a small CD, for guests that reach no metadata service.

The layout is OpenStack's (user guide, "config drive"): volume label ``config-2``, JSON below ``openstack/<version>``.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import Any

from nova_lite import exception
from nova_lite.objects import Instance, Vif
from nova_lite.virt.libvirt.layout import LocalDisk, Paths

VERSIONS = ("2018-08-27", "latest")
LABEL = "config-2"
TIMEOUT_S = 60
_MAKERS = ("genisoimage", "mkisofs", "xorrisofs")


def files(instance: Instance, vifs: tuple[Vif, ...], seed: bytes) -> dict[str, bytes]:
    """The drive's files by path; ``seed`` is entropy for the guest."""
    tree = {
        "meta_data.json": _json(_meta_data(instance, seed)),
        "network_data.json": _json(_network_data(vifs)),
        "vendor_data.json": b"{}",
    }
    if instance.user_data:
        tree["user_data"] = base64.b64decode(instance.user_data)
    return {f"openstack/{version}/{name}": data for version in VERSIONS for name, data in tree.items()}


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _meta_data(instance: Instance, seed: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "hostname": instance.hostname or instance.display_name,
        "launch_index": instance.launch_index,
        "availability_zone": instance.availability_zone,
        "project_id": instance.project_id,
        "devices": [],
        "random_seed": base64.b64encode(seed).decode(),
    }
    if instance.metadata:
        found["meta"] = dict(instance.metadata)
    if instance.key_name and instance.key_data:
        found["public_keys"] = {instance.key_name: instance.key_data}
        found["keys"] = [{"name": instance.key_name, "type": "ssh", "data": instance.key_data}]
    return found


def _network_data(vifs: tuple[Vif, ...]) -> dict[str, Any]:
    links, networks = [], []
    for number, vif in enumerate(vif for vif in vifs if vif.type != "none"):
        link = f"tap{vif.id}"[:14]
        links.append({"id": link, "vif_id": vif.id, "type": "phy", "mtu": vif.mtu, "ethernet_mac_address": vif.mac})
        networks.append({"id": f"network{number}", "type": "ipv4_dhcp", "link": link, "network_id": vif.network_id})
    return {"links": links, "networks": networks, "services": []}


def maker() -> str | None:
    """The program of this host that makes such CDs, or None."""
    return next((found for name in _MAKERS if (found := shutil.which(name))), None)


def ensure(paths: Paths, instance: Instance, vifs: tuple[Vif, ...]) -> LocalDisk:
    """Make the drive where it is not there yet; blocks.

    :raises BuildFailed: this host cannot.
    """
    path = paths.disk("config")
    if not os.path.exists(path):
        program = maker()
        if program is None:
            raise exception.BuildFailed(
                instance_uuid=instance.uuid, reason="this host has no program to make config drives (genisoimage)"
            )
        staging = path + ".d"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            _lay_out(staging, files(instance, vifs, os.urandom(512)))
            _make(program, staging, path, instance.uuid)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return LocalDisk("config", path, "raw", device="cdrom")


def _lay_out(directory: str, tree: dict[str, bytes]) -> None:
    os.mkdir(directory, 0o700)
    for name, data in tree.items():
        os.makedirs(os.path.join(directory, os.path.dirname(name)), exist_ok=True)
        with open(os.path.join(directory, name), "wb") as target:
            target.write(data)


def argv(program: str, directory: str, path: str) -> tuple[str, ...]:
    return (program, "-quiet", "-J", "-r", "-l", "-V", LABEL, "-o", path, directory)


def _make(program: str, directory: str, path: str, instance_uuid: str) -> None:
    part = path + ".part"
    done = subprocess.run(
        argv(program, directory, part), stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise exception.BuildFailed(instance_uuid=instance_uuid, reason="its config drive cannot be made")
    os.chmod(part, 0o600)
    os.rename(part, path)
