"""Bodies of the server actions; the key is the action, most take whatever stands behind it."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_WORDS = ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]

REBOOT = t.action("reboot", t.closed({"type": {"type": "string", "enum": _WORDS}}, ("type",)))
LOCK = Versioned(
    v2_1=t.action("lock", t.ANY),
    v2_73=t.action(
        "lock",
        {
            "type": ["object", "null"],
            "properties": {"locked_reason": {"type": "string", "minLength": 1, "maxLength": 255}},
            "additionalProperties": False,
        },
    ),
)
CHANGE_PASSWORD = t.action("changePassword", t.closed({"adminPass": {"type": "string"}}, ("adminPass",)))
TRIGGER_CRASH_DUMP = t.action("trigger_crash_dump", {"type": "null"})
CONSOLE_OUTPUT = t.action(
    "os-getConsoleOutput",
    t.closed({"length": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$", "minimum": -1}}),
)
RESET_STATE = t.action(
    "os-resetState", t.closed({"state": {"type": "string", "enum": ["active", "error"]}}, ("state",))
)


def anything(key: str) -> t.Schema:
    """The body of an action whose value does not count."""
    return t.action(key, t.ANY)
