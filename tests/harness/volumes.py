"""The embedded volume service inside a test's process: the real client and the real application, without a socket.

``plan`` strikes requests by method and collection ("PUT /attachments"): raise is a 500, a delay is a slow answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import webob
from oslo_config import cfg

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.embedded.volume import wsgi
from nova_lite.image.api import API as ImageAPI
from nova_lite.objects import ImageMeta
from nova_lite.virt.fault_plan import FaultPlan
from nova_lite.volume.api import API
from nova_lite.volume.cinder import Cinder, Reply

SERVICE_PROJECT = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"


class Volumes(API):
    """A volume service that asks ``images`` for its images. ``is_there`` False: the catalogue has none."""

    def __init__(self, conf: cfg.ConfigOpts, images: ImageAPI) -> None:
        super().__init__(conf)
        self.plan = FaultPlan(concurrency.sleep)
        self.is_there = True
        self.app = wsgi.make_app(conf, images=_Pictures(images))
        self._cinder = _InProcess(conf, self)

    # -- what a test makes and looks at -----------------------------------------------------------

    def make(self, ctxt: RequestContext, size: int = 1, **wanted: Any) -> str:
        """A volume that is ready; its id."""
        made = self.create(ctxt, size, wanted.pop("name", "test"), **wanted)
        return self.wait_available(ctxt, made.id).id

    def rows(self, path: str, key: str) -> list[dict[str, Any]]:
        """Everything of a kind, as an administrator sees it."""
        body = self._cinder.request(None, "GET", path, exception.NotFound, query={"all_tenants": "1"}, version="3.70")
        return list(body[key])

    def ask(self, project_id: str, method: str, path: str, body: Any) -> Any:
        """What a member of the project is answered, as JSON."""
        ctxt = RequestContext(project_id=project_id, user_id="demo", roles=["member", "reader"], overwrite=False)
        return self._cinder.request(ctxt, method, path, exception.NotFound, body)

    def show(self, volume_id: str) -> dict[str, Any]:
        body = self._cinder.request(None, "GET", f"/volumes/{volume_id}", exception.NotFound, version="3.70")
        return dict(body["volume"])


class _Pictures:
    """Images with bytes for what the cloud's stand-in only has facts of."""

    def __init__(self, images: Any) -> None:
        self._images = images

    def get(self, ctxt: Any, image_id: str) -> ImageMeta:
        found: ImageMeta = self._images.get(ctxt, image_id)
        return found

    def download(self, ctxt: Any, image_id: str, target: str) -> ImageMeta:
        found = self.get(ctxt, image_id)
        with open(target, "wb") as file:
            file.write(self._images.data.get(image_id, os.urandom(found.size or 0)))
        return found


class _InProcess(Cinder):
    """The context's own project and roles stand for its token; without a context the cloud itself asks."""

    def __init__(self, conf: cfg.ConfigOpts, volumes: Volumes) -> None:
        super().__init__(conf)
        self._volumes = volumes

    def send(
        self, ctxt: RequestContext | None, method: str, path: str, body: Any, query: Mapping[str, str] | None,
        version: str,
    ) -> Reply:  # fmt: skip
        if not self._volumes.is_there:
            raise exception.NoVolumeService()
        try:
            self._volumes.plan.strike(f"{method} /{path.split('/')[1]}", None)
        except exception.NovaLiteError:
            return Reply(500, "", None)
        if ctxt is None or not ctxt.project_id:
            ctxt = RequestContext(project_id=SERVICE_PROJECT, user_id="nova", roles=["admin"], overwrite=False)
        req = webob.Request.blank(f"/v3/{ctxt.project_id}{path}", method=method)
        req.environ |= {
            "HTTP_X_IDENTITY_STATUS": "Confirmed", "keystone.token_auth": object(),
            "HTTP_X_USER_ID": ctxt.user_id or "", "HTTP_X_PROJECT_ID": ctxt.project_id,
            "HTTP_X_ROLES": ",".join(ctxt.roles or ()), "HTTP_X_SERVICE_ROLES": "service",
        }  # fmt: skip
        req.query_string = "&".join(f"{key}={value}" for key, value in (query or {}).items())
        req.headers["OpenStack-API-Version"] = f"volume {version}"
        if body is not None:
            req.body, req.content_type = json.dumps(body).encode(), "application/json"
        answer = req.get_response(self._volumes.app)
        return Reply(answer.status_code, answer.text, answer.json if answer.body else None)
