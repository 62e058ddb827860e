"""Queries of the list of all migrations."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_TEXT: t.Schema = {"type": "string"}
_TIME: t.Schema = {"type": "string", "format": "date-time"}

_2_1: dict[str, t.Schema] = {
    "hidden": _TEXT, "host": _TEXT, "instance_uuid": _TEXT, "source_compute": _TEXT, "status": _TEXT,
    "migration_type": _TEXT,
}  # fmt: skip
_2_59: dict[str, t.Schema] = {
    **_2_1, "instance_uuid": t.UUID, "limit": t.NON_NEGATIVE_INT, "marker": t.UUID, "changes-since": _TIME,
}  # fmt: skip
_2_66: dict[str, t.Schema] = {**_2_59, "changes-before": _TIME}
_2_80: dict[str, t.Schema] = {**_2_66, "user_id": _TEXT, "project_id": _TEXT}

INDEX = Versioned(
    v2_1=t.query(_2_1),
    v2_59=t.query(_2_59, strict=True),
    v2_66=t.query(_2_66, strict=True),
    v2_80=t.query(_2_80, strict=True),
)
