"""The REST client of any Glance v2: bounded, retrying, never following a redirect."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import requests
from keystoneauth1 import adapter
from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.image import errors, meta
from nova_lite.objects.image import ImageMeta

LOG = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = re.compile(r"/v2(\.\d+)?/?$")
# What every image has, so that a patch replaces it; a property is added, whether it is there or not.
_ATTRIBUTES = frozenset({"name", "disk_format", "container_format", "min_disk", "min_ram", "visibility"})
# Never a value of Glance's: what a filter may be called.
_FILTER = re.compile(r"[a-z_]{1,64}")


def checked_id(image_id: str) -> str:
    """The id, where it cannot change the path of a URL.

    :raises ImageNotFound: no image service makes such ids.
    """
    if not isinstance(image_id, str) or not _ID.fullmatch(image_id):
        raise exception.ImageNotFound(image_id=f"{image_id!s:.64}")
    return image_id


def image_path(image_id: str) -> str:
    """:raises ImageNotFound: no image service makes such ids."""
    return f"/v2/images/{checked_id(image_id)}"


def data_path(image_id: str) -> str:
    """:raises ImageNotFound: no image service makes such ids."""
    return f"{image_path(image_id)}/file"


def _pointer(name: str) -> str:
    """A property's name as a segment of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


class Glance:
    """Requests to the image service with the options of [glance]."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._retries = conf.glance.num_retries
        self._delay_s = conf.glance.retry_delay_s

    def get(self, ctxt: RequestContext | None, image_id: str) -> ImageMeta:
        """One image; errors as in errors.raise_for."""
        response = self.request(ctxt, image_path(image_id), image_id)
        return meta.from_json(_json(response))

    def list(self, ctxt: RequestContext | None, filters: dict[str, str], limit: int, marker: str | None) -> Any:
        """One page of images, as JSON objects."""
        query = {key: str(value) for key, value in filters.items() if _FILTER.fullmatch(key)}
        query["limit"] = str(limit)
        if marker is not None:
            query["marker"] = checked_id(marker)
        body = _json(self.request(ctxt, "/v2/images", marker or "list", params=query))
        rows = body.get("images") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise exception.Unavailable("The image service's answer is no list of images.")
        return rows

    def open_data(self, ctxt: RequestContext | None, image_id: str, start: int) -> requests.Response:
        """The image's bytes from ``start`` on, as a response to be iterated over; one try."""
        headers = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        return self.once(ctxt, "get", data_path(image_id), image_id, headers=headers, stream=True)

    def request(self, ctxt: RequestContext | None, path: str, image_id: str, **options: Any) -> requests.Response:
        """GET with new tries."""
        response: requests.Response = self.retrying(lambda: self.once(ctxt, "get", path, image_id, **options))
        return response

    def look(self, ctxt: RequestContext | None, image_id: str) -> ImageMeta:
        """One image, one try."""
        return meta.from_json(_json(self.once(ctxt, "get", image_path(image_id), image_id)))

    def create(self, ctxt: RequestContext | None, image_id: str, body: dict[str, Any]) -> ImageMeta:
        """A new image of that id, without data; said again (an answer was lost) it is the one that was made.

        :raises Invalid, Forbidden: the image service does not want it.
        """

        def once() -> ImageMeta:
            try:
                made = self.once(ctxt, "post", "/v2/images", image_id, json={"id": checked_id(image_id), **body})
            except exception.Conflict:
                return self.look(ctxt, image_id)
            return meta.from_json(_json(made))

        image: ImageMeta = self.retrying(once)
        return image

    def patch(self, ctxt: RequestContext | None, image_id: str, values: dict[str, str]) -> None:
        """Set properties, or the attributes of ``_ATTRIBUTES``."""
        changes = [
            {"op": "replace" if name in _ATTRIBUTES else "add", "path": f"/{_pointer(name)}", "value": value}
            for name, value in values.items()
        ]
        headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
        body = json.dumps(changes)
        self.retrying(
            lambda: self.once(ctxt, "patch", image_path(image_id), image_id, data=body, headers=headers)
        )

    def delete(self, ctxt: RequestContext | None, image_id: str) -> None:
        """Remove an image. :raises ImageNotFound: there is none; :raises Forbidden: it is protected."""
        path = image_path(image_id)
        self.retrying(lambda: self.once(ctxt, "delete", path, image_id, wants_data=False))

    def url(self, ctxt: RequestContext | None, image_id: str) -> str:
        """Where Nova says that an image is: below the image service's root, without a version."""
        return f"{self._root(self._client(ctxt))}/images/{checked_id(image_id)}"

    def retrying(self, once: Callable[[], Any]) -> Any:
        """Call until it succeeds, fails for good, or was tried often enough.

        :raises Unavailable: it kept failing.
        """
        for attempt in range(self._retries + 1):
            try:
                return once()
            except exception.Unavailable as error:
                if attempt == self._retries:
                    raise
                LOG.warning("%s (try %d of %d)", error.message, attempt + 1, self._retries + 1)
                concurrency.sleep(min(self._delay_s * 2**attempt, 30.0))
        raise AssertionError("unreachable")

    def once(
        self, ctxt: RequestContext | None, method: str, path: str, image_id: str, *, wants_data: bool = True,
        **options: Any,
    ) -> requests.Response:
        """One request, one try; errors as in errors.raise_for."""
        client = self._client(ctxt)
        with sessions.asking("image service"):
            send = getattr(client, method)
            response: requests.Response = send(
                self._root(client) + path, raise_exc=False, redirect=False, connect_retries=0, **options
            )
        try:
            as_user = bool(ctxt is not None and ctxt.auth_token)
            errors.raise_for(response, image_id, acts_as_user=as_user, wants_data=wants_data)
        except exception.NovaLiteError:
            response.close()
            raise
        return response

    def _client(self, ctxt: RequestContext | None) -> adapter.Adapter:
        options = self._conf.glance
        return sessions.client(
            self._conf,
            ctxt,
            options.service_type,
            options.valid_interfaces,
            region_name=options.region_name,
            endpoint_override=options.endpoint_override,
        )

    def _root(self, client: adapter.Adapter) -> str:
        """The image service's URL without its version."""
        endpoint: str | None = client.get_endpoint()
        if not endpoint:
            raise exception.Unavailable("The catalogue has no image service; see [glance] endpoint_override.")
        return _VERSION.sub("", endpoint).rstrip("/")


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise exception.Unavailable("The image service's answer is not JSON.") from None
