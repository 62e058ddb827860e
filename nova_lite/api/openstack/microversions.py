"""Every microversion as a sentence, how a request names one, and the behaviours that changed with one.

Shapes change in schemas (``Versioned``) and views (undo steps); only changes of behaviour have a name here.
"""

from __future__ import annotations

import bisect
import re
from typing import Any, Generic, NamedTuple, TypeVar

from nova_lite import exception

T = TypeVar("T")


class Microversion(NamedTuple):
    """Two integers that compare as such: 2.100 is after 2.99."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class Version(NamedTuple):
    """One line of history."""

    number: str
    text: str


def at(number: str) -> Microversion:
    """The microversion written ``number``.

    :raises ValueError: not of the form N.N.
    """
    major, minor = number.split(".")
    return Microversion(int(major), int(minor))


VERSIONS: tuple[Version, ...] = (
    Version("2.1", "Baseline: the calls of v2.0 with strict checks of bodies."),
    Version("2.2", "Keypairs have a type; creating one answers 201, deleting one 204."),
    Version(
        "2.3", "Administrators see hostname, kernel, ramdisk, launch index, reservation, root device and user data."
    ),
    Version("2.4", "No change here (it concerned fixed addresses, which are gone)."),
    Version("2.5", "The list filter ip6 counts for everyone."),
    Version("2.6", "Remote consoles get their own resource; the console actions stop."),
    Version("2.7", "Giving a project access to a public flavor is a conflict."),
    Version("2.8", "No change here (a console protocol that is not offered)."),
    Version("2.9", "Servers show locked."),
    Version("2.10", "Keypairs of other users by user_id, for administrators."),
    Version("2.11", "Services show forced_down."),
    Version("2.12", "No change here (it concerned virtual interfaces, which are gone)."),
    Version("2.13", "Server groups show their project and user."),
    Version("2.14", "Evacuate neither takes onSharedStorage nor answers adminPass."),
    Version("2.15", "Server groups may be soft-affinity and soft-anti-affinity."),
    Version("2.16", "Servers show host_status to administrators."),
    Version("2.17", "New action trigger_crash_dump."),
    Version("2.18", "The project in the URL is optional."),
    Version("2.19", "Servers have a description."),
    Version("2.20", "Volumes may be attached to and detached from shelved servers."),
    Version("2.21", "Instance actions also answer for deleted servers."),
    Version("2.22", "New action force_complete of a running live migration."),
    Version("2.23", "A server's migrations can be listed and shown."),
    Version("2.24", "A running live migration can be aborted."),
    Version("2.25", "Live migration takes block_migration auto and no disk_over_commit."),
    Version("2.26", "Servers have tags, and filters for them."),
    Version("2.27", "The header OpenStack-API-Version is understood."),
    Version("2.28", "A hypervisor's cpu_info is an object."),
    Version("2.29", "Evacuate takes force; without it the scheduler checks the named host."),
    Version("2.30", "Live migration takes force; without it the scheduler checks the named host."),
    Version("2.31", "Console tokens of every type can be looked up."),
    Version("2.32", "Networks and block devices take a tag at create."),
    Version("2.33", "Hypervisors are paged; block devices lose their tag by mistake."),
    Version("2.34", "Live migration is checked after the answer."),
    Version("2.35", "Keypairs are paged."),
    Version("2.36", "The proxies to other services are gone, with their quotas and limits."),
    Version("2.37", "create must say networks, which may be auto or none; networks lose their tag by mistake."),
    Version("2.38", "Listing servers of an unknown status is an error."),
    Version("2.39", "The image metadata proxy is gone, with its limit."),
    Version("2.40", "Usage is paged."),
    Version("2.41", "Aggregates show their uuid."),
    Version("2.42", "Networks and block devices take a tag again."),
    Version("2.43", "Hosts are gone; services and hypervisors took their place."),
    Version("2.44", "The actions for fixed and floating addresses are gone."),
    Version("2.45", "createImage and createBackup answer the image's id."),
    Version("2.46", "The request id has the same header as in other services."),
    Version("2.47", "Servers embed their flavor's sizes in place of a link."),
    Version("2.48", "Diagnostics have one form."),
    Version("2.49", "Attached interfaces and volumes take a tag."),
    Version("2.50", "Quota classes show server groups and lose network keys."),
    Version("2.51", "Project users see the events of an instance action."),
    Version("2.52", "create takes tags."),
    Version("2.53", "Services and hypervisors are known by uuid."),
    Version("2.54", "rebuild takes a key."),
    Version("2.55", "Flavors have a description."),
    Version("2.56", "migrate takes a host."),
    Version("2.57", "Files are no longer injected; rebuild takes user data."),
    Version("2.58", "Instance actions are paged and show updated_at."),
    Version("2.59", "Migrations are paged and show a uuid."),
    Version("2.60", "Volumes of several servers may be attached."),
    Version("2.61", "Flavors show their extra specs."),
    Version("2.62", "Events of instance actions show a host id."),
    Version("2.63", "Servers take and show trusted image certificates."),
    Version("2.64", "Server groups have one policy with rules."),
    Version("2.65", "Queued and preparing live migrations can be aborted."),
    Version("2.66", "Lists take changes-before."),
    Version("2.67", "Block devices take a volume type."),
    Version("2.68", "Evacuate and live migration no longer take force."),
    Version("2.69", "No change here (it concerns cells that are down)."),
    Version("2.70", "Attached volumes and interfaces show their tag."),
    Version("2.71", "Servers show their groups."),
    Version("2.72", "No change here (ports with a resource request)."),
    Version("2.73", "lock takes a reason, which servers show; locked filters and sorts."),
    Version("2.74", "create takes a host and a hypervisor, for administrators."),
    Version("2.75", "Unknown keys are errors; PUT of a server answers like GET; an empty swap is 0."),
    Version("2.76", "No change here (an external event of another driver)."),
    Version("2.77", "unshelve takes a zone."),
    Version("2.78", "A server's topology can be shown."),
    Version("2.79", "Volume attachments take and show delete_on_termination."),
    Version("2.80", "Migrations show and filter by user and project."),
    Version("2.81", "No change here (aggregates that cache images)."),
    Version("2.82", "No change here (an external event of accelerators)."),
    Version("2.83", "More list filters count for everyone."),
    Version("2.84", "Events of instance actions show details to administrators."),
    Version("2.85", "delete_on_termination of an attachment can be changed."),
    Version("2.86", "Extra specs of known namespaces are checked."),
    Version("2.87", "Volume-backed servers can be rescued."),
    Version("2.88", "Hypervisors lose their capacity and show uptime."),
    Version("2.89", "Volume attachments show attachment_id and bdm_uuid, not id."),
    Version("2.90", "Servers take a hostname, which everyone sees."),
    Version("2.91", "unshelve takes a host; a null zone unpins."),
    Version("2.92", "Keypairs are imported only; their names may have @ and dots."),
    Version("2.93", "Volume-backed servers can be rebuilt."),
    Version("2.94", "A hostname may be fully qualified."),
    Version("2.95", "Evacuated servers stay stopped."),
    Version("2.96", "Servers show the zone they are pinned to."),
    Version("2.97", "No change here (file shares)."),
    Version("2.98", "Servers show their image's properties."),
    Version("2.99", "Consoles of the type spice-direct; console tokens show tls_port and refuse unknown query keys."),
    Version("2.100", "Servers show their scheduler hints."),
    Version("2.101", "Attaching a volume answers 202 and no body."),
    Version("2.102", "Flavors lose two fields and filter by name; no call takes an unknown query key."),
    Version("2.103", "No change here (an alias of servers that is not offered)."),
    Version("2.104", "PUT of a server takes pinned_availability_zone; null unpins."),
)

MIN = at(VERSIONS[0].number)
MAX = at(VERSIONS[-1].number)

# Behaviours, each named for what a request of that version or later gets.
IP6_FILTER_FOR_ALL = at("2.5")
NO_ACCESS_LIST_FOR_PUBLIC_FLAVORS = at("2.7")
KEYPAIRS_OF_OTHERS = at("2.10")
FORCED_DOWN = at("2.11")
DESCRIPTIONS = at("2.19")
SHELVED_VOLUMES = at("2.20")
DELETED_SERVERS_ACTIONS = at("2.21")
TAG_FILTERS = at("2.26")
CONSOLE_TOKENS_OF_ALL_TYPES = at("2.31")
KEYPAIR_PAGES = at("2.35")
UNKNOWN_STATUS_IS_ERROR = at("2.38")
ONE_FORM_OF_DIAGNOSTICS = at("2.48")
IMAGE_ID_IN_ANSWER = at("2.45")
USAGE_PAGES = at("2.40")
EVENTS_FOR_ALL = at("2.51")
UUID_NODES = at("2.53")
HOST_IN_MIGRATE = at("2.56")
ACTION_PAGES = at("2.58")
MIGRATION_PAGES = at("2.59")
NO_PASSWORD_FROM_EVACUATE = at("2.14")
FORCE_IN_EVACUATE = at("2.29")
FORCE_IN_MIGRATE_LIVE = at("2.30")
CHECKED_AFTER_THE_ANSWER = at("2.34")
EARLY_ABORT = at("2.65")
EVACUATED_STAY_STOPPED = at("2.95")
MULTIATTACH = at("2.60")
ATTACHMENT_CHANGES = at("2.85")
VOLUME_RESCUE = at("2.87")
VOLUME_REBUILD = at("2.93")
EMPTY_ATTACH_ANSWER = at("2.101")
EXTRA_SPECS_IN_FLAVORS = at("2.61")
EVENT_HOSTS = at("2.62")
GROUP_RULES = at("2.64")
CHANGES_BEFORE = at("2.66")
SERVER_GROUPS_SHOWN = at("2.71")
LOCKED_FILTER = at("2.73")
LOCK_REASONS = at("2.73")
REQUESTED_DESTINATION = at("2.74")
FULL_ANSWER_TO_UPDATE = at("2.75")
UNSHELVE_TO_ZONE = at("2.77")
MORE_FILTERS_FOR_ALL = at("2.83")
EVENT_DETAILS = at("2.84")
KEYPAIR_IMPORT_ONLY = at("2.92")
CONSOLE_TLS_PORT = at("2.99")

_FORM = re.compile(r"([1-9]\d{0,17})\.([1-9]\d{0,17}|0)")
_NAMES = ("compute", "nova")


def parse(text: str) -> Microversion:
    """The version a header asks for; ``latest`` is our newest.

    :raises InvalidVersionFormat: not N.N.
    """
    if text == "latest":
        return MAX
    match = _FORM.fullmatch(text)
    if match is None:
        raise exception.InvalidVersionFormat(version=text)
    return Microversion(int(match[1]), int(match[2]))


def asked(environ: dict[str, Any]) -> str | None:
    """The text a request asks with, None when it does not; OpenStack-API-Version goes before Nova's own header."""
    header = environ.get("HTTP_OPENSTACK_API_VERSION")
    if header is not None:
        for part in header.split(","):
            service, _, number = part.strip().partition(" ")
            if service.lower() in _NAMES[:1]:
                return str(number.strip().lower())
    own = environ.get("HTTP_X_OPENSTACK_NOVA_API_VERSION")
    return str(own).strip().lower() if own is not None else None


def check(version: Microversion) -> None:
    """Refuse a version outside our range.

    :raises VersionNotSupported: it is.
    """
    if not MIN <= version <= MAX:
        raise exception.VersionNotSupported(version=version, minimum=MIN, maximum=MAX)


class Versioned(Generic[T]):
    """A value that changes with the microversion: ``Versioned(v2_1=A, v2_19=B)``, the newest not above."""

    def __init__(self, **values: T) -> None:
        items = sorted((at(name[1:].replace("_", ".")), value) for name, value in values.items())
        self.since: list[Microversion] = [since for since, _ in items]
        self.values: list[T] = [value for _, value in items]

    def at(self, version: Microversion) -> T | None:
        """The value in force at ``version``; None before the first."""
        index = bisect.bisect_right(self.since, version) - 1
        return self.values[index] if index >= 0 else None
