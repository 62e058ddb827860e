"""ConductorManager: runs operations whose turn is the conductor's, writes for the hosts, and sweeps."""

from __future__ import annotations

import pathlib
import uuid
from typing import Any

from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import chores, poison
from nova_lite.conductor.belonging import Belonging
from nova_lite.conductor.host_verbs import HostVerbs
from nova_lite.conductor.rpcapi import TOPIC
from nova_lite.conductor.sweeper import Sweeper
from nova_lite.conductor.tasks import recover
from nova_lite.conductor.tasks.table import tasks
from nova_lite.context import RequestContext, admin_context
from nova_lite.db.api import operations
from nova_lite.image.api import API as ImageAPI
from nova_lite.manager import PeriodicTask
from nova_lite.network import loader as network_loader
from nova_lite.objects import Operation, Service
from nova_lite.scheduler.api import API as SchedulerAPI
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)

BINARY = "nova-lite-conductor"


class ConductorManager(HostVerbs):
    """Several may run; each has an owner name of its own, under which it holds leases."""

    def __init__(
        self, host: str, conf: Any, image_api: ImageAPI | None = None, network_api: network_loader.API | None = None,
        volume_api: VolumeAPI | None = None, memory: pathlib.Path | None = None,
    ) -> None:  # fmt: skip
        """``memory``: where it remembers which database is its own."""
        super().__init__(host, conf)
        options = conf.operations
        self._image = image_api or ImageAPI(conf)
        self._epoch = uuid.uuid4().hex[:12]
        self._owner = f"{BINARY}:{host}:{self._epoch}"
        self._belonging = Belonging(Service("", host, BINARY, TOPIC, epoch=self._epoch), memory)
        self._lease_s = options.lease_s
        self._max_builds = conf.scheduler.max_attempts
        self._in_flight: set[int] = set()
        self._pool = concurrency.Pool(options.workers, name="conductor")
        self._compute = ComputeRpcAPI()
        network = network_api or network_loader.load(conf)
        self._volume = volume = volume_api or VolumeAPI(conf)
        self._tasks = tasks(SchedulerAPI(), self._compute, options.service_down_s, network, volume, self._image)
        self._sweeper = Sweeper(
            self._submit,
            self._ask_to_look_around,
            options.service_down_s,
            options.sweep_interval_s,
            self._max_builds,
            options.retention_days,
        )
        self._neighbours = (self._image, network, volume)
        self._intervals = (options.heartbeat_interval_s, options.sweep_interval_s)

    def init_host(self) -> None:
        self._belonging.register()

    def periodic_tasks(self) -> list[PeriodicTask]:
        beat, sweep = self._intervals
        others = [
            PeriodicTask(self._sweeper.sweep, sweep, delay_s=sweep, name="sweep"),
            PeriodicTask(self._sweeper.tidy, chores.RARELY * sweep, delay_s=sweep, name="tidy"),
            *chores.periodic_tasks(self.conf, self._compute, self._image, self._volume),
            *chores.audit(self.conf, BINARY, self.host, self._compute, self._neighbours, self._sweeper.age_s),
        ]
        return [PeriodicTask(self._beat, beat, name="heartbeat"), *map(self._belonging.guarded, others)]

    def is_healthy(self) -> bool:
        """A refused one is started again, refuses, and so is seen."""
        return self._belonging.refusal is None

    def stop(self) -> None:
        self._pool.wait(timeout=self.conf.graceful_shutdown_timeout)

    # -- operations whose turn is ours ------------------------------------------------------------

    def run_operation(self, ctxt: RequestContext, operation_id: int) -> None:
        """Work on an operation; one that is taken, ended or not ours is left alone."""
        if self._belonging.refusal is not None:
            return
        try:
            operation = operations.take(operation_id, self._owner, self._lease_s, TOPIC, None)
        except exception.UnreadableObject as error:
            poison.shun(operation_id, error)
            return
        if operation is None:
            return
        self._in_flight.add(operation.id)
        try:
            self._execute(ctxt, operation)
        except exception.StaleWrite as error:
            LOG.info("Operation %d went to somebody else: %s", operation.id, error)
        except Exception:
            # Its lease runs out, and the next worker counts this one as dead: it is not tried for ever.
            LOG.exception("Operation %d stays in the journal", operation.id)
        finally:
            self._in_flight.discard(operation.id)

    def _execute(self, ctxt: RequestContext, operation: Operation) -> None:
        if recover.refuses(operation):
            return
        task = self._tasks.get(operation.action)
        if task is None:
            recover.nobodys(operation)
        else:
            task(ctxt, operation)

    def _submit(self, operation_id: int) -> None:
        self._pool.spawn(self.run_operation, admin_context(), operation_id)

    def _ask_to_look_around(self, host_name: str) -> None:
        self._compute.look_around(admin_context(), host_name)

    def _beat(self) -> None:
        if self._belonging.refusal is not None:
            return
        self._belonging.beat()
        operations.renew(self._owner, list(self._in_flight), self._lease_s)
