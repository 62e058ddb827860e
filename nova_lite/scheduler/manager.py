"""SchedulerManager: picks hosts for servers and claims them. What it decides by is pure, what it knows is stored."""

from __future__ import annotations

import uuid
from typing import Any

from oslo_log import log as logging

from nova_lite import manager
from nova_lite.conf import CONF
from nova_lite.context import RequestContext
from nova_lite.db.api import services
from nova_lite.objects import Placement, RequestSpec
from nova_lite.scheduler import filters, weighers
from nova_lite.scheduler.database import DatabasePlanner, DatabaseState
from nova_lite.scheduler.planning import Planner, Planning, State
from nova_lite.scheduler.rpcapi import TOPIC
from nova_lite.scheduler.selection import Pipeline

LOG = logging.getLogger(__name__)

BINARY = "nova-lite-scheduler"


class SchedulerManager(manager.Manager):
    """The endpoint of topic ``scheduler``; any number of them may run, the claim in the database is what decides."""

    def __init__(
        self,
        host: str,
        conf: Any = None,
        state: State | None = None,
        planner: Planner | None = None,
        **deps: Any,
    ) -> None:
        super().__init__(host, conf, **deps)
        conf = conf or CONF
        self._epoch = uuid.uuid4().hex[:12]
        self._heartbeat_s = conf.operations.heartbeat_interval_s
        self._planning = Planning(
            state or _state(conf),
            planner or DatabasePlanner(),
            pipeline(conf),
            rounds=conf.scheduler.claim_rounds,
        )

    def init_host(self) -> None:
        services.register(self.host, BINARY, TOPIC, self._epoch)

    def periodic_tasks(self) -> list[manager.PeriodicTask]:
        return [manager.PeriodicTask(self._beat, self._heartbeat_s, name="heartbeat")]

    def _beat(self) -> None:
        if not services.heartbeat(self.host, BINARY, self._epoch):
            self.init_host()

    def select_destinations(
        self, ctxt: RequestContext, specs: list[RequestSpec], alternates: int
    ) -> list[Placement]:
        """A placement for each spec, in their order: the claimed node, then up to ``alternates`` unclaimed ones.

        A spec without a valid host has no selections and its diagnosis says why; the others keep their claims. A server
        that holds a claim of its size already gets the same node again, so a lost answer may be asked for again.
        """
        placements = [self._planning.place(spec, alternates) for spec in specs]
        for placement in placements:
            _log(placement)
        return placements


def _state(conf: Any) -> DatabaseState:
    options = conf.scheduler
    return DatabaseState(conf.operations.service_down_s, conf.default_availability_zone, options.host_cache_s)


def pipeline(conf: Any) -> Pipeline:
    """The configured filters and weighers.

    :raises ConfigInvalid: an enabled filter does not exist.
    """
    options = conf.filter_scheduler
    return Pipeline(
        filters=filters.load(options.enabled_filters),
        weighers=weighers.load({each.option: options[each.option] for each in weighers.REGISTRY}),
        host_subset_size=options.host_subset_size,
        shuffle_best=options.shuffle_best_same_weighed_hosts,
    )


def _log(placement: Placement) -> None:
    diagnosis = placement.diagnosis
    if placement.selections:
        chosen = placement.selections[0]
        LOG.info("Server %s goes to %s. %s", placement.instance_uuid, chosen.host, diagnosis.summary())
    else:
        near = f" Nearest miss: {diagnosis.nearest}." if diagnosis.nearest else ""
        LOG.warning("No valid host for server %s. %s%s", placement.instance_uuid, diagnosis.summary(), near)
