"""A flavor as JSON, at every microversion."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.links import Links
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import Flavor


def _empty_swap(view: View, maker: Any) -> None:
    if view["swap"] == 0:
        view["swap"] = ""


def _old_factors(view: View, flavor: Flavor) -> None:
    view["rxtx_factor"] = flavor.rxtx_factor
    view["OS-FLV-DISABLED:disabled"] = flavor.disabled


SHOW = History(
    step("2.102", _old_factors),
    step("2.75", _empty_swap),
    step("2.61", drop("extra_specs")),
    step("2.55", drop("description")),
)
BASIC = History(step("2.55", drop("description")))


class FlavorViews:
    """Makes the views of one request."""

    def __init__(self, links: Links, version: Microversion, *, extra_specs: bool) -> None:
        self._links = links
        self._version = version
        self._extra_specs = extra_specs

    def basic(self, flavor: Flavor) -> View:
        view = {
            "id": flavor.flavorid,
            "name": flavor.name,
            "description": flavor.description,
            "links": self._links.pair("flavors", flavor.flavorid),
        }
        return BASIC.walk_back(view, self._version)

    def item(self, flavor: Flavor) -> View:
        view: View = {
            "id": flavor.flavorid,
            "name": flavor.name,
            "ram": flavor.memory_mb,
            "disk": flavor.root_gb,
            "vcpus": flavor.vcpus,
            "swap": flavor.swap_mb,
            "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral_gb,
            "os-flavor-access:is_public": flavor.is_public,
            "description": flavor.description,
            "links": self._links.pair("flavors", flavor.flavorid),
        }
        if self._extra_specs:
            view["extra_specs"] = dict(flavor.extra_specs)
        return SHOW.walk_back(view, self._version, flavor)

    def show(self, flavor: Flavor) -> dict[str, View]:
        return {"flavor": self.item(flavor)}
