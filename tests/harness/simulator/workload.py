"""What users and operators ask for: random legal requests, and what the cloud owes for each answer."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.context import RequestContext
from nova_lite.db.api import instances
from nova_lite.objects import Instance
from tests.harness.cloud import ADMIN, IMAGE_ID, PROJECT, USER, Answer
from tests.harness.simulator.fleet import Fleet
from tests.harness.simulator.kernel import Kernel, Life

FLAVORS = ("42", "1", "2", "3")
# Of a hundred requests.
CREATES, DELETES, ATTACHES = 8, 7, 20
# A server whose host is dead is evacuated so often.
EVACUATIONS = 0.4
# Clients prefer servers that rest: who asks one that is busy mostly hears a 409.
LOOKS = 3
# Of servers that are busy so many are left alone.
PATIENCE = 0.6


@dataclass
class Owed:
    """What was promised: of which request, about which server, and whether that one must be gone in the end."""

    request_id: str
    server: str | None
    what: str
    gone: bool = False


@dataclass
class Ledger:
    """What was asked and answered. ``sure`` creations have a name that must lead to one server at most."""

    owed: list[Owed] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    keys: dict[str, set[str]] = field(default_factory=dict)
    # Servers of which an operator said what they are, whatever they are.
    declared: set[str] = field(default_factory=set)

    @property
    def accepted(self) -> int:
        return len(self.owed)


# By key of the action: the body of one, and whether only an administrator may ask.
_BODIES: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "os-start": (lambda random: None, False),
    "os-stop": (lambda random: None, False),
    "reboot": (lambda random: {"type": random.choice(("SOFT", "HARD"))}, False),
    "pause": (lambda random: None, False),
    "unpause": (lambda random: None, False),
    "suspend": (lambda random: None, False),
    "resume": (lambda random: None, False),
    "lock": (lambda random: None, False),
    "unlock": (lambda random: None, False),
    "os-resetState": (lambda random: {"state": random.choice(("error", "active"))}, True),
    "rebuild": (lambda random: {"imageRef": IMAGE_ID}, False),
    "resize": (lambda random: {"flavorRef": random.choice(FLAVORS)}, False),
    "migrate": (lambda random: None, True),
    "confirmResize": (lambda random: None, False),
    "revertResize": (lambda random: None, False),
    "os-migrateLive": (lambda random: {"host": None, "block_migration": "auto"}, True),
    "rescue": (lambda random: None, False),
    "unrescue": (lambda random: None, False),
    "shelve": (lambda random: None, False),
    "shelveOffload": (lambda random: None, True),
    "unshelve": (lambda random: None, False),
    "createImage": (lambda random: {"name": "snap"}, False),
    "createBackup": (lambda random: {"name": "b", "backup_type": "daily", "rotation": 1}, False),
    "changePassword": (lambda random: {"adminPass": "s3cret"}, False),
    "trigger_crash_dump": (lambda random: None, True),
    "forceDelete": (lambda random: None, True),
}
# What is worth asking for more often than the rest.
_WEIGHTS = {
    "resize": 4, "migrate": 3, "confirmResize": 6, "revertResize": 6, "os-migrateLive": 5, "shelve": 3, "unshelve": 6,
    "rebuild": 2, "rescue": 2, "unrescue": 6, "os-start": 6, "unpause": 8, "resume": 8, "shelveOffload": 4,
    "os-resetState": 0.3, "lock": 0.1, "unlock": 1,
    "forceDelete": 0.2,
}  # fmt: skip
_ROWS = [row for row in actions.ACTIONS if row.key in _BODIES]
_ATTACH_ROWS = {
    "attach volume": actions.ATTACH_VOLUME, "detach volume": actions.DETACH_VOLUME, "swap volume": actions.SWAP_VOLUME,
    "attach interface": actions.ATTACH_INTERFACE, "detach interface": actions.DETACH_INTERFACE,
}  # fmt: skip
# What clients ask for, by the names of the ledger.
REQUESTS = frozenset({*_BODIES, *_ATTACH_ROWS, "evacuate", "create", "delete"})


class Workload:
    """Clients that ask one thing after the other; they look at what is there, as people do."""

    def __init__(self, kernel: Kernel, fleet: Fleet) -> None:
        self._kernel = kernel
        self._fleet = fleet
        self._random = kernel.random
        self._think_s = 1.0
        self.ledger = Ledger()
        self._servers: list[str] = []
        self._volumes: list[str] = []
        self.clients = 0

    def prepare(self, servers: int) -> None:
        """Servers that are there before the storm, some of them with volumes."""
        self._begin(1, lambda: self._prepared(servers))

    def _prepared(self, servers: int) -> None:
        for _ in range(servers):
            self._create(key=None)
        self._kernel.sleep(10.0)
        for server in list(self._servers):
            if self._random.random() < 0.3:
                body = {"volumeAttachment": {"volumeId": self._volume()}}
                self._ask("attach volume", "POST", f"/servers/{server}/os-volume_attachments", body)

    def start(self, clients: int, requests: int, think_s: float) -> None:
        """So many clients begin, each with so many requests and pauses of about ``think_s`` seconds between."""
        self._think_s = think_s
        self._begin(clients, lambda: self._client(requests))

    def _begin(self, clients: int, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                self.clients -= 1

        for _ in range(clients):
            self.clients += 1
            self._kernel.spawn(run, "client", life=_CLIENTS)

    def _client(self, requests: int) -> None:
        for _ in range(requests):
            self._kernel.sleep(self._random.expovariate(1.0 / self._think_s))
            self._one()

    def _one(self) -> None:
        dice = self._random.uniform(0, 100)
        server = self._some_server()
        if server is None or dice < CREATES or len(self._servers) < 2:
            self._create(self._key() if self._random.random() < 0.5 else None)
        elif self._is_lost(server) and self._random.random() < EVACUATIONS:
            self._act(server, actions.EVACUATE, {}, ADMIN)
        elif dice < CREATES + DELETES:
            self._delete(server)
        elif dice < CREATES + DELETES + ATTACHES:
            self._attach_or_detach(server)
        else:
            self._some_action(server)

    def _some_server(self) -> Instance | None:
        """One that is there; who asks too late for it hears a 404, which is legal as well."""
        found: Instance | None = None
        for _ in range(LOOKS):
            if not self._servers or (found is not None and found.task_state is None and found.launched_at):
                break
            chosen = self._random.choice(self._servers)
            try:
                found = instances.get(chosen)
            except exception.InstanceNotFound:
                self._servers.remove(chosen)
            except exception.NovaLiteError:
                return None  # the database is away: so is every server
        return found

    def _is_lost(self, server: Instance) -> bool:
        return server.host is not None and not self._fleet.lives[server.host].alive

    # -- requests ---------------------------------------------------------------------------------

    def _create(self, key: str | None) -> None:
        server: dict[str, Any] = {
            "name": "web", "imageRef": IMAGE_ID, "flavorRef": self._random.choice(FLAVORS),
            "networks": self._random.choice(("auto", "auto", "none")),
        }  # fmt: skip
        if key is None and self._random.random() < 0.2:
            server |= {"min_count": 2, "max_count": 2}
        headers = {"Idempotency-Key": key} if key else {}
        for _ in range(self._random.randint(1, 3) if key else 1):
            # Who has a key may ask again.
            answer = self._ask("create", "POST", "/servers", {"server": server}, headers=headers)
            if answer is None or answer.status != 202:
                continue
            made = answer.json["server"]["id"]
            if key:
                self.ledger.keys.setdefault(key, set()).add(made)
            if made not in self._servers:
                self._servers.append(made)
                self._owe(answer, made, "create")

    def _key(self) -> str:
        return str(uuid.uuid4())

    def _delete(self, server: Instance) -> None:
        answer = self._ask("delete", "DELETE", f"/servers/{server.uuid}", token=ADMIN)
        if answer is not None and answer.status == 204:
            self._owe(answer, server.uuid, "delete", gone=True)

    def _some_action(self, server: Instance) -> None:
        if server.task_state is not None and self._random.random() < PATIENCE:
            return
        legal = [row for row in _ROWS if _allows(row, server)]
        row = self._random.choices(legal, [_WEIGHTS.get(str(row.key), 1.0) for row in legal])[0] if legal else None
        if row is None or self._random.random() < 0.05:
            row = self._random.choice(_ROWS)
        body, for_admins = _BODIES[str(row.key)]
        self._act(server, row, body(self._random), ADMIN if for_admins or server.locked else USER)

    def _act(self, server: Instance, row: actions.Action, body: Any, token: str) -> None:
        if row is actions.RESET_STATE:
            self.ledger.declared.add(server.uuid)
        answer = self._ask(str(row.key), "POST", f"/servers/{server.uuid}/action", {str(row.key): body}, token)
        if answer is not None and answer.status == 202:
            self._owe(answer, server.uuid, row.name, gone=row is actions.FORCE_DELETE)

    def _attach_or_detach(self, server: Instance) -> None:
        volumes = [str(device.volume_id) for device in server.block_devices if device.is_volume]
        ports = [vif.id for vif in server.network_info]
        path, ifaces = f"/servers/{server.uuid}/os-volume_attachments", f"/servers/{server.uuid}/os-interface"
        choices: list[tuple[str, str, str, Any]] = [
            ("attach volume", "POST", path, {"volumeAttachment": {"volumeId": self._volume}}),
            ("attach interface", "POST", ifaces, {"interfaceAttachment": {}}),
        ]  # fmt: skip
        for volume in volumes:
            choices.append(("detach volume", "DELETE", f"{path}/{volume}", None))
            choices.append(("swap volume", "PUT", f"{path}/{volume}", {"volumeAttachment": {"volumeId": None}}))
        choices += [("detach interface", "DELETE", f"{ifaces}/{port}", None) for port in ports]
        legal = [choice for choice in choices if _allows(_ATTACH_ROWS[choice[0]], server)]
        what, method, where, body = self._random.choice(legal or choices)
        if body and "volumeAttachment" in body:
            made = self._volume()
            if made is None:
                return
            body = {"volumeAttachment": {"volumeId": made}}
        answer = self._ask(what, method, where, body, ADMIN if what == "swap volume" else USER)
        if answer is not None and answer.status in (200, 202):
            self._owe(answer, server.uuid, what)

    def _volume(self) -> str | None:
        """A volume that nobody has yet, or one that somebody has."""
        if self._volumes and self._random.random() < 0.3:
            return self._random.choice(self._volumes)
        ctxt = RequestContext(project_id=PROJECT, user_id="demo", roles=["member", "reader"], overwrite=False)
        try:
            made = self._fleet.volumes.make(ctxt)
        except exception.NovaLiteError:
            return None
        self._volumes.append(made)
        return made

    # -- inside -----------------------------------------------------------------------------------

    def _ask(
        self, what: str, method: str, path: str, body: Any = None, token: str = USER, **options: Any
    ) -> Answer | None:
        self.ledger.asked[what] += 1
        version = "2.84" if what == "swap volume" else "2.104"
        answer = self._fleet.ask(method, path, body, token, version=version, **options)
        self._kernel.note(f"{what} {path}: {answer.status if answer else 'no answer'}")
        if answer is not None and answer.status >= 400:
            self.ledger.refused[f"{what} {answer.status}"] += 1
            # An interface that a host could not attach is a 500 by the contract.
            if answer.status == 500 and what != "attach interface":
                self.ledger.broken.append(f"I10: {method} {path} {body}: 500 {answer.body!r}")
        return answer

    def _owe(self, answer: Answer, server: str, what: str, gone: bool = False) -> None:
        self.ledger.owed.append(Owed(answer.headers["X-Openstack-Request-Id"], server, what, gone))


_CLIENTS = Life("client")


def _allows(row: actions.Action, server: Instance) -> bool:
    """By the table; and nobody unlocks what is not locked."""
    if row is actions.UNLOCK and not server.locked:
        return False
    launched = server.launched_at is not None
    return actions.refusal(row, server.vm_state, server.task_state, launched) is None
