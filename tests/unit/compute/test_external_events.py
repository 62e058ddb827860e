"""Events by their names; one that fails keeps no other from its turn."""

from __future__ import annotations

import logging
from typing import Any
from unittest import mock

import pytest

from nova_lite.api.openstack.compute.schemas import server_external_events as schemas
from nova_lite.compute import external_events, volume_events
from nova_lite.compute.host import ServerLocks
from nova_lite.db.api import instances
from nova_lite.objects import BlockDevice, ExternalEvent, Instance
from nova_lite.objects.external_event import EventName
from nova_lite.volume.meta import Volume
from tests.harness.database import fresh_database, make_instance


def test_every_name_of_the_api_has_its_handler() -> None:
    newest = schemas.CREATE.values[-1]["properties"]["events"]["items"]["properties"]["name"]["enum"]
    assert set(newest) == set(external_events.HANDLERS) == set(EventName)


def test_one_that_fails_keeps_no_other_from_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[str | None] = []

    def fragile(host: Any, ctxt: Any, instance: Instance, event: ExternalEvent) -> None:
        if event.tag == "bad":
            raise ValueError("no such port")
        handled.append(event.tag)

    monkeypatch.setitem(external_events.HANDLERS, "network-changed", fragile)
    server = make_instance()
    events = [ExternalEvent(server.uuid, "network-changed", tag=tag) for tag in ("good", "bad", "late")]
    lost = ExternalEvent("nobody", "network-changed")
    external_events.handle(None, None, [server], [*events[:2], lost, events[2]])  # type: ignore[arg-type]
    assert handled == ["good", "late"]


def test_a_message_that_comes_late_tells_no_old_size() -> None:
    """The volume grew twice, and the first message was delivered after the second, or again."""
    device = BlockDevice(source_type="volume", destination_type="volume", volume_id="v", volume_size=2)
    server, driver = make_instance(block_devices=(device,)), mock.Mock(capabilities={"volumes"})
    host = mock.Mock(locks=ServerLocks(), driver=driver)
    host.volume.get.return_value = Volume("v", "in-use", 3)
    external_events.handle(host, mock.Mock(), [server], [ExternalEvent(server.uuid, "volume-extended", tag="v")])
    driver.extend_volume.assert_called_once_with(server, device.replace(volume_size=3))


def test_who_asked_before_another_and_writes_after_him_makes_no_volume_smaller() -> None:
    device = BlockDevice(source_type="volume", destination_type="volume", volume_id="v", volume_size=1)
    with fresh_database():
        server = instances.insert(make_instance(block_devices=(device,)))
        for size in (3, 2):
            volumes = mock.Mock(get=mock.Mock(return_value=Volume("v", "in-use", size)))
            volume_events.extended(volumes, server, "v")
        assert [each.volume_size for each in instances.get(server.uuid).block_devices] == [3]


@pytest.mark.timeout(10)
def test_a_server_whose_lock_is_never_left_keeps_no_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its worker waited for ever, and with it every later event of the message."""
    monkeypatch.setattr(external_events, "_PATIENCE_S", 0.05)
    noted: list[str | None] = []
    monkeypatch.setitem(external_events.HANDLERS, "network-changed", lambda *args: noted.append(args[3].tag))
    host, stuck, other = mock.Mock(locks=ServerLocks()), make_instance("stuck"), make_instance("other")
    events = [
        ExternalEvent(stuck.uuid, "volume-extended", tag="v"),
        ExternalEvent(other.uuid, "network-changed", tag="p"),
    ]
    with host.locks.hold(stuck.uuid), caplog.at_level(logging.WARNING):
        external_events.handle(host, mock.Mock(), [stuck, other], events)
    assert noted == ["p"]
    assert host.driver.extend_volume.call_count == 0
    (said,) = caplog.records
    assert stuck.uuid in said.getMessage() and said.exc_info is None, "a busy server is no fault of ours"
