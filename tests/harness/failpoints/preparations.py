"""How a server gets to where an operation of the matrix begins; nothing is broken yet."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CONF, CTXT, IMAGE_ID, Cloud, until

OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
ROOT = {
    "boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1,
    "delete_on_termination": True,
}  # fmt: skip
BODY = {"name": "web", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "auto"}
AUTO = {"host": None, "block_migration": "auto"}

Prepare = Callable[[Cloud], str]


def nothing(cloud: Cloud) -> str:
    return ""


def a_key(cloud: Cloud) -> str:
    """An idempotency key."""
    return str(uuid.uuid4())


def booted(cloud: Cloud) -> str:
    return str(cloud.boot()["id"])


def host_of(cloud: Cloud, server: str) -> str:
    return str((cloud.show(server) or {})["OS-EXT-SRV-ATTR:host"])


def at_home(cloud: Cloud) -> str:
    """A server that finds no other host than its own: a resize makes it anew where it is."""
    CONF.set_override("allow_resize_to_same_host", True)
    server = booted(cloud)
    for host in {*cloud.drivers} - {host_of(cloud, server)}:
        cloud.set_host(host, status="disabled")
    return server


def hosts_enabled(cloud: Cloud, server: str) -> None:
    """The others take servers again."""
    for host in cloud.drivers:
        cloud.set_host(host, status="enabled")


def brought(action: str, status: str, body: Any = None, token: str | None = None, first: Prepare = booted) -> Prepare:
    """A server brought into a status by an action that nothing disturbs."""

    def prepare(cloud: Cloud) -> str:
        server = first(cloud)
        answer = cloud.act(server, action, body, **({"token": token} if token else {}))
        assert answer.status < 300, answer.body
        cloud.wait(server, status)
        return server

    return prepare


def failing(call: str, first: Prepare, times: int = 1) -> Prepare:
    """Then each hypervisor refuses the call so often, so that what is broken is the undoing."""

    def prepare(cloud: Cloud) -> str:
        server = first(cloud)
        for driver in cloud.drivers.values():
            driver.plan.add(FaultRule(call, FaultKind.RAISE, times=times))
        return server

    return prepare


resized = brought("resize", "VERIFY_RESIZE", {"flavorRef": "1"})
resized_at_home = brought("resize", "VERIFY_RESIZE", {"flavorRef": "1"}, first=at_home)
migrated = brought("migrate", "VERIFY_RESIZE", None, ADMIN)
offloaded = brought("shelve", "SHELVED_OFFLOADED")


def shelved(cloud: Cloud) -> str:
    """On its host still."""
    CONF.set_override("shelved_offload_time", -1)
    return brought("shelve", "SHELVED")(cloud)


def keeping_the_shelf(cloud: Cloud) -> str:
    """A server that stays on its host when it is shelved."""
    CONF.set_override("shelved_offload_time", -1)
    return booted(cloud)


def deletable(cloud: Cloud) -> str:
    """A server whose delete can be taken back."""
    CONF.set_override("reclaim_instance_interval", 3600)
    return booted(cloud)


def softly_deleted(cloud: Cloud) -> str:
    server = deletable(cloud)
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait(server, "SOFT_DELETED")
    return server


# -- volumes and interfaces ---------------------------------------------------------------------------


def on_a_volume(cloud: Cloud) -> str:
    return str(cloud.boot(imageRef="", block_device_mapping_v2=[ROOT])["id"])


def beside_a_snapshot(cloud: Cloud) -> str:
    """A snapshot of somebody's volume, and no server."""
    made = cloud.volumes.create_snapshot(CTXT, cloud.volumes.make(CTXT), "shot")
    assert cloud.volumes.wait_snapshot(CTXT, made.id).status == "available"
    return made.id


def boot_from_snapshot(cloud: Cloud, snapshot: str) -> Any:
    """With a volume type, which is looked for."""
    kind = cloud.volumes.rows("/types", "volume_types")[0]["name"]
    disk = {**ROOT, "uuid": snapshot, "source_type": "snapshot", "volume_type": kind}
    return cloud.post("/servers", {"server": {**BODY, "imageRef": "", "block_device_mapping_v2": [disk]}})


def volumes_of(cloud: Cloud, server: str) -> list[str]:
    shown = cloud.show(server) or {}
    return [str(each["id"]) for each in shown.get("os-extended-volumes:volumes_attached", ())]


def free_volume(cloud: Cloud) -> str:
    """One that nobody has, made for this run."""
    rows = cloud.volumes.rows("/volumes/detail", "volumes")
    return str(next(row["id"] for row in rows if row["status"] == "available"))


def beside_a_volume(first: Prepare) -> Prepare:
    """A server and a volume that it could have."""

    def prepare(cloud: Cloud) -> str:
        cloud.volumes.make(CTXT)
        return first(cloud)

    return prepare


def attach_volume(cloud: Cloud, server: str) -> Any:
    body = {"volumeAttachment": {"volumeId": free_volume(cloud)}}
    return cloud.post(f"/servers/{server}/os-volume_attachments", body)


def with_a_volume(first: Prepare) -> Prepare:
    """A server with a volume attached."""

    def prepare(cloud: Cloud) -> str:
        server = beside_a_volume(first)(cloud)
        assert attach_volume(cloud, server).status == 202
        cloud.wait_quiet()
        return server

    return prepare


def unheard(request: str, first: Prepare) -> Prepare:
    """Then the volume service fails at such a request once."""

    def prepare(cloud: Cloud) -> str:
        server = first(cloud)
        cloud.volumes.plan.add(FaultRule(request, FaultKind.RAISE, times=1))
        return server

    return prepare


def with_an_interface(cloud: Cloud) -> str:
    """A server with two interfaces."""
    server = booted(cloud)
    assert attach_interface(cloud, server).status == 200
    return server


def attach_interface(cloud: Cloud, server: str) -> Any:
    body = {"interfaceAttachment": {"net_id": cloud.networks.first_network()}}
    return cloud.post(f"/servers/{server}/os-interface", body)


def detach_interface(cloud: Cloud, server: str) -> Any:
    port = cloud.networks.ports_of(server)[-1]["id"]
    return cloud.delete(f"/servers/{server}/os-interface/{port}")


# -- what is under way --------------------------------------------------------------------------------


def building(cloud: Cloud) -> str:
    """A server whose guest is being made just now."""
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 0.4)
    server = str(cloud.boot(wait=None)["id"])
    began(cloud, "spawn", server)
    return server


def migrating(call: str) -> Prepare:
    """A server in the middle of a live migration: its host does that call just now."""

    def prepare(cloud: Cloud) -> str:
        server = booted(cloud)
        for driver in cloud.drivers.values():
            driver.plan.delay(call, 0.4)
        assert cloud.act(server, "os-migrateLive", AUTO, token=ADMIN).status == 202
        began(cloud, call, server)
        until(lambda: _migration(cloud, server), 10, lambda: "no migration runs")
        return server

    return prepare


def _migration(cloud: Cloud, server: str) -> str | None:
    """The path of the live migration that runs."""
    found = cloud.get(f"/servers/{server}/migrations", token=ADMIN).json["migrations"]
    runs = [each["id"] for each in found if each["status"] == "running"]
    return f"/servers/{server}/migrations/{runs[0]}" if runs else None


def abort_migration(cloud: Cloud, server: str) -> Any:
    return cloud.delete(str(_migration(cloud, server)), token=ADMIN)


def force_migration(cloud: Cloud, server: str) -> Any:
    return cloud.post(f"{_migration(cloud, server)}/action", {"force_complete": None}, token=ADMIN)


def began(cloud: Cloud, call: str, server: str) -> None:
    def began() -> bool:
        return any((call, server) in driver.plan.calls for driver in cloud.drivers.values())

    until(began, 10, lambda: f"{call} never began")


# -- dead hosts ---------------------------------------------------------------------------------------


def bereft(first: Prepare) -> Prepare:
    """A server whose host is dead; its hypervisor is out of the oracle's sight."""

    def prepare(cloud: Cloud) -> str:
        server = first(cloud)
        home = host_of(cloud, server)
        cloud.silence(home)
        cloud.drivers.pop(home)
        return server

    return prepare
