"""What the API asks of guests and says of them, without an operation: consoles, diagnostics, events of neighbours."""

from __future__ import annotations

from typing import Any

from nova_lite import concurrency, exception, rpc
from nova_lite.compute import consoles, diagnostics, external_events, quarantine, survey
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.manager import Manager
from nova_lite.objects import ConsoleAddress, ConsoleType, Diagnostics, ExternalEvent, Instance, Survey
from nova_lite.virt.driver import ComputeDriver


class GuestVerbs(Manager):
    """The half of a host's endpoint that answers at once; the other half is :class:`ComputeManager`."""

    driver: ComputeDriver
    _host: ComputeHost
    _pool: concurrency.Pool
    _stopping: bool

    def external_events(self, ctxt: RequestContext, servers: list[Instance], events: list[ExternalEvent]) -> None:
        """What other services report about servers of this host; handled apart, so that messages keep flowing."""
        if not self._stopping:
            self._pool.spawn(external_events.handle, self._host, ctxt, servers, events)

    @rpc.expected(exception.NotSupported)
    def console_output(self, ctxt: RequestContext, instance: Instance, limit_bytes: int) -> bytes:
        """:raises NotSupported: the driver keeps no console."""
        if "console" not in self.driver.capabilities:
            raise exception.NotSupported()
        return self.driver.console_output(instance, limit_bytes)  # type: ignore[attr-defined, no-any-return]

    @rpc.expected(exception.NotSupported)
    def console_address(
        self, ctxt: RequestContext, instance: Instance, console_type: ConsoleType
    ) -> ConsoleAddress:
        """:raises ConsoleTypeUnavailable, NotSupported, GuestNotFound: see :func:`consoles.address`."""
        return consoles.address(self.conf, self.driver, instance, ConsoleType(console_type))

    @rpc.expected(exception.NotSupported)
    def diagnostics(self, ctxt: RequestContext, instance: Instance) -> Diagnostics:
        """:raises NotSupported, InstanceInvalidState, GuestNotFound: see :func:`diagnostics.of`."""
        return diagnostics.of(self.driver, instance)

    def survey(self, ctxt: RequestContext, after: str | None) -> Survey:
        """What this host has of servers: see :func:`survey.batch`."""
        return survey.batch(self.driver, after)

    def list_quarantine(self, ctxt: RequestContext) -> list[dict[str, Any]]:
        """Guests that were stopped and set apart: ``uuid``, ``name``, ``power_state``, ``reason`` and ``since``."""
        return quarantine.held(self._host)

    def release_quarantine(self, ctxt: RequestContext, uuid: str) -> None:
        """Forget that a guest was set apart; it stays off. :raises GuestNotFound: there is none."""
        quarantine.release(self._host, uuid)

    def discard_quarantine(self, ctxt: RequestContext, uuid: str) -> None:
        """Remove a guest in quarantine with its disks.

        :raises GuestNotFound: there is none; :raises Conflict: its server lives here after all.
        """
        quarantine.discard(self._host, ctxt, uuid)
