"""Flavors: list, show, create, describe, delete."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from oslo_utils import strutils

from nova_lite import exception
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.compute.schemas import flavors as schemas
from nova_lite.api.openstack.compute.views.flavors import FlavorViews
from nova_lite.api.openstack.microversions import EXTRA_SPECS_IN_FLAVORS
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import flavors
from nova_lite.objects import Flavor

# Columns of Nova's table that nova-lite's has not, and which are equal in every row there.
_CONSTANT_KEYS = {"vcpu_weight": "flavorid"}


class FlavorsController:
    @validated(query=schemas.LIST_QUERY)
    def index(self, req: Request) -> dict[str, Any]:
        return _list(req, "flavors", _views(req).basic)

    @validated(query=schemas.LIST_QUERY)
    def detail(self, req: Request) -> dict[str, Any]:
        return _list(req, "flavors/detail", _views(req).item)

    def show(self, req: Request, id: str) -> dict[str, Any]:
        return _views(req).show(visible(req, id))

    @validated(body=schemas.CREATE)
    def create(self, req: Request) -> dict[str, Any]:
        """A private flavor is nobody's until somebody is given access, not even its maker's project's."""
        return _views(req).show(flavors.create(flavor_of(req.body["flavor"])))

    @validated(body=schemas.UPDATE)
    def update(self, req: Request, id: str) -> dict[str, Any]:
        return _views(req).show(flavors.update_description(id, req.body["flavor"]["description"]))

    def delete(self, req: Request, id: str) -> None:
        flavors.destroy(id)


def visible(req: Request, flavorid: str) -> Flavor:
    """A flavor the caller may know of.

    :raises FlavorNotFound: there is none, or it is private to other projects.
    """
    return flavors.get_by_flavorid(flavorid, project_id=req.ctxt.project_id, is_admin=bool(req.ctxt.is_admin))


def flavor_of(body: dict[str, Any]) -> Flavor:
    """The flavor a create body describes; an empty or missing id, or ``auto``, gets a new uuid.

    :raises Invalid: a factor of nothing.
    """
    flavorid = body.get("id")
    if flavorid is None or str(flavorid) in ("", "auto"):
        flavorid = uuid.uuid4()
    factor = float(body.get("rxtx_factor", 1.0))
    if factor <= 0:
        raise exception.ValidationError(
            detail=f"Invalid input for field/attribute rxtx_factor. Value: {factor}. It must be greater than 0."
        )
    return Flavor(
        flavorid=str(flavorid),
        name=body["name"].strip(),
        memory_mb=int(body["ram"]),
        vcpus=int(body["vcpus"]),
        root_gb=int(body["disk"]),
        ephemeral_gb=int(body.get("OS-FLV-EXT-DATA:ephemeral", 0)),
        swap_mb=int(body.get("swap", 0)),
        rxtx_factor=factor,
        is_public=strutils.bool_from_string(body.get("os-flavor-access:is_public", True), strict=True),
        description=body.get("description"),
    )


def _views(req: Request) -> FlavorViews:
    wants_specs = req.wants(EXTRA_SPECS_IN_FLAVORS) and req.may("os_compute_api:os-flavor-extra-specs:index")
    return FlavorViews(req.links, req.version, extra_specs=wants_specs)


def _list(req: Request, path: str, view: Callable[[Flavor], dict[str, Any]]) -> dict[str, Any]:
    limit = pagination.limit_of(req)
    found = _search(req, limit) if limit else []
    return pagination.page(req, path, "flavors", [view(flavor) for flavor in found], found, limit, _marker)


def _marker(flavor: Flavor) -> str:
    return flavor.flavorid


def _search(req: Request, limit: int) -> list[Flavor]:
    (sort_key, sort_dir), *_ = pagination.sort_of(req, "flavorid", "asc")
    is_public = _is_public(req)
    return flavors.list(
        is_public=is_public,
        # An administrator's list of every or of the private flavors is not narrowed to the own project's.
        project_id=None if req.ctxt.is_admin and is_public is not True else req.ctxt.project_id,
        name=req.last("name"),
        min_ram_mb=_least(req, "minRam"),
        min_disk_gb=_least(req, "minDisk"),
        disabled=None if req.ctxt.is_admin else False,
        sort_key=_CONSTANT_KEYS.get(sort_key, sort_key),
        sort_dir=sort_dir,
        limit=limit,
        marker=req.first("marker"),
    )


def _is_public(req: Request) -> bool | None:
    """What an administrator asks for, "none" being both; everybody else sees what the own project may use.

    :raises Invalid: not a boolean and not "none".
    """
    text = req.last("is_public")
    if not req.ctxt.is_admin or text is None:
        return True
    if text.lower() == "none":
        return None
    try:
        return strutils.bool_from_string(text, strict=True)
    except ValueError:
        raise exception.Invalid(f"Invalid is_public filter [{text}]") from None


def _least(req: Request, key: str) -> int:
    """
    :raises Invalid: not an integer
    """
    text = req.last(key)
    if text is None:
        return 0
    try:
        return max(min(int(text), 2**31 - 1), -(2**31))
    except ValueError:
        raise exception.Invalid(f"Invalid {key} filter [{text}]") from None
