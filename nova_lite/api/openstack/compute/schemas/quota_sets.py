"""Bodies and queries of quota sets."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_LIMIT: t.Schema = {
    "type": ["integer", "string"],
    "pattern": "^-?[0-9]+$",
    "minimum": -1,
    "minLength": 1,
    "maximum": 0x7FFFFFFF,
}
_NAMES = (
    "instances", "cores", "ram", "floating_ips", "fixed_ips", "metadata_items", "key_pairs", "security_groups",
    "security_group_rules", "injected_files", "injected_file_content_bytes", "injected_file_path_bytes",
    "server_groups", "server_group_members",
)  # fmt: skip
_SET = t.closed({**dict.fromkeys(_NAMES, _LIMIT), "force": t.BOOLEAN})
_SET_36 = t.without(_SET, "floating_ips", "fixed_ips", "security_groups", "security_group_rules")
_SET_57 = t.without(_SET_36, "injected_files", "injected_file_content_bytes", "injected_file_path_bytes")

UPDATE = Versioned(
    v2_1=t.closed({"quota_set": _SET}, ("quota_set",)),
    v2_36=t.closed({"quota_set": _SET_36}, ("quota_set",)),
    v2_57=t.closed({"quota_set": _SET_57}, ("quota_set",)),
)

_CLASS = t.without(_SET, "force")
_CLASS_50 = t.without(_CLASS, "floating_ips", "fixed_ips", "security_groups", "security_group_rules")
_CLASS_57 = t.without(_CLASS_50, "injected_files", "injected_file_content_bytes", "injected_file_path_bytes")

UPDATE_CLASS = Versioned(
    v2_1=t.closed({"quota_class_set": _CLASS}, ("quota_class_set",)),
    v2_50=t.closed({"quota_class_set": _CLASS_50}, ("quota_class_set",)),
    v2_57=t.closed({"quota_class_set": _CLASS_57}, ("quota_class_set",)),
)

_QUERY = t.query({"user_id": {"type": "string", "maxLength": 255}})
QUERY = Versioned(v2_1=_QUERY, v2_75=t.strict(_QUERY))
