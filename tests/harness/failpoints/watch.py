"""Makes points of a cloud's outer doors: each call of a driver, each request to the network, volume and image services.

A thread of a process that is dead goes through no door any more: see :class:`Doors`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from nova_lite import failpoints
from tests.harness.cloud import Cloud
from tests.harness.failpoints.points import READS, WRITES, Family


class Doors:
    """Wraps calls into points. What a neighbour does inside itself, in the same thread, is no moment of ours."""

    def __init__(self) -> None:
        self._inside = threading.local()

    def point(self, family: Family, name: str, call: Callable[[], Any]) -> Any:
        """Do the call between its two points; what the registry calls reading has only the first."""
        if getattr(self._inside, "is_true", False):
            return call()
        failpoints.hit(family, name, "before")
        self._inside.is_true = family is not Family.DRIVER
        try:
            answer = call()
        finally:
            self._inside.is_true = False
        if name not in READS.get(family, ()):
            failpoints.hit(family, name, "after")
        return answer


class Watched:
    """A driver whose calls on a server are points, before and after."""

    def __init__(self, driver: Any, doors: Doors) -> None:
        self._driver = driver
        self._doors = doors

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._driver, name)
        if name not in WRITES[Family.DRIVER]:
            return found
        return lambda *args, **kwargs: self._doors.point(Family.DRIVER, name, lambda: found(*args, **kwargs))


def watch_drivers(cloud: Cloud) -> Doors:
    """From now on hosts that start have watched drivers; what :func:`watch_neighbours` needs."""
    doors = Doors()
    cloud.watch = lambda driver: Watched(driver, doors)
    return doors


def watch_neighbours(cloud: Cloud, doors: Doors) -> None:
    """Once the cloud runs: its requests to the network, volume and image services are points."""
    neutron, cinder = cloud.networks.neutron, cloud.volumes._cinder
    send_network, send_volume = neutron.send, cinder.send

    def network(ctxt: Any, method: str, path: str, **options: Any) -> Any:
        name = f"{method} {path.split('/')[0]}"
        return doors.point(Family.NETWORK, name, lambda: send_network(ctxt, method, path, **options))

    def volume(ctxt: Any, method: str, path: str, *rest: Any) -> Any:
        parts = path.strip("/").split("/")
        name = f"{method} {parts[0]}" + ("/action" if parts[-1] == "action" else "")
        return doors.point(Family.VOLUME, name, lambda: send_volume(ctxt, method, path, *rest))

    neutron.send, cinder.send = network, volume  # type: ignore[method-assign, assignment]
    for verb in (*WRITES[Family.IMAGE], *READS[Family.IMAGE]):
        setattr(cloud.images, verb, _watched_verb(doors, verb, getattr(cloud.images, verb)))


def _watched_verb(doors: Doors, verb: str, found: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: doors.point(Family.IMAGE, verb, lambda: found(*args, **kwargs))
