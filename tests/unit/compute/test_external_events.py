"""Events by their names; one that fails keeps no other from its turn."""

from __future__ import annotations

import logging
from typing import Any
from unittest import mock

import pytest

from nova_lite.api.openstack.compute.schemas import server_external_events as schemas
from nova_lite.compute import external_events
from nova_lite.compute.host import ServerLocks
from nova_lite.objects import ExternalEvent, Instance
from nova_lite.objects.external_event import EventName
from tests.harness.database import make_instance


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
