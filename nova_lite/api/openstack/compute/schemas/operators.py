"""Queries of limits, services, hypervisors and instance actions."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_TEXT: t.Schema = {"type": "string"}
_TIME: t.Schema = {"type": "string", "format": "date-time"}
_PAGE: dict[str, t.Schema] = {"limit": t.NON_NEGATIVE_INT, "marker": _TEXT}

_TENANT = t.query({"tenant_id": _TEXT})
LIMITS = Versioned(v2_1=_TENANT, v2_75=t.strict(_TENANT))

_SERVICE = t.query({"host": _TEXT, "binary": _TEXT})
SERVICES = Versioned(v2_1=_SERVICE, v2_75=t.strict(_SERVICE))

_SEARCH: dict[str, t.Schema] = {**_PAGE, "hypervisor_hostname_pattern": t.LOOSE_NAME, "with_servers": t.BOOLEAN}
HYPERVISORS = Versioned(v2_1=t.query({}), v2_33=t.query(_PAGE), v2_53=t.query(_SEARCH, strict=True))
HYPERVISOR = Versioned(v2_1=t.query({}), v2_53=t.query({"with_servers": t.BOOLEAN}, strict=True))

_SINCE: dict[str, t.Schema] = {**_PAGE, "changes-since": _TIME}
INSTANCE_ACTIONS = Versioned(
    v2_1=t.query({}),
    v2_58=t.query(_SINCE, strict=True),
    v2_66=t.query({**_SINCE, "changes-before": _TIME}, strict=True),
)
