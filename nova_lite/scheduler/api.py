"""The door to the scheduler, for the conductor."""

from __future__ import annotations

from oslo_log import log as logging

from nova_lite import exception
from nova_lite.conf import CONF
from nova_lite.context import RequestContext
from nova_lite.objects import Placement, RequestSpec
from nova_lite.scheduler.rpcapi import SchedulerAPI

LOG = logging.getLogger(__name__)


class API:
    """Asks for as many alternates as there may be attempts, and asks again when an answer was lost."""

    def __init__(self, rpcapi: SchedulerAPI | None = None, max_attempts: int | None = None) -> None:
        self._rpcapi = rpcapi or SchedulerAPI()
        self.max_attempts = max_attempts or CONF.scheduler.max_attempts

    def select_destinations(
        self, ctxt: RequestContext, specs: list[RequestSpec], alternates: int | None = None
    ) -> list[Placement]:
        """A placement for each spec, in their order; one without selections found no valid host, its diagnosis why.

        :raises CallTimeout: no scheduler answered, twice. Claims may have been written: ask again with the same specs.
        :raises BrokerUnavailable: the question could not be sent.
        """
        wanted = self.max_attempts - 1 if alternates is None else alternates
        try:
            return self._rpcapi.select_destinations(ctxt, specs, wanted)
        except exception.CallTimeout as error:
            # A server that was claimed meanwhile gets the same node again: asking twice sells nothing twice.
            LOG.warning("The scheduler did not answer, asking again: %s", error)
            return self._rpcapi.select_destinations(ctxt, specs, wanted)
