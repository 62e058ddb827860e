"""The controllers of what stands beside servers: flavors, keypairs, limits, hosts, discovery."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite.api.openstack import retired, versions
from nova_lite.api.openstack.compute.availability_zones import AvailabilityZonesController
from nova_lite.api.openstack.compute.extensions import ExtensionsController
from nova_lite.api.openstack.compute.flavor_access import FlavorAccessController
from nova_lite.api.openstack.compute.flavor_extra_specs import FlavorExtraSpecsController
from nova_lite.api.openstack.compute.flavors import FlavorsController
from nova_lite.api.openstack.compute.hypervisors import HypervisorsController
from nova_lite.api.openstack.compute.keypairs import KeypairsController
from nova_lite.api.openstack.compute.limits import LimitsController
from nova_lite.api.openstack.compute.quota_sets import QuotaSetsController
from nova_lite.api.openstack.compute.services import ServicesController
from nova_lite.compute.api import API


def controllers(conf: cfg.ConfigOpts, compute: API) -> dict[str, Any]:
    """By name, as the rows of the table name them."""
    return {
        "api_versions": versions.ApiVersionsController(),
        "availability_zones": AvailabilityZonesController(conf),
        "extensions": ExtensionsController(),
        "flavor_access": FlavorAccessController(),
        "flavor_extra_specs": FlavorExtraSpecsController(),
        "flavors": FlavorsController(),
        "hypervisors": HypervisorsController(conf),
        "keypairs": KeypairsController(),
        "limits": LimitsController(conf),
        "quota_sets": QuotaSetsController(conf),
        "retired": retired.RetiredController(),
        "services": ServicesController(conf),
    }
