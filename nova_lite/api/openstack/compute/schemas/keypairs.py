"""Bodies and queries of keypairs."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_NAME: t.Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "keypair_name"}
_NAME_2_92: t.Schema = {**_NAME, "format": "keypair_name_2_92"}

_KEYPAIR = t.closed({"name": _NAME, "public_key": {"type": "string"}}, ("name",))
_K2 = t.add(_KEYPAIR, {"type": {"type": "string", "enum": ["ssh", "x509"]}})
_K10 = t.add(_K2, {"user_id": {"type": "string", "minLength": 1, "maxLength": 255}})
_K92 = t.add(_K10, {"name": _NAME_2_92}, ("public_key",))


def _body(keypair: t.Schema) -> t.Schema:
    return t.closed({"keypair": keypair}, ("keypair",))


CREATE = Versioned(v2_1=_body(_KEYPAIR), v2_2=_body(_K2), v2_10=_body(_K10), v2_92=_body(_K92))

_USER: dict[str, t.Schema] = {"user_id": {"type": "string"}}
_PAGE: dict[str, t.Schema] = {**_USER, "limit": t.NON_NEGATIVE_INT, "marker": {"type": "string"}}

LIST_QUERY = Versioned(v2_1=t.query({}), v2_10=t.query(_USER), v2_35=t.query(_PAGE), v2_75=t.query(_PAGE, strict=True))
USER_QUERY = Versioned(v2_1=t.query({}), v2_10=t.query(_USER), v2_75=t.query(_USER, strict=True))
