"""/v3/types: the kinds of volumes there are, and what they promise."""

from __future__ import annotations

import uuid
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded.volume import fields, lists, records, views
from nova_lite.embedded.volume.records import VolumeType
from nova_lite.embedded.volume.requests import Asked, routes
from nova_lite.embedded.volume.store import Store
from nova_lite.embedded.wsgi import Route, empty_response, json_response


class TypesApi:
    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        one = "/types/{type_id}"
        return [
            *routes("POST", "/types", self.create),
            *routes("GET", "/types", self.index),
            *routes("GET", one, self.show),
            *routes("PUT", one, self.update),
            *routes("DELETE", one, self.delete),
            *routes("GET", one + "/extra_specs", self.extra_specs),
            *routes("POST", one + "/extra_specs", self.add_extra_specs),
            *routes("DELETE", one + "/extra_specs/{key}", self.remove_extra_spec),
            *routes("GET", one + "/encryption", self.encryption),
        ]

    def _answer(self, asked: Asked, kind: VolumeType) -> webob.Response:
        return json_response({"volume_type": views.volume_type(kind, asked.caller.is_admin)})

    def index(self, asked: Asked) -> webob.Response:
        names = {"name": lambda each: each.name, "id": lambda each: each.id, "created_at": lambda each: each.created_at}
        shown, following = lists.page(asked, self._store.types.all(), names, "types")
        body: dict[str, Any] = {"volume_types": [views.volume_type(each, asked.caller.is_admin) for each in shown]}
        return json_response(body | ({"volume_type_links": following} if following else {}))

    def show(self, asked: Asked, type_id: str) -> webob.Response:
        if type_id == "default":
            return self._answer(asked, self._store.type_named(records.DEFAULT_TYPE))
        return self._answer(asked, self._get(type_id))

    def _get(self, type_id: str) -> VolumeType:
        """By id only: clients look for names in the list."""
        return self._store.types.get(type_id)

    def create(self, asked: Asked) -> webob.Response:
        asked.caller.require_admin("volume_extension:type_create")
        wanted = asked.body("volume_type")
        name = fields.word("name", wanted.get("name"))
        with self._store.lock:
            if any(each.name == name for each in self._store.types.all()):
                raise exception.Conflict(f"Volume Type {name} already exists.")
            kind = VolumeType(
                id=str(uuid.uuid4()),
                created_at=records.now(),
                name=name,
                description=fields.text("description", wanted.get("description")),
                is_public=fields.flag("is_public", wanted.get("os-volume-type-access:is_public", True)),
                extra_specs=fields.metadata("extra_specs", wanted.get("extra_specs")),
            )
            self._store.types.put(kind)
        return self._answer(asked, kind)

    def update(self, asked: Asked, type_id: str) -> webob.Response:
        asked.caller.require_admin("volume_extension:type_update")
        wanted = asked.body("volume_type")
        changes: dict[str, Any] = {}
        if wanted.get("name") is not None:
            changes["name"] = fields.word("name", wanted["name"])
        if "description" in wanted:
            changes["description"] = fields.text("description", wanted["description"])
        if wanted.get("is_public") is not None:
            changes["is_public"] = fields.flag("is_public", wanted["is_public"])
        with self._store.lock:
            kind = self._store.types.put(self._get(type_id).changed(**changes))
        return self._answer(asked, kind)

    def delete(self, asked: Asked, type_id: str) -> webob.Response:
        asked.caller.require_admin("volume_extension:type_delete")
        with self._store.lock:
            kind = self._get(type_id)
            if kind.name == records.DEFAULT_TYPE:
                raise exception.Invalid("Invalid volume type: the default type cannot be deleted.")
            if any(volume.volume_type == kind.id for volume in self._store.volumes.all()):
                raise exception.Invalid("Target volume type is still in use.")
            self._store.types.drop(kind.id)
        return empty_response(202)

    def extra_specs(self, asked: Asked, type_id: str) -> webob.Response:
        return json_response({"extra_specs": dict(self._get(type_id).extra_specs)})

    def add_extra_specs(self, asked: Asked, type_id: str) -> webob.Response:
        asked.caller.require_admin("volume_extension:types_extra_specs:create")
        given = fields.metadata("extra_specs", asked.body("extra_specs"))
        with self._store.lock:
            kind = self._get(type_id)
            self._store.types.put(kind.changed(extra_specs={**kind.extra_specs, **given}))
        return json_response({"extra_specs": given})

    def remove_extra_spec(self, asked: Asked, type_id: str, key: str) -> webob.Response:
        asked.caller.require_admin("volume_extension:types_extra_specs:delete")
        with self._store.lock:
            kind = self._get(type_id)
            if key not in kind.extra_specs:
                raise exception.NotFound(f"Volume Type {type_id} has no extra spec with key {key:.255}.")
            left = {name: value for name, value in kind.extra_specs.items() if name != key}
            self._store.types.put(kind.changed(extra_specs=left))
        return empty_response(202)

    def encryption(self, asked: Asked, type_id: str) -> webob.Response:
        """No type encrypts."""
        self._get(type_id)
        return json_response({})
