"""The embedded image service as a Paste application; the token check stands before it in the pipeline."""

from __future__ import annotations

import http
from pathlib import Path
from typing import Any

from oslo_config import cfg

from nova_lite.embedded import listen
from nova_lite.embedded.image.data_api import DataApi
from nova_lite.embedded.image.discovery import Discovery
from nova_lite.embedded.image.images_api import ImagesApi
from nova_lite.embedded.image.members_api import MembersApi
from nova_lite.embedded.image.store import ImageStore
from nova_lite.embedded.wsgi import Application


def make_app(conf: cfg.ConfigOpts) -> Application:
    """The application.

    :raises ConfigInvalid: the facts of an image are unusable.
    """
    options = conf.embedded
    store = ImageStore(Path(options.directory) / "images")
    rooms = (
        Discovery(listen.service_urls(conf)[listen.IMAGE]),
        ImagesApi(store),
        DataApi(store, options.image_size_max, options.require_image_format_match),
        MembersApi(store),
    )
    table = [route for room in rooms for route in room.routes()]
    return Application(table, fault)


def fault(status: int, message: str) -> dict[str, Any]:
    """An error as WebOb, and so Glance, words it in JSON."""
    title = http.HTTPStatus(status).phrase
    return {"message": message, "code": f"{status} {title}", "title": title}


def app_factory(global_conf: dict[str, Any], **local_conf: Any) -> Application:
    """The Paste entry."""
    return make_app(cfg.CONF)
