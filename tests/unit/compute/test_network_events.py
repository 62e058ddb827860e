"""A port that was deleted while something is under way with its server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from nova_lite.compute import actions, network_events
from nova_lite.db.api import instances, operations
from nova_lite.db.session import writer
from tests.harness.database import make_instance

PORT = "the-port"
NAMED = actions.PORT_STEP + PORT

pytestmark = pytest.mark.usefixtures("database")


def _under_way(action: str, steps: Sequence[str], args: Mapping[str, Any]) -> int:
    return operations.insert_pending(
        request_id="r", instance_uuid=make_instance().uuid, action=action, project_id="p", user_id="u",
        topic="compute", host="h", args=args, timeout_s=90,
    )  # fmt: skip


CASES: list[tuple[str, list[str], dict[str, Any], bool]] = [
    ("attach_interface", [], {}, True),
    ("attach_interface", [NAMED], {}, True),
    ("attach_interface", [actions.PORT_STEP + "another"], {}, False),
    ("attach_interface", [NAMED], {"stage": "undo"}, False),
    ("create", [], {}, True),
    ("create", ["network"], {}, False),
    ("evacuate", [], {}, True),
    ("resize", [], {}, True),
    ("stop", [], {}, False),
    ("delete", [], {}, False),
]


@pytest.mark.parametrize(("action", "steps", "args", "may_bring"), CASES)
def test_what_may_bring_the_interface_is_followed_by_its_detach(
    action: str, steps: list[str], args: dict[str, Any], may_bring: bool
) -> None:
    server = instances.insert(make_instance(host="h", node="h"))
    number = _under_way(action, steps, args)
    taken = operations.take(number, "o", 9, "compute", "h")
    assert taken is not None
    with writer():
        operations.hold(number, taken.attempt, steps=steps)
    later = network_events.deleted_too_soon(server, PORT)
    assert (later is not None, network_events.is_leaving(server, PORT)) == (may_bring, may_bring)
    if later is not None:
        waits = operations.get(later[0])
        assert (waits.action, waits.args, waits.host, waits.deadline) == (
            "detach_interface", {"port_id": PORT}, later[1], None
        )  # fmt: skip


def test_a_server_on_no_host_gets_no_interface_now() -> None:
    server = instances.insert(make_instance())
    _under_way("create", [], {})
    assert network_events.deleted_too_soon(server, PORT) is None
    assert network_events.deleted_too_soon(server.replace(uuid="gone"), PORT) is None
