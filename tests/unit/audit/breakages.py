"""One world for each rule, in which exactly that rule does not hold."""

from __future__ import annotations

from dataclasses import replace

from nova_lite.audit.finding import Repair
from nova_lite.audit.world import Key, Promise, Reservation, Token, World, WrongBooks, WrongQuota
from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Fault, MigrationStatus, MigrationType, OperationEvent, OperationState
from tests.harness.builders import NOW, uuid_of
from tests.unit.audit import worlds
from tests.unit.audit.worlds import GHOST, GROUP, HOUR, IMAGE, MINUTE, NODE1, NODE2, STRANGER, WEB, whole, with_server

OTHER = uuid_of("other")
FAULT = Fault(500, "No.")
SHELVED = {"shelved_at": "2026-11-20T10:00:00", "shelved_image_id": uuid_of("lost")}
DONE = (worlds.operation(1), worlds.operation(2, "createImage", args={"image_id": IMAGE}))
OFF = {"host": None, "node": None, "block_devices": (), "network_info": ()}
EMPTY = {"claims": (), "hosts": {"host1": (), "host2": ()}, "holds": (), "ports": (), "volumes": {}, "tokens": ()}


def _operations(*more: object) -> World:
    return whole(operations=(*DONE, *more))


def _on_hosts(host1: tuple[object, ...] = (worlds.presence(),), host2: tuple[object, ...] = ()) -> World:
    return whole(hosts={"host1": host1, "host2": host2})


def _given_up(host1: tuple[object, ...], host2: tuple[object, ...] = (), **server: object) -> World:
    """A server in error, whose resize to host2 was given up."""
    lost = worlds.server(vm_state="error", fault=FAULT, block_devices=(), **server)
    given_up = worlds.move(
        migration_type=MigrationType.RESIZE, status=MigrationStatus.ERROR, dest_compute="host2", operation_id=2
    )
    hosts = {"host1": host1, "host2": host2}
    return whole(servers={WEB: lost}, moves=(given_up,), hosts=hosts, holds=(), volumes={})


def _offloaded(**values: object) -> World:
    homeless = worlds.server(vm_state="shelved_offloaded", **{**OFF, **values})
    return whole(servers={WEB: homeless}, **EMPTY)


def _two_servers(**changes: object) -> World:
    """A second member of the group, at home on host2."""
    other = worlds.server(OTHER, host="host2", node="host2", block_devices=(), network_info=())
    servers = {WEB: worlds.server(), OTHER: other}
    hosts = {"host1": (worlds.presence(),), "host2": (worlds.presence(OTHER, volumes=()),)}
    claims = (worlds.claim(), worlds.claim(OTHER, NODE2.uuid))
    group = replace(GROUP, members=(WEB, OTHER))
    operations = (*DONE, worlds.operation(5, instance_uuid=OTHER))
    world = whole(servers=servers, hosts=hosts, claims=claims, groups=(group,), operations=operations)
    return replace(world, **changes)  # type: ignore[arg-type]


def _together() -> World:
    """Both members on host1."""
    world = _two_servers()
    other = world.servers[OTHER].replace(host="host1", node="host1")
    hosts = {"host1": (worlds.presence(), worlds.presence(OTHER, volumes=())), "host2": ()}
    return replace(
        world, servers={**world.servers, OTHER: other}, hosts=hosts, claims=(worlds.claim(), worlds.claim(OTHER))
    )


_EVENT = OperationEvent("step", NOW - HOUR, None)
_EARLY = OperationEvent("early", NOW - 2 * HOUR, NOW - HOUR, "Success")
_FILLED = {"image_id": uuid_of("x")}
_FAILED = worlds.operation(3, "createImage", state=OperationState.FAILED, message="No.", args=_FILLED)
# It had said that its image stays, and rotated an older one out for it.
_OVERTAKEN = replace(_FAILED, action="createBackup", steps=(actions.IMAGE_KEPT_STEP,))
_BOOKS = WrongBooks(NODE1.uuid, (2, 1024, 1), (1, 512, 1), (64.0, 32768.0, 100.0))
_FULL = WrongBooks(NODE1.uuid, (65, 512, 1), (65, 512, 1), (64.0, 32768.0, 100.0))

# (rule, what of, the broken world, what may be done about it). A rule may be broken in several ways.
BREAKAGES: tuple[tuple[str, str, World, Repair | None], ...] = (
    ("server-at-rest", WEB, with_server(task_state="powering-off"), None),
    ("error-has-reason", WEB, with_server(vm_state="error"), None),
    ("api-shows-servers", WEB, whole(shown={WEB: "SHUTOFF"}), None),
    ("api-shows-servers", WEB, whole(shown={}), None),
    ("api-shows-servers", STRANGER, whole(shown={WEB: "ACTIVE", STRANGER: "ACTIVE"}), None),
    ("row-is-readable", WEB, whole(servers={}, unreadable=frozenset({WEB})), None),
    ("server-has-host", WEB, whole(
        servers={WEB: worlds.server(vm_state="error", fault=FAULT, launched_at=None, **{**OFF, "host": "gone"})},
        **EMPTY), None),
    ("offloaded-has-no-host", WEB, whole(
        servers={WEB: worlds.server(vm_state="shelved_offloaded", block_devices=(), network_info=())},
        **{**EMPTY, "claims": (worlds.claim(),)}), None),
    ("shelf-is-forgotten", WEB, with_server(system_metadata={"shelved_at": "2026"}), None),
    ("operation-ends", "3", _operations(worlds.at_work(3, deadline=NOW - HOUR)), None),
    ("operation-ends", "3", _operations(worlds.at_work(3, lease_until=NOW - HOUR)), None),
    ("operation-ends", "3", _operations(worlds.at_work(3, "delete", deadline=None, start_time=NOW - 2 * HOUR)), None),
    ("operation-is-readable", "7", whole(broken={7: "its args are no dict"}), None),
    ("failure-has-reason", "3", _operations(worlds.operation(3, "stop", state=OperationState.FAILED)), None),
    ("server-was-accepted", WEB, whole(operations=DONE[1:]), None),
    ("delete-wins", "3", _operations(worlds.at_work(3, instance_uuid=GHOST)), None),
    ("events-are-closed", "3", _operations(worlds.operation(3, "stop", events=(_EVENT,))), Repair.CLOSE_EVENTS),
    ("events-are-ordered", "3", _operations(worlds.operation(3, "stop", events=(_EARLY,))), None),
    ("end-is-whole", "3", _operations(worlds.operation(3, "stop", finish_time=None)), None),
    ("one-at-a-time", WEB, _operations(worlds.at_work(3, "stop"), worlds.at_work(4, "reboot")), None),
    ("password-is-forgotten", "3", _operations(
        worlds.operation(3, "changePassword", args={"admin_password": "secret"})), Repair.FORGET_PASSWORD),
    ("move-ends", worlds.move().uuid, whole(
        moves=(worlds.move(),), claims=(worlds.claim(), worlds.claim(worlds.move().uuid))), None),
    ("resized-has-move", WEB, with_server(vm_state="resized"), None),
    ("one-move-at-a-time", WEB, whole(
        operations=(*DONE, worlds.at_work(3, "live-migration")),
        moves=(worlds.move(), worlds.move(id=2)), claims=(worlds.claim(), worlds.claim(worlds.move().uuid))), None),
    ("books-are-right", NODE1.uuid, whole(books=(_BOOKS,)), Repair.REBOOK_NODE),
    ("books-are-right", NODE1.uuid, whole(books=(_FULL,)), None),
    ("claim-has-owner", STRANGER, whole(claims=(worlds.claim(), worlds.claim(STRANGER))), Repair.RELEASE_CLAIM),
    ("claim-has-owner", WEB, whole(claims=(worlds.claim(), worlds.claim(WEB, NODE2.uuid)), groups=()), None),
    ("owner-has-claim", WEB, whole(claims=()), None),
    ("claim-fits", WEB, whole(claims=(worlds.claim(vcpus=7),)), None),
    ("group-policy-holds", GROUP.uuid, _together(), None),
    ("group-policy-holds", GROUP.uuid, _two_servers(
        groups=(replace(GROUP, members=(WEB, OTHER), policy="affinity"),)), None),
    ("quota-is-counted", "project/p/cores", whole(quota=(WrongQuota("project", "p", "cores", 3, 1),)),
     Repair.RECOUNT_QUOTA),
    ("server-runs-once", WEB, _on_hosts(host2=(worlds.presence(has_disks=False),)), None),
    ("active-server-runs", WEB, _on_hosts((worlds.presence(power_state=int(PowerState.SHUTDOWN)),)), None),
    ("guest-has-its-disk", WEB, _on_hosts((worlds.presence(rescued=True),)), None),
    ("guest-has-server", STRANGER, _on_hosts(host2=(worlds.presence(STRANGER, has_disks=False),)), None),
    ("guest-is-at-home", WEB, _on_hosts(host2=(worlds.presence(
        generation=2, power_state=int(PowerState.SHUTDOWN), has_disks=False),)), Repair.LOOK_AROUND),
    ("guest-is-at-home", WEB, _on_hosts(host2=(worlds.presence(
        generation=None, power_state=int(PowerState.SHUTDOWN), has_disks=False),)), None),
    ("expected-guest-comes", WEB, _on_hosts(host2=(worlds.presence(
        power_state=None, has_disks=False, is_expected=True),)), None),
    ("deleted-guest-is-gone", GHOST, _on_hosts(host2=(worlds.presence(GHOST, has_disks=False),)), Repair.LOOK_AROUND),
    ("guest-has-generation", WEB, _on_hosts((worlds.presence(generation=2),)), None),
    ("guest-has-generation", WEB, _on_hosts((worlds.presence(generation=4),)), None),
    ("guest-has-generation", WEB, _on_hosts((worlds.presence(generation=None),)), None),
    ("disks-have-server", GHOST, _on_hosts(host2=(worlds.presence(GHOST, power_state=None),)), Repair.LOOK_AROUND),
    ("disks-have-server", STRANGER, _on_hosts(host2=(worlds.presence(STRANGER, power_state=None),)), None),
    ("server-has-disks", WEB, _on_hosts((worlds.presence(has_disks=False),)), None),
    ("no-disks-set-aside", WEB, _on_hosts((worlds.presence(is_set_aside=True),)), Repair.LOOK_AROUND),
    ("no-disks-set-aside", WEB, replace(
        with_server(vm_state="stopped"),
        hosts={"host1": (worlds.presence(is_set_aside=True, power_state=None),), "host2": ()}), None),
    ("moved-server-has-guest", WEB, _given_up(()), None),
    ("moved-server-has-guest", WEB, _given_up((worlds.presence(power_state=None),)), None),
    ("promised-image-goes", uuid_of("due"), whole(promises=(Promise(uuid_of("due"), WEB, None, is_due=True),)), None),
    ("shelved-image-is-there", uuid_of("lost"), _offloaded(system_metadata=SHELVED), None),
    ("image-has-maker", uuid_of("x"), replace(
        _operations(_FAILED), images={uuid_of("x"): worlds.image(uuid_of("x"))}), Repair.REMOVE_IMAGE),
    ("image-has-maker", uuid_of("x"), replace(
        _operations(_OVERTAKEN), images={uuid_of("x"): worlds.image(uuid_of("x"), status="deactivated")}), None),
    ("reservation-ends", "7", whole(reservations=(Reservation(7, WEB, worlds.VOLUME, is_due=True),)), None),
    ("hold-has-server", uuid_of("h"), whole(
        holds=(worlds.hold(), worlds.hold(id=uuid_of("h"), server=GHOST)), volumes=None), Repair.GIVE_VOLUME_BACK),
    ("hold-is-known", uuid_of("h"), whole(
        holds=(worlds.hold(), worlds.hold(id=uuid_of("h"), volume_id=uuid_of("v"))), volumes=None), None),
    ("volume-is-held", VOLUME := worlds.VOLUME, whole(holds=(), volumes={}), None),
    ("connection-is-known", VOLUME, whole(holds=(worlds.hold(is_attached=False, status="reserved"),)), None),
    ("guest-has-volumes", WEB, _on_hosts((worlds.presence(volumes=()),)), None),
    ("connection-is-at-home", VOLUME, whole(
        servers={WEB: worlds.server(block_devices=(worlds.server().block_devices[0].replace(host="host2"),))}), None),
    ("volume-status-fits", VOLUME, whole(volumes={VOLUME: "available"}), None),
    ("port-has-server", uuid_of("p"), whole(
        ports=(worlds.port(), worlds.port(id=uuid_of("p"), server=GHOST))), Repair.GIVE_PORT_BACK),
    ("port-has-server", uuid_of("p"), whole(
        ports=(worlds.port(), worlds.port(id=uuid_of("p"), server=STRANGER))), None),
    ("port-is-known", uuid_of("p"), whole(ports=(worlds.port(), worlds.port(id=uuid_of("p")))), None),
    ("port-is-at-home", worlds.PORT, whole(ports=(worlds.port(host="host2"),)), None),
    ("interface-has-port", worlds.PORT, whole(ports=()), None),
    ("token-has-console", GHOST, whole(
        tokens=(Token(GHOST, 1, NOW + MINUTE, NOW + MINUTE),)), Repair.FORGET_TOKENS),
    ("token-has-console", WEB, replace(_offloaded(), tokens=(
        Token(WEB, 1, NOW + MINUTE, NOW + MINUTE),)), Repair.FORGET_TOKENS),
    ("token-is-forgotten", WEB, whole(tokens=(Token(WEB, 2, NOW + MINUTE, NOW - 2 * HOUR),)), Repair.FORGET_TOKENS),
    ("key-has-server", "1", whole(keys=(Key(1, STRANGER, NOW + HOUR),)), None),
    ("key-is-forgotten", "1", whole(keys=(Key(1, WEB, NOW - 2 * HOUR),)), Repair.FORGET_KEYS),
)  # fmt: skip

# What goes with a breakage wherever it happens.
ALSO = {"server-runs-once": ["guest-is-at-home"]}

# Worlds at work, or of which less is known: nothing is wrong with them.
FINE: dict[str, World] = {
    "all is well": whole(),
    "a strict look at what is well": whole(strict=True, promises=()),
    "nothing": World(NOW),
    "the API shows what is": whole(shown={WEB: "ACTIVE"}),
    "the API's lists leave out what is soft-deleted": replace(with_server(vm_state="soft-delete"), shown={}),
    "an operation at work excuses its server": replace(
        with_server(task_state="powering-off"), operations=(*DONE, worlds.at_work(3)), claims=(), ports=(), holds=(),
        volumes={}, hosts={"host1": (), "host2": (worlds.presence(generation=1),)}),
    "an operation that waits for its turn excuses it, too": replace(
        with_server(task_state="powering-off"),
        operations=(*DONE, worlds.at_work(3, state=OperationState.PENDING, lease_until=None))),
    "what changed while we looked is excused": replace(
        with_server(task_state="powering-off"), touched=frozenset({WEB})),
    "a host that is not heard has not lost its guests": whole(hosts={"host2": ()}, unheard={"host1": "is down"}),
    "a network service that is not heard has not lost its ports": whole(ports=None),
    "a volume service that is not heard has not lost its volumes": whole(holds=None, volumes=None),
    "an image service that is not heard has not lost the shelf": replace(
        _offloaded(system_metadata=SHELVED), images=None),
    "a driver that does not look at volumes says nothing of them": _on_hosts(
        (worlds.presence(volumes=None, rescued=None),)),
    "others may attach volumes and ports": whole(
        holds=(worlds.hold(), worlds.hold(id="h", server=STRANGER, volume_id="v")), volumes={"v": "available"},
        ports=(worlds.port(), worlds.port(id="p", server=STRANGER, is_made=False))),
    "anybody may write the id of another project's server, alive or deleted, on a port of their own": whole(
        ports=(worlds.port(), worlds.port(id="p", project="theirs"),
               worlds.port(id="q", server=GHOST, project="theirs", is_made=False))),
    "a request that is not accepted yet may hold a volume": whole(
        holds=(worlds.hold(), worlds.hold(id="h", volume_id="v")), volumes={"v": "available"},
        reservations=(Reservation(7, WEB, "v", is_due=False),)),
    "a user's copy of an image has its properties": whole(images={"copy": worlds.image("copy")}),
    "a backup that was overtaken in its rotation has its image": replace(
        _operations(_OVERTAKEN), images={uuid_of("x"): worlds.image(uuid_of("x"))}),
    "a resize waits for a word of its user": whole(
        servers={WEB: worlds.server(vm_state="resized", host="host2", node="host2", block_devices=(),
                                    network_info=())},
        moves=(worlds.move(status=MigrationStatus.FINISHED),), ports=(), holds=(), volumes={},
        claims=(worlds.claim(WEB, NODE2.uuid), worlds.claim(worlds.move().uuid)),
        hosts={"host1": (worlds.presence(power_state=None),), "host2": (worlds.presence(volumes=()),)}),
    "a server in error has what its move set aside, off": _given_up(
        (worlds.presence(power_state=int(PowerState.SHUTDOWN), volumes=()),)),
    "a host that is not heard may have the guest of a move that was given up": replace(
        _given_up(()), hosts={"host1": ()}),
    "a rebuild that failed after a move has no guest": replace(
        _given_up(()), operations=(*DONE, worlds.operation(9, "rebuild", state=OperationState.FAILED, message="No."))),
    "a build that failed holds nothing": whole(
        servers={WEB: worlds.server(vm_state="error", fault=FAULT, launched_at=None, **OFF)}, **EMPTY),
    "an evacuation that failed left an older guest": replace(
        with_server(vm_state="error", fault=FAULT, generation=5)),
    "a volume and a port come at the same time": _operations(
        worlds.at_work(3, "attach_volume"), worlds.at_work(4, "attach_interface")),
}  # fmt: skip
