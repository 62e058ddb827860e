"""Aggregates: groups of hosts, for operators; one with a zone is what users know as an availability zone."""

from __future__ import annotations

import re
from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import aggregates as schemas
from nova_lite.api.openstack.compute.views import aggregates as views
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import aggregates, services
from nova_lite.liveness import COMPUTE
from nova_lite.objects import Aggregate
from nova_lite.objects.aggregate import ZONE

# The largest id that every database keeps.
_MAX_ID = 2**63 - 1


class AggregatesController:
    def index(self, req: Request) -> dict[str, Any]:
        return {"aggregates": [views.item(aggregate, req.version) for aggregate in aggregates.list()]}

    @validated(body=schemas.CREATE)
    def create(self, req: Request) -> dict[str, Any]:
        body = req.body["aggregate"]
        zone = body.get("availability_zone")
        aggregate_id = aggregates.create(body["name"].strip(), {ZONE: zone.strip()} if zone else {})
        return {"aggregate": views.created(aggregates.get(aggregate_id), req.version)}

    def show(self, req: Request, id: str) -> dict[str, Any]:
        return _shown(req, aggregates.get(_number(id)))

    @validated(body=schemas.UPDATE)
    def update(self, req: Request, id: str) -> dict[str, Any]:
        body = req.body["aggregate"]
        number = _number(id)
        name = body["name"].strip() if "name" in body else aggregates.get(number).name
        zone = {ZONE: body["availability_zone"]} if "availability_zone" in body else {}
        return _shown(req, aggregates.change(number, name, zone))

    def delete(self, req: Request, id: str) -> None:
        aggregates.destroy(_number(id))

    @validated(body=schemas.ADD_HOST)
    def add_host(self, req: Request, id: str) -> dict[str, Any]:
        """
        :raises ComputeHostNotFound: no compute service runs on a host of that name
        """
        number, host = _number(id), req.body["add_host"]["host"]
        aggregates.get(number)
        _check_host(host)
        return _shown(req, aggregates.add_host(number, host))

    @validated(body=schemas.REMOVE_HOST)
    def remove_host(self, req: Request, id: str) -> dict[str, Any]:
        """
        :raises ComputeHostNotFound: no compute service runs on a host of that name
        """
        number, host = _number(id), req.body["remove_host"]["host"]
        if host not in aggregates.get(number).hosts:
            _check_host(host)
        return _shown(req, aggregates.remove_host(number, host))

    @validated(body=schemas.SET_METADATA)
    def set_metadata(self, req: Request, id: str) -> dict[str, Any]:
        return _shown(req, aggregates.change(_number(id), None, req.body["set_metadata"]["metadata"]))


def _shown(req: Request, aggregate: Aggregate) -> dict[str, Any]:
    return {"aggregate": views.item(aggregate, req.version)}


def _number(text: str) -> int:
    """
    :raises Invalid: an aggregate's id is a number
    """
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII) or abs(int(text)) > _MAX_ID:
        raise exception.Invalid("Invalid input received: id must be an integer")
    return int(text)


def _check_host(host: str) -> None:
    if not services.list(binary=COMPUTE, host=host):
        raise exception.ComputeHostNotFound(host=host)
