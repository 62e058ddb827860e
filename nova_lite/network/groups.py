"""Security groups of the network service, by name or id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from oslo_utils import uuidutils

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.network.api import DEFAULT_GROUP
from nova_lite.network.neutron import Json, Neutron


class Groups:
    def __init__(self, neutron: Neutron) -> None:
        self._neutron = neutron

    def ids(self, ctxt: RequestContext, names: Sequence[str]) -> tuple[str, ...]:
        """Ids of the caller's groups. Nothing but "default" is nothing: the network service puts that on by itself."""
        if set(names) <= {DEFAULT_GROUP}:
            return ()
        return tuple(dict.fromkeys(self.one(ctxt, name)["id"] for name in names))

    def one(self, ctxt: RequestContext, name: str, project_id: str | None = None) -> Json:
        """The group of that id or name in the project (the caller's where none is given).

        :raises SecurityGroupNotFound: there is none; :raises SecurityGroupAmbiguous: the name is used twice.
        """
        fields = ("id", "name", "tenant_id")
        if uuidutils.is_uuid_like(name):
            found = self._neutron.list(ctxt, "security-groups", id=name, fields=fields)
            if found:
                return found[0]
        found = self._neutron.list(
            ctxt, "security-groups", name=name, tenant_id=project_id or ctxt.project_id, fields=fields
        )
        if not found:
            raise exception.SecurityGroupNotFound(security_group_id=name)
        if len(found) > 1:
            raise exception.SecurityGroupAmbiguous(name=name)
        return found[0]

    def many(self, ctxt: RequestContext | None, ids: Iterable[str], *fields: str) -> list[dict[str, Any]]:
        """The groups of these ids; those that went meanwhile are left out."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return []
        query: dict[str, Any] = {"fields": fields} if fields else {}
        return self._neutron.list(ctxt, "security-groups", id=wanted, **query)
