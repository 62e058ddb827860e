"""A small world in which everything holds, and ways to break one thing of it."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

from nova_lite.audit.world import Hold, Key, Promise, Token, World
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import (
    Allocation,
    BlockDevice,
    ImageMeta,
    Instance,
    Migration,
    MigrationStatus,
    MigrationType,
    Operation,
    OperationEvent,
    OperationState,
    Port,
    Presence,
    ServerGroup,
    Vif,
)
from tests.harness.builders import NOW, make_flavor, make_node, make_service, uuid_of

MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
WEB, GHOST, STRANGER = uuid_of("web"), uuid_of("ghost"), uuid_of("stranger")
VOLUME, PORT, IMAGE = uuid_of("volume"), uuid_of("port"), uuid_of("image of web")
FLAVOR = make_flavor()
NODE1, NODE2 = make_node("host1"), make_node("host2")
GROUP = ServerGroup(
    uuid=uuid_of("group"), project_id="project", user_id="user", name="group", policy="anti-affinity", members=(WEB,)
)  # fmt: skip


def operation(number: int, action: str = "create", **values: Any) -> Operation:
    """One that ended well an hour ago."""
    begun, ended = NOW - HOUR, NOW - HOUR + MINUTE
    defaults: dict[str, Any] = {
        "request_id": f"req-{number}", "instance_uuid": WEB, "project_id": "project", "user_id": "user",
        "state": OperationState.DONE, "topic": "compute", "host": "host1", "start_time": begun, "finish_time": ended,
        "updated_at": ended, "events": (OperationEvent("step", begun, ended, "Success"),),
    }  # fmt: skip
    return Operation(id=number, action=action, **{**defaults, **values})


def at_work(number: int, action: str = "stop", **values: Any) -> Operation:
    """One that a living worker has."""
    defaults: dict[str, Any] = {
        "state": OperationState.RUNNING, "start_time": NOW - MINUTE, "finish_time": None, "events": (),
        "lease_until": NOW + MINUTE, "deadline": NOW + HOUR,
    }  # fmt: skip
    return operation(number, action, **{**defaults, **values})


def server(uuid: str = WEB, **values: Any) -> Instance:
    """An active server on host1, with a volume and a port."""
    device = BlockDevice(
        "volume", "volume", volume_id=VOLUME, attachment_id=uuid_of("hold"), host="host1",
        connection={"driver_volume_type": "local"},
    )  # fmt: skip
    defaults: dict[str, Any] = {
        "image_ref": uuid_of("base"), "host": "host1", "node": "host1", "generation": 3, "launched_at": NOW - HOUR,
        "power_state": int(PowerState.RUNNING), "block_devices": (device,),
        "network_info": (Vif(PORT, "fa:16:3e:00:00:01", "network", "net"),),
    }  # fmt: skip
    return Instance(uuid, "project", "user", "web", values.pop("vm_state", "active"), FLAVOR, **{**defaults, **values})


def move(**values: Any) -> Migration:
    """A live migration under way."""
    defaults: dict[str, Any] = {
        "migration_type": MigrationType.LIVE, "status": MigrationStatus.RUNNING, "source_compute": "host1", "id": 1,
    }  # fmt: skip
    return Migration(uuid=uuid_of("move"), instance_uuid=WEB, **{**defaults, **values})


def claim(consumer: str = WEB, node: str = NODE1.uuid, **sizes: int) -> Allocation:
    given = {"vcpus": FLAVOR.vcpus, "memory_mb": FLAVOR.memory_mb, "disk_gb": FLAVOR.disk_gb, **sizes}
    return Allocation(consumer, node, **given)


def presence(uuid: str = WEB, **values: Any) -> Presence:
    """A running guest with disks."""
    defaults: dict[str, Any] = {
        "power_state": int(PowerState.RUNNING), "generation": 3, "has_disks": True, "rescued": False,
        "volumes": (VOLUME,),
    }  # fmt: skip
    return Presence(uuid, **{**defaults, **values})


def hold(**values: Any) -> Hold:
    defaults: dict[str, Any] = {
        "id": uuid_of("hold"), "volume_id": VOLUME, "server": WEB, "is_attached": True, "status": "attached"
    }
    return Hold(**{**defaults, **values})


def image(ident: str = IMAGE, **values: Any) -> ImageMeta:
    return ImageMeta(id=ident, name="backup", properties={"instance_uuid": WEB}, **values)


def port(**values: Any) -> Port:
    defaults: dict[str, Any] = {
        "id": PORT, "server": WEB, "host": "host1", "is_made": True, "is_plugged": True, "project": "project",
    }  # fmt: skip
    return Port(**{**defaults, **values})


def whole(**changes: Any) -> World:
    """Everything is said, and all of it agrees."""
    ghost = server(GHOST, vm_state="deleted", deleted_at=NOW - HOUR)
    world = World(
        now=NOW,
        servers={WEB: server()},
        gone={GHOST: ghost},
        operations=(operation(1), operation(2, "createImage", args={"image_id": IMAGE})),
        claims=(claim(),),
        nodes=(NODE1, NODE2),
        services=(make_service("host1"), make_service("host2")),
        groups=(GROUP,),
        promises=(Promise(uuid_of("awaited"), WEB, None, is_due=False),),
        tokens=(Token(WEB, 1, NOW + MINUTE, NOW + MINUTE),),
        keys=(Key(1, WEB, NOW + HOUR),),
        hosts={"host1": (presence(),), "host2": ()},
        images={IMAGE: image()},
        ports=(port(),),
        holds=(hold(),),
        volumes={VOLUME: "in-use", uuid_of("free"): "available"},
    )
    return replace(world, **changes)


def with_server(**values: Any) -> World:
    """The server has other values; its guest is of its generation."""
    return whole(servers={WEB: server(**values)})
