"""What a replayed call needs to exist: servers in a state, keypairs, flavors, users; and their removal afterwards."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.harness.contract.endpoint import Endpoint, Reply
from tests.harness.contract.substitute import Ids

PUBLIC_KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDx8nkQv/zgGgB4rMYmIf+6A4l6Rr+o/6lHBQdW5aYd44bd8JttDCE/F/pNRr0lRE+PiqSPO8"
    "nDPHw0010JeMH9gYgnnFlyY3/OcJ02RhIPyyxYpv9FhY+2YiUkpwFOcLImyrxEsYXpD/0d3ac30bNH6Sw9JD9UZHYcpSxsIbECHw== replay"
)
LOCK_REASON = "I don't want to work"
# How to come from ACTIVE to a status: the action's body. From any other status the way back leads through ACTIVE.
FROM_ACTIVE: dict[str, dict[str, Any]] = {
    "SHUTOFF": {"os-stop": None},
    "PAUSED": {"pause": None},
    "SUSPENDED": {"suspend": None},
    "RESCUE": {"rescue": None},
}
TO_ACTIVE: dict[str, dict[str, Any]] = {
    "SHUTOFF": {"os-start": None},
    "PAUSED": {"unpause": None},
    "SUSPENDED": {"resume": None},
    "RESCUE": {"unrescue": None},
    "SHELVED": {"unshelve": None},
    "SHELVED_OFFLOADED": {"unshelve": None},
}


class WorldError(Exception):
    """The world could not be brought into the state that a call needs."""


class Lacking(WorldError):
    """The endpoint has not got what the call needs (an action of a later tier, a volume service); says what."""


@dataclass
class World:
    """Prepares and removes; ``timeout_s`` is the longest wait for one change of state."""

    endpoint: Endpoint
    image: str
    zone: str = "nova"
    network: str | None = None
    timeout_s: float = 60.0
    # The project's member at the network service: method, path below /v2.0 and body, to the answer's JSON.
    neutron: Callable[[str, str, Any], Any] | None = None
    # The same at the volume service; paths begin with a slash.
    cinder: Callable[[str, str, Any], Any] | None = None
    sleep: Callable[[float], object] = time.sleep
    _subject: str | None = None
    _users: dict[str, str] = field(default_factory=dict)
    _keypairs: list[tuple[str, str, str | None]] = field(default_factory=list)
    _dying: list[str] = field(default_factory=list)
    _flavor: str | None = None
    _group: str | None = None
    _made_flavors: list[str] = field(default_factory=list)
    _made_volumes: list[str] = field(default_factory=list)

    # -- calls ----------------------------------------------------------------------------------------

    def must(self, role: str, method: str, path: str, body: Any = None, version: str = "2.10") -> Reply:
        """A call that prepares something and therefore has to work.

        :raises WorldError: it did not.
        """
        reply = self.endpoint.call(role, method, path, body, version)
        if reply.status >= 400:
            raise WorldError(f"{method} {path} to prepare the world: {reply.status} {reply.message}")
        return reply

    def unique(self, prefix: str) -> str:
        return f"{prefix}{uuid.uuid4()}"

    # -- facts ----------------------------------------------------------------------------------------

    def flavor(self) -> str:
        """The smallest flavor by RAM; where there is none, one of our own."""
        if self._flavor is None:
            flavors = self.must("member", "GET", "/v2.1/flavors/detail").body["flavors"]
            flavors = flavors or [self._make_flavor()]
            self._flavor = min(flavors, key=lambda each: (each["ram"], each["disk"]))["id"]
        return str(self._flavor)

    def _make_flavor(self) -> dict[str, Any]:
        body = {"flavor": {"name": self.unique("replay-"), "ram": 512, "vcpus": 1, "disk": 1}}
        made = dict(self.must("admin", "POST", "/v2.1/flavors", body).body["flavor"])
        self.adopt_flavor(str(made["id"]))
        return made

    def adopt_flavor(self, flavor: str) -> None:
        """Remove this flavor, too, in the end."""
        self._made_flavors.append(flavor)

    @property
    def has_volumes(self) -> bool:
        return self.cinder is not None

    def adopt_volume(self, volume: str) -> None:
        """Remove this volume, too, in the end."""
        self._made_volumes.append(volume)

    def user(self, role: str) -> str:
        """The id of the role's own user, read from a keypair, which belongs to a user."""
        if role not in self._users:
            name = self.keypair(role)
            self._users[role] = self.must(role, "GET", f"/v2.1/os-keypairs/{name}").body["keypair"]["user_id"]
        return self._users[role]

    def ids(self, role: str) -> Ids:
        """What may stand in a request; the host is where the subject runs."""
        shown = self.show(self.subject("ACTIVE"))
        return Ids(
            image=self.image, flavor=self.flavor(), zone=self.zone, network=self.network, server=shown["id"],
            host=shown["OS-EXT-SRV-ATTR:host"], node=shown["OS-EXT-SRV-ATTR:hypervisor_hostname"],
            user=self.user(role), group=self.server_group(), unique=self.unique,
        )  # fmt: skip

    def server_group(self) -> str:
        """The id of a group that no host refuses."""
        if self._group is None:
            rules = {"max_server_per_host": 1000}
            body = {"server_group": {"name": "replay", "policy": "anti-affinity", "rules": rules}}
            made = self.must("member", "POST", "/v2.1/os-server-groups", body, "2.64")
            self._group = str(made.body["server_group"]["id"])
        return self._group

    # -- keypairs -------------------------------------------------------------------------------------

    def keypair(self, role: str, user: str | None = None) -> str:
        """A new keypair's name; ``user`` is for an admin acting for another."""
        name = self.unique("keypair-")
        body: dict[str, Any] = {"keypair": {"name": name, "public_key": PUBLIC_KEY}}
        if user is not None:
            body["keypair"]["user_id"] = user
        self.must(role, "POST", "/v2.1/os-keypairs", body)
        self._keypairs.append((role, name, user))
        return name

    def adopt_keypair(self, role: str, name: str, user: str | None = None) -> None:
        """Remove this keypair, too, in the end."""
        self._keypairs.append((role, name, user))

    # -- servers --------------------------------------------------------------------------------------

    def subject(self, status: str, locked: bool = False) -> str:
        """The id of one long-lived server, brought into ``status``, locked or not."""
        if self._subject is None or self._gone(self._subject):
            self._subject = self.new_server()
        server = self._subject
        shown = self.show(server)
        if shown["status"] == "MIGRATING":  # a call that was refused left it so
            shown = self.wait(server, "ACTIVE", "PAUSED")
        if shown["status"] != status:
            self._lock(server, shown, False)
            self._drive(server, shown["status"], status)
            shown = self.show(server)
        self._lock(server, shown, locked)
        return server

    def _lock(self, server: str, shown: dict[str, Any], locked: bool) -> None:
        if shown["locked"] != locked:
            body = {"lock": {"locked_reason": LOCK_REASON}} if locked else {"unlock": None}
            self.must("member", "POST", f"/v2.1/servers/{server}/action", body, "2.73")

    def _drive(self, server: str, status: str, wanted: str) -> None:
        if status in TO_ACTIVE:
            self._act(server, TO_ACTIVE[status], "ACTIVE")
        elif status != "ACTIVE":
            raise WorldError(f"no way from {status} to {wanted}: {self.show(server).get('fault')}")
        if wanted != "ACTIVE":
            self._act(server, FROM_ACTIVE[wanted], wanted)

    def _act(self, server: str, body: dict[str, Any], status: str) -> None:
        reply = self.endpoint.call("member", "POST", f"/v2.1/servers/{server}/action", body, "2.1")
        if reply.status == 400 and "no such action" in reply.message:
            raise Lacking(f"the action {next(iter(body))}")
        if reply.status >= 400:
            raise WorldError(f"{next(iter(body))} to prepare the world: {reply.status} {reply.message}")
        self.wait(server, status)

    def new_server(self, status: str = "ACTIVE", flavor: str | None = None) -> str:
        """A server of its own for calls that use it up."""
        self.reap(keep=0)
        body = {
            "server": {
                "name": self.unique("replay-"), "imageRef": self.image, "flavorRef": flavor or self.flavor(),
                "metadata": {"My Server Name": "Apache1"}, "accessIPv4": "1.2.3.4", "accessIPv6": "80fe::",
                "OS-DCF:diskConfig": "AUTO",
            }
        }  # fmt: skip
        server = str(self.must("member", "POST", "/v2.1/servers", body, "2.1").body["server"]["id"])
        try:
            self.wait(server, "ACTIVE")
            if status != "ACTIVE":
                self._drive(server, "ACTIVE", status)
        except WorldError:
            self.delete(server)
            raise
        return server

    def homeless_server(self) -> str:
        """A server that no host would take."""
        self.reap(keep=0)
        body = {
            "server": {
                "name": self.unique("replay-"), "imageRef": self.image, "flavorRef": self.flavor(),
                "availability_zone": "nova:no-such-host",
            }
        }  # fmt: skip
        server = str(self.must("admin", "POST", "/v2.1/servers", body, "2.1").body["server"]["id"])
        self.wait(server, "ERROR")
        return server

    def show(self, server: str) -> dict[str, Any]:
        shown = self.must("admin", "GET", f"/v2.1/servers/{server}", version="2.73").body["server"]
        return dict(shown)

    def _gone(self, server: str) -> bool:
        return self.endpoint.call("admin", "GET", f"/v2.1/servers/{server}").status == 404

    def wait(self, server: str, *statuses: str) -> dict[str, Any]:
        """Until the server rests in one of ``statuses``.

        :raises WorldError: it went to ERROR, or stayed elsewhere too long.
        """
        deadline = time.monotonic() + self.timeout_s
        while True:
            shown = self.show(server)
            if shown["OS-EXT-STS:task_state"] is None and shown["status"] in statuses:
                return shown
            if shown["status"] == "ERROR" and "ERROR" not in statuses:
                raise WorldError(f"server {server} went to ERROR: {shown.get('fault')}")
            if time.monotonic() > deadline:
                task = shown["OS-EXT-STS:task_state"]
                at = f"{shown['status']} ({task})"
                raise WorldError(f"server {server} is {at} after {self.timeout_s} s, not {' or '.join(statuses)}")
            self.sleep(0.05)

    def settle_all(self, name: str) -> list[str]:
        """Wait for every server of this name to end its build, then delete them; their ids.

        :raises WorldError: one ended in ERROR or never ended.
        """
        found = self.must("member", "GET", f"/v2.1/servers?name={name}").body["servers"]
        ids = [each["id"] for each in found]
        try:
            for server in ids:
                self.wait(server, "ACTIVE")
        finally:
            for server in ids:
                self.delete(server)
        return ids

    def delete(self, server: str) -> None:
        # For good, also where a plain delete leaves a server to be restored.
        self.must("admin", "POST", f"/v2.1/servers/{server}/action", {"forceDelete": None})
        self._dying.append(server)
        self.reap(keep=2)

    def reap(self, keep: int) -> None:
        """Wait until at most ``keep`` deleted servers are still on their way out."""
        deadline = time.monotonic() + self.timeout_s
        while len(self._dying) > keep:
            self._dying = [server for server in self._dying if not self._gone(server)]
            if len(self._dying) > keep and time.monotonic() > deadline:
                raise WorldError(f"servers still there {self.timeout_s} s after their delete: {self._dying}")
            self.sleep(0.02)

    def _delete_volumes(self) -> None:
        """Those that did not end with their servers."""
        if self.cinder is not None:
            there = {volume["id"] for volume in self.cinder("GET", "/volumes", None)["volumes"]}
            for volume in there.intersection(self._made_volumes):
                self.cinder("DELETE", f"/volumes/{volume}", None)

    def close(self) -> None:
        """Remove everything that was made here."""
        if self._subject is not None and not self._gone(self._subject):
            self.subject(self.show(self._subject)["status"])  # unlocked
            self.delete(self._subject)
        self.reap(keep=0)
        if self._group is not None:
            self.endpoint.call("member", "DELETE", f"/v2.1/os-server-groups/{self._group}")
        for role, name, user in self._keypairs:
            query = f"?user_id={user}" if user else ""
            self.endpoint.call(role, "DELETE", f"/v2.1/os-keypairs/{name}{query}", version="2.10")
        self._delete_volumes()
        for flavor in self._made_flavors:
            self.endpoint.call("admin", "DELETE", f"/v2.1/flavors/{flavor}")
