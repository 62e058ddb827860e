"""Keypairs, which belong to a user: the controller asks the policy of whose they are."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import Versioned
from nova_lite.api.openstack.routes.route import Route

ROUTES = (
    Route("GET", "/os-keypairs", "keypairs:index"),
    Route("POST", "/os-keypairs", "keypairs:create", status=Versioned(v2_1=200, v2_2=201)),
    Route("GET", "/os-keypairs/{id}", "keypairs:show"),
    Route("DELETE", "/os-keypairs/{id}", "keypairs:delete", status=Versioned(v2_1=202, v2_2=204)),
)
