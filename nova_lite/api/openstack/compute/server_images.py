"""Actions of servers that make, use or need images: snapshots, rebuild, rescue, shelving."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg
from oslo_utils import strutils

from nova_lite.api.openstack.compute import admin_password, host_status
from nova_lite.api.openstack.compute.schemas import server_images as schemas
from nova_lite.api.openstack.compute.schemas.server_actions import anything
from nova_lite.api.openstack.compute.server_request import address_of, check_files
from nova_lite.api.openstack.compute.servers import sight_of
from nova_lite.api.openstack.compute.views.servers import ServerViews
from nova_lite.api.openstack.microversions import IMAGE_ID_IN_ANSWER, UNSHELVE_TO_ZONE, VOLUME_REBUILD, VOLUME_RESCUE
from nova_lite.api.openstack.request import Request, Response
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.compute.doors.rebuilds import RebuildRequest
from nova_lite.compute.doors.shelves import UnshelveRequest
from nova_lite.objects import Instance

_MOST_BACKUPS = 1_000_000
# Key of the body: field of the server.
_CHANGES = {
    "description": "display_description",
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "metadata": "metadata",
    "key_name": "key_name",
    "user_data": "user_data",
    "hostname": "hostname",
}


class ServerImagesController:
    def __init__(self, compute: API, conf: cfg.ConfigOpts) -> None:
        self._compute = compute
        self._conf = conf

    # -- images made of servers -------------------------------------------------------------------

    @validated(body=schemas.CREATE_IMAGE)
    def create_image(self, req: Request, server: Instance) -> Response | dict[str, Any]:
        body = req.body["createImage"]
        if server.is_volume_backed:
            target = {"project_id": server.project_id, "user_id": server.user_id}
            req.authorize("os_compute_api:servers:create_image:allow_volume_backed", target)
        name = body["name"].strip()
        image_id = self._compute.snapshots.create_image(req.ctxt, server, name, body.get("metadata", {}))
        return self._made(req, image_id)

    @validated(body=schemas.CREATE_BACKUP)
    def create_backup(self, req: Request, server: Instance) -> Response | dict[str, Any]:
        body = req.body["createBackup"]
        # Who asks for more keeps all of them; a number above 64 bits would not reach the host as one.
        rotation = min(int(body["rotation"]), _MOST_BACKUPS)
        image_id = self._compute.snapshots.create_backup(
            req.ctxt, server, body["name"].strip(), body["backup_type"], rotation, body.get("metadata", {})
        )
        return self._made(req, image_id)

    def _made(self, req: Request, image_id: str) -> Response | dict[str, Any]:
        if req.wants(IMAGE_ID_IN_ANSWER):
            return {"image_id": image_id}
        return Response(headers=[("Location", self._compute.snapshots.image_url(req.ctxt, image_id))])

    # -- rebuild ----------------------------------------------------------------------------------

    @validated(body=schemas.REBUILD)
    def rebuild(self, req: Request, server: Instance) -> dict[str, Any]:
        """
        :raises Invalid: files to inject that are too many or too large
        """
        body = req.body["rebuild"]
        check_files(body.get("personality", ()))
        if body.get("trusted_image_certificates"):
            target = {"project_id": server.project_id, "user_id": server.user_id}
            req.authorize("os_compute_api:servers:rebuild:trusted_certs", target)
        keeps = strutils.bool_from_string(body.get("preserve_ephemeral", False), strict=True)
        request = RebuildRequest(body["imageRef"], _changed(body), keeps, req.wants(VOLUME_REBUILD))
        rebuilt = self._compute.rebuilds.rebuild(req.ctxt, server, request)
        views = ServerViews(req.links, req.version, sight_of(req), host_status.reader(self._conf))
        return views.rebuilt(rebuilt, self._shown(admin_password.asked_or_new(body)))

    # -- rescue -----------------------------------------------------------------------------------

    @validated(body=schemas.RESCUE)
    def rescue(self, req: Request, server: Instance) -> dict[str, Any]:
        body = req.body["rescue"] or {}
        image_ref = body.get("rescue_image_ref")
        self._compute.rescues.rescue(req.ctxt, server, image_ref, volumes=req.wants(VOLUME_RESCUE))
        password = self._shown(admin_password.asked_or_new(body))
        return {} if password is None else {"adminPass": password}

    @validated(body=anything("unrescue"))
    def unrescue(self, req: Request, server: Instance) -> None:
        self._compute.rescues.unrescue(req.ctxt, server)

    def _shown(self, password: str) -> str | None:
        return password if self._conf.api.enable_instance_password else None

    # -- shelving ---------------------------------------------------------------------------------

    @validated(body=anything("shelve"))
    def shelve(self, req: Request, server: Instance) -> None:
        self._compute.shelves.shelve(req.ctxt, server)

    @validated(body=anything("shelveOffload"))
    def shelve_offload(self, req: Request, server: Instance) -> None:
        self._compute.shelves.offload(req.ctxt, server)

    @validated(body=schemas.UNSHELVE)
    def unshelve(self, req: Request, server: Instance) -> None:
        body = req.body["unshelve"]
        place = body if isinstance(body, dict) and req.wants(UNSHELVE_TO_ZONE) else {}
        if "host" in place:
            target = {"project_id": server.project_id, "user_id": server.user_id}
            req.authorize("os_compute_api:os-shelve:unshelve_to_host", target)
        zone = place.get("availability_zone")
        request = UnshelveRequest(zone, "availability_zone" in place, place.get("host"))
        self._compute.shelves.unshelve(req.ctxt, server, request)


def _changed(body: dict[str, Any]) -> dict[str, Any]:
    """The server's fields that the body of a rebuild gives new values."""
    values = {field: body[key] for key, field in _CHANGES.items() if key in body}
    for address in ("access_ip_v4", "access_ip_v6"):
        if address in values:
            values[address] = address_of(values[address])
    if values.get("key_name"):
        values["key_name"] = values["key_name"].strip()
    if "name" in body:
        values["display_name"] = body["name"].strip()
    if "OS-DCF:diskConfig" in body:
        values["auto_disk_config"] = body["OS-DCF:diskConfig"] == "AUTO"
    if "trusted_image_certificates" in body:
        certs = body["trusted_image_certificates"]
        values["trusted_certs"] = None if certs is None else tuple(certs)
    return values
