"""/v2/images: create, list, show, change, delete; tags and the two actions."""

from __future__ import annotations

import uuid
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded import bodies
from nova_lite.embedded.image import fields, patch, query, records, rules, views
from nova_lite.embedded.image.records import Image
from nova_lite.embedded.image.rules import Caller
from nova_lite.embedded.image.store import ImageStore
from nova_lite.embedded.wsgi import Route, empty_response, json_response

BODY_LIMIT = 1 << 20


def visible(store: ImageStore, caller: Caller, image_id: str) -> Image:
    """:raises ImageNotFound: there is none that the caller may see."""
    image = store.get(image_id)
    if not caller.can_see(image):
        raise exception.ImageNotFound(image_id=image_id)
    return image


def changeable(store: ImageStore, caller: Caller, image_id: str) -> Image:
    """:raises ImageNotFound: as visible(). :raises Forbidden: it is somebody else's."""
    image = visible(store, caller, image_id)
    caller.require_change(image)
    return image


class ImagesApi:
    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        one = "/v2/images/{image_id}"
        return [
            Route("POST", "/v2/images", self.create),
            Route("GET", "/v2/images", self.index),
            Route("GET", one, self.show),
            Route("PATCH", one, self.update),
            Route("DELETE", one, self.delete),
            Route("PUT", one + "/tags/{tag}", self.add_tag),
            Route("DELETE", one + "/tags/{tag}", self.remove_tag),
            Route("GET", one + "/tasks", self.tasks),
            Route("POST", one + "/actions/deactivate", self.deactivate),
            Route("POST", one + "/actions/reactivate", self.reactivate),
        ]

    def create(self, req: webob.Request) -> webob.Response:
        caller = rules.caller(req)
        if not caller.can_write:
            raise exception.Forbidden("You are not authorized to complete add_image action.")
        image = _new_image(bodies.read_json(req, BODY_LIMIT), caller)
        self._store.add(image)
        location = f"{req.application_url}/v2/images/{image.id}"
        return json_response(views.image(image), status=201, Location=location)

    def index(self, req: webob.Request) -> webob.Response:
        caller = rules.caller(req)
        page = query.page(self._store.all(), req.GET, caller)
        return json_response(views.images(page.images, page.next))

    def show(self, req: webob.Request, image_id: str) -> webob.Response:
        return json_response(views.image(visible(self._store, rules.caller(req), image_id)))

    def tasks(self, req: webob.Request, image_id: str) -> webob.Response:
        """What is being done to an image in the background: here an upload is all there is, so never anything."""
        visible(self._store, rules.caller(req), image_id)
        return json_response({"tasks": []})

    def update(self, req: webob.Request, image_id: str) -> webob.Response:
        caller = rules.caller(req)
        changeable(self._store, caller, image_id)
        body = bodies.read_json(req, BODY_LIMIT, patch.CONTENT_TYPES)

        def change(image: Image) -> Image:
            caller.require_change(image)
            return patch.apply(image, body, caller)

        return json_response(views.image(self._store.update(image_id, change)))

    def delete(self, req: webob.Request, image_id: str) -> webob.Response:
        caller = rules.caller(req)
        changeable(self._store, caller, image_id)

        def check(image: Image) -> None:
            caller.require_change(image)
            if image.protected:
                raise exception.Forbidden(f"Image {image_id} is protected and cannot be deleted.")

        self._store.remove(image_id, check)
        return empty_response()

    def add_tag(self, req: webob.Request, image_id: str, tag: str) -> webob.Response:
        return self._retag(req, image_id, lambda tags: [*tags, tag])

    def remove_tag(self, req: webob.Request, image_id: str, tag: str) -> webob.Response:
        def without(tags: tuple[str, ...]) -> list[str]:
            if tag not in tags:
                raise exception.NotFound(f"Tag {tag:.64} is not on image {image_id}.")
            return [each for each in tags if each != tag]

        return self._retag(req, image_id, without)

    def _retag(self, req: webob.Request, image_id: str, change: Any) -> webob.Response:
        changeable(self._store, rules.caller(req), image_id)
        self._store.update(image_id, lambda image: image.changed(tags=fields.checked("tags", list(change(image.tags)))))
        return empty_response()

    def deactivate(self, req: webob.Request, image_id: str) -> webob.Response:
        return self._move(req, image_id, records.DEACTIVATED)

    def reactivate(self, req: webob.Request, image_id: str) -> webob.Response:
        return self._move(req, image_id, records.ACTIVE)

    def _move(self, req: webob.Request, image_id: str, status: str) -> webob.Response:
        caller = rules.caller(req)
        visible(self._store, caller, image_id)
        if not caller.is_admin:
            raise exception.Forbidden("You are not authorized to change the status of images.")

        def change(image: Image) -> Image:
            if not image.has_data:
                raise exception.Forbidden(f"Not allowed to change status {image.status} to {status}")
            return image.changed(status=status)

        self._store.update(image_id, change)
        return empty_response()


def _new_image(body: Any, caller: Caller) -> Image:
    if not isinstance(body, dict):
        raise exception.Invalid("The request body must be a JSON object")
    image_id = fields.checked_id(body.pop("id")) if body.get("id") is not None else str(uuid.uuid4())
    values = {name: fields.checked(name, value) for name, value in body.items()}
    base = {name: value for name, value in values.items() if name in fields.BASE}
    caller.require_publish(base.get("visibility", records.SHARED))
    owner = base.pop("owner", None) or caller.project_id
    if owner != caller.project_id and not caller.is_admin:
        raise exception.Forbidden(f"You are not permitted to create images owned by {owner}.")
    now = records.now()
    properties = {name: value for name, value in values.items() if name not in fields.BASE}
    image = Image(id=image_id, owner=owner, properties=properties, created_at=now, updated_at=now, **base)
    return fields.check_counts(image)
