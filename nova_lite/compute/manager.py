"""ComputeManager: takes operations for its host, keeps their leases, and reports what the hypervisor does by itself."""

from __future__ import annotations

from typing import Any

from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.compute import reconcile, verbs
from nova_lite.compute.guest_verbs import GuestVerbs
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.lifeline import Lifeline
from nova_lite.compute.resource_tracker import ResourceTracker
from nova_lite.conductor.api import HostAPI
from nova_lite.context import RequestContext, admin_context
from nova_lite.image.api import API as ImageAPI
from nova_lite.manager import PeriodicTask
from nova_lite.network import loader as network_loader
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Instance, Operation
from nova_lite.virt import loader
from nova_lite.virt.driver import ComputeDriver
from nova_lite.virt.event import LifecycleEvent
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)

BINARY = "nova-lite-compute"

# No complaint is like it: what a former life told, or a late message after it, is not known, so it is said once more.
_NOTHING_TOLD = "unknown"


class ComputeManager(GuestVerbs):
    """One host. Messages only wake it; what it does, it takes from the journal."""

    def __init__(
        self, host: str, conf: Any, driver: ComputeDriver | None = None, image_api: ImageAPI | None = None,
        network_api: NetworkAPI | None = None, volume_api: VolumeAPI | None = None, or_fake: bool = False,
    ) -> None:  # fmt: skip
        """:param or_fake: see the driver's loader."""
        super().__init__(host, conf)
        self._stopping = False
        image = image_api or ImageAPI(conf)
        network = network_api or network_loader.load(conf)
        self.driver = driver or loader.load(conf, host, image, or_fake)
        volume = volume_api or VolumeAPI(conf)
        self._tracker = ResourceTracker(host, self.driver, conf.compute)
        self._in_flight: set[int] = set()
        conductor = HostAPI(lambda: self._stopping)
        self._life = Lifeline(
            # A host that is down loses its operations although their leases run on.
            BINARY, host, min(conf.operations.lease_s, conf.operations.service_down_s), conductor, self._tracker.node,
            lambda: sorted(self._in_flight), self.run_operation, self.look_around,
        )  # fmt: skip
        deleted_action = conf.running_deleted_instance_action
        fence = self._life.fence
        self._host = ComputeHost(
            host, fence.guard(self.driver), conductor, fence.guard_network(network), image, fence.guard_volume(volume),
            deleted_action=deleted_action,
        )  # fmt: skip
        self._told_complaint: str | None = _NOTHING_TOLD
        self._pool = concurrency.Pool(conf.operations.workers, name="compute")

    # -- life of the service ----------------------------------------------------------------------

    def init_host(self) -> None:
        """:raises HypervisorUnavailable: the hypervisor does not answer.

        :raises HostRefused: the guests here are not those of this host and this database; nothing is touched.
        """
        self.driver.init_host()
        self._life.begin(self.driver.state_directory())
        self.driver.register_event_listener(self._on_event)
        ctxt = admin_context()
        reconcile.clean(self._host, ctxt)
        reconcile.report_all(self._host, ctxt)

    def periodic_tasks(self) -> list[PeriodicTask]:
        options = self.conf.operations
        sync_s, report_s = options.power_sync_interval_s, self.conf.compute.inventory_interval_s
        return [
            PeriodicTask(self._life.beat, options.heartbeat_interval_s, name="heartbeat"),
            PeriodicTask(self._report_health, options.heartbeat_interval_s, name="health"),
            PeriodicTask(self._report_inventory, report_s, delay_s=report_s, name="inventory"),
            PeriodicTask(self._sync_power_states, sync_s, delay_s=sync_s, name="power states"),
        ]

    def pre_stop(self) -> None:
        self._stopping = True

    def stop(self) -> None:
        """What is not done by now goes on when the host is back: the journal knows."""
        self._stopping = True
        self._pool.wait(timeout=self.conf.graceful_shutdown_timeout)
        self._life.end()
        self.driver.close()

    # -- RPC --------------------------------------------------------------------------------------

    def run_operation(self, ctxt: RequestContext, operation_id: int) -> None:
        """Look at an operation; it is worked on apart, so that messages keep flowing."""
        if operation_id in self._in_flight or self._idle:
            return
        self._in_flight.add(operation_id)
        self._pool.spawn(self._work, ctxt, operation_id)

    def look_around(self, ctxt: RequestContext) -> None:
        """Look for guests that should not be here any more; apart, so that messages keep flowing."""
        if not self._idle:
            self._pool.spawn(reconcile.clean, self._host, ctxt)

    @property
    def _idle(self) -> bool:
        """Whether this daemon begins nothing: it stops, or must not touch anything any more."""
        return self._stopping or self._life.fence.why_shut is not None

    # -- work -------------------------------------------------------------------------------------

    def _work(self, ctxt: RequestContext, operation_id: int) -> None:
        try:
            begun = self._host.locks.left
            taken = self._host.conductor.take_operation(ctxt, operation_id, self.host, self._life.owner)
            if taken is None:
                return
            operation, instance = taken
            try:
                with self._host.locks.hold(instance.uuid, begun, self.conf.operations.lease_s) as changed:
                    if changed:
                        # Whoever held the lock may have changed everything: prove that it is still our turn, and look.
                        instance = self._host.conductor.look_again(ctxt, operation.id, operation.attempt)
                    self._perform(ctxt, operation, instance)
            except exception.ServerBusy as error:
                verbs.postpone(self._host, ctxt, operation, error)
        except exception.StaleWrite as error:
            LOG.info("Operation %d went to somebody else: %s", operation_id, error)
        except Exception:
            LOG.exception("Operation %d stays in the journal", operation_id)
        finally:
            self._in_flight.discard(operation_id)

    def _perform(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
        try:
            with self._life.fence.working(operation):
                verbs.perform(self._host, ctxt, operation, instance)
        except exception.StaleWrite:
            # Whoever overtook this worker may have the server elsewhere by now: nothing of it may run here, too.
            reconcile.keeps(self._host, ctxt, instance)
            raise

    # -- background -------------------------------------------------------------------------------

    def _report_health(self) -> None:
        """Say when the hypervisor stops or begins to answer; apart from the heartbeat, which must not wait for it."""
        if self._idle:
            return
        complaint = self.driver.check_health() or self._stuck()
        if complaint != self._told_complaint:
            self._host.conductor.report_health(admin_context(), self.host, complaint)
            self._told_complaint = complaint

    def _stuck(self) -> str | None:
        """Whether workers have not come back from the hypervisor long after their operations ended without them."""
        stuck = self._life.fence.stuck()
        numbers = ", ".join(str(number) for number in stuck[:10])
        return f"{len(stuck)} call(s) to the hypervisor do not come back (operations {numbers})" if stuck else None

    def _report_inventory(self) -> None:
        if not self._idle:
            self._host.conductor.report_inventory(admin_context(), self._tracker.node())

    def _sync_power_states(self) -> None:
        """What no message told, and what somebody died over, is found in the end; what one told too late is mended."""
        if self._idle:
            return
        self._told_complaint = _NOTHING_TOLD
        reconcile.clean(self._host, admin_context())
        reconcile.report_all(self._host, admin_context())

    def _on_event(self, event: LifecycleEvent) -> None:
        LOG.info("Guest %s: %s", event.uuid, event.transition)
        if not self._idle:
            self._pool.spawn(self._report_event, event.uuid)

    def _report_event(self, instance_uuid: str) -> None:
        try:
            reconcile.report(self._host, admin_context(), instance_uuid)
        except exception.NovaLiteError as error:
            LOG.warning("The state of guest %s could not be reported: %s", instance_uuid, error)
