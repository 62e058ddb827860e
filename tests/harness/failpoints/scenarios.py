"""Every operation of the table as a scenario: what it needs, how it is asked for, and how its traces are removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nova_lite.compute import actions
from nova_lite.compute.actions import Action
from tests.harness.cloud import ADMIN, CONF, CTXT, IMAGE_ID, Cloud, until
from tests.harness.failpoints import chores, evacuations, leftovers, shelves
from tests.harness.failpoints import preparations as of
from tests.harness.failpoints.preparations import Prepare

Act = Callable[[Cloud, str], Any]
# What preparations set.
_OPTIONS = ("reclaim_instance_interval", "shelved_offload_time", "resize_confirm_window", "allow_resize_to_same_host")


def _nothing_more(cloud: Cloud, server: str) -> None:
    """What most scenarios have to do afterwards."""


@dataclass(frozen=True)
class Scenario:
    """``prepare`` answers the server's id; ``act`` sends the one request that is broken, whatever comes of it.

    ``row`` is the action's; ``after`` is done once all is quiet, before the traces are removed. ``restless``: the
    preparation leaves work under way, which is broken with the rest. ``may_fail``: its answer may be an error.
    ``watches``: what services do by themselves that is broken, too, or (``alone``) only, as the rest is another
    scenario's: names of chores or functions. ``brings_hosts_back``: the preparation left hosts down.
    """

    name: str
    row: Action
    prepare: Prepare
    act: Act
    after: Act = _nothing_more
    restless: bool = False
    may_fail: bool = False
    watches: frozenset[str] = frozenset()
    alone: bool = False
    brings_hosts_back: bool = False

    def clean(self, cloud: Cloud, server: str, hosts: list[str]) -> None:
        """Hosts come back; everything goes, also what the operation made without our knowing its id."""
        cloud.volumes.plan.clear()
        for driver in cloud.drivers.values():
            driver.plan.clear()
        for host in hosts:
            if host not in cloud.services:
                cloud.revive(host)
        self.after(cloud, server)
        for option in _OPTIONS:
            CONF.clear_override(option)
        for each in cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"]:
            cloud.delete(f"/servers/{each['id']}", token=ADMIN)
        until(
            lambda: not cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"], 30,
            lambda: "a server does not go away",
        )  # fmt: skip

    def sweep(self, cloud: Cloud) -> None:
        """What users keep goes, too, once the cloud is quiet: volumes, snapshots, images."""
        for row in cloud.volumes.rows("/snapshots", "snapshots"):
            cloud.volumes.delete_snapshot(None, row["id"])
        for row in cloud.volumes.rows("/volumes", "volumes"):
            cloud.volumes.delete(None, row["id"])
        for image in {*cloud.images.images} - {IMAGE_ID, of.OTHER_IMAGE}:
            cloud.images.images.pop(image)


def _act(action: str, body: Any = None, token: str | None = None) -> Act:
    return lambda cloud, server: cloud.act(server, action, body, **({"token": token} if token else {}))


def _delete(cloud: Cloud, server: str) -> Any:
    return cloud.delete(f"/servers/{server}")


def _boot(**wanted: Any) -> Act:
    return lambda cloud, server: cloud.post("/servers", {"server": {**of.BODY, **wanted}})


def _boot_once(cloud: Cloud, key: str) -> Any:
    return cloud.post("/servers", {"server": {**of.BODY, "name": "once"}}, headers={"Idempotency-Key": key})


def _said_again(cloud: Cloud, key: str) -> None:
    """Whatever became of the first, there is one server in the end, and one answer."""
    answers = [_boot_once(cloud, key) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202], answers
    assert answers[0].body == answers[1].body
    servers = cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"]
    assert [each["id"] for each in servers] == [answers[0].json["server"]["id"]], servers


def _for_good(cloud: Cloud, server: str) -> None:
    CONF.set_override("reclaim_instance_interval", 0)
    if cloud.show(server) is not None:
        cloud.act(server, "forceDelete", token=ADMIN)
        cloud.wait_gone(server, 30)


def _off_the_shelf_for_good(cloud: Cloud, server: str) -> None:
    shelves.stays_off_the_shelf(cloud, server)
    _for_good(cloud, server)


def _detach_volume(cloud: Cloud, server: str) -> Any:
    return cloud.delete(f"/servers/{server}/os-volume_attachments/{of.volumes_of(cloud, server)[-1]}")


def _swap_volume(cloud: Cloud, server: str) -> Any:
    body = {"volumeAttachment": {"volumeId": of.free_volume(cloud)}}
    path = f"/servers/{server}/os-volume_attachments/{of.volumes_of(cloud, server)[-1]}"
    return cloud.request("PUT", path, body, token=ADMIN)


def _with_two_volumes(cloud: Cloud) -> str:
    """One attached, one to take its place."""
    server = of.with_a_volume(of.booted)(cloud)
    cloud.volumes.make(CTXT)
    return server


# As often is a revert's turn tried.
_TRIES = 3
_ON_THE_WAY = of.migrating("live_migrate_round")
_LIVE = _act("os-migrateLive", of.AUTO, ADMIN)
_RESIZE = _act("resize", {"flavorRef": "1"})
_REBUILD = _act("rebuild", {"imageRef": IMAGE_ID})
_RESET = _act("os-resetState", {"state": "active"}, ADMIN)
_ON_A_HOST = of.with_a_volume(of.booted)

BOOTS = (
    Scenario("boot", actions.CREATE, of.nothing, _boot()),
    Scenario("boot once", actions.CREATE, of.a_key, _boot_once, _said_again),
    Scenario("boot several", actions.CREATE, of.nothing, _boot(min_count=2, max_count=2)),
    Scenario("boot from volume", actions.CREATE, of.nothing, _boot(imageRef="", block_device_mapping_v2=[of.ROOT])),
    Scenario("boot from snapshot", actions.CREATE, of.beside_a_snapshot, of.boot_from_snapshot),
    Scenario("boot that fails", actions.CREATE, of.failing("spawn", of.nothing), _boot()),
)
DELETES = (
    Scenario("delete", actions.DELETE, of.booted, _delete),
    Scenario("delete with volumes", actions.DELETE, of.with_a_volume(of.on_a_volume), _delete),
    Scenario("delete while building", actions.DELETE, of.building, _delete, restless=True),
    Scenario("delete resized", actions.DELETE, of.resized, _delete),
    Scenario("delete resized on its host", actions.DELETE, of.resized_at_home, _delete, of.hosts_enabled),
    Scenario("delete shelved", actions.DELETE, of.offloaded, _delete),
    Scenario("delete without host", actions.DELETE, of.bereft(of.with_a_volume(of.booted)), _delete),
    Scenario("force delete", actions.FORCE_DELETE, of.softly_deleted, _act("forceDelete", token=ADMIN)),
    Scenario("soft delete", actions.SOFT_DELETE, of.deletable, _delete, _for_good),
    Scenario("restore", actions.RESTORE, of.softly_deleted, _act("restore"), _for_good),
)
POWER = (
    Scenario("stop", actions.STOP, of.booted, _act("os-stop")),
    Scenario("start", actions.START, of.brought("os-stop", "SHUTOFF"), _act("os-start")),
    Scenario("reboot", actions.REBOOT_HARD, of.booted, _act("reboot", {"type": "HARD"})),
    Scenario("soft reboot", actions.REBOOT_SOFT, of.booted, _act("reboot", {"type": "SOFT"})),
    Scenario("pause", actions.PAUSE, of.booted, _act("pause")),
    Scenario("unpause", actions.UNPAUSE, of.brought("pause", "PAUSED"), _act("unpause")),
    Scenario("suspend", actions.SUSPEND, of.booted, _act("suspend")),
    Scenario("resume", actions.RESUME, of.brought("suspend", "SUSPENDED"), _act("resume")),
    Scenario("password", actions.CHANGE_PASSWORD, of.booted, _act("changePassword", {"adminPass": "s3cret"})),
    Scenario("crash dump", actions.TRIGGER_CRASH_DUMP, of.booted, _act("trigger_crash_dump")),
)
IMAGES = (
    Scenario("rebuild", actions.REBUILD, of.booted, _REBUILD),
    Scenario("rebuild that fails", actions.REBUILD, of.failing("spawn", of.booted), _REBUILD),
    Scenario(
        "rebuild on a volume", actions.REBUILD, of.on_a_volume, _act("rebuild", {"imageRef": of.OTHER_IMAGE}),
    ),
    Scenario("rescue", actions.RESCUE, of.booted, _act("rescue")),
    Scenario("unrescue", actions.UNRESCUE, of.brought("rescue", "RESCUE"), _act("unrescue")),
    Scenario("snapshot", actions.CREATE_IMAGE, of.booted, _act("createImage", {"name": "snap"})),
    Scenario("snapshot of a volume", actions.CREATE_IMAGE, of.on_a_volume, _act("createImage", {"name": "snap"})),
    Scenario(
        "backup", actions.CREATE_BACKUP, of.brought("createBackup", "ACTIVE", _BACKUP := {
            "name": "b", "backup_type": "daily", "rotation": 1,
        }), _act("createBackup", _BACKUP),
    ),
    Scenario("shelve", actions.SHELVE, of.booted, _act("shelve")),
    Scenario("shelve on its host", actions.SHELVE, of.keeping_the_shelf, _act("shelve")),
    Scenario("shelve offload", actions.SHELVE_OFFLOAD, of.shelved, _act("shelveOffload", token=ADMIN)),
    Scenario("unshelve", actions.UNSHELVE, of.offloaded, _act("unshelve")),
    Scenario("unshelve on its host", actions.UNSHELVE, of.shelved, _act("unshelve")),
    Scenario("unshelve that fails", actions.UNSHELVE, of.failing("spawn", of.offloaded), _act("unshelve")),
    Scenario("restore of a shelved server", actions.RESTORE, shelves.softly_deleted, _act("restore"),
             _off_the_shelf_for_good),
    Scenario("shelve offload without its image", actions.SHELVE_OFFLOAD, of.shelved,
             shelves.offload_without_image, shelves.keeps_its_disk),
    Scenario("shelve offload from a dead host", actions.SHELVE_OFFLOAD, of.bereft(of.shelved),
             shelves.offload_and_back, shelves.keeps_its_disk, brings_hosts_back=True),
)  # fmt: skip
MOVES = (
    Scenario("resize", actions.RESIZE, of.booted, _RESIZE),
    Scenario("resize that fails", actions.RESIZE, of.failing("finish_migration", of.booted), _RESIZE),
    Scenario("confirm", actions.CONFIRM_RESIZE, of.resized, _act("confirmResize")),
    Scenario("revert", actions.REVERT_RESIZE, of.resized, _act("revertResize")),
    Scenario("resize on its host", actions.RESIZE, of.at_home, _RESIZE, of.hosts_enabled),
    Scenario("resize on its host that fails", actions.RESIZE, of.failing("finish_migration", of.at_home), _RESIZE,
             of.hosts_enabled),
    Scenario("resize on its host that keeps its disks", actions.RESIZE,
             of.failing("migrate_disk_and_power_off", of.at_home), _RESIZE, of.hosts_enabled),
    Scenario("confirm on its host", actions.CONFIRM_RESIZE, of.resized_at_home, _act("confirmResize"),
             of.hosts_enabled),
    Scenario("revert on its host", actions.REVERT_RESIZE, of.resized_at_home, _act("revertResize"),
             of.hosts_enabled),
    Scenario("revert that fails", actions.REVERT_RESIZE, of.failing("revert_migration", of.resized, _TRIES),
             _act("revertResize")),
    Scenario("revert on its host that fails", actions.REVERT_RESIZE,
             of.failing("revert_migration", of.resized_at_home, _TRIES), _act("revertResize"), of.hosts_enabled),
    Scenario("migrate", actions.MIGRATE, of.booted, _act("migrate", None, ADMIN)),
    Scenario("confirm a migration", actions.CONFIRM_RESIZE, of.migrated, _act("confirmResize")),
    Scenario("revert a migration", actions.REVERT_RESIZE, of.migrated, _act("revertResize")),
    Scenario("live migration", actions.LIVE_MIGRATE, of.booted, _LIVE),
    Scenario("live migration with a volume", actions.LIVE_MIGRATE, of.with_a_volume(of.booted), _LIVE),
    Scenario("live migration that fails", actions.LIVE_MIGRATE, of.failing("live_migrate", of.booted), _LIVE),
    Scenario("abort a live migration", actions.ABORT_MIGRATION, _ON_THE_WAY, of.abort_migration, restless=True),
    Scenario("force a live migration", actions.FORCE_COMPLETE, _ON_THE_WAY, of.force_migration, restless=True),
    Scenario(
        "reset at the end of a live migration", actions.SETTLE, of.migrating("post_live_migration"),
        _act("os-resetState", {"state": "active"}, ADMIN), restless=True,
    ),
    Scenario("evacuate", actions.EVACUATE, of.bereft(of.booted), _act("evacuate", {}, ADMIN)),
    Scenario("evacuate a volume", actions.EVACUATE, of.bereft(of.on_a_volume), _act("evacuate", {}, ADMIN)),
)  # fmt: skip
DEVICES = (
    Scenario("attach volume", actions.ATTACH_VOLUME, of.beside_a_volume(of.booted), of.attach_volume),
    Scenario(
        "attach volume that fails", actions.ATTACH_VOLUME, of.failing("attach_volume", of.beside_a_volume(of.booted)),
        of.attach_volume,
    ),
    Scenario("attach volume, shelved", actions.ATTACH_VOLUME, of.beside_a_volume(of.offloaded), of.attach_volume),
    Scenario("detach volume", actions.DETACH_VOLUME, of.with_a_volume(of.booted), _detach_volume),
    Scenario(
        "detach volume, not at once", actions.DETACH_VOLUME,
        of.unheard("DELETE /attachments", of.with_a_volume(of.booted)), _detach_volume,
    ),
    Scenario("detach volume, shelved", actions.DETACH_VOLUME, of.with_a_volume(of.offloaded), _detach_volume),
    Scenario("swap volume", actions.SWAP_VOLUME, _with_two_volumes, _swap_volume),
    Scenario("swap volume that fails", actions.SWAP_VOLUME, of.failing("swap_volume", _with_two_volumes), _swap_volume),
    Scenario("attach interface", actions.ATTACH_INTERFACE, of.booted, of.attach_interface),
    Scenario(
        "attach interface that fails", actions.ATTACH_INTERFACE, of.failing("attach_interface", of.booted),
        of.attach_interface, may_fail=True,
    ),
    Scenario("detach interface", actions.DETACH_INTERFACE, of.with_an_interface, of.detach_interface),
)  # fmt: skip
RESETS = (
    Scenario("reset in a build", actions.SETTLE, of.building, _RESET, restless=True),
    Scenario("reset in a cold move", actions.SETTLE, chores.under_way("finish_migration", _ON_A_HOST, _RESIZE), _RESET,
             restless=True),
    Scenario("reset in a resize on its host", actions.SETTLE, chores.under_way("finish_migration", of.at_home, _RESIZE),
             _RESET, of.hosts_enabled, restless=True),
)  # fmt: skip
_HARD = _act("reboot", {"type": "HARD"})
LEFTOVERS = (
    Scenario("resize after a reset of one", actions.RESIZE,
             leftovers.reset_in("finish_migration", _ON_A_HOST, _RESIZE), _RESIZE, restless=True),
    Scenario("resize on its host after a reset of one", actions.RESIZE,
             leftovers.reset_in("finish_migration", of.at_home, _RESIZE), _RESIZE, of.hosts_enabled, restless=True),
    Scenario("reboot after a swap in silence", actions.REBOOT_HARD, leftovers.swapped_in_silence, _HARD,
             leftovers.copied_once, restless=True),
    Scenario("live migration after a swap in silence", actions.LIVE_MIGRATE, leftovers.swapped_in_silence, _LIVE,
             leftovers.copied_once, restless=True),
    Scenario("unshelve onto a stale disk", actions.UNSHELVE, leftovers.stale_elsewhere(of.offloaded), _act("unshelve"),
             leftovers.not_stale, restless=True),
    Scenario("unshelve onto a stale guest", actions.UNSHELVE, leftovers.stale_elsewhere(of.offloaded, guest=True),
             _act("unshelve"), leftovers.not_stale, restless=True),
    Scenario("resize onto a stale disk", actions.RESIZE, leftovers.stale_elsewhere(of.booted), _RESIZE,
             leftovers.not_stale, restless=True),
    Scenario("resize onto a stale guest", actions.RESIZE, leftovers.stale_elsewhere(of.booted, guest=True), _RESIZE,
             leftovers.not_stale, restless=True),
)  # fmt: skip
_MID_LIVE = ("live_migrate_round", of.booted, _LIVE)
EVACUATIONS = (
    Scenario("evacuate amid a resize", actions.EVACUATE,
             evacuations.bereft_amid("migrate_disk_and_power_off", _ON_A_HOST, _RESIZE),
             evacuations.and_back(evacuations.evacuate), restless=True, brings_hosts_back=True),
    Scenario("evacuate amid a live migration", actions.EVACUATE, evacuations.bereft_amid(*_MID_LIVE),
             evacuations.and_back(evacuations.once_decided), restless=True, brings_hosts_back=True),
    Scenario("evacuate after a reset of a live migration", actions.EVACUATE,
             evacuations.bereft_amid(*_MID_LIVE, evacuations.reset), evacuations.and_back(evacuations.once_decided),
             restless=True, brings_hosts_back=True),
    Scenario("evacuate amid an attach", actions.EVACUATE,
             evacuations.bereft_amid("attach_volume", of.beside_a_volume(of.booted), of.attach_volume),
             evacuations.and_back(evacuations.evacuate), restless=True, brings_hosts_back=True),
    Scenario("evacuate amid a swap", actions.EVACUATE,
             evacuations.bereft_amid("swap_volume", _with_two_volumes, _swap_volume),
             evacuations.and_back(evacuations.evacuate), restless=True, brings_hosts_back=True),
    Scenario("evacuate in vain, and the host comes back", actions.EVACUATE,
             of.failing("spawn", of.bereft(_ON_A_HOST), evacuations.ALWAYS),
             evacuations.and_back(evacuations.evacuate), brings_hosts_back=True),
    Scenario("evacuate in vain amid an attach", actions.EVACUATE,
             of.failing("spawn", evacuations.bereft_amid("attach_volume", of.beside_a_volume(of.booted),
                                                         of.attach_volume), evacuations.ALWAYS),
             evacuations.and_back(evacuations.evacuate), restless=True, brings_hosts_back=True),
    Scenario("evacuate in vain amid a swap", actions.EVACUATE,
             of.failing("spawn", evacuations.bereft_amid("swap_volume", _with_two_volumes, _swap_volume),
                        evacuations.ALWAYS),
             evacuations.and_back(evacuations.evacuate), restless=True, brings_hosts_back=True),
    Scenario("reset in an evacuation, and the host comes back", actions.SETTLE,
             evacuations.being_evacuated(_ON_A_HOST), evacuations.and_back(_RESET), restless=True,
             brings_hosts_back=True),
)  # fmt: skip
_SWEEP, _START = frozenset({"sweep"}), frozenset({"init_host"})
SWEEPS = (
    Scenario(
        "sweep: build of a dead host", actions.CREATE, chores.dying("spawn", of.nothing, _boot()),
        chores.notice_the_dead, restless=True, watches=_SWEEP, alone=True,
    ),
    Scenario(
        "sweep: evacuation to a dead host", actions.EVACUATE,
        chores.dying("spawn", of.bereft(of.booted), _act("evacuate", {}, ADMIN)), chores.notice_the_dead,
        restless=True, watches=_SWEEP, alone=True,
    ),
    Scenario(
        "sweep: delete on a dead host", actions.DELETE, chores.dying("destroy", of.booted, _delete),
        chores.notice_the_dead, restless=True, watches=_SWEEP, alone=True,
    ),
    Scenario(
        "sweep: build past its deadline", actions.CREATE,
        chores.under_way("spawn", of.nothing, _boot(imageRef="", block_device_mapping_v2=[of.ROOT])),
        chores.deadline_passes, restless=True, watches=_SWEEP,
    ),
    Scenario(
        "sweep: swap past its deadline", actions.SWAP_VOLUME,
        chores.under_way("swap_volume", _with_two_volumes, _swap_volume), chores.deadline_passes, restless=True,
        watches=_SWEEP,
    ),
    Scenario(
        "sweep: resize past its deadline", actions.RESIZE,
        chores.under_way("finish_migration", of.booted, _RESIZE), chores.deadline_passes, restless=True, watches=_SWEEP,
    ),
    Scenario(
        "sweep: resize on its host past its deadline", actions.RESIZE,
        chores.under_way("finish_migration", of.at_home, _RESIZE), chores.deadline_passes, of.hosts_enabled,
        restless=True, watches=_SWEEP,
    ),
    Scenario("sweep: shelve past its deadline", actions.SHELVE, chores.under_way("snapshot", of.booted, _act("shelve")),
             chores.deadline_passes, shelves.keeps_its_disk, restless=True, watches=_SWEEP),
    Scenario("tidy: an orphaned claim", actions.DELETE, chores.orphaned_claim, chores.nothing, restless=True,
             watches=frozenset({"tidy"}), alone=True),
)  # fmt: skip
CHORES = (
    Scenario("chore: a leftover volume", actions.ATTACH_VOLUME, chores.leftover_volume, chores.forget_requests,
             restless=True, watches=frozenset({"leftover volumes"}), alone=True),
    Scenario("chore: a leftover image", actions.CREATE_IMAGE, chores.leftover_image, chores.forget_requests,
             restless=True, watches=frozenset({"leftover images"}), alone=True),
    Scenario("chore: reclaim", actions.DELETE, of.softly_deleted, chores.option("reclaim_instance_interval", 1, None),
             watches=frozenset({"reclaim"}), alone=True),
    Scenario("chore: shelf", actions.SHELVE_OFFLOAD, of.shelved,
             chores.option("shelved_offload_time", 0, "SHELVED_OFFLOADED"), watches=frozenset({"shelf"}), alone=True),
    Scenario("chore: confirm what waits", actions.CONFIRM_RESIZE, of.resized,
             chores.option("resize_confirm_window", 1, "ACTIVE"), watches=frozenset({"unconfirmed resizes"}),
             alone=True),
)  # fmt: skip
STARTS = (
    Scenario("start: a server was evacuated", actions.EVACUATE, chores.evacuated, chores.come_back,
             watches=_START, alone=True, brings_hosts_back=True),
    Scenario("start: a server was deleted", actions.DELETE, chores.deleted_meanwhile, chores.come_back,
             watches=_START, alone=True, brings_hosts_back=True),
    Scenario("start: an evacuation failed", actions.SETTLE, evacuations.failed(_ON_A_HOST), chores.come_back,
             restless=True, watches=_START, brings_hosts_back=True),
    Scenario("start: a build waits", actions.CREATE, chores.dying("spawn", of.nothing, _boot()), chores.come_back,
             restless=True, watches=_START, brings_hosts_back=True),
)  # fmt: skip
BY_THEMSELVES = (*SWEEPS, *CHORES, *STARTS)
SCENARIOS: tuple[Scenario, ...] = (
    *BOOTS, *DELETES, *POWER, *IMAGES, *MOVES, *DEVICES, *RESETS, *LEFTOVERS, *EVACUATIONS, *BY_THEMSELVES,
)  # fmt: skip
