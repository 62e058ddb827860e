"""A server as JSON, at every microversion (contract states.md, sections 5 to 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nova_lite.api.openstack.compute.views.times import micro, zulu
from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.links import Links
from nova_lite.api.openstack.microversions import Microversion, at
from nova_lite.compute.statuses import WITH_FAULT, WITH_PROGRESS, status_of
from nova_lite.objects import CreatedServer, Flavor, Instance, ServerName

HOSTNAME_FOR_ALL = at("2.90")

# Properties of an image that say how it was made or booted; servers show the rest.
_HIDDEN_PROPERTIES = frozenset(
    {"kernel_id", "ramdisk_id", "root_device_name", "mappings", "block_device_mapping", "bdm_v2"}
)
# Hints that name servers (or cells) are kept as lists, as Nova's request spec keeps them, however they were written.
_LISTED_HINTS = frozenset({"same_host", "different_host", "different_cell"})

_ATTR = "OS-EXT-SRV-ATTR:"


@dataclass(frozen=True)
class Sight:
    """What the caller may see of any server; worked out once a request."""

    admin: bool = False
    attributes: bool = False
    extra_specs: bool = True
    host_status: bool = False
    unknown_host_status: bool = False


def _link_flavor(view: View, maker: tuple[Links, Instance]) -> None:
    links, instance = maker
    flavorid = instance.flavor.flavorid
    view["flavor"] = {"id": flavorid, "links": [links.bookmark("flavors", flavorid)]}


def _bare_volumes(view: View, maker: Any) -> None:
    for volume in view.get("os-extended-volumes:volumes_attached", ()):
        volume.pop("delete_on_termination", None)


def _short_form(view: View, maker: Any) -> None:
    """What PUT answered to 2.74: nothing that an extension once added."""
    for name in [name for name in view if name.startswith(("OS-EXT-", "OS-SRV-USG:", "os-extended-volumes:"))]:
        del view[name]
    for name in ("config_drive", "key_name", "security_groups", "host_status"):
        view.pop(name, None)
    for addresses in view["addresses"].values():
        for address in addresses:
            del address["OS-EXT-IPS:type"], address["OS-EXT-IPS-MAC:mac_addr"]


def _short_form_with_key(view: View, maker: Any) -> None:
    """The same of a rebuild, which said the key from 2.54."""
    key_name = view["key_name"]
    _short_form(view, maker)
    view["key_name"] = key_name


def _bare_image(view: View, maker: Any) -> None:
    if view["image"]:
        del view["image"]["properties"]


_STEPS = (
    step("2.100", drop("scheduler_hints")),
    step("2.98", _bare_image),
    step("2.96", drop("pinned_availability_zone")),
    step("2.73", drop("locked_reason")),
    step("2.71", drop("server_groups")),
    step("2.63", drop("trusted_image_certificates")),
    step("2.47", _link_flavor),
    step("2.26", drop("tags")),
    step("2.19", drop("description")),
    step("2.16", drop("host_status")),
    step("2.9", drop("locked")),
    step("2.3", _bare_volumes),
    step(
        "2.3",
        drop(*(_ATTR + name for name in (
            "hostname", "kernel_id", "launch_index", "ramdisk_id", "reservation_id", "root_device_name", "user_data",
        ))),
    ),
)  # fmt: skip
SHOW = History(*_STEPS)
UPDATE = History(*_STEPS[:3], step("2.75", _short_form), *_STEPS[3:])
REBUILD = History(
    *_STEPS[:3], step("2.75", _short_form_with_key), *_STEPS[3:], step("2.57", drop("user_data")),
    step("2.54", drop("key_name")),
)  # fmt: skip


class ServerViews:
    """Makes the views of one request. ``host_status`` answers the status word of a host ("" for none)."""

    def __init__(
        self, links: Links, version: Microversion, sight: Sight, host_status: Callable[[str | None], str]
    ) -> None:
        self._links = links
        self._version = version
        self._sight = sight
        self._host_status = host_status

    def basic(self, instance: Instance | ServerName) -> View:
        """An item of the short list."""
        return {
            "id": instance.uuid,
            "name": instance.display_name,
            "links": self._links.pair("servers", instance.uuid),
        }

    def item(self, instance: Instance) -> View:
        """An item of the full list, which does not name server groups."""
        view = SHOW.walk_back(self._newest(instance), self._version, (self._links, instance))
        view.pop("server_groups", None)
        return view

    def show(self, instance: Instance) -> dict[str, View]:
        return {"server": SHOW.walk_back(self._newest(instance), self._version, (self._links, instance))}

    def updated(self, instance: Instance) -> dict[str, View]:
        return {"server": UPDATE.walk_back(self._newest(instance), self._version, (self._links, instance))}

    def rebuilt(self, instance: Instance, admin_password: str | None) -> dict[str, View]:
        """The answer of rebuild, which has the user data under a name of its own."""
        newest = self._newest(instance) | {"user_data": instance.user_data}
        newest.pop(_ATTR + "user_data", None)
        view = REBUILD.walk_back(newest, self._version, (self._links, instance))
        if admin_password is not None:
            view["adminPass"] = admin_password
        return {"server": view}

    def created(self, instance: Instance | CreatedServer, admin_password: str | None) -> dict[str, View]:
        """The answer of create."""
        view = {
            "id": instance.uuid,
            "links": self._links.pair("servers", instance.uuid),
            "OS-DCF:diskConfig": _disk_config(instance),
            "security_groups": [{"name": name} for name in instance.security_groups or ("default",)],
        }
        if admin_password is not None:
            view["adminPass"] = admin_password
        return {"server": view}

    def _newest(self, instance: Instance) -> View:
        status = status_of(instance.vm_state, instance.task_state)
        view: View = {
            "id": instance.uuid,
            "name": instance.display_name,
            "status": status,
            "tenant_id": instance.project_id,
            "user_id": instance.user_id,
            "metadata": dict(instance.metadata),
            "hostId": host_id(instance.project_id, instance.host),
            "image": self._image(instance),
            "flavor": self._flavor(instance.flavor),
            "created": zulu(instance.created_at),
            "updated": zulu(instance.updated_at or instance.created_at),
            "addresses": _addresses(instance),
            "accessIPv4": instance.access_ip_v4 or "",
            "accessIPv6": instance.access_ip_v6 or "",
            "links": self._links.pair("servers", instance.uuid),
            "OS-DCF:diskConfig": _disk_config(instance),
            "config_drive": "True" if instance.config_drive else "",
            "key_name": instance.key_name,
            "OS-EXT-AZ:availability_zone": instance.availability_zone or "",
            "OS-EXT-STS:task_state": instance.task_state,
            "OS-EXT-STS:vm_state": instance.vm_state,
            "OS-EXT-STS:power_state": int(instance.power_state),
            "OS-SRV-USG:launched_at": micro(instance.launched_at),
            "OS-SRV-USG:terminated_at": micro(instance.terminated_at),
            "os-extended-volumes:volumes_attached": _volumes(instance),
            "locked": instance.locked,
            "description": instance.display_description,
            "tags": list(instance.tags),
            "trusted_image_certificates": None if instance.trusted_certs is None else list(instance.trusted_certs),
            "server_groups": [instance.server_group] if instance.server_group else [],
            "locked_reason": instance.locked_reason if instance.locked else None,
            "pinned_availability_zone": instance.pinned_availability_zone,
            "scheduler_hints": _hints(instance),
        }
        groups = dict.fromkeys(name for vif in instance.network_info for name in vif.security_groups)
        if groups:
            view["security_groups"] = [{"name": name} for name in groups]
        if status in WITH_PROGRESS:
            view["progress"] = instance.progress
        if status in WITH_FAULT and instance.fault is not None:
            view["fault"] = self._fault(instance)
        self._add_restricted(view, instance)
        return view

    def _add_restricted(self, view: View, instance: Instance) -> None:
        """What the policy shows to some only."""
        sight = self._sight
        if sight.attributes:
            view.update(_attributes(instance))
        elif self._version >= HOSTNAME_FOR_ALL:
            view[_ATTR + "hostname"] = instance.hostname
        if sight.host_status:
            view["host_status"] = self._host_status(instance.host)
        elif sight.unknown_host_status and (status := self._host_status(instance.host)) == "UNKNOWN":
            view["host_status"] = status

    def _image(self, instance: Instance) -> Any:
        if not instance.image_ref:
            return ""
        return {
            "id": instance.image_ref,
            "links": [self._links.bookmark("images", instance.image_ref)],
            "properties": _image_properties(instance),
        }

    def _flavor(self, flavor: Flavor) -> View:
        view = {
            "vcpus": flavor.vcpus,
            "ram": flavor.memory_mb,
            "disk": flavor.root_gb,
            "ephemeral": flavor.ephemeral_gb,
            "swap": flavor.swap_mb,
            "original_name": flavor.name,
        }
        if self._sight.extra_specs:
            view["extra_specs"] = dict(flavor.extra_specs)
        return view

    def _fault(self, instance: Instance) -> View:
        fault = instance.fault
        assert fault is not None
        view = {
            "code": fault.code,
            "created": zulu(fault.created_at or instance.updated_at or instance.created_at),
            "message": fault.message,
        }
        if fault.details and (self._sight.admin or fault.code != 500):
            view["details"] = fault.details
        return view


@lru_cache(maxsize=4096)
def host_id(project_id: str, host: str | None) -> str:
    """A name of a host that differs between projects; empty while there is no host."""
    return hashlib.sha224((project_id + host).encode()).hexdigest() if host else ""


def instance_name(instance: Instance) -> str:
    """The guest's name at the hypervisor."""
    return f"instance-{instance.uuid}"


def _attributes(instance: Instance) -> View:
    return {
        _ATTR + "host": instance.host,
        _ATTR + "hypervisor_hostname": instance.node,
        _ATTR + "instance_name": instance_name(instance),
        _ATTR + "hostname": instance.hostname,
        _ATTR + "kernel_id": instance.kernel_id or "",
        _ATTR + "launch_index": instance.launch_index,
        _ATTR + "ramdisk_id": instance.ramdisk_id or "",
        _ATTR + "reservation_id": instance.reservation_id,
        _ATTR + "root_device_name": instance.root_device_name,
        _ATTR + "user_data": instance.user_data,
    }


def _image_properties(instance: Instance) -> View:
    if instance.image is None:
        return {}
    return {name: value for name, value in instance.image.properties.items() if name not in _HIDDEN_PROPERTIES}


def _hints(instance: Instance) -> View:
    return {
        name: [value] if name in _LISTED_HINTS and isinstance(value, str) else value
        for name, value in instance.scheduler_hints.items()
    }


def _disk_config(instance: Instance | CreatedServer) -> str:
    return "AUTO" if instance.auto_disk_config else "MANUAL"


def _addresses(instance: Instance) -> dict[str, list[View]]:
    addresses: dict[str, list[View]] = {}
    for vif in instance.network_info:
        of_network = addresses.setdefault(vif.label, [])
        for fixed_ip in vif.fixed_ips:
            of_network.append(
                {
                    "addr": fixed_ip.address,
                    "version": fixed_ip.version,
                    "OS-EXT-IPS:type": fixed_ip.type,
                    "OS-EXT-IPS-MAC:mac_addr": vif.mac,
                }
            )
    return addresses


def _volumes(instance: Instance) -> list[View]:
    return [
        {"id": device.volume_id, "delete_on_termination": device.delete_on_termination}
        for device in instance.block_devices
        if device.volume_id
    ]
