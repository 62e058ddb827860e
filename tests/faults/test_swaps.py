"""Swaps, and what is done to their servers while they last, or while the volume service does not hear of their end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import exception
from nova_lite.db.api import operations
from tests.harness.cloud import ADMIN, CTXT, Cloud, until
from tests.harness.failpoints import leftovers


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud) -> Iterator[Cloud]:
    yield shared
    for name in ("attachment_complete", "attachment_update"):
        vars(shared.volumes).pop(name, None)
    shared.make_well("host1", "host2")


def _deaf(cloud: Cloud, call: str) -> None:
    """The volume service does not answer this call any more."""

    def refuse(*args: object) -> None:
        raise exception.Unavailable("The volume service does not answer.")

    setattr(cloud.volumes, call, refuse)


def _path(server: str, volume: str = "") -> str:
    return f"/servers/{server}/os-volume_attachments" + (f"/{volume}" if volume else "")


def _with_volumes(cloud: Cloud) -> tuple[str, str, str]:
    """A server, the volume that it has, and the one that it shall have instead."""
    server = cloud.boot()["id"]
    old, new = cloud.volumes.make(CTXT), cloud.volumes.make(CTXT)
    assert cloud.post(_path(server), {"volumeAttachment": {"volumeId": old}}).status == 202
    until(lambda: not operations.open_for_instance(server), 20, lambda: "the volume is not attached")
    return server, old, new


def _swap(cloud: Cloud, server: str, old: str, new: str) -> None:
    body = {"volumeAttachment": {"volumeId": new}}
    assert cloud.request("PUT", _path(server, old), body, token=ADMIN).status == 202


def _rests(cloud: Cloud, server: str) -> None:
    until(lambda: any(each.rests for each in operations.open_for_instance(server)), 20, lambda: "it does not rest")


def _ends(cloud: Cloud, server: str) -> str:
    def ended() -> str | None:
        (found,) = (each for each in operations.list_for_instance(server) if each.action == "swap_volume")
        return None if found.finish_time is None else f"{found.state}: {found.message or ''}"

    return str(until(ended, 30, lambda: "the swap never ended"))


def _copies(cloud: Cloud, server: str) -> int:
    return sum(driver.plan.calls.count(("swap_volume", server)) for driver in cloud.drivers.values())


def _guest_volumes(cloud: Cloud, server: str) -> list[str]:
    (guest,) = (driver.guests[server] for driver in cloud.drivers.values() if server in driver.guests)
    return [*guest.volumes]


def _reboot(cloud: Cloud, server: str) -> None:
    assert cloud.act(server, "reboot", {"type": "HARD"}).status == 202
    cloud.wait(server, "ACTIVE")


def _migrate_live(cloud: Cloud, server: str) -> None:
    vars(cloud.volumes).pop("attachment_complete")
    body = {"host": None, "block_migration": "auto"}
    assert cloud.act(server, "os-migrateLive", body, token=ADMIN).status == 202
    until(
        lambda: "live-migration" not in {each.action for each in operations.open_for_instance(server)}, 30,
        lambda: "the migration never ended",
    )  # fmt: skip


def _migrate(cloud: Cloud, server: str) -> None:
    vars(cloud.volumes).pop("attachment_complete")
    assert cloud.act(server, "migrate", token=ADMIN).status == 202
    cloud.wait(server, "VERIFY_RESIZE")
    assert cloud.act(server, "confirmResize").status == 204
    cloud.wait(server, "ACTIVE")


def _shelve(cloud: Cloud, server: str) -> None:
    vars(cloud.volumes).pop("attachment_complete")
    assert cloud.act(server, "shelve").status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    assert _ends(cloud, server) == "done: "
    assert cloud.act(server, "unshelve").status == 202
    cloud.wait(server, "ACTIVE")


@pytest.mark.parametrize("meanwhile", [_reboot, _migrate_live, _migrate, _shelve])
def test_a_swap_that_is_done_and_not_told_is_not_done_again(cloud: Cloud, meanwhile: object) -> None:
    """The guest was made of the old volume again, whose data went over the newer ones of the new one."""
    server, old, new = _with_volumes(cloud)
    _deaf(cloud, "attachment_complete")
    _swap(cloud, server, old, new)
    _rests(cloud, server)
    assert callable(meanwhile)
    meanwhile(cloud, server)
    vars(cloud.volumes).pop("attachment_complete", None)
    assert _ends(cloud, server) == "done: "
    assert _guest_volumes(cloud, server) == [new] and _copies(cloud, server) == 1
    assert [each["volumeId"] for each in cloud.get(_path(server)).json["volumeAttachments"]] == [new]
    until(lambda: cloud.volumes.show(old)["status"] == "available", 10, lambda: "the old volume is not free")
    assert cloud.volumes.show(new)["status"] == "in-use"
    cloud.wait_quiet()


def test_a_server_does_not_migrate_live_while_a_volume_is_swapped(cloud: Cloud) -> None:
    """The destination made the guest ready for the old volume, and took the new one from it while data were copied."""
    server, old, new = _with_volumes(cloud)
    source = cloud.show(server)["OS-EXT-SRV-ATTR:host"]  # type: ignore[index]
    cloud.drivers[source].plan.delay("swap_volume", 0.6)
    _swap(cloud, server, old, new)
    until(lambda: _copies(cloud, server), 10, lambda: "the swap never began")
    body = {"host": None, "block_migration": "auto"}
    assert cloud.act(server, "os-migrateLive", body, token=ADMIN).status == 202
    assert _ends(cloud, server) == "done: "
    until(lambda: not operations.open_for_instance(server), 30, lambda: "the migration never ended")
    assert cloud.show(server)["OS-EXT-SRV-ATTR:host"] != source  # type: ignore[index]
    assert _guest_volumes(cloud, server) == [new] and _copies(cloud, server) == 1
    assert (cloud.volumes.show(new)["status"], cloud.volumes.show(old)["status"]) == ("in-use", "available")
    cloud.wait_quiet()


def test_a_guest_is_not_made_anew_before_it_is_known_which_volume_it_has(cloud: Cloud) -> None:
    """Its host died between a swap and its word: a reboot gave it the old volume again: writes were lost."""
    server = leftovers.swapped_in_silence(cloud)
    _reboot(cloud, server)
    assert _ends(cloud, server) == "done: "
    leftovers.copied_once(cloud, server)
    cloud.wait_quiet()
