"""Queries of usage."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_TEXT: t.Schema = {"type": "string"}
_PAGE: dict[str, t.Schema] = {"limit": t.NON_NEGATIVE_INT, "marker": _TEXT}
_TIME: dict[str, t.Schema] = {"start": _TEXT, "end": _TEXT}
_ALL: dict[str, t.Schema] = {**_TIME, "detailed": _TEXT}


def _query(keys: dict[str, t.Schema]) -> Versioned[t.Schema]:
    paged = t.query({**keys, **_PAGE})
    return Versioned(v2_1=t.query(keys), v2_40=paged, v2_75=t.strict(paged))


INDEX, SHOW = _query(_ALL), _query(_TIME)
