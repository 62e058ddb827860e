"""A database from a backup: conductors do nothing before it, and once it is adopted they undo nothing that is real."""

from __future__ import annotations

import pathlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from nova_lite import exception
from nova_lite.conductor import adoption
from nova_lite.db.api import provisional_volumes, services
from nova_lite.db.session import writer
from tests.harness.cloud import IMAGE_ID, Cloud, until

OPTIONS = {
    "operations": {"heartbeat_interval_s": 0.2, "sweep_interval_s": 0.2, "power_sync_interval_s": 0.5},
    "DEFAULT": {"reclaim_instance_interval": 3600, "shelved_offload_time": 0},
}
ROOT = {
    "boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1,
    "delete_on_termination": True,
}  # fmt: skip
# A night later: whatever is limited in time is over.
LATER = (
    "update operations set deadline = '2026-01-01' where deadline is not null",
    "update operations set finish_time = '2026-01-01' where finish_time is not null",
    "update provisional_volumes set due_at = '2026-01-01'",
    "update provisional_images set due_at = '2026-01-01'",
)


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=1, options=OPTIONS) as running:
        running.stop("conductor")
        running.start_conductor(memory=_memory(running))
        yield running


def _memory(cloud: Cloud) -> pathlib.Path:
    return cloud.directory / "memory"


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Also while daemons write into either."""
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def _back_up(cloud: Cloud) -> None:
    _copy(cloud.directory / "nova.sqlite", cloud.directory / "backup.sqlite")


def _restore(cloud: Cloud) -> None:
    _copy(cloud.directory / "backup.sqlite", cloud.directory / "nova.sqlite")
    with writer() as session:
        for statement in LATER:
            session.execute(text(statement))


def _a_heartbeat_goes_by() -> None:
    """Of every daemon: what lies in a backup is older than what they remember."""
    before = _beats()
    until(lambda: all(_beats()[each] > before[each] for each in before), 10, lambda: f"none since {before}: {_beats()}")


def _beats() -> dict[str, int]:
    return {each.binary: services.beats(each.host, each.binary) or 0 for each in services.list()}


def _stop_all(cloud: Cloud) -> None:
    _a_heartbeat_goes_by()
    for name in [*cloud.services]:
        cloud.stop(name)


def _adopt(cloud: Cloud) -> adoption.Adopted:
    """In the way of doc/admin/restore.md; everything has had its turn after it."""
    found = adoption.adopt()
    (_memory(cloud) / "conductor_id").unlink()
    (cloud.directory / "host1" / "compute_id").unlink()
    cloud.start_conductor(memory=_memory(cloud))
    cloud.start_scheduler()
    cloud.start_host("host1")
    time.sleep(3)
    return found


def _shown(cloud: Cloud, server: str) -> dict[str, Any]:
    found = cloud.show(server)
    assert found is not None
    return found


def _while_spawning(cloud: Cloud) -> str:
    cloud.drivers["host1"].plan.delay("spawn", 1.5)
    server = str(cloud.boot(wait=None)["id"])
    until(lambda: _shown(cloud, server)["OS-EXT-STS:task_state"] == "spawning", 10, lambda: "it does not spawn")
    time.sleep(0.2)
    _back_up(cloud)
    cloud.wait(server, "ACTIVE")
    return server


def _while_shelving(cloud: Cloud) -> str:
    server = str(cloud.boot()["id"])
    cloud.images.plan.delay("upload", 1.0)
    assert cloud.act(server, "shelve").status == 202
    time.sleep(0.5)
    _back_up(cloud)
    cloud.wait(server, "SHELVED_OFFLOADED")
    return server


def _before_it_was_accepted(cloud: Cloud) -> str:
    keep = provisional_volumes.keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provisional_volumes, "keep", lambda ids: (_back_up(cloud), keep(ids)))
        return str(cloud.boot(imageRef="", block_device_mapping_v2=[ROOT])["id"])


def _softly_deleted(cloud: Cloud) -> str:
    server = str(cloud.boot(imageRef="", block_device_mapping_v2=[ROOT])["id"])
    cloud.delete(f"/servers/{server}")
    cloud.wait(server, "SOFT_DELETED")
    _back_up(cloud)
    cloud.act(server, "restore")
    cloud.wait(server, "ACTIVE")
    return server


def _real(cloud: Cloud) -> dict[str, object]:
    """What users would lose."""
    driver = cloud.drivers["host1"]
    return {
        "guests": sorted(driver.guests), "disks": sorted(driver.list_disks()),
        "images": sorted((each.id, each.status) for each in cloud.images.images.values()),
        "volumes": sorted((each["id"], each["status"]) for each in cloud.volumes.rows("/volumes/detail", "volumes")),
    }  # fmt: skip


WORLDS = (_while_spawning, _while_shelving, _before_it_was_accepted, _softly_deleted)


@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.__name__.strip("_"))
def test_what_became_real_since_the_backup_stays(cloud: Cloud, world: Callable[[Cloud], str]) -> None:
    world(cloud)
    _stop_all(cloud)
    before = _real(cloud)
    _restore(cloud)
    with pytest.raises(exception.HostRefused, match="older copy.*doc/admin/host-identity.md"):
        cloud.start_conductor(memory=_memory(cloud))
    _adopt(cloud)
    assert _real(cloud) == before


def test_a_conductor_before_which_the_database_is_exchanged_does_nothing_any_more(cloud: Cloud) -> None:
    server = _softly_deleted(cloud)
    _a_heartbeat_goes_by()
    before = _real(cloud)
    _restore(cloud)
    until(lambda: not cloud.services["conductor"].is_healthy(), 10, lambda: "it goes on", pause_s=0.1)
    time.sleep(2)
    assert _real(cloud) == before and _shown(cloud, server)["status"] == "SOFT_DELETED"


def test_what_was_under_way_is_named_and_waits_in_error(cloud: Cloud) -> None:
    server = _while_spawning(cloud)
    _stop_all(cloud)
    _restore(cloud)
    found = _adopt(cloud)
    assert found.servers == (server,)
    shown = _shown(cloud, server)
    assert (shown["status"], shown["fault"]["message"]) == ("ERROR", adoption.UNKNOWN)
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)
    cloud.wait_quiet()
