"""Keypairs: list, import or make, show, delete. They belong to a user; an administrator may act for another."""

from __future__ import annotations

from typing import Any

from nova_lite import quota
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.compute.schemas import keypairs as schemas
from nova_lite.api.openstack.compute.views import keypairs as views
from nova_lite.api.openstack.microversions import KEYPAIR_PAGES, KEYPAIRS_OF_OTHERS
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute import keypair_material
from nova_lite.db.api import keypairs
from nova_lite.objects import KeyPair


class KeypairsController:
    @validated(query=schemas.LIST_QUERY)
    def index(self, req: Request) -> dict[str, Any]:
        user_id = _user(req, "os_compute_api:os-keypairs:index", req.last("user_id"))
        if not req.wants(KEYPAIR_PAGES):
            return {"keypairs": [views.item(keypair, req.version) for keypair in keypairs.list(user_id)]}
        limit = pagination.limit_of(req)
        found = keypairs.list(user_id, limit=limit, marker=req.last("marker"))
        shown = [views.item(keypair, req.version) for keypair in found]
        return pagination.page(req, "os-keypairs", "keypairs", shown, found, limit, lambda keypair: keypair.name)

    @validated(body=schemas.CREATE)
    def create(self, req: Request) -> dict[str, Any]:
        """
        :raises Invalid: the public key is none
        """
        body = req.body["keypair"]
        user_id = _user(req, "os_compute_api:os-keypairs:create", body.get("user_id"))
        name, kind = body["name"].strip(), body.get("type", keypair_material.SSH)
        private_key = None
        if "public_key" in body:
            public_key = body["public_key"]
            fingerprint = keypair_material.fingerprint(public_key, kind)
        else:
            private_key, public_key, fingerprint = keypair_material.generate(kind, user_id)
        keypair = KeyPair(name=name, user_id=user_id, type=kind, public_key=public_key, fingerprint=fingerprint)
        limit = quota.limits(str(req.ctxt.project_id), user_id=user_id)["key_pairs"]
        return views.created(keypairs.create(keypair, limit), req.version, private_key)

    @validated(query=schemas.USER_QUERY)
    def show(self, req: Request, id: str) -> dict[str, Any]:
        user_id = _user(req, "os_compute_api:os-keypairs:show", req.last("user_id"))
        return views.show(keypairs.get(user_id, id), req.version)

    @validated(query=schemas.USER_QUERY)
    def delete(self, req: Request, id: str) -> None:
        keypairs.destroy(_user(req, "os_compute_api:os-keypairs:delete", req.last("user_id")), id)


def _user(req: Request, rule: str, asked: str | None) -> str:
    """Whose keypairs are meant, the caller being allowed to.

    :raises PolicyNotAuthorized: another user's, and the caller no administrator.
    """
    user_id = str(asked) if asked and req.wants(KEYPAIRS_OF_OTHERS) else str(req.ctxt.user_id)
    req.authorize(rule, {"user_id": user_id, "project_id": req.ctxt.project_id})
    return user_id
