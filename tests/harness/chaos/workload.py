"""Seeded clients that do with their servers whatever the states allow, and remember what they were promised."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.harness.chaos.rest import Answer, Ledger
from tests.harness.chaos.world import World

FLAVORS = {"chaos-small": (128, 1), "chaos-large": (256, 2)}
IMAGE = "chaos"
# Servers that a client has at the same time.
MOST = 4
PAUSE_S = (0.1, 0.5)
# How often a create whose answer was lost is said again.
SAID_AGAIN = 6
ADMINS = ("migrate", "os-migrateLive", "evacuate", "swap_volume")


@dataclass(frozen=True)
class Site:
    """What servers are made of: ids of image and flavors by name."""

    image: str
    flavors: Mapping[str, str]


def prepare(world: World) -> Site:
    """Image and flavors, made where they are not there yet."""
    rest = world.rest("admin", Ledger())
    compute, image = world.url("compute"), world.url("image")
    found = {one["name"]: one["id"] for one in rest.must(compute, "GET", "/flavors?limit=100")["flavors"]}
    for name, (ram, vcpus) in FLAVORS.items():
        if name not in found:
            body = {"flavor": {"name": name, "ram": ram, "vcpus": vcpus, "disk": 1}}
            found[name] = rest.must(compute, "POST", "/flavors", body)["flavor"]["id"]
    images = [one["id"] for one in rest.must(image, "GET", f"/images?name={IMAGE}")["images"]]
    if not images:
        facts = {"name": IMAGE, "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        images = [rest.must(image, "POST", "/images", facts)["id"]]
        rest.must(image, "PUT", f"/images/{images[0]}/file", bytes(1 << 12))
    return Site(images[0], {name: found[name] for name in FLAVORS})


class Client(threading.Thread):
    """One user who never waits for anything to end; ``seed`` decides all that the cloud's own pace does not."""

    def __init__(self, world: World, site: Site, seed: int) -> None:
        super().__init__(name=f"client-{seed}", daemon=True)
        self._world = world
        self._site = site
        self._chance = random.Random(seed)
        self._rest = world.rest("demo")
        self._admin = world.rest("admin")
        self._compute = world.url("compute")
        self._mine: list[str] = []
        self._volumes: list[str] = []
        self._may_send = threading.Event()
        self._has_ended = threading.Event()
        self.is_resting = threading.Event()
        self.error: Exception | None = None

    # -- what the storm says ----------------------------------------------------------------------

    def go_on(self) -> None:
        self.is_resting.clear()
        self._may_send.set()

    def rest_now(self) -> None:
        """Finish the request under way, then send nothing; ``is_resting`` is set when it is so."""
        self._may_send.clear()

    def end(self) -> None:
        self._has_ended.set()
        self._may_send.set()

    def run(self) -> None:
        while not self._has_ended.is_set():
            if not self._may_send.is_set():
                self.is_resting.set()
                self._may_send.wait()
                continue
            try:
                self._step()
            except Exception as error:  # the storm reports it: a client that ends quietly would test nothing
                self.error = error
                self.is_resting.set()
                return
            self._has_ended.wait(self._chance.uniform(*PAUSE_S))
        self.is_resting.set()

    # -- one step ---------------------------------------------------------------------------------

    def _step(self) -> None:
        if not self._mine or (len(self._mine) < MOST and self._chance.random() < 0.4):
            self.create()
            return
        server = self._chance.choice(self._mine)
        shown = self._rest.ask(self._compute, "GET", f"/servers/{server}")
        if shown.status == 404:
            self._mine.remove(server)
        elif shown.status == 200:
            self._act(server, shown.body["server"])

    def create(self) -> Answer:
        """POST /servers under a key of its own, said again while answers are lost."""
        name = f"chaos-{uuid.UUID(int=self._chance.getrandbits(128), version=4)}"
        body = {"server": {
            "name": name, "imageRef": self._site.image, "flavorRef": self._site.flavors["chaos-small"],
            "networks": self._chance.choice(["auto", "none"]),
        }}  # fmt: skip
        answer = Answer(0)
        for _ in range(SAID_AGAIN):
            answer = self._rest.ask(self._compute, "POST", "/servers", body, {"Idempotency-Key": name})
            if answer.status not in (0, 503) or self._has_ended.is_set():
                break
            self._has_ended.wait(0.5)
        if answer.status == 202:
            server = answer.body["server"]["id"]
            self._world.ledger.promise(answer, server, "create")
            self._mine.append(server)
        return answer

    def _act(self, server: str, shown: dict[str, Any]) -> None:
        if self._chance.random() < 0.12:
            self._mutate(server, "delete", "DELETE", "")
            return
        busy = shown["OS-EXT-STS:task_state"]
        names = BUSY if busy else LEGAL.get(shown["status"], ())
        if names:
            word = self._chance.choice(names)
            MORE.get(word, Client._plain)(self, server, word)

    def _mutate(self, server: str, action: str, method: str, path: str, body: Any = None) -> Answer:
        rest = self._admin if action in ADMINS else self._rest
        answer = rest.ask(self._compute, method, f"/servers/{server}{path}", body)
        if 200 <= answer.status < 300:
            self._world.ledger.promise(answer, server, action)
        return answer

    # -- actions ----------------------------------------------------------------------------------

    def _plain(self, server: str, word: str) -> None:
        name, _, kind = word.partition(" ")
        arguments: dict[str, Any] = {
            "reboot": {"type": kind}, "rebuild": {"imageRef": self._site.image},
            "resize": {"flavorRef": self._site.flavors[kind]} if kind in self._site.flavors else None,
            "os-migrateLive": {"host": None, "block_migration": "auto"}, "createImage": {"name": f"of-{server}"},
            "evacuate": {},
        }  # fmt: skip
        self._mutate(server, name, "POST", "/action", {name: arguments.get(name)})

    def _change_volume(self, server: str, word: str) -> None:
        """One of the client's two volumes comes, goes, or gives way to the other."""
        volumes = self._two_volumes()
        held = self._rest.ask(self._compute, "GET", f"/servers/{server}/os-volume_attachments")
        if not volumes or held.status != 200:
            return
        free, other = self._chance.sample(volumes, 2)
        ours = [each["volumeId"] for each in held.body["volumeAttachments"] if each["volumeId"] in volumes]
        if not ours:
            body = {"volumeAttachment": {"volumeId": free}}
            self._mutate(server, "attach_volume", "POST", "/os-volume_attachments", body)
        elif self._chance.random() < 0.5:
            self._mutate(server, "detach_volume", "DELETE", f"/os-volume_attachments/{ours[0]}")
        else:
            body = {"volumeAttachment": {"volumeId": other if ours[0] == free else free}}
            self._mutate(server, "swap_volume", "PUT", f"/os-volume_attachments/{ours[0]}", body)

    def _two_volumes(self) -> list[str]:
        """None while they cannot be made."""
        while len(self._volumes) < 2:
            self._rest.ask(self._compute, "GET", "/limits")  # makes sure that there is a token, and so a project
            made = self._rest.ask(
                self._world.url("volume"), "POST", f"/{self._rest.project}/volumes", {"volume": {"size": 1}}
            )
            if made.status != 202:
                return []
            self._volumes.append(made.body["volume"]["id"])
        return self._volumes

    def _toggle_interface(self, server: str, word: str) -> None:
        """One interface more, or one less."""
        held = self._rest.ask(self._compute, "GET", f"/servers/{server}/os-interface")
        if held.status != 200:
            return
        ports = [each["port_id"] for each in held.body["interfaceAttachments"]]
        if len(ports) > 1:
            self._mutate(server, "detach_interface", "DELETE", f"/os-interface/{self._chance.choice(ports)}")
        else:
            self._mutate(server, "attach_interface", "POST", "/os-interface", {"interfaceAttachment": {}})


_RUNNING = (
    "os-stop", "reboot SOFT", "reboot HARD", "rebuild", "resize chaos-large", "resize chaos-large", "migrate",
    "os-migrateLive", "shelve", "createImage", "pause", "suspend", "rescue", *["volume"] * 4, "interface",
    "evacuate",
)  # fmt: skip
# Evacuations are refused but where a fault has just taken the host away: where it died over something, most of all.
BUSY = ("evacuate",)
# What may be asked of a server in that status; "volume" and "interface" come or go.
LEGAL: Mapping[str, tuple[str, ...]] = {
    "ACTIVE": _RUNNING,
    "SHUTOFF": ("os-start", "os-start", "rebuild", "resize chaos-large", "shelve", "evacuate"),
    "VERIFY_RESIZE": ("confirmResize", "revertResize"),
    "PAUSED": ("unpause",),
    "SUSPENDED": ("resume",),
    "RESCUE": ("unrescue",),
    "SHELVED": ("unshelve", "shelveOffload"),
    "SHELVED_OFFLOADED": ("unshelve",),
    "ERROR": ("reboot HARD", "delete", "evacuate"),
}
MORE: Mapping[str, Callable[[Client, str, str], Any]] = {
    "volume": Client._change_volume,
    "interface": Client._toggle_interface,
    "delete": lambda client, server, word: client._mutate(server, "delete", "DELETE", ""),
}


class Crowd:
    """All clients together."""

    def __init__(self, world: World, site: Site, seed: int, number: int) -> None:
        self.clients = [Client(world, site, seed * 1000 + index) for index in range(number)]
        for client in self.clients:
            client.start()

    def go_on(self) -> None:
        for client in self.clients:
            client.go_on()

    def rest_now(self, timeout_s: float) -> None:
        """Return when nobody waits for an answer any more, or after so long."""
        for client in self.clients:
            client.rest_now()
        for client in self.clients:
            client.is_resting.wait(timeout_s)

    def end(self) -> None:
        for client in self.clients:
            client.end()
        for client in self.clients:
            client.join(30)

    def errors(self) -> list[str]:
        return [f"{client.name} broke: {client.error!r}" for client in self.clients if client.error is not None]
