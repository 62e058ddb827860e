"""The embedded volume service as a Paste application; the token check stands before it in the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oslo_config import cfg

from nova_lite.embedded import listen
from nova_lite.embedded.volume.actions_api import ActionsApi
from nova_lite.embedded.volume.attachments_api import AttachmentsApi
from nova_lite.embedded.volume.cloud_api import CloudApi
from nova_lite.embedded.volume.copying import Images
from nova_lite.embedded.volume.discovery import Discovery
from nova_lite.embedded.volume.filling import Filling
from nova_lite.embedded.volume.snapshots_api import SnapshotsApi
from nova_lite.embedded.volume.store import Store
from nova_lite.embedded.volume.types_api import TypesApi
from nova_lite.embedded.volume.volumes_api import VolumesApi
from nova_lite.embedded.wsgi import Application
from nova_lite.image.api import API as ImageAPI

# Cinder's names of the kinds of errors.
_KEYS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 501: "notImplemented", 503: "serviceUnavailable",
}  # fmt: skip


def make_app(conf: cfg.ConfigOpts, images: Images | None = None) -> Application:
    """The application; ``images`` is the image service's door where it is not the catalogue's.

    :raises ConfigInvalid: the facts of a volume are unusable.
    """
    store = Store(Path(conf.embedded.directory) / "volumes")
    filling = Filling(store, images or ImageAPI(conf))
    rooms = (
        Discovery(listen.service_urls(conf)[listen.VOLUME]),
        VolumesApi(store, filling),
        ActionsApi(store, filling),
        SnapshotsApi(store, filling),
        AttachmentsApi(store),
        TypesApi(store),
        CloudApi(store),
    )
    table = [route for room in rooms for route in room.routes()]
    return Application(table, fault)


def fault(status: int, message: str) -> dict[str, Any]:
    """An error as Cinder words it."""
    return {_KEYS.get(status, "computeFault"): {"code": status, "message": message}}


def app_factory(global_conf: dict[str, Any], **local_conf: Any) -> Application:
    """The Paste entry."""
    return make_app(cfg.CONF)
