"""One domain: its states and the verbs of its power. Every verb may be called again; what is already so stays so."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import libvirt

from nova_lite import clock, concurrency, exception
from nova_lite.compute.power_states import PowerState
from nova_lite.virt.libvirt import events
from nova_lite.virt.libvirt.connection import Connection, LibvirtError
from nova_lite.virt.libvirt.xml.domain import NAMESPACE, QUARANTINE_NAMESPACE, Mark, QuarantineNote
from nova_lite.virt.libvirt.xml.element import E, from_xml, to_xml

LOG = logging.getLogger(__name__)

ASK_AGAIN_S = 1.0  # a guest that does not listen yet loses the power button's event
LOOK_S = 0.1
DESTROY_ATTEMPTS = 3

_UNDEFINE_FLAGS = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
)


@dataclass(frozen=True)
class Sight:
    """A domain at one look; ``mark`` is that of the running domain where it runs, None where there is none of ours."""

    uuid: str
    name: str
    state: PowerState
    mark: Mark | None
    note: QuarantineNote | None = None


class _BareNote(QuarantineNote):
    """As libvirt wants to be given it: the namespace it adds itself, and refuses one that is there."""

    NS = None


class Guest:
    """The domain of a server, whether it exists or not: that is found out by each method.

    :raises GuestNotFound: in all methods but :meth:`look`, :meth:`destroy` and :meth:`undefine`.
    """

    def __init__(self, connection: Connection, uuid: str) -> None:
        self._connection = connection
        self.uuid = uuid

    def _call(self, method: str, *args: Any) -> Any:
        return self._connection.on_domain(self.uuid, method, *args)

    # -- facts ----------------------------------------------------------------------------------------

    def look(self) -> Sight | None:
        """How it is; None where there is no such domain."""
        try:
            found: Sight | None = self._connection.apply(look_at, self.uuid)
        except exception.GuestNotFound:
            return None
        return found

    def power_state(self) -> PowerState:
        state, _reason = self._call("state")
        return events.power_state(state)

    def is_active(self) -> bool:
        return bool(self._call("isActive"))

    def has_saved_memory(self) -> bool:
        return bool(self._call("hasManagedSaveImage"))

    # -- verbs ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start, or restore from saved memory where there is some."""
        self._unless_already("create", self.is_active)

    def power_off(self, timeout_s: float) -> None:
        """Press the power button until the guest is off or the time is over; then cut the power."""
        if not self.shut_down(timeout_s):
            self.destroy()

    def shut_down(self, timeout_s: float) -> bool:
        """True when the guest went off by itself within the time."""
        deadline = clock.Deadline(timeout_s)
        while self.is_active():
            if deadline.passed() or self.power_state() == PowerState.PAUSED:  # a paused guest hears nothing
                return False
            self._press_power_button()
            pressed = clock.Deadline(min(ASK_AGAIN_S, deadline.left()))
            while not pressed.passed() and self.is_active():
                concurrency.sleep(LOOK_S)
        return True

    def _press_power_button(self) -> None:
        try:
            self._call("shutdownFlags", libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        except LibvirtError as error:
            LOG.debug("domain %s: power button: %s", self.uuid, error)

    def destroy(self) -> None:
        """Cut the power; a domain that is gone has none."""
        for attempt in range(1, DESTROY_ATTEMPTS + 1):
            try:
                self._unless_already("destroy", lambda: not self.is_active())
                return
            except exception.GuestNotFound:
                return
            except LibvirtError as error:  # QEMU stuck in the kernel: it goes when its I/O returns
                if error.code != libvirt.VIR_ERR_SYSTEM_ERROR or attempt == DESTROY_ATTEMPTS:
                    raise
                LOG.warning("domain %s does not die (attempt %d): %s", self.uuid, attempt, error)

    def undefine(self) -> None:
        """Remove the definition with saved memory and firmware variables; a domain that is gone has none."""
        try:
            self._call("undefineFlags", _UNDEFINE_FLAGS)
        except exception.GuestNotFound:
            return

    def set_apart(self, note: QuarantineNote) -> None:
        """Cut the power, keep the definition and write the note into it; it does not start with the host."""
        self._connection.apply(_set_apart, self.uuid, to_xml(_BareNote(note.since, note.reason)))
        self.destroy()

    def take_back(self) -> None:
        """Forget the note."""
        self._connection.apply(_take_back, self.uuid)

    def pause(self) -> None:
        self._unless_already("suspend", lambda: self.power_state() == PowerState.PAUSED)

    def unpause(self) -> None:
        self._unless_already("resume", lambda: self.power_state() == PowerState.RUNNING)

    def save(self) -> None:
        """Write the memory to disk and end; a later start restores it, running."""
        flags = libvirt.VIR_DOMAIN_SAVE_RUNNING
        self._unless_already("managedSave", lambda: self.has_saved_memory() and not self.is_active(), flags)

    def forget_saved_memory(self) -> None:
        if self.has_saved_memory():
            self._call("managedSaveRemove", 0)

    def _unless_already(self, verb: str, is_so: Any, *args: Any) -> None:
        """Do it where it is not so yet; a refusal because it has just become so is no error."""
        if is_so():
            return
        try:
            self._call(verb, *args)
        except LibvirtError as error:
            if error.code != libvirt.VIR_ERR_OPERATION_INVALID or not is_so():
                raise


# -- on native threads, one crossing for all that is asked -----------------------------------------------------------


def look_at(conn: Any, uuid: str) -> Sight:
    return _sight(conn.lookupByUUIDString(uuid))


def look_at_all(conn: Any) -> tuple[Sight, ...]:
    """Every domain of the host, but those that go away meanwhile."""
    found = []
    for domain in conn.listAllDomains(0):
        try:
            found.append(_sight(domain))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
    return tuple(found)


def _sight(domain: Any) -> Sight:
    mark, note = _metadata(domain, Mark, NAMESPACE), _metadata(domain, QuarantineNote, QUARANTINE_NAMESPACE)
    return Sight(domain.UUIDString(), domain.name(), events.power_state(domain.state()[0]), mark, note)


def _metadata(domain: Any, kind: type[E], namespace: str) -> E | None:
    try:
        return from_xml(kind, domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, namespace, 0))
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            raise
    except ValueError:  # not written by us: whatever it is, it is not our mark
        pass
    return None


def _set_apart(conn: Any, uuid: str, note: str) -> None:
    domain = conn.lookupByUUIDString(uuid)
    if not domain.isPersistent():  # undefined behind our back: without a definition it would vanish with its power
        domain = conn.defineXML(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    _write_note(domain, note)
    domain.setAutostart(0)


def _take_back(conn: Any, uuid: str) -> None:
    _write_note(conn.lookupByUUIDString(uuid), None)


def _write_note(domain: Any, note: str | None) -> None:
    """Into the definition, and into the running domain, whose own word counts while it runs."""
    flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG | (libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0)
    kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
    try:
        domain.setMetadata(kind, note, "nova-lite-quarantine" if note else None, QUARANTINE_NAMESPACE, flags)
    except libvirt.libvirtError as error:
        if note is not None or error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            raise
