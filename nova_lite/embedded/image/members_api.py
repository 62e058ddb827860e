"""/v2/images/{id}/members: with whom a shared image is shared."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded import bodies
from nova_lite.embedded.image import records, rules, views
from nova_lite.embedded.image.images_api import visible
from nova_lite.embedded.image.records import Image
from nova_lite.embedded.image.rules import Caller
from nova_lite.embedded.image.store import ImageStore
from nova_lite.embedded.wsgi import Route, empty_response, json_response

BODY_LIMIT = 4096
MAX_MEMBERS = 128
STATUSES = ("pending", "accepted", "rejected")


class MembersApi:
    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        all_of, one = "/v2/images/{image_id}/members", "/v2/images/{image_id}/members/{member_id}"
        return [
            Route("GET", all_of, self.index),
            Route("POST", all_of, self.create),
            Route("GET", one, self.show),
            Route("PUT", one, self.update),
            Route("DELETE", one, self.delete),
        ]

    def _shared(self, caller: Caller, image_id: str) -> Image:
        image = visible(self._store, caller, image_id)
        if image.visibility != records.SHARED:
            raise exception.Forbidden("Only shared images have members.")
        return image

    def index(self, req: webob.Request, image_id: str) -> webob.Response:
        caller = rules.caller(req)
        image = self._shared(caller, image_id)
        rows = [views.member(image, each) for each in image.members if _may_see(caller, image, each)]
        return json_response({"members": rows, "schema": "/v2/schemas/members"})

    def show(self, req: webob.Request, image_id: str, member_id: str) -> webob.Response:
        caller = rules.caller(req)
        image = self._shared(caller, image_id)
        if member_id not in image.members or not _may_see(caller, image, member_id):
            raise _no_member(image_id, member_id)
        return json_response(views.member(image, member_id))

    def create(self, req: webob.Request, image_id: str) -> webob.Response:
        caller = rules.caller(req)
        caller.require_change(self._shared(caller, image_id))
        project_id = _text(bodies.read_json(req, BODY_LIMIT), "member")
        now = records.now()

        def change(image: Image) -> Image:
            if project_id in image.members:
                raise exception.Conflict(f"Member {project_id} is duplicated for image {image_id}")
            if len(image.members) >= MAX_MEMBERS:
                raise exception.TooLarge(f"The maximum number of members of an image is {MAX_MEMBERS}.")
            fresh = {"status": "pending", "created_at": now, "updated_at": now}
            return image.changed(members={**image.members, project_id: fresh})

        return json_response(views.member(self._store.update(image_id, change), project_id))

    def update(self, req: webob.Request, image_id: str, member_id: str) -> webob.Response:
        caller = rules.caller(req)
        image = self._shared(caller, image_id)
        if member_id not in image.members or not _may_see(caller, image, member_id):
            raise _no_member(image_id, member_id)
        if not caller.is_admin and caller.project_id != member_id:
            raise exception.Forbidden("Only the member itself decides about its status.")
        status = _text(bodies.read_json(req, BODY_LIMIT), "status")
        if status not in STATUSES:
            raise exception.Invalid(f"The status must be one of {', '.join(STATUSES)}")

        def change(newest: Image) -> Image:
            if member_id not in newest.members:
                raise _no_member(image_id, member_id)
            facts = {**newest.members[member_id], "status": status, "updated_at": records.now()}
            return newest.changed(members={**newest.members, member_id: facts})

        return json_response(views.member(self._store.update(image_id, change), member_id))

    def delete(self, req: webob.Request, image_id: str, member_id: str) -> webob.Response:
        caller = rules.caller(req)
        caller.require_change(self._shared(caller, image_id))

        def change(image: Image) -> Image:
            if member_id not in image.members:
                raise _no_member(image_id, member_id)
            return image.changed(members={key: facts for key, facts in image.members.items() if key != member_id})

        self._store.update(image_id, change)
        return empty_response()


def _may_see(caller: Caller, image: Image, member_id: str) -> bool:
    return caller.is_admin or caller.owns(image) or caller.project_id == member_id


def _no_member(image_id: str, member_id: str) -> exception.NotFound:
    return exception.NotFound(f"{member_id:.64} is not a member of image {image_id}.")


def _text(body: Any, key: str) -> str:
    value = body.get(key) if isinstance(body, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise exception.Invalid(f"Expecting a text named {key!r} in the request body")
    return value
